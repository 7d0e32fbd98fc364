package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// kept is an override of the meeting cor, whose call is c, as a file holds it.
func kept(o Override, best Level) SavedOverride {
	o.Who, o.At, o.Best = "op", t0.Add(-time.Hour), best
	return SavedOverride{Meeting: "cor", Name: "Crisis room", Calls: []string{"c"}, Override: o}
}

// restart is a new board that has read what the old one keeps. Its Call Bridge
// goes on where it was.
func (f *fixture) restart() *fixture {
	f.t.Helper()
	all, _ := f.SavedOverrides()
	return f.fresh(all...)
}

// fresh is a board of the same site, with overrides of an earlier start.
func (f *fixture) fresh(all ...SavedOverride) *fixture {
	f.t.Helper()
	g := *f
	g.Board = NewBoard(f.o)
	g.Restore(g.now, all)
	checkBoard(g.t, g.Board)
	return &g
}

// allRead is what follows when every server has been read once.
func (f *fixture) allRead() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meetingsKnown(f.now)
	f.settle(f.now)
}

// holds says which override holds on a meeting, and its best level.
func (f *fixture) holds(id MeetingID) string {
	f.t.Helper()
	v := f.meeting(id)
	if v.Override == nil {
		return "automatic"
	}
	return fmt.Sprintf("%s best %s", v.Override, v.Override.Best)
}

func (f *fixture) wantHolds(id MeetingID, want string) {
	f.t.Helper()
	if got := f.holds(id); got != want {
		f.t.Fatalf("meeting %s: %s, want %s", id, got, want)
	}
}

// entries are the journal's entries of a kind.
func (f *fixture) entries(kind EntryKind) []Entry {
	all, _ := f.Journal(0, 1<<20)
	return slices.DeleteFunc(all, func(e Entry) bool { return e.Kind != kind })
}

// waits counts the restored overrides whose meeting has not been met.
func (f *fixture) waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.saved.waiting)
}

func TestSavedOverrides(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(Event{Kind: CallStarted, Call: CallFacts{ID: "c", Correlator: "cor", Name: "Crisis room"}}, join("l", "c", staff))
	f.send(callStart("d", "other"), callStart("e", ""))
	if all, _ := f.SavedOverrides(); len(all) != 0 {
		t.Fatalf("kept %+v", all)
	}
	o := Override{Kind: ForceText, Text: "Recorded", Who: "op", Reason: "the chair asked", Until: t0.Add(time.Hour)}
	f.override("cor", o)
	f.now = f.now.Add(time.Second)
	f.override("call:e", off)
	o.At, o.Best = t0, Level2
	want := []SavedOverride{
		{Meeting: "cor", Name: "Crisis room", Calls: []string{"c"}, Override: o},
		{Meeting: "call:e", Calls: []string{"e"}, Override: Override{Kind: ForceClear, Who: "operator", At: f.now}},
	}
	all, _ := f.SavedOverrides()
	if d := cmp.Diff(want, all); d != "" {
		t.Fatal(d)
	}
	if again, _ := f.restart().SavedOverrides(); !cmp.Equal(all, again) {
		t.Fatalf("after a restart:\n%s", cmp.Diff(all, again))
	}
}

// The version moves with everything that is kept, and with nothing else.
func TestOverridesVersion(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", "cor"), join("l", "c", alien))
	at := f.OverridesVersion()
	moved := func(what string, want bool) {
		t.Helper()
		now := f.OverridesVersion()
		if (now != at) != want {
			t.Fatalf("%s: version moved %t, want %t", what, now != at, want)
		}
		at = now
		if _, v := f.SavedOverrides(); v != now {
			t.Fatalf("%s: version %d with the overrides, else %d", what, v, now)
		}
	}
	f.send(join("m", "c", room))
	moved("somebody joins", false)
	f.override("cor", force2)
	moved("forced", true)
	f.send(legEnd("m"))
	moved("somebody leaves", false)
	f.send(legEnd("l"))
	moved("the best level becomes none", true)
	g := f.other("s2", "")
	g.send(callStart("d", "cor"))
	moved("one more call", true)
	f.send(join("n", "c", alien))
	moved("it falls", true)
	f.override("cor", Override{Kind: ForceClear, Until: f.now.Add(time.Minute)})
	moved("cleared", true)
	f.pass(30 * time.Second)
	moved("time passes", false)
	f.pass(30 * time.Second)
	moved("it expires", true)
	f.override("cor", force3)
	moved("forced", true)
	if err := f.Release(f.now, "cor", "op"); err != nil {
		t.Fatal(err)
	}
	moved("released", true)
	f.override("cor", force3)
	moved("forced", true)
	f.send(callEnd("c"))
	moved("one of its calls ends, and nobody is left", true)
	g.send(callEnd("d"))
	moved("the meeting ends", true)
	f.Restore(f.now, []SavedOverride{kept(force1, Level1)})
	moved("restored", true)
	f.allRead()
	moved("nothing waits any more", true)
	f.allRead()
	moved("once more", false)
}

// A restored override takes hold with whatever comes first of its meeting.
func TestRestoredOverrideTakesHold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []Event
		best   Level
	}{
		{"its call, from the start", []Event{callStart("c", "cor")}, LevelNone},
		{"another call of it", []Event{callStart("z", "cor")}, Level3},
		{"a leg of its call", []Event{join("l", "c", alien)}, Level3},
		{"a leg that is not connected yet", []Event{legStart("l", in("c"))}, Level3},
		{"another call, after its call has ended", []Event{callEnd("c"), callStart("z", "cor")}, LevelNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, Options{}).fresh(kept(text, Level3))
			f.index = 500
			f.send(callStart("y", "another"))
			f.wantHolds("another", "automatic")
			f.send(tt.events...)
			f.wantHolds("cor", `text "Recorded" best `+tt.best.String())
			v := f.meeting("cor")
			if v.Wanted.Text != "Recorded" || v.Override.Who != "op" || !v.Override.At.Equal(t0.Add(-time.Hour)) {
				t.Errorf("meeting %+v, override %+v", v, v.Override)
			}
			if f.waits() != 0 || len(f.entries(EntryRestored)) != 1 || len(f.entries(EntryHolds)) != 1 {
				t.Errorf("%d wait, journal %v", f.waits(), f.entries(EntryHolds))
			}
			if v.Name != "Crisis room" {
				t.Errorf("named %q", v.Name)
			}
		})
	}
}

// A call that was known to be of a meeting is so again, before any record or
// the API tells its correlator: all calls of the meeting get the override.
func TestRestoredOverrideOfSeveralCalls(t *testing.T) {
	s := kept(off, Level3)
	s.Calls = []string{"c", "d"}
	f := newFixture(t, Options{}).fresh(s)
	f.index = 500
	f.send(join("l", "c", alien))
	all, _ := f.SavedOverrides()
	if len(all) != 1 || !slices.Equal(all[0].Calls, []string{"c", "d"}) {
		t.Fatalf("before its other call is met %+v", all)
	}
	g := f.other("s2", "")
	g.index = 90
	g.send(join("m", "d", alien), callStart("e", "cor"))
	f.wantHolds("cor", "clear best 3")
	if v := f.meeting("cor"); len(v.Calls) != 3 {
		t.Errorf("calls %+v", v.Calls)
	}
	f.allRead()
	g.send(callEnd("d"))
	if all, _ := f.SavedOverrides(); !slices.Equal(all[0].Calls, []string{"c", "e"}) {
		t.Errorf("kept %+v", all)
	}
	// A call without a correlator is known by its id.
	s.Meeting, s.Calls = "call:x", []string{"x"}
	f = f.fresh(s)
	f.send(join("l", "x", alien))
	f.wantHolds("call:x", "clear best 3")
}

// While the meeting is met leg by leg it passes through better levels than it
// has: the best level is that of before until its picture is complete.
func TestRestoredOverrideWhileUnverified(t *testing.T) {
	t.Run("hides what it hid", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(off, Level3))
		f.index = 500
		for _, address := range []string{room, staff, alien} {
			f.send(join(address, "c", address))
			f.wantHolds("cor", "clear best 3")
		}
		f.pass(time.Minute)
		f.send(legEnd(alien))
		f.wantHolds("cor", "clear best 3")
		f.send(join("again", "c", alien))
		f.wantHolds("cor", "clear best 3")
		f.verified("cor", false)
	})
	t.Run("falls at once when worse", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(force1, Level2))
		f.index = 500
		f.send(join("l", "c", staff))
		f.wantHolds("cor", "level 1 best 2")
		f.send(join("m", "c", alien))
		f.wantHolds("cor", "automatic")
		if v := f.meeting("cor"); v.Fallen == nil || v.Fallen.Computed != Level3 {
			t.Errorf("fallen %+v", v.Fallen)
		}
	})
	t.Run("falls at what was there when its call was met", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(off, Level1))
		f.index = 500
		f.raw(f.number(join("l", "c", alien), legEnd("l"), join("m", "c", room))...)
		f.wantHolds("cor", "automatic")
	})
	t.Run("stays where overrides do not fall", func(t *testing.T) {
		f := newFixture(t, Options{KeepOverrides: true}).fresh(kept(off, Level1))
		f.index = 500
		f.send(join("l", "c", alien))
		f.wantHolds("cor", "clear best 1")
	})
	t.Run("follows once verified", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(force1, Level3))
		f.send(callStart("c", "cor")) // complete: nobody is in it
		f.wantHolds("cor", "level 1 best none")
		f.send(join("l", "c", room), join("m", "c", alien))
		f.wantHolds("cor", "automatic")
	})
	t.Run("follows from the moment it is verified", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(force1, Level3))
		f.index = 1
		start := callStart("c", "cor") // 0 comes late
		f.send(join("l", "c", staff))
		f.wantHolds("cor", "level 1 best 3")
		f.index = 0
		f.send(start)
		f.verified("cor", true)
		f.wantHolds("cor", "level 1 best 2")
	})
	t.Run("a new decision follows at once", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(force1, Level3))
		f.index = 500
		f.send(join("l", "c", alien))
		f.override("cor", force1)
		f.send(join("m", "c", staff), legEnd("l"))
		f.wantHolds("cor", "level 1 best 2")
	})
	t.Run("a call on another Call Bridge is not yet met", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(off, Level3))
		g := f.other("s2", "")
		g.send(callStart("d", "cor"), join("l", "d", room))
		g.verified("cor", true)
		f.wantHolds("cor", "clear best 3")
		f.index = 500
		f.send(join("m", "c", alien))
		f.wantHolds("cor", "clear best 3")
		f.send(legEnd("m"), callEnd("c"), callStart("e", "cor"))
		f.wantHolds("cor", "clear best 1")
	})
	t.Run("a call that has ended meanwhile", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(off, Level3))
		f.send(callStart("d", "cor"), join("l", "d", staff))
		f.wantHolds("cor", "clear best 3")
		f.allRead()
		checkBoard(t, f.Board)
		f.wantHolds("cor", "clear best 2")
	})
}

// When a call's correlator comes late, the less trusted of two overrides is
// kept, wherever they are from.
func TestRestoredOverrideMeetsAnother(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, alone Override
		want          string
	}{
		{"the restored one", force2, force1, "level 2 best 3"},
		{"the new one", force1, force2, "level 2 best 3"},
		{"a level before a clear", off, force1, "level 1 best 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := kept(tt.before, Level3)
			s.Calls = nil
			f := newFixture(t, Options{}).fresh(s)
			f.send(callStart("c", ""), join("l", "c", alien))
			f.override("call:c", tt.alone)
			f.send(callStart("c", "cor"))
			f.gone("call:c")
			f.wantHolds("cor", tt.want)
			if f.waits() != 0 {
				t.Errorf("%d wait", f.waits())
			}
		})
	}
	t.Run("twice in what was kept", func(t *testing.T) {
		f := newFixture(t, Options{}).fresh(kept(force1, Level3), kept(force3, Level3), kept(text, Level3))
		f.index = 500
		f.send(join("l", "c", alien))
		f.wantHolds("cor", "level 3 best 3")
	})
	t.Run("the meeting is here already", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "cor"), callStart("d", "two"), join("l", "d", alien))
		f.override("two", force3)
		other := kept(force1, Level3)
		other.Meeting = "two"
		f.Restore(f.now, []SavedOverride{kept(force2, Level3), other})
		checkBoard(t, f.Board)
		f.wantHolds("cor", "level 2 best none")
		f.wantHolds("two", "level 3 best 3")
		if f.waits() != 0 || len(f.entries(EntryForgotten)) != 1 {
			t.Errorf("%d wait, forgotten %v", f.waits(), f.entries(EntryForgotten))
		}
	})
}

func TestRestoredOverrideExpires(t *testing.T) {
	s := kept(force1, Level1)
	s.Until = t0
	f := newFixture(t, Options{}).fresh(s)
	if f.waits() != 0 || len(f.entries(EntryExpired)) != 1 {
		t.Fatalf("over before the start: %d wait, %v", f.waits(), f.entries(EntryExpired))
	}
	s.Until = t0.Add(time.Minute)
	later := kept(force2, Level1)
	later.Meeting, later.Until = "later", t0.Add(time.Hour)
	for _, order := range [][]SavedOverride{{s, later}, {later, s}} {
		f = f.fresh(order...)
		f.pass(59 * time.Second)
		if f.waits() != 2 {
			t.Fatalf("before its time %d wait", f.waits())
		}
		f.pass(time.Second)
		if f.waits() != 1 || len(f.entries(EntryExpired)) != 1 {
			t.Fatalf("at its time %d wait", f.waits())
		}
		f.pass(time.Hour)
		if f.waits() != 0 {
			t.Fatalf("at the other's time %d wait", f.waits())
		}
		f.now = t0
	}
	f = f.fresh(s)
	f.index = 500
	f.now = s.Until // no tick has come
	f.send(join("l", "c", alien))
	f.wantHolds("cor", "automatic")

	f.now = t0
	f = f.fresh(s)
	f.index = 500
	f.send(join("l", "c", staff))
	f.wantHolds("cor", "automatic") // it fell
	s.Best = Level3
	f = f.fresh(s)
	f.index = 500
	f.send(join("l", "c", staff))
	f.wantHolds("cor", "level 1 best 3")
	f.pass(time.Minute)
	f.wantHolds("cor", "automatic")
}

func TestMeetingsKnown(t *testing.T) {
	f := newFixture(t, Options{}).fresh(kept(force1, Level1))
	f.allRead()
	gone := f.entries(EntryForgotten)
	if f.waits() != 0 || len(gone) != 1 || gone[0].Name != "Crisis room" || gone[0].Who != "op" || !strings.Contains(gone[0].Text, "ended while callmark was not running") {
		t.Fatalf("%d wait, %v", f.waits(), gone)
	}
	f.send(callStart("c", "cor"))
	f.wantHolds("cor", "automatic")
}

// What was kept is untrusted: what is not allowed here does not hold, and the
// rest does.
func TestRestoreRefuses(t *testing.T) {
	long := kept(text, Level3)
	long.Text = strings.Repeat("x", 61)
	foreign := kept(text, Level3)
	foreign.Text = "Grüße\x1b[2J"
	level := kept(force1, Level3)
	level.Level = 7
	best := kept(force1, 9)
	kind := kept(Override{Kind: 9}, Level3)
	nowhere := kept(force1, Level3)
	nowhere.Meeting = "\x00"
	for i, s := range []SavedOverride{long, foreign, level, best, kind, nowhere} {
		good := kept(force2, Level3)
		good.Meeting, good.Who, good.Name, good.At = "good", "o\x1b[31mp", "a\nb", t0.Add(time.Hour)
		f := newFixture(t, Options{}).fresh(s, good)
		alarms := f.Since(0).Alarms
		if f.waits() != 1 || len(alarms) != 1 || !strings.Contains(alarms[0].Text, `"Crisis room"`) || strings.Contains(alarms[0].Text, "others") {
			t.Fatalf("%d: %d wait, alarms %+v", i, f.waits(), alarms)
		}
		f.send(callStart("x", "good"))
		v := f.meeting("good")
		if v.Override.Who != "o [31mp" || v.Name != "a b" || v.Override.At.After(f.now) {
			t.Errorf("%d: named %q, override %+v", i, v.Name, v.Override)
		}
	}
	f := newFixture(t, Options{}).fresh(long, foreign, level)
	if alarms := f.Since(0).Alarms; len(alarms) != 1 || !strings.Contains(alarms[0].Text, "2 others") {
		t.Errorf("alarms %+v", alarms)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	var all []SavedOverride
	for i := range maxWaiting + 3 {
		s := kept(force1, Level1)
		s.Meeting, s.At = MeetingID(fmt.Sprint(i)), t0.Add(-time.Duration(i)*time.Second)
		all = append(all, s)
	}
	f := newFixture(t, Options{}).fresh(all...)
	got, _ := f.SavedOverrides()
	if len(got) != maxWaiting || got[0].Meeting != MeetingID(fmt.Sprint(maxWaiting-1)) {
		t.Errorf("%d wait, the oldest is %s", len(got), got[0].Meeting)
	}
	if alarms := f.Since(0).Alarms; len(alarms) != 1 || !strings.Contains(alarms[0].Text, "oldest 3") {
		t.Errorf("alarms %+v", alarms)
	}
}

// Whatever happens, a board that has read what another keeps, and the same
// records, holds no more than the other did, and nothing more trusted.
func TestRestartKeepsOverrides(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := newFixture(t, Options{})
		f.index = 500
		addresses := []string{room, staff, alien}
		calls := []string{"c", "d"}
		// Everybody is known by one record, which a restart lets come again.
		here := map[string]Event{}
		act := func() {
			id := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "leg")
			if _, ok := here[id]; ok && rapid.Bool().Draw(r, "leaves") {
				f.send(legUpdate(id, ivr))
				delete(here, id)
				return
			}
			e := join(id, rapid.SampledFrom(calls).Draw(r, "call"), rapid.SampledFrom(addresses).Draw(r, "address"))
			f.send(e)
			here[id] = e
		}
		f.send(callStart("c", "cor"), callStart("d", "cor"))
		for range rapid.IntRange(0, 6).Draw(r, "before") {
			act()
		}
		f.override("cor", rapid.SampledFrom([]Override{force1, force2, force3, text, off}).Draw(r, "override"))
		for range rapid.IntRange(1, 4).Draw(r, "restarts") {
			for range rapid.IntRange(0, 6).Draw(r, "after") {
				act()
			}
			before := f.holds("cor")
			if before == "automatic" {
				return
			}
			f = f.restart()
			for _, id := range []string{"3", "1", "2"} {
				if e, ok := here[id]; ok {
					f.send(e)
				}
			}
			f.send(legStart("who rings", in("c"))) // shows that it runs, and no more
			if got := f.holds("cor"); got != before {
				r.Fatalf("before the restart %s, after it %s, with %d here", before, got, len(here))
			}
		}
	})
}
