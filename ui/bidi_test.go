package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/bidi"

	"callmark/policy"
)

// runsOf returns what a terminal that follows the Unicode algorithm draws from
// right to left in a line.
func runsOf(t *testing.T, line string) []string {
	t.Helper()
	var p bidi.Paragraph
	if _, err := p.SetString(line, bidi.DefaultDirection(bidi.LeftToRight)); err != nil {
		t.Fatal(err)
	}
	order, err := p.Order()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range order.NumRuns() {
		if r := order.Run(i); r.Direction() == bidi.RightToLeft {
			out = append(out, r.String())
		}
	}
	return out
}

// apart reports what on a screen is drawn from right to left beside names: a
// digit, a bracket, a quotation mark, or two columns as one.
func apart(t *testing.T, screen string) (runs int) {
	t.Helper()
	for line := range strings.Lines(screen) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "\"") {
			line = "a" + line // in a line of words no column can be missed
		}
		for _, r := range runsOf(t, line) {
			runs++
			if strings.ContainsAny(r, "0123456789[]()\"") || strings.Contains(r, "  ") {
				t.Errorf("drawn from right to left: %q of %q", r, line)
			}
		}
	}
	return runs
}

var fromRightToLeft = []string{"ישיבת ממשלה", "اجتماع مجلس الوزراء", "اجتماع طويل جدا لمجلس الوزراء الموقر", "חדר 7"}

func TestNamesFromRightToLeftStayInTheirColumn(t *testing.T) {
	for _, size := range []struct{ w, h int }{{160, 45}, {120, 30}, {80, 24}, {40, 10}} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b := newBench(t, size.w, size.h)
			for i, name := range fromRightToLeft {
				id := policy.MeetingID(fmt.Sprint("m", i))
				v := mtg(string(id), name, policy.Level3)
				v.Holder.Name = name
				b.board.put(v)
				b.board.legs[id] = []policy.LegView{
					{ID: "1", Name: name, Domain: "דוגמה", Address: "דוגמה@דוגמה", Level: 3, Type: "SIP", Presence: policy.InMeeting, Counts: true, Joined: start},
					{ID: "2", Name: name, Domain: "192.0.2.7", Level: 3, Type: "SIP", Presence: policy.InMeeting, Counts: true, Joined: start},
				}
				b.board.note(policy.Entry{Time: start, Kind: policy.EntryJoined, Meeting: id, Name: name, Person: name, Address: "7@192.0.2.7", Level: 3})
			}
			for _, keys := range [][]string{{}, {"f"}, {"1"}, {"esc"}, {"space"}, {"j", "space", "f"}, {"esc", "esc", "enter"}, {"v"}, {"enter"}, {"i"}, {"h"}, {"l"}} {
				s := b.keys(keys...).frame().screen()
				if runs := apart(t, s); runs == 0 {
					t.Errorf("no name on the screen after %q:\n%s", keys, s)
				}
			}
		})
	}
}

// The blank that ends a name takes a cell, as any other: a terminal shows the
// columns below each other.
func TestNamesFromRightToLeftInTerminal(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		inTerminal(t, 80, 24, func(x *terminal) {
			for i, name := range fromRightToLeft {
				x.board.put(mtg(fmt.Sprint("x", i), name, policy.Level2))
			}
			s := x.settle()
			columns := map[int]bool{}
			for line := range strings.Lines(s) {
				if i := strings.Index(line, "[2] confirmed"); i >= 0 {
					columns[ansi.StringWidth(line[:i])] = true
				}
			}
			if len(columns) != 1 {
				t.Errorf("the column begins at %v:\n%s", columns, s)
			}
			if strings.Contains(s, "\u2800") == ascii {
				t.Errorf("ASCII is %v:\n%s", ascii, s)
			}
			if !ascii {
				apart(t, s)
			}
		}, func(o *Options) { o.ASCII = ascii })
	}
}

func TestSeal(t *testing.T) {
	for _, c := range []struct {
		text string
		open bool
		want string
		on   bool
	}{
		{"plain 7", false, "plain 7", false},
		{"plain 7", true, "plain 7", false},
		{"  7", true, "| 7", false},
		{"אב", false, "אב", true},
		{"אב גד", false, "אב גד", true},
		{"אב גד  7", false, "אב גד| 7", false},
		{"אב a 7", false, "אב a 7", false},
		{"אב7", false, "אב7", true}, // the name's own
		{"\"אב\"? 7 of", false, "\"אב\"?|7 of", false},
		{"7 אב", false, "7 אב", true},
		{"\xd7", false, "\xd7", false},
	} {
		if got, on := seal(c.text, c.open, "|"); got != c.want || on != c.on {
			t.Errorf("seal(%q, %v) = %q, %v, want %q, %v", c.text, c.open, got, on, c.want, c.on)
		}
	}
	if got, on := seal("אב 7", false, ""); got != "אב 7" || on {
		t.Errorf("without a stop: %q, %v", got, on)
	}
}
