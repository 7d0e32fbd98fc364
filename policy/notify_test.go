package policy

import (
	"testing"
	"time"
)

// one is a board with one call of one meeting, and the call's reference.
func one(t *testing.T, events ...Event) (*fixture, CallRef) {
	f := newFixture(t, Options{})
	f.send(callStart("c", "k"))
	f.send(events...)
	return f, f.meeting("k").Calls[0].Ref
}

// due checks what is to be written to a call, and why.
func (f *fixture) due(ref CallRef, why Why, write, rise bool) Want {
	f.t.Helper()
	w := f.Want(f.now, ref)
	if w.Why != why || w.Write != write || w.Rise != rise {
		f.t.Fatalf("%q, write %t, rise %t; want %q, %t, %t", w.Why, w.Write, w.Rise, why, write, rise)
	}
	return w
}

func (f *fixture) state(id MeetingID, want MarkingState) {
	f.t.Helper()
	if v := f.meeting(id); v.State != want || v.Calls[0].State != want {
		f.t.Fatalf("state %s, of its call %s; want %s", v.State, v.Calls[0].State, want)
	}
}

func TestLooks(t *testing.T) {
	f, ref := one(t)
	looks := func() []CallRef { t.Helper(); return f.TakeLooks(nil) }
	if got := looks(); len(got) != 0 {
		t.Errorf("%v for a call that wants nothing", got)
	}
	select {
	case <-f.Looks():
		t.Error("nothing to look at, and a signal")
	default:
	}
	f.send(join("a", "c", room), join("b", "c", staff), join("d", "c", alien))
	select {
	case <-f.Looks():
	default:
		t.Error("no signal")
	}
	if got := looks(); len(got) != 1 || got[0] != ref {
		t.Errorf("%v, want one look however often it changed", got)
	}
	if got := looks(); len(got) != 0 {
		t.Errorf("%v after they were taken", got)
	}
	f.write("k")
	f.TakeLooks(nil)
	f.send(join("e", "c", alien)) // nothing new to show
	if got := looks(); len(got) != 0 {
		t.Errorf("%v though all is as wanted", got)
	}
	f.send(legEnd("d"), legEnd("e"))
	f.send(callEnd("c"))
	if got := looks(); len(got) != 1 || got[0] != ref {
		t.Errorf("%v for a call that has ended, want one look, to forget it by", got)
	}
	f.due(ref, WhyEnded, false, false)
	for range 2 { // it ends before anybody looks, and comes back
		f.send(join("g", "c", alien), callEnd("c"), join("g", "c", alien))
		if got := looks(); len(got) != 1 || got[0] != f.meeting("k").Calls[0].Ref {
			t.Errorf("%v for a call that has come back, want one look", got)
		}
	}
}

func TestWant(t *testing.T) {
	f, ref := one(t)
	f.due(ref, WhyNothing, false, false)
	f.send(join("a", "c", room, named("Room")))
	w := f.due(ref, WhyRise, true, true)
	if w.CallID != "c" || w.Meeting != "k" || w.Session.ID != "s1" || w.Session.Address != "192.0.2.1" || w.Marking.Level != Level1 || !w.Since.Equal(f.now) {
		t.Errorf("%+v", w)
	}
	f.state("k", StateWanted)
	if f.Sending(f.now, ref, Marking{Kind: MarkClear}) {
		t.Error("something else than what is wanted may be sent")
	}
	if !f.Sending(f.now, ref, w.Marking) {
		t.Fatal("what is wanted may not be sent")
	}
	f.state("k", StateSending)
	f.due(ref, WhySending, false, false)
	if f.Sending(f.now, ref, w.Marking) {
		t.Error("it may be sent twice at once")
	}
	f.pass(time.Second)
	f.Sent(f.now, ref, w.Marking, "cms1")
	f.state("k", StateSent)
	if c := f.meeting("k").Calls[0]; c.Sent != w.Marking || !c.SentAt.Equal(f.now) {
		t.Errorf("%+v", c)
	}
	f.due(ref, WhySame, false, false)

	f.send(join("b", "c", alien))
	f.due(ref, WhyRise, true, true)
	f.write("k")
	f.send(legEnd("b"))
	f.due(ref, WhyFall, true, false)
	f.write("k")
	f.override("k", text)
	f.due(ref, WhyText, true, true)
	f.write("k")
	if err := f.Release(f.now, "k", "ann"); err != nil {
		t.Fatal(err)
	}
	f.due(ref, WhyRise, true, true) // a text promises nothing, and any level is less
	f.write("k")
	f.override("k", off)
	f.due(ref, WhyClear, true, false)
	f.write("k")
	f.state("k", StateIdle)
	f.due(ref, WhySame, false, false)
	if w := f.Want(f.now, 999); w.Why != WhyEnded || w.Write {
		t.Errorf("%+v", w)
	}
}

// TestWantedMovesWhileSending: what was wanted when the request went out is no
// longer what is when it comes back.
func TestWantedMovesWhileSending(t *testing.T) {
	f, ref := one(t, join("a", "c", room))
	w := f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.TakeLooks(nil)
	f.send(join("b", "c", alien))
	f.due(ref, WhySending, false, false)
	f.Sent(f.now, ref, w.Marking, "cms1")
	checkBoard(t, f.Board)
	if got := f.TakeLooks(nil); len(got) != 1 {
		t.Errorf("looks %v: the newer state would never be written", got)
	}
	f.due(ref, WhyRise, true, true)

	w = f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.TakeLooks(nil)
	f.send(legEnd("b"))
	f.Failed(f.now, ref, w.Marking, "503", false)
	checkBoard(t, f.Board)
	f.due(ref, WhySame, false, false) // back to what is shown
	f.state("k", StateSent)
	if v := f.meeting("k"); v.Failure != "" || f.Since(0).Totals.Failing != 0 {
		t.Errorf("failure %q of what is no longer wanted", v.Failure)
	}
}

func TestFailed(t *testing.T) {
	f, ref := one(t, join("a", "c", room))
	w := f.Want(f.now, ref)
	for i, problem := range []string{"busy", "busy", "busy\x1b", "down"} {
		if !f.Sending(f.now, ref, w.Marking) {
			t.Fatal("it may not be tried again")
		}
		f.TakeLooks(nil)
		f.Failed(f.now, ref, w.Marking, problem, false)
		checkBoard(t, f.Board)
		if got := f.TakeLooks(nil); len(got) != 1 {
			t.Errorf("looks %v", got)
		}
		f.state("k", StateFailed)
		v := f.meeting("k")
		if c := v.Calls[0]; c.Attempts != i+1 || c.Failure != Clean(problem, 100) || v.Failure != c.Failure {
			t.Errorf("%+v", c)
		}
		if f.Since(0).Totals.Failing != 1 {
			t.Error("the totals do not have it")
		}
	}
	entries, _ := f.Journal(0, 100)
	n := 0
	for _, e := range entries {
		if e.Kind == EntryFailed {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d entries, want each new problem once", n)
	}
	f.write("k")
	if c := f.meeting("k").Calls[0]; c.Attempts != 0 || c.Failure != "" || f.Since(0).Totals.Failing != 0 {
		t.Errorf("%+v", c)
	}
	f.Failed(f.now, 999, w.Marking, "x", true)
	f.Sent(f.now, 999, w.Marking, "x")
	f.Absent(f.now, 999, "x")
	if f.Sending(f.now, 999, w.Marking) {
		t.Error("a call that is not may be written")
	}
}

// TestUncertain: a request that may have worked is followed by another, even
// when what is wanted is what was shown before it.
func TestUncertain(t *testing.T) {
	f, ref := one(t, join("a", "c", alien))
	f.write("k")
	f.send(join("b", "c", room), legEnd("a"))
	w := f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.Failed(f.now, ref, w.Marking, "time-out", true)
	f.send(join("d", "c", alien)) // 3 again, and the screens may show 1
	f.due(ref, WhyUncertain, true, true)
	f.write("k")
	f.due(ref, WhySame, false, false)

	// Nothing was ever shown, for all we know; and nobody is left.
	f, ref = one(t, join("a", "c", alien))
	w = f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.Failed(f.now, ref, w.Marking, "time-out", true)
	f.send(legEnd("a"))
	if w := f.due(ref, WhyUncertain, true, false); w.Marking != (Marking{Kind: MarkClear}) {
		t.Errorf("%+v", w.Marking)
	}
	f.write("k")
	f.state("k", StateIdle)
}

// TestNobodyLeftWhileSending: the request under way may show something.
func TestNobodyLeftWhileSending(t *testing.T) {
	f, ref := one(t, join("a", "c", alien))
	w := f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.send(legEnd("a"))
	f.Sent(f.now, ref, w.Marking, "cms1")
	if w := f.due(ref, WhyClear, true, false); w.Marking.Kind != MarkClear {
		t.Errorf("%+v", w)
	}
}

func TestAbsent(t *testing.T) {
	f, ref := one(t, join("a", "c", alien))
	f.write("k")
	f.Absent(f.now, ref, "cms1")
	checkBoard(t, f.Board)
	f.gone("k")
	if f.index != 2 {
		t.Fatal(f.index)
	}
	f.send(callEnd("c")) // it still comes
	f.gone("k")

	f, ref = one(t, join("a", "c", room), join("b", "c", room))
	f.write("k")
	f.Absent(f.now, ref, "cms1")
	f.send(legUpdate("b"))
	if got := state(f.meeting("k")); got != "1 people 1/0/0" {
		t.Errorf("a newer record brings back %s", got)
	}
	f.due(ref, WhyUncertain, true, true) // it was thought to have ended: who knows what it shows
}

// TestEndsWhileSending: a call that ends and comes back while a request is
// under way may show what that request carried.
func TestEndsWhileSending(t *testing.T) {
	f, ref := one(t, join("a", "c", room))
	w := f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.send(callEnd("c"))
	f.gone("k")
	f.Sent(f.now, ref, w.Marking, "cms1")
	f.send(join("a", "c", room, lobby))
	f.computed("k", LevelNone)
	if w := f.due(ref, WhyUncertain, true, false); w.Marking.Kind != MarkClear {
		t.Errorf("%+v", w)
	}
}

func TestMarked(t *testing.T) {
	f := newFixture(t, Options{})
	for id, address := range map[string]string{"c1": room, "c2": alien, "c3": staff, "c4": ""} {
		f.send(callStart(id, id))
		if address != "" {
			f.send(join("l"+id, id, address))
		}
	}
	if got := f.Marked(); len(got) != 0 {
		t.Errorf("%d calls are marked before anything is sent", len(got))
	}
	for _, id := range []MeetingID{"c1", "c2", "c3"} {
		f.write(id)
	}
	f.send(callStart("c5", "c5"), join("lc5", "c5", alien))
	ref := f.meeting("c5").Calls[0].Ref
	f.Sending(f.now, ref, f.Want(f.now, ref).Marking)
	order := func(want ...string) {
		t.Helper()
		var got []string
		for _, w := range f.Marked() {
			if w.Marking != (Marking{Kind: MarkClear}) || !w.Write {
				t.Errorf("%+v", w)
			}
			got = append(got, w.CallID)
		}
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
	order("c5", "c1", "c3", "c2") // what may show anything first, then the most trusted
	f.Failed(f.now, ref, Marking{}, "time-out", true)
	order("c5", "c1", "c3", "c2")
	f.override("c2", off)
	f.write("c2")
	f.send(callEnd("c1"))
	order("c5", "c3")
}

// TestRenewal: a marking with a duration is written again at half of it, the
// first time a little earlier.
func TestRenewal(t *testing.T) {
	f := newFixture(t, Options{Duration: time.Minute})
	f.send(callStart("c", "k"), join("a", "c", staff))
	f.write("k")
	ref := f.meeting("k").Calls[0].Ref
	f.TakeLooks(nil)
	f.pass(15 * time.Second)
	f.due(ref, WhySame, false, false)
	f.pass(15 * time.Second)
	if got := f.TakeLooks(nil); len(got) != 1 {
		t.Errorf("looks %v", got)
	}
	f.due(ref, WhyRenewal, true, false)
	f.write("k")
	f.pass(29 * time.Second)
	f.due(ref, WhySame, false, false)
	f.pass(time.Second)
	f.due(ref, WhyRenewal, true, false)
	f.send(callEnd("c"))
	f.pass(time.Hour)

	f = newFixture(t, Options{})
	f.send(callStart("c", "k"), join("a", "c", staff))
	f.write("k")
	f.pass(1000 * time.Hour)
	f.due(f.meeting("k").Calls[0].Ref, WhySame, false, false)
}
