package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Addresses of each level by siteRules.
const (
	room  = "room@secure.example"
	staff = "ann@corp.example"
	alien = "eve@evil.test"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func siteRules(t testing.TB) *Rules {
	return mustRules(t, []string{"secure.example"}, []string{"corp.example"})
}

// fixture is a board with one Call Bridge that sends to it. Index counts its
// records.
type fixture struct {
	*Board
	t     testing.TB
	now   time.Time
	src   Source
	index int64
}

func newFixture(t testing.TB, o Options) *fixture {
	if o.Rules == nil {
		o.Rules = siteRules(t)
	}
	return &fixture{Board: NewBoard(o), t: t, now: t0, src: Source{Session: "s1", Address: "192.0.2.1"}}
}

// other is another Call Bridge of the same board.
func (f *fixture) other(session, bridge string) *fixture {
	g := *f
	g.src, g.index = Source{Session: session, CallBridge: bridge, Address: "192.0.2.2"}, 0
	return &g
}

// confirmed has a record of the Call Bridge come and a server confirm it.
func (f *fixture) confirmed(server string) *fixture {
	f.t.Helper()
	f.send(nothing())
	f.Bind(f.now, f.src.Session, server, Proven)
	checkBoard(f.t, f.Board)
	return f
}

// raw sends a document as it is.
func (f *fixture) raw(events ...Event) Applied {
	f.t.Helper()
	done := f.Apply(f.now, f.src, events)
	checkBoard(f.t, f.Board)
	return done
}

// send numbers the events and sends each as a document.
func (f *fixture) send(events ...Event) {
	f.t.Helper()
	for _, e := range f.number(events...) {
		f.raw(e)
	}
}

// number gives events the next indexes.
func (f *fixture) number(events ...Event) []Event {
	for i := range events {
		events[i].Index, events[i].Time = f.index, f.now
		f.index++
	}
	return events
}

// pass lets time pass.
func (f *fixture) pass(d time.Duration) {
	f.now = f.now.Add(d)
	f.Tick(f.now)
	checkBoard(f.t, f.Board)
}

// meeting is the view of a meeting that must be there.
func (f *fixture) meeting(id MeetingID) *MeetingView {
	f.t.Helper()
	v, ok := f.Meeting(id)
	if !ok {
		f.t.Fatalf("no meeting %s", id)
	}
	return v
}

func (f *fixture) gone(id MeetingID) {
	f.t.Helper()
	if v, ok := f.Meeting(id); ok {
		f.t.Fatalf("meeting %s is there at level %s, it has ended", id, v.Computed)
	}
}

func (f *fixture) computed(id MeetingID, want Level) {
	f.t.Helper()
	if v := f.meeting(id); v.Computed != want {
		f.t.Fatalf("meeting %s: computed %s, want %s", id, v.Computed, want)
	}
}

func (f *fixture) shown(id MeetingID, want Level) {
	f.t.Helper()
	if v := f.meeting(id); v.Shown != want {
		f.t.Fatalf("meeting %s: shown %s, want %s (computed %s, unverified %q)", id, v.Shown, want, v.Computed, v.Unverified)
	}
}

func (f *fixture) verified(id MeetingID, want bool) {
	f.t.Helper()
	if v := f.meeting(id); (v.Unverified == "") != want {
		f.t.Fatalf("meeting %s: verified %t, want %t (%q)", id, v.Unverified == "", want, v.Unverified)
	}
}

// fact sets one thing that a record says of a leg.
type fact func(*LegFacts)

func in(call string) fact      { return func(l *LegFacts) { l.Call = call } }
func from(address string) fact { return func(l *LegFacts) { l.RemoteAddress = address } }
func party(address string) fact {
	return func(l *LegFacts) { l.RemoteParty = address }
}
func sub(subType string) fact { return func(l *LegFacts) { l.SubType = subType } }
func group(id string) fact    { return func(l *LegFacts) { l.Group = id } }
func named(name string) fact  { return func(l *LegFacts) { l.Name = name } }
func connected(l *LegFacts)   { l.Connected = true }
func ivr(l *LegFacts)         { l.IVR = true }
func lobby(l *LegFacts)       { l.Deactivated = Yes }
func active(l *LegFacts)      { l.Deactivated = No }
func acano(l *LegFacts)       { l.Type = "acano" }
func guest(l *LegFacts)       { l.Guest = Yes }
func recorder(l *LegFacts)    { l.Recorder = true }

func legEvent(kind EventKind, id string, facts []fact) Event {
	e := Event{Kind: kind, Leg: LegFacts{ID: id}}
	for _, f := range facts {
		f(&e.Leg)
	}
	return e
}

func legStart(id string, facts ...fact) Event  { return legEvent(LegStarted, id, facts) }
func legUpdate(id string, facts ...fact) Event { return legEvent(LegUpdated, id, facts) }
func legEnd(id string, facts ...fact) Event    { return legEvent(LegEnded, id, facts) }

// join is an update that puts a leg into a call.
func join(id, call, address string, facts ...fact) Event {
	return legEvent(LegUpdated, id, append([]fact{in(call), connected, from(address)}, facts...))
}

// callStart starts a call; without a correlator if that is empty.
func callStart(id, correlator string) Event {
	return Event{Kind: CallStarted, Call: CallFacts{ID: id, Correlator: correlator}}
}

func callEnd(id string) Event { return Event{Kind: CallEnded, Call: CallFacts{ID: id}} }

// nothing is a record that changes no meeting.
func nothing() Event { return Event{} }

// missing makes an event say that records before it were discarded.
func missing(e Event, n int64) Event {
	e.Missing = n
	return e
}

// checkBoard recounts everything that the board keeps a count of.
func checkBoard(t interface {
	Helper()
	Fatalf(string, ...any)
}, b *Board) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("the board is inconsistent: "+format, args...)
	}
	var byType RecordCounts
	for _, n := range b.measured.records {
		byType.Taken, byType.Duplicates, byType.Dropped = byType.Taken+n.Taken, byType.Duplicates+n.Duplicates, byType.Dropped+n.Dropped
	}
	if byType != (RecordCounts{b.totals.Records, b.totals.Duplicates, b.totals.Dropped}) {
		fail("records by type come to %+v, the totals are %+v", byType, b.totals)
	}
	var want Totals
	legs, attached, departed := 0, 0, 0
	for id, s := range b.sessions {
		if id != s.id {
			fail("session %s is kept as %s", s.id, id)
		}
		live, inCalls, whole := 0, 0, 0
		legs += len(s.legs)
		for _, l := range s.legs {
			if l.ended != (l.told == &nobody) || nobody != (told{}) {
				fail("leg %s has ended %t, and this is known: %+v of %+v", l.id, l.ended, l.told, nobody)
			}
		}
		for _, other := range b.sessions {
			if s.alone == b.proofs && s.sureness == Proven && other != s && other.sureness == Proven && other.server == s.server {
				fail("session %s was found alone on %s, and so is %s", id, s.server, other.id)
			}
		}
		departed += s.departed.len()
		if s.departed.len() > b.o.Bounds.DepartedPerSess {
			fail("session %s remembers %d departures", id, s.departed.len())
		}
		for _, c := range s.calls {
			attached++
			if (c.meeting != nil) != c.alive() {
				fail("call %s: alive %t, in a meeting %t", c.id, c.alive(), c.meeting != nil)
			}
			if (c.meeting != nil) != (b.refs[c.ref] == c) {
				fail("call %s: its reference does not follow", c.id)
			}
			if _, is := s.whole[c]; is != c.whole || c.whole != (c.meeting != nil && c.incomplete() == "") {
				fail("call %s: complete %t, kept as complete %t (%t)", c.id, c.incomplete() == "", c.whole, is)
			}
			if c.whole {
				whole++
			}
			if c.meeting == nil {
				continue
			}
			live++
			links := 0
			for pos, l := range c.legs {
				inCalls++
				if l.call != c || int(l.pos) != pos || l.ended || s.legs[l.id] != l {
					fail("leg %s in call %s: call %v, position %d of %d, ended %t", l.id, c.id, l.call == c, l.pos, pos, l.ended)
				}
				if l.knownAt() < c.least {
					fail("leg %s is known as of %d, less than the least %d of call %s", l.id, l.knownAt(), c.least, c.id)
				}
				if l.isLink() {
					links++
				}
				if l.isLink() != l.countedLink {
					fail("leg %s: link %t, counted as one %t", l.id, l.isLink(), l.countedLink)
				}
			}
			if covered := c.links <= c.meeting.otherCalls(s); covered != c.covered {
				fail("call %s: links covered %t, kept as %t", c.id, covered, c.covered)
			}
			if links != c.links {
				fail("call %s has %d links, not %d", c.id, links, c.links)
			}
		}
		if live != s.live || inCalls != s.inCalls {
			fail("session %s: %d calls and %d legs, counted as %d and %d", id, live, inCalls, s.live, s.inCalls)
		}
		if whole != len(s.whole) {
			fail("session %s: %d complete calls, kept are %d", id, whole, len(s.whole))
		}
		want.Calls += live
	}
	if legs != b.legs || attached != b.calls {
		fail("%d legs and %d calls are kept, counted as %d and %d", legs, attached, b.legs, b.calls)
	}
	if want.Calls != len(b.refs) {
		fail("%d references for %d calls", len(b.refs), want.Calls)
	}
	listed := 0
	for m := b.oldest; m != nil; m = m.next {
		listed++
		if b.meetings[m.id] != m || m.version > b.version || (m.next != nil && m.next.version <= m.version) || (m.next == nil && b.newest != m) {
			fail("meeting %s is out of place in the list", m.id)
		}
	}
	if listed != len(b.meetings) || len(b.touched) != 0 {
		fail("%d of %d meetings in the list, %d left to settle", listed, len(b.meetings), len(b.touched))
	}
	for _, m := range b.meetings {
		want.Meetings++
		want.Levels[m.computed]++
		if m.unverified != "" {
			want.Unverified++
		}
		if m.override != nil {
			want.Overridden++
		}
		if _, held := b.saved.held[m]; held != (m.override != nil) || m.restored && m.override == nil {
			fail("meeting %s: override %v, kept for the next start %t, restored %t", m.id, m.override, held, m.restored)
		}
		if (m.unverified != "") != (m.incomplete() != "") { // of two reasons the first one may stay
			fail("meeting %s: unverified %q, incomplete %q", m.id, m.unverified, m.incomplete())
		}
		checkHosted(fail, m)
		var counts [4]int32
		failing := false
		if len(m.calls) == 0 {
			fail("meeting %s has no call", m.id)
		}
		for _, c := range m.calls {
			failing = failing || c.failure != ""
			if c.meeting != m {
				fail("call %s is in another meeting than %s", c.id, m.id)
			}
			if w := b.marking(m, c); w != c.wanted {
				fail("call %s wants %v, its meeting %v", c.id, c.wanted, w)
			}
			for _, l := range c.legs {
				level := b.levelOf(l)
				if level != l.counted {
					fail("leg %s counts as %s, should as %s", l.id, l.counted, level)
				}
				if level != LevelNone {
					counts[level]++
					want.Legs++
				}
			}
		}
		if failing {
			want.Failing++
		}
		if counts[1] != m.counts[1] || counts[2] != m.counts[2] || counts[3] != m.counts[3] {
			fail("meeting %s: legs by level %v, counted as %v", m.id, counts, m.counts)
		}
		if want := m.highest(); b.full == "" && m.computed != want {
			fail("meeting %s: computed %s, should be %s", m.id, m.computed, want)
		}
	}
	want.Records, want.Duplicates, want.Dropped = b.totals.Records, b.totals.Duplicates, b.totals.Dropped
	if want.Overridden != len(b.saved.held) {
		fail("%d overrides hold, %d are kept for the next start", want.Overridden, len(b.saved.held))
	}
	if want != b.totals {
		fail("totals %+v, recounted %+v", b.totals, want)
	}
}

// state is a meeting in a few words: "2 people 0/1/0 waiting 1 others 0".
func state(v *MeetingView) string {
	s := fmt.Sprintf("%s people %d/%d/%d", v.Computed, v.People[1], v.People[2], v.People[3])
	if v.Waiting > 0 {
		s += fmt.Sprintf(" waiting %d", v.Waiting)
	}
	if v.Others > 0 {
		s += fmt.Sprintf(" others %d", v.Others)
	}
	return s
}

func TestCounting(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []Event
		want   string
	}{
		{"empty call", nil, "none people 0/0/0"},
		{"connected", []Event{join("a", "c", room)}, "1 people 1/0/0"},
		{"start with call, not connected", []Event{legStart("a", in("c"), from(alien))}, "none people 0/0/0 waiting 1"},
		{"update with call, not connected", []Event{legUpdate("a", in("c"), from(alien))}, "none people 0/0/0 waiting 1"},
		{"usual join", []Event{legStart("a", party(staff)), legUpdate("a", in("c"), connected)}, "2 people 0/1/0"},
		{"connected before the call is known", []Event{legUpdate("a", connected, from(staff)), legUpdate("a", in("c"))}, "2 people 0/1/0"},
		{"connected is sticky", []Event{join("a", "c", alien), legUpdate("a"), legUpdate("a", in("c"))}, "3 people 0/0/1"},
		{"an update without state or call", []Event{join("a", "c", alien), legUpdate("a", named("Eve"))}, "3 people 0/0/1"},
		{"through the IVR", []Event{legStart("a", party(alien)), legUpdate("a", ivr), legUpdate("a", in("c"), connected)}, "3 people 0/0/1"},
		{"in the IVR", []Event{join("a", "c", alien), legUpdate("a", ivr, connected)}, "none people 0/0/0"},
		{"back from the IVR", []Event{join("a", "c", alien), legUpdate("a", ivr), legUpdate("a", in("c"), connected)}, "3 people 0/0/1"},
		{"lobby", []Event{join("a", "c", alien, lobby)}, "none people 0/0/0 waiting 1"},
		{"into the lobby", []Event{join("a", "c", alien), legUpdate("a", lobby, connected)}, "none people 0/0/0 waiting 1"},
		{"out of the lobby", []Event{join("a", "c", alien, lobby), legUpdate("a", active)}, "3 people 0/0/1"},
		{"lobby unsaid later", []Event{join("a", "c", alien, lobby), legUpdate("a", connected)}, "none people 0/0/0 waiting 1"},
		{"ended", []Event{join("a", "c", alien), join("b", "c", room), legEnd("a")}, "1 people 1/0/0"},
		{"moved to another call", []Event{join("a", "c", alien), join("b", "c", room), legUpdate("a", in("d"))}, "1 people 1/0/0"},
		{"moved here", []Event{join("a", "d", alien), legUpdate("a", in("c"))}, "3 people 0/0/1"},
		{"moved here, in the IVR between", []Event{join("a", "d", alien), legUpdate("a", ivr), legUpdate("a", in("c"), connected)}, "3 people 0/0/1"},

		{"recorder", []Event{join("a", "c", alien, recorder)}, "none people 0/0/0 others 1"},
		{"recorder known late", []Event{join("a", "c", alien), legUpdate("a", recorder)}, "none people 0/0/0 others 1"},
		{"an app that records is a person", []Event{join("a", "c", room, recorder, acano)}, "3 people 0/0/1"},
		{"link to nowhere", []Event{join("a", "c", room, sub("distributionLink"))}, "3 people 0/0/1"},
		{"link of a web guest is a person", []Event{join("a", "c", room, sub("distributionLink"), guest)}, "3 people 0/0/1"},
		{"lyncDistribution", []Event{join("a", "c", staff, sub("lyncDistribution"))}, "2 people 0/1/0"},
		{"lync", []Event{join("a", "c", room, sub("lync"))}, "1 people 1/0/0"},
		{"avaya", []Event{join("a", "c", room, sub("avaya"))}, "1 people 1/0/0"},

		{"app", []Event{join("a", "c", room, acano)}, "3 people 0/0/1"},
		{"web app", []Event{join("a", "c", room, sub("webApp"))}, "3 people 0/0/1"},
		{"guest", []Event{join("a", "c", room, guest)}, "3 people 0/0/1"},
		{"app known at the start only", []Event{legStart("a", acano), join("a", "c", room)}, "3 people 0/0/1"},
		{"guest said no", []Event{join("a", "c", room, func(l *LegFacts) { l.Guest = No })}, "1 people 1/0/0"},
		{"unknown type", []Event{join("a", "c", room, func(l *LegFacts) { l.Type, l.SubType = "teleporter", "beam" })}, "1 people 1/0/0"},

		{"no address", []Event{legUpdate("a", in("c"), connected)}, "3 people 0/0/1"},
		{"a bare number", []Event{join("a", "c", "0701234567")}, "3 people 0/0/1"},
		{"two at signs", []Event{join("a", "c", "secure.example@evil.test")}, "3 people 0/0/1"},
		{"remoteAddress wins over remoteParty", []Event{join("a", "c", alien, party(room))}, "3 people 0/0/1"},
		{"a transfer", []Event{join("a", "c", room), legUpdate("a", from(alien))}, "3 people 0/0/1"},
		{"a transfer back", []Event{join("a", "c", alien), legUpdate("a", from(room))}, "1 people 1/0/0"},
		{"remoteParty after remoteAddress", []Event{join("a", "c", alien), legUpdate("a", party(room))}, "3 people 0/0/1"},

		{"the highest", []Event{join("a", "c", room), join("b", "c", staff), join("d", "c", room)}, "2 people 2/1/0"},
		{"all levels", []Event{join("a", "c", room), join("b", "c", staff), join("d", "c", alien)}, "3 people 1/1/1"},
		{"a group is one person", []Event{join("a", "c", staff, group("g")), join("b", "c", staff, group("g")), join("d", "c", room)}, "2 people 1/1/0"},
		{"a group is as its least trusted", []Event{join("a", "c", room, group("g")), join("b", "c", alien, group("g"))}, "3 people 0/0/1"},
		{"two groups", []Event{join("a", "c", room, group("g")), join("b", "c", room, group("h"))}, "1 people 2/0/0"},
		{"a group said late", []Event{join("a", "c", room), join("b", "c", room), legUpdate("a", group("g")), legUpdate("b", group("g"))}, "1 people 1/0/0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.send(callStart("c", ""))
			f.send(tc.events...)
			if got := state(f.meeting("call:c")); got != tc.want {
				t.Errorf("record by record: %s, want %s", got, tc.want)
			}

			f = newFixture(t, Options{})
			f.raw(f.number(append([]Event{callStart("c", "")}, tc.events...)...)...)
			if got := state(f.meeting("call:c")); got != tc.want {
				t.Errorf("in one document: %s, want %s", got, tc.want)
			}
		})
	}
}

// TestOrderDoesNotMatter gives every table of records in every rotation and
// backwards: what the board holds follows from the set of records alone.
func TestOrderDoesNotMatter(t *testing.T) {
	events := []Event{
		callStart("c", "k"), legStart("a", party(room), in("c")), legUpdate("a", connected), legUpdate("a", from(staff)),
		legStart("b", acano), legUpdate("b", ivr), legUpdate("b", in("c"), connected, lobby), legUpdate("b", active),
		join("d", "c", alien), legEnd("d"), join("e", "x", alien), legUpdate("e", in("c")),
		join("g", "y", room), callEnd("y"), legUpdate("g", in("c")), legEnd("h", in("z")),
	}
	const want = "3 people 1/1/2"
	try := func(how string, order []int) {
		f := newFixture(t, Options{})
		numbered := f.number(append([]Event(nil), events...)...)
		for _, i := range order {
			f.raw(numbered[i])
		}
		if got := state(f.meeting("k")); got != want {
			t.Errorf("%s: %s, want %s", how, got, want)
		}
		f.gone("call:y")
		f.meeting("call:x")
		if f.verified("k", true); f.Since(0).Totals.Meetings != 2 {
			t.Errorf("%s: %d meetings, want 2", how, f.Since(0).Totals.Meetings)
		}
	}
	n := len(events)
	for shift := range n {
		var forth, back []int
		for i := range n {
			forth = append(forth, (i+shift)%n)
			back = append(back, (n-1-i+shift)%n)
		}
		try(fmt.Sprintf("rotated by %d", shift), forth)
		try(fmt.Sprintf("backwards, rotated by %d", shift), back)
	}
}

func TestLinks(t *testing.T) {
	const (
		watched   = "link@cms2.example"
		unwatched = "link@cms9.example"
	)
	link := sub("distributionLink")
	for _, tc := range []struct {
		name   string
		events []Event // of the first Call Bridge, in call c of meeting k
		second bool    // the second Call Bridge has a call of the meeting
		want   string
	}{
		{"to a watched host", []Event{join("a", "c", watched, link)}, false, "none people 0/0/0 others 1"},
		{"to an unwatched host", []Event{join("a", "c", unwatched, link)}, false, "3 people 0/0/1"},
		{"to an unwatched host beside a watched call", []Event{join("a", "c", unwatched, link)}, true, "3 people 0/0/1"},
		{"to an unknown host", []Event{join("a", "c", "x@192.0.2.77", link)}, false, "3 people 0/0/1"},
		{"to an unknown host beside a watched call", []Event{join("a", "c", "x@192.0.2.77", link)}, true, "none people 0/0/0 others 1"},
		{"without an address", []Event{legUpdate("a", in("c"), connected, link)}, false, "3 people 0/0/1"},
		{"one more than there are calls", []Event{join("a", "c", "x@192.0.2.77", link), join("b", "c", "x@192.0.2.78", link)}, true, "3 people 0/0/2"},
		{"not connected", []Event{legUpdate("a", in("c"), from(unwatched), link)}, false, "none people 0/0/0 others 1"},
		{"by its host alone, unwatched", []Event{join("a", "c", unwatched)}, true, "3 people 0/0/1"},
		{"by its host alone, watched, beside a call", []Event{join("a", "c", watched)}, true, "none people 0/0/0 others 1"},
		{"by its host alone, watched, and no call to lead to", []Event{join("a", "c", watched)}, false, "3 people 0/0/1"},
		{"one real and one that only says so", []Event{join("a", "c", watched, link), join("b", "c", "eve@cms2.example")}, true, "3 people 0/0/1 others 1"},
		{"a link that becomes a person by its address", []Event{join("a", "c", watched), legUpdate("a", from(staff))}, true, "2 people 0/1/0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, late := range []bool{false, true} {
				f := newFixture(t, Options{})
				hosts := func() { f.SetHosts(f.now, []string{"cms2.example"}, []string{"cms9.example"}) }
				if !late {
					hosts()
				}
				if tc.second && !late {
					f.other("s2", "").confirmed("cms2").send(callStart("c2", "k"))
				}
				f.send(callStart("c", "k"))
				f.send(tc.events...)
				if late {
					hosts()
					if tc.second {
						f.other("s2", "").confirmed("cms2").send(callStart("c2", "k"))
					}
				}
				checkBoard(t, f.Board)
				if got := state(f.meeting("k")); got != tc.want {
					t.Errorf("late %t: %s, want %s", late, got, tc.want)
				}
			}
		})
	}
}

// TestLinkLosesItsCall has the other Call Bridge's call end, and come back: what
// the link leads to is not known meanwhile.
func TestLinkLosesItsCall(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", "k"), join("p", "c", room), join("l", "c", "x@192.0.2.77", sub("distributionLink")))
	f.computed("k", Level3)
	g := f.other("s2", "").confirmed("cms2")
	g.send(callStart("c2", "k"))
	f.computed("k", Level1)
	g.send(callEnd("c2"))
	f.computed("k", Level3)
	g.send(callStart("c3", "k"))
	f.computed("k", Level1)
	g.send(join("q", "c3", staff))
	f.computed("k", Level2)
	f.send(legEnd("l"))
	f.computed("k", Level2)
	if v := f.meeting("k"); len(v.Calls) != 2 || v.Others != 0 {
		t.Errorf("%d calls, %d others", len(v.Calls), v.Others)
	}
}

func TestEvidence(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""),
		join("a", "c", "x@sub.secure.example:5060", named("Room")),
		join("b", "c", staff, named("Ann\x1b[31m"), group("g\x1b")),
		join("d", "c", staff, guest, named("Web")),
		join("e", "c", alien),
		legStart("w", in("c"), from(alien)))
	want := []LegView{
		{ID: "e", Level: Level3, Type: "SIP", Evidence: Evidence{Rule: RuleNoEntry}, Domain: "evil.test", Counts: true, Presence: InMeeting},
		{ID: "d", Level: Level3, Type: "web guest", Evidence: Evidence{Rule: RuleWebApp}, Domain: "corp.example", Counts: true, Presence: InMeeting},
		{ID: "b", Level: Level2, Type: "SIP", Evidence: Evidence{Rule: RuleInternalEntry, Entry: "corp.example"}, Domain: "corp.example", Counts: true, Presence: InMeeting},
		{ID: "a", Level: Level1, Type: "SIP", Evidence: Evidence{Rule: RuleSecureEntry, Entry: "secure.example"}, Domain: "sub.secure.example", Counts: true, Presence: InMeeting},
		{ID: "w", Level: Level3, Type: "SIP", Evidence: Evidence{Rule: RuleNoEntry}, Domain: "evil.test", Presence: Connecting},
	}
	legs := f.Legs("call:c")
	if len(legs) != len(want) {
		t.Fatalf("%d legs, want %d", len(legs), len(want))
	}
	for i, l := range legs {
		w := want[i]
		if l.ID != w.ID || l.Level != w.Level || l.Type != w.Type || l.Evidence.Rule != w.Evidence.Rule || l.Evidence.Entry != w.Evidence.Entry ||
			l.Domain != w.Domain || l.Counts != w.Counts || l.Presence != w.Presence || l.Evidence.Level != l.Level {
			t.Errorf("leg %d: %+v", i, l)
		}
		for _, s := range []string{l.Name, l.Group, l.Address} {
			if s != Clean(s, 1000) {
				t.Errorf("leg %s shows %q", l.ID, s)
			}
		}
	}
	if h := f.meeting("call:c").Holder; h.Leg != "d" || h.Evidence.Rule != RuleWebApp {
		t.Errorf("held up by %+v, want the one who came first", h)
	}
	f.send(legEnd("d"), legEnd("e"))
	if h := f.meeting("call:c").Holder; h.Leg != "b" {
		t.Errorf("held up by %+v, want b", h)
	}
	f.send(legEnd("a"), legEnd("b"))
	if h := f.meeting("call:c").Holder; h != (Holder{}) {
		t.Errorf("held up by %+v, want nobody", h)
	}
	if f.Legs("nowhere") != nil {
		t.Error("a meeting that is not has legs")
	}
}

// TestOutsideTextsAreClean: whatever is read from the board is safe to show.
func TestOutsideTextsAreClean(t *testing.T) {
	const bad = "x\x1b[2J\u202ey"
	f := newFixture(t, Options{})
	f.src = Source{Session: "s" + bad, CallBridge: "g" + bad, Address: "a" + bad}
	f.send(Event{Kind: CallStarted, Call: CallFacts{ID: "c" + bad, Name: bad, Correlator: "k" + bad}},
		join("l"+bad, "c"+bad, bad, named(bad), group(bad), party(bad)), legEnd("m", func(l *LegFacts) { l.Reason = bad }))
	f.src.Address = "b" + bad
	f.send(nothing())
	f.SetAside(f.now, f.src, bad)
	f.ReportServer(f.now, ServerStatus{Server: "cms1", Problem: bad, Remedy: bad, Name: bad, Version: bad, CallBridge: bad})
	f.Raise(f.now, Alarm{Key: bad, Text: bad, Remedy: bad})
	u := f.Since(0)
	entries, _ := f.Journal(0, 1000)
	shown := fmt.Sprintf("%+v %+v %+v %+v %+v %+v", *u.Meetings[0], u.Bridges, u.Alarms, u.Receiver, entries, f.Legs(u.Meetings[0].ID))
	if i := strings.IndexAny(shown, "\x1b\u202e"); i >= 0 {
		t.Errorf("unsafe: %q", shown[max(0, i-100):min(len(shown), i+50)])
	}
}

func TestMeetings(t *testing.T) {
	t.Run("one correlator, two Call Bridges", func(t *testing.T) {
		f := newFixture(t, Options{})
		g := f.other("s2", "")
		f.send(callStart("c1", "k"), join("a", "c1", room))
		g.send(callStart("c2", "k"), join("b", "c2", alien))
		f.computed("k", Level3)
		for _, c := range f.meeting("k").Calls {
			if c.Wanted.Level != Level3 {
				t.Errorf("call %s wants %v", c.ID, c.Wanted)
			}
		}
		g.send(callEnd("c2"))
		f.computed("k", Level1)
		f.send(callEnd("c1"))
		f.gone("k")
		if got := f.Since(0).Totals; got.Meetings != 0 || got.Calls != 0 || got.Legs != 0 {
			t.Errorf("totals %+v", got)
		}
	})
	t.Run("without correlator, one id on two Call Bridges", func(t *testing.T) {
		f := newFixture(t, Options{})
		g := f.other("s2", "")
		f.send(callStart("c", ""), join("a", "c", room))
		g.send(callStart("c", ""), join("a", "c", alien))
		f.computed("call:c", Level1)
		if n := f.Since(0).Totals.Meetings; n != 2 {
			t.Errorf("%d meetings, want 2", n)
		}
	})
	t.Run("groups over Call Bridges", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c1", "k"), join("a", "c1", room, group("g")))
		f.other("s2", "").send(callStart("c2", "k"), join("b", "c2", staff, group("g")))
		if got := state(f.meeting("k")); got != "2 people 0/1/0" {
			t.Error(got)
		}
	})
	t.Run("late correlator", func(t *testing.T) {
		f := newFixture(t, Options{})
		g := f.other("s2", "")
		g.send(callStart("c2", "k"), join("b", "c2", room))
		f.send(callStart("c1", ""), join("a", "c1", alien))
		f.computed("call:c1", Level3)
		f.computed("k", Level1)
		f.send(callStart("c1", "k"))
		f.gone("call:c1")
		f.computed("k", Level3)
		if u := f.Since(0); len(u.Meetings) != 1 || len(u.Meetings[0].Calls) != 2 {
			t.Errorf("%d meetings", len(u.Meetings))
		}
	})
	t.Run("late correlator, first of its meeting", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c1", ""), join("a", "c1", staff), callStart("c1", "k"))
		f.gone("call:c1")
		f.computed("k", Level2)
		f.shown("k", Level2)
	})
	t.Run("a correlator that looks like a call", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c1", ""), join("a", "c1", room))
		g := f.other("s2", "")
		g.send(callStart("c2", "call:c1"), join("b", "c2", alien))
		f.computed("call:c1", Level3)
		f.send(callStart("c1", "k"))
		f.computed("k", Level1)
		f.computed("call:c1", Level3)
	})
	t.Run("the name of the first call that has one", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c1", "k"), Event{Kind: CallStarted, Call: CallFacts{ID: "c2", Correlator: "k", Name: "Board"}})
		if n := f.meeting("k").Name; n != "Board" {
			t.Errorf("name %q", n)
		}
	})
}

func TestRecords(t *testing.T) {
	t.Run("a duplicate changes nothing", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", ""), join("a", "c", alien), legUpdate("a", ivr))
		f.raw(doc...)
		if done := f.raw(doc...); done != (Applied{Duplicates: 3}) {
			t.Errorf("%+v", done)
		}
		f.computed("call:c", LevelNone)
		if got := f.Since(0).Totals; got.Duplicates != 3 || got.Records != 3 {
			t.Errorf("totals %+v", got)
		}
	})
	t.Run("a bogus index far ahead makes no other a duplicate", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""))
		far := nothing()
		far.Index = 1 << 61
		f.raw(far)
		f.verified("call:c", false)
		f.send(join("a", "c", alien))
		f.computed("call:c", Level3)
		f.send(legEnd("a"))
		f.computed("call:c", LevelNone)
	})
	t.Run("a negative or enormous index", func(t *testing.T) {
		for _, i := range []int64{-1, -7, -1 << 63, 1 << 62, 1<<63 - 1} {
			f := newFixture(t, Options{})
			f.send(callStart("c", ""))
			e := join("a", "c", staff)
			e.Index = i
			f.raw(e)
			f.computed("call:c", Level2)
			f.verified("call:c", false)
			f.send(join("b", "c", alien))
			f.computed("call:c", Level3)
		}
	})
	t.Run("an explicit end is for ever", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", ""), join("a", "c", alien), legEnd("a"), join("a", "c", alien))
		f.raw(doc[0])
		f.raw(doc[2])
		f.raw(doc[1])
		f.computed("call:c", LevelNone)
		f.raw(doc[3])
		f.computed("call:c", LevelNone)
	})
	t.Run("an end before everything else", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(legEnd("a"), callStart("c", ""), join("a", "c", alien))
		f.computed("call:c", LevelNone)
	})
	t.Run("the call's end takes its legs, a newer record brings one back", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", "k"), join("a", "c", staff), join("b", "c", alien), legUpdate("a"), callEnd("c"), legUpdate("b"))
		for _, i := range []int{0, 1, 2, 4} {
			f.raw(doc[i])
		}
		f.gone("k")
		f.raw(doc[3]) // older than the end
		f.gone("k")
		f.raw(doc[5])
		if got := state(f.meeting("k")); got != "3 people 0/0/1" {
			t.Error(got)
		}
		f.send(legEnd("b"))
		f.gone("k")
	})
	t.Run("a call's end that comes late", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", "k"), join("a", "c", alien), callEnd("c"), legUpdate("a", in("d")))
		f.raw(doc[0], doc[1], doc[3])
		f.computed("call:d", Level3)
		f.raw(doc[2])
		f.gone("k")
		f.computed("call:d", Level3)
	})
	t.Run("a call's start that comes after its end", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", "k"), callEnd("c"))
		f.raw(doc[1])
		f.raw(doc[0])
		f.gone("k")
	})
	t.Run("a call that starts again", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", alien), callEnd("c"), callStart("c", "k"))
		f.computed("k", LevelNone)
		f.send(join("b", "c", room))
		f.computed("k", Level1)
	})
	t.Run("records of calls and legs without an id", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""))
		if done := f.raw(f.number(callStart("", "k"), join("", "c", alien), callEnd(""), legEnd(""))...); done != (Applied{Dropped: 4}) {
			t.Errorf("%+v", done)
		}
		f.verified("call:c", false)
	})
	t.Run("records without a session", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.Session = ""
		if done := f.raw(f.number(callStart("c", ""), nothing())...); done != (Applied{Dropped: 2}) {
			t.Errorf("%+v", done)
		}
		if got := f.Since(0).Totals; got.Dropped != 2 || got.Records != 0 {
			t.Errorf("totals %+v", got)
		}
	})
	t.Run("an empty document", func(t *testing.T) {
		f := newFixture(t, Options{})
		if done := f.raw(); done != (Applied{}) {
			t.Errorf("%+v", done)
		}
	})
}

// TestNoIndex: a record without an index counts as newer than all before it.
func TestNoIndex(t *testing.T) {
	bare := func(e Event) Event {
		e.Index = NoIndex
		return e
	}
	t.Run("a Call Bridge that numbers nothing", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.raw(bare(callStart("c", "k")), bare(join("a", "c", alien)), bare(join("b", "c", room)))
		f.computed("k", Level3)
		f.verified("k", false)
		f.raw(bare(legUpdate("a", ivr)))
		f.computed("k", Level1)
		f.raw(bare(legUpdate("a", in("c"), connected)))
		f.computed("k", Level3)
		f.raw(bare(legUpdate("a", lobby)), bare(legUpdate("a", active)))
		f.computed("k", Level3)
		f.raw(bare(legEnd("a")))
		f.computed("k", Level1)
		f.raw(bare(callEnd("c")))
		f.gone("k")
		f.raw(bare(legUpdate("b")))
		f.computed("k", Level1)
		f.raw(bare(callEnd("c")))
		f.gone("k")
	})
	t.Run("mixed with others", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", alien))
		f.raw(bare(legUpdate("a", ivr)))
		f.computed("k", LevelNone)
		f.send(legUpdate("a", in("c")))
		f.computed("k", Level3)
		f.raw(bare(legUpdate("a", lobby)))
		f.send(callEnd("c"))
		f.gone("k")
	})
	t.Run("its call is found absent", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"))
		f.raw(bare(join("a", "c", alien)))
		f.Absent(f.now, f.meeting("k").Calls[0].Ref, "cms1")
		checkBoard(t, f.Board)
		f.gone("k")
	})
}

func TestSessions(t *testing.T) {
	later := func(f *fixture, session, bridge string) *fixture {
		g := f.other(session, bridge)
		g.now = f.now.Add(time.Minute)
		return g
	}
	t.Run("a restart with a GUID ends the session before", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"), join("a", "c", alien))
		g := later(f, "s2", "G")
		g.send(nothing())
		f.gone("k")
		f.index = 0
		if done := f.raw(f.number(callStart("c", "k"), join("a", "c", alien))...); done != (Applied{Dropped: 2}) {
			t.Errorf("a late document of it: %+v", done)
		}
		f.gone("k")
	})
	t.Run("a restart without a GUID ends nothing", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", alien))
		later(f, "s2", "").send(nothing())
		f.computed("k", Level3)
	})
	t.Run("another Call Bridge ends nothing", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"), join("a", "c", alien))
		later(f, "s2", "H").send(nothing())
		f.computed("k", Level3)
	})
	t.Run("the newer session tells its GUID late", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"))
		g := later(f, "s2", "")
		g.send(nothing())
		f.meeting("k")
		g.src.CallBridge = "G"
		g.send(nothing())
		f.gone("k")
	})
	t.Run("the older session tells its GUID late", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", alien))
		g := later(f, "s2", "G")
		g.send(callStart("d", "m"))
		f.computed("k", Level3)
		f.src.CallBridge = "G"
		f.send(nothing())
		f.gone("k")
		f.meeting("m")
		f.verified("m", true)
	})
	t.Run("a late document of a session that was over before ours began", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"), join("a", "c", room))
		old := f.other("s0", "G")
		old.now = f.now.Add(-time.Minute)
		old.send(callStart("x", "m"), join("e", "x", alien))
		f.computed("k", Level1) // the session that runs is not ended by it
		f.verified("k", false)
		f.verified("m", false)
		f.send(join("b", "c", alien))
		f.computed("k", Level3)
	})
	t.Run("such a document, and the API knows both as one server's", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"), join("a", "c", room))
		f.Bind(f.now, "s1", "cms1", Proven)
		old := f.other("s0", "G")
		old.now = f.now.Add(-time.Minute)
		old.send(callStart("x", "m"))
		f.Bind(f.now, "s0", "cms1", Proven)
		checkBoard(t, f.Board)
		f.computed("k", Level1)
		f.verified("k", false)
		f.send(join("b", "c", alien))
		f.computed("k", Level3)
	})
	t.Run("proven by the API", func(t *testing.T) {
		for _, how := range []Sureness{Guessed, Proven} {
			f := newFixture(t, Options{})
			f.send(callStart("c", "k"), join("a", "c", alien))
			f.Bind(f.now, "s1", "cms1", Proven)
			g := later(f, "s2", "")
			g.send(callStart("d", "m"))
			f.Bind(g.now, "s2", "cms1", how)
			checkBoard(t, f.Board)
			if how == Guessed {
				f.meeting("k")
			} else {
				f.gone("k")
				f.meeting("m")
				if done := f.raw(f.number(nothing())...); done.Dropped != 1 {
					t.Errorf("a record of the ended session: %+v", done)
				}
			}
		}
	})
	t.Run("the newer one is proven first", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"))
		g := later(f, "s2", "")
		g.send(callStart("d", "m"))
		f.Bind(f.now, "s2", "cms1", Proven)
		f.Bind(f.now, "s1", "cms1", Proven)
		checkBoard(t, f.Board)
		f.gone("k")
		f.meeting("m")
	})
	t.Run("a guess does not outweigh a proof, and can be taken back", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", "k"))
		f.Bind(f.now, "s1", "cms1", Guessed)
		f.Unbind(f.now, "s1", "cms2")
		if c := f.meeting("k").Calls[0]; c.Server != "cms1" {
			t.Errorf("server %q", c.Server)
		}
		f.Unbind(f.now, "s1", "cms1")
		if c := f.meeting("k").Calls[0]; c.Server != "" {
			t.Errorf("server %q", c.Server)
		}
		f.Bind(f.now, "s1", "cms2", Proven)
		f.Bind(f.now, "s1", "cms1", Guessed)
		f.Unbind(f.now, "s1", "cms2")
		if c := f.meeting("k").Calls[0]; c.Server != "cms2" {
			t.Errorf("server %q", c.Server)
		}
		f.Bind(f.now, "unknown", "cms1", Proven)
		f.Unbind(f.now, "unknown", "cms1")
	})
	t.Run("what runs on another Call Bridge stays", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.src.CallBridge = "G"
		f.send(callStart("c", "k"), join("a", "c", alien))
		f.other("s9", "H").send(callStart("c9", "k"), join("b", "c9", staff))
		later(f, "s2", "G").send(nothing())
		f.computed("k", Level2)
	})
}

func TestCompleteness(t *testing.T) {
	t.Run("from its start", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", staff))
		f.verified("call:c", true)
		f.shown("call:c", Level2)
	})
	t.Run("a jump of the index, healed by the late record", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", ""), join("a", "c", alien), join("b", "c", room), callStart("d", ""))
		f.raw(doc[0])
		f.raw(doc[2])
		f.verified("call:c", false)
		f.shown("call:c", LevelNone) // somebody may be missing
		f.raw(doc[3])
		f.verified("call:d", true) // it began after the gap
		f.raw(doc[1])
		f.verified("call:c", true)
		f.shown("call:c", Level3)
	})
	t.Run("two gaps, healed from either side", func(t *testing.T) {
		for _, order := range [][]int{{1, 3}, {3, 1}} {
			f := newFixture(t, Options{})
			doc := f.number(callStart("c", ""), nothing(), callStart("d", ""), nothing(), nothing())
			f.raw(doc[0], doc[2], doc[4])
			f.verified("call:c", false)
			f.verified("call:d", false)
			f.raw(doc[order[0]])
			f.verified("call:c", false)
			f.verified("call:d", order[0] == 3)
			f.raw(doc[order[1]])
			f.verified("call:c", true)
			f.verified("call:d", true)
		}
	})
	t.Run("a gap within one document is none", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(callStart("c", ""), nothing(), join("a", "c", staff))
		f.raw(doc[0], doc[2], doc[1])
		f.verified("call:c", true)
		if es, _ := f.Journal(0, 100); has(es, EntryUnverified) {
			t.Error("it was unverified in between")
		}
	})
	t.Run("discarded records", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", staff))
		f.index += 3
		f.send(missing(nothing(), 3), callStart("d", ""))
		f.verified("call:c", false)
		f.verified("call:d", true)
		f.raw(Event{Index: 2}, Event{Index: 3}, Event{Index: 4}) // what was discarded does not come; were it so, it is no proof
		f.verified("call:c", false)
		f.shown("call:c", Level2)
	})
	t.Run("the record that tells of discarded ones starts a call", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.index = 5
		f.send(missing(callStart("c", ""), 5), legStart("a"), join("a", "c", staff))
		f.verified("call:c", true)
		f.shown("call:c", Level2)
	})
	t.Run("a session that is met above 0", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.index = 100
		f.send(join("a", "old", room), callStart("new", ""), legStart("b"), join("b", "new", room))
		f.verified("call:old", false)
		f.verified("call:new", true)
		f.shown("call:old", LevelNone)
		f.shown("call:new", Level1)
	})
	t.Run("a call without its start", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(nothing(), join("a", "c", staff))
		f.verified("call:c", false)
		f.send(callStart("c", ""))
		f.verified("call:c", true)
	})
	t.Run("a leg whose start is missing", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(nothing(), legStart("a", acano), callStart("c", ""), join("a", "c", room))
		f.raw(doc[0], doc[2], doc[3])
		f.computed("call:c", Level1)
		f.verified("call:c", false) // nobody knows what it is
		f.shown("call:c", LevelNone)
		f.raw(doc[1])
		f.verified("call:c", true)
		f.shown("call:c", Level3)
	})
	t.Run("a leg from before a gap joins a call from after it", func(t *testing.T) {
		f := newFixture(t, Options{})
		doc := f.number(legStart("a", party(room)), legUpdate("a", lobby), legUpdate("a", active, from(alien)),
			callStart("c", ""), callStart("d", ""), legUpdate("a", in("c"), connected), legUpdate("a", in("d")))
		f.raw(append(doc[:2:2], doc[3:6]...)...)
		f.computed("call:c", LevelNone)
		f.verified("call:c", false)
		f.verified("call:d", true)
		f.raw(doc[6])
		f.verified("call:c", true)
		f.verified("call:d", false)
		f.raw(doc[2])
		f.verified("call:d", true)
		f.shown("call:d", Level3)
	})
	t.Run("a leg without a start where nothing is missing", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.verified("call:c", true)
		f.shown("call:c", Level1)
	})
	t.Run("one incomplete call makes its meeting unverified", func(t *testing.T) {
		f := newFixture(t, Options{})
		g := f.other("s2", "")
		f.send(callStart("c", "k"), join("a", "c", staff))
		g.index = 7
		g.send(callStart("d", "k"))
		f.verified("k", true)
		g.index++
		g.send(nothing())
		f.verified("k", false)
		g.send(callEnd("d"))
		f.verified("k", true)
	})
	t.Run("a document that was set aside", func(t *testing.T) {
		for _, src := range []Source{{Session: "s1"}, {Address: "192.0.2.1"}, {}} {
			f := newFixture(t, Options{})
			f.send(callStart("c", ""))
			g := f.other("s2", "")
			g.send(callStart("d", ""))
			f.SetAside(f.now, src, "it is no XML")
			checkBoard(t, f.Board)
			f.verified("call:c", false)
			f.verified("call:d", src != Source{})
			f.send(callStart("e", ""))
			f.verified("call:e", true)
			if alarms := f.Since(0).Alarms; len(alarms) != 1 {
				t.Errorf("%d alarms", len(alarms))
			}
		}
		f := newFixture(t, Options{})
		f.SetAside(f.now, Source{}, "nobody is here")
	})
}

func has(entries []Entry, kind EntryKind) bool {
	for _, e := range entries {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// lose makes everything that runs unverified for good.
func (f *fixture) lose() { f.index++; f.send(nothing()) }

func TestUnverifiedMarkings(t *testing.T) {
	t.Run("what is shown rises and never falls", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.lose()
		f.shown("call:c", Level1)
		f.send(join("b", "c", staff))
		f.shown("call:c", Level2)
		f.send(legEnd("b"))
		f.computed("call:c", Level1)
		f.shown("call:c", Level2)
		f.send(legEnd("a"))
		f.computed("call:c", LevelNone)
		f.shown("call:c", Level2)
	})
	t.Run("where nothing is shown only level 3 is", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.index = 5
		f.send(join("a", "c", room))
		f.shown("call:c", LevelNone)
		if w := f.meeting("call:c").Wanted; w.Kind != MarkNone {
			t.Errorf("wanted %v", w)
		}
		f.send(join("b", "c", staff))
		f.shown("call:c", LevelNone)
		f.send(join("d", "c", alien))
		f.shown("call:c", Level3)
		f.send(legEnd("d"))
		f.shown("call:c", Level3)
	})
	t.Run("after 5 s it is level 3", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.lose()
		f.pass(4999 * time.Millisecond)
		f.shown("call:c", Level1)
		f.pass(time.Millisecond)
		f.shown("call:c", Level3)
		f.computed("call:c", Level1)
		if w := f.meeting("call:c").Wanted; w.Level != Level3 {
			t.Errorf("wanted %v", w)
		}
		f.send(legEnd("a"))
		f.shown("call:c", Level3)
	})
	t.Run("the late record ends it", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.lose()
		f.pass(time.Minute)
		f.shown("call:c", Level3)
		f.raw(Event{Index: 2})
		f.shown("call:c", Level1)
		f.lose()
		f.shown("call:c", Level1)
		f.pass(time.Second)
		f.shown("call:c", Level1)
		f.pass(4 * time.Second)
		f.shown("call:c", Level3)
	})
	t.Run("unverified keep", func(t *testing.T) {
		f := newFixture(t, Options{KeepUnverified: true})
		f.send(callStart("c", ""), join("a", "c", staff))
		f.lose()
		f.pass(time.Hour)
		f.shown("call:c", Level2)
		f.verified("call:c", false)
		f.send(join("b", "c", alien))
		f.shown("call:c", Level3)
		f.send(legEnd("b"))
		f.pass(time.Hour)
		f.shown("call:c", Level3)
	})
	t.Run("a late correlator does not make it fall", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", staff))
		f.lose()
		f.pass(time.Minute)
		f.shown("call:c", Level3)
		f.send(callStart("c", "k")) // the gap is after its first start
		f.verified("k", false)
		f.computed("k", Level2)
		f.shown("k", Level3)
	})
	t.Run("a late correlator while unverified", func(t *testing.T) {
		f := newFixture(t, Options{})
		g := f.other("s2", "")
		g.send(callStart("d", "k"), join("x", "d", room))
		f.send(callStart("c", ""), join("a", "c", alien))
		f.lose()
		f.send(legEnd("a"))
		f.shown("call:c", Level3)
		e := callEnd("c") // names the correlator, and does not end it: a leg is newer
		e.Call.Correlator, e.Index = "k", f.index
		f.index += 2
		f.raw(Event{Kind: LegUpdated, Index: e.Index + 1, Leg: LegFacts{ID: "n", Call: "c"}})
		f.raw(e)
		f.verified("k", false)
		f.shown("k", Level3)
	})
	t.Run("time alone changes nothing else", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room))
		f.lose()
		if err := f.Override(f.now, "call:c", Override{Kind: ForceText, Text: "x", Until: f.now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		f.pass(time.Minute)
		before := f.Since(0).Version
		for range 10 {
			f.pass(time.Second)
		}
		if after := f.Since(0).Version; after != before {
			t.Errorf("the version moved from %d to %d", before, after)
		}
	})
}

func TestMarkings(t *testing.T) {
	o := Options{Position: "top", Duration: time.Minute}
	o.Levels[Level2] = LevelText{"Internal", "Two"}
	f := newFixture(t, o)
	wanted := func() Marking { t.Helper(); return f.meeting("call:c").Calls[0].Wanted }
	f.send(callStart("c", ""))
	if w := wanted(); w != (Marking{}) {
		t.Errorf("an empty call wants %v", w)
	}
	f.send(join("a", "c", staff))
	if w := wanted(); w != (Marking{MarkLevel, Level2, "Two", "top", time.Minute}) {
		t.Errorf("wanted %v", w)
	}
	f.send(legUpdate("a", ivr)) // never written, so nothing to take off
	if w := wanted(); w != (Marking{}) {
		t.Errorf("wanted %v", w)
	}
	f.send(join("a", "c", room))
	if w := wanted(); w.Text != DefaultLevels()[Level1].Message || w.Level != Level1 {
		t.Errorf("wanted %v", w)
	}
	f.write("call:c")
	f.send(legEnd("a"))
	if w := wanted(); w != (Marking{Kind: MarkClear}) {
		t.Errorf("wanted %v", w)
	}
	f.write("call:c")
	f.send(nothing())
	if w := wanted(); w != (Marking{Kind: MarkClear}) {
		t.Errorf("wanted %v", w)
	}
	if s := f.meeting("call:c").State; s != StateIdle {
		t.Errorf("state %s", s)
	}
}

// write sends what is wanted to all calls of a meeting.
func (f *fixture) write(id MeetingID) {
	f.t.Helper()
	for _, c := range f.meeting(id).Calls {
		w := f.Want(f.now, c.Ref)
		if !w.Write {
			continue
		}
		if !f.Sending(f.now, c.Ref, w.Marking) {
			f.t.Fatalf("call %s may not be written: %s", c.ID, w.Why)
		}
		f.Sent(f.now, c.Ref, w.Marking, "cms1")
	}
	checkBoard(f.t, f.Board)
}

func TestBounds(t *testing.T) {
	bounds := func(b Bounds) Options { return Options{Bounds: b} }
	t.Run("legs of a call", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{LegsPerCall: 2}))
		f.send(callStart("c", ""), join("a", "c", room), join("b", "c", room))
		f.computed("call:c", Level1)
		f.send(join("d", "c", room))
		f.computed("call:c", Level3)
		if h := f.meeting("call:c").Holder; h.Evidence.Rule != RuleBound {
			t.Errorf("held up by %+v", h)
		}
		f.send(legEnd("a")) // who was left out is still there
		f.computed("call:c", Level3)
		f.send(callEnd("c"))
		f.gone("call:c")
	})
	t.Run("legs", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Legs: 2})).confirmed("cms1")
		f.send(callStart("c", ""), callStart("d", ""), join("a", "c", room), join("b", "c", room), join("e", "c", room))
		f.computed("call:c", Level3)
		f.computed("call:d", LevelNone)
		f.send(legStart("g"))
		f.computed("call:d", Level3) // it may be there
		f.send(callStart("h", ""))
		f.computed("call:h", Level3)
		if alarms := f.Since(0).Alarms; len(alarms) != 1 {
			t.Errorf("%d alarms", len(alarms))
		}
	})
	t.Run("legs that have left make room", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Legs: 2})).confirmed("cms1")
		f.send(callStart("c", ""))
		for i := range 10 {
			id := fmt.Sprint("l", i)
			f.send(join(id, "c", room))
			f.computed("call:c", Level1)
			f.send(legEnd(id))
		}
	})
	t.Run("the end of a leg that is not known", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Legs: 1}))
		f.send(callStart("c", ""), join("a", "c", room), legEnd("b"))
		f.computed("call:c", Level1)
	})
	t.Run("calls", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Calls: 2})).confirmed("cms1")
		f.send(callStart("c", ""), join("a", "c", room), callStart("d", ""))
		f.computed("call:c", Level1)
		f.send(callStart("e", ""))
		f.computed("call:c", Level3)
		g := f.other("s2", "")
		g.send(join("x", "y", room)) // no room either
		f.gone("call:y")
	})
	t.Run("calls that have ended make room", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Calls: 2})).confirmed("cms1")
		f.send(callStart("c", ""), join("a", "c", room))
		for i := range 10 {
			id := fmt.Sprint("d", i)
			f.send(callStart(id, ""), callEnd(id))
		}
		f.computed("call:c", Level1)
	})
	t.Run("sessions", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Sessions: 2})).confirmed("cms1")
		f.send(callStart("c", ""), join("a", "c", room))
		g := f.other("s2", "").confirmed("cms2")
		g.send(callStart("d", ""), join("b", "d", room))
		f.computed("call:c", Level1)
		h := f.other("s3", "")
		if done := h.raw(h.number(callStart("e", ""))...); done.Dropped != 1 {
			t.Errorf("%+v", done)
		}
		f.computed("call:c", Level3) // the call may be of any meeting
		f.computed("call:d", Level3)
		if got := f.meeting("call:d").Holder.Evidence.Rule; got != RuleBound {
			t.Errorf("rule %d", got)
		}
		g.send(callStart("n", ""))
		f.computed("call:n", Level3)
		g.send(callEnd("d"), callEnd("n")) // an idle session makes room
		h.send(callStart("e2", ""))
		f.computed("call:c", Level1)
		f.verified("call:e2", true)
	})
	t.Run("a session that was forgotten speaks again", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Sessions: 1}))
		f.send(nothing(), nothing())
		f.other("s2", "").send(nothing())
		f.send(join("a", "c", room))
		f.verified("call:c", false)
	})
	t.Run("departed", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{DepartedPerSess: 3}))
		f.send(callStart("c", ""))
		for i := range 20 {
			id := fmt.Sprint("l", i)
			f.send(join(id, "c", room), legUpdate(id, ivr), join(id, "c", room), legEnd(id))
			id = fmt.Sprint("d", i)
			f.send(callStart(id, ""), callEnd(id))
		}
		if f.legs > 3 || f.calls > 4 {
			t.Errorf("%d legs and %d calls are kept", f.legs, f.calls)
		}
		f.computed("call:c", LevelNone)
	})
	t.Run("who is in the IVR is not forgotten", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{DepartedPerSess: 1}))
		f.send(callStart("c", ""), join("a", "c", room), legUpdate("a", ivr))
		for i := range 5 {
			id := fmt.Sprint("l", i)
			f.send(join(id, "c", room), legEnd(id))
		}
		f.send(legUpdate("a", in("c")))
		f.computed("call:c", Level1)
	})
	t.Run("what comes back is not forgotten on the way", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{DepartedPerSess: 1, Calls: 3}))
		g := newFixture(t, bounds(Bounds{DepartedPerSess: 2}))
		g.send(callStart("c", ""), callStart("d", ""), join("a", "c", alien), callEnd("c"), legUpdate("a"), join("a", "d", alien))
		g.computed("call:d", Level3)
		g.send(legEnd("a"))
		g.computed("call:d", LevelNone)
		g = newFixture(t, bounds(Bounds{DepartedPerSess: 1}))
		g.send(callStart("d", ""), join("a", "d", alien), callEnd("d"), join("a", "d", alien))
		g.send(callStart("c", ""), callEnd("c"), join("a", "c", alien)) // d ends with it, and c is remembered no more
		g.computed("call:c", Level3)
		g.send(callEnd("c"))
		g.gone("call:c")
		for i := range 50 { // legs that go to and fro between calls that end
			c, d := fmt.Sprint("c", i), fmt.Sprint("c", i+1)
			f.send(join("x", c, room), join("y", c, room), callEnd(c), join("x", d, alien), join("y", c, room), join("y", d, room), callEnd(c))
			f.computed(MeetingID("call:"+d), Level3)
		}
	})
	t.Run("late records of a call that has ended keep nothing", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{DepartedPerSess: 10}))
		f.send(callStart("c", ""))
		f.index += 1000
		f.send(callEnd("c"))
		f.index = 1
		for range 100 {
			for i := range 9 {
				f.send(join(fmt.Sprint("l", i), "c", alien))
			}
		}
		f.gone("call:c")
		if n := f.sessions["s1"].departed.len(); n != 10 {
			t.Errorf("%d departures are remembered, want each once", n)
		}
	})
	t.Run("ended sessions", func(t *testing.T) {
		f := newFixture(t, bounds(Bounds{Sessions: 2}))
		for i := range 100 {
			g := f.other(fmt.Sprint("s", i), "G")
			g.now = f.now.Add(time.Duration(i) * time.Second)
			g.send(callStart("c", ""))
		}
		if len(f.ended) > 8 || len(f.endedIn) != len(f.ended) || len(f.sessions) != 1 {
			t.Errorf("%d sessions are kept, and %d that ended", len(f.sessions), len(f.ended))
		}
	})
	t.Run("texts", func(t *testing.T) {
		long := strings.Repeat("x", 1<<20)
		f := newFixture(t, Options{})
		f.src = Source{Session: long, CallBridge: long, Address: long}
		f.send(Event{Kind: CallStarted, Call: CallFacts{ID: long, Name: long, Correlator: long}},
			join(long, long, long+"@secure.example", named(long), group(long), party(long), sub(long)))
		f.computed(MeetingID(Clean(long, maxID)), Level3)
		for _, s := range f.sessions {
			kept := len(s.id) + len(s.bridge) + len(s.address)
			for _, c := range s.calls {
				kept += len(c.id) + len(c.name) + len(c.correlator)
			}
			for _, l := range s.legs {
				kept += len(l.id) + len(l.name) + len(l.group) + len(l.address) + len(l.target)
			}
			if kept > 8192 {
				t.Errorf("%d bytes are kept", kept)
			}
		}
	})
	t.Run("a group that is long is not another's", func(t *testing.T) {
		long := strings.Repeat("x", 200)
		f := newFixture(t, Options{})
		f.send(callStart("c", ""), join("a", "c", room, group(long+"1")), join("b", "c", room, group(long+"1")))
		if got := state(f.meeting("call:c")); got != "1 people 1/0/0" {
			t.Error(got)
		}
	})
}
