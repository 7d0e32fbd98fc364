package policy

import (
	"cmp"
	"slices"
	"time"
)

// need is what is to be read about a call or a leg, as a set.
type need uint8

const (
	needRead    need = 1 << iota // a leg: who it is, or where, is not known
	needGone                     // a list lacks it: does it still run?
	needCheck                    // a call: are all its legs and people known?
	needLegs                     // a call: its legs are not as many as it says
	needPeople                   // a call: who is in its meeting elsewhere?
	needConfirm                  // a call: does it show what was sent?
	needRefresh                  // a leg: it may count although it does no more
	needBusy                     // it is being asked

	// essential needs bear on whether the picture may be too good.
	essential = needRead | needGone | needCheck | needLegs | needPeople
)

// wants are the calls and legs of a session about which something is to be read.
type wants struct {
	calls     map[*call]struct{}
	legs      map[*leg]struct{}
	essential int // of these
	asked     int // essential questions that have not come back
}

// counted follows the essential ones when a set changes.
func (w *wants) counted(before, after need) {
	if before&essential != 0 {
		w.essential--
	}
	if after&essential != 0 {
		w.essential++
	}
}

// QuestionKind says what a question is about.
type QuestionKind uint8

// The kinds.
const (
	AskLeg          QuestionKind = iota + 1 // GET /callLegs/ID
	AskCall                                 // GET /calls/ID
	AskCallLegs                             // GET /calls/ID/callLegs, all of it
	AskParticipants                         // GET /calls/ID/participants, all of it
)

// Question is something that the board wants to know from a server. Whoever
// takes one gives it back with an answer, or with Unanswered.
type Question struct {
	Kind   QuestionKind
	Server string
	ID     string // of the leg or call

	key  uint64 // of the session
	bits need
	asOf int64     // what is answered is at least as new as all records below
	high int64     // the highest index of what was known: whoever is gone now, is gone as of it
	at   time.Time // when it was taken
}

// needCall notes that something is to be read about a call.
func (b *Board) needCall(c *call, n need) {
	if len(b.follows) == 0 || c.need&n == n {
		return // nobody reads, or it is noted
	}
	w := &c.session.wants
	w.counted(c.need, c.need|n)
	c.need |= n
	if w.calls == nil {
		w.calls = map[*call]struct{}{}
	}
	w.calls[c] = struct{}{}
	b.wakeReads(c.session)
}

// needLeg notes that something is to be read about a leg.
func (b *Board) needLeg(s *session, l *leg, n need) {
	if len(b.follows) == 0 || l.need&n == n {
		return
	}
	w := &s.wants
	w.counted(l.need, l.need|n)
	l.need |= n
	if w.legs == nil {
		w.legs = map[*leg]struct{}{}
	}
	w.legs[l] = struct{}{}
	b.wakeReads(s)
}

// takeCall and takeLeg take needs out, into a question or for good.
func (w *wants) takeCall(c *call, n need) {
	w.counted(c.need, c.need&^n)
	if c.need &^= n; c.need == 0 {
		delete(w.calls, c)
	}
}

func (w *wants) takeLeg(l *leg, n need) {
	w.counted(l.need, l.need&^n)
	if l.need &^= n; l.need == 0 {
		delete(w.legs, l)
	}
}

// cancelCall and cancelLeg drop all that was to be read about one that is over.
func (b *Board) cancelCall(c *call)           { c.session.wants.takeCall(c, ^need(0)) }
func (b *Board) cancelLeg(s *session, l *leg) { s.wants.takeLeg(l, ^need(0)) }

// rank orders questions: the lower goes first.
type rank struct {
	class int
	level int // of the meeting: what could be better than the truth before the rest
	leg   int // of the leg: who could make it worse before the rest
	id    string
}

func (r rank) compare(o rank) int {
	return cmp.Or(cmp.Compare(r.class, o.class), cmp.Compare(r.level, o.level), cmp.Compare(r.leg, o.leg), cmp.Compare(r.id, o.id))
}

// urgency of a meeting: whoever is shown, or thought, to be trusted most can be
// wrong by most; at level 3 nothing can.
func urgency(c *call) int {
	if c == nil || c.meeting == nil {
		return 4
	}
	m := c.meeting
	level := max(m.effective, m.computed)
	if c.sent.Kind == MarkLevel {
		level = max(level, c.sent.Level)
	}
	if level == LevelNone {
		return int(Level2) // nothing is said of it yet
	}
	return int(level)
}

// confirmWithin is for how long reading back may wait behind a synchronisation.
const confirmWithin = 2 * time.Second

func callRank(now time.Time, c *call) rank {
	r := rank{class: 2, level: urgency(c), id: c.id}
	switch {
	case c.need&essential != 0 && (c.incomplete() != "" || c.need&(needGone|needPeople) != 0):
		r.class = 0
	case c.need&needConfirm != 0 && now.Sub(c.sentAt) > confirmWithin:
		r.class = 0
	case c.need&needConfirm != 0:
		r.class = 1
	}
	return r
}

func legRank(l *leg) rank {
	r := rank{class: 2, level: urgency(l.call), leg: -int(l.finding.level), id: l.id}
	if l.need&essential != 0 && l.call != nil {
		r.class = 1
	}
	return r
}

// Questions takes the most urgent of what the board wants to know from a server,
// at most so many: those first whose meetings could be shown better than they are.
func (b *Board) Questions(now time.Time, server string, most int) []Question {
	b.mu.Lock()
	defer b.mu.Unlock()
	type candidate struct {
		rank
		s *session
		c *call
		l *leg
	}
	if most < 1 {
		return nil
	}
	// Of very many the few that go first: they are kept in order as they are met.
	best := make([]candidate, 0, most+1)
	consider := func(x candidate) {
		if len(best) == most && x.compare(best[most-1].rank) >= 0 {
			return
		}
		at, _ := slices.BinarySearchFunc(best, x, func(y, x candidate) int { return y.compare(x.rank) })
		if best = slices.Insert(best, at, x); len(best) > most {
			best = best[:most]
		}
	}
	for _, s := range b.sessions {
		if s.server != server {
			continue
		}
		for c := range s.wants.calls {
			if c.need&needBusy == 0 {
				consider(candidate{callRank(now, c), s, c, nil})
			}
		}
		for l := range s.wants.legs {
			if l.need&needBusy == 0 {
				consider(candidate{legRank(l), s, nil, l})
			}
		}
	}
	questions := make([]Question, len(best))
	for i, x := range best {
		w := &x.s.wants
		q := Question{Kind: AskLeg, Server: server, key: x.s.keys[0], asOf: b.asOf(x.s), high: x.s.seen.high(), at: now}
		if x.l != nil {
			q.ID, q.bits, q.high = x.l.id, x.l.need, max(q.high, x.l.newest)
			x.l.need |= needBusy
			w.takeLeg(x.l, q.bits)
		} else {
			q.Kind, q.ID, q.bits, q.high = AskParticipants, x.c.id, needPeople, max(q.high, x.c.startAt)
			if n := x.c.need & (needCheck | needGone | needConfirm); n != 0 {
				q.Kind, q.bits = AskCall, n
			} else if x.c.need&needLegs != 0 {
				q.Kind, q.bits = AskCallLegs, needLegs
			}
			x.c.need |= needBusy
			w.takeCall(x.c, q.bits)
		}
		if q.bits&essential != 0 {
			w.asked++
		}
		questions[i] = q
	}
	return questions
}

// Unanswered gives back a question that could not be asked: it is to be asked
// again.
func (b *Board) Unanswered(q Question) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q.Kind == AskLeg {
		if s, l := b.askedLeg(q); l != nil {
			b.needLeg(s, l, q.bits)
		}
	} else if _, c := b.askedCall(q); c != nil {
		b.needCall(c, q.bits)
	}
}

// dated is a question that has come back, as of no index that its session is not
// known to have reached: the status that told it may have been of the run before.
func (b *Board) dated(q Question) Question {
	if s := b.keyed(q); s != nil {
		q.asOf = min(q.asOf, b.asOf(s))
	}
	return q
}

// keyed is the session that a question is about; nil if it is over.
func (b *Board) keyed(q Question) *session {
	for _, s := range b.sessions {
		if slices.Contains(s.keys, q.key) {
			return s
		}
	}
	return nil
}

// asked is the session that a question, which has come back, is about; nil if it
// is over.
func (b *Board) asked(q Question) *session {
	s := b.keyed(q)
	if s != nil && q.bits&essential != 0 {
		s.wants.asked--
	}
	return s
}

// askedLeg is the leg that a question, which has come back, is about, or nil.
func (b *Board) askedLeg(q Question) (*session, *leg) {
	s := b.asked(q)
	if s == nil {
		return nil, nil
	}
	l := s.legs[q.ID]
	if l != nil {
		s.wants.takeLeg(l, needBusy)
		if l.need != 0 {
			b.wakeReads(s) // who looked meanwhile found it busy
		}
	}
	return s, l
}

// askedCall is likewise for a call.
func (b *Board) askedCall(q Question) (*session, *call) {
	s := b.asked(q)
	if s == nil {
		return nil, nil
	}
	c := s.calls[q.ID]
	if c != nil {
		s.wants.takeCall(c, needBusy)
		if c.need != 0 {
			b.wakeReads(s)
		}
	}
	return s, c
}
