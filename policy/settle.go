package policy

import (
	"cmp"
	"time"
)

// touch notes that a meeting has to be settled at the end of the change.
func (b *Board) touch(m *meeting) {
	if m == nil || m.touched {
		return
	}
	m.touched = true
	b.touched = append(b.touched, m)
}

// recompute follows the computed level of a meeting, record by record, and lets
// an override fall at it.
func (b *Board) recompute(now time.Time, m *meeting) {
	b.touch(m)
	computed := m.highest()
	if b.full != "" {
		computed = Level3
	}
	if computed != m.computed {
		weight := Info
		if computed > m.computed {
			weight = Notice
		}
		b.note(now, b.about(m, Entry{Kind: EntryLevel, Weight: weight, Level: computed, Before: m.computed}))
		m.computed, m.changed = computed, now
	}
	o := m.override
	if o == nil {
		return
	}
	if o.falls(computed) && !b.o.KeepOverrides {
		m.fallen = &Fallen{Override: *o, At: now, Computed: computed}
		b.overrule(m, nil)
		b.note(now, b.about(m, Entry{Kind: EntryFell, Weight: Warning, Level: computed, Who: o.Who, Text: o.String()}))
		return
	}
	b.improve(m)
}

// settle brings everything that follows from the touched meetings up to date:
// what is shown, what is wanted on their calls, their versions and the totals.
func (b *Board) settle(now time.Time) {
	for _, s := range b.joined {
		b.behind(now, s)
	}
	clear(b.joined)
	b.joined = b.joined[:0]
	for i := 0; i < len(b.touched); i++ {
		m := b.touched[i]
		b.touched[i] = nil
		if len(m.calls) == 0 {
			m.touched = false
			continue // it has ended
		}
		b.recompute(now, m)
		b.verify(now, m)
		overdue := b.overdue(now, m)
		m.effective = m.hold.lower(now, b.o.LowerAfter, m.effective, shown(m.effective, m.computed, m.unverified != "", overdue))
		for _, c := range m.calls {
			b.want(now, m, c)
		}
		if (m.unverified != "" && !overdue && !b.o.KeepUnverified) || (m.override != nil && !m.override.Until.IsZero()) || m.hold.holds() {
			b.timed[m] = struct{}{}
		} else {
			delete(b.timed, m)
		}
		b.tally(m)
		b.changed(m)
		m.touched = false
	}
	b.touched = b.touched[:0]
}

// verify follows whether the meeting's picture is complete.
func (b *Board) verify(now time.Time, m *meeting) {
	why := ""
	for _, c := range m.calls {
		lacks := c.incomplete()
		c.completed(lacks == "")
		why = cmp.Or(why, lacks)
	}
	switch {
	case why != "" && m.unverified == "":
		m.unverifiedSince = now
		b.note(now, b.about(m, Entry{Kind: EntryUnverified, Weight: Notice, Level: m.computed, Text: why}))
	case why == "" && m.unverified != "":
		m.unverifiedSince = time.Time{}
		b.note(now, b.about(m, Entry{Kind: EntryVerified, Level: m.computed}))
	}
	m.unverified = why
	if why == "" {
		b.complete(m)
	}
}

// overdue reports whether a meeting has been unverified for too long: a call
// that makes it so has had no progress of its Call Bridge's synchronisation for
// the time of grace.
func (b *Board) overdue(now time.Time, m *meeting) bool {
	if m.unverified == "" || b.o.KeepUnverified {
		return false
	}
	for _, c := range m.calls {
		if c.incomplete() == "" {
			continue
		}
		since := m.unverifiedSince
		if p := c.session.progress; p.After(since) {
			since = p
		}
		if now.Sub(since) >= b.o.Grace {
			return true
		}
	}
	return false
}

// marking is what the meeting wants on a call's screens.
func (b *Board) marking(m *meeting, c *call) Marking {
	if o := m.override; o != nil {
		return b.overriding(*o)
	}
	if m.effective != LevelNone {
		return b.levelMarking(m.effective)
	}
	if c.touched() {
		return Marking{Kind: MarkClear}
	}
	return Marking{}
}

// levelMarking is the marking of a level.
func (b *Board) levelMarking(l Level) Marking {
	return Marking{Kind: MarkLevel, Level: l, Text: b.o.Levels[l].Message, Position: b.o.Position, Duration: b.o.Duration}
}

// overriding is the marking of an override.
func (b *Board) overriding(o Override) Marking {
	switch o.Kind {
	case ForceLevel:
		return b.levelMarking(o.Level)
	case ForceText:
		return Marking{Kind: MarkText, Text: o.Text, Position: b.o.Position, Duration: b.o.Duration}
	}
	return Marking{Kind: MarkClear}
}

// want follows what is wanted on a call, and has the notifier look at it when
// something is to be written.
func (b *Board) want(now time.Time, m *meeting, c *call) {
	w := b.marking(m, c)
	if w != c.wanted {
		c.wanted, c.wantedSince, c.stateSince = w, now, now
		c.wish = now
		if w.Kind != MarkNone {
			b.note(now, b.about(m, Entry{Kind: EntryWanted, Call: c.id, Bridge: b.bridgeName(c.session), Level: w.Level, Text: w.says()}))
		}
	}
	if _, write := c.decide(); write {
		b.look(c)
	} else if !c.sending && !c.found.contested {
		c.failure, c.attempts = "", 0 // what failed is no longer wanted
	}
}

// look puts a call into the set that the notifier takes.
func (b *Board) look(c *call) {
	if c.looked {
		return
	}
	c.looked = true
	b.looks = append(b.looks, c)
	select {
	case b.lookCh <- struct{}{}:
	default:
	}
}

// tally brings a meeting's share in the totals up to date.
func (b *Board) tally(m *meeting) {
	failing := false
	for _, c := range m.calls {
		failing = failing || c.failure != ""
	}
	b.count(m.tally, -1)
	m.tally = tally{level: m.computed, unverified: m.unverified != "", overridden: m.override != nil, failing: failing}
	b.count(m.tally, 1)
}

func (b *Board) count(t tally, n int) {
	b.totals.Levels[t.level] += n
	if t.unverified {
		b.totals.Unverified += n
	}
	if t.overridden {
		b.totals.Overridden += n
	}
	if t.failing {
		b.totals.Failing += n
	}
}

// dropMeeting ends a meeting.
func (b *Board) dropMeeting(m *meeting) {
	b.count(m.tally, -1)
	b.totals.Meetings--
	delete(b.meetings, m.id)
	delete(b.timed, m)
	if m.override != nil {
		b.overrule(m, nil)
	}
	b.unlinkMeeting(m)
	b.bump()
	b.gone = append(b.gone, goneMeeting{b.version, m.id})
	if len(b.gone) > maxGone {
		b.goneBefore = b.gone[len(b.gone)/2-1].version
		b.gone = append([]goneMeeting(nil), b.gone[len(b.gone)/2:]...)
	}
}
