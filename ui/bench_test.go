package ui

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"callmark/policy"
)

// crowd fills a board with n meetings.
func crowd(b *fakeBoard, n int) {
	all := make([]policy.MeetingView, n)
	for i := range all {
		all[i] = mtg(fmt.Sprintf("m-%06d", i), fmt.Sprintf("Meeting %d of department %d", i*7919%n, i%37), policy.Level(i*31%4))
		if i%50 == 0 {
			all[i].Unverified, all[i].UnverifiedSince = "records are missing", start.Add(-time.Minute)
		}
		if i%40 == 0 {
			all[i].Override = &policy.Override{Kind: policy.ForceLevel, Level: policy.Level3, Who: "anna"}
		}
	}
	b.put(all...)
}

// changes is a frame in which so many meetings have another level.
func changes(b *fakeBoard, n, round int) frame {
	u := policy.Update{Version: uint64(round + 1e9)}
	i := 0
	for _, v := range b.meetings {
		if i++; i > n {
			break
		}
		w := *v
		w.Version = u.Version
		w.Computed = policy.Level((int(v.Computed) + round) % 4)
		w.Shown = w.Computed
		u.Meetings = append(u.Meetings, &w)
	}
	return frame{at: start, update: u}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprintf("%dmeetings", n), func(b *testing.B) {
			x := newBench(b, 160, 45)
			scene(x.board)
			crowd(x.board, n)
			x.frame()
			b.ReportAllocs()
			for b.Loop() {
				x.m.View()
			}
		})
	}
}

// BenchmarkFrame is what a change of 100 of 10,000 meetings costs, with the
// drawing.
func BenchmarkFrame(b *testing.B) {
	for _, filter := range []string{"", "department"} {
		b.Run("filter="+filter, func(b *testing.B) {
			x := newBench(b, 160, 45)
			scene(x.board)
			crowd(x.board, 10000)
			x.frame()
			x.m.filter(filter)
			frames := make([]frame, 16)
			for i := range frames {
				frames[i] = changes(x.board, 100, i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				x.m.Update(frames[i%len(frames)])
				x.m.View()
				i++
			}
		})
	}
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
func BenchmarkFilter(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	filters := []string{"x depart !9 level:3", "department 7", "is:unverified", "domain:corp.example"}
	for _, f := range filters {
		b.Run(f, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.m.filter(f)
			}
		})
	}
}

// BenchmarkSort is a new sort of 10,000 meetings that were in another order.
func BenchmarkSort(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	t := &x.m.meetings
	for by := -1; by < len(t.columns); by++ {
		name := "worst first"
		if by >= 0 {
			name = t.columns[by].title
		}
		mixed := slices.Clone(t.all)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				copy(t.all, mixed)
				t.sortBy(by, false)
			}
		})
	}
}

// TestBudget holds the console to its budget, with room for a slow machine that
// does other things too: what counts is the best of many.
func TestBudget(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time")
	}
	x := newBench(t, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	f := changes(x.board, 100, 1)
	list := &x.m.meetings
	mixed := slices.Clone(list.all)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	i := 0
	for _, c := range []struct {
		what string
		aim  time.Duration
		do   func()
	}{
		{"a frame", 500 * time.Microsecond, func() { x.m.View() }},
		{"a frame after 100 changes", 1500 * time.Microsecond, func() { x.m.Update(f); x.m.View() }},
		{"a new filter", 3 * time.Millisecond, func() { i++; x.m.filter([]string{"department 7", "!9 level:3", "is:unverified", ""}[i%4]) }},
		{"the first order", 3 * time.Millisecond, func() { copy(list.all, mixed); list.sortBy(-1, false) }},
		{"by name", 3 * time.Millisecond, func() { copy(list.all, mixed); list.sortBy(1, false) }},
		{"by level", 3 * time.Millisecond, func() { copy(list.all, mixed); list.sortBy(0, false) }},
	} {
		took := make([]time.Duration, 200)
		for i := range took {
			from := time.Now()
			c.do()
			took[i] = time.Since(from)
		}
		slices.Sort(took)
		t.Logf("%s of 10,000 meetings: best %v, median %v, aim %v", c.what, took[0], took[len(took)/2], c.aim)
		if took[0] > 2*c.aim {
			t.Errorf("%s takes %v at best, %v is the aim", c.what, took[0], c.aim)
		}
	}
}
