package policy

import (
	"fmt"
	"testing"
	"time"
)

// took returns by how many, and how long in all, markings were counted since the
// last call.
func (f *fixture) took(before *Latencies) (n uint64, sum time.Duration) {
	now := f.Measure(f.now).Marking
	n, sum = now.Total()-before.Total(), now.Sum-before.Sum
	*before = now
	return n, sum
}

// accept has what is wanted on a call sent, and accepted after a while.
func (f *fixture) accept(ref CallRef, after time.Duration) {
	f.t.Helper()
	w := f.Want(f.now, ref)
	if !f.Sending(f.now, ref, w.Marking) {
		f.t.Fatal("it may not be sent")
	}
	f.pass(after)
	f.Sent(f.now, ref, w.Marking, "cms1")
	checkBoard(f.t, f.Board)
}

func TestLatencies(t *testing.T) {
	var l Latencies
	bounds := LatencyBounds()
	for _, d := range []time.Duration{-time.Second, 0, bounds[0], bounds[0] + 1, time.Second, time.Second + 1, time.Hour} {
		l.Add(d)
	}
	at := map[int]uint64{0: 3, 1: 1, len(bounds): 1}
	for i, b := range bounds {
		if b == time.Second {
			at[i], at[i+1] = 1, 1
		}
	}
	for i, n := range l.Counts {
		if n != at[i] {
			t.Errorf("%d in class %d, want %d", n, i, at[i])
		}
	}
	if want := bounds[0]*2 + 1 + 2*time.Second + 1 + time.Hour; l.Sum != want || l.Total() != 7 {
		t.Errorf("%d, in all %s, want 7 and %s", l.Total(), l.Sum, want)
	}
	bounds[0] = 0
	if LatencyBounds()[0] == 0 {
		t.Error("the bounds can be changed from outside")
	}
}

// A marking takes from when it became wanted until the server accepts it: a
// failed attempt does not begin anew, what is wanted meanwhile has a time of its
// own, and a renewal has none.
func TestMarkingLatency(t *testing.T) {
	f := newFixture(t, Options{Duration: time.Minute})
	f.send(callStart("c", "k"), join("a", "c", room))
	ref := f.meeting("k").Calls[0].Ref
	var before Latencies
	want := func(what string, n uint64, sum time.Duration) {
		t.Helper()
		if got, took := f.took(&before); got != n || took != sum {
			t.Errorf("%s: %d markings in %s, want %d in %s", what, got, took, n, sum)
		}
	}
	f.pass(100 * time.Millisecond)
	f.accept(ref, 50*time.Millisecond)
	want("the first", 1, 150*time.Millisecond)

	f.send(join("b", "c", alien))
	w := f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.pass(time.Second)
	f.Failed(f.now, ref, w.Marking, "busy", true)
	f.pass(time.Second)
	f.accept(ref, time.Second)
	want("after a failure", 1, 3*time.Second)

	f.send(legEnd("b"))
	w = f.Want(f.now, ref)
	f.Sending(f.now, ref, w.Marking)
	f.pass(time.Second)
	f.send(join("d", "c", alien))
	f.pass(time.Second)
	f.Sent(f.now, ref, w.Marking, "cms1")
	want("what was wanted before", 1, 2*time.Second)
	f.accept(ref, 2*time.Second)
	want("what was wanted meanwhile", 1, 3*time.Second)

	// Back and forth before anything is sent: nothing is, and the renewal later
	// is no new wish.
	f.send(legEnd("d"))
	f.send(join("e", "c", alien))
	f.due(ref, WhySame, false, false)
	f.pass(31 * time.Second)
	f.due(ref, WhyRenewal, true, false)
	f.accept(ref, time.Second)
	want("a renewal", 0, 0)
	if got := f.Measure(f.now).Markings; got != (MarkingCounts{Sent: 5, Failed: 1}) {
		t.Errorf("%+v", got)
	}
	f.Absent(f.now, ref, "cms1")
	if got := f.Measure(f.now).Markings; got.Absent != 1 {
		t.Errorf("%+v", got)
	}
}

// What another program changed is wanted again from when that was found.
func TestChangedMarkingLatency(t *testing.T) {
	f, ref := marked(t, Options{})
	f.accept(ref, time.Second)
	before := f.Measure(f.now).Marking
	f.shows("Security Level 2: internal participants")
	f.pass(time.Hour)
	f.needsConfirm(ref)
	f.shows("Lunch is served")
	f.pass(time.Second)
	f.accept(ref, time.Second)
	if n, sum := f.took(&before); n != 1 || sum != 2*time.Second {
		t.Errorf("%d in %s", n, sum)
	}
	if got := f.Measure(f.now).Markings; got != (MarkingCounts{Sent: 2, Confirmed: 1, Changed: 1}) {
		t.Errorf("%+v", got)
	}
}

// needsConfirm has a call's screens read again, as a reconciliation does.
func (f *fixture) needsConfirm(ref CallRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.needCall(f.refs[ref], needConfirm)
}

func TestMeasure(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), join("a", "c", room))
	f.Apply(f.now, f.src, []Event{{Kind: LegUpdated, Index: 1, Leg: LegFacts{ID: "a"}}, {Kind: 99, Index: 2}, {Kind: CallEnded, Index: 3}})
	f.index = 4
	f.Apply(f.now, Source{}, []Event{{Kind: LegEnded}, {Kind: 200}})
	m := f.Measure(f.now)
	for kind, want := range map[EventKind]RecordCounts{
		Other:       {Taken: 1, Dropped: 1},
		CallStarted: {Taken: 1},
		CallEnded:   {Dropped: 1},
		LegStarted:  {},
		LegUpdated:  {Taken: 1, Duplicates: 1},
		LegEnded:    {Dropped: 1},
	} {
		if m.Records[kind] != want {
			t.Errorf("%s: %+v, want %+v", kind, m.Records[kind], want)
		}
	}
	if m.Gaps != 1 || m.OpenGaps != 1 { // a call's end that names none
		t.Errorf("%d gaps, %d open", m.Gaps, m.OpenGaps)
	}
	if m.Override != 0 || m.Full || m.Totals.Calls != 1 || len(m.Bridges) != 1 {
		t.Errorf("%+v", m)
	}
	f.override("k", Override{Kind: ForceLevel, Level: Level3, Who: "ann"})
	f.pass(time.Hour)
	f.Polled(f.now, cms1, Poll{Began: f.now, Next: 4, Uptime: time.Hour, Clock: f.now.Add(-2 * time.Minute)})
	m = f.Measure(f.now)
	if m.Override != time.Hour || m.Bridges[0].Clock != -2*time.Minute || len(m.Alarms) != 1 {
		t.Errorf("override %s, clock %s, alarms %v", m.Override, m.Bridges[0].Clock, m.Alarms)
	}
	if got := EventKind(77).String(); got != "other" {
		t.Errorf("%q", got)
	}
}

// What a scrape costs with 10,000 meetings, 24 servers with their sessions, and
// a hundred overrides. All of it is under the board's lock.
func BenchmarkMeasure(b *testing.B) {
	board, _, _ := benchmarkBoard(b, 10_000)
	now := time.Unix(1_700_000_100, 0)
	for i := range 24 {
		server := fmt.Sprintf("cms%d.example:445", i)
		board.Follow(now, server)
		board.ReportServer(now, ServerStatus{Server: server, Name: fmt.Sprintf("cms%d", i), State: ServerUp})
		board.Apply(now, Source{Session: server}, []Event{{Index: 7}})
		board.Bind(now, server, server, Proven)
	}
	for i := range 100 {
		id := MeetingID(fmt.Sprintf("0ddba11f-0000-4c4c-9d9d-%012d", i))
		if err := board.Override(now, id, Override{Kind: ForceClear}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if m := board.Measure(now); m.Totals.Overridden != 100 || len(m.Bridges) < 24 {
			b.Fatalf("%+v", m.Totals)
		}
	}
}
