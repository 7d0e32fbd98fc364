package ui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// place is the view that keys act in: what is shown in full, or as a history,
// belongs to the view that it was opened from.
func (m *model) place() view {
	switch m.view {
	case viewHistory, viewInFull:
		return viewMeeting
	case viewBridge:
		return viewBridges
	case viewEntry:
		return viewLog
	}
	return m.view
}

// unfit says why a key does nothing in the view that is shown, or "". Keys that
// act on meetings say so themselves: it depends on which is selected.
func (m *model) unfit(msg tea.KeyPressMsg) string {
	k := &m.keys
	lines := m.view == viewBridge || m.view == viewInFull || m.view == viewEntry
	switch {
	case key.Matches(msg, k.Open):
		if lines {
			return "This is all there is: " + hint(&k.Back, "goes back.")
		}
	case lines && key.Matches(msg, k.Filter, k.Sort, k.Reverse):
		return "There are no rows to filter or sort here: " + hint(&k.Back, "goes back.")
	case key.Matches(msg, k.Group):
		switch m.view {
		case viewMeeting:
		case viewMeetings:
			return "Participants are grouped in the view of their meeting: " + hint(&k.Open, "opens it.")
		default:
			return "Only the participants of a meeting are grouped: " + hint(&k.Back, "goes back.")
		}
	case key.Matches(msg, k.History, k.InFull) && m.place() != viewMeeting:
		if m.view == viewMeetings {
			return "This is about one meeting: " + hint(&k.Open, "opens it first.")
		}
		return "This is about one meeting: " + hint(&k.Back, "goes back to the meetings.")
	case key.Matches(msg, k.Ages) && m.view != viewLog && m.view != viewHistory:
		return "Times become ages in the log and in a meeting's history."
	}
	return ""
}

// comma puts one before a text, if there is any.
func comma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}
