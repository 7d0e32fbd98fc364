package main

import (
	"fmt"
	"time"
)

// throughput measures how many posts a second each contestant takes, in turns.
type throughput struct {
	Rounds  int           `default:"5" help:"Rounds, in each of which every contestant has its turn."`
	For     time.Duration `default:"5s" help:"How long each is measured in a round."`
	Bridges int           `default:"8" help:"Call Bridges, each with one connection and one post at a time."`
	Calls   int           `default:"500" help:"Calls, over all Call Bridges."`
	Legs    int           `default:"10" help:"Legs in each call."`
	Only    string        `help:"Measure this contestant alone: floor, callmark or plain."`
}

// Run implements the command.
func (t *throughput) Run(g *bench) error {
	kinds := []string{"floor", "callmark", "plain"}
	for round := range t.Rounds {
		got := map[string]speed{}
		for i := range kinds {
			kind := kinds[(i+round)%len(kinds)] // who comes after whom matters
			if t.Only != "" && t.Only != kind {
				continue
			}
			f, err := t.one(g, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			got[kind] = f
		}
		for _, kind := range kinds {
			f, ok := got[kind]
			if !ok {
				continue
			}
			values := []value{{f.posts, "posts/s"}, {f.cpu, "µs-cpu/post"}, {f.own, "µs-generator/post"}}
			if t.Only == "" && kind != "floor" {
				values = append(values, value{f.posts / got["floor"].posts, "of-floor"})
			}
			if t.Only == "" && kind == "callmark" {
				values = append(values, value{f.posts / got["plain"].posts, "of-plain"})
			}
			g.report("Throughput/"+kind, values...)
		}
	}
	return nil
}

// one measures one contestant, in a process of its own, after its calls have
// filled.
func (t *throughput) one(g *bench, kind string) (f speed, err error) {
	s, err := g.open(t.Bridges)
	if err != nil {
		return f, err
	}
	defer s.close()
	if kind == "callmark" {
		err = s.callmark(g, setting{})
	} else {
		err = s.peer(g, kind)
	}
	if err != nil {
		return f, err
	}
	crowd := fill(g, s, t.Calls, t.Legs)
	defer crowd.over.Store(true)
	if err := crowd.wait(g.ctx, 5*time.Minute); err != nil {
		return f, s.failed("the calls did not fill", err)
	}
	return s.during(g.ctx, t.For)
}
