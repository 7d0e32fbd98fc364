package policy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var (
	force1 = Override{Kind: ForceLevel, Level: Level1}
	force2 = Override{Kind: ForceLevel, Level: Level2}
	force3 = Override{Kind: ForceLevel, Level: Level3}
	text   = Override{Kind: ForceText, Text: "Recorded"}
	off    = Override{Kind: ForceClear}
)

func (f *fixture) override(id MeetingID, o Override) {
	f.t.Helper()
	if err := f.Override(f.now, id, o); err != nil {
		f.t.Fatal(err)
	}
	checkBoard(f.t, f.Board)
}

// level makes the computed level of call c what it says, by one leg of its own
// or none.
func (f *fixture) level(l Level) {
	f.t.Helper()
	if l == LevelNone {
		f.send(legUpdate("x", ivr))
	} else {
		f.send(join("x", "c", map[Level]string{Level1: room, Level2: staff, Level3: alien}[l]))
	}
	f.computed("call:c", l)
}

// TestOverrideFalls follows an override through computed levels: the first is
// there when it is decided, and it falls at the index given, or never.
func TestOverrideFalls(t *testing.T) {
	const never = -1
	for _, tc := range []struct {
		name   string
		o      Override
		levels []Level
		falls  int
	}{
		{"forced 3 never falls", force3, []Level{0, 1, 2, 3, 0, 3}, never},
		{"forced 1 at 1", force1, []Level{1, 1, 2}, 2},
		{"forced 1 at 3 hides what was there", force1, []Level{3, 3}, never},
		{"forced 1 at 3, then 2, then 3", force1, []Level{3, 2, 3}, 2},
		{"forced 1 at 3, then nobody, then 1, then 2", force1, []Level{3, 0, 1, 2}, 3},
		{"forced 1 at 2", force1, []Level{2, 3}, 1},
		{"forced 2 at 1", force2, []Level{1, 2, 1, 2, 3}, 4},
		{"forced 2 at 3", force2, []Level{3, 3, 2, 3}, 3},
		{"forced 2 at nobody", force2, []Level{0, 1, 2, 3}, 3},
		{"clear at nobody", off, []Level{0, 1}, 1},
		{"clear at 1", off, []Level{1, 1, 0, 1}, 3},
		{"clear at 3", off, []Level{3, 3}, never},
		{"clear hides no external who came after a moment without one", off, []Level{3, 1, 3}, 2},
		{"clear at 2", off, []Level{2, 3}, 1},
		{"text at 2", text, []Level{2, 2, 1, 1, 2}, 4},
		{"text at 3", text, []Level{3, 3}, never},
		{"text at nobody", text, []Level{0, 3}, 1},
	} {
		for _, keep := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				f := newFixture(t, Options{KeepOverrides: keep})
				f.send(callStart("c", ""))
				f.level(tc.levels[0])
				f.override("call:c", tc.o)
				for i, l := range tc.levels {
					f.level(l)
					fell := tc.falls >= 0 && i >= tc.falls && !keep
					v := f.meeting("call:c")
					if (v.Override == nil) != fell || (v.Fallen != nil) != fell {
						t.Fatalf("at step %d, level %s: override %v, fallen %v", i, l, v.Override, v.Fallen)
					}
					want := f.Preview(tc.o)
					if fell {
						want = f.levelMarking(l)
						if l == LevelNone {
							want = Marking{}
						}
					}
					if v.Wanted != want {
						t.Fatalf("at step %d: wanted %v, want %v", i, v.Wanted, want)
					}
					if fell && i == tc.falls && (v.Fallen.Computed != l || v.Fallen.Override.Kind != tc.o.Kind) {
						t.Errorf("fallen %+v", v.Fallen)
					}
				}
			})
		}
	}
}

// TestOverrideFollowsEveryRecord: a moment without an external counts even when
// it is over within the document.
func TestOverrideFollowsEveryRecord(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""), join("a", "c", alien))
	f.override("call:c", off)
	f.raw(f.number(legEnd("a"), join("b", "c", alien))...)
	if v := f.meeting("call:c"); v.Override != nil || v.Fallen == nil {
		t.Errorf("override %v, fallen %v", v.Override, v.Fallen)
	}
}

// TestOverrideIsOfTheMeeting: it is on every call, those that come later too,
// and ends with the meeting.
func TestOverrideIsOfTheMeeting(t *testing.T) {
	f := newFixture(t, Options{})
	g := f.other("s2", "")
	f.send(callStart("c1", "k"), join("a", "c1", alien))
	f.override("k", Override{Kind: ForceText, Text: "Recorded", Who: "ann\x1b", Reason: " on\nrequest "})
	g.send(callStart("c2", "k"), join("b", "c2", alien))
	v := f.meeting("k")
	for _, c := range v.Calls {
		if c.Wanted.Kind != MarkText || c.Wanted.Text != "Recorded" {
			t.Errorf("call %s wants %v", c.ID, c.Wanted)
		}
	}
	if o := v.Override; o.Who != "ann" || o.Reason != "on request" || !o.At.Equal(f.now) {
		t.Errorf("override %+v", o)
	}
	if v.Computed != Level3 || v.Shown != Level3 {
		t.Errorf("computed %s, shown %s: what it hides is to be seen", v.Computed, v.Shown)
	}
	f.send(callEnd("c1"))
	if f.meeting("k").Override == nil {
		t.Error("it ended with one call of two")
	}
	g.send(callEnd("c2"))
	f.send(callStart("c3", "k"))
	if v := f.meeting("k"); v.Override != nil || v.Fallen != nil {
		t.Error("it outlived its meeting")
	}
}

func TestOverrideExpires(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""), join("a", "c", staff))
	o := off
	o.Until = f.now.Add(time.Minute)
	f.override("call:c", o)
	f.pass(time.Minute - 1)
	if f.meeting("call:c").Override == nil {
		t.Fatal("it expired too early")
	}
	f.pass(1)
	v := f.meeting("call:c")
	if v.Override != nil || v.Fallen != nil || v.Wanted.Level != Level2 {
		t.Errorf("override %v, fallen %v, wanted %v", v.Override, v.Fallen, v.Wanted)
	}
	if es, _ := f.Journal(0, 100); !has(es, EntryExpired) {
		t.Error("the journal does not have it")
	}
	if len(f.timed) != 0 {
		t.Error("time is still kept")
	}
}

func TestOverrideIsReleased(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""), join("a", "c", staff))
	if err := f.Release(f.now, "call:c", "ann"); !errors.Is(err, ErrAutomatic) {
		t.Errorf("%v", err)
	}
	f.override("call:c", force3)
	f.override("call:c", force1) // replaces it
	if w := f.meeting("call:c").Wanted; w.Level != Level1 {
		t.Errorf("wanted %v", w)
	}
	f.send(join("b", "c", alien))
	if f.meeting("call:c").Fallen == nil {
		t.Fatal("it did not fall")
	}
	f.pass(time.Hour)
	f.send(legEnd("b"))
	if f.meeting("call:c").Fallen == nil {
		t.Error("the notice did not stay")
	}
	if err := f.Release(f.now, "call:c", "ann"); err != nil || f.meeting("call:c").Fallen != nil {
		t.Errorf("%v", err)
	}
	f.override("call:c", force3)
	if err := f.Release(f.now, "call:c", "ann"); err != nil || f.meeting("call:c").Wanted.Level != Level2 {
		t.Errorf("%v", err)
	}
	f.send(join("d", "c", staff))
	f.override("call:c", force1)
	f.send(join("e", "c", alien))
	f.override("call:c", off) // deciding anew dismisses the notice
	if v := f.meeting("call:c"); v.Fallen != nil || v.Override.Best != Level3 {
		t.Errorf("fallen %v, override %v", v.Fallen, v.Override)
	}
	f.send(callEnd("c"))
	if err := f.Release(f.now, "call:c", "ann"); !errors.Is(err, ErrNoMeeting) {
		t.Errorf("%v", err)
	}
	if err := f.Override(f.now, "call:c", off); !errors.Is(err, ErrNoMeeting) {
		t.Errorf("%v", err)
	}
}

func TestOverrideRefused(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""))
	for _, o := range []Override{
		{},
		{Kind: 9},
		{Kind: ForceLevel},
		{Kind: ForceLevel, Level: 4},
		{Kind: ForceText},
		{Kind: ForceText, Text: strings.Repeat("x", 61)},
		{Kind: ForceText, Text: "a\nb"},
		{Kind: ForceText, Text: "ä"},
		{Kind: ForceClear, Until: f.now},
		{Kind: ForceClear, Until: f.now.Add(-1)},
	} {
		if err := f.Override(f.now, "call:c", o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if f.meeting("call:c").Override != nil {
		t.Error("a refused one is set")
	}
	f.override("call:c", Override{Kind: ForceClear, Level: Level2, Text: "x"})
	if o := f.meeting("call:c").Override; o.Level != LevelNone || o.Text != "" || o.Who != "operator" {
		t.Errorf("override %+v", o)
	}
}

// TestOverridesMeet: when meetings merge, the less trusted override is kept.
func TestOverridesMeet(t *testing.T) {
	none := Override{}
	for _, tc := range []struct {
		name                string
		mine, theirs        Override // of the call whose correlator is late; of the meeting
		myLevel, theirLevel Level
		want                string // "none" when it fell or none was
	}{
		{"none", none, none, Level1, Level1, "none"},
		{"mine alone", force2, none, Level1, Level1, "level 2"},
		{"theirs alone", none, force2, Level1, Level1, "level 2"},
		{"3 and 1", force3, force1, Level1, Level1, "level 3"},
		{"1 and 3", force1, force3, Level1, Level1, "level 3"},
		{"clear and 1", off, force1, Level1, Level1, "level 1"},
		{"text and 1", text, force1, Level1, Level1, "level 1"},
		{"clear and text", off, text, Level1, Level1, `text "Recorded"`},
		{"text and clear", text, off, Level1, Level1, `text "Recorded"`},
		{"mine falls by their level", force1, none, Level1, Level3, "none"},
		{"theirs falls by my level", none, force1, Level3, Level1, "none"},
		{"both fall", off, text, Level3, Level1, "clear"}, // mine was decided with an external there
		{"3 stays by any level", force3, force1, Level1, Level3, "level 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			g := f.other("s2", "")
			at := map[Level]string{Level1: room, Level3: alien}
			g.send(callStart("d", "k"), join("b", "d", at[tc.theirLevel]))
			f.send(callStart("c", ""), join("a", "c", at[tc.myLevel]))
			if tc.mine != none {
				f.override("call:c", tc.mine)
			}
			if tc.theirs != none {
				f.override("k", tc.theirs)
			}
			f.send(callStart("c", "k"))
			v := f.meeting("k")
			got := "none"
			if v.Override != nil {
				got = v.Override.String()
			}
			if got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			fell := got == "none" && (tc.mine != none || tc.theirs != none)
			if fell && (v.Fallen == nil || v.Wanted.Level != Level3) {
				t.Errorf("fallen %v, wanted %v", v.Fallen, v.Wanted)
			}
			for _, c := range v.Calls {
				if c.Wanted != v.Wanted {
					t.Errorf("call %s wants %v, the meeting %v", c.ID, c.Wanted, v.Wanted)
				}
			}
		})
	}
	t.Run("of equals the newer", func(t *testing.T) {
		older, newer := text, Override{Kind: ForceText, Text: "Newer", At: t0}
		for _, got := range []Override{lessTrusted(older, newer), lessTrusted(newer, older)} {
			if got.Text != "Newer" {
				t.Errorf("%v", got)
			}
		}
	})
	t.Run("a notice comes along", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.override("call:c", force1)
		f.send(join("b", "c", alien), callStart("c", "k"))
		if f.meeting("k").Fallen == nil {
			t.Error("it was lost")
		}
	})
}

// TestOverrideWithUnverified: being unverified is seen beside an override, and is
// what is shown once it is released.
func TestOverrideWithUnverified(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""), join("a", "c", room))
	f.override("call:c", off)
	f.lose()
	f.pass(time.Minute)
	v := f.meeting("call:c")
	if v.Override == nil || v.Wanted.Kind != MarkClear || v.Shown != Level3 || v.Unverified == "" {
		t.Errorf("override %v, wanted %v, shown %s, unverified %q", v.Override, v.Wanted, v.Shown, v.Unverified)
	}
	if err := f.Release(f.now, "call:c", "ann"); err != nil {
		t.Fatal(err)
	}
	if w := f.meeting("call:c").Wanted; w.Level != Level3 {
		t.Errorf("wanted %v", w)
	}
}
