package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Somebody joins by the usual two records and leaves by one. One operation is all
// three. The meetings are drawn from the whole board, as in BenchmarkApply/all.
func BenchmarkApplyJoinLeave(b *testing.B) {
	sizes(b, func(b *testing.B, legs int) {
		board, src, index := benchmarkBoard(b, legs/10)
		now := time.Unix(1_700_000_100, 0)
		order := rand.New(rand.NewPCG(1, 2)).Perm(legs / 10)
		events := make([]Event, 3*batch)
		inBatches(b, func(i, n int) {
			id := fmt.Sprintf("abcd85ca-0000-4a1a-9252-%012d", n) // an id is never used again
			call := fmt.Sprintf("c0ffee00-0000-4a4a-8b8b-%012d", order[n%len(order)])
			for j, e := range []Event{
				{Kind: LegStarted, Leg: LegFacts{ID: id, Name: "Eve", RemoteParty: "eve@evil.test", Type: "sip"}},
				{Kind: LegUpdated, Leg: LegFacts{ID: id, Call: call, Connected: true}},
				{Kind: LegEnded, Leg: LegFacts{ID: id, Reason: "remote teardown"}},
			} {
				e.Index = index
				index++
				events[3*i+j] = e
			}
		}, func(i int) {
			for j := range 3 {
				board.Apply(now, src, events[3*i+j:3*i+j+1])
			}
		})
	})
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
