package policy

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crowd is a board with small bounds and one Call Bridge that is followed, with a
// meeting k at level 1.
func crowd(t testing.TB, bounds Bounds) *fixture {
	f := followed(t, Options{Bounds: bounds})
	f.send(callStart("c", "k"), join("a", "c", room))
	return f
}

// stranger is the nth made-up session.
func (f *fixture) stranger(n int) *fixture {
	g := f.other(fmt.Sprint("made up ", n), "")
	g.now = f.now.Add(time.Duration(n) * time.Second)
	return g
}

// Whoever floods the board with made-up sessions, calls and legs takes the room of
// others like him, and none of a Call Bridge that a server confirms.
func TestFlood(t *testing.T) {
	small := Bounds{Sessions: 8, Calls: 16, Legs: 32, LegsPerCall: 12, DepartedPerSess: 4}
	t.Run("sessions", func(t *testing.T) {
		f := crowd(t, small)
		for i := range 200 {
			f.stranger(i).send(callStart(fmt.Sprint("m", i), ""), join(fmt.Sprint("x", i), fmt.Sprint("m", i), alien))
		}
		f.computed("k", Level1)
		f.alarmed("bound/evicted", "forgotten", "allow")
		if len(f.sessions) > 5 {
			t.Errorf("%d sessions are kept", len(f.sessions))
		}
		f.meeting("call:m199") // the latest stays
		f.gone("call:m0")
		g := f.stranger(0) // who was forgotten speaks again, from the middle
		g.index = 7
		g.send(join("x0", "m0", room))
		f.verified("call:m0", false)
	})
	t.Run("sessions, beside one that takes all the room", func(t *testing.T) {
		f := crowd(t, small)
		g := f.stranger(0)
		for i := range 100 {
			g.send(callStart(fmt.Sprint("m", i), ""))
			h := f.stranger(i + 1)
			h.send(callStart(fmt.Sprint("n", i), ""))
			f.computed("k", Level1)
			g.now = h.now
		}
	})
	t.Run("idle sessions that are confirmed stay", func(t *testing.T) {
		f := crowd(t, small)
		idle := f.other("idle", "").confirmed("cms2")
		for i := range 4 { // as many as may, and none can go
			f.stranger(i).send(callStart(fmt.Sprint("m", i), "k"))
		}
		f.stranger(4).raw(Event{})
		if f.sessions[idle.src.Session] == nil {
			t.Error("it was forgotten")
		}
	})
	t.Run("calls and legs of one", func(t *testing.T) {
		f := crowd(t, small)
		g := f.stranger(0)
		for i := range 100 {
			g.send(callStart(fmt.Sprint("m", i), ""), join(fmt.Sprint("x", i), fmt.Sprint("m", i%8), alien))
		}
		if calls, legs := len(g.sessions[g.src.Session].calls), len(g.sessions[g.src.Session].legs); calls > 8 || legs > 16 {
			t.Errorf("%d calls and %d legs", calls, legs)
		}
		for i := range 10 {
			f.send(callStart(fmt.Sprint("d", i), "k"), join(fmt.Sprint("r", i), fmt.Sprint("d", i), room))
		}
		f.computed("k", Level1)
		f.alarmed("bound", "more than")
	})
	t.Run("the confirmed take all, if they need it", func(t *testing.T) {
		f := crowd(t, small)
		f.stranger(0).send(callStart("m", ""), join("x", "m", alien))
		for i := range 31 {
			f.send(join(fmt.Sprint("r", i), []string{"c", "d", "e"}[i%3], room))
			f.Tick(f.now)
		}
		f.gone("call:m")
		f.computed("call:d", Level1)
		f.send(join("none", "d", room))
		f.computed("call:d", Level3) // no room is left but by forgetting people
	})
	t.Run("who is in a meeting of a confirmed one stays", func(t *testing.T) {
		f := crowd(t, small)
		f.stranger(0).send(callStart("m", "k"), join("x", "m", alien))
		f.computed("k", Level3)
		for i := range 50 {
			f.stranger(i + 1).send(callStart(fmt.Sprint("m", i), ""))
		}
		f.computed("k", Level3)
		if len(f.sessions) > 5 {
			t.Errorf("%d sessions are kept", len(f.sessions))
		}
	})
	t.Run("what is shown or decided stays", func(t *testing.T) {
		f := newFixture(t, Options{Bounds: small})
		f.send(callStart("c", "k"), join("a", "c", room))
		f.write("k") // by a guess
		g := f.stranger(0)
		g.send(callStart("m", "n"))
		if err := f.Override(f.now, "n", Override{Kind: ForceClear}); err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			f.stranger(i + 1).send(callStart(fmt.Sprint("m", i), ""))
		}
		f.computed("k", Level1)
		f.meeting("n")
	})
	t.Run("where nobody can go all meetings are level 3, until somebody has", func(t *testing.T) {
		f := crowd(t, small)
		for i := range 4 { // as many as may
			f.stranger(i).send(callStart(fmt.Sprint("m", i), "k"))
		}
		f.stranger(4).raw(f.stranger(4).number(callStart("m4", ""))...)
		f.computed("k", Level3)
		f.alarmed("bound", "more than 8 sessions")
		f.Tick(f.now)
		f.Bind(f.now, "made up 0", "cms2", Proven) // there is room for one more
		f.stranger(4).send(callStart("m4", ""))
		g := f.other("made up 0", "")
		g.index = 1
		g.send(callEnd("m0"))
		g.now = g.now.Add(time.Minute)
		g.src.Session, g.index = "its next", 0
		g.send(nothing())
		f.Bind(g.now, "its next", "cms2", Proven) // it has restarted
		checkBoard(t, f.Board)
		f.computed("k", Level1)
		f.alarmed("bound")
	})
	t.Run("sessions of one Call Bridge", func(t *testing.T) {
		f := crowd(t, Bounds{SessionsPerBridge: 2})
		g := f.other("s2", "A") // an older clock than s1: nobody can tell which is over
		g.now = f.now.Add(-time.Hour)
		g.send(nothing())
		g.now = f.now
		h := f.other("s3", "A")
		h.now = f.now.Add(-2 * time.Hour)
		if done := h.raw(h.number(callStart("x", "y"))...); done.Dropped != 1 {
			t.Errorf("%+v", done)
		}
		f.computed("k", Level3)
		f.stranger(1).send(callStart("m", ""), join("x", "m", room))
		f.computed("call:m", Level1) // another's
		f.alarmed("bound", "of one Call Bridge", "A")
		f.pass(time.Minute)
		f.src.Session, f.index = "s4", 0
		f.Apply(f.now, f.src, []Event{{Index: 0, Time: f.now}}) // no room either
		g.send(Event{Time: f.now.Add(time.Minute)})             // now its clock tells: s1 is over
		checkBoard(t, f.Board)
		f.gone("k")
		g.send(callStart("o", "p"))
		f.computed("p", LevelNone)
		f.send(callStart("n", "l"))
		f.computed("l", LevelNone)
	})
}

// What was left out is found by the next reading of the lists, once there is room:
// until then its meeting is at level 3.
func TestBoundHeals(t *testing.T) {
	for name, bounds := range map[string]Bounds{"legs per call": {LegsPerCall: 2}, "legs": {Legs: 2}} {
		t.Run(name, func(t *testing.T) {
			f := crowd(t, bounds)
			f.polled(2, "k", true)
			f.send(join("b", "c", room), join("d", "c", staff))
			f.computed("k", Level3)
			f.alarmed("bound", "more than 2 legs")
			lists := func(legs ...ListedLeg) {
				f.round(f.index, in1, legs...)
				for range 4 {
					for _, q := range f.Questions(f.now, cms1, 100) {
						switch q.Kind {
						case AskLeg:
							i := map[string]string{"a": room, "b": room, "d": staff}[q.ID]
							f.AnswerLeg(f.now, q, details(q.ID, "c", i), true)
						case AskCall:
							f.AnswerCall(f.now, q, reading1(int64(len(legs))), true)
						case AskCallLegs:
							f.AnswerCallLegs(f.now, q, legs, true)
						}
						checkBoard(t, f.Board)
					}
				}
			}
			lists(listed("a", "c", room), listed("b", "c", room), listed("d", "c", staff))
			f.computed("k", Level3) // there is no more room than before
			f.send(legEnd("b"))
			f.computed("k", Level3) // d is still left out
			lists(listed("a", "c", room), listed("d", "c", staff))
			f.computed("k", Level2)
			f.verified("k", true)
			f.alarmed("bound")
		})
	}
}

// Whatever strangers send among the records of a Call Bridge that its server
// confirms: its meetings are never more trusted than they are, they are level 3
// only while somebody bears on them, and nothing grows.
func TestFloodAtRandom(t *testing.T) {
	evicted, full := 0, 0
	history := func(rt *rapid.T) {
		bounds := Bounds{Sessions: 6, Calls: 12, Legs: 16, LegsPerCall: 6, DepartedPerSess: 2, SessionsPerBridge: 2, Alarms: 8}
		f := &fixture{Board: NewBoard(Options{Rules: siteRules(t), Bounds: bounds}), t: t, now: t0, src: Source{Session: "s1", CallBridge: "A", Address: "192.0.2.1"}}
		f.Follow(f.now, cms1)
		f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, Identified: true, CallBridge: "A"})
		f.Apply(f.now, f.src, f.number(callStart("c", "k")))
		in := map[string]string{} // legs of c, with their addresses
		index := map[string]int64{}
		draw := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, name) }
		for range rapid.IntRange(20, 120).Draw(rt, "steps") {
			f.now = f.now.Add(time.Second)
			if draw("who", 4) == 0 {
				var e Event
				if ids := slices.Sorted(maps.Keys(in)); len(ids) > 4 || len(ids) > 0 && draw("end", 3) == 0 {
					id := ids[draw("which", len(ids))]
					e = legEnd(id)
					delete(in, id)
				} else {
					id, address := fmt.Sprint("l", f.index), []string{room, staff, alien}[draw("address", 3)]
					e = join(id, "c", address)
					in[id] = address
				}
				f.Apply(f.now, f.src, f.number(e))
			} else {
				src := Source{Session: fmt.Sprint("x", draw("session", 12)), Address: fmt.Sprint("203.0.113.", draw("from", 3)),
					CallBridge: []string{"", "", "", "X", "Y"}[draw("bridge", 5)]}
				call := fmt.Sprint(src.Session, "-", draw("call", 6))
				correlator := ""
				if draw("joins k", 40) == 0 {
					correlator = "k"
				}
				e := []Event{callStart(call, correlator), join(fmt.Sprint(src.Session, "-l", draw("leg", 9)), call, alien), callEnd(call)}[draw("what", 3)]
				e.Index, e.Time = index[src.Session], f.now
				index[src.Session]++
				f.Apply(f.now, src, []Event{e})
			}
			f.Tick(f.now)
			checkBoard(rt, f.Board)
			if f.sessions["s1"] == nil {
				rt.Fatal("the confirmed session was evicted")
			}
			if len(f.sessions) > bounds.Sessions || f.Board.calls > bounds.Calls || f.legs > bounds.Legs || len(f.alarms.all) > bounds.Alarms {
				rt.Fatalf("%d sessions, %d calls, %d legs, %d alarms", len(f.sessions), f.Board.calls, f.legs, len(f.alarms.all))
			}
			calls, legs := 0, 0
			shares, bears := false, f.full != ""
			for _, s := range f.sessions {
				if s.confirmed() {
					bears = bears || s.over
					continue
				}
				calls, legs = calls+len(s.calls), legs+len(s.legs)
				for _, c := range s.calls {
					shares = shares || c.meeting != nil && c.meeting.id == "k"
				}
			}
			if calls > bounds.Calls/2 || legs > bounds.Legs/2 {
				rt.Fatalf("those whom nobody confirms have %d calls and %d legs", calls, legs)
			}
			level := LevelNone
			for _, address := range in {
				level = max(level, map[string]Level{room: Level1, staff: Level2, alien: Level3}[address])
			}
			v, _ := f.Meeting("k")
			if v.Computed < level || v.Computed > level && !shares && !bears {
				rt.Fatalf("k is at %s, and in truth at %s (a stranger is in it %t, a bound bears on it %t)", v.Computed, level, shares, bears)
			}
			if f.full != "" {
				full++
			}
		}
		evicted += int(f.evicted)
	}
	for try := 0; try < 5 && (evicted == 0 || full == 0); try++ { // what is rare shall be met at all
		rapid.Check(t, history)
	}
	if evicted == 0 || full == 0 {
		t.Errorf("%d sessions were evicted, and %d times the board was full", evicted, full)
	}
}
