package policy

import "time"

// meeting is all the calls with one correlator.
type meeting struct {
	// What every record looks at stands together.
	id        MeetingID
	touched   bool // in the board's list of what to settle
	namerSet  bool
	restored  bool // the override is from an earlier start, and the picture has not been complete since
	computed  Level
	effective Level // what is shown where no override is
	tally     tally
	counts    [4]int32 // legs that count, by level
	calls     []*call
	oneCall   [1]*call // where calls is while it is one, as in most meetings: so it is found without another miss

	// Of its calls, so that no record makes all of them be looked at; see host.go.
	hosted  []hosting // how many each session has
	oneHost [1]hosting
	watched int   // those of sessions that are confirmed
	over    int   // those that have an overflow of their own
	away    int   // people whom only the API tells of
	namer   *call // the first that has a name, if namerSet

	// The list of all meetings, in the order of their last change.
	version    uint64
	prev, next *meeting
	view       *MeetingView // of version, or nil

	unverified string
	override   *Override
	changed    time.Time // of computed
	hold       hold

	linked          []*call // those that have links
	started         time.Time
	unverifiedSince time.Time
	savedName       string
	savedCalls      []string // that it had then
	fallen          *Fallen
}

// tally is what a meeting adds to the board's totals.
type tally struct {
	level                           Level
	unverified, overridden, failing bool
}

// name is the name of its first call that has one; else what was kept of it
// with its override.
func (m *meeting) name() string {
	if !m.namerSet {
		m.namer, m.namerSet = nil, true
		for _, c := range m.calls {
			if c.name != "" {
				m.namer = c
				break
			}
		}
	}
	if m.namer != nil {
		return m.namer.name
	}
	return m.savedName
}

// highest is the level that follows from what counts, bounds included.
func (m *meeting) highest() Level {
	if m.over > 0 {
		return Level3
	}
	for _, h := range m.hosted {
		if h.session.overflow != "" {
			return Level3
		}
	}
	level := m.remote()
	for l := Level3; l > level; l-- {
		if m.counts[l] > 0 {
			return l
		}
	}
	return level
}

// incomplete says why the picture of one of its calls may lack something.
func (m *meeting) incomplete() string {
	for _, c := range m.calls {
		if why := c.incomplete(); why != "" {
			return why
		}
	}
	return ""
}

// shown is the level that an unverified or verified meeting is shown at. A
// marking that is shown may rise and never falls while unverified, and where
// nothing is shown only level 3 is; overdue, when nothing has made the picture
// complete in time, it is level 3.
func shown(before, computed Level, unverified, overdue bool) Level {
	switch {
	case !unverified:
		return computed
	case overdue:
		return Level3
	case before != LevelNone:
		return max(before, computed)
	case computed == Level3:
		return Level3
	}
	return LevelNone
}
