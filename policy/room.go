package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// confirmed reports whether a configured server confirms that the session is its
// Call Bridge's.
func (s *session) confirmed() bool { return s.api || s.sureness == Proven }

// of is what a session holds of something that is bounded.
type of func(*session) int

func callsOf(s *session) int { return len(s.calls) }
func legsOf(s *session) int  { return len(s.legs) }
func itself(*session) int    { return 1 }

// fits reports whether there is room for one more of what is bounded, of which
// there are so many: in all of it for a session that is confirmed, in half of it
// for all others together, so that these cannot take the room of those.
func (b *Board) fits(confirmed bool, n, most int, held of) bool {
	if n >= most || confirmed || n < most/2 {
		return n < most
	}
	others := 0
	for _, s := range b.sessions {
		if !s.confirmed() {
			others += held(s)
		}
	}
	return others < max(most/2, 1)
}

// room makes room for one more call or leg of a session, if it can: by evicting
// who is not confirmed, and by forgetting what has left; who is not confirmed
// gives up its own first.
func (b *Board) room(now time.Time, s *session, n *int, most int, held of) bool {
	for !b.fits(s.confirmed(), *n, most, held) {
		if s.confirmed() && b.evict(now, s, true) || b.forgetOldest(s) || b.evict(now, s, s.confirmed()) {
			continue
		}
		return false
	}
	return true
}

// evict forgets the session that has been silent longest of those that no
// configured server confirms, but for one, for a session that is confirmed or is not. One stays that has a call in a
// meeting of a confirmed one, or that anything was written or decided about:
// nothing that is on a screen may become more trusted by it. What it told the
// servers tell as well if it is theirs, and if it speaks again it begins above 0.
func (b *Board) evict(now time.Time, but *session, confirmed bool) bool {
	if b.packed[confirmed] {
		return false
	}
	var all []*session
	for _, s := range b.sessions {
		if s != but && !s.confirmed() {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y *session) int { return cmp.Or(x.last.Compare(y.last), cmp.Compare(x.order, y.order)) })
	bears := map[*meeting]bool{}
	for _, s := range all {
		if !s.needed(bears) {
			b.forget(now, s, "forgotten, to make room: no configured server confirms it")
			b.crowded(now)
			return true
		}
	}
	b.packed[false] = true // until time has passed: looking is not free
	if confirmed {
		b.packed[true] = true
	}
	return false
}

// needed reports whether a session bears on what is shown. bears remembers the
// meetings that were looked at.
func (s *session) needed(bears map[*meeting]bool) bool {
	for _, c := range s.calls {
		m := c.meeting
		if m == nil {
			continue
		}
		is, looked := bears[m]
		if !looked {
			is = m.override != nil || slices.ContainsFunc(m.calls, func(c *call) bool { return c.session.confirmed() || c.touched() })
			bears[m] = is
		}
		if is {
			return true
		}
	}
	return false
}

// evictIdle makes room by forgetting the session without calls that has been
// silent longest. Should it speak again, it is one that starts above 0.
func (b *Board) evictIdle(now time.Time) bool {
	var idle *session
	for _, s := range b.sessions {
		if s.live == 0 && !s.api && (idle == nil || s.last.Before(idle.last)) {
			idle = s
		}
	}
	if idle == nil {
		return false
	}
	b.forget(now, idle, "forgotten, to make room for another")
	return true
}

// crowded raises the alarm about sessions that were evicted.
func (b *Board) crowded(now time.Time) {
	if b.evicted++; b.evicted > 1 && b.alarms.find("bound/evicted") >= 0 {
		return // raised already; it must not be moved by every document
	}
	b.raise(now, Alarm{Key: "bound/evicted",
		Text:   "more is sent than there is room for: sessions that no configured server confirms are forgotten, the longest silent first",
		Remedy: "find out who sends records, and keep them away by allow or token under [receiver]"})
}

// admit says why there is no room for a session, or "". It makes room if it can.
func (b *Board) admit(now time.Time, src Source) string {
	if n := b.o.Bounds.SessionsPerBridge; src.CallBridge != "" && b.runsOf(src.CallBridge) >= n {
		return tooManySessions(n)
	}
	confirmed, most := b.claimed(src) != "", b.o.Bounds.Sessions
	for !b.fits(confirmed, len(b.sessions), most, itself) {
		delete(b.packed, confirmed) // who could not be evicted may be the session that asked
		if !b.evict(now, nil, confirmed) && !((confirmed || len(b.sessions) >= most) && b.evictIdle(now)) {
			return fmt.Sprintf("more than %d sessions of Call Bridges at once", most)
		}
	}
	return ""
}

func tooManySessions(n int) string {
	return fmt.Sprintf("more than %d sessions of one Call Bridge at once", n)
}

// shutOut is for a document of a session that there is no room for. Of a Call Bridge
// with too many, its sessions count as level 3; else all meetings do, since nobody
// knows who was left out.
func (b *Board) shutOut(now time.Time, src Source, why string) {
	if b.runsOf(src.CallBridge) < b.o.Bounds.SessionsPerBridge {
		b.overflow(now, why)
		return
	}
	b.bounded(now, why, "find out who sends in the name of "+src.CallBridge+"; its meetings count as level 3 until one of them has ended")
	for _, s := range b.sessions {
		if sameGUID(s.bridge, src.CallBridge) && !s.api {
			b.sessionOverflow(s, NoIndex, why)
			s.crowded = true
		}
	}
}

// bounded raises the alarm about a bound that was reached, once.
func (b *Board) bounded(now time.Time, why, remedy string) {
	if i := b.alarms.find("bound"); i >= 0 && b.alarms.all[i].Text == why {
		b.alarms.all[i].Count++
		return
	}
	b.raise(now, Alarm{Key: "bound", Text: why, Remedy: remedy})
}

// overflow notes that a bound of the whole board was reached: until it has room
// again every meeting counts as level 3, since nobody knows who was left out.
func (b *Board) overflow(now time.Time, why string) {
	b.bounded(now, why, "find out who sends them; every meeting counts as level 3 until there is room")
	if b.full != "" {
		return
	}
	b.full = why
	for _, m := range b.meetings {
		b.touch(m)
	}
}

// sessionOverflow makes all calls of a session count as level 3, until all that
// ran as of an index has been read.
func (b *Board) sessionOverflow(s *session, at int64, why string) {
	s.leftOut(at)
	if s.overflow != "" {
		return
	}
	s.overflow = why
	for _, c := range s.calls {
		b.touch(c.meeting)
	}
}

// callOverflow does so for one call.
func (b *Board) callOverflow(c *call, at int64, why string) {
	c.session.leftOut(at)
	if c.overflow == "" {
		c.overflowed(why)
		b.touch(c.meeting)
	}
}

// leftOut notes that somebody was left out at an index.
func (s *session) leftOut(at int64) {
	s.left = max(s.left, at+1)
	s.over, s.round.short = true, true
}

// heal ends what a bound had done to a session, once a round has found room for
// all that runs, as of an index after the last that was left out.
func (b *Board) heal(now time.Time, s *session) {
	if !s.over || s.synced < s.left || s.crowded {
		return
	}
	s.over, s.overflow = false, ""
	for _, c := range s.calls {
		c.overflowed("")
		b.touch(c.meeting)
	}
	b.note(now, Entry{Kind: EntryVerified, Bridge: b.bridgeName(s), Text: "there is room again for all that runs"})
	for _, other := range b.sessions {
		if other.over {
			return
		}
	}
	if b.full == "" {
		b.lower(now, "bound")
	}
}

// uncrowd is for when a session of a Call Bridge has ended: there is room for
// another. Who was left out begins above 0.
func (b *Board) uncrowd(guid string) {
	for _, s := range b.sessions {
		if !s.crowded || !sameGUID(s.bridge, guid) {
			continue
		}
		s.crowded = false
		if s.left == 0 { // nothing else was left out
			s.over, s.overflow = false, ""
			for _, c := range s.calls {
				b.touch(c.meeting)
			}
		}
	}
}

// runsOf counts the sessions of a Call Bridge, those apart that the API opened.
func (b *Board) runsOf(guid string) int {
	n := 0
	for _, s := range b.sessions {
		if !s.api && sameGUID(s.bridge, guid) {
			n++
		}
	}
	return n
}

// sameGUID compares the GUIDs of two Call Bridges; none is nobody's.
func sameGUID(x, y string) bool { return x != "" && strings.EqualFold(x, y) }
