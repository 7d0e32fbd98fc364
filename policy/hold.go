package policy

import "time"

// hold keeps a better level from being shown before it has lasted for a while,
// so that a flapping line does not make the screens flicker.
type hold struct {
	since [Level3]time.Time // by level: since when nothing less trusted was to be shown
	next  time.Time         // when something better may be shown; zero: nothing is held
}

// lower says what to show, given what is shown and what would be without the
// hold: a worse level at once, a better one after so long.
func (h *hold) lower(now time.Time, after time.Duration, before, target Level) Level {
	h.next = time.Time{}
	if after <= 0 {
		return target
	}
	for l := range h.since {
		switch {
		case target > Level(l):
			h.since[l] = time.Time{}
		case h.since[l].IsZero():
			h.since[l] = now
		}
	}
	for l := target; l < before; l++ {
		due := h.since[l].Add(after)
		if !now.Before(due) {
			before = l
			break
		}
		h.next = due // that of a less trusted level is no later
	}
	if before <= target {
		h.next = time.Time{}
		return target
	}
	return before
}

// holds reports whether something better waits to be shown.
func (h *hold) holds() bool { return !h.next.IsZero() }

// due reports whether it has waited long enough.
func (h *hold) due(now time.Time) bool { return h.holds() && !now.Before(h.next) }
