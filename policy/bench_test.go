package policy

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// benchmarkBoard is a board with meetings of ten legs each, on one Call Bridge.
func benchmarkBoard(b *testing.B, meetings int) (*Board, Source, int64) {
	rules, err := NewRules([]string{"rooms.example.com"}, []string{"example.com"})
	if err != nil {
		b.Fatal(err)
	}
	board := NewBoard(Options{Rules: rules})
	src := Source{Session: "3f1f6f0c-0000-4c1e-9a51-0d6cbb5f0001", CallBridge: "77aa6d53-0000-4d3c-8f60-41d90b1f0002"}
	now := time.Unix(1_700_000_000, 0)
	index := int64(0)
	put := func(e Event) {
		e.Index = index
		index++
		board.Apply(now, src, []Event{e})
	}
	for m := range meetings {
		call := fmt.Sprintf("c0ffee00-0000-4a4a-8b8b-%012d", m)
		put(Event{Kind: CallStarted, Call: CallFacts{ID: call, Name: fmt.Sprintf("Meeting %d", m), Correlator: fmt.Sprintf("0ddba11f-0000-4c4c-9d9d-%012d", m)}})
		for l := range 10 {
			leg := benchmarkLeg(m, l)
			put(Event{Kind: LegStarted, Leg: LegFacts{ID: leg, Name: fmt.Sprintf("Person %d of %d", l, m), RemoteParty: fmt.Sprintf("person%d.%d@example.com", l, m), Type: "sip", Group: "g-" + leg}})
			put(Event{Kind: LegUpdated, Leg: LegFacts{ID: leg, Call: call, Connected: true, Group: "g-" + leg}})
		}
	}
	return board, src, index
}

func benchmarkLeg(meeting, leg int) string {
	return fmt.Sprintf("fc9c85ca-%04d-4a1a-9252-%012d", leg, meeting)
}

// One record through the board with 10,000 meetings of ten legs present: an
// update that moves somebody's address between two levels.
func BenchmarkApply(b *testing.B) {
	board, src, index := benchmarkBoard(b, 10_000)
	now := time.Unix(1_700_000_100, 0)
	legs := make([]string, 1000)
	for i := range legs {
		legs[i] = benchmarkLeg(i*10, i%10)
	}
	addresses := [2]string{"ann@evil.test", "ann@example.com"}
	events := make([]Event, 1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		events[0] = Event{Kind: LegUpdated, Index: index, Leg: LegFacts{ID: legs[n%1000], Connected: true, RemoteAddress: addresses[n/1000%2]}}
		index++
		board.Apply(now, src, events)
	}
}

// A reader catches up after changes to 100 of 10,000 meetings.
func BenchmarkSince(b *testing.B) {
	board, src, index := benchmarkBoard(b, 10_000)
	now := time.Unix(1_700_000_100, 0)
	version := board.Since(0).Version
	events := make([]Event, 100)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for i := range events {
			address := "ann@evil.test"
			if n%2 == 1 {
				address = "ann@example.com"
			}
			events[i] = Event{Kind: LegUpdated, Index: index, Leg: LegFacts{ID: benchmarkLeg(i*100, 0), RemoteAddress: address}}
			index++
		}
		board.Apply(now, src, events)
		u := board.Since(version)
		if version = u.Version; len(u.Meetings) != 100 {
			b.Fatalf("%d meetings changed", len(u.Meetings))
		}
	}
}

// residentMB is what the process holds of the machine's memory now.
func residentMB(b *testing.B) float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc here: ", err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

// What 100,000 legs in 10,000 meetings keep alive, and what the process holds
// for them. Run it alone, once: -bench Memory -benchtime 1x.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		board, _, _ := benchmarkBoard(b, 10_000)
		resident := residentMB(b) // garbage of the filling included
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/100_000, "B/leg")
		b.ReportMetric(resident, "MB-resident")
		runtime.KeepAlive(board)
	}
}
