package policy

import (
	"fmt"
	"testing"
	"time"
)

// Somebody joins by the usual two records and leaves by one, with 10,000
// meetings of ten legs present. One operation is all three.
func BenchmarkApplyJoinLeave(b *testing.B) {
	board, src, index := benchmarkBoard(b, 10_000)
	now := time.Unix(1_700_000_100, 0)
	events := make([]Event, 1)
	apply := func(e Event) {
		events[0], events[0].Index = e, index
		index++
		board.Apply(now, src, events)
	}
	ids, calls := make([]string, 1000), make([]string, 1000)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		i := n % len(ids)
		if i == 0 {
			for i := range ids { // an id is never used again
				ids[i], calls[i] = fmt.Sprintf("abcd85ca-0000-4a1a-9252-%012d", n+i), fmt.Sprintf("c0ffee00-0000-4a4a-8b8b-%012d", i)
			}
		}
		apply(Event{Kind: LegStarted, Leg: LegFacts{ID: ids[i], Name: "Eve", RemoteParty: "eve@evil.test", Type: "sip"}})
		apply(Event{Kind: LegUpdated, Leg: LegFacts{ID: ids[i], Call: calls[i], Connected: true}})
		apply(Event{Kind: LegEnded, Leg: LegFacts{ID: ids[i], Reason: "remote teardown"}})
	}
}

// One record of a leg in a call of 10,000 legs, in a session that was met above
// 0: every leg is looked at for whether it began before that.
func BenchmarkApplyLargeCall(b *testing.B) {
	board := NewBoard(Options{})
	src, now := Source{Session: "s"}, time.Unix(1_700_000_000, 0)
	index := int64(1)
	events := make([]Event, 1)
	apply := func(e Event) {
		events[0], events[0].Index = e, index
		index++
		board.Apply(now, src, events)
	}
	apply(Event{Kind: CallStarted, Call: CallFacts{ID: "c"}})
	for i := range 9_999 {
		apply(Event{Kind: LegStarted, Leg: LegFacts{ID: fmt.Sprint(i), Call: "c", Connected: true}})
	}
	b.ReportAllocs()
	for b.Loop() {
		apply(Event{Kind: LegUpdated, Leg: LegFacts{ID: "5", Connected: true}})
	}
}

// One record with 10,000 meetings of ten legs present, each of which leaves a gap
// before it, as of a sender who makes the indexes up.
func BenchmarkApplyGaps(b *testing.B) {
	board, src, index := benchmarkBoard(b, 10_000)
	now := time.Unix(1_700_000_100, 0)
	events := make([]Event, 1)
	b.ReportAllocs()
	for b.Loop() {
		index += 2
		events[0] = Event{Kind: LegUpdated, Index: index, Leg: LegFacts{ID: benchmarkLeg(0, 0)}}
		board.Apply(now, src, events)
	}
}
