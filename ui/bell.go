package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// Bells are the names that Options.Bell may have.
var Bells = []string{"off", "bell", "osc9", "osc777"}

// ringEvery is the least time between two rings: a storm rings once, and once
// more for all that came meanwhile.
const ringEvery = 10 * time.Second

// bell calls an operator who looks elsewhere when a level becomes less trusted.
type bell struct {
	next  time.Time // before it, nothing rings
	rises []string  // what has not been rung for; the first few
	more  int
}

// ring takes the rises of a frame and returns what rings for them, if it is
// time. What had happened before the console came rings for nothing, and so
// does the first participant of a meeting.
func (m *model) ring(f *frame) tea.Cmd {
	if m.o.Bell == "off" {
		return nil
	}
	b := &m.bell
	for i := range f.entries {
		e := &f.entries[i]
		if !m.read || e.Kind != policy.EntryLevel || e.Before == policy.LevelNone || e.Level <= e.Before || e.Time.Add(noticeFor).Before(f.at) {
			continue
		}
		if len(b.rises) < 3 {
			b.rises = append(b.rises, quoted(e.Name, 40, m.words.ellipsis)+" is "+m.words.badge(e.Level, false))
		} else {
			b.more++
		}
	}
	if len(b.rises) == 0 || f.at.Before(b.next) {
		return nil
	}
	text := strings.Join(b.rises, ", ")
	if b.more > 0 {
		text += ", and " + number(b.more) + " more"
	}
	*b = bell{next: f.at.Add(ringEvery)}
	return tea.Raw(m.ringing(text))
}

// ringing is the sequence that rings. The names in it come from the far end:
// they cannot end it, and cannot begin a part of their own.
func (m *model) ringing(text string) string {
	text = strings.ReplaceAll(safe(text), ";", ",")
	title := strings.ReplaceAll(safe(m.o.Title), ";", ",")
	switch m.o.Bell {
	case "osc9":
		// A terminal takes a text that begins with a digit for something else.
		return "\x1b]9;" + title + ": " + text + "\x07"
	case "osc777":
		return "\x1b]777;notify;" + title + ";" + text + "\x07"
	}
	return "\x07"
}

func bellProblem(name string) string {
	if slices.Contains(Bells, name) {
		return ""
	}
	return fmt.Sprintf("there is no bell %q: choose one of %s", name, strings.Join(Bells, ", "))
}
