package policy

import "time"

// OverrideKind says what an operator decided.
type OverrideKind uint8

// The kinds of override.
const (
	ForceLevel OverrideKind = iota + 1
	ForceText
	ForceClear
)

// Override is an operator's decision about a meeting's marking. It holds until
// it is released, it expires, the meeting ends, or it falls.
type Override struct {
	Kind   OverrideKind
	Level  Level  // ForceLevel
	Text   string // ForceText
	Who    string
	Reason string    // optional
	At     time.Time // when it was decided
	Until  time.Time // zero: until the meeting ends

	// Best is the most trusted level computed since the decision. The board
	// keeps it; an override falls against it.
	Best Level
}

// shows is the level that the override puts on the screens: none for a text
// and a clear.
func (o Override) shows() Level {
	if o.Kind == ForceLevel {
		return o.Level
	}
	return LevelNone
}

// expired reports whether the time that it was limited to is over.
func (o Override) expired(now time.Time) bool { return !o.Until.IsZero() && !now.Before(o.Until) }

// falls reports whether the override no longer holds at this computed level:
// when it is less trusted than both what the override shows and the best since
// the decision.
func (o Override) falls(computed Level) bool {
	return computed > o.shows() && computed > o.Best
}

// lessTrusted picks, of two overrides that meet when meetings merge, the one to
// keep: the less trusted level; a level before a text, a text before a clear;
// of equals the newer decision.
func lessTrusted(a, b Override) Override {
	if a.shows() != b.shows() {
		if a.shows() > b.shows() {
			return a
		}
		return b
	}
	if a.Kind != b.Kind {
		if a.Kind < b.Kind {
			return a
		}
		return b
	}
	if a.At.After(b.At) {
		return a
	}
	return b
}

// String says the override in a few words: "level 1", "text", "clear".
func (o Override) String() string {
	switch o.Kind {
	case ForceLevel:
		return "level " + o.Level.String()
	case ForceText:
		return "text \"" + o.Text + "\""
	case ForceClear:
		return "clear"
	}
	return "none"
}
