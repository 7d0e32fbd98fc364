package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"

	"callmark/cms/simulator"
)

// What the addresses of people say, and what callmark is configured with.
const (
	secureDomain   = simulator.DemoSecureDomain
	internalDomain = simulator.DemoInternalDomain
	externalDomain = "partner.example"
)

// message is the text of a level on the screens of a run.
func message(level int) string {
	return []string{"", "Level 1: secure", "Level 2: internal", "Level 3: external"}[level]
}

// shown is the level that a text stands for; 0: none.
func shown(text string) int {
	for level := 1; level <= 3; level++ {
		if text == message(level) {
			return level
		}
	}
	return 0
}

// person is somebody of a level, by the address alone, with a name of their own.
func person(level, n int) simulator.LegSpec {
	user := "person" + strconv.Itoa(n)
	spec := simulator.SIP("Person "+strconv.Itoa(n), user+"@"+[]string{"", secureDomain, internalDomain, externalDomain}[level])
	spec.Level = level
	return spec
}

// coming drives the calls of one Call Bridge: in each so many people come, and
// then as many go as come, the oldest first. Somebody takes three records, of
// one post each: begins, is connected, ends.
type coming struct {
	bridge *simulator.Bridge
	calls  []*simulator.Call
	legs   int // in each call
	level  func(n int) int

	people []([]*simulator.Leg) // in each call, oldest first
	begun  *simulator.Leg       // not connected yet
	n      int                  // steps of people so far
	came   int                  // people so far
	full   atomic.Bool          // every call had its legs once
}

// newComing starts calls on a Call Bridge.
func newComing(b *simulator.Bridge, calls, legs int, level func(n int) int) *coming {
	c := &coming{bridge: b, legs: legs, level: level, people: make([][]*simulator.Leg, calls)}
	for i := range calls {
		c.calls = append(c.calls, b.StartCall(simulator.CallSpec{Name: fmt.Sprintf("%s meeting %d", b.Name(), i+1), KeepEmpty: true}))
	}
	return c
}

// step drives one record, and reports whether it connected somebody.
func (c *coming) step() bool {
	at := c.n % len(c.calls)
	switch {
	case c.begun != nil:
		c.begun.Join(c.calls[at])
		c.people[at] = append(c.people[at], c.begun)
		c.begun = nil
		c.n++
		return true
	case len(c.people[at]) >= c.legs:
		c.full.Store(true)
		c.people[at][0].End()
		c.people[at] = slices.Delete(c.people[at], 0, 1)
	default:
		c.came++
		c.begun = c.bridge.NewLeg(person(c.level(c.came), c.came))
	}
	return false
}

// mixed makes one in sixteen external and one in three a secure room, at random.
func mixed(seed uint64) func(int) int {
	rng := rng(seed)
	return func(int) int {
		switch n := rng.IntN(48); {
		case n < 3:
			return 3
		case n < 19:
			return 1
		}
		return 2
	}
}

// share is the i-th part of n, as even as can be.
func share(n, parts, i int) int { return n*(i+1)/parts - n*i/parts }

// rng makes what is random the same for all who are compared.
func rng(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0x62656e6368)) // #nosec G404 -- it is to be foreseen
}
