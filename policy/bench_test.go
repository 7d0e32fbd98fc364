package policy

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/procfs"
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

// sizes runs a benchmark with boards of so many legs, in meetings of ten: the cost
// at 100,000 over the cost at 1,000 is the slope.
func sizes(b *testing.B, run func(b *testing.B, legs int)) {
	for _, legs := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("legs=%d", legs), func(b *testing.B) { run(b, legs) })
	}
}

// batch is how many records a benchmark of single ones prepares at a time, off the
// clock: their texts are as fresh in the cache as those of a record just decoded.
const batch = 1000

// inBatches calls do with the numbers from 0, after prepare with those of a batch.
func inBatches(b *testing.B, prepare func(i, n int), do func(i int)) {
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%batch == 0 {
			b.StopTimer()
			for i := range batch {
				prepare(i, n+i)
			}
			b.StartTimer()
		}
		do(n % batch)
	}
}

// One record that moves somebody's address between two levels. all: somebody else
// of the whole board each time, in random order, so that what is touched was
// touched longest ago; few: of the same hundred meetings.
func BenchmarkApply(b *testing.B) {
	sizes(b, func(b *testing.B, legs int) {
		for _, touched := range []string{"all", "few"} {
			b.Run(touched, func(b *testing.B) {
				board, src, index := benchmarkBoard(b, legs/10)
				now := time.Unix(1_700_000_100, 0)
				of := legs
				if touched == "few" {
					of = 1_000
				}
				order := rand.New(rand.NewPCG(1, 2)).Perm(of)
				addresses := [2]string{"ann@evil.test", "ann@example.com"}
				events := make([]Event, batch)
				inBatches(b, func(i, n int) {
					who := order[n%of]
					events[i] = Event{Kind: LegUpdated, Index: index, Leg: LegFacts{ID: benchmarkLeg(who/10, who%10), Connected: true, RemoteAddress: addresses[n/of%2]}}
					index++
				}, func(i int) { board.Apply(now, src, events[i:i+1]) })
			})
		}
	})
}

// A reader catches up after changes to 100 meetings, drawn from all.
func BenchmarkSince(b *testing.B) {
	sizes(b, func(b *testing.B, legs int) {
		board, src, index := benchmarkBoard(b, legs/10)
		now := time.Unix(1_700_000_100, 0)
		version := board.Since(0).Version
		addresses := [2]string{"ann@evil.test", "ann@example.com"}
		order := rand.New(rand.NewPCG(1, 2)).Perm(legs / 10)
		events := make([]Event, 100)
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			for i := range events {
				at := n*len(events) + i
				who := benchmarkLeg(order[at%len(order)], 0)
				events[i] = Event{Kind: LegUpdated, Index: index, Leg: LegFacts{ID: who, RemoteAddress: addresses[at/len(order)%2]}}
				index++
			}
			b.StartTimer()
			board.Apply(now, src, events)
			u := board.Since(version)
			if version = u.Version; len(u.Meetings) != 100 {
				b.Fatalf("%d meetings changed", len(u.Meetings))
			}
		}
	})
}

// A reader begins: all meetings, of which no view was made yet.
func BenchmarkSinceFull(b *testing.B) {
	sizes(b, func(b *testing.B, legs int) {
		board, _, _ := benchmarkBoard(b, legs/10)
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			for _, m := range board.meetings {
				m.view = nil
			}
			b.StartTimer()
			if u := board.Since(0); len(u.Meetings) != legs/10 {
				b.Fatalf("%d meetings", len(u.Meetings))
			}
		}
	})
}

// residentMB is what the process holds of the machine's memory now.
func residentMB(b *testing.B) float64 {
	p, err := procfs.Self()
	if err != nil {
		b.Skip("no /proc here: ", err)
	}
	stat, err := p.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return float64(stat.ResidentMemory()) / (1 << 20)
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
