package policy

import (
	"sync"
	"time"
)

const (
	maxID      = 64 // characters of an id that are kept; a GUID has 36
	maxName    = 128
	maxProblem = 300
)

// Board is the one owner of what is known of the meetings, and of what shall be
// shown on their screens. See the package's comment for its rules.
type Board struct {
	mu sync.Mutex
	o  Options

	sessions map[string]*session
	ended    map[string]over // sessions that are over, against late records; not believed, if it says why
	endedIn  []string        // the same, in the order of ending
	meetings map[MeetingID]*meeting
	refs     map[CallRef]*call // calls that are attached to a meeting
	nextRef  CallRef
	nextSess uint64
	proofs   uint64 // that sessions run on servers: moves with each
	calls    int    // kept, the departed included
	legs     int    // likewise

	watched, unwatched map[string]struct{} // hosts of Call Bridges

	touched   []*meeting // to be settled at the end of a change
	joined    []*session // likewise: to which the API had told something before their records came
	timed     map[*meeting]struct{}
	recounted uint64        // legs whose share was looked at: what a record costs
	away      int           // people whom only the API tells of
	full      string        // a bound of the whole board was reached
	packed    map[bool]bool // nothing could be evicted at the last try, for a session that is confirmed, or is not
	evicted   uint64
	renewed   time.Time // when markings were last looked through for what runs out

	looks  []*call // each is looked until it is taken
	lookCh chan struct{}

	version        uint64
	oldest, newest *meeting // list by version
	gone           []goneMeeting
	goneBefore     uint64 // what went at this version or before is no longer in gone
	watchers       map[chan struct{}]struct{}
	totals         Totals
	groups         []groupLevel // for people alone, so that it need not be made for each view
	measured       measured

	servers      map[string]ServerStatus
	senders      map[string]*sender  // of configured servers
	unknown      map[string]struct{} // GUIDs that an alarm names
	identifiedAt time.Time           // since when all servers have told who they are, as far as that was reported
	follows      map[string]*follow  // by server, from the first poll or round on
	receiver     ReceiverStatus
	alarms       alarms
	saved        saved
	journal      journal
}

// NewBoard returns an empty board. Zero options take their defaults.
func NewBoard(o Options) *Board {
	o = o.withDefaults()
	return &Board{
		o:        o,
		sessions: map[string]*session{},
		ended:    map[string]over{},
		packed:   map[bool]bool{},
		senders:  map[string]*sender{},
		unknown:  map[string]struct{}{},
		meetings: map[MeetingID]*meeting{},
		refs:     map[CallRef]*call{},
		timed:    map[*meeting]struct{}{},
		lookCh:   make(chan struct{}, 1),
		watchers: map[chan struct{}]struct{}{},
		servers:  map[string]ServerStatus{},
		follows:  map[string]*follow{},
		alarms:   alarms{max: o.Bounds.Alarms},
		saved:    newSaved(),
		journal:  journal{max: o.Bounds.Journal},
	}
}

// Apply takes the events of one document, in its order.
func (b *Board) Apply(now time.Time, src Source, events []Event) Applied {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[src.Session]; s == nil || s.bridge != src.CallBridge || s.address != src.Address { // what is known is clean
		src.Session, src.CallBridge, src.Address = Clean(src.Session, maxID), Clean(src.CallBridge, maxID), Clean(src.Address, maxID)
	}
	if why := b.disbelieved(now, src); why != "" {
		return b.drop(now, events, why)
	}
	if over, ok := b.ended[src.Session]; ok && over.speaks(now, events) {
		b.goesOn(now, over)
	}
	s := b.session(now, src)
	if s == nil {
		return b.drop(now, events, "")
	}
	b.heard(now, s, src.Address)
	s.last = now
	if s.records == 0 && len(events) > 0 {
		s.clock = events[0].Time
		b.restarted(now, s)
	}
	b.recognise(now, s, events)
	if b.sessions[s.id] != s { // it has proved to be one that is over, or not believed
		return b.drop(now, events, b.ended[s.id].refused)
	}
	var done Applied
	for i := range events {
		e := &events[i]
		count := &b.measured.records[e.Kind.known()]
		index, fresh := s.take(e)
		if !fresh {
			count.Duplicates++
			s.duplicates++
			done.Duplicates++
			continue
		}
		s.records++
		s.lastIndex = index
		if e.Time.After(s.clock) {
			s.clock = e.Time
		}
		if e.long() {
			e = e.own()
		}
		if b.event(now, s, index, e) {
			count.Taken++
			done.Taken++
		} else {
			count.Dropped++
			done.Dropped++
		}
	}
	if s.rivalled {
		b.restarted(now, s)
	}
	b.totals.Records += uint64(done.Taken)
	b.totals.Duplicates += uint64(done.Duplicates)
	b.totals.Dropped += uint64(done.Dropped)
	b.checkGap(now, s)
	b.settle(now)
	return done
}

// drop is what becomes of a document that is not applied.
func (b *Board) drop(now time.Time, events []Event, refused string) Applied {
	b.totals.Dropped += uint64(len(events))
	b.measured.dropped(events)
	b.settle(now)
	return Applied{Dropped: len(events), Refused: refused}
}

// event applies one record and reports whether it could be.
func (b *Board) event(now time.Time, s *session, index int64, e *Event) bool {
	switch e.Kind {
	case CallStarted, CallEnded:
		if e.Call.ID == "" {
			s.force(index+1, "a record of a call names no id")
			return false
		}
		if e.Kind == CallStarted {
			b.callStarted(now, s, index, &e.Call)
		} else {
			b.callEnded(now, s, index, &e.Call)
		}
	case LegStarted, LegUpdated, LegEnded:
		if e.Leg.ID == "" {
			s.force(index+1, "a record of a call leg names no id")
			return false
		}
		b.legEvent(now, s, index, e)
	}
	return true
}

// session finds or opens the session of a source; nil when its records are to
// be dropped.
func (b *Board) session(now time.Time, src Source) *session {
	if s := b.sessions[src.Session]; s != nil {
		if s.bridge == "" && src.CallBridge != "" {
			if n := b.o.Bounds.SessionsPerBridge; b.runsOf(src.CallBridge) >= n {
				b.shutOut(now, src, tooManySessions(n))
				return s
			}
			b.identify(s, src.CallBridge)
			b.restarted(now, s)
			b.judge(now, s)
			b.bump()
			return b.sessions[src.Session] // nil if it was the older of two
		}
		return s
	}
	if _, over := b.ended[src.Session]; over || src.Session == "" {
		return nil
	}
	if why := b.admit(now, src); why != "" {
		b.shutOut(now, src, why)
		return nil
	}
	b.nextSess++
	s := newSession(src, now, b.nextSess)
	b.sessions[s.id] = s
	b.note(now, Entry{Kind: EntrySessionNew, Bridge: b.bridgeName(s), Text: "session " + s.id})
	b.wantLists(now, s, "a new session of its Call Bridge")
	b.judge(now, s)
	b.bump()
	return s
}

// restarted looks for other sessions of a session's Call Bridge: a new one means
// that all that ran on it before is gone. A session whose records are older
// than what the other has sent may be a late document of one that was over
// before callmark began, or a clock that was set back: then both stay,
// unverified, until the clock tells.
func (b *Board) restarted(now time.Time, s *session) {
	s.rivalled = false
	for _, other := range b.sessions {
		if other == s || other.api || s.api || !sameBridge(other, s) {
			continue
		}
		older, newer := other, s
		if older.order > newer.order {
			older, newer = newer, older
		}
		if !newer.clock.Before(older.clock) {
			b.succeeded(now, older, newer.clock)
			if older == s {
				return
			}
			continue
		}
		newer.rivalled = true
		for _, r := range []*session{older, newer} {
			r.force(r.seen.high()+1, "two sessions of one Call Bridge at once")
			b.checkGap(now, r)
		}
	}
}

// endSession takes out all that ran in a session that is over for good.
func (b *Board) endSession(now time.Time, s *session, why string) {
	b.forget(now, s, why)
	if s.api {
		return // it has no id that a record could name
	}
	b.ended[s.id] = over{at: now, server: s.server, called: b.bridgeName(s)}
	b.endedIn = append(b.endedIn, s.id)
	if len(b.endedIn) > 4*b.o.Bounds.Sessions {
		delete(b.ended, b.endedIn[0])
		b.endedIn = b.endedIn[1:]
	}
}

// forget removes a session with all that it holds.
func (b *Board) forget(now time.Time, s *session, why string) {
	for _, c := range s.calls {
		if c.meeting == nil {
			continue
		}
		for _, l := range c.legs {
			b.uncount(now, l, "session ended")
		}
		b.detach(now, c, why)
	}
	b.calls -= len(s.calls)
	b.legs -= len(s.legs)
	delete(b.sessions, s.id)
	b.unfollow(now, s, why)
	b.note(now, Entry{Kind: EntrySessionEnded, Bridge: b.bridgeName(s), Text: why})
	if s.unknown != "" {
		b.known(now)
	}
	b.uncrowd(s.bridge)
	clear(b.packed)
	if b.full != "" {
		b.full = ""
		for _, m := range b.meetings {
			b.touch(m)
		}
		b.lower(now, "bound")
	}
	b.bump()
}

// remember keeps a leg or call that left, and forgets the one that left longest
// ago when there are too many.
func (b *Board) remember(s *session, d departure) {
	s.departed.add(d)
	if s.departed.len() > b.o.Bounds.DepartedPerSess {
		b.forgetOldest(s)
	}
}

// forgetOldest forgets what left longest ago; false when nothing is remembered.
func (b *Board) forgetOldest(s *session) bool {
	if s.departed.len() == 0 {
		return false
	}
	old := s.departed.take()
	if l := old.leg; l != nil && l.departures == old.nth && l.call == nil {
		b.cancelLeg(s, l)
		delete(s.legs, l.id)
		b.legs--
	}
	if c := old.call; c != nil && c.departures == old.nth && c.meeting == nil {
		b.cancelCall(c)
		delete(s.calls, c.id)
		b.calls--
	}
	return true
}

// checkGap looks whether a session's picture has become, or ceased to be,
// complete, and has the meetings that this concerns settled. What is incomplete
// before and after keeps its reason until it is settled anyway, so that a sender
// whose every document leaves a gap does not have all its meetings settled by each.
func (b *Board) checkGap(now time.Time, s *session) {
	at, why := s.gap()
	if at == s.gapAt && why == s.gapWhy {
		return
	}
	opened := s.gapAt == 0 && at > 0
	closed := s.gapAt > 0 && at == 0
	before := s.gapAt
	s.gapAt, s.gapWhy = at, why
	if opened {
		s.gapSince = now
		b.measured.gaps++
		b.note(now, Entry{Kind: EntryUnverified, Weight: Warning, Bridge: b.bridgeName(s), Text: why})
	}
	if closed {
		text := "the missing records came"
		if before <= s.synced {
			text = "read from the server"
		}
		b.note(now, Entry{Kind: EntryVerified, Bridge: b.bridgeName(s), Text: text})
	}
	if at > 0 {
		b.wantLists(now, s, why)
	}
	if at < before {
		for _, c := range s.calls {
			if c.meeting != nil && c.older(before) != c.older(at) {
				b.touch(c.meeting)
			}
		}
	}
	for c := range s.whole { // when it grows, what is incomplete stays so
		if c.older(at) {
			b.touch(c.meeting)
		}
	}
	b.bump()
}

// Tick does what time does: it lets overrides expire, counts meetings that were
// unverified for too long as level 3, and has markings with a duration written
// again at half of it. It reports whether something waits for that: then call it
// again a few times a second, else after the next change (Watch).
func (b *Board) Tick(now time.Time) (waits bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waits = len(b.packed) > 0
	clear(b.packed)
	b.expireWaiting(now)
	waits = b.judgeUnnamed(now) || waits
	for m := range b.timed {
		if o := m.override; o != nil && o.expired(now) {
			b.overrule(m, nil)
			b.note(now, b.about(m, Entry{Kind: EntryExpired, Weight: Notice, Who: o.Who, Text: o.String()}))
			b.touch(m)
		}
		if m.effective != Level3 && b.overdue(now, m) || m.hold.due(now) {
			b.touch(m)
		}
	}
	if b.o.Duration > 0 && now.Sub(b.renewed) >= min(time.Second, b.o.Duration/50) {
		b.renewed = now
		for _, c := range b.refs {
			if c.sent.Shows() && !c.renew && now.Sub(c.sentAt) >= c.renewAfter(b.o.Duration) {
				c.renew = true
				b.touch(c.meeting)
			}
		}
	}
	b.settle(now)
	return waits || !b.saved.due.IsZero() || len(b.timed) > 0 || b.o.Duration > 0 && len(b.refs) > 0
}
