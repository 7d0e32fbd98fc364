package ui

import (
	"strings"
	"testing"

	"callmark/policy"
)

// three puts three meetings on a board; a dialog about all of them is opened by
// hand, whatever selects them.
func three(t *testing.T, w, h int) (*bench, []policy.MeetingID) {
	b := newBench(t, w, h)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Budget", policy.Level2), mtg("m3", "Rooms", policy.Level1))
	return b.frame(), []policy.MeetingID{"m1", "m2", "m3"}
}

func TestDialogNamesAllItsMeetings(t *testing.T) {
	b, all := three(t, 120, 40)
	b.m.dialog = newForce(all)
	b.shows("Force a marking on 3 meetings:", `[3] "Cabinet briefing", [2] "Budget", [1] "Rooms"`)
	b.keys("1").shows("Force [1] SECURE on 3 meetings? 3 external and 4 internal participants are in these meetings.",
		`[3] "Cabinet briefing", [2] "Budget", [1] "Rooms"`, "2 of 3 are less trusted than what the screens will say.", "The screens will say: Security Level 1")
	b.keys("enter").shows("Nothing was done")
	if got := b.board.acts(); got != "" {
		t.Fatalf("did %q", got)
	}
	b.m.dialog = newForce(all)
	b.keys("1", "y").shows("Overridden: 3 meetings, forced [1].")
	if got := b.board.acts(); got != "override m1 level 1 by anna\noverride m2 level 1 by anna\noverride m3 level 1 by anna" {
		t.Errorf("did %q", got)
	}
}

// One of several ends: the others are acted on, and the operator is told, also
// where it ends between the look and the key.
func TestSomeOfSeveralEnd(t *testing.T) {
	b, all := three(t, 160, 40)
	b.m.dialog = newClear(all)
	b.shows("Clear the marking of 3 meetings?")
	b.board.end("m2")
	b.frame().shows("Clear the marking of 2 meetings?", "1 meeting of these ended meanwhile.", `[3] "Cabinet briefing", [1] "Rooms"`)
	b.board.end("m3")
	b.keys("y").shows("Overridden: 1 of 3 meetings. Not done: meeting m2: ", `; "Rooms": `)
	if got := b.board.acts(); got != "override m1 clear by anna" {
		t.Errorf("did %q", got)
	}
	b.keys("down")
	b.m.dialog = newClear(all[1:])
	b.frame().shows("These meetings have ended.").keys("y").shows("Nothing was done")
}

func TestReleaseOfSeveralAsks(t *testing.T) {
	b, all := three(t, 120, 40)
	b.m.dialog = newForce(all[:2])
	b.keys("3", "y").frame()
	b.m.automatic(all)
	b.shows("Return 3 meetings to automatic?", `[2] "Budget"`).keys("enter").shows("Nothing was done")
	b.m.automatic(all)
	// The third is automatic already, which is what was wanted.
	b.keys("y").shows("Automatic again: 3 meetings")
	if got := b.board.acts(); !strings.HasSuffix(got, "release m1 by anna\nrelease m2 by anna") {
		t.Errorf("did %q", got)
	}
}
