package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"callmark/cms/simulator"
)

// throughput measures how many posts a second each contestant takes, in turns.
type throughput struct {
	Rounds  int           `default:"5" help:"Rounds, in each of which every contestant has its turn."`
	For     time.Duration `default:"4s" help:"How long each is measured in a round."`
	Bridges int           `default:"8" help:"Call Bridges, each with one connection and one post at a time."`
	Calls   int           `default:"500" help:"Calls, over all Call Bridges."`
	Legs    int           `default:"10" help:"Legs in each call."`
	Only    string        `help:"Measure this contestant alone: floor, callmark or plain."`
}

// figure is what one contestant did in one round.
type figure struct {
	posts, cpu, own float64 // a second; processor time a post of it and of the generator, in µs
}

// Run implements the command.
func (t *throughput) Run(g *bench) error {
	kinds := []string{"floor", "callmark", "plain"}
	for round := range t.Rounds {
		got := map[string]figure{}
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
func (t *throughput) one(g *bench, kind string) (f figure, err error) {
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	cluster, err := simulator.New(simulator.Options{Bridges: t.Bridges, Seed: g.Seed, Batch: 1, NewPoster: newWire})
	if err != nil {
		return f, err
	}
	defer cluster.Close()
	if err := cluster.Start(ctx); err != nil {
		return f, err
	}
	dir, err := os.MkdirTemp("", "callmark-bench")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	var p *process
	if kind == "callmark" {
		p, err = g.start(ctx, cluster, dir, setting{})
	} else {
		p, err = startPeer(ctx, dir, kind)
	}
	if err != nil {
		return f, err
	}
	defer p.kill()
	if err := cluster.SetReceivers(p.url()); err != nil {
		return f, err
	}
	var over atomic.Bool
	var people []*coming
	for i, b := range cluster.Bridges() {
		c := newComing(b, share(t.Calls, t.Bridges, i), t.Legs, mixed(g.Seed+uint64(i)))
		people = append(people, c)
		b.Feed(func() bool {
			c.step()
			return !over.Load()
		})
	}
	defer over.Store(true)
	if err := wait(ctx, 5*time.Minute, func() bool { return all(people, func(c *coming) bool { return c.full.Load() }) }); err != nil {
		return f, fmt.Errorf("the calls did not fill: %w\n%s", err, p.words())
	}
	begun, err := t.sample(cluster, p)
	if err != nil {
		return f, err
	}
	if err := sleep(ctx, t.For); err != nil {
		return f, err
	}
	ended, err := t.sample(cluster, p)
	if err != nil {
		return f, err
	}
	posts := float64(ended.posts - begun.posts)
	if ended.failed > 0 {
		return f, fmt.Errorf("%d posts were not answered with 200\n%s", ended.failed, p.words())
	}
	us := func(d time.Duration) float64 { return float64(d.Microseconds()) / posts }
	return figure{posts / ended.at.Sub(begun.at).Seconds(), us(ended.cpu - begun.cpu), us(ended.own - begun.own)}, nil
}

// sample is how far a run has come.
type sample struct {
	at            time.Time
	posts, failed int
	cpu, own      time.Duration
}

func (t *throughput) sample(cluster *simulator.Cluster, p *process) (s sample, err error) {
	for _, b := range cluster.Bridges() {
		d := b.Deliveries()
		s.posts += d.Acknowledged
		s.failed += d.Failed
	}
	s.at = time.Now()
	if s.cpu, err = processorTime(p.cmd.Process.Pid); err != nil {
		return s, err
	}
	s.own, err = processorTime(os.Getpid())
	return s, err
}

// share is the i-th part of n, as even as can be.
func share(n, parts, i int) int { return n*(i+1)/parts - n*i/parts }

func all[T any](list []T, is func(T) bool) bool {
	for _, v := range list {
		if !is(v) {
			return false
		}
	}
	return true
}

// wait looks every few milliseconds whether something is so.
func wait(ctx context.Context, within time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !done() {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
