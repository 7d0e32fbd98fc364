package main

import (
	"fmt"
	"time"
)

// throughput measures how many posts a second each contestant takes, in turns.
// The turns are short and many, since a machine's speed drifts; whoever has none
// is stopped.
type throughput struct {
	Rounds  int           `default:"15" help:"Rounds, in each of which every contestant has its turn."`
	For     time.Duration `default:"1s" help:"How long a turn is measured."`
	Bridges int           `default:"8" help:"Call Bridges, each with one connection and one post at a time."`
	Calls   int           `default:"500" help:"Calls, over all Call Bridges."`
	Legs    int           `default:"10" help:"Legs in each call."`
	Only    string        `help:"Measure this contestant alone: floor, callmark or plain."`
}

// warmUp is how long a turn goes on before it is measured.
const warmUp = 100 * time.Millisecond

// contestant is a receiver with Call Bridges of its own.
type contestant struct {
	kind  string
	site  *site
	crowd *crowd
}

// leave ends its Call Bridges' load, which else would rest for ever.
func (c *contestant) leave() {
	if c.crowd != nil {
		c.crowd.over.Store(true)
	}
}

// Run implements the command.
func (t *throughput) Run(g *bench) error {
	var all []*contestant
	for _, kind := range []string{"floor", "callmark", "plain"} {
		if t.Only != "" && t.Only != kind {
			continue
		}
		c := &contestant{kind: kind}
		var err error
		if c.site, err = g.open(t.Bridges); err != nil {
			return err
		}
		defer c.site.close()
		defer c.leave()
		if err := t.prepare(g, c); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, c)
	}
	for round := range t.Rounds {
		got := map[string]speed{}
		for i := range all {
			c := all[(i+round)%len(all)] // who comes after whom matters
			f, err := t.turn(g, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.kind, err)
			}
			got[c.kind] = f
		}
		for _, c := range all {
			f := got[c.kind]
			values := []value{{f.posts, "posts/s"}, {f.cpu, "µs-cpu/post"}, {f.own, "µs-generator/post"}}
			if floor, ok := got["floor"]; ok && c.kind != "floor" {
				values = append(values, value{f.posts / floor.posts, "of-floor"})
			}
			if plain, ok := got["plain"]; ok && c.kind == "callmark" {
				values = append(values, value{f.posts / plain.posts, "of-plain"})
			}
			g.report("Throughput/"+c.kind, values...)
		}
	}
	return nil
}

// prepare starts a contestant, fills its calls, waits until they have settled, and
// stops it.
func (t *throughput) prepare(g *bench, c *contestant) (err error) {
	if c.kind == "callmark" {
		err = c.site.callmark(g)
	} else {
		err = c.site.peer(g, c.kind)
	}
	if err != nil {
		return err
	}
	if c.crowd, err = fill(g, c.site, t.Calls, t.Legs); err != nil {
		return err
	}
	if err := c.crowd.settle(g, c.site); err != nil {
		return err
	}
	if err := c.crowd.rest(g, c.site); err != nil {
		return err
	}
	return c.site.process.pause()
}

// turn measures a contestant for a while.
func (t *throughput) turn(g *bench, c *contestant) (f speed, err error) {
	if err := c.site.process.resume(); err != nil {
		return f, err
	}
	if f, err = c.crowd.turn(g, c.site, t.For); err != nil {
		return f, err
	}
	return f, c.site.process.pause()
}
