package ui

import "slices"

// visit shows a view; back leads to where it was called from. A view that is on
// the way back already is gone back to, so that the way never turns in a circle.
func (m *model) visit(v view) {
	if m.view == v {
		m.goBack()
		return
	}
	if at := slices.Index(m.trail, v); at >= 0 {
		m.trail = m.trail[:at]
	} else {
		m.trail = append(m.trail, m.view)
	}
	m.view = v
	if v == viewBridges {
		m.callBridges.table.settle()
	}
}

// goBack shows the view that this one was called from; the meetings stay.
func (m *model) goBack() {
	if len(m.trail) == 0 {
		return
	}
	if m.view == viewMeeting {
		m.open.stop(m)
	}
	m.view = m.trail[len(m.trail)-1]
	m.trail = m.trail[:len(m.trail)-1]
}
