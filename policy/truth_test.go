package policy

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is some Call Bridges with what really goes on there, and the documents
// about it that are under way.
type world struct {
	t       *rapid.T
	p       *pair
	now     time.Time
	bridges []*trueBridge
	flight  []letter
	loses   bool // records get lost
	lost    int
	ids     int
	past    []letter
	made    func(*trueBridge, Event) // is told of every record, if set, also of those that get lost
}

type letter struct {
	src    Source
	events []Event
	server string
}

// trueBridge is a Call Bridge. One without a GUID is known by its server.
type trueBridge struct {
	src    Source
	server string
	starts int
	index  int64
	out    []Event // not posted yet
	calls  map[string]*trueCall
	legs   map[string]*trueLeg
}

type trueCall struct{ id, correlator string }

type trueLeg struct {
	id, call         string
	connected, lobby bool
	app, noMan, link bool
	address          string
}

func (l *trueLeg) level() Level {
	switch {
	case l.call == "" || !l.connected || l.lobby || l.noMan || l.link:
		return LevelNone
	case l.app || modelLevels[l.address] == LevelNone:
		return Level3
	}
	return modelLevels[l.address]
}

func (w *world) id(kind string) string {
	w.ids++
	return fmt.Sprintf("%s%d", kind, w.ids)
}

func (w *world) chance(name string, percent int) bool {
	return hundred.Draw(w.t, name) < percent
}

// hundred draws from 0 to 99 evenly, where ranges and samples favour the small,
// and tends to 99 when a failure is made smaller: to nothing special.
var hundred = rapid.Custom(func(t *rapid.T) int {
	n := 0
	for range 10 {
		n *= 2
		if rapid.Bool().Draw(t, "bit") {
			n++
		}
	}
	return 99 - n*100>>10
})

// tell writes a record, which may get lost.
func (w *world) tell(b *trueBridge, e Event) {
	e.Index = b.index
	b.index++
	if w.made != nil {
		w.made(b, e)
	}
	if w.loses && w.chance("lost", 4) {
		w.lost++
		return
	}
	b.out = append(b.out, e)
}

// post sends what a Call Bridge has written.
func (w *world) post(b *trueBridge) {
	if len(b.out) == 0 {
		return
	}
	for i := range b.out {
		b.out[i].Time = w.now
	}
	src := b.src
	if src.CallBridge != "" && w.loses && w.chance("untold", 20) {
		src.CallBridge = ""
	}
	w.flight = append(w.flight, letter{src, b.out, b.server})
	b.out = nil
}

// restart ends all that runs on a Call Bridge.
func (w *world) restart(b *trueBridge) {
	w.post(b)
	w.now = w.now.Add(10 * time.Second) // it takes a while
	b.starts++
	b.src.Session = fmt.Sprintf("%s-%d", b.src.Address, b.starts)
	b.index, b.calls, b.legs = 0, map[string]*trueCall{}, map[string]*trueLeg{}
}

func pick[V any](w *world, name string, m map[string]V) (v V, ok bool) {
	if len(m) == 0 {
		return v, false
	}
	return m[rapid.SampledFrom(slices.Sorted(maps.Keys(m))).Draw(w.t, name)], true
}

// step has something happen on a Call Bridge.
func (w *world) step() {
	w.now = w.now.Add(time.Second)
	b := w.bridges[rapid.IntRange(0, len(w.bridges)-1).Draw(w.t, "bridge")]
	call, hasCall := pick(w, "call", b.calls)
	leg, hasLeg := pick(w, "leg", b.legs)
	what := hundred.Draw(w.t, "what")
	switch {
	case what < 2:
		w.restart(b)
	case what < 7 || !hasCall:
		c := &trueCall{id: w.id("c"), correlator: rapid.SampledFrom([]string{"", "k1", "k2", "k3"}).Draw(w.t, "correlator")}
		b.calls[c.id] = c
		w.tell(b, callStart(c.id, c.correlator))
	case what < 30 || !hasLeg:
		l := &trueLeg{id: w.id("l"), address: rapid.SampledFrom(modelAddresses).Draw(w.t, "address")}
		b.legs[l.id] = l
		facts := []fact{party(l.address)}
		switch rapid.IntRange(0, 9).Draw(w.t, "kind") {
		case 0:
			l.app = true
			facts = append(facts, acano)
		case 1:
			l.noMan = true
			facts = append(facts, recorder)
		case 2:
			l.link, l.address = true, "link@cms1.example"
			facts = []fact{party(l.address), sub("distributionLink")}
		}
		if w.chance("placed", 50) {
			l.call = call.id
			facts = append(facts, in(call.id))
		}
		w.tell(b, legStart(l.id, facts...))
	case what < 65:
		l := leg
		l.call, l.connected = call.id, true
		facts := []fact{in(call.id), connected}
		if w.chance("said", 50) && !l.link {
			facts = append(facts, from(l.address))
		}
		w.tell(b, legUpdate(l.id, facts...))
	case what < 70:
		leg.call = ""
		w.tell(b, legUpdate(leg.id, ivr, connected))
	case what < 76:
		leg.lobby = !leg.lobby
		say := active
		if leg.lobby {
			say = lobby
		}
		w.tell(b, legUpdate(leg.id, say))
	case what < 82 && !leg.link:
		leg.address = rapid.SampledFrom(modelAddresses).Draw(w.t, "address")
		w.tell(b, legUpdate(leg.id, from(leg.address)))
	case what < 85:
		w.tell(b, legUpdate(leg.id, named("Somebody"))) // without state
	case what < 87:
		w.tell(b, nothing())
	case what < 93:
		delete(b.legs, leg.id)
		w.tell(b, legUpdate(leg.id)) // as is seen right before an end
		w.tell(b, legEnd(leg.id))
	case what < 98:
		explicit := w.chance("explicit", 50)
		for _, id := range slices.Sorted(maps.Keys(b.legs)) {
			if b.legs[id].call == call.id {
				delete(b.legs, id)
				if explicit {
					w.tell(b, legEnd(id))
				}
			}
		}
		delete(b.calls, call.id)
		w.tell(b, callEnd(call.id))
	default:
		// Records that the Call Bridge discards, and says so.
		b.index += 2
		w.lost += 2
		w.tell(b, missing(nothing(), 2))
	}
	if w.chance("post", 50) {
		w.post(b)
	}
}

// deliver takes a letter from among those that are under way, at times twice.
func (w *world) deliver() {
	i := min(rapid.IntRange(0, 4).Draw(w.t, "overtaken"), len(w.flight)-1)
	l := w.flight[i]
	w.flight = slices.Delete(w.flight, i, i+1)
	if w.chance("shuffled", 20) {
		l.events = rapid.Permutation(l.events).Draw(w.t, "order")
	}
	w.p.deliver(l.src, l.events, l.server)
	w.past = append(w.past, l)
	if w.chance("again", 15) {
		again := rapid.SampledFrom(w.past).Draw(w.t, "which")
		w.p.deliver(again.src, again.events, again.server)
	}
}

// settle compares the board with the truth, once everything has come.
func (w *world) settle() {
	calls, legs := map[string]*trueCall{}, 0
	worst := map[string]Level{} // by call
	for _, b := range w.bridges {
		for id, c := range b.calls {
			calls[id] = c
		}
		for _, l := range b.legs {
			if l.call != "" {
				worst[l.call] = max(worst[l.call], l.level())
			}
			if l.level() != LevelNone {
				legs++
			}
		}
	}
	u := w.p.b.Since(0)
	known, nameless := 0, false
	for _, v := range u.Meetings {
		level, real, unsure := LevelNone, true, false
		for _, c := range v.Calls {
			if s := w.p.m.sessions[c.Session]; s.bridge == "" && s.server == "" {
				unsure, nameless = true, true // whether it is over nobody can prove
			}
			if calls[c.ID] == nil {
				real = false
			}
			level = max(level, worst[c.ID])
		}
		if v.Unverified == "" && !unsure && (v.Computed != level || !real) {
			w.t.Fatalf("meeting %s is verified at %s, in truth it is at %s (it runs: %t)", v.ID, v.Computed, level, real)
		}
		if v.Unverified != "" && real && v.Computed < level {
			w.p.understated++ // by its computed level, had nobody known of the gap
		}
		known += len(v.Calls)
	}
	if w.lost > 0 || w.p.m.rivals > 0 || nameless {
		return
	}
	w.p.alike++
	if known != len(calls) || u.Totals.Unverified != 0 || u.Totals.Legs != legs {
		w.t.Fatalf("%d calls, %d legs that count, %d unverified meetings; in truth %d calls, %d legs", known, u.Totals.Legs, u.Totals.Unverified, len(calls), legs)
	}
}

// Of Call Bridges that behave as the real ones do, the board knows the truth
// once all has come; and where something is missing it never says that it knows.
func TestBoardIsTheTruth(t *testing.T) {
	var seen vacuity
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, p: newPair(t, &seen), now: t0, loses: rapid.Bool().Draw(t, "loses")}
		for i, guid := range []string{"A", "B", ""} {
			b := &trueBridge{src: Source{CallBridge: guid, Address: fmt.Sprintf("192.0.2.%d", i+1)}}
			if guid == "" {
				b.server = "cms3.example"
			}
			w.restart(b)
			w.bridges = append(w.bridges, b)
		}
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			w.step()
			for len(w.flight) > 5 || len(w.flight) > 0 && w.chance("deliver", 40) {
				w.deliver()
			}
		}
		loses := w.loses
		w.loses = false // what is lost last is for the API to find
		for _, b := range w.bridges {
			w.tell(b, nothing())
			w.post(b)
			if b.src.CallBridge != "" {
				w.flight[len(w.flight)-1].src.CallBridge = b.src.CallBridge
			}
		}
		w.loses = loses
		for len(w.flight) > 0 {
			w.deliver()
		}
		w.settle()
		w.p.finish()
	})
	seen.report(t)
	if seen.alike == 0 {
		t.Error("no history ended with everything known")
	}
}
