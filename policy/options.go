package policy

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// LevelText is what a site calls a level and what its marking says.
type LevelText struct {
	Name    string // one word or two, for the console and the log
	Message string // for the participants' screens
}

// Bounds limits what the board keeps. What does not fit counts as level 3 with
// that reason. A zero field takes its default.
type Bounds struct {
	Sessions          int // 256
	SessionsPerBridge int // 4: more than one only while clocks disagree
	Calls             int // 50,000 in all
	Legs              int // 250,000 in all
	LegsPerCall       int // 10,000
	DepartedPerSess   int // 2,048: ended legs, and calls, remembered against late records: a Call Bridge posts in order
	Journal           int // 16,384 entries
	Alarms            int // 256
}

// Options is how a site wants its markings.
type Options struct {
	Rules    *Rules // nil: everybody is level 3
	Levels   [4]LevelText
	Position string        // top, middle or bottom; empty: bottom
	Duration time.Duration // whole seconds; 0: permanent

	KeepUnverified bool // an unverified meeting is not shown as level 3 after Grace
	KeepOverrides  bool // an override does not fall when the computed level becomes less trusted

	LowerAfter time.Duration // a better level is shown once it has lasted so long; 0: at once

	MaxText int  // longest operator's text, in characters; 0: 60
	AnyText bool // an operator's text may hold more than ASCII

	BoundSenders bool // a Call Bridge of a configured server is believed from one source address alone

	Grace  time.Duration // unverified for so long without progress counts as level 3; 0: 5 s
	Bounds Bounds
}

// DefaultLevels names the levels and says in words what they mean. The words
// lead, since a bare number can be read as a classification.
func DefaultLevels() [4]LevelText {
	return [4]LevelText{
		Level1: {"Secure", "Security Level 1: secure endpoints only"},
		Level2: {"Internal", "Security Level 2: internal participants"},
		Level3: {"External", "Security Level 3: external participants"},
	}
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	def := DefaultLevels()
	for l := Level1; l <= Level3; l++ {
		if o.Levels[l].Name == "" {
			o.Levels[l].Name = def[l].Name
		}
		if o.Levels[l].Message == "" {
			o.Levels[l].Message = def[l].Message
		}
	}
	if o.Position == "" {
		o.Position = "bottom"
	}
	if o.MaxText == 0 {
		o.MaxText = 60
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	for _, f := range []struct {
		field *int
		def   int
	}{
		{&o.Bounds.Sessions, 256}, {&o.Bounds.SessionsPerBridge, 4}, {&o.Bounds.Calls, 50_000},
		{&o.Bounds.Legs, 250_000}, {&o.Bounds.LegsPerCall, 10_000}, {&o.Bounds.DepartedPerSess, 2_048},
		{&o.Bounds.Journal, 16_384}, {&o.Bounds.Alarms, 256},
	} {
		if *f.field == 0 {
			*f.field = f.def
		}
	}
	return o
}

// CheckText reports why a text may not be put on the screens, or nil. max is in
// characters; beyond 255 the servers are known to show nothing at all, and
// beyond ASCII some endpoints show squares.
func CheckText(text string, max int, anyText bool) error {
	if text == "" {
		return errors.New("the text is empty: write one, or clear the marking instead")
	}
	if n := utf8.RuneCountInString(text); n > max {
		return fmt.Errorf("the text has %d characters, the site allows %d: shorten it", n, max)
	}
	for _, r := range text {
		if !anyText && (r < ' ' || r > '~') {
			return fmt.Errorf("the text holds %q, the site allows plain ASCII: write it without", r)
		}
	}
	if Clean(text, max) != text {
		return errors.New("the text holds characters that do not show, or blanks at its ends: remove them")
	}
	return nil
}
