package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// View draws a frame: the header, the view, a line for what is going on, and
// one for help. It is called after every message, so it draws what is to be
// seen and nothing else.
func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = m.title()
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// title is the window's: short, since it is read in a list of windows.
func (m *model) title() string {
	s := m.o.Title
	if n := len(m.alarms); n > 0 {
		s += ": " + plural(n, "alarm")
	}
	return s
}

// draw returns the screen as lines, exactly as many as it has.
func (m *model) draw() string {
	c := &m.canvas
	c.reset(m.w, m.h)
	if m.w < minWidth || m.h < minHeight {
		if m.w > 0 && m.h > 0 {
			c.line(cut("Too small: 40x10 is needed.", m.w, ""))
		}
		return string(c.buf)
	}
	m.drawHeader()
	var lines []dialogLine
	if m.dialog != nil {
		lines = m.dialog.lines(m, m.w-2)
	}
	const foot = 2
	body := c.left() - foot
	// A dialog takes what it needs, and leaves the view what is over if that
	// is enough to be of use.
	ask := 0
	if len(lines) > 0 {
		ask = min(len(lines)+1, body)
	}
	if body-ask < 3 {
		ask = min(body, max(ask, body))
		if len(lines) == 0 {
			ask = 0
		}
	}
	m.drawBody(body - ask)
	c.fill(foot + ask)
	// What has no room is scrolled to; the question and the answers come first.
	m.askMore = max(0, len(lines)-ask)
	m.askTop = min(m.askTop, m.askMore)
	m.drawDialog(lines[m.askTop:], ask)
	c.fill(foot)
	m.drawStatus()
	c.line(m.helpLine())
	return string(c.buf)
}

// drawBody writes the view, or the full help, into h lines.
func (m *model) drawBody(h int) {
	switch {
	case h < 1:
	case m.helping:
		m.helpPage.draw(m, h)
	case m.view == viewMeeting:
		m.open.draw(m, h)
	case m.view == viewLog:
		m.log.draw(m, h)
	case m.view == viewBridges:
		m.callBridges.draw(m, h)
	case m.view == viewBridge:
		m.bridge.draw(m, h)
	case m.view == viewInFull, m.view == viewEntry:
		m.inFull.draw(m, h)
	case m.view == viewHistory:
		m.history.draw(m, h)
	case m.read && m.meetings.len() == 0:
		m.canvas.parts(m.words.ellipsis, part{}, part{"No meetings. They appear here when their first record comes.", m.palette.faint})
	default:
		m.meetings.draw(&m.canvas, h, &m.palette, &m.words.glyphs)
	}
}

// drawDialog writes a dialog into h lines, under a rule where there is room.
func (m *model) drawDialog(lines []dialogLine, h int) {
	c := &m.canvas
	if h > len(lines) {
		c.line(m.palette.bold.of(strings.Repeat(m.words.rule, m.w)))
		h--
	}
	for i := range min(h, len(lines)) {
		l := lines[i]
		if l.raw {
			c.line(" " + l.text)
			continue
		}
		margin := string(appendGap(nil, 1, beginsRight(l.text), c.stop))
		c.parts(m.words.ellipsis, part{}, part{margin, ""}, part{l.text, l.style})
	}
}

// drawStatus writes the line above the help: what is typed, the last notice,
// or the most urgent thing about the selected meeting, and where the cursor is.
func (m *model) drawStatus() {
	c, p := &m.canvas, &m.palette
	list := m.list()
	at, shown, all := list.position()
	where := number(at) + " of " + number(shown)
	if shown != all {
		where += " (of " + number(all) + ")"
	}
	if by := list.sorting(); by != "" && m.w >= 60 {
		where += ", by " + by
	}
	if text, ok := m.page(); ok {
		where = text.lines()
	}
	last := part{where, p.faint}
	odd := list.complaint()
	if n := m.meetings.pickedLen(); n > 0 && m.view == viewMeetings && !m.helping {
		text := number(n) + " selected"
		if hidden := m.meetings.hiddenPicks(); hidden > 0 {
			text += " (" + number(hidden) + " hidden)"
		}
		last = part{text + ", " + where, p.bold}
	}
	switch {
	case m.filtering:
		// How many pass is said while it is typed.
		pass := number(shown) + " of " + number(all)
		widen(&m.input, m.w-width(pass)-12)
		if c.begin() {
			c.buf = append(c.buf, "filter: "...)
			field := m.input.View()
			c.buf = append(c.buf, field...)
			_, open := seal(m.input.Value(), false, c.stop)
			c.buf = appendGap(c.buf, m.w-width("filter: ")-width(ansi.Strip(field))-width(pass), open, c.stop)
			c.buf = append(c.buf, p.faint.of(pass)...)
		}
	case m.notice.error:
		c.parts(m.words.ellipsis, part{}, part{m.notice.text, p.bad})
	case m.notice.text != "":
		c.parts(m.words.ellipsis, last, part{m.notice.text, p.bold})
	case m.helping:
		c.parts(m.words.ellipsis, last)
	default:
		var say []part
		if f := list.filterText(); f != "" {
			say = append(say, part{"filter: " + f, p.bold}, part{"  ", ""})
			if shown == 0 {
				say = append(say, part{"nothing passes it" + comma(hint(&m.keys.Back, "takes it off")), p.warn}, part{"  ", ""})
			}
			if odd != "" {
				say = append(say, part{odd, p.warn}, part{"  ", ""})
			}
		}
		if m.view == viewMeetings && m.dialog == nil {
			if m.meetings.lost {
				say = append(say, part{m.nothingSelected(), p.warn})
			} else if v, ok := m.meetings.selected(); ok {
				text, s := m.remark(v)
				say = append(say, part{text, s})
			}
		}
		if m.view == viewMeeting && m.dialog == nil {
			say = append(say, part{m.open.remark(m), p.faint})
		}
		if m.view == viewBridges && m.dialog == nil {
			say = append(say, m.callBridges.remark(m))
		}
		if (m.view == viewLog || m.view == viewHistory) && m.dialog == nil {
			say = append(say, m.following())
		}
		if m.view == viewLog && m.log.lost > 0 {
			say = append(say, part{number(m.log.lost) + " entries came faster than they could be kept: the log file has them", p.warn})
		}
		c.parts(m.words.ellipsis, last, say...)
	}
}

// page returns the text that is shown instead of a table, if one is.
func (m *model) page() (*detail, bool) {
	if m.helping {
		return &m.helpPage, true
	}
	d, ok := m.list().(*detail)
	return d, ok
}

// asMany joins as many hints, the most needed first, as w cells have room for:
// half a hint is none.
func asMany(w int, hints ...string) string {
	s := cut(hints[0], w, "")
	for _, h := range hints[1:] {
		if width(s)+3+width(h) > w {
			break
		}
		s += "   " + h
	}
	return s
}

// helpLine is the short help. It is made again only when something in it has
// changed: styles are dear.
type helpLine struct {
	w    int
	view view
	text string
}

func (m *model) helpLine() string {
	switch {
	case m.dialog != nil:
		say := []string{"esc goes back"}
		if m.askMore > 0 {
			say = append(say, "up, down: "+plural(m.askMore, "line")+" more")
		}
		return asMany(m.w, say...)
	case m.filtering:
		if odd := m.list().complaint(); odd != "" {
			// What is wrong with it, where there is most room.
			return m.palette.warn.of(cut(odd, m.w, m.words.ellipsis))
		}
		return asMany(m.w, "enter keeps it", "esc takes it off", "words: all must occur", "!word: must not", "level:3")
	case m.helping:
		return asMany(m.w, "up, down scroll   any other key closes")
	}
	if m.cached.w != m.w || m.cached.view != m.view || m.cached.text == "" {
		k := m.keys.forView(m.view, m.o.ReadOnly, m.o.Refresh != nil)
		m.help.SetWidth(0)
		m.cached = helpLine{m.w, m.view, m.help.ShortHelpView(fitting(k.ShortHelp(), m.w))}
	}
	return m.cached.text
}
