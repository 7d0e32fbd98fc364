package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

func realBoard(t testing.TB) *policy.Board {
	t.Helper()
	rules, err := policy.NewRules([]string{"rooms.corp.example"}, []string{"corp.example"})
	if err != nil {
		t.Fatal(err)
	}
	return policy.NewBoard(policy.Options{Rules: rules})
}

// realBench is a bench over a real board.
func realBench(t testing.TB, w, h int) (*bench, *policy.Board) {
	t.Helper()
	board := realBoard(t)
	b := newBench(t, w, h)
	b.m.board, b.m.o.Board, b.pump.board = board, board, board
	return b, board
}

// feed applies events of one session, numbered from where it stands.
type feed struct {
	board   *policy.Board
	session int
	next    int64
	came    map[string]string // by call: who came last
}

func (f *feed) apply(now time.Time, all ...policy.Event) {
	for i := range all {
		all[i].Index, all[i].Time = f.next, now
		f.next++
	}
	f.board.Apply(now, policy.Source{Session: fmt.Sprintf("7f3c2a6e-0000-4000-8000-%012d", f.session), Address: "192.0.2.1"}, all)
}

// populate starts so many meetings with somebody of each level in turn, and
// returns their calls.
func (f *feed) populate(now time.Time, n int) (calls []string) {
	for i := range n {
		id := fmt.Sprintf("c%d-%d", f.session, i)
		f.apply(now, call(id, fmt.Sprintf("Meeting %d of department %d", i*7919%n, i%37)),
			join("l"+id, id, "Somebody", []string{"sip:a@rooms.corp.example", "sip:a@corp.example", "sip:a@evil.test"}[i%3]))
		calls = append(calls, id)
	}
	return calls
}

// stir has somebody external come to a call or, if he is there, go.
func (f *feed) stir(now time.Time, call string, come bool) {
	if come {
		if f.came == nil {
			f.came = map[string]string{}
		}
		id := fmt.Sprintf("x%d-%s", f.next, call) // whose id has ended never comes again
		f.came[call] = id
		f.apply(now, join(id, call, "Somebody else", "sip:x@evil.test"))
	} else {
		f.apply(now, policy.Event{Kind: policy.LegEnded, Leg: policy.LegFacts{ID: f.came[call], Call: call}})
	}
}

func call(id, name string) policy.Event {
	return policy.Event{Kind: policy.CallStarted, Call: policy.CallFacts{ID: id, Name: name, Correlator: "corr-" + id}}
}

func join(id, call, name, address string) policy.Event {
	return policy.Event{Kind: policy.LegStarted, Leg: policy.LegFacts{ID: id, Name: name, RemoteParty: address, Type: "sip", Call: call, Connected: true}}
}

// TestRealBoard follows a meeting from its first record to its end, through the
// core and the keys.
func TestRealBoard(t *testing.T) {
	b, board := realBench(t, 160, 45)
	f := feed{board: board}
	f.apply(start, call("c1", "Cabinet briefing"), join("l1", "c1", "Room", "sip:room@rooms.corp.example"))
	b.frame().shows("1 meeting", "[1] SECURE", "Cabinet briefing", "1:1")
	f.apply(start, join("l2", "c1", "Ines", "sip:ines@corp.example"), join("l3", "c1", "Mallory", "sip:mallory@corp.example.evil.test"))
	b.frame().shows("[3] EXTERNAL", "1:1 2:1 3:1", "by Mallory").keys("enter").frame().shows("corp.example.evil.test matches no entry", "history", "joined")

	b.keys("f", "1").shows("1 external and 1 internal participants").keys("y").frame().shows("forced [1] by anna")
	v, _ := board.Meeting("corr-c1")
	if v == nil || v.Override == nil || v.Override.Level != 1 || v.Override.Who != "anna" {
		t.Fatalf("meeting %+v", v)
	}
	b.keys("a").frame().shows("automatic again")
	b.keys("f", "t").typed("Pause until 3 pm").keys("enter", "y").frame().shows("Pause until 3 pm")
	b.keys("c", "y").frame().shows("cleared by anna")

	// The external one leaves and comes back: the clear falls.
	f.apply(start, policy.Event{Kind: policy.LegEnded, Leg: policy.LegFacts{ID: "l3", Call: "c1"}})
	b.frame().shows("[2] INTERNAL")
	f.apply(start, join("l4", "c1", "Mallory", "sip:mallory@evil.test"))
	b.frame().shows("[3] EXTERNAL", "An override fell", "FELL")
	f.apply(start, policy.Event{Kind: policy.CallEnded, Call: policy.CallFacts{ID: "c1"}})
	b.frame().shows("ENDED").keys("esc").shows("ENDED").keys("esc").shows("No meetings").keys("l").shows("override fell", "call ended")
}

// TestRealBoardGap loses records: the badge gets its question mark.
func TestRealBoardGap(t *testing.T) {
	b, board := realBench(t, 160, 45)
	f := feed{board: board}
	f.apply(start, call("c1", "Cabinet briefing"), join("l1", "c1", "Room", "sip:room@rooms.corp.example"))
	f.next += 5
	f.apply(start, join("l2", "c1", "Room 2", "sip:room2@rooms.corp.example"))
	b.frame().shows("[1?] SECURE", "1 unverified")
}

// TestRealBoardStorm runs many changes through the core while frames are made
// now and then, and compares what the table holds with the board at the end.
func TestRealBoardStorm(t *testing.T) {
	b, board := realBench(t, 100, 30)
	f := feed{board: board}
	for i := range 3000 {
		id := fmt.Sprint("c", i%97)
		switch i % 5 {
		case 0, 1:
			f.apply(start, call(id, "Meeting "+id), join(fmt.Sprint("l", i), id, "Somebody", "sip:x@corp.example"))
		case 2:
			f.apply(start, join(fmt.Sprint("l", i), id, "Somebody", "sip:x@evil.test"))
		case 3:
			f.apply(start, policy.Event{Kind: policy.LegEnded, Leg: policy.LegFacts{ID: fmt.Sprint("l", i-1), Call: id}})
		case 4:
			f.apply(start, policy.Event{Kind: policy.CallEnded, Call: policy.CallFacts{ID: id}})
		}
		if i%13 == 0 {
			b.frame().screen()
		}
	}
	b.frame()
	all := board.Since(0).Meetings
	if len(all) != b.m.meetings.len() {
		t.Errorf("%d meetings in the table, %d on the board", b.m.meetings.len(), len(all))
	}
	for _, v := range all {
		if got, ok := b.m.meetings.get(v.ID); !ok || got.Version != v.Version {
			t.Errorf("%s is not as on the board", v.ID)
		}
	}
	if got := strings.Join(shownIDs(b.m), " "); got == "" {
		t.Error("nothing left to compare")
	}
}
