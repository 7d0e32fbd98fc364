package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// name is what callmark calls the server of a Call Bridge.
func name(b *simulator.Bridge) string { return b.Address() }

// register adds a receiver to one Call Bridge, by the API.
func (p *program) register(t testing.TB, b *simulator.Bridge, uri string) {
	t.Helper()
	// Before the first answer of all there is one request at a time.
	p.eventually(t, name(b)+" is up", func() bool { v, _ := p.bridge(b); return v.Bound.State == policy.ServerUp })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, c := range p.app.cluster.Clients() {
		if c.Name() == name(b) {
			if err := c.AddReceiver(ctx, uri); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no server is called %s", name(b))
}

// alarm is the alarm with a key, if it is raised.
func (p *program) alarm(key string) (policy.Alarm, bool) {
	for _, a := range p.board.Since(0).Alarms {
		if a.Key == key {
			return a, true
		}
	}
	return policy.Alarm{}, false
}

// bridge is how the board sees the Call Bridge of a server.
func (p *program) bridge(b *simulator.Bridge) (policy.BridgeView, bool) {
	for _, v := range p.board.Since(0).Bridges {
		if v.Server == name(b) {
			return v, true
		}
	}
	return policy.BridgeView{}, false
}

// meeting is how the board sees the meeting of a call.
func (p *program) meeting(call *simulator.Call) policy.MeetingView {
	if v, ok := p.board.Meeting(policy.MeetingID(call.Correlator())); ok {
		return *v
	}
	return policy.MeetingView{}
}

// stays holds a condition to being true for a while.
func stays(t testing.TB, what string, d time.Duration, holds func() bool) {
	t.Helper()
	over := time.NewTimer(d)
	defer over.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if !holds() {
			t.Fatalf("it did not stay so: %s", what)
		}
		select {
		case <-tick.C:
		case <-over.C:
			return
		}
	}
}

// freePort is an address at which nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A Call Bridge does not post its records to callmark: its meetings are marked
// by the API alone, an alarm says why and what to do, and it ends once the URI
// is registered.
func TestRecordsDoNotCome(t *testing.T) {
	for _, tt := range []struct {
		name, uri     string // registered at the Call Bridge, OTHER in the place of the right port
		cause, remedy string // parts of the alarm, OURS in the place of our URI
	}{
		{"no receiver", "", "our URI is not among its receivers", "callmark receivers add OURS"},
		{"another port", "http://127.0.0.1:OTHER/cdr", "same host, other port", "then callmark receivers add OURS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cluster := running(t, simulator.Options{Bridges: 2, Seed: 9})
			listen := freePort(t)
			p := follow(t, cluster, func(c *config.Config) {
				c.Receiver.Listen, c.Receiver.URI = listen, "http://"+listen+"/cdr"
				c.CMS.Resync = time.Minute // so that what is seen is seen by the polls
			})
			well, mute := cluster.Bridge(0), cluster.Bridge(1)
			ours := "http://" + listen + "/cdr"
			_, other, _ := net.SplitHostPort(freePort(t))
			p.register(t, well, ours)
			if tt.uri != "" {
				p.register(t, mute, strings.Replace(tt.uri, "OTHER", other, 1))
			}

			heard := well.StartCall(simulator.CallSpec{Name: "Heard"})
			heard.Join(simulator.SIP("Ann", "ann@ministry.example"))
			call := mute.StartCall(simulator.CallSpec{Name: "Unheard", KeepEmpty: true})
			call.Join(simulator.SIP("Ben", "ben@ministry.example"))
			p.eventually(t, "level 2 by the API alone", func() bool { return shows(call, 2) })
			polls := mute.Requests().StatusAnswered
			guest := call.Join(simulator.Guest("Somebody"))
			p.eventually(t, "a guest came: level 3", func() bool { return shows(call, 3) })
			if n := mute.Requests().StatusAnswered - polls; n > 8 {
				t.Errorf("a guest was seen after %d polls", n)
			}
			guest.End()
			p.eventually(t, "the guest left: level 2", func() bool { return shows(call, 2) })

			key := "records/" + name(mute)
			p.eventually(t, "an alarm", func() bool { _, ok := p.alarm(key); return ok })
			a, _ := p.alarm(key)
			if !strings.Contains(a.Text, name(mute)) || !strings.Contains(a.Text, tt.cause) ||
				!strings.Contains(a.Remedy, strings.Replace(tt.remedy, "OURS", ours, 1)) {
				t.Errorf("the alarm is %+v", a)
			}
			if _, ok := p.alarm("records/" + name(well)); ok {
				t.Error("there is an alarm for the Call Bridge whose records come")
			}
			if v, ok := p.bridge(mute); !ok || v.Records != 0 {
				t.Errorf("the board has %+v", v)
			}
			p.agrees(t)

			p.register(t, mute, ours)
			call.Join(simulator.Guest("Somebody else"))
			p.eventually(t, "level 3 by a record", func() bool { return shows(call, 3) })
			p.eventually(t, "the alarm ends", func() bool { _, ok := p.alarm(key); return !ok })
			p.eventually(t, "records are counted", func() bool { v, _ := p.bridge(mute); return v.Records > 0 && v.Unverified == "" })
			p.agrees(t)
		})
	}
}

// One Call Bridge of three is not configured: who is there counts by the API of
// the others, and an alarm names the server to add.
func TestUnconfiguredCallBridge(t *testing.T) {
	t.Parallel()
	hosts := 0
	cluster := running(t, simulator.Options{Bridges: 3, Seed: 4, Listen: func(address string) (net.Listener, error) {
		if address == "" { // by their hosts the Call Bridges are told apart
			hosts++
			address = fmt.Sprintf("127.0.0.%d:0", hosts)
		}
		return net.Listen("tcp", address)
	}})
	p := follow(t, cluster, func(c *config.Config) {
		c.CMS.Servers = cluster.URLs()[:2]
		c.CMS.Resync = time.Minute // so that what is seen is seen by the polls
	})
	for _, b := range cluster.Bridges()[:2] {
		p.register(t, b, "http://"+p.receiver.Addr()+"/cdr")
	}
	here, away := cluster.Bridge(0), cluster.Bridge(2)
	call := here.StartCall(simulator.CallSpec{Name: "Spread", KeepEmpty: true})
	call.Join(simulator.SIP("Room", "room@rooms.ministry.example"))
	p.eventually(t, "level 1", func() bool { return shows(call, 1) })
	p.eventually(t, "an alarm", func() bool { _, ok := p.alarm("bridge/" + away.GUID()); return ok })
	a, _ := p.alarm("bridge/" + away.GUID())
	if !strings.Contains(a.Text, away.Name()) || !strings.Contains(a.Text, away.URL()) || !strings.Contains(a.Remedy, "[cms]") {
		t.Errorf("the alarm is %+v", a)
	}

	there := away.StartCall(simulator.CallSpec{Name: "Spread", Correlator: call.Correlator(), KeepEmpty: true})
	room := there.Join(simulator.SIP("Room 2", "room2@rooms.ministry.example"))
	simulator.Link(call, there)
	level := func(what string, level int) {
		t.Helper()
		p.eventually(t, fmt.Sprintf("%s: level %d", what, level), func() bool {
			return shows(call, level) && p.meeting(call).Unverified == ""
		})
	}
	level("a secure room there", 1)
	for _, who := range []struct {
		spec  simulator.LegSpec
		level int
	}{
		{simulator.SIP("Ann", "ann@ministry.example"), 2},
		{simulator.SIP("Mallory", "mallory@evil.test"), 3},
		{simulator.Guest("Somebody"), 3},
		{simulator.App("Carl", "carl@ministry.example"), 3},
	} {
		leg := there.Join(who.spec)
		level(who.spec.Name+" came there", who.level)
		leg.End()
		level(who.spec.Name+" left", 1)
	}
	room.End()
	level("all left there", 1)
	if s := there.Screen(); s.Visible {
		t.Errorf("the call that nobody watches shows %+v", s)
	}
}

// Another program writes into what is ours: it is set again, three times within
// ten minutes, and then an alarm asks for somebody. What is not ours is left
// alone, and a text of an earlier run goes when nobody is there.
func TestOverwrite(t *testing.T) {
	t.Parallel()
	p := follow(t, running(t, simulator.Options{Bridges: 1}), func(c *config.Config) { c.CMS.Resync = 200 * time.Millisecond })
	p.records(t)
	b := p.cluster.Bridge(0)
	const lunch = "Lunch at noon"
	call := b.StartCall(simulator.CallSpec{Name: "Budget review"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	empty := b.StartCall(simulator.CallSpec{Name: "Empty", KeepEmpty: true})
	empty.Overwrite(lunch, "top", "permanent")
	stale := b.StartCall(simulator.CallSpec{Name: "Stale", KeepEmpty: true})
	stale.Overwrite(policy.DefaultLevels()[1].Message, "bottom", "permanent")
	confirmed := func() bool { return shows(call, 2) && p.meeting(call).State == policy.StateConfirmed }
	p.eventually(t, "marked and confirmed", confirmed)
	p.eventually(t, "a text of ours where nobody is goes", func() bool { return shows(stale, 0) })

	for range 3 {
		call.Overwrite(lunch, "top", "permanent")
		p.eventually(t, "set again and confirmed", confirmed)
	}
	if _, ok := p.alarm("changed/" + call.ID()); ok {
		t.Error("an alarm before the fourth time")
	}
	puts := len(call.Puts())
	call.Overwrite(lunch, "top", "permanent")
	p.eventually(t, "an alarm", func() bool { _, ok := p.alarm("changed/" + call.ID()); return ok })
	if a, _ := p.alarm("changed/" + call.ID()); !strings.Contains(a.Text, "Budget review") || !strings.Contains(a.Text, lunch) || !strings.Contains(a.Remedy, name(b)) {
		t.Errorf("the alarm is %+v", a)
	}
	stays(t, "nothing more is written", time.Second, func() bool { return len(call.Puts()) == puts })
	if m := p.meeting(call); m.State != policy.StateFailed || m.Failure == "" {
		t.Errorf("the meeting is %+v", m)
	}
	// What has to be said is said all the same.
	guest := call.Join(simulator.Guest("Somebody"))
	p.eventually(t, "a guest came: level 3", func() bool { return shows(call, 3) })
	p.eventually(t, "the alarm ends", func() bool { _, ok := p.alarm("changed/" + call.ID()); return !ok })
	guest.End()
	p.eventually(t, "the guest left: level 2", func() bool { return shows(call, 2) })
	if s := empty.Screen(); s.Text != lunch || !s.Visible || len(empty.Puts()) > 0 {
		t.Errorf("a text that is not ours, on a call without a level, became %+v by %+v", s, empty.Puts())
	}
}

// A better level is shown only once it has lasted; a worse one at once.
func TestHoldDown(t *testing.T) {
	t.Parallel()
	const after = 600 * time.Millisecond
	p := follow(t, running(t, simulator.Options{Bridges: 1}), func(c *config.Config) { c.Policy.LowerAfter = after })
	p.records(t)
	call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Budget review"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "level 2", func() bool { return shows(call, 2) })
	last := func() simulator.Put { puts := call.Puts(); return puts[len(puts)-1] }

	came := time.Now()
	guest := call.Join(simulator.Guest("Somebody"))
	p.eventually(t, "level 3", func() bool { return shows(call, 3) })
	if took := last().Time.Sub(came); took > after/2 {
		t.Errorf("level 3 after %v", took)
	}
	left := time.Now()
	guest.End()
	p.eventually(t, "level 2 again", func() bool { return shows(call, 2) })
	if took := last().Time.Sub(left); took < after {
		t.Errorf("level 2 after %v already", took)
	}

	// A line that flaps: what is worse stays, until it flaps no more.
	puts := len(call.Puts())
	tick := time.NewTicker(after / 10)
	defer tick.Stop()
	for range 20 {
		guest = call.Join(simulator.Guest("Flapping"))
		<-tick.C
		left = time.Now()
		guest.End()
		<-tick.C
	}
	p.eventually(t, "level 2 in the end", func() bool { return shows(call, 2) })
	if took := last().Time.Sub(left); took < after {
		t.Errorf("level 2 after %v already", took)
	}
	if n := len(call.Puts()) - puts; n > 6 { // 2, unless the machine stalls for longer than the hold
		t.Errorf("%d writes for a line that flapped", n)
	}
}

// The receivers are out of reach for longer than a Call Bridge keeps records:
// what it then says is missing makes the meeting unverified, until its server
// has told it.
func TestOutageOfReceiver(t *testing.T) {
	t.Parallel()
	p := follow(t, running(t, simulator.Options{Bridges: 1}), func(c *config.Config) {
		c.CMS.Resync, c.CMS.StatusEvery = time.Minute, time.Minute // so that only the record tells
	})
	p.records(t)
	b := p.cluster.Bridge(0)
	call := b.StartCall(simulator.CallSpec{Name: "Budget review"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	quiet := b.StartCall(simulator.CallSpec{Name: "Quiet"})
	quiet.Join(simulator.SIP("Room", "room@rooms.ministry.example"))
	p.agrees(t)
	// What the start has read must not be read while the receiver is away.
	p.eventually(t, "the first lists are read", func() bool {
		return slices.ContainsFunc(p.journal(), func(e policy.Entry) bool {
			return e.Kind == policy.EntryVerified && strings.Contains(e.Text, "running calls read from the server")
		})
	})
	seen := p.journal()

	b.SetQueue(2)
	b.DropReceivers(true)
	quiet.Join(simulator.Guest("Whose records are discarded"))
	for range 3 {
		call.Join(simulator.SIP("Ben", "ben@ministry.example"))
	}
	if d := b.Deliveries(); d.Discarded == 0 || !shows(quiet, 1) {
		t.Fatalf("the outage did nothing: %+v", d)
	}
	b.SetQueue(0)
	b.DropReceivers(false)
	p.eventually(t, "the guest of whom no record came shows", func() bool { return shows(quiet, 3) })
	p.agrees(t)
	var told []string
	for _, e := range p.journal()[len(seen):] {
		switch {
		case e.Kind == policy.EntryUnverified && e.Meeting == "" && strings.Contains(e.Text, "discarded"):
			told = append(told, "discarded")
		case e.Kind == policy.EntryUnverified && e.Meeting == policy.MeetingID(quiet.Correlator()):
			told = append(told, "unverified")
		case e.Kind == policy.EntryLevel && e.Meeting == policy.MeetingID(quiet.Correlator()):
			told = append(told, "level "+e.Level.String())
		case e.Kind == policy.EntryVerified && e.Meeting == policy.MeetingID(quiet.Correlator()):
			told = append(told, "verified")
		}
	}
	if got := strings.Join(told, ", "); got != "discarded, unverified, level 3, verified" {
		t.Errorf("the journal tells: %s", got)
	}
	for _, put := range quiet.Puts()[1:] {
		if put.Text != policy.DefaultLevels()[3].Message {
			t.Errorf("%q was written", put.Text)
		}
	}
}

// journal is the whole journal.
func (p *program) journal() []policy.Entry {
	entries, _ := p.board.Journal(0, 1<<20)
	return entries
}

// A server refuses the account: nothing is sent to it any more, so that it does
// not lock it, until the operator has mended that and asks for another try.
func TestAccountRefused(t *testing.T) {
	t.Parallel()
	p := follow(t, running(t, simulator.Options{Bridges: 2, Seed: 6}), nil)
	p.records(t)
	well, refusing := p.cluster.Bridge(0), p.cluster.Bridge(1)
	calls := p.cluster.Populate(12, 3)
	p.agrees(t)

	refusing.SetFaults(simulator.Faults{Unauthorized: true})
	key := "server/" + name(refusing)
	p.eventually(t, "an alarm", func() bool { _, ok := p.alarm(key); return ok })
	if a, _ := p.alarm(key); !strings.Contains(a.Text, "refuses the account") || a.Remedy == "" {
		t.Errorf("the alarm is %+v", a)
	}
	if v, _ := p.bridge(refusing); v.Bound.State != policy.ServerLocked || time.Until(v.Bound.NextTry) < 4*time.Minute {
		t.Errorf("the server is %+v", v.Bound)
	}
	// What was under way may still arrive; then nothing is tried any more.
	before, since := refusing.Requests(), time.Now()
	p.eventually(t, "what was under way has ended", func() bool {
		if now := refusing.Requests(); now.Total != before.Total || now.Active > 0 {
			before, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	if before.Unauthorized > 8 {
		t.Errorf("it was tried %d times with an account that is refused", before.Unauthorized)
	}
	var guests []*simulator.Leg
	for _, call := range calls {
		guests = append(guests, call.Join(simulator.Guest("Somebody")))
	}
	for _, call := range well.Calls() {
		p.eventually(t, "the other server is marked", func() bool { return shows(call, 3) })
	}
	stays(t, "nothing is sent", time.Second, func() bool { return refusing.Requests().Total == before.Total })
	for _, guest := range guests[:4] {
		guest.End()
	}

	refusing.SetFaults(simulator.Faults{})
	p.refresh()
	p.agrees(t)
	p.eventually(t, "the alarm ends", func() bool { _, ok := p.alarm(key); return !ok })
}
