package main

import (
	"fmt"
	"time"
)

// growth measures what a record costs while few legs are present and while many
// are, in turns: the speed of a machine drifts by more in the minutes between two
// runs of scale than the cost of a record does. Unlike in throughput nobody is
// stopped meanwhile, so that each callmark reads its API when it would. What it
// takes for that, and has to do anyway, is what it takes during the turns of the
// others; a record's own cost is without it.
type growth struct {
	Legs    []int         `default:"1000,100000" help:"Legs that are present, ten in each call."`
	Bridges int           `default:"8" help:"Call Bridges of each."`
	Rounds  int           `default:"30" help:"Rounds, in each of which every size has its turn."`
	For     time.Duration `default:"2s" help:"How long a turn is measured."`
}

// sized is a site with so many legs.
type sized struct {
	legs  int
	site  *site
	crowd *crowd
}

// Run implements the command.
func (t *growth) Run(g *bench) error {
	var all []sized
	for _, legs := range t.Legs {
		s, err := g.open(t.Bridges)
		if err != nil {
			return err
		}
		defer s.close()
		if err := s.callmark(g, 0); err != nil {
			return err
		}
		c, err := fill(g, s, legs/legsOfCall, legsOfCall)
		if err != nil {
			return fmt.Errorf("%d legs: %w", legs, err)
		}
		defer c.over.Store(true)
		if err := c.settle(g, s); err != nil {
			return fmt.Errorf("%d legs: %w", legs, err)
		}
		c.rests.Store(true)
		all = append(all, sized{legs, s, c})
	}
	for round := range t.Rounds {
		got, idle := make([]speed, len(all)), make([]float64, len(all))
		for i := range all {
			at := (i + round) % len(all) // who comes after whom matters
			turn, err := t.turn(g, all, at)
			if err != nil {
				return err
			}
			for i, f := range turn {
				if i == at {
					got[i] = f
				} else {
					idle[i] += f.core / float64(len(all)-1)
				}
			}
		}
		var first []float64
		for i, s := range all {
			own := got[i].cpu * (1 - idle[i]/got[i].core)
			values := []value{
				{got[i].posts, "records/s"}, {got[i].cpu, "µs-cpu/record"}, {idle[i], "%core-at-rest"}, {own, "µs-own/record"},
			}
			if i == 0 {
				first = []float64{got[i].cpu, own}
			} else {
				values = append(values, value{got[i].cpu / first[0], "of-the-first"}, value{own / first[1], "own-of-the-first"})
			}
			g.report(fmt.Sprintf("Growth/legs=%d", s.legs), values...)
		}
	}
	return nil
}

// turn measures a site for a while, and the others, where nobody comes or goes.
func (t *growth) turn(g *bench, all []sized, at int) ([]speed, error) {
	s := all[at]
	s.crowd.rests.Store(false)
	if err := sleep(g.ctx, warmUp); err != nil {
		return nil, err
	}
	begun := make([]sample, len(all))
	for i, other := range all {
		var err error
		if begun[i], err = other.site.sample(); err != nil {
			return nil, err
		}
	}
	if err := sleep(g.ctx, t.For); err != nil {
		return nil, err
	}
	speeds := make([]speed, len(all))
	for i, other := range all {
		ended, err := other.site.sample()
		if err != nil {
			return nil, err
		}
		speeds[i] = begun[i].until(ended)
	}
	s.crowd.rests.Store(true)
	if err := s.site.cluster.WaitDelivered(g.ctx); err != nil {
		return nil, s.site.failed(fmt.Sprintf("%d legs: records were not taken", s.legs), err)
	}
	return speeds, nil
}
