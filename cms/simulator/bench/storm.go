package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"callmark/cms/simulator"
)

// storm measures how soon every screen is right when many people come at once.
type storm struct {
	Rounds  int     `default:"5" help:"Storms, each on a site of its own."`
	Legs    int     `default:"10000" help:"Who comes, over all calls."`
	Calls   int     `default:"500" help:"Calls, over all Call Bridges; a third of each level."`
	Bridges int     `default:"8" help:"Call Bridges."`
	Writes  float64 `default:"0" help:"writes_per_second of callmark; 0 is its default."`
}

// unlimited is the largest budget that callmark takes, which these storms do not
// meet.
const unlimited = 1000

// Run implements the command.
func (t *storm) Run(g *bench) error {
	for range t.Rounds {
		if err := t.one(g); err != nil {
			return err
		}
	}
	return nil
}

func (t *storm) one(g *bench) error {
	s, err := g.open(t.Bridges)
	if err != nil {
		return err
	}
	defer s.close()
	var keys []string
	if t.Writes > 0 {
		keys = append(keys, fmt.Sprintf("writes_per_second = %g", t.Writes))
	}
	if err := s.callmark(g, keys...); err != nil {
		return err
	}
	begun := time.Now()
	var calls []*simulator.Call
	s.feed(func(i int, b *simulator.Bridge) func() bool {
		a := newArrival(b, share(t.Calls, t.Bridges, i), share(t.Legs, t.Bridges, i), rng(g.Seed+uint64(i)))
		calls = append(calls, a.calls...)
		return a.step
	})
	if err := s.fed(g.ctx, time.Minute); err != nil {
		return err
	}
	over := time.Now()
	if err := s.settled(g.ctx, 5*time.Minute); err != nil {
		return err
	}
	o := outcomeOf(calls, over)
	budget := t.Writes
	name := "Storm/unlimited"
	if budget == 0 {
		budget, name = defaultWrites, "Storm/budget"
	}
	g.report(name,
		value{o.last.Sub(over).Seconds() * 1000, "ms-after-last-record"},
		value{over.Sub(begun).Seconds(), "s-of-records"}, value{o.last.Sub(begun).Seconds(), "s-until-right"},
		value{o.last.Sub(begun).Seconds() / (float64(o.busiest) / budget), "of-budget"},
		value{float64(o.writes), "writes"}, value{float64(o.most), "most-writes/call"},
		value{float64(o.early), "lesser-first"},
	)
	if o.most > 3 {
		return fmt.Errorf("a call was written %d times", o.most)
	}
	return nil
}

// defaultWrites is callmark's default of writes_per_second.
const defaultWrites = 20

// outcome is what a storm's writes came to.
type outcome struct {
	last    time.Time // when the last screen became right
	writes  int
	busiest int // writes of the Call Bridge that had most
	most    int // writes of one call
	early   int // writes that went before one of a worse level that waited
}

func outcomeOf(calls []*simulator.Call, over time.Time) (o outcome) {
	byBridge := map[*simulator.Bridge][]simulator.Put{}
	for _, call := range calls {
		puts := call.Puts()
		o.most = max(o.most, len(puts))
		byBridge[call.Bridge()] = append(byBridge[call.Bridge()], puts...)
	}
	for _, puts := range byBridge {
		o.writes += len(puts)
		o.busiest = max(o.busiest, len(puts))
		slices.SortFunc(puts, func(a, b simulator.Put) int { return a.Time.Compare(b.Time) })
		if n := len(puts); n > 0 && puts[n-1].Time.After(o.last) {
			o.last = puts[n-1].Time
		}
		o.early += lesserFirst(puts, over)
	}
	return o
}

// together is for how long writes that begin at once may come apart.
const together = 20 * time.Millisecond

// lesserFirst counts the writes of one Call Bridge, in the order of their times,
// that went before one of a worse level. When the storm is over nothing new is
// wanted: what is written from then on waited all together. What was on its way
// together comes in any order.
func lesserFirst(puts []simulator.Put, over time.Time) (n int) {
	for i, p := range puts {
		if !p.Time.After(over) {
			continue
		}
		worse := func(q simulator.Put) bool {
			return shown(q.Text) > shown(p.Text) && q.Time.Sub(p.Time) > together
		}
		if slices.ContainsFunc(puts[i+1:], worse) {
			n++
		}
	}
	return n
}

// arrival drives the calls of one Call Bridge in a storm: all of them start, and
// then people come to one after the other. The one who makes a call what it is comes
// last, so that every call waits for a marking when the storm is over.
type arrival struct {
	bridge *simulator.Bridge
	calls  []*simulator.Call
	legs   int
	levels [][]int // of each call, in the order of coming
	n      int
	begun  *simulator.Leg
}

func newArrival(b *simulator.Bridge, calls, legs int, rng *rand.Rand) *arrival {
	a := &arrival{bridge: b, legs: legs}
	for i := range calls {
		a.calls = append(a.calls, b.StartCall(simulator.CallSpec{Name: fmt.Sprintf("%s storm %d", b.Name(), i+1), KeepEmpty: true}))
		levels := make([]int, (legs-i+calls-1)/calls) // whoever comes has the next call
		for j := range levels {
			levels[j] = 1 + rng.IntN(max(1, i%3))
		}
		levels[len(levels)-1] = 1 + i%3
		a.levels = append(a.levels, levels)
	}
	return a
}

// step drives one record.
func (a *arrival) step() bool {
	at, nth := a.n%len(a.calls), a.n/len(a.calls)
	if a.begun == nil {
		a.begun = a.bridge.NewLeg(person(a.levels[at][nth], a.n))
		return true
	}
	a.begun.Join(a.calls[at])
	a.begun = nil
	a.n++
	return a.n < a.legs
}
