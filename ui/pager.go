package ui

import "strings"

// detail is everything about one thing, in lines that are wrapped and never cut
// off, to be scrolled. What it says is read anew for each frame, by a key of
// what it is about: it never shows another.
type detail struct {
	say  func(m *model) [][]part // nil: nothing is open
	top  int
	page int // lines that the screen had last
	all  int // lines that there were last
}

var _ lister = (*detail)(nil)

// show opens a thing.
func (d *detail) show(say func(m *model) [][]part) { *d = detail{say: say} }

// draw writes what there is into h lines, from the top one on.
func (d *detail) draw(m *model, h int) {
	c := &m.canvas
	end := c.lines + h
	var lines [][]part
	if d.say != nil {
		for _, l := range d.say(m) {
			lines = append(lines, wrapParts(l, c.w)...)
		}
	}
	d.all, d.page = len(lines), max(h, 1)
	d.scroll(0)
	for _, l := range lines[d.top:min(len(lines), d.top+h)] {
		c.parts(m.words.ellipsis, part{}, l...)
	}
	c.fill(c.h - end)
}

// wrapParts breaks a line of several pieces where the width ends. What is left
// of a piece goes on, indented, in the same style.
func wrapParts(line []part, w int) [][]part {
	if joined(line) <= w {
		return [][]part{line}
	}
	indent := "  "
	if label := line[0].text; w >= 60 && len(line) > 1 && strings.HasSuffix(label, " ") {
		indent = strings.Repeat(" ", width(label)) // below the text, not the label
	}
	var out [][]part
	var at []part
	room := w
	for _, p := range line {
		for text := p.text; text != ""; {
			if width(text) <= room {
				at = append(at, part{text, p.style})
				room -= width(text)
				break
			}
			first := wrap(text, max(room, 1))[0]
			// A word that has no room beside what stands there goes below it.
			if len(at) > 1 && width(first) >= room && room < w/2 {
				first = ""
			}
			if first != "" {
				at = append(at, part{first, p.style})
				text = trimBlank(safe(text)[len(first):])
			}
			out = append(out, at)
			at, room = []part{{indent, ""}}, w-len(indent)
			text = trimBlank(text)
		}
	}
	return append(out, at)
}

func trimBlank(s string) string {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	return s
}

func (d *detail) scroll(by int) { d.top = max(0, min(d.top+by, d.all-d.page)) }

func (d *detail) move(by int)    { d.scroll(by) }
func (d *detail) turn(pages int) { d.scroll(pages * max(d.page-1, 1)) }
func (d *detail) jump(last bool) {
	if last {
		d.scroll(d.all)
	} else {
		d.top = 0
	}
}
func (d *detail) setFilter(string)   {}
func (d *detail) filterText() string { return "" }
func (d *detail) click(int, int)     {}
func (d *detail) complaint() string  { return "" }
func (d *detail) sortNext()          {}
func (d *detail) sorting() string    { return "" }
func (d *detail) turnAround()        {}

// lines says which lines are on the screen, where these are not all.
func (d *detail) lines() string {
	if d.all <= d.page {
		return ""
	}
	return "lines " + number(d.top+1) + "-" + number(min(d.top+d.page, d.all)) + " of " + number(d.all)
}

// position says which line is the last on the screen, of how many.
func (d *detail) position() (at, shown, all int) {
	return min(d.top+d.page, d.all), d.all, d.all
}
