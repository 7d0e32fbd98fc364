package policy

import (
	"fmt"
	"time"
)

// callStarted applies a callStart.
func (b *Board) callStarted(now time.Time, s *session, index int64, f *CallFacts) {
	c := b.call(now, s, f.ID)
	if c == nil {
		return
	}
	c.startAt = max(c.startAt, index)
	if c.bornAt == NoIndex || index < c.bornAt {
		c.bornAt = index
	}
	b.callFacts(c, index, f)
	b.reattach(now, c, "call ended")
}

// callFacts enters what a record says of a call.
func (b *Board) callFacts(c *call, index int64, f *CallFacts) {
	if f.Name != "" && index >= c.nameAt {
		c.rename(Clean(f.Name, maxName))
		c.nameAt = index
	}
	if f.Correlator != "" && c.correlator == "" {
		c.correlator = Clean(f.Correlator, maxID)
	}
}

// callEnded applies a callEnd: every leg still thought to be in the call goes,
// but for those that a newer record has put there.
func (b *Board) callEnded(now time.Time, s *session, index int64, f *CallFacts) {
	c := b.call(now, s, f.ID)
	if c == nil {
		return
	}
	b.callFacts(c, index, f)
	b.endCall(now, c, index, "call ended")
}

// endCall ends a call as of an index.
func (b *Board) endCall(now time.Time, c *call, index int64, why string) {
	c.endAt = max(c.endAt, index)
	for i := len(c.legs) - 1; i >= 0; i-- {
		// A leg whose record had no index may share this one, and is older.
		if l := c.legs[i]; l.newest < c.endAt || l.newest <= index {
			b.leave(now, c.session, l, why)
			b.left(c.session, l)
		}
	}
	b.reattach(now, c, why)
}

// legEvent applies a record of a leg.
func (b *Board) legEvent(now time.Time, s *session, index int64, e *Event) {
	id := e.Leg.ID
	l := s.legs[id]
	if l == nil { // what is known is clean
		id = Clean(id, maxID)
		l = s.legs[id]
	}
	if e.Leg.Call != "" && e.Kind != LegEnded && (l == nil || l.call == nil || l.call.id != e.Leg.Call) {
		// Whoever is in a call proves that it runs, even if he is gone again by
		// another record that has come before this one.
		if c := b.call(now, s, e.Leg.Call); c != nil && c.meeting == nil {
			b.reattach(now, c, "call ended")
		}
		l = s.legs[id] // it may have been forgotten, to make room
	}
	if l == nil {
		if l = b.leg(now, s, id, index); l == nil {
			b.legOverflow(now, s, index, e)
			return
		}
		// Its start is among what the API has told, or should have: only its details
		// can tell who it is.
		l.unread = e.Kind == LegUpdated && (s.synced != NoIndex || s.round.open)
	}
	if l.ended {
		return
	}
	if e.Kind == LegEnded {
		from := l.call
		b.cancelLeg(s, l)
		b.leave(now, s, l, Clean(e.Leg.Reason, maxName))
		l = l.over(now)
		s.legs[l.id] = l // the key too
		b.left(s, l)
		if from != nil {
			b.reattach(now, from, "call ended")
		}
		return
	}
	if e.Kind == LegStarted && (l.bornAt == NoIndex || index < l.bornAt) {
		l.bornAt = index
		if l.call != nil {
			l.call.least = min(l.call.least, l.knownAt())
		}
		l.learned()
	}
	if l.merge(&e.Leg, index) {
		b.classify(l)
	}
	b.place(now, s, l)
	b.recount(now, l)
}

// leg opens a leg of a session; nil when there is no room.
func (b *Board) leg(now time.Time, s *session, id string, index int64) *leg {
	if !b.room(now, s, &b.legs, b.o.Bounds.Legs, legsOf) {
		return nil
	}
	l := newLeg(id, now, index)
	l.finding = b.o.Rules.Classify("").finding()
	s.legs[id] = l
	b.legs++
	return l
}

// legOverflow is for a leg that there is no room for: its call, or where that
// is not known its session, counts as level 3.
func (b *Board) legOverflow(now time.Time, s *session, index int64, e *Event) {
	if e.Kind == LegEnded {
		return // nobody who could have counted
	}
	why := fmt.Sprintf("more than %d legs at once", b.o.Bounds.Legs)
	b.bounded(now, why, "find out who sends them; meetings of theirs count as level 3")
	if c := s.calls[Clean(e.Leg.Call, maxID)]; c != nil {
		b.callOverflow(c, index, why)
		return
	}
	b.sessionOverflow(s, index, why)
}

// classify gives a leg the evidence of its address and kind.
func (b *Board) classify(l *leg) {
	e := b.o.Rules.Classify(l.address)
	l.kind &^= kindWatched | kindUnwatched
	if host := e.Host; host != "" {
		if _, ok := b.watched[host]; ok {
			l.kind |= kindWatched
		}
		if _, ok := b.unwatched[host]; ok {
			l.kind |= kindUnwatched
		}
	}
	if l.kind&(kindApp|kindGuest) != 0 {
		e = e.byApp(l.typeName())
	}
	l.finding = e.finding()
}

// place puts a leg into the call that its records say, and takes it out of
// another.
func (b *Board) place(now time.Time, s *session, l *leg) {
	var c *call
	out := l.departures == 0 // nobody remembers that it left
	switch {
	case l.target == "":
	case l.call != nil && l.call.id == l.target:
		c = l.call
	default:
		if c = s.calls[l.target]; c == nil {
			l.departures++ // it must not be forgotten to make room
			out = true
			c = b.call(now, s, l.target)
		}
	}
	if c != nil && c.endAt > l.newest {
		c = nil // the call's end took it out
	}
	if c == l.call {
		if c == nil && l.target != "" && out {
			l.departures++
			b.remember(s, departure{leg: l, nth: l.departures})
		}
		b.relink(now, l)
		return
	}
	l.departures++ // nor may it be on its way, nor the call that it goes to
	if c != nil {
		c.departures++
	}
	if l.call != nil {
		from := l.call
		b.uncount(now, l, "moved")
		b.unlink(now, l)
		from.detachLeg(l)
		b.reattach(now, from, "call ended")
	}
	switch {
	case c == nil:
		if l.target != "" { // else it is in the IVR, and comes back
			b.remember(s, departure{leg: l, nth: l.departures})
		}
	case len(c.legs) >= b.o.Bounds.LegsPerCall:
		why := fmt.Sprintf("more than %d legs in one call", b.o.Bounds.LegsPerCall)
		b.bounded(now, why, "find out who is in it; its meeting counts as level 3 until the server shows that there is room")
		b.callOverflow(c, l.newest, why)
		b.reattach(now, c, "call ended")
		b.touch(c.meeting)
	default:
		c.attachLeg(l)
		if l.unread {
			b.needLeg(s, l, needRead)
		}
		l.target = c.id // one copy of the id for all its legs
		b.reattach(now, c, "call ended")
		b.relink(now, l)
		b.touch(c.meeting)
	}
}

// leave takes a leg out of its call, for good or until a newer record. The
// caller notes that it has left, and looks whether that was the end of the call.
func (b *Board) leave(now time.Time, s *session, l *leg, why string) {
	if c := l.call; c != nil {
		b.uncount(now, l, why)
		b.unlink(now, l)
		c.detachLeg(l)
		b.touch(c.meeting)
		if s.round.open && c.bornAt == NoIndex {
			// Its legs may have been as many as it said because this one was still
			// among them. Of a call whose start has come a record told of every leg; to
			// count it again whenever somebody leaves would keep a round from ending
			// where many leave.
			b.needCall(c, needCheck)
		}
	}
}

// left notes that a leg has left.
func (b *Board) left(s *session, l *leg) {
	l.departures++
	b.remember(s, departure{leg: l, nth: l.departures})
}

// call finds a session's call, or opens it; nil when there is no room.
func (b *Board) call(now time.Time, s *session, id string) *call {
	if c := s.calls[id]; c != nil { // what is known is clean
		return c
	}
	id = Clean(id, maxID)
	if c := s.calls[id]; c != nil {
		return c
	}
	if !b.room(now, s, &b.calls, b.o.Bounds.Calls, callsOf) {
		why := fmt.Sprintf("more than %d calls at once", b.o.Bounds.Calls)
		b.bounded(now, why, "find out who sends them; the meetings of that session count as level 3")
		b.sessionOverflow(s, b.latest(s), why)
		return nil
	}
	b.nextRef++
	c := &call{ref: b.nextRef, id: id, correlator: b.saved.correlators[id], session: s,
		nameAt: NoIndex, bornAt: NoIndex, readAt: NoIndex, startAt: NoIndex, endAt: NoIndex}
	s.calls[id] = c
	b.calls++
	return c
}

// reattach puts a call where its correlator says, if it is alive, and takes it
// out of its meeting if it is not.
func (b *Board) reattach(now time.Time, c *call, why string) {
	if !c.alive() {
		met := c.meeting != nil
		if met {
			b.detach(now, c, why)
		}
		if met || c.departures == 0 {
			c.departures++
			b.remember(c.session, departure{call: c, nth: c.departures})
		}
		return
	}
	id := b.meetingOf(c)
	if c.meeting != nil && c.meeting.id == id {
		b.touch(c.meeting)
		return
	}
	before := c.meeting
	if before == nil {
		b.attach(now, c, b.meeting(now, id))
		m := c.meeting
		b.note(now, b.about(m, Entry{Kind: EntryCallStarted, Call: c.id, Bridge: b.bridgeName(c.session)}))
		return
	}
	// The correlator came late: the call, until now a meeting of its own, joins
	// the others, and brings its override along.
	over, restored, fallen, effective := before.override, before.restored, before.fallen, before.effective
	b.unattach(now, c)
	m := b.meeting(now, id)
	b.attach(now, c, m)
	b.bring(m, over, restored)
	if m.fallen == nil {
		m.fallen = fallen
	}
	if m.incomplete() != "" { // nothing falls, and where nothing is shown only level 3 may be
		if m.effective == LevelNone && effective != LevelNone && len(m.calls) > 1 {
			effective = Level3
		}
		m.effective = max(m.effective, effective)
	}
	b.recompute(now, m)
}

// meetingOf is the id of the meeting that a call belongs in. Two calls without
// a correlator but with one id, on different Call Bridges, stay apart.
func (b *Board) meetingOf(c *call) MeetingID {
	if c.correlator != "" {
		return MeetingID(c.correlator)
	}
	if c.meeting != nil {
		return c.meeting.id
	}
	id := MeetingID(noCorrelator + c.id)
	if b.meetings[id] != nil {
		return id + "@" + MeetingID(c.session.id)
	}
	return id
}

// meeting finds a meeting, or opens it.
func (b *Board) meeting(now time.Time, id MeetingID) *meeting {
	m := b.meetings[id]
	if m == nil {
		m = &meeting{id: id, started: now, changed: now}
		b.meetings[id] = m
		b.link(m)
		b.totals.Meetings++
		b.totals.Levels[LevelNone]++
	}
	return m
}

// attach puts a call, with its legs, into a meeting.
func (b *Board) attach(now time.Time, c *call, m *meeting) {
	if c.sent.Kind != MarkNone && b.refs[c.ref] == nil {
		c.uncertain = true // it was thought to have ended: who knows what it shows
	}
	m.enter(c)
	c.covered = c.links <= m.otherCalls(c.session)
	b.refs[c.ref] = c
	if c.session.live == 0 {
		c.session.busy = now
	}
	c.session.live++
	b.totals.Calls++
	for _, l := range c.legs {
		b.recount(now, l)
	}
	if c.session.watched {
		b.coverMeeting(now, m, false)
	}
	b.resume(now, m)
	b.touch(m)
	if c.correlator == "" {
		b.needCall(c, needCheck) // the API may know what the records do not tell
	}
}

// unattach takes a call, with its legs, out of its meeting, which ends with its
// last call.
func (b *Board) unattach(now time.Time, c *call) {
	m := c.meeting
	for _, l := range c.legs {
		if l.counted != LevelNone {
			m.counts[l.counted]--
			b.totals.Legs--
			l.counted = LevelNone
		}
	}
	m.drop(c)
	c.completed(false)
	c.session.live--
	b.totals.Calls--
	if len(m.calls) == 0 {
		b.dropMeeting(m)
	} else {
		if c.session.watched {
			b.coverMeeting(now, m, true)
		}
		b.recompute(now, m)
		b.touch(m)
	}
}

// detach is unattach for a call that is over.
func (b *Board) detach(now time.Time, c *call, why string) {
	if why == EntryCallEnded.String() {
		why = "" // the entry says it
	}
	b.note(now, b.about(c.meeting, Entry{Kind: EntryCallEnded, Call: c.id, Bridge: b.bridgeName(c.session), Text: why}))
	b.cancelCall(c)
	b.uncontest(now, c)
	b.away -= len(c.away)
	c.meeting.away -= len(c.away)
	c.away, c.told, c.checking = nil, false, check{}
	delete(b.refs, c.ref)
	b.look(c) // so that the notifier forgets it, who may wait for an absent server
	b.unattach(now, c)
	c.uncertain = c.uncertain || c.sending
	c.sending, c.failure, c.attempts, c.overflow = false, "", 0, ""
	c.wanted = Marking{}
}

// levelOf is what a leg adds to its meeting now.
func (b *Board) levelOf(l *leg) Level {
	c := l.call
	if c == nil || c.meeting == nil || !l.connected || l.lobby || l.isRecorder() {
		return LevelNone
	}
	if l.isLink() {
		switch {
		case c.told:
			return LevelNone // the API has told who is behind the links: they count themselves
		case l.kind&kindUnwatched != 0:
			return Level3
		case l.kind&kindLink != 0 && l.kind&kindWatched != 0:
			return LevelNone
		case c.links <= c.meeting.otherCalls(c.session):
			// As many other calls of the meeting are watched as there are links: the
			// people behind them are counted there.
			return LevelNone
		case l.kind&kindLink != 0:
			return Level3
		}
		// Only its host says that it is a link, and there is no call that it could
		// lead to. Addresses come from the far end: it counts like anybody.
	}
	return l.finding.level
}

// recount brings a leg's share in its meeting up to date.
func (b *Board) recount(now time.Time, l *leg) {
	b.recounted++
	level := b.levelOf(l)
	if level == l.counted {
		if l.call != nil && l.call.meeting != nil {
			b.touch(l.call.meeting) // its name, or where it waits, may have changed
		}
		return
	}
	m, before := l.call.meeting, l.counted
	if before != LevelNone {
		m.counts[before]--
		b.totals.Legs--
	}
	if level != LevelNone {
		m.counts[level]++
		b.totals.Legs++
		if l.joined == 0 {
			l.joined = momentOf(now)
		}
	}
	l.counted = level
	kind := EntryMoved
	switch {
	case before == LevelNone:
		kind = EntryJoined
	case level == LevelNone:
		kind = EntryLeft
	}
	b.noteLeg(now, l, kind, before, level, "")
	b.recompute(now, m)
}

// uncount takes a leg out of its meeting's counts.
func (b *Board) uncount(now time.Time, l *leg, why string) {
	if l.counted == LevelNone {
		return
	}
	m, before := l.call.meeting, l.counted
	m.counts[before]--
	b.totals.Legs--
	l.counted = LevelNone
	b.noteLeg(now, l, EntryLeft, before, LevelNone, why)
	b.recompute(now, m)
}

// relink brings the count of links in a leg's call up to date, after a record
// that may have made it one, and with it what all its links count as if that
// changes.
func (b *Board) relink(now time.Time, l *leg) {
	c := l.call
	if c == nil || l.isLink() == l.countedLink {
		return
	}
	l.countedLink = l.isLink()
	if !l.countedLink {
		c.addLinks(-1)
		b.cover(now, c)
		return
	}
	c.addLinks(1)
	b.needCall(c, needPeople)
	if c.told {
		c.told = false
		b.recountLinks(now, c)
	}
	b.cover(now, c)
	b.recount(now, l)
}

// unlink takes a leg that leaves its call out of the count of links.
func (b *Board) unlink(now time.Time, l *leg) {
	if !l.countedLink {
		return
	}
	l.countedLink = false
	l.call.addLinks(-1)
	b.cover(now, l.call)
}

// recountLinks brings the shares of a call's links up to date.
func (b *Board) recountLinks(now time.Time, c *call) {
	for _, l := range c.legs {
		if l.countedLink {
			b.recount(now, l)
		}
	}
}

// SetHosts tells which hosts are Call Bridges: those that callmark is configured
// for, and others of the cluster. Hosts are as Host returns them.
func (b *Board) SetHosts(now time.Time, watched, unwatched []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w, u := set(watched), set(unwatched)
	if equal(w, b.watched) && equal(u, b.unwatched) {
		return
	}
	b.watched, b.unwatched = w, u
	for _, s := range b.sessions {
		for _, l := range s.legs {
			if l.ended {
				continue
			}
			b.classify(l)
			b.relink(now, l)
			if l.call != nil {
				b.recount(now, l)
			}
		}
	}
	b.settle(now)
}

func set(hosts []string) map[string]struct{} {
	m := make(map[string]struct{}, len(hosts))
	for _, h := range hosts {
		m[h] = struct{}{}
	}
	return m
}

func equal(a, b map[string]struct{}) bool {
	if len(a) != len(b) {
		return false
	}
	for h := range a {
		if _, ok := b[h]; !ok {
			return false
		}
	}
	return true
}
