package ui

import "cmp"

// grouping splits a table's rows into sections, whatever the rows are sorted by
// within them. A section has a heading of its own, which is no row: the cursor
// goes past it.
type grouping[R any] struct {
	of    func(R) int                      // the section, in the order of the sections
	title func(section int, rows []R) part // its heading
}

// compare orders rows of different sections.
func (g *grouping[R]) compare(a, b R) int { return cmp.Compare(g.of(a), g.of(b)) }

// regroup splits the rows in another way.
func (t *table[K, R]) regroup(g *grouping[R]) {
	t.grouping = g
	t.sortBy(t.by, t.reverse)
}

// headings is how many headings the rows that are shown have.
func (t *table[K, R]) headings() int {
	if t.grouping == nil {
		return 0
	}
	n, last := 0, 0
	for i, x := range t.shown {
		if s := t.grouping.of(x.val); i == 0 || s != last {
			n, last = n+1, s
		}
	}
	return n
}

// drawGrouped writes the rows, each section under its heading, into h lines.
// The first row on the screen has its heading above it, too.
func (t *table[K, R]) drawGrouped(c *canvas, h int, p *palette, g *glyphs) {
	t.scroll()
	section := func(i int) int { return t.grouping.of(t.shown[i].val) }
	// Headings take room from the rows: the cursor must still be seen.
	lines := func() int {
		n := t.at - t.top + 2
		for i := t.top + 1; i <= t.at; i++ {
			if section(i) != section(i-1) {
				n++
			}
		}
		return n
	}
	for t.top < t.at && lines() > h {
		t.top++
	}
	for i := t.top; h > 0 && i < len(t.shown); i++ {
		if i == t.top || section(i) != section(i-1) {
			if h < 2 {
				return // a heading without a row says nothing
			}
			var rows []R
			for _, x := range t.shown {
				if t.grouping.of(x.val) == section(i) {
					rows = append(rows, x.val)
				}
			}
			c.parts(g.ellipsis, part{}, t.grouping.title(section(i), rows))
			t.drawn = append(t.drawn, -1)
			h--
		}
		t.drawn = append(t.drawn, i)
		if c.begin() {
			c.buf = t.appendRow(c.buf, t.shown[i], p, g)
		}
		h--
	}
}
