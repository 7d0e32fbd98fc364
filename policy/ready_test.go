package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUnready(t *testing.T) {
	f := newFixture(t, Options{})
	want := func(what string, want ...string) {
		t.Helper()
		got := f.Unready()
		if !slices.EqualFunc(got, want, strings.Contains) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("nothing is configured")
	state := func(s ServerState, problem string) {
		f.ReportServer(f.now, ServerStatus{Server: cms1, Name: "cms1", CallBridge: "A", State: s, Problem: problem})
	}
	state(ServerUnknown, "")
	want("before the first answer", "cms1 has not answered yet")
	state(ServerUp, "")
	want("before it is followed", "cms1 is unverified: its running calls are not read yet")
	f.Follow(f.now, cms1)
	want("before it is read", "cms1 is unverified: its running calls are not read yet")
	f.src.CallBridge = "A"
	f.round(0, nil)
	want("all is read")
	for _, s := range []ServerState{ServerDown, ServerBusy, ServerLocked} {
		state(s, "it says no")
		want(s.String(), "cms1 is "+s.String()+": it says no")
	}
	// All that is wrong with one Call Bridge is said.
	state(ServerDown, "no route")
	f.lose()
	want("down and unverified", "cms1 is down: no route", "cms1 is unverified: the session began")
	state(ServerUp, "")
	want("unverified", "cms1 is unverified: the session began")
}

// Whoever opens sessions must not hide what is wrong with a server, nor make the
// answer longer than anybody reads.
func TestUnreadyIsBounded(t *testing.T) {
	f := newFixture(t, Options{})
	for i := range 200 {
		f.Apply(f.now, Source{Session: fmt.Sprintf("a%d", i)}, []Event{{Index: 5}})
	}
	f.ReportServer(f.now, ServerStatus{Server: "zz.example:443", State: ServerDown, Problem: strings.Repeat("x", 10_000) + "\n\n"})
	got := f.Unready()
	if len(got) != maxReasons || !strings.HasPrefix(got[0], "zz.example:443 is down") || got[maxReasons-1] != "and 66 more" {
		t.Errorf("%d lines, the first %.40q, the last %q", len(got), got[0], got[len(got)-1])
	}
	for _, line := range got {
		if len(line) > 1000 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line is %d bytes: %.60q", len(line), line)
		}
	}
}

// A bound of the whole board is a reason too.
func TestUnreadyWhenFull(t *testing.T) {
	f := newFixture(t, Options{Bounds: Bounds{Sessions: 1}})
	f.Apply(f.now, Source{Session: "a"}, []Event{{Kind: CallStarted, Call: CallFacts{ID: "c", Correlator: "k"}}})
	f.override("k", off) // decided about, so it is not forgotten to make room
	f.Apply(f.now.Add(time.Second), Source{Session: "b"}, []Event{{}})
	if got := f.Unready(); len(got) == 0 || !strings.HasPrefix(got[0], "every meeting counts as level 3: more than 1 sessions") {
		t.Errorf("%q", got)
	}
	if !f.Measure(f.now).Full {
		t.Error("the measures do not have it")
	}
}
