package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// viewState is how an operator left the view of the meetings. It is kept apart
// from the configuration, which is the site's and is never written.
type viewState struct {
	Version int    `json:"version"`
	Sort    string `json:"sort,omitempty"` // title of the column; empty: worst first
	Reverse bool   `json:"reverse,omitempty"`
	Filter  string `json:"filter,omitempty"`
	UTC     bool   `json:"utc,omitempty"`
	Mouse   bool   `json:"mouse,omitempty"`

	// The theme that was chosen by key, and the configured one that it took the
	// place of: when the site configures another, that holds.
	Theme     string `json:"theme,omitempty"`
	ThemeOver string `json:"theme_over,omitempty"`
}

const viewStateVersion = 1

// decodeView reads what encode made. Anything else, a torn file too, is an
// error.
func decodeView(data []byte) (viewState, error) {
	var s viewState
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return viewState{}, err
	}
	switch _, err := d.Token(); {
	case !errors.Is(err, io.EOF):
		return viewState{}, errors.New("something stands after its end")
	case s.Version != viewStateVersion:
		return viewState{}, fmt.Errorf("it has version %d, not %d", s.Version, viewStateVersion)
	case len(s.Filter) > 1000:
		return viewState{}, errors.New("its filter is too long")
	}
	return s, nil
}

// viewNow is the view as it is now.
func (m *model) viewNow() viewState {
	s := viewState{
		Version: viewStateVersion, Reverse: m.meetings.reverse, Filter: m.meetings.filterText(), UTC: m.words.utc, Mouse: m.mouse,
	}
	if m.meetings.by >= 0 {
		s.Sort = m.meetings.columns[m.meetings.by].title
	}
	if m.theme.name != m.o.Theme {
		s.Theme, s.ThemeOver = m.theme.name, m.o.Theme
	}
	return s
}

// restoreView makes the view as it was left. What it names and is no more is
// left out.
func (m *model) restoreView() {
	if len(m.o.View) > 0 {
		s, err := decodeView(m.o.View)
		if err != nil {
			m.tell("The view starts afresh: how it was left cannot be read: " + err.Error() + ".")
		} else {
			by := slices.IndexFunc(m.meetings.columns, func(c meetingColumn) bool { return c.title == s.Sort && c.order != nil })
			m.meetings.sortBy(by, s.Reverse)
			m.meetings.setFilter(safe(s.Filter))
			m.words.utc, m.mouse = s.UTC, s.Mouse
			if s.ThemeOver == m.o.Theme && themeProblem(s.Theme) == "" {
				m.theme.name = s.Theme
				m.paint()
			}
		}
	}
	m.left = m.viewNow()
}

// keepView has the view kept if it has changed, and the filter is not just
// being typed.
func (m *model) keepView() tea.Cmd {
	if m.o.KeepView == nil || m.filtering {
		return nil
	}
	now := m.viewNow()
	if now == m.left {
		return nil
	}
	m.left = now
	data, err := json.Marshal(now)
	if err != nil { // it has nothing that JSON lacks
		return nil
	}
	m.keeper.put(append(data, '\n'))
	return func() tea.Msg { return viewKept{m.keeper.write()} }
}

// viewKept is what came of it.
type viewKept struct{ err error }

func (m *model) viewKept(k viewKept) {
	if k.err == nil {
		m.unkept = false
		return
	}
	if m.unkept { // he has been told
		return
	}
	m.unkept = true
	text := "The view will not be as it is at the next start: " + k.err.Error() + "."
	if m.notice.error { // it came meanwhile, and stays until a key
		m.log.own(m, policy.Notice, text)
		return
	}
	m.tell(text)
}

// viewKeeper writes the view's state: the newest only, one after the other. The
// program puts, commands write.
type viewKeeper struct {
	save func([]byte) error

	mu     sync.Mutex // of data and n; never held while writing
	data   []byte
	n      int // how often data was put
	writer sync.Mutex
	done   int // the n that was written last; of the writer
}

func (k *viewKeeper) put(data []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.data = data
	k.n++
}

// write writes what was put last, unless that has been done.
func (k *viewKeeper) write() error {
	k.writer.Lock()
	defer k.writer.Unlock()
	k.mu.Lock()
	data, n := k.data, k.n
	k.mu.Unlock()
	if n == k.done {
		return nil
	}
	if err := k.save(data); err != nil {
		return err
	}
	k.done = n
	return nil
}
