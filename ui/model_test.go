package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"callmark/policy"
)

func TestEmpty(t *testing.T) {
	b := newBench(t, 80, 24)
	b.shows("reading the board")
	b.frame().shows("0 meetings", "No meetings", "no Call Bridge yet")
	b.keys("f", "c", "a", "enter", "s", "S", "y", "p", "p", "x", "n", "down", "pgup", "G", "g", "u").shows("0 meetings")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
}

func TestOneMeeting(t *testing.T) {
	b := newBench(t, 80, 24)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level1))
	b.frame().shows("1 meeting ", "> [1] SECURE", "Cabinet briefing", "[1] confirmed", "1:1", "1 of 1")
}

func TestWorstFirst(t *testing.T) {
	b := newBench(t, 120, 24)
	worse := mtg("m6", "zebra", policy.Level1)
	worse.Unverified, worse.Shown = "records are missing", policy.Level3
	b.board.put(mtg("m1", "beta", policy.Level1), mtg("m2", "Alpha", policy.Level1), mtg("m3", "gamma", policy.Level3),
		mtg("m4", "none", policy.LevelNone), mtg("m5", "alpha", policy.Level2), worse)
	b.frame()
	if got := strings.Join(shownIDs(b.m), " "); got != "m3 m6 m5 m2 m1 m4" {
		t.Errorf("order %s", got)
	}
	b.shows("[1?] SECURE", "[ ] -")
}

func TestForceAsksFirst(t *testing.T) {
	b := newBench(t, 120, 30)
	v := mtg("m1", "Cabinet briefing", policy.Level3)
	v.People = [4]int{0, 3, 0, 2}
	b.board.put(v)
	b.frame().keys("f").shows("Force a marking", "1 SECURE", "t own text")
	b.keys("1").shows(`Force [1] SECURE on "Cabinet briefing"?`, "2 external participants are in this meeting", "Security Level 1")
	// The default is no.
	b.keys("enter").hides("Force [1]").shows("Nothing was done")
	if got := b.board.acts(); got != "" {
		t.Fatalf("did %q", got)
	}
	b.keys("f", "1", "y").frame()
	if got := b.board.acts(); got != "override m1 level 1 by anna" {
		t.Fatalf("did %q", got)
	}
	b.shows("forced [1] by anna")
	b.keys("a").frame().shows("automatic again")
	if got := b.board.acts(); !strings.HasSuffix(got, "release m1 by anna") {
		t.Errorf("did %q", got)
	}
	b.keys("a").shows("is automatic already")
}

func TestForceText(t *testing.T) {
	b := newBench(t, 100, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level2))
	b.frame().keys("f", "t").typed("Grüße").shows("plain ASCII", "5 of 60 characters")
	b.keys("enter").shows("plain ASCII", "Text for the screens")
	for range 5 {
		b.keys("backspace")
	}
	// Letters that are keys elsewhere are text here.
	b.typed("q yes f").shows("> q yes f")
	b.m.Update(tea.PasteMsg{Content: " pasted"})
	b.keys("enter").shows(`Force the text "q yes f pasted"`, "2 internal and 1 secure participants")
	b.keys("r").typed("chair asked").keys("enter", "u", "u").shows("[15:03 (1h00)]", "Reason: chair asked")
	b.keys("y")
	if got := b.board.acts(); got != `override m1 text "q yes f pasted" by anna` {
		t.Errorf("did %q", got)
	}
	o := b.frame().m.meetings.all[0].val.Override
	if o.Reason != "chair asked" || !o.Until.Equal(start.Add(time.Hour)) || !o.At.Equal(start) {
		t.Errorf("override %+v", o)
	}
}

func TestClearAsksFirst(t *testing.T) {
	b := newBench(t, 100, 30)
	v := mtg("m1", "Cabinet briefing", policy.Level3)
	v.Unverified = "3 records were lost"
	v.Override = &policy.Override{Kind: policy.ForceLevel, Level: 2, Who: "bob"}
	b.board.put(v)
	b.frame().keys("c").shows(`Clear the marking of "Cabinet briefing"?`, "3 external, 2 internal and 1 secure", "no marking at all", "3 records were lost", "takes the place of: forced [2] by bob")
	b.keys("n")
	b.keys("c", "esc")
	b.keys("c", "q")
	if got := b.board.acts(); got != "" {
		t.Fatalf("did %q", got)
	}
	b.keys("c", "y")
	if got := b.board.acts(); got != "override m1 clear by anna" {
		t.Errorf("did %q", got)
	}
}

// TestDialogHoldsItsMeeting lets a storm reorder the table between the look and
// the key.
func TestDialogHoldsItsMeeting(t *testing.T) {
	b := newBench(t, 100, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Other", policy.Level1))
	b.frame().keys("f", "1")
	for i := range 500 {
		b.board.put(mtg(fmt.Sprint("s", i), "Another one", policy.Level3))
		b.board.put(mtg("m1", "Cabinet briefing", policy.Level(1+i%3)))
		if i%7 == 0 {
			b.frame()
		}
	}
	b.board.end("m2", "s3")
	b.frame().shows(`on "Cabinet briefing"?`)
	b.keys("y")
	if got := b.board.acts(); got != "override m1 level 1 by anna" {
		t.Errorf("did %q", got)
	}
}

func TestMeetingEndsUnderDialog(t *testing.T) {
	for _, keys := range [][]string{{"f"}, {"f", "2"}, {"c"}, {"f", "t"}} {
		b := newBench(t, 100, 30)
		b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Other", policy.Level1))
		b.frame().keys(keys...)
		b.board.end("m1")
		b.frame().shows("This meeting has ended", "Nothing was done").keys("y", "y", "1", "y")
		if got := b.board.acts(); got != "" {
			t.Errorf("%v: did %q", keys, got)
		}
	}
	// It ends between the last frame and the key: the board says so.
	b := newBench(t, 100, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3))
	b.frame().keys("f", "1")
	b.board.end("m1")
	b.keys("y").shows("Nothing was done: the meeting has ended")
}

func TestMeetingEndsUnderCursor(t *testing.T) {
	b := newBench(t, 100, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Other", policy.Level1))
	b.frame()
	b.board.end("m1")
	b.frame().hides("> [").shows("The selected meeting has ended", "0 of 1")
	b.keys("c", "y", "f", "1", "y", "enter")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
	b.keys("down").shows("> [1] SECURE").keys("c", "y")
	if got := b.board.acts(); got != "override m2 clear by anna" {
		t.Errorf("did %q", got)
	}
}

func TestErrorStaysUntilAKey(t *testing.T) {
	b := newBench(t, 100, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3))
	b.board.err = errors.New("the board is closed: start again")
	b.frame().keys("c", "y").shows("Nothing was done: the board is closed")
	b.later(time.Hour).shows("the board is closed")
	b.keys("down").hides("the board is closed")
	// It is kept in the log.
	b.keys("l").shows("console", "the board is closed")
	b.board.err = nil
	b.keys("esc", "y").shows("Sent to the terminal's clipboard: m1")
	b.later(6 * time.Second).hides("clipboard")
}

func TestReadOnly(t *testing.T) {
	b := newBench(t, 100, 30, func(o *Options) { o.ReadOnly = true })
	scene(b.board)
	b.frame().shows("READ-ONLY").hides("f force", "c clear", "a auto")
	for _, k := range []string{"f", "c", "a", "x"} {
		b.keys(k).shows("Read-only: start without --read-only")
		b.later(10 * time.Second)
	}
	b.keys("1", "y")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
	b.keys("?").hides("force", "dismiss").shows("filter").keys("esc", "enter").shows("Level by")
}

func TestOpenMeeting(t *testing.T) {
	b := newBench(t, 160, 45)
	scene(b.board)
	b.frame().keys("enter").frame()
	b.shows("Level by", "host evil.test matches no entry", "(3) EXTERNAL", "lobby", "web guest", "rooms.corp.example", "history", "level changed", "1 waiting")
	b.hides("override set") // that of another meeting
	if got := b.line("(3) EXTERNAL"); !strings.Contains(got, "Guest") {
		t.Errorf("apart: %q", got)
	}
	// Worst first, those who do not count last.
	s := b.screen()
	if i, j, k := strings.Index(s, "> [3]"), strings.Index(s, "[2] INTERNAL  Ines"), strings.Index(s, "(3) EXTERNAL"); !(i < j && j < k) {
		t.Errorf("order:\n%s", s)
	}
	b.keys("/").typed("domain:corp.example").keys("enter").shows("Ines", "Room 4.01").hides("> [3] EXTERNAL Mallory")
	b.keys("esc").shows("Mallory  ").keys("c").shows(`Clear the marking of "Cabinet briefing"`).keys("esc")
	b.board.end("m-cabinet")
	b.frame().shows("ENDED", "Mallory").keys("f").shows("This meeting has ended")
	b.keys("esc").hides("Level by").shows("6 meetings")
}

func TestCallsOfAMeeting(t *testing.T) {
	b := newBench(t, 160, 30)
	v := mtg("m1", "Everywhere", policy.Level3)
	v.State = policy.StateFailed
	v.Calls = append(v.Calls, policy.CallView{
		ID: "c2", Bridge: "cms2", Wanted: v.Wanted, Sent: policy.Marking{Kind: policy.MarkLevel, Level: 1},
		State: policy.StateFailed, Failure: "answers 503", Attempts: 3, Since: start, Incomplete: "its start was not seen",
	})
	b.board.put(v)
	b.frame().shows("mixed→[3] FAILED", "cms1 cm").keys("enter").frame()
	b.shows("[3] confirmed on cms1", "since 14:02:22 (1m)", "[1]→[3] FAILED on cms2 (no API server known)", "tried 3 times: answers 503", "incomplete: its start was not seen")
}

func TestOverrideInFull(t *testing.T) {
	b := newBench(t, 160, 30)
	v := mtg("m1", "Held", policy.Level3)
	v.Override = &policy.Override{Kind: policy.ForceLevel, Level: 1, Who: "bob", At: start.Add(-time.Hour), Until: start.Add(30 * time.Minute), Reason: "chair asked"}
	v.Unverified, v.UnverifiedSince = "2 records are missing", start.Add(-time.Minute)
	b.board.put(v)
	b.frame().keys("enter").frame().shows("forced [1] by bob at 13:03:22 until 14:33:22 (30m); automatic would be [3?] EXTERNAL; reason: chair asked", "UNVERIFIED for 1m: 2 records are missing")
	v.Fallen, v.Override = &policy.Fallen{Override: *v.Override, At: start, Computed: 3}, nil
	b.board.put(v)
	b.frame().shows("FELL 0s ago: forced [1] by bob").keys("esc").frame().shows("FELL: forced [1]")
	b.keys("a")
	if got := b.board.acts(); got != "release m1 by anna" {
		t.Errorf("did %q", got)
	}
}

func TestFilterAndSort(t *testing.T) {
	b := newBench(t, 120, 30)
	scene(b.board)
	b.frame().keys("/").typed("level:2").shows("filter: level:2", "Budget", "Supply").hides("Cabinet briefing   ")
	b.keys("enter", "s").shows("Sorted by level", "(of 7)").later(10 * time.Second)
	b.keys("s").later(10*time.Second).shows("by meeting", "filter: level:2")
	b.keys("esc").shows("Cabinet briefing", "by meeting", "7")
	b.keys("S")
	if got := shownIDs(b.m); got[0] != "m-supply" {
		t.Errorf("order %v", got)
	}
	b.keys("/").typed("is:unverified").keys("enter").shows("Board of directors", "1 of 1 (of 7)")
	b.keys("/", "esc").shows("Budget")
	b.keys("/").typed("nothing like it").keys("enter", "f").shows("No meeting passes the filter")
}

func TestPause(t *testing.T) {
	b := newBench(t, 120, 30)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level1), mtg("m2", "Other", policy.Level1))
	b.frame().keys("p")
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m3", "New", policy.Level3))
	b.board.end("m2")
	b.frame().shows("PAUSED, 3 changes waiting", "> [1] SECURE", "Other").hides("New  ")
	// A dialog tells how things are, not how they were.
	b.keys("f", "1").shows("3 external and 2 internal participants").keys("esc")
	b.keys("down", "c").shows("This meeting has ended")
	b.keys("p").hides("PAUSED", "Other  ").shows("New", "[3] EXTERNAL")
}

func TestHeader(t *testing.T) {
	b := newBench(t, 160, 45, func(o *Options) { o.Demo = true })
	scene(b.board)
	b.board.rest.Bridges = append(b.board.rest.Bridges,
		policy.BridgeView{Name: "cms4", Server: "x", Session: "s", Bound: policy.ServerStatus{State: policy.ServerLocked, Problem: "401", Remedy: "check the password", Since: start}},
		policy.BridgeView{Name: "cms5", Server: "x", Session: "s", Unverified: "5 records are missing", UnverifiedSince: start.Add(-time.Minute), Bound: policy.ServerStatus{State: policy.ServerUp}},
		policy.BridgeView{Name: "cms6", Session: "s", Address: "192.0.2.7"},
		policy.BridgeView{Name: "cms7", Server: "x", Session: "s", Bound: policy.ServerStatus{State: policy.ServerBusy, Problem: "answers 503", Since: start}},
	)
	b.frame().shows("DEMO", "RECEIVER OPEN", "[x] cms4 LOCKED", "[!] cms2 DOWN", "[?] cms5 unverified", "[?] cms6 no API server", "[~] cms7 busy", "[.] cms3 waiting for records INSECURE",
		"ALARM 1/7 cms3 sends its records elsewhere, 3m: set its CDR receiver to this host", "cms4 locked for 0s: 401: check the password", "next try in 8s, r tries now")
	b.keys("n").shows("FELL 2/7").keys("n").shows("PROBLEM 3/7").keys("x").shows("goes when its cause is gone")
	for range 5 {
		b.keys("n")
	}
	b.keys("x").frame().hides("ALARM")
	if got := b.board.acts(); got != "dismiss cdr cms3 by anna" {
		t.Errorf("did %q", got)
	}
	b.m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.shows("[x] cms4 LOCKED", "and 3 more")
}

func TestClockMoves(t *testing.T) {
	b := newBench(t, 120, 24)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level1))
	b.frame().shows("14:03:22 UTC", "12m")
	b.later(61*time.Second).shows("14:04:23 UTC", "13m")
}

// TestFrozenFeed: without frames nothing on the screen moves with time, whatever
// is pressed.
func TestFrozenFeed(t *testing.T) {
	b := newBench(t, 120, 24)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level1), mtg("m2", "Other", policy.Level1))
	before := b.frame().screen()
	b.at = b.at.Add(time.Hour)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3))
	b.keys("down", "up").m.Update(tea.WindowSizeMsg{Width: 120, Height: 24})
	if got := b.screen(); got != before {
		t.Errorf("it looks alive:\n%s\nbefore:\n%s", got, before)
	}
	b.keys("?", "esc", "s").shows("14:03:22 UTC").hides("15:03", "[3] EXTERNAL  Cab")
	b.frame().shows("15:03:22 UTC", "[3] EXTERNAL  Cabinet briefing")
}

func TestQuit(t *testing.T) {
	b := newBench(t, 100, 24)
	b.frame().keys("q").shows("Quit callmark?", "records are no longer taken")
	b.keys("enter").hides("Quit callmark?")
	if b.cmd != nil {
		t.Error("enter quits")
	}
	b.keys("q", "y")
	if b.cmd == nil {
		t.Error("y does not quit")
	}
	b.keys("ctrl+c").shows("once more")
	if b.cmd != nil {
		t.Error("one ctrl+c quits")
	}
	b.later(6 * time.Second).keys("ctrl+c")
	if b.cmd != nil {
		t.Error("two far apart quit")
	}
	b.keys("f", "ctrl+c")
	if b.cmd != nil {
		t.Error("two with a key between quit")
	}
	b.keys("ctrl+c")
	if b.cmd == nil {
		t.Error("two do not quit")
	}
	b.keys("esc", "ctrl+z").shows("ctrl+z does nothing here")
	if b.cmd != nil {
		t.Error("ctrl+z does something")
	}
}

// What an operator did holds at once; he is told of it when it is saved, and
// what it means when it could not be.
func TestSaving(t *testing.T) {
	saves := 0
	var err error
	b := newBench(t, 160, 24, func(o *Options) {
		o.Save = func() error { saves++; return err }
	})
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3))
	b.frame().keys("f", "1", "y")
	if got := b.board.acts(); got != "override m1 level 1 by anna" || saves != 0 || b.cmd == nil {
		t.Fatalf("did %q, saved %d times", got, saves)
	}
	b.frame().hides("Overridden:")
	override := b.cmd
	b.keys("a").hides("automatic again")
	release := b.cmd
	b.m.Update(override())
	b.shows("Overridden:")
	b.m.Update(release())
	b.shows("automatic again")
	if saves != 2 {
		t.Errorf("saved %d times", saves)
	}

	err = errors.New("overrides.json could not be written: no space left on device: make room")
	b.keys("c", "y")
	b.m.Update(b.cmd())
	b.later(time.Minute).shows("Done, but not saved, a restart would undo it: overrides.json could not be written: no space left")
	if v := b.m.meetings.all[0].val; v.Override == nil {
		t.Error("the override does not hold")
	}

	// An error that came meanwhile stays.
	err = nil
	b.keys("a")
	release = b.cmd
	b.m.fail("Something else failed.")
	b.m.Update(release())
	b.shows("Something else failed.").keys("l").shows("automatic again")
}

func TestRefreshKey(t *testing.T) {
	n := 0
	b := newBench(t, 100, 24, func(o *Options) { o.Refresh = func() { n++ } })
	b.frame().keys("r").shows("Asked:")
	if n != 0 || b.cmd == nil {
		t.Fatal("refresh must run as a command")
	}
	b.cmd()
	if n != 1 {
		t.Errorf("refreshed %d times", n)
	}
	b = newBench(t, 100, 24, func(o *Options) { o.Refresh = nil })
	b.frame().hides("r resync").keys("r").shows("nothing to resynchronise")
}

func TestTooSmall(t *testing.T) {
	b := newBench(t, 39, 24)
	scene(b.board)
	b.frame()
	if got := b.screen(); got != "Too small: 40x10 is needed." {
		t.Errorf("%q", got)
	}
	b.keys("f", "1", "y", "c", "y")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
	for w := 1; w < 50; w++ {
		for h := 1; h < 14; h++ {
			b.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			b.screen()
		}
	}
}

// TestEveryKeyAtEverySize looks for what does not fit, and for panics.
func TestEveryKeyAtEverySize(t *testing.T) {
	keys := []string{"enter", "f", "1", "esc", "esc", "f", "t", "x", "esc", "esc", "c", "n", "?", "?", "l", "s", "S", "/", "a", "enter", "esc", "esc", "q", "n", "p", "G", "up", "p", "y", "n", "u", "r"}
	for _, size := range []struct{ w, h int }{{40, 10}, {41, 11}, {59, 13}, {64, 16}, {79, 20}, {80, 24}, {100, 30}, {132, 43}, {160, 45}, {250, 80}} {
		for _, ascii := range []bool{false, true} {
			b := newBench(t, size.w, size.h, func(o *Options) { o.ASCII = ascii })
			scene(b.board)
			odd := mtg("m-odd", strings.Repeat("日本語", 30), policy.Level3)
			odd.Unverified = strings.Repeat("é\u0301", 200)
			b.board.put(odd)
			b.frame().keys(keys...)
			b.later(time.Minute).keys(keys...)
			if ascii {
				b.board.end("m-odd")
				b.frame().keys("esc", "esc")
				for _, r := range strings.ReplaceAll(b.screen(), "\n", "") {
					if r > '~' {
						t.Errorf("%dx%d: %q in ASCII mode\n%s", size.w, size.h, r, b.screen())
						break
					}
				}
			}
		}
	}
}

func TestHostileNames(t *testing.T) {
	b := newBench(t, 120, 24)
	for i, name := range []string{
		"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\link", "a\u202eb", "cr\rlf\nnl", "日本語の会議", "e\u0301\u0301\u0301", "\u009b2J", "\u200fعربى", "bell\a",
	} {
		b.board.put(mtg(fmt.Sprint("m", i), name, policy.Level3))
	}
	b.board.legs["m0"] = []policy.LegView{{ID: "l", Name: "\x1b[2J\u202e", Address: "\x1b]52;c;AAAA\x07", Counts: true, Level: 3}}
	b.frame()
	check := func() {
		t.Helper()
		raw := b.m.View().Content
		for i, r := range ansi.Strip(raw) {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r == 0x200f {
				t.Fatalf("%U at %d in %q", r, i, raw)
			}
		}
		if strings.Contains(raw, "\x1b]") || strings.Contains(raw, "\x1b[2J") || strings.Contains(raw, "\x1b[31m") {
			t.Fatalf("a sequence from outside got through: %q", raw)
		}
	}
	for i := range 10 {
		check()
		b.keys("enter").frame()
		check()
		b.keys("f", "1")
		check()
		b.keys("esc", "y")
		check()
		b.keys("esc", "l")
		check()
		b.keys("esc", "down")
		_ = i
	}
	b.later(time.Minute).shows("日本語の会議")
}

func TestColours(t *testing.T) {
	for _, env := range []string{"", "NO_COLOR=1", "NO_COLOR=yes", "NO_COLOR="} {
		b := newBench(t, 120, 30, func(o *Options) { o.Environ = []string{env} })
		scene(b.board)
		b.frame()
		plain := env == "NO_COLOR=1" || env == "NO_COLOR=yes"
		raw := b.m.View().Content + b.keys("enter").frame().m.View().Content + b.keys("f", "1").m.View().Content
		coloured := strings.Contains(raw, ";41m") || strings.Contains(raw, "30;42m") || strings.Contains(raw, "[32m")
		if coloured == plain {
			t.Errorf("%q: coloured is %v", env, coloured)
		}
		// Nothing is said by colour alone.
		b.shows("[3] EXTERNAL").keys("esc", "esc").later(time.Minute).shows("FAILED", "[1?]", "[!] cms2 DOWN")
	}
}

func TestManyMeetings(t *testing.T) {
	b := newBench(t, 160, 45)
	crowd(b.board, 10000)
	b.frame().shows("10,000 meetings", "1 of 10,000").keys("G").shows("10,000 of 10,000", "[ ] -").keys("pgup", "g").shows("> [3] EXTERNAL")
	b.keys("/").typed("department 7").keys("enter").shows("(of 10,000)")
}

func TestEventLog(t *testing.T) {
	b := newBench(t, 100, 24)
	scene(b.board)
	b.frame().keys("l").shows("> 14:02:42 ! override fell", "6 of 6")
	// The newest is followed until the operator moves up.
	b.board.note(policy.Entry{Time: start, Kind: policy.EntrySent, Name: "Legal", Level: 3, Text: "newest"})
	b.frame().shows("7 of 7", "newest").keys("up", "up")
	b.board.note(policy.Entry{Time: start, Kind: policy.EntryConfirmed, Name: "Legal"})
	b.frame().shows("5 of 8").keys("G")
	for i := range 3 * logKept {
		b.board.note(policy.Entry{Time: start, Kind: policy.EntryJoined, Text: fmt.Sprint("entry ", i)})
	}
	b.frame().shows(fmt.Sprint("entry ", 3*logKept-1), number(logKept)+" of "+number(logKept))
	b.keys("f").shows("The log shows what was").keys("esc").hides("Event  ")
}

func TestFallIsToldOnce(t *testing.T) {
	b := newBench(t, 120, 24)
	scene(b.board)
	b.frame().hides("An override fell") // that was before the console came
	b.board.note(policy.Entry{Time: start, Kind: policy.EntryFell, Weight: policy.Warning, Name: "Budget 2027", Level: 3})
	b.frame().shows(`An override fell: "Budget 2027" is [3] EXTERNAL`)
	b.later(time.Hour).shows("An override fell").keys("down").hides("An override fell")
}

func TestSiteNames(t *testing.T) {
	b := newBench(t, 100, 24, func(o *Options) {
		o.Levels = policy.DefaultLevels()
		o.Levels[1].Name = "rooms only"
	})
	b.board.put(mtg("m1", "x", policy.Level1))
	b.frame().shows("[1] ROOMS ONLY").keys("f").shows("1 ROOMS ONLY", "3 EXTERNAL")
}
