package main

import (
	"context"
	"slices"
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

// fillWithin is how long the calls have to fill.
const fillWithin = 10 * time.Minute

// settleWithin is how long the API may be read after that.
const settleWithin = 20 * time.Minute

// quietReads are so few reads a second and Call Bridge that callmark has read
// all there is: until then it reads as fast as its budget allows.
const quietReads = 20

// settle lets nobody come or go until callmark has read what the API tells of
// the legs that are present. It does so after a start alone; what is measured
// afterwards is what a site has all day.
func (c *crowd) settle(g *bench, s *site) error {
	c.rests.Store(true)
	defer c.rests.Store(false)
	ctx, cancel := context.WithTimeout(g.ctx, settleWithin)
	defer cancel()
	for before, quiet := s.reads(), 0; quiet < 2; {
		if err := sleep(ctx, time.Second); err != nil {
			return s.failed("the API is read without end", err)
		}
		reads := s.reads()
		if quiet++; reads-before > quietReads*len(c.people) {
			quiet = 0
		}
		before = reads
	}
	return nil
}

// turn lets people come and go for a while, and measures it once it is warm.
func (c *crowd) turn(g *bench, s *site, d time.Duration) (f speed, err error) {
	c.rests.Store(false)
	if err := sleep(g.ctx, warmUp); err != nil {
		return f, err
	}
	if f, err = s.during(g.ctx, d); err != nil {
		return f, err
	}
	return f, c.rest(g, s)
}

// rest has nobody come or go any more, and returns once all that was posted has
// been answered.
func (c *crowd) rest(g *bench, s *site) error {
	c.rests.Store(true)
	if err := s.cluster.WaitDelivered(g.ctx); err != nil {
		return s.failed("records were not taken", err)
	}
	return nil
}

// fill starts calls on all Call Bridges and lets people come, at full speed. Once
// every call has had its legs it returns, and people come and go until over is
// set.
func fill(g *bench, s *site, calls, legs int) (*crowd, error) {
	c := &crowd{}
	bridges := s.cluster.Bridges()
	for i, b := range bridges {
		c.people = append(c.people, newComing(b, share(calls, len(bridges), i), legs, mixed(g.Seed+uint64(i))))
	}
	s.feed(func(i int, _ *simulator.Bridge) func() bool {
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
	err := wait(g.ctx, fillWithin, func() bool {
		return !slices.ContainsFunc(c.people, func(p *coming) bool { return !p.full.Load() })
	})
	if err != nil {
		c.over.Store(true)
		return nil, s.failed("the calls did not fill", err)
	}
	return c, nil
}
