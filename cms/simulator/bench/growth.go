package main

import (
	"fmt"
	"time"
)

// growth measures what a record costs while few legs are present and while many
// are, in turns: the speed of a machine drifts by more in the minutes between two
// runs of scale than the cost of a record does.
//
// callmark reads all lists and calls of its servers once in Resync, which is work
// for every leg that is there and none of a record's. By default that happens too
// rarely to be measured. Nobody is stopped meanwhile, unlike in throughput, so
// that otherwise each callmark reads its API when it would.
type growth struct {
	Legs    []int         `default:"1000,100000" help:"Legs that are present, ten in each call."`
	Bridges int           `default:"8" help:"Call Bridges of each."`
	Rounds  int           `default:"30" help:"Rounds, in each of which every size has its turn."`
	For     time.Duration `default:"2s" help:"How long a turn is measured."`
	Resync  time.Duration `default:"1h" help:"In which time callmark reads once what its API tells; its own default is 1m."`
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
		if err := s.callmark(g, fmt.Sprintf("resync = %q", t.Resync)); err != nil {
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
		got := make([]speed, len(all))
		for i := range all {
			at := (i + round) % len(all) // who comes after whom matters
			var err error
			if got[at], err = all[at].crowd.turn(g, all[at].site, t.For); err != nil {
				return fmt.Errorf("%d legs: %w", all[at].legs, err)
			}
		}
		for i, s := range all {
			values := []value{{got[i].posts, "records/s"}, {got[i].cpu, "µs-cpu/record"}}
			if i > 0 {
				values = append(values, value{got[i].cpu / got[0].cpu, "of-the-first"})
			}
			g.report(fmt.Sprintf("Growth/legs=%d", s.legs), values...)
		}
	}
	return nil
}
