package simulator

import (
	"slices"
	"time"
)

// ScriptFaults are the chances, from 0 to 1, that a Step causes a fault on some
// Call Bridge before its action.
type ScriptFaults struct {
	Duplicate float64 // its next post is sent twice
	Reorder   float64 // the records of its next post come in a wrong order
	Lose      float64 // its next record vanishes
	Discard   float64 // its next record is discarded, and reported as missing
	Restart   float64 // it restarts
	Overwrite float64 // another tool writes one of its messages
	Silent    float64 // one of its legs or calls ends, and no record tells

	// These last for some steps, and then what they did is set back to
	// nothing: they are not to be mixed with a test's own SetFaults,
	// SetPageCap and so on.
	Outage float64 // its receivers are out of reach, and its queue is short
	API    float64 // some of its answers are a fault of one kind, and all are late
	Lists  float64 // its lists move, and their pages are of all sizes
	Skew   float64 // its clock is wrong, by up to an hour
	Away   float64 // its API is closed
}

const (
	// longestTrouble is the most steps that a fault lasts.
	longestTrouble = 20
	// shortQueue is the most records that wait during an outage.
	shortQueue = 8
)

// trouble is a fault that lasts.
type trouble struct {
	kind   string
	bridge *Bridge
	until  int // the step that ends it
	end    func()
}

// Calm ends the faults that last and causes no more of any kind, so that a test
// can wait until the screens are right.
func (s *Script) Calm() {
	s.opts.Faults = ScriptFaults{}
	for _, t := range s.troubles {
		t.end()
	}
	s.troubles = nil
}

// relieve ends the faults whose time is over.
func (s *Script) relieve() {
	s.steps++
	s.troubles = slices.DeleteFunc(s.troubles, func(t trouble) bool {
		over := t.until <= s.steps
		if over {
			t.end()
		}
		return over
	})
}

// fault causes what ScriptFaults asks for.
func (s *Script) fault() {
	f, b := &s.opts.Faults, s.bridge()
	if s.chance(f.Duplicate) {
		b.DuplicatePosts(1)
	}
	if s.chance(f.Reorder) {
		b.ReorderPosts(1)
	}
	if s.chance(f.Lose) {
		b.LoseRecords(1)
	}
	if s.chance(f.Discard) {
		b.DiscardRecords(1)
	}
	if s.chance(f.Overwrite) {
		if calls := b.Calls(); len(calls) > 0 {
			calls[s.rng.IntN(len(calls))].Overwrite("Lunch at noon", "top", permanent)
		}
	}
	if s.chance(f.Restart) {
		b.Restart()
	}
	if s.chance(f.Silent) {
		s.endSilently(b)
	}
	if s.chance(f.Outage) {
		s.begin("outage", b, func() {
			b.SetQueue(1 + s.rng.IntN(shortQueue))
			b.DropReceivers(true)
		}, func() {
			b.DropReceivers(false)
			b.SetQueue(0)
		})
	}
	if s.chance(f.API) {
		s.begin("api", b, func() { b.SetFaults(s.apiFaults()) }, func() { b.SetFaults(Faults{}) })
	}
	if s.chance(f.Lists) {
		s.begin("lists", b, func() {
			b.VaryPageCap(1 + s.rng.IntN(50))
			if s.chance(0.5) {
				b.ShuffleLists(true)
			} else {
				b.LatestFirst(true)
			}
		}, func() {
			b.SetPageCap(0)
			b.ShuffleLists(false)
			b.LatestFirst(false)
		})
	}
	if s.chance(f.Skew) {
		s.begin("skew", b, func() { b.SetClockSkew(s.between(-time.Hour, time.Hour)) }, func() { b.SetClockSkew(0) })
	}
	if s.chance(f.Away) {
		// A cluster that does not run, or is closed meanwhile, stays as it is.
		s.begin("away", b, b.StopListening, func() { _ = b.ResumeListening() })
	}
}

// begin causes a fault that lasts, unless the Call Bridge has one of that kind.
func (s *Script) begin(kind string, b *Bridge, start, end func()) {
	if slices.ContainsFunc(s.troubles, func(t trouble) bool { return t.kind == kind && t.bridge == b }) {
		return
	}
	start()
	s.troubles = append(s.troubles, trouble{kind, b, s.steps + 1 + s.rng.IntN(longestTrouble), end})
}

// apiFaults are faults of one kind, which hit about a third of the requests.
func (s *Script) apiFaults() Faults {
	f := Faults{Chance: 0.3, Jitter: 20 * time.Millisecond}
	kinds := f.countdowns()
	// An account that is refused is no fault of the network: callmark stops
	// then, for minutes. A test wants that by itself or not at all.
	kinds = slices.DeleteFunc(kinds, func(c countdown) bool { return c.fault == denied })
	*kinds[s.rng.IntN(len(kinds))].left = -1
	return f
}

func (s *Script) endSilently(b *Bridge) {
	if calls := b.Calls(); len(calls) > 0 && s.chance(0.2) {
		calls[s.rng.IntN(len(calls))].EndSilently()
		return
	}
	if legs := b.Legs(); len(legs) > 0 {
		legs[s.rng.IntN(len(legs))].EndSilently()
	}
}
