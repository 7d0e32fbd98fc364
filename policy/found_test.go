package policy

import (
	"strings"
	"testing"
	"time"
)

// shows answers what a call's screens show, a second later; it must be asked.
func (f *fixture) shows(text string) {
	f.t.Helper()
	f.pass(time.Second)
	q, ok := f.asks2("call c")
	if !ok {
		f.t.Fatal("nobody asks what the call shows")
	}
	f.answerShown(q, Shown{Text: text, Position: "bottom"})
}

func (f *fixture) answerShown(q Question, s Shown) {
	f.t.Helper()
	r := reading1(int64(len(f.Legs("k"))))
	r.Shown = s
	f.AnswerCall(f.now, q, r, true)
	checkBoard(f.t, f.Board)
}

// asks2 takes all questions and gives one back, whatever else is asked.
func (f *fixture) asks2(want string) (Question, bool) {
	for _, q := range f.Questions(f.now, cms1, 100) {
		if q.Kind == AskCall && "call "+q.ID == want {
			return q, true
		}
	}
	return Question{}, false
}

// marked is a followed board with a meeting k at level 2, and its call.
func marked(t *testing.T, o Options) (*fixture, CallRef) {
	f := followed(t, o)
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
	f.asks()
	return f, f.meeting("k").Calls[0].Ref
}

var message = [4]string{"", DefaultLevels()[1].Message, DefaultLevels()[2].Message, DefaultLevels()[3].Message}

func TestConfirmed(t *testing.T) {
	f, ref := marked(t, Options{})
	f.write("k")
	f.state("k", StateSent)
	f.shows(message[2])
	f.state("k", StateConfirmed)
	f.asks()
	f.due(ref, WhySame, false, false)

	// An answer that was asked for before it was sent tells nothing.
	f.send(join("b", "c", alien))
	f.write("k")
	q, _ := f.asks2("call c")
	f.pass(time.Second)
	f.send(legEnd("b"))
	f.write("k")
	f.answerShown(q, Shown{Text: message[3]})
	f.state("k", StateSent)
	f.shows(message[2]) // it is asked anew
	f.state("k", StateConfirmed)

	// A clear is confirmed by nothing.
	f.send(legEnd("a"))
	f.write("k")
	f.state("k", StateIdle)
	f.shows("")
	f.asks()
}

// A text that another program changed is set again three times in ten minutes.
// Then that is said, and nothing is written before the level changes.
func TestMeddled(t *testing.T) {
	f, ref := marked(t, Options{})
	for range 3 {
		f.write("k")
		f.shows("Lunch at noon")
		f.due(ref, WhyRise, true, true)
	}
	f.write("k")
	f.shows("")
	f.due(ref, WhyContested, false, false)
	f.state("k", StateFailed)
	alarms := f.Since(0).Alarms
	if len(alarms) != 1 || alarms[0].Key != "changed/c" || !strings.Contains(alarms[0].Text, "nothing") {
		t.Fatalf("alarms %+v", alarms)
	}
	f.pass(time.Hour)
	f.due(ref, WhyContested, false, false)

	f.send(join("b", "c", alien)) // a new level is written
	f.due(ref, WhyRise, true, true)
	f.write("k")
	f.shows(message[3])
	f.state("k", StateConfirmed)
	if alarms := f.Since(0).Alarms; len(alarms) != 0 {
		t.Errorf("alarms %+v when it shows what it should", alarms)
	}
}

// Those of more than ten minutes ago do not count.
func TestMeddledNowAndThen(t *testing.T) {
	f, ref := marked(t, Options{})
	for range 8 {
		f.write("k")
		f.shows("Lunch at noon")
		f.due(ref, WhyRise, true, true)
		f.pass(5 * time.Minute)
	}
	// The alarm goes with the call.
	for range 3 {
		if len(f.Since(0).Alarms) == 0 {
			f.write("k")
			f.shows("Lunch at noon")
		}
	}
	if n := len(f.Since(0).Alarms); n != 1 {
		t.Fatalf("%d alarms", n)
	}
	f.send(callEnd("c"))
	if a := f.Since(0).Alarms; len(a) != 0 {
		t.Errorf("alarms %+v of a call that has ended", a)
	}
}

// What is found on a call to which callmark has written nothing yet.
func TestFound(t *testing.T) {
	for _, tc := range []struct {
		name   string
		people bool
		text   string
		why    Why
		write  Marking
	}{
		{"somebody else's, nobody counts", false, "Lunch at noon", WhyNothing, Marking{}},
		{"nothing, nobody counts", false, "", WhyNothing, Marking{}},
		{"ours, nobody counts", false, message[1], WhyClear, Marking{Kind: MarkClear}},
		{"the right one", true, message[2], WhySame, Marking{}},
		{"a better one", true, message[1], WhyRise, Marking{Kind: MarkLevel, Level: Level2, Text: message[2], Position: "bottom"}},
		{"a worse one", true, message[3], WhyFall, Marking{Kind: MarkLevel, Level: Level2, Text: message[2], Position: "bottom"}},
		{"somebody else's", true, "Lunch at noon", WhyRise, Marking{Kind: MarkLevel, Level: Level2, Text: message[2], Position: "bottom"}},
	} {
		f := followed(t, Options{})
		f.send(callStart("c", "k"))
		var legs []ListedLeg
		if tc.people {
			f.send(legStart("a", in("c")), join("a", "c", staff))
			legs = append(legs, listed("a", "c", staff))
		}
		f.round(f.index, in1, legs...)
		f.shows(tc.text)
		f.verified("k", true)
		w := f.Want(f.now, f.meeting("k").Calls[0].Ref)
		if w.Why != tc.why || w.Write != (tc.write != Marking{}) || w.Write && w.Marking != tc.write {
			t.Errorf("%s: %q, %+v", tc.name, w.Why, w.Marking)
		}
		if tc.why == WhySame && f.meeting("k").State != StateConfirmed {
			t.Errorf("%s: %s", tc.name, f.meeting("k").State)
		}
	}
}

// What an earlier run of callmark wrote is taken over at the start: it is not
// written anew, and does not fall while the meeting is not read.
func TestAdopted(t *testing.T) {
	f := followed(t, Options{})
	f.round(9, in1, listed("a", "c", staff))
	q := f.asks("leg a", "call c")
	r := reading1(1)
	r.Shown = Shown{Text: message[2], Position: "bottom"}
	f.AnswerCall(f.now, q["call c"], r, true)
	f.verified("k", false)
	f.shown("k", Level2)
	ref := f.meeting("k").Calls[0].Ref
	f.due(ref, WhySame, false, false)
	f.AnswerLeg(f.now, q["leg a"], details("a", "c", room), true)
	f.verified("k", false)
	f.shown("k", Level2)
	f.due(ref, WhySame, false, false)
	f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", room)}, true)
	f.verified("k", true)
	f.due(ref, WhyFall, true, false)
}

// A marking with a duration that has run out is renewed; nobody changed it.
func TestRanOut(t *testing.T) {
	f, ref := marked(t, Options{Duration: time.Minute})
	f.write("k")
	f.pass(time.Minute)
	f.shows("")
	f.due(ref, WhyRenewal, true, false)
}
