package policy

import (
	"slices"
	"strings"
	"time"
)

// enter notes a call that has come into the meeting.
func (m *meeting) enter(c *call) {
	c.meeting = m
	if m.calls == nil {
		m.calls, m.hosted = m.oneCall[:0], m.oneHost[:0]
	}
	m.calls = append(m.calls, c)
	if len(m.calls) > 1 {
		clear(m.oneCall[:]) // it is elsewhere now, and nobody who leaves may be kept by what it was
	}
	m.host(c.session, 1)
	if c.links > 0 {
		m.link(c)
	}
	if c.overflow != "" {
		m.over++
	}
	m.away += len(c.away)
	if m.namerSet && m.namer == nil && c.name != "" {
		m.namer = c
	}
}

// drop takes a call out of the meeting.
func (m *meeting) drop(c *call) {
	for i, other := range m.calls {
		if other == c {
			m.calls = slices.Delete(m.calls, i, i+1)
			break
		}
	}
	m.host(c.session, -1)
	if c.links > 0 {
		m.unlink(c)
	}
	if c.overflow != "" {
		m.over--
	}
	m.away -= len(c.away)
	if m.namer == c {
		m.namerSet = false
	}
	c.meeting = nil
}

// hosting is how many calls of a meeting a session has. A meeting has as many of
// these as Call Bridges that it spreads over: few.
type hosting struct {
	session *session
	calls   int
}

// host notes that a session has n calls more in the meeting.
func (m *meeting) host(s *session, n int) {
	i := slices.IndexFunc(m.hosted, func(h hosting) bool { return h.session == s })
	if i < 0 {
		i = len(m.hosted)
		m.hosted = append(m.hosted, hosting{session: s})
		if i > 0 {
			clear(m.oneHost[:])
		}
	}
	if m.hosted[i].calls += n; m.hosted[i].calls == 0 {
		m.hosted = slices.Delete(m.hosted, i, i+1)
	}
	if s.watched {
		m.watched += n
	}
}

// hostedBy is how many of the meeting's calls a session has.
func (m *meeting) hostedBy(s *session) int {
	for _, h := range m.hosted {
		if h.session == s {
			return h.calls
		}
	}
	return 0
}

// link and unlink keep the list of calls that have links.
func (m *meeting) link(c *call) {
	c.linkPos = int32(len(m.linked))
	m.linked = append(m.linked, c)
}

func (m *meeting) unlink(c *call) {
	last := len(m.linked) - 1
	m.linked[c.linkPos] = m.linked[last]
	m.linked[c.linkPos].linkPos = c.linkPos
	m.linked[last] = nil
	m.linked = m.linked[:last]
}

// otherCalls counts the meeting's calls on other Call Bridges than a session's, as
// far as configured servers confirm these: anybody who knows a correlator can make
// up a call, and nobody must be hidden by it.
func (m *meeting) otherCalls(s *session) int {
	if s.watched {
		return m.watched - m.hostedBy(s)
	}
	return m.watched
}

// hosts reports whether the meeting has a call on a Call Bridge that is watched.
func (m *meeting) hosts(guid string) bool {
	for _, h := range m.hosted {
		if h.session.watched && strings.EqualFold(h.session.bridge, guid) {
			return true
		}
	}
	return false
}

// addLinks notes that a call has n links more.
func (c *call) addLinks(n int) {
	had := c.links > 0
	c.links += n
	switch m := c.meeting; {
	case m == nil || had == (c.links > 0):
	case had:
		m.unlink(c)
	default:
		m.link(c)
	}
}

// overflowed notes why a call counts as level 3; empty: it does not.
func (c *call) overflowed(why string) {
	if m := c.meeting; m != nil && (c.overflow == "") != (why == "") {
		if why == "" {
			m.over--
		} else {
			m.over++
		}
	}
	c.overflow = why
}

// rename gives a call its name.
func (c *call) rename(name string) {
	if c.meeting != nil && (c.name == "") != (name == "") {
		c.meeting.namerSet = false
	}
	c.name = name
}

// cover has a call's links counted anew where it matters: once there are as many
// calls for them to lead to, or no longer.
func (b *Board) cover(now time.Time, c *call) {
	if c.meeting == nil {
		return
	}
	if covered := c.links <= c.meeting.otherCalls(c.session); covered != c.covered {
		c.covered = covered
		b.recountLinks(now, c)
	}
}

// coverMeeting does so for all calls of a meeting, when one that is watched came,
// or went: then who was told to be behind a link may have been there.
func (b *Board) coverMeeting(now time.Time, m *meeting, went bool) {
	for _, c := range m.linked {
		if went {
			b.needCall(c, needPeople)
		}
		if went && c.told {
			c.told, c.covered = false, c.links <= m.otherCalls(c.session)
			b.recountLinks(now, c)
		} else {
			b.cover(now, c)
		}
	}
}

// rewatch follows whether a session is confirmed: what its calls vouch for in
// their meetings depends on it.
func (b *Board) rewatch(now time.Time, s *session) {
	is := s.confirmed()
	if is == s.watched {
		return
	}
	meetings := map[*meeting]struct{}{}
	for _, c := range s.calls {
		if c.meeting != nil {
			meetings[c.meeting] = struct{}{}
		}
	}
	s.watched = is
	for m := range meetings {
		if is {
			m.watched += m.hostedBy(s)
		} else {
			m.watched -= m.hostedBy(s)
		}
		b.coverMeeting(now, m, !is)
		b.touch(m)
	}
}
