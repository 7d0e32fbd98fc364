package policy

import (
	"fmt"
	"time"
)

// How often a text that somebody else changed is set again, and in what time.
const (
	setAgain   = 3
	setAgainIn = 10 * time.Minute
)

// Shown is what a call's screens show, as its server tells.
type Shown struct {
	Text     string // empty when nothing shows
	Position string
	Duration time.Duration // 0: permanent
}

// found is what reading a call back has told.
type found struct {
	ours      string      // the last text of ours that was sent there
	again     []time.Time // when a text that somebody else changed was set again
	contested bool        // it was changed too often: it is not set again for now
	lost      Marking     // what was
}

// sentTo notes that a marking was accepted, so that it is read back.
func (b *Board) sentTo(c *call, m Marking) {
	if m.Shows() {
		c.found.ours = m.Text
	}
	b.needCall(c, needConfirm)
}

// renewAfter is how long after a marking with a duration was sent it is sent
// again: at half of it, and the first time a little earlier, so that those that
// were sent together are not renewed together.
func (c *call) renewAfter(duration time.Duration) time.Duration {
	if c.phased {
		return duration / 2
	}
	place := float64(uint64(c.ref)*0x9e3779b97f4a7c15>>40) / (1 << 24) // even over [0,1)
	return duration/4 + time.Duration(place*float64(duration/4))
}

// readBack compares what a call's screens show with what was sent.
func (b *Board) readBack(now time.Time, c *call, q Question, r Shown) {
	if c.sending || c.uncertain || q.at.Before(c.sentAt) {
		return // it was asked too early to tell; Sent has it asked again
	}
	ours, known := b.ours(c, r)
	switch {
	case c.sent.Shows() && r.Text == c.sent.Text:
		b.confirm(now, c)
	case c.sent.Shows() && r.Text == "" && c.sent.Duration > 0 && now.Sub(c.sentAt) >= c.sent.Duration:
		c.renew = true // it has run out before it could be renewed
		b.touch(c.meeting)
	case c.sent.Shows():
		b.meddled(now, c, r.Text)
	case r.Text == "":
		if c.sent.Kind == MarkClear {
			b.confirm(now, c)
		}
	case known:
		// From an earlier run of callmark, or one that was thought to be cleared.
		c.sent, c.sentAt, c.confirmed, c.stateSince = ours, now, true, now
		if m := c.meeting; m.unverified != "" && ours.Kind == MarkLevel {
			m.effective = max(m.effective, ours.Level) // it is shown already, and must not fall yet
		}
		b.touch(c.meeting)
	}
}

// confirm notes that the screens show what was sent.
func (b *Board) confirm(now time.Time, c *call) {
	if c.found.contested {
		c.found.contested, c.failure = false, ""
		b.lower(now, "changed/"+c.id)
	}
	if c.confirmed {
		return
	}
	c.confirmed, c.stateSince = true, now
	b.measured.markings.Confirmed++
	b.note(now, b.about(c.meeting, Entry{Kind: EntryConfirmed, Call: c.id, Bridge: b.bridgeName(c.session), Level: c.sent.Level, Text: c.sent.Text}))
	b.touch(c.meeting)
}

// meddled is for a text that a third party has changed: it is set again, but
// not for ever.
func (b *Board) meddled(now time.Time, c *call, text string) {
	if text == "" {
		text = "nothing"
	} else {
		text = `"` + text + `"`
	}
	f := &c.found
	for len(f.again) > 0 && now.Sub(f.again[0]) >= setAgainIn {
		f.again = f.again[1:]
	}
	f.lost = c.sent
	c.sent, c.confirmed, c.stateSince = Marking{}, false, now
	c.wish = now
	b.measured.markings.Changed++
	f.contested = len(f.again) >= setAgain
	problem := "another program changed it to " + text
	if f.contested {
		c.failure = problem + " again and again"
		b.raise(now, Alarm{
			Key: "changed/" + c.id, Text: fmt.Sprintf("the marking of %q is changed by another program: its screens show %s", c.meeting.name(), text),
			Remedy: "find out who writes messages to this call, on " + c.session.label(),
		})
	} else {
		f.again = append(f.again, now)
	}
	b.note(now, b.about(c.meeting, Entry{Kind: EntryFailed, Weight: Warning, Call: c.id, Bridge: b.bridgeName(c.session), Level: f.lost.Level, Text: problem}))
	b.touch(c.meeting)
}

// uncontest ends what is kept of a call's screens when it ends.
func (b *Board) uncontest(now time.Time, c *call) {
	if c.found.contested {
		c.found.contested = false
		b.lower(now, "changed/"+c.id)
	}
}

// ours says which marking a text is, if it is one of ours: that of a level, or
// the last one that was sent to the call, or that an override wants there.
func (b *Board) ours(c *call, r Shown) (Marking, bool) {
	if r.Text == "" {
		return Marking{}, false
	}
	m := Marking{Kind: MarkText, Text: r.Text, Position: r.Position, Duration: r.Duration}
	known := r.Text == c.found.ours
	if o := c.meeting.override; o != nil && o.Kind == ForceText && o.Text == r.Text {
		known = true
	}
	for l := Level1; l <= Level3; l++ {
		if r.Text == b.o.Levels[l].Message {
			m.Kind, m.Level, known = MarkLevel, l, true
		}
	}
	if m.Position == "" {
		m.Position = b.o.Position
	}
	return m, known
}
