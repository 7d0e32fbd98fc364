package policy

import (
	"fmt"
	"strings"
	"time"
)

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

// unfollow is for a session that has ended. What the status of its server has told
// since another one there was heard of is of that one, and holds.
func (b *Board) unfollow(now time.Time, s *session, why string) {
	if f := b.follows[s.server]; f != nil && s.sureness == Proven {
		if on := b.sessionOn(s.server); on != nil && on.first.Before(f.asked) {
			f.outlive(now, on.first, why)
		} else {
			f.restart(now, why)
		}
		if a := b.opened(s.server); a != nil {
			b.forget(now, a, why) // it was read from the same run
		}
	}
}

// bind notes on which server a session runs, and how sure that is, and what
// follows: other sessions of that server may be the same, or over.
func (b *Board) bind(now time.Time, s *session, server string, how Sureness) {
	s.server, s.sureness = server, how
	b.proofs++
	if how == Proven && !b.bindSender(now, s) {
		return
	}
	b.rewatch(now, s)
	for _, c := range s.calls {
		b.touch(c.meeting) // its views name the server
	}
	b.judge(now, s)
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
		b.joined = append(b.joined, s)
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
				if !b.prove(now, s, server) {
					return
				}
				break
			}
		}
	}
	if s.sureness == Proven && s.alone == b.proofs {
		return // the usual case; looking at 24 sessions is 43 % of a record
	}
	alone := true
	for _, a := range b.sessions {
		// One of records as well: when its Call Bridge has restarted unnoticed, what
		// was read since then is in that of the run before.
		if a == s || a.sureness != Proven {
			continue
		}
		if s.sureness == Proven && s.server != a.server {
			continue
		}
		alone = false
		if s.sureness == Proven && !a.api && !a.rivalled && !s.rivalled {
			continue
		}
		for i := range events {
			e := &events[i]
			if a.calls[e.Call.ID] == nil && a.calls[e.Leg.Call] == nil && a.legs[e.Leg.ID] == nil {
				continue
			}
			server := a.server
			if !b.believes(now, s, server) {
				return
			}
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
	if alone && s.sureness == Proven {
		s.alone = b.proofs
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
		c.completed(false)
		s.calls[id], c.session = c, s
		delete(a.calls, id)
		if m := c.meeting; m != nil {
			m.host(a, -1)
			m.host(s, 1)
			b.coverMeeting(now, m, false) // the two are one Call Bridge
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
	s.departed.follow(&a.departed)
	for s.departed.len() > b.o.Bounds.DepartedPerSess {
		b.forgetOldest(s)
	}
	s.left, s.over = max(s.left, a.left), s.over || a.over
	if s.overflow == "" {
		s.overflow = a.overflow
	}
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
	b.joined = append(b.joined, s)
	a.sureness, a.server = Unbound, "" // it ends without ending what runs there
	rest := a.legs
	b.forget(now, a, "its records come")
	for _, l := range rest {
		b.again(now, s, l)
	}
	b.checkGap(now, s)
}

// behind looks whether a session lacks records that its server's status told of
// while only the API told of the session: none of them was missed then, and what
// comes late of them does not know what the others say.
func (b *Board) behind(now time.Time, s *session) {
	f, next := b.follows[s.server], s.seen.high()+1
	if b.sessions[s.id] == s && f != nil && f.before > max(s.synced, next) {
		s.force(f.before, fmt.Sprintf("records %d to %d have not come", next, f.before-1))
		b.checkGap(now, s)
	}
}

// again merges what the API has told of a leg into a session that knows it, or
// its call, as well.
func (b *Board) again(now time.Time, s *session, l *leg) {
	e := Event{Kind: LegUpdated, Leg: LegFacts{ID: l.id, Name: l.name, RemoteParty: l.address,
		Group: l.group, Call: l.target, IVR: l.ivr && l.target == "", Connected: l.connected}}
	if l.current {
		e.Leg.RemoteAddress = l.address
	}
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
