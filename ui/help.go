package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// pressHelp answers a key while the full help is shown: those that move scroll
// it, any other closes it.
func (m *model) pressHelp(msg tea.KeyPressMsg) {
	if !m.keys.travel(msg, &m.helpPage) {
		m.helping = false
	}
}

// openHelp shows the keys that work in this view, in columns or, where these
// have no room, one below the other, and what the signs mean.
func (m *model) openHelp() {
	m.helping = true
	m.helpPage.show(func(m *model) [][]part {
		groups := enabled(m.keys.forView(m.view, m.o.ReadOnly, m.o.Refresh != nil).FullHelp())
		lines := [][]part{{{"Keys that work here, and what the signs mean:", m.palette.bold}}}
		if columns := m.helpColumns(groups); joined(columns[0]) <= m.w {
			lines = append(lines, columns...)
		} else {
			// What acts comes before what moves.
			for _, g := range append(groups[1:], groups[0]) {
				for _, b := range g {
					lines = append(lines, []part{{fill(b.Help().Key, 7), m.palette.bold}, {b.Help().Desc, ""}})
				}
			}
		}
		return append(lines, m.legend()...)
	})
}

// helpColumns sets groups of keys beside each other. The first line is as wide
// as the widest.
func (m *model) helpColumns(groups [][]key.Binding) [][]part {
	var lines [][]part
	for i, g := range groups {
		keys, words := 0, 0
		for _, b := range g {
			keys, words = max(keys, width(b.Help().Key)), max(words, width(b.Help().Desc))
		}
		for len(lines) < len(g) {
			lines = append(lines, nil)
		}
		for y := range lines {
			name, desc := "", ""
			if y < len(g) {
				name, desc = g[y].Help().Key, g[y].Help().Desc
			}
			if i > 0 {
				// A column may be longer than those before it.
				for len(lines[y]) < 2*i {
					lines[y] = append(lines[y], part{fill("", width(lines[0][len(lines[y])].text)), ""})
				}
				name, keys := "   "+fill(name, keys), keys+3
				lines[y] = append(lines[y], part{fill(name, keys), m.palette.bold}, part{" " + fill(desc, words), ""})
				continue
			}
			lines[y] = append(lines[y], part{fill(name, keys), m.palette.bold}, part{" " + fill(desc, words), ""})
		}
	}
	return lines
}

// fill makes a text w cells wide.
func fill(s string, w int) string { return s + strings.Repeat(" ", max(0, w-width(s))) }

// legend says what the signs on the screen mean.
func (m *model) legend() [][]part {
	lines := [][]part{nil}
	for _, l := range [][2]string{
		{"[1] [2] [3]", "level, from the most to the least trusted; [1?] the picture may be incomplete; [ ] nobody counts"},
		{"(3)", "somebody who does not bear on the level: in the lobby, the IVR, a recorder, a link"},
		{"[1]" + m.words.arrow + "[3]", "on the screens, and wanted there: wanted, sending, sent (accepted), confirmed (read back), FAILED"},
		{"1:4 3:2", "people by level: four of level 1, two of level 3"},
		{"filter", "words that all must occur, !word must not; level:3 domain:host bridge:name is:unverified is:overridden is:failing"},
		{"sign", "* selected with space; for 2 s after a change: " + m.words.up + " level less trusted, " + m.words.down + " more trusted, + new, ~ something else"},
		{"*", "behind a participant's level: the meeting has its own by it"},
	} {
		lines = append(lines, []part{{fill(l[0], 12) + " ", m.palette.faint}, {l[1], m.palette.faint}})
	}
	return lines
}
