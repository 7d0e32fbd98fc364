package policy

import (
	"errors"
	"fmt"
	"time"
)

// The errors of the operator's commands.
var (
	ErrNoMeeting = errors.New("the meeting has ended")
	ErrAutomatic = errors.New("the meeting is on automatic already")
)

// Override sets an operator's decision about a meeting. It replaces an earlier
// one. At and Best are the board's to set.
func (b *Board) Override(now time.Time, id MeetingID, o Override) error {
	if err := b.allow(&o); err != nil {
		return err
	}
	if !o.Until.IsZero() && !o.Until.After(now) {
		return errors.New("the expiry is over already: choose a later one")
	}
	o.Who, o.Reason, o.At = Clean(o.Who, maxName), Clean(o.Reason, maxProblem), now
	if o.Who == "" {
		o.Who = "operator"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.meetings[id]
	if m == nil {
		return ErrNoMeeting
	}
	o.Best = m.computed
	b.overrule(m, &o)
	m.restored, m.fallen = false, nil
	text := o.String()
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	b.note(now, b.about(m, Entry{Kind: EntryForced, Weight: Notice, Level: m.computed, Who: o.Who, Text: text}))
	b.touch(m)
	b.settle(now)
	return nil
}

// allow reports why there can be no such override here, or nil, and empties
// what its kind does not have.
func (b *Board) allow(o *Override) error {
	switch o.Kind {
	case ForceLevel:
		if o.Level < Level1 || o.Level > Level3 {
			return fmt.Errorf("there is no level %d: force 1, 2 or 3", o.Level)
		}
		o.Text = ""
	case ForceText:
		if err := b.CheckText(o.Text); err != nil {
			return err
		}
		o.Level = LevelNone
	case ForceClear:
		o.Text, o.Level = "", LevelNone
	default:
		return errors.New("nothing to force: choose a level, a text, or clear")
	}
	return nil
}

// Release returns a meeting to automatic, and dismisses the notice of an
// override that fell.
func (b *Board) Release(now time.Time, id MeetingID, who string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.meetings[id]
	if m == nil {
		return ErrNoMeeting
	}
	if m.override == nil && m.fallen == nil {
		return ErrAutomatic
	}
	if o := m.override; o != nil {
		b.note(now, b.about(m, Entry{Kind: EntryReleased, Weight: Notice, Level: m.computed, Who: Clean(who, maxName), Text: o.String()}))
	}
	b.overrule(m, nil)
	m.fallen = nil
	b.touch(m)
	b.settle(now)
	return nil
}

// CheckText reports why the site does not allow a text on the screens, or nil.
func (b *Board) CheckText(text string) error { return CheckText(text, b.o.MaxText, b.o.AnyText) }

// Preview is what the screens would show under an override.
func (b *Board) Preview(o Override) Marking { return b.overriding(o) }
