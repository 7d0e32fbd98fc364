package policy

import (
	"testing"
	"time"
)

// Forged records run ahead of the Call Bridge's index, and before any status tells
// so, what is read is dated by them. Once the status has told, nothing that was
// read may outweigh records that are lost later: neither what had come by then,
// nor answers that were under way.
func TestWhatWasReadAheadOfTheIndex(t *testing.T) {
	for _, late := range []bool{false, true} {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), legStart("a", party(room)), join("a", "c", room), callStart("e", "l"))
		lists := append(in1[:1:1], ListedCall{ID: "e", Correlator: "l"})
		f.raw(Event{Index: 1000, Time: f.now}) // not the Call Bridge's
		r, ok := f.BeginRound(f.now, cms1)
		if !ok || !f.Listed(f.now, r, lists, []ListedLeg{listed("a", "c", room)}) {
			t.Fatal("the lists were not taken")
		}
		questions := f.Questions(f.now, cms1, 100)
		answer := func(q Question) {
			switch {
			case q.Kind == AskCall && q.ID == "e":
				f.AnswerCall(f.now, q, CallReading{CallFacts: CallFacts{ID: "e", Correlator: "l"}, Remote: -1}, true)
			case q.Kind == AskCallLegs && q.ID == "e":
				f.AnswerCallLegs(f.now, q, nil, true)
			case q.Kind == AskLeg:
				f.AnswerLeg(f.now, q, details("a", "c", room), true)
			case q.Kind == AskCall:
				f.AnswerCall(f.now, q, reading1(1), true)
			case q.Kind == AskCallLegs:
				f.AnswerCallLegs(f.now, q, []ListedLeg{listed("a", "c", room)}, true)
			}
		}
		all := func() {
			for _, q := range questions {
				answer(q)
			}
			for range 4 {
				for _, q := range f.Questions(f.now, cms1, 100) {
					answer(q)
				}
			}
			checkBoard(t, f.Board)
		}
		if !late {
			all()
		}
		f.pass(time.Second)
		f.status(4, false)
		f.status(4, false)
		if late {
			all()
		}
		questions = nil
		f.round(4, lists, listed("a", "c", room))
		all()
		f.verified("k", true)
		f.verified("l", true)
		f.index = 5 // record 4 is lost: it may have been anything
		f.send(nothing())
		f.verified("k", false)
		f.verified("l", false)
		f.send(callStart("d", "m"), legUpdate("a", in("d"), connected))
		f.verified("m", false) // a began before it
	}
}

// While no status came a Call Bridge has restarted, and has since run for longer
// and sent more records than before: its uptime has grown by too little. Nothing is
// over by that alone, since its host may have slept.
func TestRestartThatAStatusHides(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", room))
		poll := func(next int64, uptime time.Duration) {
			f.Polled(f.now, cms1, Poll{Began: f.now, Next: next, Uptime: uptime})
			checkBoard(t, f.Board)
		}
		poll(2, time.Minute)
		f.verified("k", true)
		f.BeginRound(f.now, cms1) // nothing is due any more
		f.pass(10 * time.Minute)
		uptime := 11 * time.Minute
		if restarted {
			uptime = 5 * time.Minute
		}
		poll(2, uptime)
		f.verified("k", !restarted)
		if why, _ := f.ListsDue(f.now.Add(time.Second), cms1); (why != "") != restarted {
			t.Errorf("restarted %t: lists are due: %q", restarted, why)
		}
	}
}
