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
// 0, so that it matters whether any of them began before that.
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

// One record of one of 24 Call Bridges, each proven to run on a server of its own,
// with ten meetings of ten legs on each.
func BenchmarkApplyBridges(b *testing.B) {
	board := NewBoard(Options{})
	now := time.Unix(1_700_000_000, 0)
	const bridges = 24
	src, index, legs := make([]Source, bridges), make([]int64, bridges), make([][]string, bridges)
	put := func(i int, e Event) {
		e.Index = index[i]
		index[i]++
		board.Apply(now, src[i], []Event{e})
	}
	for i := range src {
		guid := fmt.Sprintf("77aa6d53-0000-4d3c-8f60-%012d", i)
		src[i] = Source{Session: fmt.Sprintf("3f1f6f0c-0000-4c1e-9a51-%012d", i), CallBridge: guid, Address: fmt.Sprintf("192.0.2.%d", i)}
		board.ReportServer(now, ServerStatus{Server: fmt.Sprintf("cms%d.example.com", i), State: ServerUp, Identified: true, CallBridge: guid})
		for m := range 10 {
			call := fmt.Sprintf("c0ffee00-%04d-4a4a-8b8b-%012d", i, m)
			put(i, Event{Kind: CallStarted, Call: CallFacts{ID: call}})
			for l := range 10 {
				legs[i] = append(legs[i], fmt.Sprintf("fc9c85ca-%04d-4a1a-%04d-%012d", i, l, m))
				put(i, Event{Kind: LegStarted, Leg: LegFacts{ID: legs[i][10*m+l], Call: call, Connected: true, RemoteParty: "ann@example.com"}})
			}
		}
	}
	events := make([]Event, 1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		i := n % bridges
		events[0] = Event{Kind: LegUpdated, Index: index[i], Leg: LegFacts{ID: legs[i][n/bridges%100], Connected: true}}
		index[i]++
		board.Apply(now, src[i], events)
	}
}
