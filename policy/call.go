package policy

import (
	"math"
	"time"
)

// call is one live conference on one Call Bridge, or one that has ended and is
// remembered against late records: then it has no meeting.
type call struct {
	// What every record looks at stands together.
	ref     CallRef
	id      string
	name    string
	session *session
	meeting *meeting
	bornAt  int64 // index of its first start, or NoIndex
	readAt  int64 // as of which index the API has told all of it, or NoIndex
	startAt int64 // index of its latest start, or NoIndex
	endAt   int64 // index of its end, or NoIndex
	legs    []*leg
	least   int64 // none of legs is known as of a lower index
	unread  int   // of legs: those of whom nothing is known yet
	links   int   // of legs: links to other Call Bridges

	departures int32
	need       need
	covered    bool // as last looked: there are as many calls elsewhere as links
	whole      bool // it is among those of its session that are complete
	told       bool // away is all who are behind the call's links
	looked     bool // it is among those that the notifier is to look at, Board.looks

	// What its screens show.
	confirmed bool
	sending   bool
	uncertain bool // the last request may or may not have worked
	renew     bool // what is sent runs out before long
	phased    bool // it was renewed once: from then on it keeps its place among the others
	wanted    Marking
	sent      Marking
	failure   string
	attempts  int32
	linkPos   int32 // in meeting.linked
	found     found

	wantedSince time.Time
	wish        time.Time // since when the screens are to show what they do not, as far as is known; zero: met, or a renewal
	wishSent    time.Time // that of the request under way
	sentAt      time.Time
	stateSince  time.Time

	overflow   string
	nameAt     int64
	correlator string
	checking   check
	away       []person // hosted elsewhere, as the API tells; see remote.go
}

// alive reports whether the call runs, by the records.
func (c *call) alive() bool {
	return c.endAt == NoIndex || c.startAt > c.endAt || len(c.legs) > 0
}

// incomplete says why the picture of the call may lack something, or "".
func (c *call) incomplete() string {
	switch {
	case c.session.unknown != "":
		return c.session.unknown
	case c.bornAt == NoIndex && c.readAt == NoIndex && c.session.api:
		return "the call is not read yet"
	case c.bornAt == NoIndex && c.readAt == NoIndex:
		return "the call was met without its start"
	case c.unread > 0:
		return "who is in the call is not read yet"
	case c.older(c.session.gapAt):
		return c.session.gapWhy
	}
	return ""
}

// completed notes whether the call is complete.
func (c *call) completed(whole bool) {
	switch {
	case whole == c.whole:
		return
	case whole:
		c.session.whole[c] = struct{}{}
	default:
		delete(c.session.whole, c)
	}
	c.whole = whole
}

// older reports whether the call, or a leg that is in it now, began before an
// index, for all that is known.
func (c *call) older(index int64) bool {
	if index == 0 || max(c.bornAt, c.readAt) < index {
		return index > 0
	}
	if c.least >= index {
		return false // else all of 10,000 legs may be looked at, with every record: 20 times the cost
	}
	least := int64(math.MaxInt64)
	for _, l := range c.legs {
		if !l.sure(index) {
			return true
		}
		least = min(least, l.knownAt())
	}
	c.least = least
	return false
}

// state says how far the wanted marking has got.
func (c *call) state() MarkingState {
	switch {
	case c.sending:
		return StateSending
	case c.failure != "":
		return StateFailed
	case c.uncertain || c.wanted != c.sent:
		return StateWanted
	case !c.sent.Shows():
		return StateIdle
	case c.confirmed:
		return StateConfirmed
	}
	return StateSent
}

// touched reports whether the screens may show something that is ours.
func (c *call) touched() bool {
	return c.uncertain || c.sending || c.sent.Kind != MarkNone
}

// decide says whether the call is to be written, and why.
func (c *call) decide() (Why, bool) {
	switch {
	case c.meeting == nil:
		return WhyEnded, false
	case c.sending:
		return WhySending, false
	case c.uncertain:
		return WhyUncertain, true
	case c.found.contested && c.wanted == c.found.lost:
		return WhyContested, false
	case c.wanted.Kind == MarkNone:
		return WhyNothing, false
	case c.wanted == c.sent && c.renew:
		return WhyRenewal, true
	case c.wanted == c.sent:
		return WhySame, false
	case c.wanted.Kind == MarkClear:
		return WhyClear, true
	case c.wanted.Kind == MarkText:
		return WhyText, true
	case c.wanted.Level > c.sent.Level:
		return WhyRise, true
	case c.wanted.Level < c.sent.Level:
		return WhyFall, true
	}
	return WhyText, true
}

// toWrite is the marking that a request would carry.
func (c *call) toWrite() Marking {
	if c.wanted.Kind == MarkNone { // touched, uncertain, and nothing wanted
		return Marking{Kind: MarkClear}
	}
	return c.wanted
}

// detachLeg takes a leg out of the call.
func (c *call) detachLeg(l *leg) {
	last := len(c.legs) - 1
	c.legs[l.pos] = c.legs[last]
	c.legs[l.pos].pos = l.pos
	c.legs[last] = nil
	c.legs = c.legs[:last]
	c.session.inCalls--
	if l.unread {
		c.unread--
	}
	l.call = nil
}

// attachLeg puts a leg into the call.
func (c *call) attachLeg(l *leg) {
	if l.call, l.pos = c, int32(len(c.legs)); l.pos == 0 {
		c.least = l.knownAt()
	}
	c.least = min(c.least, l.knownAt())
	c.legs = append(c.legs, l)
	c.session.inCalls++
	if l.unread {
		c.unread++
	}
}
