package ui

import (
	"strings"
	"testing"

	"callmark/policy"
)

// Everything that a question says can be reached on the smallest screen.
func TestQuestionIsScrolled(t *testing.T) {
	b := newBench(t, 40, 10)
	v := mtg("m1", "A meeting with a name that is much longer than the screen", policy.Level2)
	v.Unverified, v.UnverifiedSince, v.Waiting = "3 records before 1882 were lost", start, 2
	v.Override = &policy.Override{Kind: policy.ForceLevel, Level: 3, Who: "bob", At: start}
	b.board.put(v)
	b.frame().keys("f", "1").shows("Force [1] SECURE on", "y yes  n no", "Its level is [2?] INTERNAL", "more").hides("There may be others")
	seen := b.screen()
	for range 20 {
		seen += strings.Join(strings.Fields(b.keys("down").screen()), " ")
	}
	for _, want := range []string{"There may be others in it.", "2 in the lobby", "The screens will say", "forced [3] by bob."} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is not to be reached in:\n%s", want, seen)
		}
	}
	for range 20 {
		b.keys("up")
	}
	b.shows("Force [1] SECURE on", "y yes  n no").keys("down", "y")
	if got := b.board.acts(); got != "override m1 level 1 by anna" {
		t.Errorf("did %q", got)
	}
}

func TestLevelsAreChosenOnSmallScreens(t *testing.T) {
	b := newBench(t, 40, 10)
	scene(b.board)
	b.frame().keys("f").shows("1 SECURE  2 INTERNAL  3 EXTERNAL", "t own text  esc back", "1  hides", "2  hides", "3  hides nobody")
	b.keys("esc", "e", "c").shows("meetings as CSV to", "the file:", "esc")
}

// What was said before a question is not said of it.
func TestNoticeGoesWhenAsked(t *testing.T) {
	b := newBench(t, 80, 24)
	scene(b.board)
	b.frame().keys("f", "esc").shows("Nothing was done.").keys("f").hides("Nothing was done.")
	b.keys("esc", "q").shows("Quit").hides("Nothing was done.")
}

func TestFilterSaysHowManyPass(t *testing.T) {
	b := newBench(t, 80, 24)
	scene(b.board)
	b.frame().keys("/").typed("budget").shows("1 of 7", "enter keeps it   esc takes it off")
	b.typed("x").shows("0 of 7").keys("enter").shows("nothing passes it, esc takes it off")
}

func TestHelpSaysHowToGoOn(t *testing.T) {
	b := newBench(t, 40, 10)
	scene(b.board)
	b.frame().keys("?").shows("lines 1-", "up, down scroll   any other key closes").hides("enter open  f")
	b.keys("G").shows("its own by it").hides("lines 1-")
}

// A Call Bridge that went away while nobody looked leaves no view without a
// selected row.
func TestCallBridgesOpenWithOneSelected(t *testing.T) {
	b := newBench(t, 80, 24)
	scene(b.board)
	b.frame()
	for i := range b.board.rest.Bridges {
		b.board.rest.Bridges[i].Server += "0"
	}
	b.board.put(mtg("m1", "x", policy.Level1))
	b.frame().keys("b").shows("1 of 3").hides("is gone")
}

// What a row of the log cuts off is read in full.
func TestEntryInFull(t *testing.T) {
	b := newBench(t, 80, 24)
	scene(b.board)
	text := strings.Repeat("word ", 40) + "and the end."
	b.board.note(policy.Entry{Time: start, Kind: policy.EntryAlarm, Weight: policy.Warning, Bridge: "cms3", Text: text},
		policy.Entry{Time: start, Kind: policy.EntryJoined, Meeting: "m-cabinet", Name: "Cabinet briefing", Person: "Ines", Address: "sip:ines@corp.example", Call: "call-9", Level: 2, Text: text})
	b.frame().keys("l").hides("and the end.").keys("enter").shows("and the end.", "Participant  Ines", "Call         call-9")
	b.keys("enter").shows("This is all there is: esc goes back.").keys("f").shows("The log shows what was")
	b.keys("esc", "k", "k", "k", "enter").shows("and the end.", "Call Bridge  cms3", "WARNING").keys("esc").shows("7 of").hides("and the end.")
	// In a meeting's history keys go on acting on the meeting.
	b.keys("esc", "enter").frame().keys("h", "enter").shows("and the end.").keys("f").shows("Force a marking on \"Cabinet briefing\"")
	b.keys("esc", "esc").shows("level changed").hides("and the end.")
}

// Flags of the title are whole or not there.
func TestTitleOnSmallScreens(t *testing.T) {
	b := newBench(t, 40, 10, func(o *Options) { o.Demo, o.ReadOnly = true, true })
	scene(b.board)
	b.board.rest.Receiver.Open = true
	b.frame().keys("p")
	b.board.put(mtg("m1", "x", policy.Level1))
	b.frame().shows("callmark  PAUSED +1  DEMO").hides("…  14:03", "READ", "RECEIVER")
}
