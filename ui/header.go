package ui

import (
	"cmp"
	"slices"
	"strings"

	"callmark/policy"
)

// problem is something that somebody must do something about.
type problem struct {
	alarm  string // key of the alarm, which can be dismissed; empty for others
	label  string // of others; empty: PROBLEM
	text   string
	remedy string
	style  style
}

// health is how a Call Bridge is, the worst first.
type health uint8

const (
	healthLocked health = iota
	healthDown
	healthUnverified
	healthSilent
	healthBusy
	healthNoServer
	healthUnknown
	healthWaiting
	healthUp
)

// bridgeHealth says how a Call Bridge is. What its API says goes before what
// its records say, since without the API nothing can be put right.
func bridgeHealth(b *policy.BridgeView) health {
	switch {
	case b.Bound.State == policy.ServerLocked:
		return healthLocked
	case b.Bound.State == policy.ServerDown:
		return healthDown
	case b.Unverified != "":
		return healthUnverified
	case b.Silent != "":
		return healthSilent
	case b.Bound.State == policy.ServerBusy:
		return healthBusy
	case b.Server == "":
		return healthNoServer
	case b.Bound.State == policy.ServerUnknown:
		return healthUnknown
	case b.Session == "":
		return healthWaiting
	}
	return healthUp
}

// healthWords say how a Call Bridge is, by a shape and a word.
var healthWords = [...]struct{ shape, word string }{
	healthLocked:     {"[x]", "LOCKED"},
	healthDown:       {"[!]", "DOWN"},
	healthUnverified: {"[?]", "unverified"},
	healthSilent:     {"[!]", "NO RECORDS"},
	healthBusy:       {"[~]", "busy"},
	healthNoServer:   {"[?]", "no API server"},
	healthUnknown:    {"[ ]", "not asked yet"},
	healthWaiting:    {"[.]", "waiting for records"},
	healthUp:         {"[+]", "up"},
}

func (m *model) healthStyle(h health) style {
	switch h {
	case healthLocked, healthDown:
		return m.palette.bad
	case healthUnverified, healthSilent, healthBusy, healthNoServer:
		return m.palette.warn
	case healthUnknown:
		return m.palette.faint
	case healthUp:
		return m.palette.good
	}
	return ""
}

// bridgeWord says a Call Bridge's state with its name.
func (m *model) bridgeWord(b *policy.BridgeView) part {
	h := bridgeHealth(b)
	s := part{healthWords[h].shape + " " + b.Name + " " + healthWords[h].word, m.healthStyle(h)}
	if b.Bound.Insecure {
		s.text += " INSECURE"
	}
	return s
}

// bridgeState says a Call Bridge's state without its name.
func bridgeState(b *policy.BridgeView) string {
	h := bridgeHealth(b)
	s := healthWords[h].shape + " " + healthWords[h].word
	if b.Bound.Insecure {
		s += " INSECURE"
	}
	return s
}

// bridgeProblem says what is wrong with a Call Bridge and what to do.
func (m *model) bridgeProblem(b *policy.BridgeView) (problem, bool) {
	p := problem{style: m.palette.warn, remedy: b.Bound.Remedy}
	next := ""
	if !b.Bound.NextTry.IsZero() && b.Bound.NextTry.After(m.now) {
		next = "; next try in " + span(b.Bound.NextTry.Sub(m.now))
		if m.o.Refresh != nil {
			if now := hint(&m.keys.Refresh, "tries now"); now != "" {
				next += ", " + now
			}
		}
	}
	switch bridgeHealth(b) {
	case healthLocked:
		p.style = m.palette.bad
		p.text = b.Name + " locked for " + age(m.now, b.Bound.Since) + ": " + b.Bound.Problem + next
	case healthDown:
		p.style = m.palette.bad
		p.text = b.Name + " down for " + age(m.now, b.Bound.Since) + ": " + b.Bound.Problem + next
	case healthUnverified:
		p.text = b.Name + " unverified for " + age(m.now, b.UnverifiedSince) + ": " + b.Unverified
		if b.Unread > 0 {
			p.text += ", " + number(b.Unread) + " calls and legs are still to be read"
		}
		if b.Silent != "" {
			p.text, p.remedy = p.text+"; "+b.Silent, b.SilentRemedy
		}
	case healthSilent:
		p.text = b.Name + ", for " + age(m.now, b.SilentSince) + ": " + b.Silent + "; it is followed by its API alone"
		p.remedy = b.SilentRemedy
	case healthBusy:
		p.text = b.Name + " busy for " + age(m.now, b.Bound.Since) + ": " + b.Bound.Problem + next
	case healthNoServer:
		p.text = b.Name + " sends records from " + dash(b.Address) + ", and no API server is known to be it"
		p.remedy = "its calls cannot be marked: add it to servers"
	default:
		return p, false
	}
	return p, true
}

// problems returns all that is wrong: the alarms, oldest first, the overrides
// that fell, then the Call Bridges, the worst first.
func (m *model) problems() []problem {
	var out []problem
	for i := range m.alarms {
		a := &m.alarms[i]
		text := a.Text
		if a.Count > 1 {
			text += " (" + number(a.Count) + " times)"
		}
		out = append(out, problem{alarm: a.Key, text: text + ", " + age(m.now, a.Since), remedy: a.Remedy, style: m.palette.bad})
	}
	out = append(out, m.fallen.problems(m)...)
	for _, b := range m.bridgesByHealth() {
		if p, ok := m.bridgeProblem(b); ok {
			out = append(out, p)
		}
	}
	return out
}

// bridgesByHealth returns the Call Bridges, the worst first.
func (m *model) bridgesByHealth() []*policy.BridgeView {
	out := make([]*policy.BridgeView, len(m.bridges))
	for i := range m.bridges {
		out[i] = &m.bridges[i]
	}
	slices.SortStableFunc(out, func(a, b *policy.BridgeView) int { return int(bridgeHealth(a)) - int(bridgeHealth(b)) })
	return out
}

// marked is the problem that x is about, of n.
func (m *model) marked(n int) int { return m.problem % max(n, 1) }

// drawHeader writes the lines above the view: at most four on small screens.
func (m *model) drawHeader() {
	m.drawTitle()
	if m.h < 16 && (m.dialog != nil || m.helping) {
		// What is asked needs the room more.
		return
	}
	m.drawTotals()
	m.drawBridges()
	room := 1
	switch {
	case m.h < 16:
		room = min(1, len(m.problems()))
	case m.h >= 30:
		room = 4
	}
	m.drawProblems(room)
}

func (m *model) drawTitle() {
	p := &m.palette
	parts := []part{{m.o.Title, p.title}}
	if m.o.Version != "" && m.w >= 60 {
		parts = append(parts, part{" " + m.o.Version, p.faint})
	}
	// A flag that has no room is left out: half of one says nothing.
	room := m.w - width(m.words.clock(m.now)) - 1
	flag := func(on bool, text string, s style) {
		if on && joined(parts)+2+width(text) <= room {
			parts = append(parts, part{"  ", ""}, part{text, s})
		}
	}
	paused := "PAUSED, " + plural(len(m.held), "change") + " waiting"
	if m.w < 60 {
		paused = "PAUSED +" + number(len(m.held))
	}
	flag(m.paused, paused, p.warn)
	flag(m.o.Demo, "DEMO", p.warn)
	flag(m.o.ReadOnly, "READ-ONLY", p.bold)
	flag(m.receiver.Open, "RECEIVER OPEN", p.warn)
	flag(m.receiver.Refused > 0, number(m.receiver.Refused)+" refused", "")
	flag(m.receiver.SetAside > 0, number(m.receiver.SetAside)+" set aside", p.warn)
	now := m.words.date(m.now)
	if m.w < 80 || joined(parts)+width(now)+1 > m.w {
		now = m.words.clock(m.now)
	}
	m.canvas.parts(m.words.ellipsis, part{now, p.bold}, parts...)
}

func (m *model) drawTotals() {
	p, t := &m.palette, &m.totals
	if !m.read {
		m.canvas.parts(m.words.ellipsis, part{}, part{"reading the board", p.faint})
		return
	}
	totals := func(names, nobody, tight bool) []part {
		parts := []part{{plural(t.Meetings, "meeting"), p.bold}}
		for l := policy.Level3; l >= policy.Level1; l-- {
			text := shape(l, false)
			if names {
				text = m.words.badge(l, false)
			}
			s := p.level[l]
			if t.Levels[l] == 0 {
				s = p.faint
			}
			parts = append(parts, part{"  ", ""}, part{text, s}, part{" " + number(t.Levels[l]), ""})
		}
		if nobody && (names || t.Levels[0] > 0) {
			parts = append(parts, part{"  " + shape(policy.LevelNone, false) + " " + number(t.Levels[0]), p.faint})
		}
		count := func(n int, word, letter string, s style) {
			if n == 0 {
				return
			}
			text := number(n) + " " + word
			if tight {
				text = letter + number(n)
			}
			parts = append(parts, part{"  ", ""}, part{text, s})
		}
		count(t.Failing, "FAILING", "!", p.bad)
		count(t.Unverified, "unverified", "?", p.warn)
		count(len(m.fallen), "FELL", "F", p.bad)
		count(t.Overridden, "overridden", "f", p.bold)
		return parts
	}
	// Where there is no room for all, what needs nobody's attention goes first.
	parts := totals(true, true, false)
	for _, less := range []func() []part{
		func() []part { return totals(false, true, false) },
		func() []part { return totals(false, false, false) },
		func() []part { return totals(false, true, true) },
	} {
		if joined(parts) > m.w {
			parts = less()
		}
	}
	m.canvas.parts(m.words.ellipsis, part{}, parts...)
}

func (m *model) drawBridges() {
	c := &m.canvas
	all := m.bridgesByHealth()
	if len(all) == 0 {
		if m.read {
			text := "no Call Bridge yet: add servers, and name this receiver as their CDR receiver"
			if m.receiver.Listen != "" {
				text += " (" + m.receiver.Listen + ")"
			}
			c.parts(m.words.ellipsis, part{}, part{text, m.palette.warn})
		} else {
			c.line("")
		}
		return
	}
	// With the age of its last record, where there is room for all of them.
	var parts []part
	for i, b := range all {
		word := m.bridgeWord(b)
		if !b.LastRecord.IsZero() {
			word.text += ", record " + age(m.now, b.LastRecord) + " ago"
		}
		if i > 0 {
			parts = append(parts, part{"  ", ""})
		}
		parts = append(parts, word)
	}
	if joined(parts) <= m.w {
		c.parts(m.words.ellipsis, part{}, parts...)
		return
	}

	parts = parts[:0]
	used := 0
	for i, b := range all {
		word := m.bridgeWord(b)
		more := ""
		if rest := len(all) - i; rest > 1 {
			more = "  and " + number(rest) + " more"
		}
		if used > 0 && used+2+width(word.text)+width(more) > m.w && !(i == len(all)-1 && used+2+width(word.text) <= m.w) {
			// What does not fit is no worse than what does.
			parts = append(parts, part{"  and " + number(len(all)-i) + " more", m.palette.faint})
			break
		}
		if used > 0 {
			parts = append(parts, part{"  ", ""})
			used += 2
		}
		parts = append(parts, word)
		used += width(word.text)
	}
	c.parts(m.words.ellipsis, part{}, parts...)
}

// drawProblems writes problems into at most n lines, from the marked one on.
func (m *model) drawProblems(n int) {
	all := m.problems()
	at := m.marked(len(all))
	for i := range min(n, len(all)) {
		p := all[(at+i)%len(all)]
		label := cmp.Or(p.label, "PROBLEM")
		if p.alarm != "" {
			label = "ALARM"
		}
		if i == 0 && len(all) > 1 {
			label += " " + number(at+1) + "/" + number(len(all))
		}
		text := " " + p.text
		if p.remedy != "" {
			text += ": " + strings.TrimSpace(p.remedy)
		}
		last := part{}
		if i == 0 && p.alarm != "" && !m.o.ReadOnly && m.w >= 100 {
			last = part{hint(&m.keys.Dismiss, "dismisses"), m.palette.faint}
		}
		m.canvas.parts(m.words.ellipsis, last, part{label, p.style}, part{text, ""})
	}
}
