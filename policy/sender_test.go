package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// alarm is the text and remedy of an alarm, or "".
func (f *fixture) alarm(key string) string {
	for _, a := range f.Since(0).Alarms {
		if a.Key == key {
			return a.Text + "; " + a.Remedy
		}
	}
	return ""
}

// alarmed looks whether an alarm says all of these; none: that it is not raised.
func (f *fixture) alarmed(key string, says ...string) {
	f.t.Helper()
	text := f.alarm(key)
	if (text != "") != (len(says) > 0) {
		f.t.Errorf("alarm %s: %q", key, text)
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			f.t.Errorf("alarm %s says %q, not %q", key, text, s)
		}
	}
}

// at is the same Call Bridge as heard from another address.
func (f *fixture) at(address string) *fixture {
	g := *f
	g.src.Address = address
	return &g
}

// refused sends a document that must not be believed: nothing of it is applied.
func (f *fixture) refused(events ...Event) {
	f.t.Helper()
	done := f.raw(f.number(events...)...)
	if done.Refused == "" || done.Dropped != len(events) || done.Taken != 0 {
		f.t.Errorf("%+v", done)
	}
}

func TestBoundSenders(t *testing.T) {
	bound := Options{BoundSenders: true}
	t.Run("another address", func(t *testing.T) {
		f := followed(t, bound)
		f.send(callStart("c", "k"), join("a", "c", alien))
		g := f.at("203.0.113.9")
		g.refused(legEnd("a"))
		f.computed("k", Level3)
		f.alarmed("senders/"+cms1, "192.0.2.1", "203.0.113.9", "restart callmark", "allow")
		for range 100 { // no flood
			g.refused(nothing())
		}
		if n := f.Since(0).Alarms[0].Count; n != 1 {
			t.Errorf("raised %d times", n)
		}
		f.send(join("b", "c", room)) // who is believed goes on
	})
	t.Run("a new session, with its GUID and without", func(t *testing.T) {
		f := followed(t, bound)
		f.send(callStart("c", "k"), join("a", "c", alien))
		g := f.other("s2", "a") // GUIDs are compared in any case
		g.now = f.now.Add(time.Minute)
		g.refused(callStart("d", "k"))
		f.computed("k", Level3) // it has not restarted
		// Nobody knows whose this is, until it names what the server has.
		h := f.other("s3", "")
		h.send(callStart("e", ""))
		h.refused(join("a", "e", room))
		f.gone("call:e")
		h.refused(nothing()) // nor is it believed later
		f.computed("k", Level3)
		f.alarmed("senders/"+cms1, "192.0.2.1", "192.0.2.2")
		f.src.Session, f.index = "s4", 0 // the true one restarts
		f.pass(time.Second)
		f.send(callStart("n", "m"))
		f.gone("k")
		f.verified("m", true)
	})
	t.Run("a Call Bridge that is of no server is bound to nothing", func(t *testing.T) {
		f := newFixture(t, bound)
		f.send(callStart("c", ""))
		f.at("192.0.2.7").send(join("a", "c", alien))
		f.computed("call:c", Level3)
	})
	t.Run("a guess binds nothing", func(t *testing.T) {
		f := newFixture(t, bound)
		f.send(callStart("c", ""))
		f.Bind(f.now, "s1", cms1, Guessed)
		f.at("192.0.2.7").raw(f.number(join("a", "c", alien))...)
		f.computed("call:c", Level3)
		f.Bind(f.now, "s1", cms1, Proven) // from where it was heard last
		f.refused(nothing())
	})
	t.Run("what is refused is found missing", func(t *testing.T) {
		f := followed(t, bound)
		f.send(callStart("c", "k"), join("a", "c", room))
		f.polled(2, "k", true)
		f.at("203.0.113.9").refused(join("e", "c", alien)) // it was the true one all the same
		f.polled(3, "k", true)
		f.polled(3, "k", false)
		if why, _ := f.ListsDue(f.now.Add(time.Second), cms1); why == "" {
			t.Error("the server is not asked")
		}
	})
	// Who was first may be a forger: a server's own address takes his place.
	t.Run("a server's own address", func(t *testing.T) {
		f := followed(t, bound)
		f.SetHosts(f.now, []string{cms1, "192.0.2.1"}, nil)
		g := f.other("forged", "A").at("203.0.113.9")
		g.send(callStart("c", "k"), join("a", "c", room))
		f.verified("k", true)
		f.pass(time.Second)
		f.send(callStart("d", "m"))
		f.alarmed("senders/"+cms1, "192.0.2.1", "203.0.113.9", "own address")
		f.gone("k") // the true one has restarted since
		g.src.Session = "forged again"
		g.refused(callStart("x", "y"))
		// In the same session, what he has told is in doubt.
		f = followed(t, bound)
		f.SetHosts(f.now, []string{cms1, "192.0.2.1"}, nil)
		f.at("203.0.113.9").raw(f.number(callStart("c", "k"), join("a", "c", room))...)
		f.verified("k", true)
		f.send(nothing())
		f.verified("k", false)
		f.at("203.0.113.9").refused(nothing())
	})
}

func TestSecondSender(t *testing.T) {
	f := followed(t, Options{})
	f.send(callStart("c", "k"))
	f.at("192.0.2.7").send(nothing())
	f.index++
	f.alarmed("senders/"+cms1, "192.0.2.1", "192.0.2.7", "dismiss", "allow")
	f.Dismiss(f.now, "senders/"+cms1, "ann")
	for i := range 6 { // each pair is told of once
		f.at([]string{"192.0.2.1", "192.0.2.7"}[i%2]).send(nothing())
		f.index++
	}
	f.alarmed("senders/" + cms1)
	f.src.Session, f.index = "s2", 0 // also after a restart
	f.pass(time.Second)
	f.at("192.0.2.7").send(nothing())
	f.alarmed("senders/" + cms1)
	for i := range 100 {
		f.index++
		f.at(fmt.Sprint("198.51.100.", i)).send(nothing())
	}
	f.alarmed("senders/"+cms1, "192.0.2.1", "192.0.2.7", "198.51.100.1", "and others")
	if x := f.senders[cms1]; len(x.others) > maxOthers || f.Since(0).Alarms[0].Count > maxOthers+1 {
		t.Errorf("%d addresses are kept, the alarm was raised %d times", len(x.others), f.Since(0).Alarms[0].Count)
	}
	if done := f.raw(f.number(nothing())...); done.Refused != "" {
		t.Error("refused", done.Refused)
	}
}

// Call Bridges that nobody confirms share one alarm, and a flood of one kind of
// alarm hides none of another.
func TestAlarmsOfStrangers(t *testing.T) {
	f := newFixture(t, Options{Bounds: Bounds{Alarms: 10}})
	f.Raise(f.now, Alarm{Key: "server/cms1", Text: "down"})
	for i := range 50 {
		g := f.other(fmt.Sprint("s", i), "")
		g.send(nothing())
		g.at("203.0.113.9").send(nothing())
		f.SetAside(f.now, Source{Address: fmt.Sprint("198.51.100.", i)}, "no XML")
	}
	alarms := f.Since(0).Alarms
	f.alarmed("server/cms1", "down")
	f.alarmed("senders/", "203.0.113.9")
	if len(alarms) != 10 {
		t.Errorf("%d alarms", len(alarms))
	}
}
