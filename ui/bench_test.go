package ui

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"callmark/policy"
)

// median runs something again and again, and reports beside the mean, which one
// long break of a shared machine spoils, the median of how long it takes. What
// prepare does each time is not measured; it may be nil.
func median(b *testing.B, prepare, do func()) {
	b.Helper()
	b.ReportAllocs()
	took := make([]time.Duration, 0, 1<<16)
	for b.Loop() {
		if prepare != nil {
			b.StopTimer()
			prepare()
			b.StartTimer()
		}
		from := time.Now()
		do()
		if len(took) < cap(took) {
			took = append(took, time.Since(from))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e6, "ms-median")
}

// crowd fills a board with n meetings, of which columns say different things.
func crowd(b *fakeBoard, n int) {
	all := make([]policy.MeetingView, n)
	for i := range all {
		all[i] = mtg(fmt.Sprintf("m-%06d", i), fmt.Sprintf("Meeting %d of department %d", i*7919%n, i%37), policy.Level(i*31%4))
		all[i].Started = start.Add(-time.Duration(i*7907%n) * time.Second / 3)
		all[i].Waiting = i * 13 % 9
		all[i].People[1] = i * 17 % 23
		all[i].Calls[0].Bridge = fmt.Sprint("cms", 1+i*11%8)
		if i%6 == 0 {
			all[i].Calls = append(all[i].Calls, policy.CallView{Bridge: fmt.Sprint("cms", 1+i*5%8)})
		}
		if i%50 == 0 {
			all[i].Unverified, all[i].UnverifiedSince = fmt.Sprint(i%7, " records are missing"), start.Add(-time.Minute)
		}
		if i%40 == 0 {
			all[i].Override = &policy.Override{Kind: policy.ForceLevel, Level: policy.Level3, Who: []string{"anna", "bob"}[i/40%2]}
		}
	}
	b.put(all...)
}

// sizes are legs, in meetings of ten: what something costs with 100,000 over what
// it costs with 1,000 is the slope.
var sizes = []int{1_000, 10_000, 100_000}

// BenchmarkView is one frame: it is drawn from what is there already. The aim is
// 0.5 ms at any size.
func BenchmarkView(b *testing.B) {
	for _, legs := range append([]int{0}, sizes...) {
		b.Run(fmt.Sprintf("legs=%d", legs), func(b *testing.B) {
			x := newBench(b, 160, 45)
			scene(x.board)
			crowd(x.board, legs/10)
			x.frame()
			median(b, nil, func() { x.m.View() })
		})
	}
}

// BenchmarkRefresh is what a change of 100 meetings, strewn over all, costs from the
// board to the frame: it is read, put into the order and drawn. The aim is 1 ms.
func BenchmarkRefresh(b *testing.B) {
	for _, c := range []struct {
		name   string
		before func(x *bench)
	}{
		{"worst first", func(*bench) {}},
		{"by people", func(x *bench) { x.m.meetings.sortBy(3, true) }},
		{"filtered", func(x *bench) { x.m.filter("department") }},
		{"meeting open", func(x *bench) { x.keys("enter") }},
	} {
		for _, legs := range sizes {
			b.Run(fmt.Sprintf("%s/legs=%d", c.name, legs), func(b *testing.B) { refresh(b, legs, c.before) })
		}
	}
}

func refresh(b *testing.B, legs int, before func(x *bench)) {
	x, board := realBench(b, 160, 45)
	f := feed{board: board}
	calls := f.populate(start, legs/10)
	for i, id := range calls { // there is one in each
		for n := range 9 {
			f.apply(start, join(fmt.Sprintf("l%d-%d", n, i), id, "Somebody more", fmt.Sprintf("sip:%d@corp.example", n)))
		}
	}
	x.frame()
	before(x)
	x.frame()
	round := 0
	median(b, func() {
		// Somebody external comes to each, and goes in the next round.
		for i := range 100 {
			f.stir(start, calls[(i*97+round/2)%len(calls)], round%2 == 0)
		}
		round++
	}, func() {
		x.m.Update(x.pump.collect())
		x.m.View()
	})
}

// BenchmarkLoad is a table's first 10,000 meetings.
func BenchmarkLoad(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	all := x.board.Since(0).Meetings
	b.ReportAllocs()
	for b.Loop() {
		t := newMeetings(x.m)
		t.replace(all)
	}
}

// BenchmarkFilter is a filter that was not there before, over 10,000 meetings.
// The aim is 3 ms.
func BenchmarkFilter(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	for _, f := range []string{"", "x depart !9 level:3", "department 7", "is:unverified", "domain:corp.example", "bridge:cms7"} {
		b.Run(cmp.Or(f, "none"), func(b *testing.B) { median(b, nil, func() { x.m.filter(f) }) })
	}
}

// BenchmarkSort is a new sort of 10,000 meetings that were in another order. The
// aim is 3 ms.
func BenchmarkSort(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	t := &x.m.meetings
	mixed := slices.Clone(t.all)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for by := -1; by < len(t.columns); by++ {
		name := "worst first"
		if by >= 0 {
			name = t.columns[by].title
		}
		for _, reverse := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/reverse=%v", name, reverse), func(b *testing.B) {
				median(b, func() { copy(t.all, mixed) }, func() { t.sortBy(by, reverse) })
			})
		}
	}
}
