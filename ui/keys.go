package ui

import (
	"slices"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// keymap is every key of the console. The letters of the first groups are a
// contract with the operators: they may be added to, not moved.
type keymap struct {
	Up, Down, PageUp, PageDown, Home, End key.Binding
	Open, Back, Filter, Sort, Reverse     key.Binding
	Force, Clear, Auto                    key.Binding
	Refresh, Help, Quit                   key.Binding
	Log, Pause, Copy, Zone, Next, Dismiss key.Binding
	Bridges, History, InFull, Group, Ages key.Binding
	Export                                key.Binding
	Pick, Mouse, Theme                    key.Binding
	Interrupt, Suspend                    key.Binding
}

func newKeymap(ascii bool) keymap {
	bind := func(shown, desc string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, desc))
	}
	up, down := "↑/k", "↓/j"
	if ascii {
		up, down = "up/k", "down/j"
	}
	return keymap{
		Up:       bind(up, "up", "up", "k"),
		Down:     bind(down, "down", "down", "j"),
		PageUp:   bind("pgup", "page up", "pgup", "ctrl+b", "ctrl+u"),
		PageDown: bind("pgdn", "page down", "pgdown", "ctrl+f", "ctrl+d"),
		Home:     bind("g", "first", "g", "home"),
		End:      bind("G", "last", "G", "end"),

		Open:    bind("enter", "open", "enter"),
		Back:    bind("esc", "back", "esc"),
		Filter:  bind("/", "filter", "/"),
		Sort:    bind("s", "sort", "s"),
		Reverse: bind("S", "reverse", "S", "R"),

		Force: bind("f", "force", "f"),
		Clear: bind("c", "clear", "c"),
		Auto:  bind("a", "auto", "a"),

		Refresh: bind("r", "resync", "r"),
		Help:    bind("?", "help", "?"),
		Quit:    bind("q", "quit", "q"),

		Log:     bind("l", "log", "l", "tab"),
		Bridges: bind("b", "Call Bridges", "b"),
		History: bind("h", "history", "h"),
		InFull:  bind("i", "in full", "i"),
		Group:   bind("v", "group by level", "v"),
		Ages:    bind("w", "time/age", "w"),
		Export:  bind("e", "export", "e"),
		Pause:   bind("p", "pause", "p"),
		Copy:    bind("y", "copy id", "y"),
		Zone:    bind("u", "UTC/local", "u"),
		Next:    bind("n", "next problem", "n"),
		Dismiss: bind("x", "dismiss alarm", "x"),

		Pick:  bind("space", "select", "space"),
		Mouse: bind("m", "mouse", "m"),
		Theme: bind("T", "theme", "T"),

		Interrupt: bind("ctrl+c", "twice: quit", "ctrl+c"),
		Suspend:   key.NewBinding(key.WithKeys("ctrl+z")),
	}
}

// forView returns the keymap with what does not work in a view switched off, so
// that help does not offer it.
func (k keymap) forView(v view, readOnly, refresh bool) keymap {
	off := func(all ...*key.Binding) {
		for _, b := range all {
			b.SetEnabled(false)
		}
	}
	if readOnly {
		off(&k.Force, &k.Clear, &k.Auto, &k.Dismiss, &k.Pick)
	}
	if !refresh {
		off(&k.Refresh)
	}
	switch v {
	case viewMeetings:
		off(&k.Back)
	case viewBridge, viewInFull, viewEntry:
		off(&k.Open, &k.Filter, &k.Sort, &k.Reverse)
	}
	if v == viewLog || v == viewEntry || v == viewBridges || v == viewBridge {
		off(&k.Force, &k.Clear, &k.Auto, &k.Copy)
	}
	if v != viewMeetings {
		off(&k.Pick)
	}
	if v != viewMeeting {
		off(&k.Group)
	}
	if v != viewMeeting && v != viewInFull && v != viewHistory {
		off(&k.History, &k.InFull)
	}
	if v != viewLog && v != viewHistory {
		off(&k.Ages)
	}
	return k
}

// ShortHelp is the line at the bottom, the most needed first.
func (k keymap) ShortHelp() []key.Binding {
	return []key.Binding{k.Help, k.Open, k.Back, k.Force, k.Clear, k.Auto, k.Filter, k.Sort, k.Refresh, k.Quit, k.Log, k.Bridges, k.History, k.InFull, k.Group, k.Export, k.Ages, k.Pick, k.Pause, k.Next}
}

// FullHelp is what ? shows.
func (k keymap) FullHelp() [][]key.Binding {
	return [][]key.Binding{
		{k.Up, k.Down, k.PageUp, k.PageDown, k.Home, k.End, k.Open, k.Back},
		{k.Force, k.Clear, k.Auto, k.Pick, k.Dismiss, k.Next, k.Refresh, k.Pause},
		{k.Filter, k.Sort, k.Reverse, k.Group, k.Ages, k.Zone, k.Copy, k.Export},
		{k.Log, k.Bridges, k.History, k.InFull, k.Mouse, k.Theme, k.Help, k.Quit, k.Interrupt},
	}
}

// newHelp returns a help view in the console's manner: no colours, keys bold.
func newHelp(ascii bool) help.Model {
	h := help.New()
	h.ShortSeparator, h.FullSeparator, h.Ellipsis = "  ", "   ", "…"
	if ascii {
		h.Ellipsis = ".."
	}
	h.Styles = help.Styles{}
	h.Styles.ShortKey = h.Styles.ShortKey.Bold(true)
	h.Styles.FullKey = h.Styles.ShortKey
	return h
}

// enabled returns the bindings that work, by columns.
func enabled(groups [][]key.Binding) [][]key.Binding {
	var out [][]key.Binding
	for _, g := range groups {
		g = slices.DeleteFunc(slices.Clone(g), func(b key.Binding) bool { return !b.Enabled() })
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// fitting returns as many bindings, of those that work, as a line of w cells
// has room for.
func fitting(all []key.Binding, w int) []key.Binding {
	var out []key.Binding
	for _, b := range all {
		if !b.Enabled() {
			continue
		}
		n := width(b.Help().Key) + 1 + width(b.Help().Desc)
		if len(out) > 0 {
			n += 2
		}
		if w -= n; w < 0 {
			break
		}
		out = append(out, b)
	}
	return out
}

// travel moves in a list, or in a text, if the key is one that does.
func (k *keymap) travel(msg tea.KeyPressMsg, l lister) bool {
	switch {
	case key.Matches(msg, k.Up):
		l.move(-1)
	case key.Matches(msg, k.Down):
		l.move(1)
	case key.Matches(msg, k.PageUp):
		l.turn(-1)
	case key.Matches(msg, k.PageDown):
		l.turn(1)
	case key.Matches(msg, k.Home):
		l.jump(false)
	case key.Matches(msg, k.End):
		l.jump(true)
	default:
		return false
	}
	return true
}
