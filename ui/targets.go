package ui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// living returns the meetings of targets that still run, in the same order, and
// how many have ended.
func (m *model) living(targets []policy.MeetingID) (here []*policy.MeetingView, ended int) {
	for _, id := range targets {
		if v, ok := m.meeting(id); ok {
			here = append(here, v)
		} else {
			ended++
		}
	}
	return here, ended
}

// named says which meetings a dialog is about: one by its name, several by
// their number, since their names stand below.
func (m *model) named(all []*policy.MeetingView, n int) string {
	if len(all) == 1 {
		return quoted(all[0].Name, n, m.words.ellipsis)
	}
	return plural(len(all), "meeting")
}

// roll names meetings one after the other, each with its level.
func (m *model) roll(all []*policy.MeetingView) string {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = shape(v.Computed, v.Unverified != "") + " " + quoted(v.Name, 24, m.words.ellipsis)
	}
	return strings.Join(names, ", ")
}

// endedText says that what a dialog was about is no more.
func endedText(targets []policy.MeetingID) string {
	if len(targets) == 1 {
		return "This meeting has ended."
	}
	return "These meetings have ended."
}

// each does something to every target, goes on where one fails, and returns
// those it was done to, and what went wrong with the others, by name.
func (m *model) each(targets []policy.MeetingID, do func(policy.MeetingID) error) (done []policy.MeetingID, failed []string) {
	for _, id := range targets {
		// Asked for before: what is done may end it.
		name := "the meeting"
		if v, ok := m.meeting(id); ok {
			name = quoted(v.Name, 40, m.words.ellipsis)
		} else if len(targets) > 1 {
			name = "meeting " + string(id)
		}
		if err := do(id); err != nil {
			failed = append(failed, name+": "+err.Error())
			continue
		}
		done = append(done, id)
	}
	return done, failed
}

// override decides for meetings, as a dialog has it. What was done to some of
// them is saved, whatever became of the others.
func (m *model) override(targets []policy.MeetingID, o policy.Override) tea.Cmd {
	o.Who, o.At = m.o.Who, m.o.Now()
	done, failed := m.each(targets, func(id policy.MeetingID) error { return m.board.Override(o.At, id, o) })
	return m.report(targets, done, failed, "Overridden", m.words.override(&o)+". The table shows how far it has got"+semicolon(hint(&m.keys.Auto, "returns to automatic"))+".")
}

// release returns several meetings to automatic. Those that are so already are
// no failure.
func (m *model) release(targets []policy.MeetingID) tea.Cmd {
	at := m.o.Now()
	done, failed := m.each(targets, func(id policy.MeetingID) error {
		if err := m.board.Release(at, id, m.o.Who); !errors.Is(err, policy.ErrAutomatic) {
			return err
		}
		return nil
	})
	return m.report(targets, done, failed, "Automatic again", "the screens follow the levels.")
}

// report tells what came of an action on several meetings, and has it saved.
func (m *model) report(targets, done []policy.MeetingID, failed []string, verb, more string) tea.Cmd {
	// What is done is no longer selected, so that the next key does not hit it
	// again; what failed still is.
	for _, id := range done {
		m.meetings.unpick(id)
	}
	if len(done) == 0 {
		if len(targets) == 1 {
			// The dialog has named it; only why matters.
			_, why, _ := strings.Cut(failed[0], ": ")
			m.fail("Nothing was done: " + why)
			return nil
		}
		m.fail("Nothing was done: " + strings.Join(failed, "; "))
		return nil
	}
	what := plural(len(done), "meeting")
	if len(targets) == 1 {
		what = "the meeting"
		if v, ok := m.meeting(done[0]); ok {
			what = quoted(v.Name, 40, m.words.ellipsis)
		}
	}
	text := verb + ": " + what + ", " + more
	cmd := m.save(text)
	if len(failed) > 0 {
		// After the save's notice: an error stays until a key.
		m.fail(verb + ": " + number(len(done)) + " of " + plural(len(targets), "meeting") + ". Not done: " + strings.Join(failed, "; ") + ".")
	}
	return cmd
}

// releaseDialog asks before several meetings return to automatic; one meeting
// does without a question.
type releaseDialog struct {
	targets []policy.MeetingID
}

func (releaseDialog) paste(*model, tea.PasteMsg) {}

func (d releaseDialog) press(m *model, msg tea.KeyPressMsg) tea.Cmd {
	m.dialog = nil
	if k := msg.String(); k == "y" || k == "Y" {
		if here, _ := m.living(d.targets); len(here) > 0 {
			return m.release(d.targets)
		}
	}
	m.tell("Nothing was done.")
	return nil
}

func (d releaseDialog) lines(m *model, w int) []dialogLine {
	here, ended := m.living(d.targets)
	if len(here) == 0 {
		return []dialogLine{
			{text: endedText(d.targets), style: m.palette.warn},
			{text: "Nothing was done. Any key goes back.", style: m.palette.bold},
		}
	}
	lines := []dialogLine{
		{text: "Return " + m.named(here, max(12, w/2)) + " to automatic?", style: m.palette.bold},
		{text: "y yes   n no (enter: no)", style: m.palette.selected},
	}
	for _, s := range wrap(m.roll(here), w) {
		lines = append(lines, dialogLine{text: s})
	}
	if ended > 0 {
		lines = append(lines, dialogLine{text: plural(ended, "meeting") + " of these ended meanwhile.", style: m.palette.warn})
	}
	return lines
}
