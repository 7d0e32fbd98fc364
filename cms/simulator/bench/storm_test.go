package main

import (
	"context"
	"testing"
	"time"

	"callmark/cms/simulator"
)

// What counts as a lesser level before a worse one that waited.
func TestLesserFirst(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	put := func(ms, level int) simulator.Put {
		return simulator.Put{Time: at.Add(time.Duration(ms) * time.Millisecond), Text: message(level)}
	}
	for _, tt := range []struct {
		name string
		puts []simulator.Put
		want int
	}{
		{"the worst first", []simulator.Put{put(100, 3), put(150, 3), put(200, 2), put(250, 1)}, 0},
		{"a lesser one first", []simulator.Put{put(100, 2), put(150, 3), put(200, 1)}, 1},
		{"on their way together", []simulator.Put{put(100, 2), put(101, 3), put(200, 1)}, 0},
		{"while the storm goes on", []simulator.Put{put(-50, 1), put(100, 3)}, 0},
	} {
		if got := lesserFirst(tt.puts, at); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A storm brings all who were promised, the worst of each call at the end.
func TestArrival(t *testing.T) {
	s := &site{cluster: unfed(t)}
	b := s.cluster.Bridge(0)
	a := newArrival(b, 3, 13, rng(1))
	for a.step() {
	}
	for i, call := range a.calls {
		legs := call.Legs()
		last := []int{4, 3, 3}[i]
		if len(legs) != last+1 {
			t.Fatalf("%d legs", len(legs))
		}
		for j, leg := range legs {
			if level := leg.Level(); j < last && level > max(1, i%3) || j == last && level != 1+i%3 {
				t.Errorf("call %d, leg %d has level %d", i, j, level)
			}
		}
	}
}

// A change is timed by the first marking of its level, and one without is lost.
func TestLatencies(t *testing.T) {
	cluster := unfed(t)
	p := newProbing(cluster.Bridge(0))
	for range 6 {
		p.step()
	}
	if _, _, lost := p.latencies(); lost != 4 {
		t.Errorf("%d changes are lost, want 4: nobody wrote", lost)
	}
}

// unfed is a cluster that runs and posts to nobody.
func unfed(t *testing.T) *simulator.Cluster {
	t.Helper()
	cluster, err := simulator.New(simulator.Options{Bridges: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	if err := cluster.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return cluster
}
