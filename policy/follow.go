package policy

import (
	"fmt"
	"strings"
	"time"
)

const (
	// maxSkew is how far a Call Bridge's clock may be from ours before somebody
	// should know.
	maxSkew = 30 * time.Second
	// healIn is for how long records that came out of order may still fill a gap
	// before the server is asked what they told.
	healIn = 250 * time.Millisecond
)

// follow is how the board follows a server by its API.
type follow struct {
	server string
	wake   chan struct{} // holds a token when there is something to read
	epoch  uint64        // moves when all that ran there has ended

	started time.Time // when it was begun to be followed
	due     string    // why its lists are to be read; empty: they are not
	dueAt   time.Time // not before
	listed  time.Time // when they were last read in full
	known   bool      // all that ran there was read once

	problem string // why they could not be read at the last try; empty: they could

	// Of its status.
	polled  time.Time // zero: not yet, or its Call Bridge has restarted since
	asked   time.Time // when the last status was asked for
	began   time.Time // when the last regular one was
	before  int64     // its index, or NoIndex
	next    int64     // cdrCorrelatorIndex, or NoIndex
	base    int64     // that of the first status
	uptime  time.Duration
	suspect bool // it seems to have restarted
	skewed  bool

	silent string // why its records do not come; empty: they do
	remedy string
	since  time.Time // of silent
}

// Poll is what a server's status tells (GET /system/status).
type Poll struct {
	Began  time.Time     // our clock: when it was asked for
	Extra  bool          // right before a round, and too soon after another to tell what is missing
	Next   int64         // cdrCorrelatorIndex: that of the next record; NoIndex when not told
	Uptime time.Duration // whole seconds; negative when not told
	Clock  time.Time     // cdrTime; zero when not told
}

// Follow begins to follow a server by its API. The channel holds a value when
// there may be something to read from it. Before the first Follow the board
// asks for nothing.
func (b *Board) Follow(now time.Time, server string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		f = &follow{server: server, wake: make(chan struct{}, 1), next: NoIndex, base: NoIndex, before: NoIndex, due: "callmark has started", started: now}
		b.follows[server] = f
		b.bump()
	}
	return f.wake
}

func (f *follow) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// wakeReads wakes who reads from the server that a session is on.
func (b *Board) wakeReads(s *session) {
	if f := b.follows[s.server]; f != nil {
		f.poke()
	}
}

// wantLists notes that a server's lists are to be read. Of a session whose
// server is not known, all servers are asked that have no session of their own.
func (b *Board) wantLists(now time.Time, s *session, why string) {
	for _, f := range b.follows {
		if s.server == f.server || s.server == "" && b.sessionOn(f.server) == nil {
			f.want(now, why)
		}
	}
}

func (f *follow) want(now time.Time, why string) {
	if f.due == "" {
		f.due, f.dueAt = why, now.Add(healIn)
	}
	f.poke()
}

// Reconcile notes that a server's lists are to be read because it is time again,
// unless what the last reading made necessary is not over yet.
func (b *Board) Reconcile(now time.Time, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if s := b.home(server); f != nil && (s == nil || !s.round.open) {
		f.want(now, "reconciliation")
	}
}

// WantLists notes that a server's lists are to be read, for a reason that the
// board does not know of: an outage is over, an operator asks.
func (b *Board) WantLists(now time.Time, server, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.follows[server]; f != nil {
		f.want(now, why)
		f.dueAt = now
	}
}

// NotListed notes that a server's lists could not be read, and that they are to
// be read all the same. The journal has each new problem once.
func (b *Board) NotListed(now time.Time, server, why, problem string) {
	problem = Clean(problem, maxProblem)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		return
	}
	f.want(now, why)
	if f.problem != problem {
		f.problem = problem
		b.note(now, Entry{Kind: EntryServer, Weight: Warning, Name: server, Text: "its running calls could not be read: " + problem})
		b.bump()
	}
}

// ListsDue says why a server's lists are to be read now, or "" and in how long
// to ask again; negative: when woken.
func (b *Board) ListsDue(now time.Time, server string) (why string, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	switch {
	case f == nil || f.due == "":
		return "", -1
	case now.Before(f.dueAt):
		return "", f.dueAt.Sub(now)
	}
	return f.due, 0
}

// sessionOn is the session that is proven to run on a server, by records. Of two,
// it is the one that its lists last showed to run, else the one with the newest
// records: that which was met last may be known by a late document only.
func (b *Board) sessionOn(server string) *session {
	var on *session
	for _, s := range b.sessions {
		if s.server == server && s.sureness == Proven && !s.api && (on == nil || s.later(on)) {
			on = s
		}
	}
	return on
}

// later reports whether of two sessions on one server this one is the present one.
func (s *session) later(o *session) bool {
	switch {
	case !s.matched.Equal(o.matched):
		return s.matched.After(o.matched)
	case !s.clock.Equal(o.clock):
		return s.clock.After(o.clock)
	}
	return s.order > o.order
}

// opened is the session that the API has opened for a server, or nil.
func (b *Board) opened(server string) *session {
	for _, s := range b.sessions {
		if s.api && s.server == server {
			return s
		}
	}
	return nil
}

// home is the session that what is read from a server belongs to, or nil.
func (b *Board) home(server string) *session {
	if s := b.opened(server); s != nil {
		return s
	}
	return b.sessionOn(server)
}

// asOf is the index as of which an answer that is asked for now holds at the
// least: the API shows a change before its record goes out. A status that was
// asked for before the session was heard of may be of the run before.
func (b *Board) asOf(s *session) int64 {
	if f := b.follows[s.server]; f != nil && f.next != NoIndex && s.sureness == Proven && (s.api || s.first.Before(f.asked)) {
		return f.next
	}
	return s.seen.high() + 1
}

// latest is the highest index of which a session is known to have got that far.
func (b *Board) latest(s *session) int64 { return max(b.asOf(s), s.seen.high()+1) }

// Polled takes what a server's status told. Two in a row that agree find out
// that records are missing, that none come at all, or that the Call Bridge has
// restarted: one alone may be told while records are under way.
func (b *Board) Polled(now time.Time, server string, p Poll) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		return
	}
	b.skew(now, f, p)
	if !f.polled.IsZero() && (p.Next != NoIndex && f.next != NoIndex && p.Next < f.next || p.Uptime >= 0 && p.Uptime < f.uptime) {
		b.restartSeen(now, f, p)
		if f.suspect { // at the first time; what it said before stays for the second
			b.settle(now)
			return
		}
	}
	first := f.polled.IsZero()
	f.suspect = false
	f.polled, f.asked, f.next, f.uptime = now, p.Began, p.Next, p.Uptime
	if first {
		f.base = p.Next
	}
	if a, s := b.opened(server), b.sessionOn(server); a != nil && s != nil && !first && s.first.Before(p.Began) {
		b.adopt(now, s, a) // it has not restarted between the two
	}
	if s := b.home(server); s != nil && !p.Extra {
		b.compare(now, f, s, p)
	}
	if !p.Extra {
		f.before, f.began = p.Next, p.Began
	}
	b.askAway(b.home(server))
	b.bump()
	b.settle(now)
}

// restartSeen is for a status that lies before an earlier one.
func (b *Board) restartSeen(now time.Time, f *follow, p Poll) {
	s := b.home(f.server)
	if !f.suspect {
		f.suspect = true
		if s != nil {
			s.force(b.latest(s), "its Call Bridge seems to have restarted")
			b.checkGap(now, s)
		}
		return
	}
	f.suspect = false
	old := f.polled
	for _, s := range b.sessions {
		switch {
		case s.server != f.server || s.sureness != Proven:
		case s.api || s.first.Before(old):
			b.endSession(now, s, "its Call Bridge has restarted, says its status")
		case p.Next != NoIndex && s.last.Before(p.Began):
			// It was heard first since its status was right: it is the new one. What
			// the API told of the old one may have got into it.
			b.distrust(now, s, p.Next, "its Call Bridge has restarted")
		}
	}
	f.restart(now, "its Call Bridge has restarted")
}

// distrust takes their weight from facts that claim an index which a session has
// not reached, so that what is read, and later records, win over them.
func (b *Board) distrust(now time.Time, s *session, limit int64, why string) {
	within := func(at *int64) {
		if *at >= limit {
			*at = limit - 1
		}
	}
	unread := func(at *int64) {
		if *at > limit {
			*at = NoIndex
		}
	}
	for _, c := range s.calls {
		alive := c.alive()
		for _, at := range []*int64{&c.nameAt, &c.bornAt, &c.startAt, &c.endAt} {
			within(at)
		}
		if alive { // it stays what it is, though the order of its start and end is lost
			c.endAt = NoIndex
		} else {
			c.endAt = max(c.endAt, c.startAt, 0)
		}
		unread(&c.readAt)
		b.touch(c.meeting)
	}
	for _, l := range s.legs {
		for _, at := range []*int64{&l.bornAt, &l.newest, &l.nameAt, &l.partyAt, &l.addressAt, &l.groupAt, &l.targetAt, &l.lobbyAt} {
			within(at)
		}
		unread(&l.readAt)
		unread(&l.listedAt)
	}
	s.synced = min(s.synced, limit-1)
	s.forcedAt = min(s.forcedAt, limit)
	s.round.open = false
	s.force(limit, why)
	b.checkGap(now, s)
	b.wantLists(now, s, why)
}

// restart forgets what a run of its Call Bridge has told.
func (f *follow) restart(now time.Time, why string) {
	f.epoch++
	f.polled, f.next, f.base, f.before, f.suspect = time.Time{}, NoIndex, NoIndex, NoIndex, false
	f.want(now, why)
}

// unfollow is for a session that has ended.
func (b *Board) unfollow(now time.Time, s *session, why string) {
	if f := b.follows[s.server]; f != nil && s.sureness == Proven {
		f.restart(now, why)
		if a := b.opened(s.server); a != nil {
			b.forget(now, a, why) // it was read from the same run
		}
	}
}

// compare looks whether the records have come that a status tells of.
func (b *Board) compare(now time.Time, f *follow, s *session, p Poll) {
	high := s.seen.high()
	if p.Next == NoIndex || f.before == NoIndex {
		return
	}
	if high >= p.Next && s.last.Before(p.Began) {
		if s.seen.cut(p.Next) {
			b.distrust(now, s, p.Next, "records came that its Call Bridge did not send")
			b.raise(now, Alarm{Key: "index/" + s.label(), Text: fmt.Sprintf("records in the name of %s have indexes that it has not reached", s.label()),
				Remedy: "somebody else sends records: close the receiver to others"})
		}
		high = s.seen.high()
	}
	if top := max(p.Next, high+1); s.forcedAt > top && s.last.Before(p.Began) {
		s.forcedAt = top // it is from a run before: no reading would ever reach it
	}
	// What the earlier status told of has had time to come.
	missing := high+1 < f.before
	if s.api {
		missing = f.before > f.base
	}
	quiet := s.api || s.last.Before(f.began)
	switch {
	case missing && quiet && f.silent == "":
		f.silent, f.since = "its records do not come", now
		b.note(now, Entry{Kind: EntryServer, Weight: Warning, Name: f.server, Bridge: s.label(), Text: f.silent + ": it is followed by the API alone"})
	case !missing && f.silent != "":
		f.silent, f.remedy = "", ""
		b.note(now, Entry{Kind: EntryServer, Name: f.server, Bridge: s.label(), Text: "its records come again"})
		b.lower(now, "records/"+f.server)
	}
	switch {
	case f.silent != "" && p.Next > max(s.synced, high+1):
		s.force(p.Next, f.silent)
	case missing && !s.api && f.before > s.synced:
		s.force(f.before, fmt.Sprintf("records %d to %d have not come", high+1, f.before-1))
	}
	b.checkGap(now, s)
}

// Silent reports whether a server's records do not come, for somebody to find
// out why: Explained takes the answer.
func (b *Board) Silent(server string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	return f != nil && f.silent != ""
}

// Explained says why a server's records do not come, and what to do.
func (b *Board) Explained(now time.Time, server, cause, remedy string) {
	cause, remedy = Clean(cause, maxProblem), Clean(remedy, maxProblem)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil || f.silent == "" || cause == "" {
		return
	}
	f.silent, f.remedy = "its records do not come: "+cause, remedy
	b.raise(now, Alarm{Key: "records/" + server, Text: fmt.Sprintf("no records come from %s: %s", server, cause), Remedy: remedy})
}

// skew compares the clocks.
func (b *Board) skew(now time.Time, f *follow, p Poll) {
	if p.Clock.IsZero() {
		return
	}
	key := "clock/" + f.server
	off := p.Clock.Sub(p.Began.Add(now.Sub(p.Began) / 2)).Round(time.Second)
	if off.Abs() <= maxSkew {
		if f.skewed {
			f.skewed = false
			b.lower(now, key)
		}
		return
	}
	if f.skewed {
		return
	}
	f.skewed = true
	side := "ahead of"
	if off < 0 {
		side = "behind"
	}
	b.raise(now, Alarm{Key: key, Text: fmt.Sprintf("the clock of %s is %s %s ours", f.server, off.Abs(), side), Remedy: "set NTP on both"})
}

// bind notes on which server a session runs, and how sure that is, and what
// follows: other sessions of that server may be the same, or over.
func (b *Board) bind(now time.Time, s *session, server string, how Sureness) {
	s.server, s.sureness = server, how
	for _, c := range s.calls {
		b.touch(c.meeting) // its views name the server
	}
	b.bound(now, s)
	b.restarted(now, s)
	b.bump()
}

// bound is for a session whose server has just become known.
func (b *Board) bound(now time.Time, s *session) {
	if st := b.servers[s.server]; s.bridge == "" && s.sureness == Proven {
		b.identify(s, st.CallBridge)
	}
	b.wantLists(now, s, "a new session of its Call Bridge")
	if a := b.opened(s.server); a != nil && s.sureness == Proven {
		if shares(a, s) {
			b.adopt(now, s, a)
		} else if a.forcedAt > s.synced {
			s.force(a.forcedAt, a.forcedWhy) // as below
			b.checkGap(now, s)
		}
	}
}

// identify notes whose a session is. Who is hosted there may have been known by
// the API of another Call Bridge until now, and counts no more by that.
func (b *Board) identify(s *session, guid string) {
	s.bridge = guid
	for _, c := range s.calls {
		b.touch(c.meeting)
	}
}

// prove binds a session to a server where something of it was found. It reports
// whether the session goes on: it may prove to be older than another there.
func (b *Board) prove(now time.Time, s *session, server string) bool {
	if s.sureness == Proven {
		return true
	}
	b.bind(now, s, server, Proven)
	return b.sessions[s.id] == s
}

// shares reports whether two sessions know one call or leg.
func shares(x, y *session) bool {
	for id := range x.calls {
		if y.calls[id] != nil {
			return true
		}
	}
	for id := range x.legs {
		if y.legs[id] != nil {
			return true
		}
	}
	return false
}

// recognise finds out by its records, before they are applied, that a session is
// the one that was read from a server: ids are never used twice.
func (b *Board) recognise(now time.Time, s *session, events []Event) {
	if s.sureness != Proven {
		for server, st := range b.servers {
			if s.bridge != "" && strings.EqualFold(s.bridge, st.CallBridge) {
				b.prove(now, s, server)
				break
			}
		}
	}
	for _, a := range b.sessions {
		// One of records as well: when its Call Bridge has restarted unnoticed, what
		// was read since then is in that of the run before.
		if a == s || a.sureness != Proven {
			continue
		}
		if s.sureness == Proven && (s.server != a.server || !a.api && !a.rivalled && !s.rivalled) {
			continue // the usual case
		}
		for i := range events {
			e := &events[i]
			if a.calls[e.Call.ID] == nil && a.calls[e.Leg.Call] == nil && a.legs[e.Leg.ID] == nil {
				continue
			}
			server := a.server
			if !a.api && !s.clock.Before(a.clock) && a.onlyRead(e) {
				b.endSession(now, a, "its Call Bridge has restarted: what was read there is another session's")
			}
			b.prove(now, s, server)
			if a.api && b.sessions[a.id] == a && b.sessions[s.id] == s {
				b.adopt(now, s, a)
			}
			return
		}
	}
}

// onlyRead reports whether a session knows what a record names by the API alone.
func (s *session) onlyRead(e *Event) bool {
	for _, id := range []string{e.Call.ID, e.Leg.Call} {
		if c := s.calls[id]; c != nil && c.bornAt != NoIndex {
			return false
		}
	}
	l := s.legs[e.Leg.ID]
	return l == nil || l.bornAt == NoIndex
}

// adopt moves what the API has told of a session, before its id was known, into
// that session: its indexes are the same Call Bridge's.
func (b *Board) adopt(now time.Time, s, a *session) {
	for id, l := range a.legs {
		if s.legs[id] != nil && l.call != nil { // it is two, and must not be in a call that moves
			from := l.call
			b.uncount(now, l, "its records come")
			b.unlink(now, l)
			from.detachLeg(l)
			l.target = from.id
		}
	}
	for id, c := range a.calls {
		if s.calls[id] != nil {
			continue
		}
		s.calls[id], c.session = c, s
		delete(a.calls, id)
		if c.meeting != nil {
			a.live--
			s.live++
			b.touch(c.meeting)
		}
		a.inCalls -= len(c.legs)
		s.inCalls += len(c.legs)
	}
	for id, l := range a.legs {
		if s.legs[id] == nil && (l.call == nil || l.call.session == s) {
			s.legs[id] = l
			delete(a.legs, id)
		}
	}
	for c := range a.wants.calls {
		if c.session == s {
			n := c.need
			a.wants.takeCall(c, n)
			b.needCall(c, n)
		}
	}
	for l := range a.wants.legs {
		if s.legs[l.id] == l {
			n := l.need
			a.wants.takeLeg(l, n)
			b.needLeg(s, l, n)
		}
	}
	s.wants.asked += a.wants.asked
	s.departed = append(a.departed, s.departed...)
	a.departed = nil
	s.keys = append(s.keys, a.keys...)
	s.synced, s.round = max(s.synced, a.synced), a.round
	if a.forcedAt > s.synced {
		s.force(a.forcedAt, a.forcedWhy) // its first records are not all that its status told of
	}
	if a.progress.After(s.progress) {
		s.progress = a.progress
	}
	if len(a.calls)+len(a.legs) > 0 { // known to both: what the records say stays, and is read anew
		s.force(b.latest(s), "its calls were read twice")
	}
	a.sureness, a.server = Unbound, "" // it ends without ending what runs there
	rest := a.legs
	b.forget(now, a, "its records come")
	for _, l := range rest {
		b.again(now, s, l)
	}
	b.checkGap(now, s)
}

// again merges what the API has told of a leg into a session that knows it, or
// its call, as well.
func (b *Board) again(now time.Time, s *session, l *leg) {
	e := Event{Kind: LegUpdated, Leg: LegFacts{ID: l.id, Name: l.name, RemoteParty: l.party, RemoteAddress: l.address,
		Group: l.group, Call: l.target, IVR: l.ivr && l.target == "", Connected: l.connected}}
	switch {
	case l.ended:
		e.Kind = LegEnded
	case l.kind&kindApp != 0:
		e.Leg.Type = "acano"
	case l.kind&kindLink != 0:
		e.Leg.SubType = "distributionLink"
	}
	b.legEvent(now, s, l.newest, &e)
}

// progressed notes that a server has told something of a session.
func (b *Board) progressed(now time.Time, s *session) {
	if s != nil {
		s.progress = now
	}
}

// identified is for a server that has told which Call Bridge it is: sessions
// with that GUID are its.
func (b *Board) identified(now time.Time, server, guid string) {
	if a := b.opened(server); a != nil {
		b.identify(a, guid)
	}
	for _, s := range b.sessions {
		if guid != "" && !s.api && strings.EqualFold(s.bridge, guid) {
			b.prove(now, s, server)
		}
	}
	b.settle(now)
}
