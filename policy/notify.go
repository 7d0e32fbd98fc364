package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Looks returns the channel that holds a value when there are calls to look at.
// It is for one consumer, the notifier.
func (b *Board) Looks() <-chan struct{} { return b.lookCh }

// TakeLooks appends the calls to look at to dst and empties the set. A call is
// in it once, however often it changed.
func (b *Board) TakeLooks(dst []CallRef) []CallRef {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.looks {
		c.looked = false
		dst = append(dst, c.ref)
	}
	clear(b.looks)
	b.looks = b.looks[:0]
	return dst
}

// Want says what shall be written to a call now, if anything, and why.
func (b *Board) Want(now time.Time, ref CallRef) Want {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.refs[ref]
	if c == nil {
		return Want{Ref: ref, Why: WhyEnded}
	}
	w := wantOf(c)
	w.Why, w.Write = c.decide()
	w.Marking = c.toWrite()
	// What the screens show that is more trusted than the truth goes first, and
	// what an operator wants them to say.
	w.Rise = w.Write && (w.Why == WhyRise || w.Marking.Kind == MarkText ||
		(w.Why == WhyUncertain && w.Marking.Level >= c.sent.Level && w.Marking.Kind == MarkLevel))
	return w
}

// wantOf names the call in a Want.
func wantOf(c *call) Want {
	w := Want{Ref: c.ref, CallID: c.id, Name: c.name, Session: c.session.info(), Since: c.wantedSince}
	if c.meeting != nil {
		w.Meeting, w.Name = c.meeting.id, c.meeting.name()
	}
	return w
}

// Sending notes that a request with this marking goes out. It answers false,
// and nothing may be sent, when the marking is no longer what is wanted, the
// call has ended, or another request for it is under way.
func (b *Board) Sending(now time.Time, ref CallRef, m Marking) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.refs[ref]
	if c == nil {
		return false
	}
	why, write := c.decide()
	if !write || c.toWrite() != m {
		return false
	}
	if why == WhyRenewal { // what was wanted has been met long ago
		c.wish = time.Time{}
	}
	c.wishSent = c.wish
	c.sending, c.stateSince = true, now
	b.changed(c.meeting)
	return true
}

// Sent notes that the server has accepted a marking.
func (b *Board) Sent(now time.Time, ref CallRef, m Marking, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.refs[ref]
	if c == nil {
		return
	}
	c.phased = c.phased || c.renew
	c.sending, c.uncertain, c.confirmed, c.renew = false, false, false, false
	c.sent, c.sentAt, c.stateSince = m, now, now
	c.failure, c.attempts = "", 0
	b.measured.markings.Sent++
	if !c.wishSent.IsZero() {
		b.measured.marking.Add(now.Sub(c.wishSent))
		if c.wish.Equal(c.wishSent) {
			c.wish = time.Time{}
		}
		c.wishSent = time.Time{}
	}
	b.sentTo(c, m)
	b.note(now, b.about(c.meeting, Entry{Kind: EntrySent, Call: c.id, Bridge: b.writtenOn(server, c.session),
		Level: m.Level, Text: b.reason(c, m)}))
	b.touch(c.meeting)
	b.settle(now)
}

// reason says what a marking shows and why it is wanted.
func (b *Board) reason(c *call, m Marking) string {
	text := m.says()
	meeting := c.meeting
	switch {
	case meeting.override != nil:
		o := meeting.override
		why := text + "; override by " + o.Who
		if o.Reason != "" {
			why += ": " + o.Reason
		}
		return why
	case m.Kind == MarkClear && c.wanted.Shows():
		return text + "; callmark stops"
	case m.Kind == MarkClear:
		return text + "; nobody counts"
	case meeting.unverified != "" && meeting.effective != meeting.computed:
		return text + "; unverified: " + meeting.unverified
	}
	v := b.view(meeting)
	if v.Holder.Name != "" {
		return text + "; " + v.Holder.Name + ": " + v.Holder.Evidence.String()
	}
	return text + "; " + v.Holder.Evidence.String()
}

// Failed notes that a request failed. uncertain says that the server may have
// applied it all the same. The journal has each new problem once.
func (b *Board) Failed(now time.Time, ref CallRef, m Marking, problem string, uncertain bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.refs[ref]
	if c == nil {
		return
	}
	problem = cmp.Or(Clean(problem, maxProblem), "unknown problem")
	c.sending = false
	c.uncertain = c.uncertain || uncertain
	c.attempts++
	b.measured.markings.Failed++
	if problem != c.failure {
		c.failure, c.stateSince = problem, now
		b.note(now, b.about(c.meeting, Entry{Kind: EntryFailed, Weight: Warning, Call: c.id, Bridge: b.bridgeName(c.session),
			Level: m.Level, Text: problem}))
	}
	b.touch(c.meeting)
	b.settle(now)
}

// Absent notes that a server which is known to be the call's own has no such
// call: it has ended, whatever record of it is still to come. Legs that a newer
// record puts there bring it back.
func (b *Board) Absent(now time.Time, ref CallRef, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.refs[ref]
	if c == nil {
		return
	}
	c.sending = false
	b.measured.markings.Absent++
	b.endCall(now, c, b.latest(c.session), fmt.Sprintf("%s has no such call", Clean(server, maxID)))
	b.settle(now)
}

// Bind tells on which server a session runs, and how sure that is. A proof
// outweighs a guess. Of two sessions that are proven to be one server's, the
// older has ended; see restarted.
func (b *Board) Bind(now time.Time, id, server string, how Sureness) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil || how < s.sureness || (s.server == server && s.sureness == how) {
		return
	}
	b.bind(now, s, server, how)
	b.settle(now)
}

// Unbind takes back a guess that proved wrong.
func (b *Board) Unbind(now time.Time, id, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil || s.server != server || s.sureness == Proven {
		return
	}
	s.server, s.sureness = "", Unbound
	for _, c := range s.calls {
		if c.meeting != nil {
			b.touch(c.meeting)
		}
	}
	b.bump()
	b.settle(now)
}

// Marked returns every call whose screens show, or may show, something of ours,
// with the marking that takes it off: the most trusted first, since a stale
// promise is worse than a stale warning.
func (b *Board) Marked() []Want {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wants []Want
	for _, c := range b.refs {
		if !c.sent.Shows() && !c.uncertain && !c.sending {
			continue
		}
		w := wantOf(c)
		w.Write, w.Why, w.Marking = true, WhyClear, Marking{Kind: MarkClear}
		w.Level = c.sent.Level
		wants = append(wants, w)
	}
	slices.SortFunc(wants, func(x, y Want) int {
		return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(x.Ref, y.Ref))
	})
	return wants
}
