package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"callmark/cms/simulator"
)

// latency measures how long it takes from a record that changes a level to the
// right marking at the API.
type latency struct {
	For     time.Duration `default:"60s" help:"How long."`
	Rate    int           `default:"1000" help:"Records a second, over all Call Bridges."`
	Bridges int           `default:"8" help:"Call Bridges."`
	Calls   int           `default:"500" help:"Calls in the background, over all Call Bridges."`
	Legs    int           `default:"10" help:"Legs in each of them."`
}

// Run implements the command.
func (l *latency) Run(g *bench) error {
	s, err := g.open(l.Bridges)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.callmark(g); err != nil {
		return err
	}
	crowd, err := fill(g, s, l.Calls, l.Legs)
	if err != nil {
		return err
	}
	crowd.over.Store(true)
	values, err := l.measure(g, s, crowd)
	if err != nil {
		return err
	}
	g.report("Latency", values...)
	return nil
}

// measure lets people come and go at a site, at the set rate, some of whom change
// the level of their call.
func (l *latency) measure(g *bench, s *site, crowd *crowd) ([]value, error) {
	if err := s.fed(g.ctx, time.Minute); err != nil {
		return nil, err
	}
	probes := make([]*probing, len(crowd.people))
	for i, b := range s.cluster.Bridges() {
		probes[i] = newProbing(b)
		crowd.people[i].level = func(int) int { return 2 }
	}
	if err := s.settled(g.ctx, 5*time.Minute); err != nil {
		return nil, err
	}
	begun, err := s.sample()
	if err != nil {
		return nil, err
	}
	every := time.Duration(len(probes)) * time.Second / time.Duration(l.Rate)
	s.feed(func(i int, _ *simulator.Bridge) func() bool {
		return paced(g.ctx, every, l.For, func(n int) {
			if n%probeEvery == 0 {
				probes[i].step()
			} else {
				crowd.people[i].step()
			}
		})
	})
	if err := s.fed(g.ctx, l.For+time.Minute); err != nil {
		return nil, err
	}
	ended, err := s.sample()
	if err != nil {
		return nil, err
	}
	if err := s.settled(g.ctx, time.Minute); err != nil {
		return nil, err
	}
	var rises, falls []float64
	missed := 0
	for _, p := range probes {
		up, down, lost := p.latencies()
		rises, falls, missed = append(rises, up...), append(falls, down...), missed+lost
	}
	if missed > 0 {
		return nil, fmt.Errorf("%d of %d changes were never written\n%s", missed, missed+len(rises)+len(falls), s.process.words())
	}
	all := append(rises, falls...)
	slices.Sort(all)
	v := begun.until(ended)
	return []value{
		{quantile(all, 0.5), "p50-ms"}, {quantile(all, 0.99), "p99-ms"}, {quantile(all, 0.999), "p99.9-ms"}, {quantile(all, 1), "max-ms"},
		{float64(len(all)), "markings"}, {v.posts, "records/s"}, {v.posts * v.cpu / 1e4, "%core"},
	}, nil
}

// settled waits until every screen is right.
func (s *site) settled(ctx context.Context, within time.Duration) error {
	err := wait(ctx, within, func() bool {
		for _, screen := range s.cluster.Screens() {
			if !screen.Screen.Visible && screen.Level > 0 || screen.Screen.Visible && shown(screen.Screen.Text) != screen.Level {
				return false
			}
		}
		return true
	})
	if err != nil {
		return s.failed("not every screen is right", err)
	}
	return nil
}

// paced calls step every so often for a while, and makes up for what it was late.
func paced(ctx context.Context, every, during time.Duration, step func(n int)) func() bool {
	start := time.Now()
	n := 0
	return func() bool {
		due := start.Add(time.Duration(n) * every)
		if due.Sub(start) >= during || sleep(ctx, time.Until(due)) != nil {
			return false
		}
		step(n)
		n++
		return true
	}
}
