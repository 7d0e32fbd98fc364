package ui

import tea "charm.land/bubbletea/v2"

// wheelRows is how far a step of the wheel moves the cursor.
const wheelRows = 3

// pressMouse takes the mouse, or gives it back to the terminal: while the
// console has it, text can only be selected as the terminal allows then.
func (m *model) pressMouse() {
	m.mouse = !m.mouse
	if m.mouse {
		m.tell("Mouse on: the wheel moves, a click selects, one on a heading sorts. Most terminals select text with shift held.")
		return
	}
	m.tell("Mouse off: the terminal selects text again.")
}

// wheel moves the cursor.
func (m *model) wheel(msg tea.MouseWheelMsg) {
	if !m.pointable() {
		return
	}
	switch msg.Button {
	case tea.MouseWheelUp:
		m.list().move(-wheelRows)
	case tea.MouseWheelDown:
		m.list().move(wheelRows)
	}
}

// click selects the row under the pointer. It never acts: that takes a key.
func (m *model) click(msg tea.MouseClickMsg) {
	if m.pointable() && msg.Button == tea.MouseLeft {
		m.list().click(msg.X, msg.Y)
	}
}

// pointable reports whether there is a table under the pointer.
func (m *model) pointable() bool {
	return m.mouse && m.dialog == nil && !m.helping && m.w >= minWidth && m.h >= minHeight
}

// click selects the row that was drawn at a line, or sorts by the column whose
// heading is there. It goes by what was drawn last.
func (t *table[K, R]) click(x, line int) {
	i := line - t.line - 1
	if t.drawn != nil && i >= 0 {
		// Headings stand between the rows.
		if i < len(t.drawn) && t.drawn[i] >= 0 && t.drawn[i] < len(t.shown) {
			t.touched = true
			t.select_(t.drawn[i])
		}
		return
	}
	switch {
	case i >= 0 && i < t.page && t.top+i < len(t.shown):
		t.touched = true
		t.select_(t.top + i)
	case i == -1:
		at := t.gutter()
		for _, p := range t.layout {
			if x >= at && x < at+p.width && t.columns[p.column].order != nil {
				t.sortBy(p.column, p.column == t.by && !t.reverse)
				return
			}
			at += p.width + 1
		}
	}
}
