package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"callmark/cms/simulator"
)

// The plain receiver does the work that it is compared by: it knows every call's
// level.
func TestPlainKnowsTheLevels(t *testing.T) {
	p := newPlain()
	server := httptest.NewServer(p)
	defer server.Close()
	cluster, err := simulator.New(simulator.Options{Bridges: 2, Batch: 1, NewPoster: newWire, Receivers: []string{server.URL + "/cdr"}})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, b := range cluster.Bridges() {
		c := newComing(b, 3, 4, mixed(uint64(i)))
		n := 0
		b.Feed(func() bool {
			c.step()
			n++
			return n < 300
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, b := range cluster.Bridges() {
		if err := cluster.Wait(ctx, b.Fed); err != nil {
			t.Fatal(err)
		}
	}
	if err := cluster.WaitDelivered(ctx); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[int]bool{}
	for _, s := range cluster.Screens() {
		call := p.calls[s.CallID]
		if call == nil || call.level != s.Level {
			t.Errorf("%s: %+v, want level %d", s.Name, call, s.Level)
		}
		seen[s.Level] = true
	}
	if p.levels < 10 || len(p.calls) != 6 {
		t.Errorf("%d changes of levels, %d calls", p.levels, len(p.calls))
	}
}
