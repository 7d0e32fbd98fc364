package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"callmark/policy"
)

// bridgesView is the view of all Call Bridges, the worst first.
type bridgesView struct {
	table table[string, policy.BridgeView]
}

func (b *bridgesView) init(m *model) {
	type view = policy.BridgeView
	by := func(get func(view) string) func(a, b view) int {
		return func(a, b view) int { return foldCompare(get(a), get(b)) }
	}
	b.table = table[string, view]{
		key:  func(v view) string { return v.Key },
		same: func(a, b view) bool { return a == b },
		order: func(a, b view) int {
			if c := cmp.Compare(bridgeHealth(&a), bridgeHealth(&b)); c != 0 {
				return c
			}
			return foldCompare(a.Name, b.Name)
		},
		text: func(v view) string {
			return strings.Join([]string{v.Name, v.Server, v.Address, v.CallBridge, v.Session, v.Bound.Version,
				bridgeState(&v), v.Unverified, v.Silent, v.Bound.Problem}, "\n")
		},
		fields: map[string]func(view, string) bool{
			"is": func(v view, s string) bool { return strings.Contains(strings.ToLower(bridgeState(&v)), s) },
		},
		columns: []column[view]{
			{
				title: "State", min: 10, want: 18, max: 23,
				text: func(v view, w int) string {
					s := bridgeState(&v)
					if width(s) > w { // the header says it too
						s = strings.TrimSuffix(s, " INSECURE")
					}
					return s
				},
				style: func(v view) style { return m.healthStyle(bridgeHealth(&v)) },
				order: func(a, b view) int { return cmp.Compare(bridgeHealth(&a), bridgeHealth(&b)) },
			},
			{title: "Call Bridge", short: "Bridge", min: 8, want: 14, max: 24, rank: 1, text: func(v view, _ int) string { return v.Name }, order: by(func(v view) string { return v.Name })},
			{
				title: "Record", min: 6, max: 6, rank: 2, right: true,
				text:  func(v view, _ int) string { return age(m.now, v.LastRecord) },
				order: func(a, b view) int { return b.LastRecord.Compare(a.LastRecord) },
				desc:  true,
			},
			{
				title: "Index", min: 9, want: 11, max: 17, rank: 3, right: true,
				text:  func(v view, _ int) string { return indexes(&v) },
				order: func(a, b view) int { return cmp.Compare(missing(&a), missing(&b)) },
				desc:  true,
			},
			{
				title: "Latency", min: 7, max: 7, rank: 5, right: true,
				text:  func(v view, _ int) string { return latency(&v) },
				order: func(a, b view) int { return cmp.Compare(a.Bound.Latency, b.Bound.Latency) },
				desc:  true,
			},
			{
				title: "Failed", min: 6, max: 9, rank: 6, right: true,
				text:  func(v view, _ int) string { return number(v.Bound.Failures) },
				order: func(a, b view) int { return cmp.Compare(a.Bound.Failures, b.Bound.Failures) },
				desc:  true,
			},
			{title: "Reads/s", min: 7, max: 9, rank: 8, right: true, text: func(v view, _ int) string { return rate(v.Bound.ReadRate, v.Bound.ReadBudget) }},
			{title: "Writes/s", min: 8, max: 9, rank: 8, right: true, text: func(v view, _ int) string { return rate(v.Bound.WriteRate, v.Bound.WriteBudget) }},
			{
				title: "Queue", min: 5, max: 6, rank: 7, right: true,
				text:  func(v view, _ int) string { return number(v.Bound.Queue) },
				order: func(a, b view) int { return cmp.Compare(a.Bound.Queue, b.Bound.Queue) },
				desc:  true,
			},
			{
				title: "Read", min: 5, max: 5, rank: 9, right: true,
				text:  func(v view, _ int) string { return age(m.now, v.Read) },
				order: func(a, b view) int { return b.Read.Compare(a.Read) },
				desc:  true,
			},
			{
				title: "Unread", min: 6, max: 6, rank: 9, right: true,
				text:  func(v view, _ int) string { return number(v.Unread) },
				order: func(a, b view) int { return cmp.Compare(a.Unread, b.Unread) },
				desc:  true,
			},
			{
				title: "Calls", min: 5, max: 6, rank: 9, right: true,
				text:  func(v view, _ int) string { return number(v.Calls) },
				order: func(a, b view) int { return cmp.Compare(a.Calls, b.Calls) },
				desc:  true,
			},
			{title: "Version", min: 7, want: 9, max: 14, rank: 10, text: func(v view, _ int) string { return dash(v.Bound.Version) }, order: by(func(v view) string { return v.Bound.Version })},
			{title: "Address", min: 14, want: 22, max: 32, rank: 11, text: func(v view, _ int) string { return dash(cmp.Or(v.Server, v.Address)) }, order: by(func(v view) string { return cmp.Or(v.Server, v.Address) })},
			{title: "Session", min: 8, want: 8, max: 36, rank: 12, text: func(v view, _ int) string { return dash(v.Session) }},
		},
	}
	b.table.init()
}

// take brings the view up to a frame. A Call Bridge that is known by its server
// stays the same one when its first record comes, and when it begins a new
// session.
func (b *bridgesView) take(all []policy.BridgeView) {
	servers := make(map[string]int, len(all))
	for i := range all {
		servers[all[i].Server]++
	}
	rows := slices.Clone(all)
	for i := range rows {
		if v := &rows[i]; v.Server != "" && servers[v.Server] == 1 {
			v.Key = "server/" + v.Server
		}
	}
	b.table.replace(rows)
}

// indexes sets the index of the last record that came beside that of the last
// one that was made.
func indexes(b *policy.BridgeView) string {
	got, made := "-", "-"
	if b.LastIndex != policy.NoIndex && !b.LastRecord.IsZero() {
		got = strconv.FormatInt(b.LastIndex, 10)
	}
	if !b.Polled.IsZero() && b.Next != policy.NoIndex {
		made = strconv.FormatInt(b.Next-1, 10)
	}
	return got + "/" + made
}

// missing is how many records had been made, when the server was asked, that
// have not come. More may have come since.
func missing(b *policy.BridgeView) int64 {
	if b.Polled.IsZero() || b.Next == policy.NoIndex || b.LastRecord.IsZero() {
		return 0
	}
	return max(0, b.Next-1-b.LastIndex)
}

func latency(b *policy.BridgeView) string {
	switch d := b.Bound.Latency; {
	case d <= 0:
		return "-"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/1e6)
	case d < time.Second:
		return strconv.Itoa(int(d/time.Millisecond)) + "ms"
	default:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
}

// rate sets what is used beside what may be.
func rate(now, budget float64) string {
	if budget <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f/%.0f", now, budget)
}

// remark says what is wrong with the selected Call Bridge and what to do.
func (b *bridgesView) remark(m *model) part {
	v, ok := b.table.selected()
	switch {
	case b.table.lost:
		return part{"The selected Call Bridge is gone: move to another.", m.palette.warn}
	case !ok:
		return part{}
	}
	if p, wrong := m.bridgeProblem(&v); wrong {
		text := p.text
		if p.remedy != "" {
			text += ": " + strings.TrimSpace(p.remedy)
		}
		return part{text, p.style}
	}
	return part{v.Name + ": nothing is wrong", m.palette.faint}
}

// draw writes the view into h lines: the table and, in what is left below it,
// the selected Call Bridge in full.
func (b *bridgesView) draw(m *model, h int) {
	c := &m.canvas
	end := c.lines + h
	if m.read && b.table.len() == 0 {
		c.parts(m.words.ellipsis, part{}, part{"No Call Bridge yet: add servers, and name this receiver as their CDR receiver.", m.palette.faint})
		c.fill(c.h - end)
		return
	}
	rows := len(b.table.shown) + 1
	below := 0
	if spare := h - max(rows, 4); spare >= 4 {
		below = spare
	} else if h >= 20 {
		below = 9
	}
	b.table.draw(c, h-below, &m.palette, &m.words.glyphs)
	if v, ok := b.table.selected(); ok && below > 0 {
		c.parts(m.words.ellipsis, part{}, m.ruled(v.Name))
		for _, l := range m.bridgeInFull(&v)[1:] {
			if c.lines >= end {
				break
			}
			c.parts(m.words.ellipsis, part{}, l...)
		}
	}
	c.fill(c.h - end)
}

// ruled is a title in a line.
func (m *model) ruled(title string) part {
	s := m.words.rule + m.words.rule + " " + cut(title, max(1, m.canvas.w-6), m.words.ellipsis) + " "
	return part{s + strings.Repeat(m.words.rule, max(0, m.canvas.w-width(s))), m.palette.faint}
}

// open shows all about the selected Call Bridge.
func (b *bridgesView) open(m *model) {
	v, ok := b.table.selected()
	if !ok {
		m.tell("No Call Bridge is selected: move to one first.")
		return
	}
	last := v
	m.bridge.show(func(m *model) [][]part {
		now, here := m.callBridges.table.get(last.Key)
		if here {
			last = now
		}
		lines := m.bridgeInFull(&last)
		if !here {
			lines = append([][]part{{{"GONE", m.palette.bad}, {"  it was:", ""}}}, lines...)
		}
		return lines
	})
	m.visit(viewBridge)
}

// bridgeInFull says everything that is known of a Call Bridge, a line for each
// thing; the first is its name and state.
func (m *model) bridgeInFull(b *policy.BridgeView) [][]part {
	p, w := &m.palette, &m.words
	var lines [][]part
	line := func(label, text string, s style) {
		lines = append(lines, []part{{fmt.Sprintf("%-13s", label), p.faint}, {text, s}})
	}
	ago := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return age(m.now, t) + " ago (" + w.clock(t) + ")"
	}
	lines = append(lines, []part{{b.Name, p.bold}, {"  ", ""}, {bridgeState(b), m.healthStyle(bridgeHealth(b))}})

	problem, wrong := m.bridgeProblem(b)
	if wrong {
		line("Problem", problem.text, problem.style)
		if problem.remedy != "" {
			line("Remedy", strings.TrimSpace(problem.remedy), p.bold)
		}
	}
	for i := range m.alarms {
		if a := &m.alarms[i]; mentions(a, b) {
			line("Alarm", a.Text+", "+age(m.now, a.Since), p.bad)
			if a.Remedy != "" {
				line("Remedy", a.Remedy, p.bold)
			}
		}
	}

	records := "none yet"
	if !b.LastRecord.IsZero() {
		records = "last " + ago(b.LastRecord) + "; " + number(b.Records) + " taken, " + number(b.Duplicates) + " twice"
	}
	line("Records", records, "")
	index := "no record yet"
	if b.LastIndex != policy.NoIndex && !b.LastRecord.IsZero() {
		index = "last record " + strconv.FormatInt(b.LastIndex, 10)
	}
	switch {
	case b.Polled.IsZero():
		index += "; cdrCorrelatorIndex not read yet"
	case b.Next == policy.NoIndex:
		index += "; it told no cdrCorrelatorIndex " + ago(b.Polled)
	default:
		index += "; cdrCorrelatorIndex " + strconv.FormatInt(b.Next, 10) + " " + ago(b.Polled)
		if n := missing(b); n > 0 {
			index += ": " + plural(int(n), "record") + " had not come"
		}
	}
	s := style("")
	if missing(b) > 0 {
		s = p.warn
	}
	line("Index", index, s)

	running := number(b.Calls) + " calls, " + number(b.Legs) + " legs"
	if b.Server != "" {
		running += "; read " + ago(b.Read)
		if b.Unread > 0 {
			running += ", " + number(b.Unread) + " calls and legs are still to be read"
		}
	}
	line("Running", running, "")

	if b.Server == "" {
		line("API", "no server is known to be this Call Bridge", p.warn)
	} else {
		api := b.Bound.State.String()
		if !b.Bound.Since.IsZero() {
			api += " for " + age(m.now, b.Bound.Since)
		}
		api += ", latency " + latency(b) + "; " + number(b.Bound.Requests) + " requests, " + number(b.Bound.Failures) + " failed"
		line("API", api, "")
		line("Budget", "reads "+rate(b.Bound.ReadRate, b.Bound.ReadBudget)+" a second, writes "+rate(b.Bound.WriteRate, b.Bound.WriteBudget)+
			" a second; "+plural(b.Bound.Queue, "marking")+" waiting to be written", "")
	}
	address := dash(b.Server)
	if b.Bound.Insecure {
		address += " INSECURE: http://, or nothing proves that it is the server"
	}
	line("Server", address+" ("+b.Sureness.String()+")", "")
	line("Version", dash(b.Bound.Version), "")
	line("Sends from", dash(b.Address), "")
	line("Session", dash(b.Session), "")
	line("GUID", dash(cmp.Or(b.CallBridge, b.Bound.CallBridge)), "")
	return lines
}

// mentions reports whether an alarm names a Call Bridge.
func mentions(a *policy.Alarm, b *policy.BridgeView) bool {
	for _, name := range []string{b.Name, b.Server, b.CallBridge, b.Session} {
		if name != "" && (hasWord(a.Key, name) || hasWord(a.Text, name)) {
			return true
		}
	}
	return false
}

// hasWord reports whether a name stands in a text, and not as a part of another
// name: cms1 is not in cms10.
func hasWord(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !inName(text[i-1])) && (end == len(text) || !inName(text[end])) {
			return true
		}
		from = i + 1
	}
}

func inName(c byte) bool {
	return c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
