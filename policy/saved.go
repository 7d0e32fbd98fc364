package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxWaiting = 10_000      // restored overrides whose meeting has not been met
	maxMeeting = 2*maxID + 8 // characters of a meeting's id: of a call's and a session's at most
)

// noCorrelator begins the id of a meeting that is one call without a correlator.
const noCorrelator = "call:"

// SavedOverride is an override and its meeting, as they are kept from one start
// of callmark to the next.
type SavedOverride struct {
	Meeting MeetingID
	Name    string // of the meeting, for those who read of it before it is met

	// Calls are the ids of the meeting's calls. Records of legs name their call
	// and not its correlator: without these an override would wait for the API
	// to tell it.
	Calls []string

	Override
}

// saved is what the board knows of the overrides that are to be kept.
type saved struct {
	version uint64                // moves whenever what is to be kept changes
	held    map[*meeting]struct{} // those with an override
	waiting map[MeetingID]SavedOverride
	due     time.Time // when the first of those that wait expires; zero: never

	correlators map[string]string // by call id, of restored overrides' calls
}

func newSaved() saved {
	return saved{held: map[*meeting]struct{}{}, waiting: map[MeetingID]SavedOverride{}, correlators: map[string]string{}}
}

// OverridesVersion moves whenever the answer of SavedOverrides changes, names of
// meetings apart.
func (b *Board) OverridesVersion() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.saved.version
}

// SavedOverrides returns what is to be kept for the next start: the overrides
// that hold, and the restored ones that still wait for their meeting, oldest
// decision first. The version is that of the answer.
func (b *Board) SavedOverrides() (all []SavedOverride, version uint64) {
	b.mu.Lock()
	for m := range b.saved.held {
		s := SavedOverride{Meeting: m.id, Name: m.name(), Calls: slices.Clone(m.savedCalls), Override: *m.override}
		for _, c := range m.calls {
			s.Calls = append(s.Calls, c.id)
		}
		all = append(all, s)
	}
	for _, w := range b.saved.waiting {
		w.Calls = slices.Clone(w.Calls)
		all = append(all, w)
	}
	version = b.saved.version
	b.mu.Unlock()
	for i := range all {
		slices.Sort(all[i].Calls)
		all[i].Calls = slices.Compact(all[i].Calls)
	}
	slices.SortFunc(all, olderDecision)
	return all, version
}

// olderDecision orders by when it was decided, then by meeting.
func olderDecision(a, b SavedOverride) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Meeting, b.Meeting))
}

// Restore takes the overrides that were kept from an earlier start. Each waits
// for its meeting, and holds from the moment at which a call of that meeting is
// met. It is meant to be called before the first record; a meeting that is here
// already gets its override at once.
//
// What was kept comes from outside: an override that is not allowed, such as a
// text that the site no longer permits, is dropped with an alarm.
func (b *Board) Restore(now time.Time, all []SavedOverride) {
	b.mu.Lock()
	defer b.mu.Unlock()
	refused, first := 0, ""
	for _, s := range all {
		s.Meeting, s.Name = MeetingID(Clean(string(s.Meeting), maxMeeting)), Clean(s.Name, maxName)
		s.Who, s.Reason = cmp.Or(Clean(s.Who, maxName), "operator"), Clean(s.Reason, maxProblem)
		s.Calls = slices.Clone(s.Calls)
		for i, call := range s.Calls {
			s.Calls[i] = Clean(call, maxID)
		}
		err := b.allow(&s.Override)
		switch {
		case s.Meeting == "":
			err = errors.New("it names no meeting")
		case err == nil && s.Best > Level3:
			err = fmt.Errorf("there is no level %d", s.Best)
		}
		switch {
		case err != nil:
			refused++
			b.noteSaved(now, EntryForgotten, Warning, s, err.Error())
			if first == "" {
				first = fmt.Sprintf("the override of %q was dropped: %v", cmp.Or(s.Name, string(s.Meeting)), err)
			}
			continue
		case s.expired(now):
			b.noteSaved(now, EntryExpired, Notice, s, "")
			continue
		}
		if s.At.After(now) {
			s.At = now // the clock was set back
		}
		if other, twice := b.saved.waiting[s.Meeting]; twice {
			s.Override = lessTrusted(other.Override, s.Override)
		}
		b.saved.waiting[s.Meeting] = s
		if !strings.HasPrefix(string(s.Meeting), noCorrelator) {
			for _, call := range s.Calls {
				b.saved.correlators[call] = string(s.Meeting)
			}
		}
		b.noteSaved(now, EntryRestored, Notice, s, "waits for its meeting")
		if m := b.meetings[s.Meeting]; m != nil {
			b.resume(now, m)
		}
	}
	if refused > 0 {
		if refused > 1 {
			first += fmt.Sprintf(" (and %d others)", refused-1)
		}
		b.raise(now, Alarm{Key: "state/refused", Text: first, Remedy: "its meeting is on automatic: force it anew if need be"})
	}
	b.boundWaiting(now)
	b.savedChanged()
	b.settle(now)
}

// boundWaiting drops the oldest of too many overrides that wait.
func (b *Board) boundWaiting(now time.Time) {
	n := len(b.saved.waiting) - maxWaiting
	if n <= 0 {
		return
	}
	for _, w := range b.waiting()[:n] {
		delete(b.saved.waiting, w.Meeting)
	}
	b.raise(now, Alarm{
		Key:    "state/many",
		Text:   fmt.Sprintf("more than %d overrides were kept: the oldest %d were dropped", maxWaiting, n),
		Remedy: "their meetings are on automatic: force them anew if need be",
	})
}

// meetingsKnown notes that all meetings that run have been met, since every
// server has been read once: what still waits is for meetings that ended while
// callmark was not running. The caller settles.
func (b *Board) meetingsKnown(now time.Time) {
	clear(b.saved.correlators)
	for m := range b.saved.held {
		if m.savedCalls = nil; m.restored {
			b.touch(m)
		}
	}
	if len(b.saved.waiting) > 0 {
		for _, w := range b.waiting() {
			b.noteSaved(now, EntryForgotten, Notice, w, "the meeting ended while callmark was not running")
		}
		clear(b.saved.waiting)
		b.savedChanged()
	}
}

// waiting is the overrides that wait, oldest decision first.
func (b *Board) waiting() []SavedOverride {
	all := make([]SavedOverride, 0, len(b.saved.waiting))
	for _, w := range b.saved.waiting {
		all = append(all, w)
	}
	slices.SortFunc(all, olderDecision)
	return all
}

// savedChanged follows a change of what waits.
func (b *Board) savedChanged() {
	b.saved.due = time.Time{}
	for _, w := range b.saved.waiting {
		if !w.Until.IsZero() && (b.saved.due.IsZero() || w.Until.Before(b.saved.due)) {
			b.saved.due = w.Until
		}
	}
	b.saved.version++
	b.bump()
}

// expireWaiting drops the overrides that wait and whose time is over.
func (b *Board) expireWaiting(now time.Time) {
	if b.saved.due.IsZero() || now.Before(b.saved.due) {
		return
	}
	for _, w := range b.waiting() {
		if w.expired(now) {
			delete(b.saved.waiting, w.Meeting)
			b.noteSaved(now, EntryExpired, Notice, w, "")
		}
	}
	b.savedChanged()
}

// resume lets a restored override take hold of its meeting, which a call that
// was attached shows to run.
func (b *Board) resume(now time.Time, m *meeting) {
	if m.override != nil {
		b.saved.version++ // one more call to know it by
	}
	w, ok := b.saved.waiting[m.id]
	if !ok {
		return
	}
	delete(b.saved.waiting, m.id)
	b.savedChanged()
	if w.expired(now) {
		b.noteSaved(now, EntryExpired, Notice, w, "")
		return
	}
	m.savedName, m.savedCalls = w.Name, w.Calls
	if !b.bring(m, &w.Override, true) {
		b.noteSaved(now, EntryForgotten, Notice, w, "a less trusted one holds")
		return
	}
	b.note(now, b.about(m, Entry{Kind: EntryHolds, Weight: Notice, Level: m.computed, Who: w.Who, Text: w.String()}))
	b.recompute(now, m)
}

// overrule sets a meeting's override, or none.
func (b *Board) overrule(m *meeting, o *Override) {
	m.override = o
	b.saved.version++
	if o == nil {
		m.restored = false
		delete(b.saved.held, m)
		return
	}
	b.saved.held[m] = struct{}{}
}

// bring has a meeting take an override over, from another meeting or from an
// earlier start. Of two the less trusted is kept. It reports whether that is
// the one that came.
func (b *Board) bring(m *meeting, o *Override, restored bool) bool {
	if o == nil || m.override != nil && lessTrusted(*m.override, *o) == *m.override {
		return false
	}
	b.overrule(m, o)
	m.restored = restored
	return true
}

// improve follows the most trusted level since an override's decision. While a
// meeting is being met leg by leg after a restart it passes through levels that
// it never had: these do not count, until its picture has been complete once.
func (b *Board) improve(m *meeting) {
	if o := m.override; o != nil && m.computed < o.Best && !m.restored {
		kept := *o // views may hold the old one
		kept.Best = m.computed
		b.overrule(m, &kept)
	}
}

// complete notes that the picture of all calls of a meeting that have been met
// is complete. If these are all that it had, what is computed counts for a
// restored override from here on.
func (b *Board) complete(m *meeting) {
	if !m.restored || slices.ContainsFunc(m.savedCalls, b.unmet) {
		return
	}
	m.restored = false
	b.improve(m)
}

// unmet reports whether no record has told of a call, nor of its end.
func (b *Board) unmet(call string) bool {
	for _, s := range b.sessions {
		if s.calls[call] != nil {
			return false
		}
	}
	return true
}

// noteSaved enters what became of an override whose meeting is not here.
func (b *Board) noteSaved(now time.Time, kind EntryKind, weight Weight, s SavedOverride, why string) {
	text := s.String()
	if why != "" {
		text += ": " + why
	}
	b.note(now, Entry{Kind: kind, Weight: weight, Meeting: s.Meeting, Name: s.Name, Who: s.Who, Text: text})
}
