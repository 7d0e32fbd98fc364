package main

import (
	"context"
	"sync/atomic"
	"time"

	"callmark/cms/simulator"
)

// crowd are the people of all Call Bridges.
type crowd struct {
	people []*coming
	over   atomic.Bool // they stop
	rests  atomic.Bool // they wait
	came   atomic.Int64
}

// fill starts calls on all Call Bridges and lets people come, at full speed, and
// then come and go until over is set.
func fill(g *bench, s *site, calls, legs int) *crowd {
	c := &crowd{}
	bridges := s.cluster.Bridges()
	for i, b := range bridges {
		c.people = append(c.people, newComing(b, share(calls, len(bridges), i), legs, mixed(g.Seed+uint64(i))))
	}
	s.feed(func(_ *simulator.Bridge, i int) func() bool {
		return func() bool {
			for c.rests.Load() && !c.over.Load() {
				if sleep(g.ctx, 5*time.Millisecond) != nil {
					return false
				}
			}
			if c.people[i].step() {
				c.came.Add(1)
			}
			return !c.over.Load()
		}
	})
	return c
}

// wait waits until every call has had its legs once.
func (c *crowd) wait(ctx context.Context, within time.Duration) error {
	return wait(ctx, within, func() bool {
		for _, p := range c.people {
			if !p.full.Load() {
				return false
			}
		}
		return true
	})
}
