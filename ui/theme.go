package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Themes are the names that Options.Theme may have. Auto is dark or light as the
// terminal says its background is, and 16 while it has not said so or has no
// more colours.
var Themes = []string{"auto", "dark", "light", "16", "mono"}

// theme is which colours are used, and what the terminal has told of itself.
type theme struct {
	name    string
	profile colorprofile.Profile // 0: not told
	told    bool                 // the terminal has told its background
	dark    bool
}

// themeProblem says what is wrong with a theme's name; empty: nothing.
func themeProblem(name string) string {
	if slices.Contains(Themes, name) {
		return ""
	}
	return fmt.Sprintf("there is no theme %q: choose one of %s", name, strings.Join(Themes, ", "))
}

// palette is what the theme comes to.
func (t *theme) palette(noColor bool) palette {
	name := t.name
	if name == "auto" {
		switch {
		case !t.told || t.profile != colorprofile.Unknown && t.profile <= colorprofile.ANSI:
			name = "16"
		case t.dark:
			name = "dark"
		default:
			name = "light"
		}
	}
	p := newPalette(noColor || name == "mono")
	if noColor {
		return p
	}
	// Every text on a ground of its own has a contrast of at least 4.5 to 1.
	switch name {
	case "dark":
		p.faint = "38;5;247"
		p.level = [4]style{1: "38;5;16;48;5;114", 2: "38;5;16;48;5;80", 3: "1;38;5;231;48;5;160"}
		p.warn, p.bad, p.good = "38;5;16;48;5;179", "1;38;5;231;48;5;160", "38;5;114"
	case "light":
		p.faint = "38;5;240"
		p.level = [4]style{1: "38;5;231;48;5;28", 2: "38;5;231;48;5;24", 3: "1;38;5;231;48;5;160"}
		p.warn, p.bad, p.good = "38;5;16;48;5;220", "1;38;5;231;48;5;160", "38;5;22"
	}
	return p
}

// askBackground asks the terminal for its background, where that decides something.
func (m *model) askBackground() tea.Cmd {
	if m.theme.name != "auto" || m.o.NoColor || m.theme.told {
		return nil
	}
	return tea.RequestBackgroundColor
}

// paint takes the colours of the theme as it is now.
func (m *model) paint() { m.palette = m.theme.palette(m.o.NoColor) }

// pressTheme goes on to the next theme.
func (m *model) pressTheme() tea.Cmd {
	if m.o.NoColor {
		m.tell("NO_COLOR is set: there are no colours to choose from.")
		return nil
	}
	at := slices.Index(Themes, m.theme.name)
	m.theme.name = Themes[(at+1)%len(Themes)]
	m.paint()
	m.tell("Theme: " + m.theme.name + ".")
	return m.askBackground()
}
