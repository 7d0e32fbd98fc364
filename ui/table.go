package ui

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// column is one column of a table over rows R.
type column[R any] struct {
	title string
	short string // the title where the column is narrower than that
	min   int    // narrowest useful width, in cells
	want  int    // width at which little is cut off; 0: min
	max   int    // widest useful width; 0: as wide as can be
	rank  int    // the column with the highest rank is the first to go; 0 never goes
	right bool   // aligned to the right
	whole bool   // has two forms: takes the width it wants, or the least

	text  func(r R, w int) string
	style func(r R) style  // nil: plain
	order func(a, b R) int // nil: not to be sorted by
	desc  bool             // sorted by it, the greatest comes first
	lead  func(R) lead     // what order goes by first, for speed; nil: not known
}

// table shows rows that are known by a key. It keeps them in order as they
// change, draws only those that are to be seen, and holds its cursor by key: a
// refresh never moves it to another row. Where the row under the cursor goes
// away, no row is selected until the operator moves, so that a key that was
// meant for it does not hit its neighbour.
//
// A table is made by setting the fields of the first group, key, order, text and
// columns at least, and calling init. Rows are changed by update and replace.
type table[K cmp.Ordered, R any] struct {
	columns  []column[R]
	key      func(R) K
	order    func(a, b R) int // the order without a sort column; ties go by key
	same     func(a, b R) bool
	text     func(R) string // what words of a filter are looked for in
	fields   map[string]func(r R, value string) bool
	values   map[string][]string          // what a field can be, where that is few; a beginning will do
	grouping *grouping[R]                 // nil: one section without a heading
	follow   bool                         // the cursor stays on the last row while it is there
	lead     func(R) lead                 // what order goes by first, for speed; nil: not known
	keyText  func(K) string               // the key as a text that is ordered as it is, for speed; nil: not known
	search   func(buf []byte, r R) []byte // appends text, at once and not when a filter asks; nil: see text
	sign     func(old, now R) sign        // what became of a row, old being zero for a new one; nil: no signs
	now      time.Time                    // for the signs
	picked   map[K]struct{}               // keys of the rows that were picked

	rows  map[K]*row[K, R]
	all   []*row[K, R] // in order
	shown []*row[K, R] // those that pass the filter, in order

	by      int // sort column, or -1
	reverse bool
	filter  filter
	filters uint64 // how many filters there have been, and so the number of this one

	cursor  *row[K, R] // nil: none
	at      int        // where in shown the cursor is or, without one, was
	lost    bool       // the cursor's row went away
	top     int        // first row on the screen
	page    int        // rows that the screen had last
	touched bool       // an operator has moved the cursor
	drawn   []int      // where there are headings: the row on each line, -1 for a heading

	scratch []byte

	layoutFor int
	layout    []placed
	line      int // of the canvas, at which the heading was drawn last
}

type row[K cmp.Ordered, R any] struct {
	key  K
	val  R
	text string // for the filter, in lower case; without search empty until needed
	out  bool   // taken out of all, to be put in again or gone

	filtered uint64 // the filter, by its number, that pass is about
	pass     bool

	sign      sign
	signUntil time.Time
}

// placed is a column that is drawn, and how wide.
type placed struct{ column, width int }

func (t *table[K, R]) init() {
	t.by = -1
	t.rows = map[K]*row[K, R]{}
	t.layoutFor = -1
}

// len is how many rows there are, whatever the filter says.
func (t *table[K, R]) len() int { return len(t.all) }

// get returns the row of a key.
func (t *table[K, R]) get(k K) (r R, ok bool) {
	if x := t.rows[k]; x != nil {
		return x.val, true
	}
	return r, false
}

// selected returns the row under the cursor.
func (t *table[K, R]) selected() (r R, ok bool) {
	if t.cursor == nil {
		return r, false
	}
	return t.cursor.val, true
}

// compare orders rows; two rows are never equal, so that none jumps.
func (t *table[K, R]) compare(a, b *row[K, R]) int {
	c := 0
	if t.grouping != nil {
		if c = t.grouping.compare(a.val, b.val); c != 0 {
			return c
		}
	}
	if t.by >= 0 {
		col := &t.columns[t.by]
		c = col.order(a.val, b.val)
		if col.desc != t.reverse {
			c = -c
		}
	} else {
		c = t.order(a.val, b.val)
		if t.reverse {
			c = -c
		}
	}
	if c == 0 {
		c = cmp.Compare(a.key, b.key)
	}
	return c
}

// replace makes rows all that there are. Rows that stay the same keep their
// place without being looked at.
func (t *table[K, R]) replace(rows []R) {
	seen := make(map[K]struct{}, len(rows))
	changed := rows[:0:0]
	for _, r := range rows {
		k := t.key(r)
		seen[k] = struct{}{}
		if x := t.rows[k]; x == nil || t.same == nil || !t.same(x.val, r) {
			changed = append(changed, r)
		}
	}
	var gone []K
	for k := range t.rows {
		if _, ok := seen[k]; !ok {
			gone = append(gone, k)
		}
	}
	t.update(changed, gone)
}

// update puts changed and new rows in and takes rows out.
func (t *table[K, R]) update(changed []R, gone []K) {
	if len(changed) == 0 && len(gone) == 0 {
		return
	}
	// The first rows are all new: that says nothing of them.
	signs := len(t.rows) > 0
	taken := false
	for _, k := range gone {
		if x := t.rows[k]; x != nil {
			delete(t.rows, k)
			delete(t.picked, k)
			x.out, taken = true, true
		}
	}
	fresh := make([]*row[K, R], 0, len(changed))
	for _, r := range changed {
		k := t.key(r)
		x := t.rows[k]
		if x == nil {
			x = &row[K, R]{key: k}
			t.rows[k] = x
			x.out = true
			fresh = append(fresh, x)
		} else if !x.out {
			x.out, taken = true, true
			fresh = append(fresh, x)
		}
		if t.sign != nil && signs {
			x.note(t.sign(x.val, r), t.now)
		}
		x.val, x.text, x.filtered = r, "", 0
		if t.search != nil {
			t.scratch = t.search(t.scratch[:0], r)
			x.text = lowered(t.scratch)
		}
	}
	if taken {
		t.all = slices.DeleteFunc(t.all, func(x *row[K, R]) bool { return x.out })
	}
	for _, x := range fresh {
		x.out = false
	}
	t.put(fresh)
	t.refilter()
}

// put merges rows into the order: they are few as a rule, and the rest is
// moved in blocks.
func (t *table[K, R]) put(fresh []*row[K, R]) {
	n := len(t.all)
	if len(fresh) > n/4 {
		t.all = append(t.all, fresh...)
		t.resort()
		return
	}
	slices.SortFunc(fresh, t.compare)
	t.all = append(t.all, fresh...)
	end := n
	for i := len(fresh) - 1; i >= 0; i-- {
		x := fresh[i]
		at := sort.Search(end, func(j int) bool { return t.compare(t.all[j], x) > 0 })
		copy(t.all[at+i+1:], t.all[at:end])
		t.all[at+i] = x
		end = at
	}
}

// setFilter shows the rows that pass only. The cursor stays on its row while
// that passes, else it goes to the first.
func (t *table[K, R]) setFilter(text string) {
	t.filter = parseFilter(text, func(name string) bool { return t.fields[name] != nil })
	t.filters++
	t.refilter()
	if t.cursor == nil {
		t.lost = false
		t.select_(0)
	}
}

// refilter finds what is to be shown, and the cursor in it.
func (t *table[K, R]) refilter() {
	atEnd := t.cursor != nil && t.at == len(t.shown)-1
	line := t.at - t.top
	if len(t.filter.terms) == 0 {
		t.shown = t.all
	} else {
		// shown may be all itself; it must not be written into then.
		shown := make([]*row[K, R], 0, len(t.all))
		for _, x := range t.all {
			if t.isShown(x) {
				shown = append(shown, x)
			}
		}
		t.shown = shown
	}
	if t.follow && (atEnd || !t.touched) {
		t.select_(len(t.shown) - 1)
		return
	}
	if t.cursor != nil {
		if i := t.find(t.cursor); i >= 0 {
			t.at = i
			// A list that is looked at from its top shows what comes in on
			// top; further down, the row under the cursor stays where it is.
			if t.top > 0 {
				t.top = max(0, i-line)
			}
			return
		}
		t.cursor, t.lost = nil, true
	}
	if len(t.shown) == 0 {
		t.at, t.top, t.lost = 0, 0, false
		return
	}
	t.at = min(t.at, len(t.shown)-1)
	if !t.lost {
		t.select_(t.at)
	}
}

// isShown is passes, remembered until the row or the filter changes.
func (t *table[K, R]) isShown(x *row[K, R]) bool {
	if x.filtered != t.filters {
		x.filtered, x.pass = t.filters, t.passes(x)
	}
	return x.pass
}

func (t *table[K, R]) passes(x *row[K, R]) bool {
	if x.text == "" {
		x.text = strings.ToLower(t.text(x.val))
	}
	return t.filter.matches(x.text, func(name, value string) bool { return t.fields[name](x.val, value) })
}

// find returns where a row is shown, or -1.
func (t *table[K, R]) find(x *row[K, R]) int {
	if t.at < len(t.shown) && t.shown[t.at] == x {
		return t.at
	}
	return slices.Index(t.shown, x)
}

// select_ puts the cursor on the i-th row that is shown, or the nearest.
func (t *table[K, R]) select_(i int) {
	if len(t.shown) == 0 {
		t.cursor, t.at, t.top = nil, 0, 0
		return
	}
	t.at = min(max(i, 0), len(t.shown)-1)
	t.cursor, t.lost = t.shown[t.at], false
}

// settle puts the cursor on a row again where its own went away while nobody was
// looking.
func (t *table[K, R]) settle() {
	if t.cursor == nil {
		t.select_(t.at)
	}
}

// move moves the cursor by so many rows.
func (t *table[K, R]) move(by int) {
	t.touched = true
	at := t.at
	if t.lost && by > 0 {
		at-- // the row that took the lost one's place is the next
	}
	t.select_(at + by)
}

// jump moves the cursor to the first row, or the last.
func (t *table[K, R]) jump(last bool) {
	t.touched = true
	if last {
		t.select_(len(t.shown) - 1)
	} else {
		t.select_(0)
	}
}

// sortNext sorts by the next column that is on the screen; after the last comes
// the table's own order again.
func (t *table[K, R]) sortNext() {
	next := -1
	for _, p := range t.layout {
		if p.column > t.by && t.columns[p.column].order != nil {
			next = p.column
			break
		}
	}
	t.sortBy(next, false)
}

// sortBy sorts by a column, -1 for the table's own order.
func (t *table[K, R]) sortBy(column int, reverse bool) {
	t.by, t.reverse = column, reverse
	t.resort()
	t.refilter()
	t.layoutFor = -1
}

// sorting says what the rows are sorted by; empty for the table's own order.
func (t *table[K, R]) sorting() string {
	if t.by < 0 {
		return ""
	}
	return strings.ToLower(t.columns[t.by].title)
}

// gutter is what stands before the first column: the cursor's mark and, in one
// cell, that of a row that was picked or the sign of one that changed. Where
// there are both, they have a cell each.
func (t *table[K, R]) gutter() int {
	if t.sign != nil && len(t.picked) > 0 {
		return 3
	}
	return 2
}

// ranked up to this, a column goes only where even the least width has no room
// beside those that matter more; until then others go for its comfort.
const needed = 4

// place decides which columns are drawn in w cells, and how wide: the columns
// of the highest rank go first. What is left over goes to the columns in the
// order of their rank, up to the width that they want, then up to the greatest,
// and the rest to those that have no greatest.
func (t *table[K, R]) place(w int) {
	if t.layoutFor == w<<2|t.gutter() {
		return
	}
	t.layoutFor = w<<2 | t.gutter()
	t.layout = t.layout[:0]
	for i, c := range t.columns {
		t.layout = append(t.layout, placed{i, c.min})
	}
	for t.need(true) > w && t.dropAbove(needed) {
	}
	for t.need(false) > w && t.dropAbove(0) {
	}

	spare := max(0, w-t.need(false))
	order := make([]*placed, len(t.layout))
	for i := range order {
		order[i] = &t.layout[i]
	}
	slices.SortStableFunc(order, func(a, b *placed) int {
		return cmp.Compare(t.columns[a.column].rank, t.columns[b.column].rank)
	})
	grow := func(p *placed, to int) {
		if more := min(spare, to-p.width); more > 0 {
			p.width += more
			spare -= more
		}
	}
	open := 0
	for _, p := range order {
		if c := &t.columns[p.column]; !c.whole || spare >= c.want-p.width {
			grow(p, c.want)
		}
	}
	for _, p := range order {
		switch c := &t.columns[p.column]; {
		case c.max == 0:
			open++
		case !c.whole:
			grow(p, c.max)
		}
	}
	for _, p := range order {
		if t.columns[p.column].max == 0 {
			grow(p, p.width+spare/open)
			open--
		}
	}
}

// need is how many cells the placed columns take at least; with wants, those
// that are needed at the width they want.
func (t *table[K, R]) need(wants bool) int {
	n := t.gutter() - 1
	for _, p := range t.layout {
		c := &t.columns[p.column]
		if wants && c.rank <= needed {
			n += max(c.min, c.want) + 1
		} else {
			n += c.min + 1
		}
	}
	return n
}

// dropAbove takes out the column of the highest rank, if that is above rank.
func (t *table[K, R]) dropAbove(rank int) bool {
	worst := -1
	for i, p := range t.layout {
		if r := t.columns[p.column].rank; r > rank && (worst < 0 || r >= t.columns[t.layout[worst].column].rank) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	t.layout = slices.Delete(t.layout, worst, worst+1)
	return true
}

// draw writes the heading and the rows into h lines of the canvas.
func (t *table[K, R]) draw(c *canvas, h int, p *palette, g *glyphs) {
	if h < 1 || !c.begin() {
		return
	}
	t.place(c.w)
	t.line = c.lines - 1
	c.buf = t.appendHeading(c.buf, p, g)
	t.page, t.drawn = max(h-1, 1), nil
	if t.grouping != nil && h > 4 {
		from := c.lines
		t.drawGrouped(c, h-1, p, g)
		for c.lines < from+h-1 && c.begin() {
		}
		return
	}
	t.scroll()
	for i := range h - 1 {
		if !c.begin() {
			return
		}
		if t.top+i < len(t.shown) {
			c.buf = t.appendRow(c.buf, t.shown[t.top+i], p, g)
		}
	}
}

// scroll sets the first row so that the cursor is seen and no room is wasted.
func (t *table[K, R]) scroll() {
	t.top = min(t.top, t.at)
	t.top = max(t.top, t.at-t.page+1)
	t.top = max(0, min(t.top, len(t.shown)-t.page))
}

func (t *table[K, R]) appendHeading(buf []byte, p *palette, g *glyphs) []byte {
	buf = append(buf, "\x1b["+string(p.head)+"m"...)
	buf = appendBlanks(buf, t.gutter())
	for i, at := range t.layout {
		col := &t.columns[at.column]
		title := col.title
		if col.short != "" && width(title) > at.width {
			title = col.short
		}
		if at.column == t.by || t.by < 0 && t.reverse && i == 0 {
			mark := g.up
			if t.by >= 0 && col.desc != t.reverse {
				mark = g.down
			}
			title = cut(title, at.width-width(mark), "") + mark
		}
		if i > 0 {
			buf = append(buf, ' ')
		}
		buf = appendFit(buf, title, at.width, col.right, "")
	}
	return append(buf, "\x1b[m"...)
}

func (t *table[K, R]) appendRow(buf []byte, x *row[K, R], p *palette, g *glyphs) []byte {
	selected := x == t.cursor
	if selected {
		buf = append(buf, "\x1b["...)
		buf = append(buf, p.selected...)
		buf = append(buf, "m>"...)
	} else {
		buf = append(buf, ' ')
	}
	if _, on := t.picked[x.key]; on {
		buf = append(buf, '*')
	} else if t.sign == nil || len(t.picked) > 0 {
		buf = append(buf, ' ')
	}
	if t.sign != nil {
		glyph, s := signGlyph(x.signNow(t.now), p, g)
		if !selected {
			glyph = s.of(glyph)
		}
		buf = append(buf, glyph...)
	}
	open := false // see seal
	for i, at := range t.layout {
		col := &t.columns[at.column]
		text, gap := col.text(x.val, at.width), open
		if open = false; !isPlain(text) {
			text, open = seal(cut(text, at.width, g.ellipsis), false, g.stop)
			gap = gap || beginsRight(text)
		}
		if i > 0 {
			buf = appendGap(buf, 1, gap, g.stop)
		}
		var s style
		if !selected && col.style != nil {
			s = col.style(x.val)
		}
		if s == "" {
			buf = appendFit(buf, text, at.width, col.right, g.ellipsis)
			continue
		}
		// Only the text is painted, not the room beside it.
		text = cut(text, at.width, g.ellipsis)
		blanks := at.width - width(text)
		if col.right {
			buf = appendBlanks(buf, blanks)
		}
		buf = append(buf, "\x1b["...)
		buf = append(buf, s...)
		buf = append(buf, 'm')
		buf = append(buf, text...)
		buf = append(buf, "\x1b[m"...)
		if !col.right {
			buf = appendBlanks(buf, blanks)
		}
	}
	if selected {
		buf = append(buf, "\x1b[m"...)
	}
	return buf
}

// turn moves the cursor by pages.
func (t *table[K, R]) turn(pages int) { t.move(pages * max(t.page, 1)) }

// turnAround reverses the order.
func (t *table[K, R]) turnAround() { t.sortBy(t.by, !t.reverse) }

// filterText is the filter as it was typed.
func (t *table[K, R]) filterText() string { return t.filter.text }

// position says which row the cursor is on, from 1, or 0; how many pass the
// filter; and how many there are.
func (t *table[K, R]) position() (at, shown, all int) {
	if t.cursor != nil {
		at = t.at + 1
	}
	return at, len(t.shown), len(t.all)
}
