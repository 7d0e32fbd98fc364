package ui

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"callmark/policy"
)

// grounds is the background of the first cell of a text on the screen.
func (x *terminal) grounds(text string) string {
	x.t.Helper()
	s := x.screen()
	x.mu.Lock()
	defer x.mu.Unlock()
	for y, line := range strings.Split(s, "\n") {
		if i := strings.Index(line, text); i >= 0 {
			cell := x.emu.CellAt(ansi.StringWidth(line[:i]), y)
			if cell == nil {
				return ""
			}
			return fmt.Sprint(cell.Style.Bg)
		}
	}
	x.t.Errorf("not on the screen: %q\n%s", text, s)
	return ""
}

// TestThemesInTerminal: each theme paints a badge, and all say the same words.
func TestThemesInTerminal(t *testing.T) {
	seen := map[string]string{}
	for _, theme := range []string{"dark", "light", "16", "mono", "NO_COLOR"} {
		inTerminal(t, 80, 24, func(x *terminal) {
			x.settle()
			x.press("j") // off the row, whose colours are the cursor's
			x.shows("[3] EXTERNAL", "Cabinet briefing", "[!] cms2 DOWN", "FAILED")
			ground := x.grounds("[2] INTERNAL  S")
			plain := theme == "mono" || theme == "NO_COLOR"
			if (ground == "<nil>") != plain {
				t.Errorf("%s: a badge has the ground %s", theme, ground)
			}
			if other := seen[ground]; other != "" && !plain {
				t.Errorf("%s looks like %s", theme, other)
			}
			seen[ground] = theme
		}, func(o *Options) {
			if theme == "NO_COLOR" {
				o.Environ = append(o.Environ, "NO_COLOR=1")
				return
			}
			o.Theme = theme
		})
	}
}

// names are as the far end may have them.
var names = []string{
	"日本語の会議室 第一", "Kabinett: e\u0301\u0301tat ge\u0308ne\u0301ral", "\u200fاجتماع مجلس الوزراء", "\x1b[31mred\x1b[2J\x1b[H", "a\u202egnp.exe\u202c", "line\r\nbreak\ttab\a",
	"👩\u200d👩\u200d👧 family", "\u009b2J C1", "\x1b]8;;http://evil.test\x1b\\link\x1b]8;;\x1b\\", "zero\u200bwidth", "", strings.Repeat("長い名前", 20),
}

// TestNamesInTerminal looks at names from everywhere through a terminal: every
// row keeps its columns.
func TestNamesInTerminal(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		for _, size := range []struct{ w, h int }{{160, 45}, {80, 24}, {40, 14}} {
			t.Run(fmt.Sprintf("%dx%d_ascii_%v", size.w, size.h, ascii), func(t *testing.T) {
				inTerminal(t, size.w, size.h, func(x *terminal) {
					x.board.end("m-cabinet", "m-budget", "m-board", "m-supply", "m-legal", "m-empty", "m-rooms")
					for i, name := range names {
						x.board.put(mtg(fmt.Sprintf("m%02d", i), name, policy.Level3))
					}
					s := x.settle()
					rows, column := 0, 0
					for line := range strings.Lines(s) {
						if i := strings.Index(line, "[3] confirmed"); i >= 0 {
							rows++
							at := ansi.StringWidth(line[:i])
							if rows == 1 {
								column = at
							}
							if at != column {
								t.Errorf("a column begins at %d, above at %d: %q", at, column, line)
							}
						}
					}
					if size.h > 20 && rows != len(names) {
						t.Errorf("%d rows, want %d:\n%s", rows, len(names), s)
					}
					if size.w == 80 && !ascii {
						golden.RequireEqual(t, s+"\n")
					}
				}, func(o *Options) { o.ASCII = ascii; o.Now = func() time.Time { return start } })
			})
		}
	}
}

func TestNoneOneAndManyInTerminal(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		all := []policy.MeetingID{"m-cabinet", "m-budget", "m-board", "m-supply", "m-legal", "m-empty", "m-rooms"}
		x.shows("7 meetings")
		x.press(" ")
		x.shows("1 selected")
		// All go, under the cursor and under the selection.
		x.board.end(all...)
		x.shows("No meetings. They appear here")
		x.press("f1yc a")
		if got := x.board.acts(); got != "" {
			t.Errorf("did %q", got)
		}
		x.board.put(mtg("m1", "The only one", policy.Level2))
		x.shows("1 meeting ", "The only one")
		many := make([]policy.MeetingView, 10000)
		for i := range many {
			many[i] = mtg(fmt.Sprint("n", i), fmt.Sprint("Meeting ", i), policy.Level(1+i%3))
		}
		x.board.put(many...)
		x.shows("10,001 meetings")
		x.press("G")
		x.shows("10,001 of 10,001")
		x.press("/meeting 99 level:3\r")
		x.shows("(of 10,001)")
	})
}

// TestKeyActsOnWhatWasNamed: between the dialog and the key a storm puts other
// meetings above, below and in the place of the one that was named.
func TestKeyActsOnWhatWasNamed(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		x.settle()
		x.press("jf1")
		named := strings.Split(strings.Split(x.settle(), `Force [1] SECURE on "`)[1], `"`)[0]
		var id string
		for i := range 500 {
			x.board.put(mtg(fmt.Sprint("s", i), fmt.Sprint("Storm ", i), policy.Level3), mtg("m-cabinet", "Cabinet briefing", policy.Level(1+i%3)), mtg("m-legal", "Legal", policy.Level(1+(i+1)%3)))
			if i%3 == 0 {
				x.board.end(policy.MeetingID(fmt.Sprint("s", i/2)))
			}
			time.Sleep(7 * time.Millisecond)
		}
		x.shows(`Force [1] SECURE on "` + named + `"`)
		x.press("y")
		x.board.mu.Lock()
		for _, v := range x.board.meetings {
			if v.Name == named {
				id = string(v.ID)
			}
		}
		x.board.mu.Unlock()
		if got := x.board.acts(); got != "override "+id+" level 1 by anna" {
			t.Errorf("did %q, %q was named", got, named)
		}
	})
}

// TestIdle: while nothing changes but the clock, a second costs one small write.
func TestIdle(t *testing.T) {
	inTerminal(t, 160, 45, func(x *terminal) {
		x.settle()
		x.settle()
		x.mu.Lock()
		x.raw.Reset()
		x.writes = 0
		x.mu.Unlock()
		const seconds = 600
		time.Sleep(seconds * time.Second)
		synctest.Wait()
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.writes > seconds+2 {
			t.Errorf("%d writes in %d s", x.writes, seconds)
		}
		// The clock, and now and then the ages.
		if n := x.raw.Len(); n > seconds*120 {
			t.Errorf("%d bytes in %d s", n, seconds)
		}
	})
}

// TestStormKeepsKeysAnswered: 10,000 changes a second for 10 s. No producer
// waits for the console's timers, and a key waits for no more than 100 ms of
// them. What work costs a bubble's clock does not show: BenchmarkStorm does.
func TestStormKeepsKeysAnswered(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		x.settle()
		from := time.Now()
		asked := 0
		for i := range 10000 {
			for k := range 10 {
				x.board.put(mtg(fmt.Sprint("m", (i*10+k)%200), "storm", policy.Level(1+(i+k)%3)))
			}
			time.Sleep(time.Millisecond)
			switch i % 1000 {
			case 300:
				fmt.Fprint(x.keys, "?")
			case 400:
				if strings.Contains(x.screen(), "Keys that work here") {
					asked++
				}
				fmt.Fprint(x.keys, "?")
			}
		}
		if d := time.Since(from); d != 10*time.Second {
			t.Errorf("producers took %v for 10 s", d)
		}
		if asked != 10 {
			t.Errorf("%d of 10 keys were answered within 100 ms", asked)
		}
		x.shows("207 meetings")
	})
}
