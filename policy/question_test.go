package policy

import "testing"

// What becomes necessary while another question about the same call is under way
// is asked right after that has come back: whoever asks is woken then, since he
// found the call busy before.
func TestQuestionAfterAnother(t *testing.T) {
	f := newFixture(t, Options{})
	wake := f.Follow(f.now, "cms1")
	f.send(Event{Kind: CallStarted, Call: CallFacts{ID: "c1"}}) // without a correlator: the server may know it
	f.Bind(f.now, f.src.Session, "cms1", Proven)
	first := f.Questions(f.now, "cms1", 10)
	if len(first) != 1 || first[0].Kind != AskCall {
		t.Fatalf("the first questions are %+v", first)
	}
	f.send(
		Event{Kind: LegStarted, Leg: LegFacts{ID: "l1", RemoteParty: "cms3@192.0.2.3", SubType: "distributionLink"}},
		Event{Kind: LegUpdated, Leg: LegFacts{ID: "l1", Call: "c1", Connected: true}},
	)
	<-wake
	if q := f.Questions(f.now, "cms1", 10); len(q) > 0 {
		t.Fatalf("the call is asked about twice at a time: %+v", q)
	}
	f.AnswerCall(f.now, first[0], CallReading{CallFacts: CallFacts{ID: "c1", Correlator: "m1"}, Legs: 1, Remote: 1}, true)
	select {
	case <-wake:
	default:
		t.Fatal("nobody is woken to ask who is behind the link")
	}
	if q := f.Questions(f.now, "cms1", 10); len(q) != 1 || q[0].Kind != AskParticipants {
		t.Fatalf("the next questions are %+v", q)
	}
}
