package policy

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// checkHosted recounts what a meeting keeps of its calls, the slow way.
func checkHosted(fail func(string, ...any), m *meeting) {
	hosted, watched, linked, over, away, name := map[*session]int{}, 0, 0, 0, 0, ""
	for _, c := range m.calls {
		hosted[c.session]++
		if c.session.confirmed() {
			watched++
		}
		if c.links > 0 {
			linked++
			if m.linked[c.linkPos] != c {
				fail("call %s is not where it should be among those with links", c.id)
			}
		}
		if c.overflow != "" {
			over++
		}
		away += len(c.away)
		name = cmp.Or(name, c.name)
	}
	for s, n := range hosted {
		if m.hostedBy(s) != n || s.watched != s.confirmed() {
			fail("meeting %s: %d calls of session %s, kept as %d; confirmed %t, kept as %t", m.id, n, s.id, m.hostedBy(s), s.confirmed(), s.watched)
		}
	}
	got := [...]int{len(m.hosted), m.watched, len(m.linked), m.over, m.away}
	if want := [...]int{len(hosted), watched, linked, over, away}; got != want {
		fail("meeting %s keeps %v of its calls, it should %v", m.id, got, want)
	}
	if got := m.name(); got != cmp.Or(name, m.savedName) {
		fail("meeting %s is named %q, should be %q", m.id, got, name)
	}
}

// flood is a document by which one meeting gets n calls, and one of them n links.
func flood(n int) []Event {
	events := make([]Event, 0, 2*n)
	for i := range n {
		events = append(events, callStart(fmt.Sprint("c", i), "k"))
	}
	for i := range n {
		events = append(events, legStart(fmt.Sprint("l", i), in("c0"), connected, sub("distributionLink"), from("x@far.example")))
	}
	for i := range events {
		events[i].Index = int64(i)
	}
	return events
}

// A document costs as much as it is long, whatever is in it: each record of a link
// has one leg looked at, and not all that were there before.
func TestLinksCostNoMore(t *testing.T) {
	for _, how := range []Sureness{Unbound, Proven} {
		work := func(n int) int {
			f := newFixture(t, Options{})
			g := f.other("s2", "B").confirmed("cms2")
			g.send(callStart("d", "k"))
			if how == Proven {
				f.confirmed("cms1")
			}
			before := f.recounted
			f.Apply(f.now, Source{Session: f.src.Session, Address: f.src.Address}, numbered(flood(n), f.index))
			checkBoard(t, f.Board)
			f.computed("k", Level3)
			return int(f.recounted - before)
		}
		small, large := work(50), work(500)
		if small < 50 || large > 11*small {
			t.Errorf("%v: %d legs looked at for 50 calls and links, %d for 500", how, small, large)
		}
	}
}

func numbered(events []Event, from int64) []Event {
	for i := range events {
		events[i].Index = from + int64(i)
	}
	return events
}

// One document with so many calls in one meeting, and as many links in one of them.
func BenchmarkApplyLinks(b *testing.B) {
	for _, n := range []int{1000, 2000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			events := flood(n)
			for b.Loop() {
				NewBoard(Options{}).Apply(time.Unix(1_700_000_000, 0), Source{Session: "s"}, events)
			}
		})
	}
}

// Anybody who knows a correlator can make up a call: it must not hide who is
// behind a link, nor who is hosted where nobody watches.
func TestMadeUpCallHidesNobody(t *testing.T) {
	f := newFixture(t, Options{}).confirmed(cms1)
	f.send(callStart("c", "k"), join("a", "c", room), legStart("l", in("c"), sub("distributionLink")), join("l", "c", "x@far.example"))
	f.computed("k", Level3)
	g := f.other("s2", "")
	g.send(callStart("d", "k"))
	f.computed("k", Level3)
	f.Bind(f.now, "s2", "cms2", Guessed)
	f.computed("k", Level3)
	f.Bind(f.now, "s2", "cms2", Proven) // it is a Call Bridge's own after all
	checkBoard(t, f.Board)
	f.computed("k", Level1)
	g.send(callEnd("d"))
	f.computed("k", Level3)
}

func TestMadeUpCallHostsNobody(t *testing.T) {
	f, q := linked(t)
	f.AnswerParticipants(f.now, q, []PersonFacts{{URI: alien, CallBridge: "B"}}, true)
	f.computed("k", Level3)
	g := f.other("s2", "B")
	g.send(callStart("d", "k"))
	f.computed("k", Level3)
	c := f.sessions["s1"].calls["c"]
	g.send(join("b", "d", staff))
	if n := c.meeting.elsewhere(c); n != 0 {
		t.Errorf("%d people elsewhere by records that nobody confirms", n)
	}
	f.Bind(f.now, "s2", "cms2", Proven)
	checkBoard(t, f.Board)
	f.computed("k", Level2)
	if n := c.meeting.elsewhere(c); n != 1 {
		t.Errorf("%d people elsewhere, want 1", n)
	}
}

// A record that calls somebody a link is believed until his own server, asked for
// him, names another subType. That he is no recorder it does not tell.
func TestFalseLink(t *testing.T) {
	for _, tc := range []struct {
		name, subType string
		lie           fact
		want          Level
	}{
		{"a link, says the record, not the server", "lync", sub("distributionLink"), Level3},
		{"a link, say both", "distributionLink", sub("distributionLink"), LevelNone},
		{"a link, the server names nothing", "", sub("distributionLink"), LevelNone},
		{"a recorder, says the record", "lync", recorder, LevelNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := followed(t, Options{})
			f.other("s2", "B").confirmed("cms2").send(callStart("d", "k")) // a link may lead there
			f.send(callStart("c", "k"), legUpdate("a", in("c"), connected, from(alien), tc.lie))
			f.computed("k", LevelNone)
			f.round(f.index, []ListedCall{{ID: "c", Correlator: "k"}}, listed("a", "c", alien))
			d := details("a", "c", alien)
			d.SubType = tc.subType
			f.AnswerLeg(f.now, f.asks("call c", "leg a")["leg a"], d, true)
			checkBoard(t, f.Board)
			f.computed("k", tc.want)
		})
	}
}
