package policy

import "testing"

// linked is a followed board with a call c whose Call Bridge A has a link to
// another, and the question who is behind it.
func linked(t *testing.T) (*fixture, Question) {
	f := followed(t, Options{})
	f.SetHosts(f.now, []string{"cms1.example", "cms2.example"}, []string{"cms9.example"})
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", room), legStart("l", in("c"), sub("distributionLink")), join("l", "c", "x@cms9.example"))
	return f, f.asks("people c")["people c"]
}

// Behind a link to a Call Bridge that is not watched may be anybody, until the API
// tells who is.
func TestBehindALink(t *testing.T) {
	for _, tc := range []struct {
		name   string
		people []PersonFacts
		want   Level
	}{
		{"nobody", nil, Level1},
		{"only our own", []PersonFacts{{URI: alien}}, Level1}, // a leg of ours: it counts by itself
		{"our own by name", []PersonFacts{{URI: alien, CallBridge: "a"}}, Level1},
		{"somebody internal", []PersonFacts{{URI: staff, CallBridge: "Z"}}, Level2},
		{"an external", []PersonFacts{{URI: room, CallBridge: "Z"}, {URI: alien, CallBridge: "Z"}}, Level3},
		{"a guest", []PersonFacts{{URI: room, App: true, CallBridge: "Z"}}, Level3},
		{"no address", []PersonFacts{{CallBridge: "Z"}}, Level3},
	} {
		f, q := linked(t)
		f.computed("k", Level3)
		f.AnswerParticipants(f.now, q, tc.people, true)
		checkBoard(t, f.Board)
		if got := f.meeting("k").Computed; got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// Whom another Call Bridge of ours hosts counts there, as soon as it has told of
// its call, and here until then.
func TestCountedOnce(t *testing.T) {
	f, q := linked(t)
	f.AnswerParticipants(f.now, q, []PersonFacts{{URI: staff, CallBridge: "B"}}, true)
	f.computed("k", Level2)
	g := f.other("s2", "B").confirmed("cms2.example")
	g.send(callStart("d", "k"))
	f.computed("k", Level1) // a; on B nobody is connected yet
	g.send(join("b", "d", staff))
	f.computed("k", Level2)
	g.send(legEnd("b"))
	f.computed("k", Level1)
	g.send(callEnd("d")) // who is behind the link now is not known before it is asked again
	f.computed("k", Level3)
	f.status(f.index, false)
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], nil, true)
	f.computed("k", Level1)
}

// They are looked at again with every status, since no record tells of them; and
// anew when another link comes.
func TestAskedAgain(t *testing.T) {
	f, q := linked(t)
	f.AnswerParticipants(f.now, q, []PersonFacts{{URI: staff, CallBridge: "Z"}}, true)
	f.asks()
	f.status(f.index, false)
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], []PersonFacts{{URI: alien, CallBridge: "Z"}}, true)
	f.computed("k", Level3)
	f.status(f.index, false)
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], nil, true)
	f.computed("k", Level1)
	f.send(legStart("m", in("c"), sub("distributionLink")), join("m", "c", "y@cms9.example"))
	f.computed("k", Level3)
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], nil, true)
	f.computed("k", Level1)
}

// While those who are hosted elsewhere may be of a server that is not read yet,
// the call is not all known.
func TestWaitsForTheOther(t *testing.T) {
	f := followed(t, Options{})
	f.Follow(f.now, "cms2.example")
	f.round(9, in1, listed("a", "c", room))
	q := f.asks("leg a", "call c")
	f.AnswerLeg(f.now, q["leg a"], details("a", "c", room), true)
	r := reading1(1)
	r.Remote = 1
	f.AnswerCall(f.now, q["call c"], r, true)
	f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", room)}, true)
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], []PersonFacts{{URI: staff, CallBridge: "B"}}, true)
	f.verified("k", false)
	f.computed("k", Level2)
	second, ok := f.BeginRound(f.now, "cms2.example")
	if !ok || !f.Listed(f.now, second, nil, nil) {
		t.Fatal("the lists of the other were not taken")
	}
	f.AnswerParticipants(f.now, f.asks("people c")["people c"], []PersonFacts{{URI: staff, CallBridge: "B"}}, true)
	checkBoard(t, f.Board)
	f.verified("k", true)
	f.computed("k", Level2)
}
