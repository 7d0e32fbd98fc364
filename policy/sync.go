package policy

import (
	"fmt"
	"slices"
	"time"
)

// Round is one reading of a server's lists, from BeginRound to Listed.
type Round struct {
	Server string
	epoch  uint64
	asOf   int64
	status time.Time // when the status was asked for that told asOf
	began  time.Time
}

// round is what a session knows of the latest reading of its lists.
type round struct {
	asOf  int64
	known int64 // as of which index all is known once it is over; at most asOf
	open  bool  // not all that it made necessary has been read
	short bool  // there was no room for somebody
}

// BeginRound begins to read a server's lists. Its status should have been polled
// right before. It reports false while the Call Bridge seems to have restarted:
// another poll will tell.
func (b *Board) BeginRound(now time.Time, server string) (Round, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Round{Server: server, began: now, asOf: NoIndex}
	f := b.follows[server]
	if f == nil || f.suspect {
		return r, false
	}
	if !f.wanted.After(f.asked) { // else they are due again: what made them so may not be in this status
		f.due = ""
	}
	r.epoch, r.status = f.epoch, f.asked
	if s := b.home(server); s != nil {
		r.asOf = b.asOf(s)
	} else if r.asOf = f.next; r.asOf == NoIndex {
		r.asOf = 0
	}
	return r, true
}

// precedes reports whether a round's index may be one of the run before a session.
func (r Round) precedes(s *session) bool {
	return !s.first.Before(r.status) && r.asOf > s.seen.high()+1
}

// Paged notes that a page of a round has come, and which of its calls and legs run
// by the records, in these: what does, and is forgotten before the whole list is
// taken, has ended.
func (b *Board) Paged(now time.Time, r Round, calls []ListedCall, legs []ListedLeg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.home(r.Server); s != nil {
		for i := range calls {
			if c := s.calls[calls[i].ID]; c != nil && c.alive() {
				calls[i].met = s.order
			}
		}
		for i := range legs {
			if l := s.legs[legs[i].ID]; l != nil && !l.ended {
				legs[i].met = s.order
			}
		}
	}
	for _, s := range b.sessions {
		if s.server == r.Server || s.server == "" {
			b.progressed(now, s)
		}
	}
}

// listChunk is how many entries of a list are taken under one hold of the lock.
const listChunk = 256

// Listed takes the lists of a round: all calls, and all legs with the calls that
// they are in. It reports false when the Call Bridge has restarted, or
// seems to have, since the round began: then the lists mean nothing.
//
// What a list names is merged like a record that is older than every record from
// the round's index on. What it does not tell is asked for: the details of legs
// that are not known, or that may have come to count while records were
// missing; each call, for how many legs and people it has; and whatever the
// board knows that the lists lack.
func (b *Board) Listed(now time.Time, r Round, calls []ListedCall, legs []ListedLeg) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[r.Server]
	if f == nil || f.epoch != r.epoch || f.suspect {
		return false
	}
	b.matchLists(now, r, calls, legs)
	if a, s := b.opened(r.Server), b.sessionOn(r.Server); a != nil && s != nil && s.matched.Equal(r.began) {
		if r.precedes(s) && !shares(a, s) {
			b.settle(now) // what the API has told may be of the run before
			return false
		}
		b.adopt(now, s, a) // else there would be two who have what is listed
	}
	if f.epoch != r.epoch { // they may be of the run that ended, or of both
		b.settle(now)
		return false
	}
	s := b.home(r.Server)
	if s == nil {
		s = b.openSession(now, r.Server)
	}
	if !s.api && r.precedes(s) {
		b.settle(now)
		return false
	}
	s.round = round{asOf: r.asOf, open: true}
	named := make(map[string]struct{}, len(calls)+len(legs))
	for i := range calls {
		if !b.breathe(now, f, r, s, i) {
			return false
		}
		named[calls[i].ID] = struct{}{}
		if s.calls[calls[i].ID] == nil && s.hadMet(calls[i].met) {
			continue
		}
		f := calls[i].Facts()
		b.listedCall(now, s, r.asOf, &f)
	}
	for i := range legs {
		if !b.breathe(now, f, r, s, i) {
			return false
		}
		named[legs[i].ID] = struct{}{}
		if s.legs[legs[i].ID] == nil && s.hadMet(legs[i].met) {
			continue
		}
		b.listedLeg(now, s, r.asOf, r.began, legs[i].Facts())
	}
	for id, c := range s.calls {
		if _, ok := named[id]; !ok && c.meeting != nil && s.before(max(c.startAt, c.bornAt), r.asOf) {
			b.needCall(c, needGone|needCheck) // it may have been missed, and its legs likewise
		}
	}
	for id, l := range s.legs {
		if l.ended {
			continue
		}
		if !l.unread && max(l.bornAt, l.readAt) == NoIndex {
			l.unread = true // also where it is in no call: it may come into one
			if l.call != nil {
				l.call.unread++
				b.touch(l.call.meeting)
			}
		}
		if l.call != nil && l.unread {
			b.needLeg(s, l, needRead)
		}
		if _, ok := named[id]; !ok && (l.call != nil || l.ivr) && s.before(l.newest, r.asOf) {
			b.needLeg(s, l, needGone)
		}
	}
	b.doubtRivals(s, named)
	s.round.known = s.covers(r.asOf, named)
	f.listed, f.problem = now, ""
	b.progressed(now, s)
	for _, c := range b.refs {
		if c.checking.waits {
			b.needCall(c, needPeople) // their Call Bridge may be this one
		}
	}
	b.finishRound(now, s)
	b.settle(now)
	b.bump()
	return true
}

// hadMet reports whether a call or leg ran in the session when its page came. When
// it is known no more, it has ended: lists take up to minutes to read, and with so
// many after it that nothing is remembered of it, it would come back as one of which
// no record has come.
func (s *session) hadMet(met uint64) bool { return slices.Contains(s.keys, met) }

// before reports whether something happened before lists were read, as far as
// its index tells. One that no record has reached is from the API, at an earlier
// time, or of an earlier run.
func (s *session) before(index, asOf int64) bool {
	return index < asOf || index > s.seen.high()
}

// doubtRivals has it asked what still runs of other sessions on a server than
// the one that its lists are of. Their indexes are another run's, and tell nothing.
func (b *Board) doubtRivals(home *session, named map[string]struct{}) {
	for _, s := range b.sessions {
		if s == home || s.server != home.server || s.sureness != Proven {
			continue
		}
		for id, c := range s.calls {
			if _, ok := named[id]; !ok && c.meeting != nil {
				b.needCall(c, needGone)
			}
		}
		for id, l := range s.legs {
			if _, ok := named[id]; !ok && l.call != nil {
				b.needLeg(s, l, needGone)
			}
		}
	}
}

// covers is as of which index all is known once what lists made necessary is
// read. They do not tell whether a leg is connected, or in the lobby, and may miss
// one: of legs, and of calls' legs, that are not asked for, only the records tell
// that have come, and what was read of them before.
func (s *session) covers(asOf int64, named map[string]struct{}) int64 {
	known := asOf
	for _, c := range s.calls {
		if c.meeting != nil && c.incomplete() == "" { // its legs are not asked for by name
			known = min(known, max(c.bornAt, c.readAt))
		}
	}
	for id, l := range s.legs {
		if _, ok := named[id]; (ok || l.call != nil) && !l.ended && !l.awaited(asOf) {
			known = min(known, max(l.bornAt, l.readAt))
		}
	}
	return min(asOf, max(known, s.seen.high()+1, s.gapAt, s.synced))
}

// awaited reports whether a round waits for what is asked about a leg, or need
// not, since what is known of it cannot be too good.
func (l *leg) awaited(asOf int64) bool {
	return l.need&needRead != 0 || l.need&needRefresh != 0 && l.sure(asOf)
}

// breathe lets a record in between slices of a list. It reports false when the
// session has ended meanwhile.
func (b *Board) breathe(now time.Time, f *follow, r Round, s *session, i int) bool {
	if i%listChunk != listChunk-1 {
		return true
	}
	b.settle(now)
	b.mu.Unlock()
	b.mu.Lock()
	return f.epoch == r.epoch && b.home(r.Server) == s
}

// matchLists finds the sessions that run on a server by what is listed there,
// though it may have ended since it was read. Of several that are its, one that
// has been silent since the round began and has nothing listed is over, if
// another has.
func (b *Board) matchLists(now time.Time, r Round, calls []ListedCall, legs []ListedLeg) {
	listed := map[*session]bool{}
	for _, s := range b.sessions {
		if s.api || s.sureness == Proven && s.server != r.Server {
			continue
		}
		for i := 0; i < len(calls) && !listed[s]; i++ {
			listed[s] = s.calls[calls[i].ID] != nil
		}
		for i := 0; i < len(legs) && !listed[s]; i++ {
			listed[s] = s.legs[legs[i].ID] != nil || s.calls[legs[i].Call] != nil
		}
	}
	some := false
	for s, is := range listed {
		if is && b.sessions[s.id] == s {
			some = true
			s.matched = r.began
			b.prove(now, s, r.Server)
		}
	}
	for s, is := range listed {
		if some && !is && s.sureness == Proven && s.last.Before(r.began) && b.sessions[s.id] == s {
			b.endSession(now, s, "its Call Bridge has restarted, say its lists")
		}
	}
}

// matchLegs finds the sessions that run on a server by legs that an answer names.
func (b *Board) matchLegs(now time.Time, q Question, legs []ListedLeg) {
	for _, s := range b.sessions {
		if s.api || s.sureness == Proven && s.server != q.Server || !slices.ContainsFunc(legs, func(f ListedLeg) bool { return s.legs[f.ID] != nil }) {
			continue
		}
		if a := b.opened(q.Server); b.prove(now, s, q.Server) && a != nil && b.sessions[a.id] == a {
			b.adopt(now, s, a)
		}
	}
}

// openSession opens a session for what runs on a server of which no record has
// come.
func (b *Board) openSession(now time.Time, server string) *session {
	b.nextSess++
	s := newSession(Source{Session: "api/" + server, CallBridge: b.servers[server].CallBridge}, now, b.nextSess)
	s.api, s.server, s.sureness, s.watched = true, server, Proven, true
	b.sessions[s.id] = s
	b.proofs++
	b.bump()
	return s
}

// observed is the index to order what is observed by: that of the newest record
// that the observation is surely newer than.
func observed(asOf int64) int64 { return max(asOf-1, NoIndex) }

func (b *Board) listedCall(now time.Time, s *session, asOf int64, f *CallFacts) {
	c := b.call(now, s, f.ID)
	if c == nil {
		return
	}
	b.seenCall(now, c, asOf, f)
	if c.meeting != nil {
		b.needCall(c, needCheck)
	}
}

// seenCall merges what the API says of a call that runs.
func (b *Board) seenCall(now time.Time, c *call, asOf int64, f *CallFacts) {
	b.callFacts(c, observed(asOf), f)
	c.startAt = max(c.startAt, observed(asOf))
	b.reattach(now, c, "call ended")
}

// listedLeg merges what a list, which was asked for at began, says of a leg.
func (b *Board) listedLeg(now time.Time, s *session, asOf int64, began time.Time, f LegFacts) {
	l := b.seenLeg(now, s, asOf, f)
	if l == nil {
		if l = s.legs[Clean(f.ID, maxID)]; l != nil && l.belied(began, f) {
			b.needLeg(s, l, needRead)
		}
		return
	}
	l.listedAt = max(l.listedAt, asOf)
	switch {
	case l.unread && l.call != nil:
		b.needLeg(s, l, needRead)
	case l.unread:
		b.needLeg(s, l, needRefresh) // in the voice menu; it may come into a call
	case l.call != nil && max(l.bornAt, l.readAt) < s.gapAt && !l.sure(s.gapAt):
		b.needLeg(s, l, needRead)
	case l.call != nil && l.readAt == NoIndex, max(l.bornAt, l.readAt) < s.gapAt:
		b.needLeg(s, l, needRefresh) // also for what no record tells: whether it is encrypted
	}
}

// seenLeg merges what the API says of a leg that runs; nil when it is over, or
// there is no room for it.
func (b *Board) seenLeg(now time.Time, s *session, asOf int64, f LegFacts) *leg {
	id := Clean(f.ID, maxID)
	if id == "" {
		return nil
	}
	if s.legs[id] == nil {
		if l := b.leg(now, s, id, observed(asOf)); l != nil {
			l.unread = true // before it is put into its call, so that the call is
		}
	}
	b.legEvent(now, s, observed(asOf), &Event{Kind: LegUpdated, Leg: f})
	l := s.legs[id]
	if l == nil || l.ended {
		return nil
	}
	return l
}

// learned notes that it is known who a leg is.
func (l *leg) learned() {
	if l.unread {
		l.unread = false
		if l.call != nil {
			l.call.unread--
		}
	}
}

// AnswerLeg takes the details of a leg; exists is false when its server says
// that there is no such leg.
func (b *Board) AnswerLeg(now time.Time, q Question, f LegFacts, exists bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q = b.dated(q)
	s, l := b.askedLeg(q)
	if s == nil {
		return
	}
	b.progressed(now, s)
	switch {
	case l == nil:
	case exists:
		if !b.prove(now, s, q.Server) {
			break
		}
		f.ID = q.ID
		if l.belied(q.at, f) {
			b.revive(now, s, l, q.asOf)
		}
		l.unlinkedBy(&f)
		if l = b.seenLeg(now, s, q.asOf, f); l != nil {
			l.readAt, l.listedAt = max(l.readAt, q.asOf), max(l.listedAt, q.asOf)
			from := l.call
			l.learned()
			if from != nil {
				b.touch(from.meeting)
			}
		}
	case s.sureness == Proven && l.newest <= max(observed(q.asOf), q.high):
		b.goneLeg(now, s, l, max(observed(q.asOf), l.newest))
	}
	b.finishRound(now, s)
	b.settle(now)
}

// goneLeg takes out a leg that its server does not know any more. Should a newer
// record tell of it, it comes back.
func (b *Board) goneLeg(now time.Time, s *session, l *leg, index int64) {
	from := l.call
	b.cancelLeg(s, l)
	if l.ended {
		return
	}
	l.newest, l.targetAt, l.target, l.ivr = index, index, "", false
	b.leave(now, s, l, "its server does not know it any more")
	b.left(s, l)
	if from != nil {
		b.reattach(now, from, "call ended")
	}
}

// AnswerCallLegs takes all legs that are in a call. It is for a call of which
// records are missing, or whose own count disagrees with the lists, which move
// while one reads them.
func (b *Board) AnswerCallLegs(now time.Time, q Question, legs []ListedLeg, exists bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q = b.dated(q)
	b.matchLegs(now, q, legs)
	s, c := b.answered(now, q, exists)
	if c == nil {
		b.settle(now)
		return
	}
	named := make(map[string]struct{}, len(legs))
	for i := range legs {
		f := legs[i].Facts()
		if f.Call == "" {
			f.Call = q.ID
		}
		named[Clean(f.ID, maxID)] = struct{}{}
		b.listedLeg(now, s, q.asOf, q.at, f)
	}
	for _, l := range c.legs {
		if _, ok := named[l.id]; !ok && s.before(l.newest, q.asOf) {
			b.needLeg(s, l, needGone)
		}
	}
	c.checking.legs, c.checking.named = true, true
	b.finishCheck(now, c)
	b.finishRound(now, s)
	b.settle(now)
}

// answered is the call that an answer is about; nil when it is over. A call that
// its server does not know any more is ended here.
func (b *Board) answered(now time.Time, q Question, exists bool) (*session, *call) {
	s, c := b.askedCall(q)
	if s == nil {
		return nil, nil
	}
	b.progressed(now, s)
	if c != nil && exists {
		return s, c
	}
	if c != nil && s.sureness == Proven {
		// As of 0 is an end as well, though no record is older.
		b.endCall(now, c, max(observed(q.asOf), q.high, 0), fmt.Sprintf("%s has no such call", q.Server))
	}
	b.finishRound(now, s)
	b.settle(now)
	return nil, nil
}

// CallReading is what the API tells of one call (GET /calls/ID).
type CallReading struct {
	CallFacts
	Legs   int64 // numCallLegs, or -1
	Remote int64 // numParticipantsRemote, or -1
	Shown  Shown
}

// check is how far it is known that all of a call is known.
type check struct {
	open   bool
	asOf   int64
	legs   bool // its legs are as many as it says, or were listed by themselves
	named  bool // they were listed by themselves: nobody is missing as of asOf
	people bool // who is in its meeting elsewhere is known, or counted there
	waits  bool // for a Call Bridge that is not read yet
}

// AnswerCall takes what a server tells of a call; exists is false when it says
// that there is none.
func (b *Board) AnswerCall(now time.Time, q Question, r CallReading, exists bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q = b.dated(q)
	s, c := b.answered(now, q, exists)
	if c == nil {
		return
	}
	if !b.prove(now, s, q.Server) {
		b.settle(now)
		return
	}
	r.ID = q.ID
	b.seenCall(now, c, q.asOf, &r.CallFacts)
	if c.meeting != nil {
		if q.bits&needCheck != 0 {
			b.check(now, c, q.asOf, r)
		}
		b.readBack(now, c, q, r.Shown)
	}
	b.finishRound(now, s)
	b.settle(now)
}

// check compares a call's own counts with what is known. Where records are missing
// the number of its legs proves nothing: one that the lists missed and one whose
// end has not come make it right. Then they are asked for by name.
func (b *Board) check(now time.Time, c *call, asOf int64, r CallReading) {
	c.checking = check{open: true, asOf: asOf, legs: c.incomplete() == "" && r.Legs == int64(len(c.legs))}
	switch {
	case r.Remote < 0 && c.links == 0:
		c.checking.people = true
	case r.Remote > int64(c.meeting.elsewhere(c)) || c.links > 0 && c.strays() || len(c.away) > 0:
		b.needCall(c, needPeople)
	default:
		c.checking.people = true
	}
	if !c.checking.legs {
		b.needCall(c, needLegs)
	}
	b.finishCheck(now, c)
}

// finishCheck notes that all of a call is known, once it is.
func (b *Board) finishCheck(now time.Time, c *call) {
	k := &c.checking
	if !k.open || !k.legs || !k.people || k.waits {
		return
	}
	k.open = false
	if k.named {
		c.readAt = max(c.readAt, k.asOf)
	}
	if c.meeting != nil {
		b.touch(c.meeting)
	}
}

// allKnown notes that all that runs on one more server was read, and what follows
// when that was the last one.
func (b *Board) allKnown(now time.Time, s *session) {
	f := b.follows[s.server]
	if f == nil || f.known {
		return
	}
	f.known = true
	for _, other := range b.follows {
		if !other.known {
			return
		}
	}
	b.meetingsKnown(now)
}

// finishRound notes that all that ran on a Call Bridge is known, once all is
// read that its lists made necessary.
func (b *Board) finishRound(now time.Time, s *session) {
	if !s.round.open || s.wants.essential+s.wants.asked > 0 {
		return
	}
	s.round.open = false
	if s.round.short { // it has not found room for all of it
		b.bump()
		return
	}
	b.allKnown(now, s)
	if s.round.known > s.synced {
		first := s.synced == NoIndex
		s.synced = s.round.known
		b.checkGap(now, s)
		if first {
			b.note(now, Entry{Kind: EntryVerified, Bridge: b.bridgeName(s), Text: fmt.Sprintf("%d running calls read from the server", s.live)})
		}
	}
	b.heal(now, s)
	b.bump()
}
