package main

import (
	"fmt"
	"time"
)

// scale measures callmark with more and more legs present.
type scale struct {
	Legs    []int         `default:"1000,10000,100000" help:"Legs that are present, ten in each call."`
	Bridges int           `default:"8" help:"Call Bridges."`
	Rest    time.Duration `default:"30s" help:"How long nobody comes or goes before."`
	For     time.Duration `default:"10s" help:"How long people come and go at full speed."`
	Latency time.Duration `default:"30s" help:"How long markings are timed."`
	Rate    int           `default:"1000" help:"Records a second meanwhile."`
	Resync  time.Duration `default:"1m" help:"How often callmark reads the API anew."`
	Sync    bool          `default:"true" negatable:"" help:"Also start callmark anew in the middle of it all."`
}

// legsOfCall is how many are in each call.
const legsOfCall = 10

// Run implements the command.
func (t *scale) Run(g *bench) error {
	for _, legs := range t.Legs {
		values, err := t.one(g, legs)
		if err != nil {
			return fmt.Errorf("%d legs: %w", legs, err)
		}
		g.report(fmt.Sprintf("Scale/legs=%d", legs), values...)
	}
	return nil
}

func (t *scale) one(g *bench, legs int) (values []value, err error) {
	s, err := g.open(t.Bridges)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.callmark(g, fmt.Sprintf("resync = %q", t.Resync)); err != nil {
		return nil, err
	}
	empty, err := s.process.residentBytes()
	if err != nil {
		return nil, err
	}
	begun, err := s.sample()
	if err != nil {
		return nil, err
	}
	crowd, err := fill(g, s, legs/legsOfCall, legsOfCall)
	if err != nil {
		return nil, err
	}
	ended, err := s.sample()
	if err != nil {
		return nil, err
	}
	filling := begun.until(ended)
	if err := crowd.settle(g, s); err != nil {
		return nil, err
	}
	crowd.rests.Store(true)
	rest, err := s.during(g.ctx, t.Rest)
	if err != nil {
		return nil, err
	}
	crowd.rests.Store(false)
	busy, err := s.during(g.ctx, t.For)
	if err != nil {
		return nil, err
	}
	crowd.over.Store(true)
	l := latency{For: t.Latency, Rate: t.Rate}
	times, err := l.measure(g, s, crowd)
	if err != nil {
		return nil, err
	}
	full, err := s.process.residentBytes()
	if err != nil {
		return nil, err
	}
	values = []value{
		{filling.posts, "filling-records/s"}, {rest.core, "%core-at-rest"}, {busy.posts, "records/s"}, {busy.cpu, "µs-cpu/record"},
	}
	values = append(values, times[:3]...)
	values = append(values, value{full / (1 << 20), "MB-resident"}, value{(full - empty) / float64(legs), "B-resident/leg"})
	if t.Sync {
		took, err := s.again(g)
		if err != nil {
			return nil, err
		}
		values = append(values, value{took.Seconds(), "s-sync"})
	}
	return values, nil
}

// again starts callmark anew in the middle of running calls and returns how long
// it took until it says that it is ready: every call and leg has been read.
func (s *site) again(g *bench) (time.Duration, error) {
	s.process.kill()
	begun := time.Now()
	if err := s.callmark(g); err != nil {
		return 0, err
	}
	err := s.process.answers(g.ctx, "/readyz", 20*time.Minute, 50*time.Millisecond)
	return time.Since(begun), err
}
