package main

import (
	"fmt"
	"time"

	"callmark/cms/simulator"
)

const (
	// probeCalls are those of one Call Bridge. Each is left alone for as long as
	// the others have their turns, so that a late marking is known by its call.
	probeCalls = 16
	// probeEvery: of so many records one is a probe's. With 1,000 records a
	// second on eight Call Bridges each has 8 changes of a level a second, well
	// within the default budget of 20 writes.
	probeEvery = 10
)

// probing lets somebody external come to a call of internal people, and go: two
// changes of its level, each of which takes a write.
type probing struct {
	calls   []*simulator.Call
	n       int // steps so far
	guest   *simulator.Leg
	changes map[*simulator.Call][]change
}

// change is a moment from which on a level was right.
type change struct {
	at    time.Time
	level int
}

func newProbing(b *simulator.Bridge) *probing {
	p := &probing{changes: map[*simulator.Call][]change{}}
	for i := range probeCalls {
		call := b.StartCall(simulator.CallSpec{Name: fmt.Sprintf("%s probe %d", b.Name(), i+1), KeepEmpty: true})
		call.Join(person(2, i))
		p.calls = append(p.calls, call)
	}
	return p
}

// step drives one record.
func (p *probing) step() {
	call := p.calls[p.n/3%len(p.calls)]
	switch p.n % 3 {
	case 0:
		p.guest = call.Bridge().NewLeg(person(3, p.n))
	case 1:
		p.changes[call] = append(p.changes[call], change{time.Now(), 3})
		p.guest.Join(call)
	case 2:
		p.changes[call] = append(p.changes[call], change{time.Now(), 2})
		p.guest.End()
	}
	p.n++
}

// latencies are how long each change took until it was written, in ms: those to a
// worse level and those to a better one; lost are those that never were.
func (p *probing) latencies() (rises, falls []float64, lost int) {
	for call, changes := range p.changes {
		puts := call.Puts()
		for i, c := range changes {
			for len(puts) > 0 && puts[0].Time.Before(c.at) {
				puts = puts[1:]
			}
			if len(puts) == 0 || shown(puts[0].Text) != c.level || i+1 < len(changes) && !puts[0].Time.Before(changes[i+1].at) {
				lost++
				continue
			}
			ms := float64(puts[0].Time.Sub(c.at).Microseconds()) / 1000
			if c.level == 3 {
				rises = append(rises, ms)
			} else {
				falls = append(falls, ms)
			}
		}
	}
	return rises, falls, lost
}
