package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

// before fails unless the texts are on the screen in this order.
func (b *bench) before(all ...string) *bench {
	b.t.Helper()
	rest := b.screen()
	for _, want := range all {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			b.t.Errorf("%q is not in its place:\n%s", want, b.screen())
			return b
		}
		rest = after
	}
	return b
}

// party puts participants of every kind into a meeting.
func party(b *fakeBoard) {
	scene(b)
	b.legs["m-cabinet"] = append(b.legs["m-cabinet"],
		policy.LegView{ID: "l5", Name: "Zoe", Address: "sip:zoe@other.test", Domain: "other.test", Level: 3, Type: "elsewhere", Presence: policy.InMeeting, Counts: true, Joined: start, Bridge: "cms9", Evidence: policy.Evidence{Level: 3, Rule: policy.RuleNoEntry, Host: "other.test"}},
		policy.LegView{ID: "l6", Name: "Caller", Level: 3, Type: "SIP", Presence: policy.InIVR, Joined: start, Evidence: policy.Evidence{Rule: policy.RuleNoHost, Detail: "a bare number"}},
		policy.LegView{ID: "l7", Name: "Recorder 1", Level: 3, Type: "recorder", Presence: policy.InMeeting, Joined: start, Media: policy.Encrypted},
		policy.LegView{ID: "l8", Name: "Eve", Address: "sip:eve@corp.example", Domain: "corp.example", Level: 2, Type: "SIP", Presence: policy.InMeeting, Counts: true, Media: policy.Unencrypted, Evidence: policy.Evidence{Rule: policy.RuleInternalEntry, Host: "corp.example", Entry: "corp.example"}},
	)
}

func TestParticipantsInSections(t *testing.T) {
	b := newBench(t, 200, 50)
	party(b.board)
	b.frame().keys("enter").frame()
	b.before("in the meeting, counted: 4", "[3] EXTERNAL* Mallory", "Eve", "Ines", "Room 4.01",
		"hosted on other Call Bridges, counted: 1", "Zoe",
		"lobby, IVR, not counted: 2", "(3) EXTERNAL  Caller", "Guest",
		"recorders and links, not counted: 1", "Recorder 1")
	b.shows(" host evil.test matches no entry", " host corp.example matches corp.example in internal")
	for name, media := range map[string]string{"Recorder 1": "encrypted", "Eve ": "unencrypted", "Mallory  ": "unknown"} {
		if got := b.line(name); !strings.Contains(got, " "+media) {
			t.Errorf("media: %q", got)
		}
	}
	// The star marks the one by whom the meeting has its level, and nobody else.
	if n := strings.Count(b.screen(), "EXTERNAL*"); n != 1 {
		t.Errorf("%d participants hold the level up", n)
	}

	b.keys("v").before("[3] EXTERNAL: 1", "Mallory", "[2] INTERNAL: 2", "Eve", "Ines", "[1] SECURE: 1", "Room 4.01", "hosted on other Call Bridges", "Zoe", "lobby, IVR,", "recorders and links")
	// A sort orders the rows of each section.
	b.keys("s", "s").before("[3] EXTERNAL: 1", "Mallory", "[2] INTERNAL: 2", "Eve", "Ines", "[1] SECURE: 1").keys("S").before("[2] INTERNAL: 2", "Ines", "Eve", "[1] SECURE: 1")
	b.keys("/").typed("is:unencrypted").keys("enter").shows("Eve", "1 of 1 (of 8)").hides("recorders and links", "Mallory  ").keys("esc")
	// Another meeting begins as this one was left.
	b.keys("esc", "enter").frame().shows("[2] INTERNAL: 2").keys("v").shows("in the meeting, counted: 4")
}

// TestSectionsScroll looks at a long list through a small window: the cursor is
// always to be seen, and every row can be.
func TestSectionsScroll(t *testing.T) {
	b := newBench(t, 80, 20)
	scene(b.board)
	var legs []policy.LegView
	for i := range 60 {
		legs = append(legs, policy.LegView{ID: fmt.Sprint("l", i), Name: fmt.Sprintf("Person %02d.", i), Level: policy.Level(1 + i%3), Presence: policy.InMeeting, Counts: i%4 != 0, Type: "SIP", Joined: start})
	}
	b.board.legs["m-cabinet"] = legs
	b.frame().keys("enter").frame().keys("v")
	seen := map[string]bool{}
	for i := range 60 {
		v, ok := b.m.open.table.selected()
		if got := b.line("> "); !ok || !strings.Contains(got, v.Name) {
			t.Fatalf("row %d, %s is selected: %q", i, v.Name, got)
		}
		seen[v.Name] = true
		b.keys("down")
	}
	if len(seen) != 60 {
		t.Errorf("%d of 60 seen", len(seen))
	}
	for range 60 {
		v, _ := b.m.open.table.selected()
		if got := b.line("> "); !strings.Contains(got, v.Name) {
			t.Fatalf("%s is selected: %q", v.Name, got)
		}
		b.keys("up")
	}
}

func TestParticipantInFull(t *testing.T) {
	b := newBench(t, 100, 30)
	party(b.board)
	b.frame().keys("enter").frame().keys("enter").
		shows("[3] EXTERNAL  Mallory", "3: host evil.test matches no entry", "the meeting has its level by it", "sip:mallory@evil.test", "Media        unknown", "Leg          l2")
	// Keys still act on the meeting.
	b.keys("c").shows(`Clear the marking of "Cabinet briefing"?`).keys("esc")
	b.keys("enter").shows("This is all there is")
	b.board.legs["m-cabinet"] = b.board.legs["m-cabinet"][2:]
	v := *b.board.meetings["m-cabinet"]
	b.board.put(v)
	b.frame().shows("LEFT", "Mallory").keys("esc").hides("LEFT")
}

func TestMeetingInFull(t *testing.T) {
	b := newBench(t, 80, 24)
	party(b.board)
	v := *b.board.meetings["m-cabinet"]
	v.Override = &policy.Override{Kind: policy.ForceLevel, Level: 1, Who: "bob", At: start.Add(-time.Hour), Until: start.Add(30 * time.Minute), Reason: strings.Repeat("the chair asked ", 9) + "END"}
	v.Domains = []string{"corp.example", "evil.test"}
	b.board.put(v)
	b.frame().keys("enter").frame().hides("END").keys("i")
	flat := strings.Join(strings.Fields(b.screen()), " ")
	for _, want := range []string{"forced [1] by bob at 13:03:22 until 14:33:22 (30m); automatic would be [3] EXTERNAL", "END", "corp.example, evil.test", "m-cabinet", "c-m-cabinet on cms1", "Level by"} {
		if !strings.Contains(flat, want) {
			t.Errorf("%q is not in %s", want, flat)
		}
	}
	b.keys("i").shows("in the meeting, counted")
}

func TestHistoryOfAMeeting(t *testing.T) {
	b := newBench(t, 120, 24)
	scene(b.board)
	about := func(kind policy.EntryKind, bridge, text, who string) policy.Entry {
		return policy.Entry{Time: start, Kind: kind, Meeting: "m-cabinet", Name: "Cabinet briefing", Bridge: bridge, Level: 3, Text: text, Who: who}
	}
	b.frame().keys("enter").frame().keys("h").shows("call started", "joined", "level changed").hides("Budget", "Legal")
	b.board.note(about(policy.EntrySent, "cms1", "Security Level 3", ""), about(policy.EntryConfirmed, "cms2", "Security Level 3", ""),
		policy.Entry{Time: start, Kind: policy.EntryFailed, Weight: policy.Warning, Meeting: "m-cabinet", Name: "Cabinet briefing", Bridge: "cms2", Call: "call-7", Text: "answers 503"},
		about(policy.EntryForced, "", "level 1: chair asked", "bob"), about(policy.EntryLeft, "cms1", "", ""), policy.Entry{Kind: policy.EntryLeft, Meeting: "m-legal", Name: "Legal"})
	b.frame().shows("marking sent", "on cms1: Security Level 3", "marking confirmed", "on cms2", "by bob: level 1: chair asked", "9 of 9", "on cms2 call call-7: answers 503").hides("Legal")
	b.keys("w").shows("12m ago").keys("w").hides("12m ago")
	b.keys("esc", "esc", "h").shows("enter opens it first")
}

// The override's life: the list and the meeting say who, since when, until
// when, and what is hidden; what fell stays until somebody acts.
func TestOverrideIsSeenToItsEnd(t *testing.T) {
	b := newBench(t, 160, 24)
	v := mtg("m1", "Held", policy.Level3)
	v.Override = &policy.Override{Kind: policy.ForceLevel, Level: 1, Who: "bob", At: start.Add(-time.Hour), Until: start.Add(30 * time.Minute), Reason: "chair asked"}
	b.board.put(v)
	b.frame().shows("[3] EXTERNAL  Held", "forced [1] by bob until 14:33", "by bob at 13:03:22 until 14:33:22 (30m); automatic would be [3] EXTERNAL; reason: chair asked")

	fell := mtg("m1", "Held", policy.Level3)
	fell.Fallen = &policy.Fallen{Override: *v.Override, At: start, Computed: 3}
	b.board.put(fell)
	b.keys("p") // a paused list hides nothing that fell
	b.frame().shows(`FELL "Held": forced [1] by bob fell 0s ago, when the level became [3] EXTERNAL`, "1 FELL")
	b.later(time.Hour).keys("down", "x", "n", "x").shows(`FELL "Held"`, "fell 1h00 ago")
	b.keys("p", "a").frame().hides("FELL")
	if got := b.board.acts(); got != "release m1 by anna" {
		t.Errorf("did %q", got)
	}
	// Or its meeting ends.
	b.board.put(fell)
	b.frame().shows(`FELL "Held"`)
	b.board.end("m1")
	b.frame().hides("FELL")
}

func TestLogWeightAndTimes(t *testing.T) {
	b := newBench(t, 130, 24)
	scene(b.board)
	b.frame().keys("l").shows("WARNING", "notice", "info", "! override fell", "Following what comes")
	b.keys("up").shows("Looking back; G follows").keys("G").shows("Following what comes")
	b.keys("w").shows("40s ago", "12m ago").keys("w").shows("13:51:22")
	b.keys("/").typed("weight:warning").keys("enter").shows("1 of 1 (of 6)", "override fell").hides("joined")
	b.keys("esc", "s").later(time.Minute).shows("Not by time")
}

func TestKeysSayWhyNot(t *testing.T) {
	b := newBench(t, 100, 24)
	scene(b.board)
	b.frame()
	for _, c := range []struct{ keys, want string }{
		{"v", "enter opens it"}, {"h", "enter opens it first"}, {"i", "enter opens it first"}, {"w", "Times become ages in the log"},
	} {
		b.keys(c.keys).shows(c.want).later(time.Minute)
	}
	b.keys("l")
	for _, c := range []struct{ keys, want string }{
		{"v", "Only the participants"}, {"h", "about one meeting"}, {"f", "The log shows what was"}, {"y", "The log shows what was"},
	} {
		b.keys(c.keys).shows(c.want).later(time.Minute)
	}
}

// Every key that works can be read, also on the smallest screen.
func TestHelpIsWhole(t *testing.T) {
	for _, size := range []struct{ w, h int }{{40, 10}, {80, 24}, {160, 45}} {
		for _, view := range []string{"", "enter", "l", "b"} {
			b := newBench(t, size.w, size.h)
			cluster(b.board)
			b.frame()
			if view != "" {
				b.keys(view).frame()
			}
			b.keys("?")
			var seen strings.Builder
			for range 60 {
				seen.WriteString(b.screen())
				b.keys("down")
			}
			for _, g := range enabled(b.m.keys.forView(b.m.view, false, true).FullHelp()) {
				for _, k := range g {
					if !strings.Contains(seen.String(), k.Help().Key) || !strings.Contains(seen.String(), k.Help().Desc) {
						t.Errorf("%dx%d %q: %s is not in the help", size.w, size.h, view, k.Help().Desc)
					}
				}
			}
			if !strings.Contains(seen.String(), "more trusted, + new") && size.w > 40 {
				t.Errorf("%dx%d %q: the legend is not whole", size.w, size.h, view)
			}
			b.keys("x").hides("Keys that work here")
		}
	}
}

func TestClickAmongSections(t *testing.T) {
	b := newBench(t, 120, 40)
	party(b.board)
	b.frame().keys("enter").frame().keys("m")
	for i, line := range strings.Split(b.screen(), "\n") {
		for _, name := range []string{"Room 4.01 ", "Zoe ", "Guest ", "Recorder 1 "} {
			if strings.HasPrefix(line, "  ") && strings.Contains(line, name) {
				b.m.list().click(5, i)
				if v, ok := b.m.open.table.selected(); !ok || v.Name+" " != name {
					t.Errorf("a click on %q selects %q", name, v.Name)
				}
			}
		}
	}
}

// TestLegsOfTheOpenMeetingOnly: legs are read of the meeting that is open, when
// it is opened and when it changes, and of no other.
func TestLegsOfTheOpenMeetingOnly(t *testing.T) {
	b := newBench(t, 120, 40)
	crowd(b.board, 1000)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Other", policy.Level1))
	reads := func(want ...policy.MeetingID) {
		t.Helper()
		b.frame()
		if got := b.board.legsRead; !slices.Equal(got, want) {
			t.Errorf("read legs of %q, want %q", got, want)
		}
		b.board.legsRead = nil
	}
	reads()
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level2))
	reads()
	b.m.filter("cabinet")
	b.keys("enter")
	reads("m1")
	reads()
	b.board.put(mtg("m2", "Other", policy.Level2))
	crowd(b.board, 1000)
	reads()
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level1))
	reads("m1")
	b.keys("esc")
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3))
	reads()
}
