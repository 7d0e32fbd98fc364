package ui

// canvas collects the lines of a frame, from the top. Its buffer is used again
// for the next frame.
type canvas struct {
	buf   []byte
	w, h  int
	lines int
	stop  string // see seal
}

func (c *canvas) reset(w, h int) {
	c.buf, c.w, c.h, c.lines = c.buf[:0], w, h, 0
}

// left is how many lines there is room for.
func (c *canvas) left() int { return c.h - c.lines }

// begin starts a line. Whoever calls it writes no more than w cells to buf; it
// returns false when the frame is full.
func (c *canvas) begin() bool {
	if c.lines >= c.h {
		return false
	}
	if c.lines > 0 {
		c.buf = append(c.buf, '\n')
	}
	c.lines++
	return true
}

// line writes a whole line, which the caller has cut to the width.
func (c *canvas) line(s string) {
	if c.begin() {
		c.buf = append(c.buf, s...)
	}
}

// fill writes empty lines until n are left.
func (c *canvas) fill(n int) {
	for c.left() > n {
		c.line("")
	}
}

// part is a piece of a line in one style.
type part struct {
	text  string
	style style
}

// parts writes a line of several pieces, cut where the width ends, with last
// at the right edge where there is room for it.
func (c *canvas) parts(tail string, last part, pieces ...part) {
	if !c.begin() {
		return
	}
	room := c.w
	if last.text != "" && width(last.text)+1 < room {
		room -= width(last.text) + 1
	} else {
		last.text = ""
	}
	used, open := 0, false
	for _, p := range pieces {
		text := cut(p.text, room-used, tail)
		used += width(text)
		text, open = seal(text, open, c.stop)
		c.buf = append(c.buf, p.style.of(text)...)
		if used >= room {
			break
		}
	}
	if last.text != "" {
		c.buf = appendGap(c.buf, room-used+1, open, c.stop)
		c.buf = append(c.buf, last.style.of(last.text)...)
	}
}

// appendGap appends n blanks, which close a run from right to left that is open.
func appendGap(buf []byte, n int, open bool, stop string) []byte {
	if open && n > 0 && stop != "" {
		buf = append(buf, stop...)
		n--
	}
	return appendBlanks(buf, n)
}

// joined is how wide pieces are, one after the other.
func joined(pieces []part) int {
	n := 0
	for _, p := range pieces {
		n += width(p.text)
	}
	return n
}
