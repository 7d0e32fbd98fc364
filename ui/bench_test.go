package ui

import (
	"fmt"
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

// BenchmarkFilter is the first letter of a filter over 10,000 meetings.
func BenchmarkFilter(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	b.ReportAllocs()
	for b.Loop() {
		x.m.filter("x depart !9 level:3")
		x.m.filter("")
	}
}

func BenchmarkSort(b *testing.B) {
	x := newBench(b, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	for b.Loop() {
		x.m.meetings.sortBy(1, false)
		x.m.meetings.sortBy(-1, false)
	}
}

// TestFrameBudget holds the console to its budget, with room for a slow
// machine.
func TestFrameBudget(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time")
	}
	x := newBench(t, 160, 45)
	crowd(x.board, 10000)
	x.frame()
	f := changes(x.board, 100, 1)
	best := time.Hour
	for range 200 {
		from := time.Now()
		x.m.Update(f)
		x.m.View()
		best = min(best, time.Since(from))
	}
	if best > 5*time.Millisecond {
		t.Errorf("a frame after 100 changes of 10,000 meetings takes %v at best, 1 ms is the aim", best)
	}
}
