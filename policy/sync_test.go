package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const cms1 = "cms1.example"

// followed is a board that follows one server, cms1, whose Call Bridge has the
// GUID A.
func followed(t testing.TB, o Options) *fixture {
	f := newFixture(t, o)
	f.src.CallBridge = "A"
	f.Follow(f.now, cms1)
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, CallBridge: "A"})
	return f
}

// status polls the server a second later.
func (f *fixture) status(next int64, extra bool) {
	f.t.Helper()
	f.pass(time.Second)
	f.Polled(f.now, cms1, Poll{Began: f.now, Extra: extra, Next: next, Uptime: f.now.Sub(t0) + time.Hour})
	checkBoard(f.t, f.Board)
}

// polled polls it in its turn, which must leave a meeting verified, or not.
func (f *fixture) polled(next int64, id MeetingID, verified bool) {
	f.t.Helper()
	f.status(next, false)
	f.verified(id, verified)
}

// round reads the server's lists, as of an index.
func (f *fixture) round(next int64, calls []ListedCall, legs ...ListedLeg) {
	f.t.Helper()
	f.status(next, true)
	r, ok := f.BeginRound(f.now, cms1)
	if !ok || !f.Listed(f.now, r, calls, legs) {
		f.t.Fatalf("the lists may not be read, or were not taken (begun %t)", ok)
	}
	checkBoard(f.t, f.Board)
}

// asks takes all questions, which must be these, as "leg a", "call c", "legs c"
// or "people c". Those that only bring up to date what counts are left out.
func (f *fixture) asks(want ...string) map[string]Question {
	f.t.Helper()
	asked := map[string]Question{}
	for _, q := range f.Questions(f.now, cms1, 100) {
		if q.bits == needRefresh {
			f.Unanswered(q)
			continue
		}
		asked[[]string{AskLeg: "leg ", AskCall: "call ", AskCallLegs: "legs ", AskParticipants: "people "}[q.Kind]+q.ID] = q
	}
	for _, w := range want {
		if _, ok := asked[w]; !ok {
			f.t.Fatalf("%q is not asked, but %v", w, asked)
		}
	}
	if len(asked) != len(want) {
		f.t.Fatalf("asked %v, want %v", asked, want)
	}
	return asked
}

// in1 are lists of one call c, of meeting k.
var in1 = []ListedCall{{ID: "c", Correlator: "k"}}

// listed is what a list tells of a leg, details what its own page does.
func listed(id, call, address string) ListedLeg {
	return ListedLeg{ID: id, Call: call, RemoteAddress: address}
}

func details(id, call, address string) LegFacts {
	return LegFacts{ID: id, Call: call, RemoteAddress: address, Type: "sip", Connected: call != "", IVR: call == "", Deactivated: No}
}

// reading1 is a call's own page with so many legs.
func reading1(legs int64) CallReading {
	return CallReading{CallFacts: CallFacts{ID: "c", Correlator: "k"}, Legs: legs, Remote: -1}
}

// Callmark starts while a call runs: nothing is shown before the meeting is read,
// and then at once what it is. Only level 3 needs no waiting for.
func TestStartsAmongRunningCalls(t *testing.T) {
	for _, tc := range []struct {
		address string
		level   Level
		early   Level // what is shown before the rest is read
	}{{room, Level1, LevelNone}, {staff, Level2, LevelNone}, {alien, Level3, Level3}} {
		f := followed(t, Options{})
		f.round(40, in1, listed("a", "c", tc.address), listed("b", "c", room))
		f.verified("k", false)
		f.shown("k", LevelNone)
		q := f.asks("leg a", "leg b", "call c")
		f.AnswerLeg(f.now, q["leg a"], details("a", "c", tc.address), true)
		f.shown("k", tc.early)
		if w := f.Want(f.now, f.meeting("k").Calls[0].Ref); w.Write != (tc.early == Level3) {
			t.Errorf("%s: to write %t (%s) before all of it is read", tc.address, w.Write, w.Why)
		}
		f.AnswerLeg(f.now, q["leg b"], details("b", "c", room), true)
		f.AnswerCall(f.now, q["call c"], reading1(2), true)
		f.verified("k", false)
		f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "", tc.address), listed("b", "", room)}, true)
		f.verified("k", true)
		f.shown("k", tc.level)
		f.asks()
		// Its first record is of that Call Bridge, and all before it are known.
		f.index = 40
		f.send(join("d", "c", room))
		f.verified("k", false) // nobody knows who d is: its start is before callmark's
		q = f.asks("leg d")
		f.AnswerLeg(f.now, q["leg d"], details("d", "c", room), true)
		f.verified("k", true)
		f.computed("k", tc.level)
		if n := len(f.meeting("k").Calls); n != 1 {
			t.Errorf("%d calls, want the one that was read", n)
		}
	}
}

// That a list lacks something is only a reason to ask, and the answer holds for
// what was known when it was asked.
func TestAbsence(t *testing.T) {
	for _, tc := range []struct {
		name  string
		then  []Event // after it was asked
		there bool    // by the answer
		stays bool
	}{
		{"it is there", nil, true, true},
		{"it is gone", nil, false, false},
		{"a newer record tells of it", []Event{legUpdate("a", active, connected)}, false, true},
		{"it has ended meanwhile", []Event{legEnd("a")}, true, false},
		{"its call has ended meanwhile", []Event{callEnd("c")}, true, false},
	} {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff), callStart("d", "k"))
		f.round(4, append(in1, ListedCall{ID: "d", Correlator: "k"}))
		f.computed("k", Level2)
		q := f.asks("leg a", "call c", "call d")
		f.send(tc.then...)
		f.AnswerLeg(f.now, q["leg a"], details("a", "c", staff), tc.there)
		checkBoard(t, f.Board)
		want := LevelNone
		if tc.stays {
			want = Level2
		}
		if got := f.meeting("k").Computed; got != want {
			t.Errorf("%s: %s, want %s", tc.name, got, want)
		}
	}
}

// A call that a list lacks is asked for likewise.
func TestAbsentCall(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
	f.round(3, nil, listed("a", "c", staff))
	q := f.asks("call c")
	f.Unanswered(q["call c"])
	f.computed("k", Level2)
	f.AnswerCall(f.now, f.asks("call c")["call c"], CallReading{}, false)
	f.gone("k")
	f.asks()
}

// An explicit end wins over whatever the API says later.
func TestEndedForTheAPI(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), join("a", "c", staff), join("b", "c", room))
	f.round(3, in1, listed("a", "c", staff), listed("b", "c", room))
	q := f.asks("leg a", "leg b", "call c")
	f.send(legEnd("a"))
	f.AnswerLeg(f.now, q["leg a"], details("a", "c", staff), true)
	f.AnswerCall(f.now, q["call c"], reading1(2), true)
	q = f.asks("legs c")
	f.AnswerCallLegs(f.now, q["legs c"], []ListedLeg{listed("a", "c", staff), listed("b", "c", room)}, true)
	f.round(4, in1, listed("a", "c", staff), listed("b", "c", room))
	checkBoard(t, f.Board)
	f.computed("k", Level1)
}

// Somebody leaves after a call was counted and before its round is over: the one
// who left may have stood in for one who was missed, unless records told of all.
// A busy call that began with a record does not keep its round from ending.
func TestCountedAgain(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), callStart("d", "k"), legStart("a", in("c")), join("a", "c", staff), legStart("b", in("c")), join("b", "c", staff))
	f.round(6, append(in1, ListedCall{ID: "d", Correlator: "k"}), listed("a", "c", staff), listed("b", "c", staff))
	q := f.asks("call c", "call d")
	f.AnswerCall(f.now, q["call c"], reading1(2), true)
	f.send(legEnd("b")) // while call d is asked
	f.asks()

	f = followed(t, Options{})
	f.round(9, in1, listed("a", "c", staff), listed("b", "c", staff))
	q = f.asks("call c", "leg a", "leg b")
	f.AnswerCall(f.now, q["call c"], reading1(2), true)
	f.AnswerLeg(f.now, q["leg b"], details("b", "c", staff), true)
	q = f.asks("legs c")
	f.AnswerCallLegs(f.now, q["legs c"], []ListedLeg{listed("a", "", staff), listed("b", "", staff)}, true)
	f.index = 9
	f.send(legEnd("b")) // while leg a is asked
	f.asks("call c")
}

// A gap opens between the status and the lists that follow it, which therefore are
// of before: they are read once more.
func TestGapBeforeTheLists(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
	f.status(3, true) // of the first reading, which is due
	f.pass(time.Millisecond)
	f.lose()
	r, ok := f.BeginRound(f.now, cms1)
	if !ok || !f.Listed(f.now, r, in1, []ListedLeg{listed("a", "c", staff)}) {
		t.Fatal("the lists were not taken")
	}
	answer := func() {
		for qs := f.Questions(f.now, cms1, 100); len(qs) > 0; qs = f.Questions(f.now, cms1, 100) {
			for _, q := range qs {
				switch q.Kind {
				case AskCall:
					f.AnswerCall(f.now, q, reading1(1), true)
				case AskCallLegs:
					f.AnswerCallLegs(f.now, q, []ListedLeg{listed("a", "", staff)}, true)
				default:
					f.AnswerLeg(f.now, q, details("a", "c", staff), true)
				}
			}
		}
	}
	answer()
	f.verified("k", false)
	f.pass(time.Second)
	if why, _ := f.ListsDue(f.now, cms1); why == "" {
		t.Error("nobody reads what was missed")
	}
	f.round(5, in1, listed("a", "c", staff))
	answer()
	f.verified("k", true)
	if why, _ := f.ListsDue(f.now, cms1); why != "" {
		t.Errorf("lists are read again: %s", why)
	}
}

// The end of a leg may be the first that comes of its session, while a list still
// names it.
func TestEndBeforeTheList(t *testing.T) {
	f := newFixture(t, Options{})
	f.Follow(f.now, cms1)
	f.status(7, true)
	r, _ := f.BeginRound(f.now, cms1)
	f.index = 7
	f.send(legEnd("a"))
	f.Listed(f.now, r, in1, []ListedLeg{listed("a", "c", alien), listed("b", "c", room)})
	checkBoard(t, f.Board)
	for _, l := range f.Legs("k") {
		if l.ID == "a" {
			t.Error("a leg that has ended came back by a list")
		}
	}
}

// A gap that lists close was read: who may have changed while records were lost
// is asked for, also where the loss is noticed after the lists were read.
func TestLossAfterTheLists(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("a", in("c"), party(alien)))
	f.index++ // a is connected, and nobody hears of it
	f.round(3, in1, listed("a", "c", alien))
	f.AnswerCall(f.now, f.asks("call c")["call c"], reading1(1), true)
	f.polled(3, "k", true)
	f.polled(3, "k", false)
	f.computed("k", LevelNone)
	f.round(3, in1, listed("a", "c", alien))
	q := f.asks("leg a", "call c")
	f.AnswerLeg(f.now, q["leg a"], details("a", "c", alien), true)
	f.computed("k", Level3)
}

// A list missed one leg, and the end of another is under way: that their number
// is right proves nothing.
func TestNumberOfLegsProvesNothing(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"))
	f.index = 3 // nobody heard of a
	f.send(legStart("b", in("c")), join("b", "c", room))
	f.round(5, in1, listed("b", "c", room))
	q := f.asks("call c")
	f.AnswerCall(f.now, q["call c"], reading1(1), true) // a is there, b is not any more
	f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", alien)}, true)
	f.verified("k", false)
	q = f.asks("leg a", "leg b")
	f.AnswerLeg(f.now, q["leg a"], details("a", "c", alien), true)
	f.computed("k", Level3)
	f.AnswerLeg(f.now, q["leg b"], LegFacts{}, false)
	f.verified("k", true)
}

// One status alone may be told while records are under way.
func TestMissingAtTheSecondLook(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), join("a", "c", staff))
	f.polled(2, "k", true)
	f.polled(5, "k", true)
	f.status(5, true) // too soon after the other
	f.verified("k", true)
	f.polled(6, "k", false)
	if why := f.meeting("k").Unverified; !strings.Contains(why, "records 2 to 4") && !strings.Contains(why, "do not come") {
		t.Errorf("unverified: %q", why)
	}

	g := followed(t, Options{}) // and when they come between the two, nothing is missing
	g.send(callStart("c", "k"), join("a", "c", staff))
	g.polled(2, "k", true)
	g.polled(4, "k", true)
	g.send(legUpdate("a", lobby), legUpdate("a", active))
	g.polled(4, "k", true)
	g.polled(4, "k", true)
}

// A Call Bridge that seems to have restarted has at the second look.
func TestRestartAtTheSecondLook(t *testing.T) {
	for _, tc := range []struct {
		name   string
		next   int64
		uptime time.Duration
		then   int64 // the second
		gone   bool
	}{
		{"by its index", 1, 2 * time.Hour, 1, true},
		{"by its uptime", 9, time.Second, 9, true},
		{"one status was late", 1, 2 * time.Hour, 9, false},
		{"not at all", 9, 2 * time.Hour, 9, false},
	} {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", staff))
		poll := func(next int64, uptime time.Duration) {
			f.pass(time.Second)
			f.Polled(f.now, cms1, Poll{Began: f.now, Next: next, Uptime: uptime})
			checkBoard(t, f.Board)
		}
		poll(2, time.Hour)
		poll(tc.next, tc.uptime)
		_, begun := f.BeginRound(f.now, cms1)
		v, ok := f.Meeting("k")
		if !ok || (v.Unverified != "") != (tc.gone || tc.then > tc.next) || begun != (v.Unverified == "") {
			t.Errorf("%s: there %t, %+v after one look, a round may begin %t", tc.name, ok, v, begun)
		}
		poll(tc.then, tc.uptime)
		if _, ok := f.Meeting("k"); ok == tc.gone {
			t.Errorf("%s: there %t after two", tc.name, ok)
		}
	}
}

// When no records come it is said, and why, until they do.
func TestSilent(t *testing.T) {
	f := followed(t, Options{})
	f.status(3, false)
	f.round(3, in1)
	f.status(5, false)
	if f.Silent(cms1) {
		t.Error("silent after what one status told")
	}
	f.status(5, false)
	if !f.Silent(cms1) {
		t.Fatal("not silent, and no record has come")
	}
	f.verified("k", false)
	f.Explained(f.now, cms1, "the receiver is not in its list", "add it")
	if a := f.Since(0).Alarms; len(a) != 1 || a[0].Key != "records/"+cms1 || a[0].Remedy != "add it" {
		t.Fatalf("alarms: %+v", a)
	}
	f.index = 5
	f.send(nothing(), join("a", "c", staff))
	f.status(7, false)
	f.status(7, false)
	if f.Silent(cms1) || len(f.Since(0).Alarms) != 0 {
		t.Errorf("silent %t, alarms %+v after they come", f.Silent(cms1), f.Since(0).Alarms)
	}
}

// Records with an index that the Call Bridge has not reached are not its own:
// what it sends later is no duplicate of theirs.
func TestBogusIndex(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
	f.polled(3, "k", true)
	f.raw(Event{Index: 4, Kind: LegUpdated, Leg: LegFacts{ID: "a", RemoteAddress: room}})
	f.raw(Event{Index: 1000, Kind: CallEnded, Call: CallFacts{ID: "d"}})
	f.verified("k", false)
	f.status(3, false)
	if a := f.Since(0).Alarms; len(a) != 1 || !strings.HasPrefix(a[0].Key, "index/") {
		t.Fatalf("alarms: %+v", a)
	}
	f.round(3, in1, listed("a", "c", staff))
	q := f.asks("call c")
	f.computed("k", Level2) // what was read wins over what was made up
	f.AnswerCall(f.now, q["call c"], reading1(1), true)
	f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", staff)}, true)
	f.verified("k", true)
	f.index = 3
	f.send(nothing())
	if done := f.raw(f.number(legUpdate("a", from(alien)))...); done.Taken != 1 {
		t.Errorf("%+v for a record that is no duplicate", done)
	}
	f.computed("k", Level3)
	f.verified("k", true)
}

func TestSkew(t *testing.T) {
	f := followed(t, Options{})
	for _, tc := range []struct {
		off  time.Duration
		want string
	}{
		{29 * time.Second, ""}, {40 * time.Second, "40s ahead of"}, {50 * time.Second, "40s ahead of"},
		{0, ""}, {-31 * time.Second, "31s behind"}, {-30 * time.Second, ""},
	} {
		f.pass(time.Second)
		f.Polled(f.now, cms1, Poll{Began: f.now, Next: 0, Uptime: -1, Clock: f.now.Add(tc.off)})
		alarms := f.Since(0).Alarms
		if (tc.want != "") != (len(alarms) == 1) || tc.want != "" && !strings.Contains(alarms[0].Text, tc.want) {
			t.Errorf("%s: alarms %+v, want %q", tc.off, alarms, tc.want)
		}
	}
}

// Of a leg or call that ended while the lists were read, with more after it than
// are remembered, they tell what is no longer so. What had been said to have ended
// before, or was not known, is asked for: what was said may be made up.
func TestForgottenWhileListed(t *testing.T) {
	f := followed(t, Options{Bounds: Bounds{DepartedPerSess: 2}})
	f.send(callStart("c", "k"), join("a", "c", room), join("b", "c", alien))
	f.status(f.index, true)
	r, ok := f.BeginRound(f.now, cms1)
	if !ok {
		t.Fatal("the lists may not be read")
	}
	f.send(join("d", "c", alien), join("e", "c", alien), legEnd("e"), callStart("x", ""))
	calls := []ListedCall{in1[0], {ID: "x"}, {ID: "y"}}
	legs := []ListedLeg{listed("a", "c", room), listed("b", "c", alien), listed("d", "c", alien), listed("e", "c", alien), listed("z", "c", staff)}
	f.Paged(f.now, r, calls, nil)
	f.Paged(f.now, r, nil, legs)
	f.send(legEnd("b"), legEnd("d"), callEnd("x"))
	for i := range 3 {
		id := fmt.Sprint("l", i)
		f.send(join(id, "c", room), legEnd(id))
	}
	if !f.Listed(f.now, r, calls, legs) {
		t.Fatal("the lists were not taken")
	}
	checkBoard(t, f.Board)
	f.asks("call c", "call y", "leg a", "leg e", "leg z") // c and a began before their records
	if s := f.sessionOn(cms1); s.legs["b"] != nil || s.legs["d"] != nil || s.legs["z"] == nil {
		t.Errorf("who left is known again, or who was not known is not: %v", s.legs)
	}
	f.gone("call:x")

	// So is what was known no more when its page came.
	f.status(f.index, true)
	if r, ok = f.BeginRound(f.now, cms1); !ok {
		t.Fatal("the lists may not be read")
	}
	legs = []ListedLeg{listed("a", "c", room), listed("b", "c", alien)}
	f.Paged(f.now, r, nil, legs)
	if !f.Listed(f.now, r, in1, legs) {
		t.Fatal("the lists were not taken")
	}
	f.verified("k", false)
	if f.sessionOn(cms1).legs["b"] == nil {
		t.Error("a listed leg was left out")
	}
}

// An unverified meeting is at level 3 when nothing has told more of it for five
// seconds; while its Call Bridge is being read it is not.
func TestGraceWithProgress(t *testing.T) {
	begin := func() (*fixture, Round) {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
		f.write("k")
		f.index++
		f.send(nothing())
		f.verified("k", false)
		f.status(5, true)
		r, _ := f.BeginRound(f.now, cms1)
		return f, r
	}
	for name, progress := range map[string]func(*fixture, Round){
		"pages": func(f *fixture, r Round) { f.Paged(f.now, r, nil, nil) },
		"lists": func(f *fixture, r Round) { f.Listed(f.now, r, in1, []ListedLeg{listed("a", "c", staff)}) },
		"answers": func(f *fixture, r Round) {
			f.Listed(f.now, r, in1, []ListedLeg{listed("a", "c", staff)})
			for _, q := range f.Questions(f.now, cms1, 1) {
				switch q.Kind {
				case AskCall:
					f.AnswerCall(f.now, q, CallReading{Legs: -1, Remote: -1}, true)
				case AskLeg:
					f.AnswerLeg(f.now, q, details("a", "c", staff), true)
				default:
					f.AnswerCallLegs(f.now, q, []ListedLeg{listed("a", "c", staff), listed(fmt.Sprint(f.now.Unix()), "c", staff)}, true)
				}
			}
		},
	} {
		f, r := begin()
		for range 5 {
			f.pass(3 * time.Second)
			if v := f.meeting("k"); v.Unverified == "" || v.Shown != Level2 {
				t.Errorf("%s: shown %s (%q) with progress", name, v.Shown, v.Unverified)
			}
			progress(f, r)
			checkBoard(t, f.Board)
		}
		f.pass(4 * time.Second)
		f.shown("k", Level2)
		f.pass(time.Second)
		f.shown("k", Level3)
	}
	f, _ := begin()
	f.pass(4 * time.Second)
	f.shown("k", Level3)
}

// A session proves to be an older one of a server after its status told what is
// missing of the one that runs there: the status still counts.
func TestOlderSessionAfterTheStatus(t *testing.T) {
	f := newFixture(t, Options{})
	f.src.CallBridge = "A"
	f.Follow(f.now, cms1)
	f.send(nothing())
	f.pass(time.Second)
	f.src, f.index = Source{Session: "s2", Address: f.src.Address}, 0
	f.send(callStart("c", "k"), legStart("a", in("c")))
	f.round(2, in1, listed("a", "c", staff)) // s2 runs there
	f.AnswerCall(f.now, f.asks("call c")["call c"], reading1(1), true)
	f.polled(2, "k", true)
	f.polled(3, "k", true) // a is connected, and the record is lost
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, CallBridge: "A"})
	f.verified("k", true)
	f.polled(3, "k", false)
}

// A record comes late, of a leg that only the API had told of, and its status has
// told twice of those that came after it: what these say is not known yet.
func TestLateRecordOfWhatTheAPITold(t *testing.T) {
	for _, guid := range []string{"", "A"} { // "": the session is known by the leg alone
		f := newFixture(t, Options{})
		f.src.CallBridge = guid
		f.Follow(f.now, cms1)
		f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, Identified: true, CallBridge: guid})
		f.round(13, in1, listed("a", "c", alien))
		q := f.asks("leg a", "call c")
		f.AnswerCall(f.now, q["call c"], reading1(1), true)
		f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", alien)}, true)
		f.polled(13, "k", false)
		f.polled(13, "k", false)
		f.index = 5
		f.send(legStart("a", in("c"), from(alien)))
		f.verified("k", false) // it may be connected by another
		f.AnswerLeg(f.now, q["leg a"], details("a", "c", alien), true)
		f.verified("k", true)
		f.computed("k", Level3)
	}
}

// TestBogusIndexAmongMany: nor are they its own while records keep coming, some
// of them while the status is under way.
func TestBogusIndexAmongMany(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("a", in("c")), join("a", "c", staff))
	f.polled(3, "k", true)
	forged := Event{Index: 1000, Kind: Other}
	for i := range int64(2) {
		f.raw(forged)
		f.now = f.now.Add(time.Second)
		f.Polled(f.now, cms1, Poll{Began: f.now.Add(-time.Minute), Next: 3 + i, Uptime: -1}) // long under way
	}
	if a := f.Since(0).Alarms; len(a) != 1 || !strings.HasPrefix(a[0].Key, "index/") {
		t.Fatalf("alarms: %+v", a)
	}
	f.index = 5
	if done := f.raw(f.number(legUpdate("a", from(alien)))...); done.Taken != 1 {
		t.Errorf("%+v for a record that is no duplicate", done)
	}
	f.computed("k", Level3)
}

// TestRunThatGoesOn: records of a run that another is said to have followed are
// dropped, and an alarm says so once they cannot be late any more.
func TestRunThatGoesOn(t *testing.T) {
	f := followed(t, Options{})
	f.src.CallBridge = "A"
	f.send(callStart("c", "k"))
	forged := f.src
	forged.Session = "made-up"
	f.Apply(f.now, forged, []Event{{Kind: Other, Time: f.now}})
	alarms := func() (n int) {
		for _, a := range f.Since(0).Alarms {
			if strings.HasPrefix(a.Key, "restart/") {
				n++
			}
		}
		return n
	}
	goes := func(after time.Duration) {
		f.now = f.now.Add(after)
		done := f.raw(Event{Index: 1, Kind: Other, Time: f.now})
		if done.Dropped != 1 {
			t.Errorf("%+v", done)
		}
	}
	goes(time.Second)
	if alarms() != 0 {
		t.Error("an alarm about what may be late")
	}
	goes(lateRecords)
	goes(time.Second)
	if alarms() != 1 {
		t.Errorf("alarms: %+v", f.Since(0).Alarms)
	}
}

// A call that a list has missed is asked for its legs all the same.
func TestMissedCall(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"), legStart("b", in("c")), join("b", "c", room))
	f.lose() // a joins
	f.verified("k", false)
	f.round(5, nil, listed("b", "c", room))
	q := f.asks("call c")
	f.AnswerCall(f.now, q["call c"], reading1(2), true)
	f.verified("k", false)
	f.AnswerCallLegs(f.now, f.asks("legs c")["legs c"], []ListedLeg{listed("a", "c", alien), listed("b", "c", room)}, true)
	f.AnswerLeg(f.now, f.asks("leg a")["leg a"], details("a", "c", alien), true)
	f.verified("k", true)
	f.computed("k", Level3)
}

// A list that was read while its Call Bridge restarted names what is of two runs:
// what the API told of the one does not go into the session of the other.
func TestListOfTwoRuns(t *testing.T) {
	f := newFixture(t, Options{})
	f.Follow(f.now, cms1)
	f.round(5, in1, listed("a", "c", room))
	f.status(5, true)
	r, _ := f.BeginRound(f.now, cms1)
	f.send(legStart("b")) // of the next run
	if f.Listed(f.now, r, in1, []ListedLeg{listed("a", "c", room), listed("b", "", room)}) {
		t.Error("a list of two runs was taken")
	}
	checkBoard(t, f.Board)
	f.src.Session, f.index = "s0", 3 // late, of the run before
	end := f.number(legEnd("a"))
	end[0].Time = t0.Add(-time.Hour)
	f.raw(end...)
	for _, l := range f.Legs("k") {
		t.Errorf("%+v is in the meeting, and has ended", l)
	}
}
