package policy

import (
	"fmt"
	"slices"
	"testing"
)

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

// TestFewQuestionsOfMany: asked for a few at a time, the board gives what it
// would have given first of all.
func TestFewQuestionsOfMany(t *testing.T) {
	ask := func(most int) (ids []string) {
		f := newFixture(t, Options{})
		f.Follow(f.now, "cms1")
		for i := range 40 {
			call := fmt.Sprintf("c%02d", i*7%40)
			f.send(Event{Kind: CallStarted, Call: CallFacts{ID: call}}) // a correlator is to be asked for
			if i%3 == 0 {
				f.send(join("l"+call, call, []string{room, staff, alien}[i%9/3]))
			}
		}
		f.Bind(f.now, f.src.Session, "cms1", Proven)
		for {
			some := f.Questions(f.now, "cms1", most)
			if len(some) == 0 {
				return ids
			}
			if len(some) > most {
				t.Fatalf("%d questions, asked for %d", len(some), most)
			}
			for _, q := range some {
				ids = append(ids, q.ID)
			}
		}
	}
	all := ask(1000)
	for _, most := range []int{1, 3, 39} {
		if few := ask(most); len(all) < 40 || !slices.Equal(few, all) {
			t.Errorf("%d at a time: %q, all at once: %q", most, few, all)
		}
	}
	if f := newFixture(t, Options{}); f.Questions(f.now, "cms1", 0) != nil {
		t.Error("none were asked for")
	}
}
