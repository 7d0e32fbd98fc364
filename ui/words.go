package ui

import (
	"fmt"
	"strings"
	"time"

	"callmark/policy"
)

// words says the core's values as the console shows them: the shape and the
// word carry the meaning, colours only help.
type words struct {
	names [4]string // of the levels, in capitals
	glyphs
	utc  bool
	ages bool // the log says how long ago, not when
}

func newWords(o *Options) words {
	w := words{glyphs: newGlyphs(o.ASCII), utc: o.UTC}
	def := policy.DefaultLevels()
	for l := policy.Level1; l <= policy.Level3; l++ {
		name := o.Levels[l].Name
		if name == "" {
			name = def[l].Name
		}
		w.names[l] = strings.ToUpper(safe(name))
	}
	return w
}

// shape is "[1]", or "[1?]" where the picture may be incomplete, or "[ ]".
func shape(l policy.Level, unverified bool) string {
	digit := " "
	if l != policy.LevelNone {
		digit = l.String()
	}
	if unverified {
		return "[" + digit + "?]"
	}
	return "[" + digit + "]"
}

// badge is the shape with the level's name.
func (w *words) badge(l policy.Level, unverified bool) string {
	if l == policy.LevelNone {
		return shape(l, unverified) + " -"
	}
	return shape(l, unverified) + " " + w.names[l]
}

// badgeWidth is how wide the widest badge is.
func (w *words) badgeWidth() int {
	n := 0
	for l := range w.names {
		n = max(n, width(w.badge(policy.Level(l), true)))
	}
	return n
}

// mark says what a marking puts on screens.
func (w *words) mark(m policy.Marking) string {
	switch m.Kind {
	case policy.MarkClear:
		return "off"
	case policy.MarkLevel:
		return shape(m.Level, false)
	case policy.MarkText:
		return "text"
	}
	return "-"
}

// sameMark reports whether two markings say the same to the people who see
// them.
func sameMark(a, b policy.Marking) bool {
	return a.Kind == b.Kind && a.Level == b.Level && a.Text == b.Text
}

// onScreen says what a call's screens show and how far what they shall show has
// got. What a server has accepted is the most that is known to be shown.
func (w *words) onScreen(sent, wanted policy.Marking, state policy.MarkingState) string {
	switch state {
	case policy.StateIdle:
		if !sent.Shows() {
			return "-"
		}
		return w.mark(sent)
	case policy.StateFailed:
		return w.mark(sent) + w.arrow + w.mark(wanted) + " FAILED"
	case policy.StateWanted, policy.StateSending:
		return w.mark(sent) + w.arrow + w.mark(wanted) + " " + state.String()
	}
	return w.mark(wanted) + " " + state.String()
}

// meetingScreen is onScreen for all the calls of a meeting.
func (w *words) meetingScreen(v *policy.MeetingView) string {
	var sent policy.Marking
	for i := range v.Calls {
		if i > 0 && !sameMark(sent, v.Calls[i].Sent) {
			// Two Call Bridges show different things.
			return "mixed" + w.arrow + w.mark(v.Wanted) + " " + stateWord(v.State)
		}
		sent = v.Calls[i].Sent
	}
	return w.onScreen(sent, v.Wanted, v.State)
}

func stateWord(s policy.MarkingState) string {
	if s == policy.StateFailed {
		return "FAILED"
	}
	return s.String()
}

// override says an override in a few words, without who decided it.
func (w *words) override(o *policy.Override) string {
	switch o.Kind {
	case policy.ForceLevel:
		return "forced " + shape(o.Level, false)
	case policy.ForceText:
		return "text"
	case policy.ForceClear:
		return "cleared"
	}
	return "overridden"
}

// meetingOverride says what an operator has decided about a meeting, or had.
func (w *words) meetingOverride(v *policy.MeetingView) string {
	switch {
	case v.Override != nil:
		return w.override(v.Override) + " by " + who(v.Override.Who)
	case v.Fallen != nil:
		return "FELL: " + w.override(&v.Fallen.Override)
	}
	return ""
}

// overrideWithEnd is meetingOverride with the time until which it holds, where
// there are w cells for it.
func (w *words) overrideWithEnd(v *policy.MeetingView, room int) string {
	s := w.meetingOverride(v)
	if v.Override != nil && !v.Override.Until.IsZero() {
		if long := s + " until " + w.zone(v.Override.Until).Format("15:04"); width(long) <= room {
			return long
		}
	}
	return s
}

func who(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// people counts a meeting's participants by level: "1:3 2:5 3:1".
func people(v *policy.MeetingView) string {
	var b strings.Builder
	for l := policy.Level1; l <= policy.Level3; l++ {
		if v.People[l] > 0 {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%d:%d", l, v.People[l])
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// above counts the participants that are less trusted than a level in words:
// "2 external and 1 internal". It returns 0 and "" where there are none.
func (w *words) above(v *policy.MeetingView, l policy.Level) (n int, text string) {
	var all []string
	for k := policy.Level3; k > l; k-- {
		if v.People[k] > 0 {
			n += v.People[k]
			all = append(all, number(v.People[k])+" "+strings.ToLower(w.names[k]))
		}
	}
	if last := len(all) - 1; last > 0 {
		return n, strings.Join(all[:last], ", ") + " and " + all[last]
	}
	return n, strings.Join(all, "")
}

// clock says a time of day, in the zone that the operator chose.
func (w *words) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return w.zone(t).Format("15:04:05")
}

// date says a moment in full.
func (w *words) date(t time.Time) string {
	return w.zone(t).Format("2006-01-02 15:04:05 MST")
}

func (w *words) zone(t time.Time) time.Time {
	if w.utc {
		return t.UTC()
	}
	return t.Local()
}

// entry says what a journal entry reports, without its time, its kind and its
// meeting.
func (w *words) entry(e *policy.Entry) string {
	var all []string
	add := func(s string) {
		if s != "" {
			all = append(all, s)
		}
	}
	switch e.Kind {
	case policy.EntryLevel:
		add(shape(e.Before, false) + w.arrow + w.badge(e.Level, false))
	case policy.EntryMoved:
		add(e.Person)
		add(shape(e.Before, false) + w.arrow + shape(e.Level, false))
		add(e.Address)
	case policy.EntryForced, policy.EntryReleased, policy.EntryExpired, policy.EntryFell, policy.EntryHolds:
		// The level is the computed one, beside which the decision stands.
		s := e.Text
		if e.Who != "" {
			s = "by " + e.Who + ": " + s
		}
		return s + "; level " + w.badge(e.Level, false)
	case policy.EntryWanted, policy.EntrySent, policy.EntryConfirmed, policy.EntryFailed:
		// Each call of a meeting has a marking of its own.
		add(shape(e.Level, false))
		if e.Bridge != "" {
			add("on " + e.Bridge)
		}
		if e.Kind == policy.EntryFailed && e.Call != "" {
			add("call " + e.Call)
		}
	case policy.EntryJoined, policy.EntryLeft:
		add(shape(e.Level, false))
		add(e.Person)
		if e.Address != e.Person {
			add(e.Address)
		}
	default:
		if e.Level != policy.LevelNone {
			add(shape(e.Level, false))
		}
		add(e.Person)
	}
	line := strings.Join(all, " ")
	if e.Text != "" {
		if line != "" {
			line += ": "
		}
		line += e.Text
	}
	if e.Who != "" {
		if line != "" {
			line += ", "
		}
		line += "by " + e.Who
	}
	if e.Meeting == "" && e.Bridge != "" {
		if line != "" {
			line = ": " + line
		}
		line = e.Bridge + line
	}
	return line
}
