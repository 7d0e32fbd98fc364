package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"callmark/policy"
)

// eventLog is the view of the board's journal, newest last, with the console's
// own notices among its entries.
type eventLog struct {
	table table[uint64, logLine]
	next  uint64 // key of the next line, in the order in which they came
	lost  uint64
}

// logLine is a journal entry, or a notice of the console's own.
type logLine struct {
	line  uint64
	kind  string
	entry policy.Entry
}

// newHistory returns the log of one meeting, which need not name it.
func newHistory(m *model) eventLog {
	var l eventLog
	l.init(m)
	l.table.columns = slices.DeleteFunc(l.table.columns, func(c column[logLine]) bool { return c.title == "About" })
	return l
}

func (l *eventLog) init(m *model) {
	by := func(get func(logLine) string) func(a, b logLine) int {
		return func(a, b logLine) int { return foldCompare(get(a), get(b)) }
	}
	l.table = table[uint64, logLine]{
		key:   func(x logLine) uint64 { return x.line },
		order: func(a, b logLine) int { return cmp.Compare(a.line, b.line) },
		text: func(x logLine) string {
			e := &x.entry
			return strings.Join([]string{x.kind, e.Name, string(e.Meeting), e.Bridge, e.Person, e.Address, e.Text, e.Who}, "\n")
		},
		fields: map[string]func(logLine, string) bool{
			"level":  func(x logLine, s string) bool { return x.entry.Level.String() == s },
			"domain": func(x logLine, s string) bool { return underDomain(x.entry.Domain, s) },
			"weight": func(x logLine, s string) bool { return strings.HasPrefix(strings.ToLower(weight(x.entry.Weight)), s) },
			"bridge": func(x logLine, s string) bool { return strings.Contains(strings.ToLower(x.entry.Bridge), s) },
		},
		follow: true,
		columns: []column[logLine]{
			{
				title: "Time", min: 8, max: 8,
				text: func(x logLine, _ int) string {
					if m.words.ages {
						return age(m.now, x.entry.Time) + " ago"
					}
					return m.words.clock(x.entry.Time)
				},
			},
			{
				title: "Event", min: 10, want: 17, max: 19, rank: 1,
				text: func(x logLine, _ int) string {
					if x.entry.Weight == policy.Warning {
						return "! " + x.kind // also without colours and a column for it
					}
					return x.kind
				},
				style: func(x logLine) style { return m.weightStyle(x.entry.Weight) },
				order: by(func(x logLine) string { return x.kind }),
			},
			{
				title: "Weight", min: 7, max: 7, rank: 5,
				text:  func(x logLine, _ int) string { return weight(x.entry.Weight) },
				order: func(a, b logLine) int { return cmp.Compare(a.entry.Weight, b.entry.Weight) },
				desc:  true,
			},
			{
				title: "About", min: 12, max: 24, rank: 3,
				text:  func(x logLine, _ int) string { return x.entry.Name },
				order: by(func(x logLine) string { return x.entry.Name }),
			},
			{title: "What", min: 12, want: 40, rank: 2, text: func(x logLine, _ int) string { return m.words.entry(&x.entry) }},
		},
	}
	l.table.init()
}

// weight names how much attention an entry asks for; the least has no word.
func weight(w policy.Weight) string {
	switch w {
	case policy.Warning:
		return "WARNING"
	case policy.Notice:
		return "notice"
	}
	return "info"
}

// following says whether what comes is followed, in the log that is shown.
func (m *model) following() part {
	l := &m.log
	if m.view == viewHistory {
		l = &m.history
	}
	switch {
	case l.table.by >= 0 || l.table.reverse:
		return part{"Not by time: " + hint(&m.keys.Sort, "goes on to the order by time."), m.palette.faint}
	case l.table.cursor == nil || l.table.at == len(l.table.shown)-1:
		return part{"Following what comes; move up to look back.", m.palette.faint}
	}
	return part{"Looking back" + semicolon(hint(&m.keys.End, "follows what comes again.")), m.palette.bold}
}

func (m *model) weightStyle(w policy.Weight) style {
	switch w {
	case policy.Warning:
		return m.palette.bad
	case policy.Notice:
		return m.palette.bold
	}
	return ""
}

// take appends the entries of a frame and lets the oldest go.
func (l *eventLog) take(m *model, entries []policy.Entry, lost uint64) {
	if lost > 0 && l.next > 0 {
		l.lost += lost
	}
	if len(entries) == 0 {
		return
	}
	lines := make([]logLine, len(entries))
	for i, e := range entries {
		lines[i] = logLine{line: l.next, kind: e.Kind.String(), entry: e}
		l.next++
	}
	l.add(lines)
	m.history.about(m.open.id, lines)
}

// about appends what is about a meeting; with none open, nothing is.
func (l *eventLog) about(id policy.MeetingID, lines []logLine) {
	if id == "" {
		return
	}
	var of []logLine
	for _, x := range lines {
		if x.entry.Meeting == id {
			of = append(of, x)
		}
	}
	if len(of) > 0 {
		l.add(of)
	}
}

// own appends a notice of the console's.
func (l *eventLog) own(m *model, w policy.Weight, text string) {
	l.add([]logLine{{line: l.next, kind: "console", entry: policy.Entry{Time: m.o.Now(), Weight: w, Text: text}}})
	l.next++
}

func (l *eventLog) add(lines []logLine) {
	var gone []uint64
	if extra := l.table.len() + len(lines) - logKept; extra > 0 {
		oldest := lines[len(lines)-1].line + 1 - logKept
		for k := range l.table.rows {
			if k < oldest {
				gone = append(gone, k)
			}
		}
	}
	l.table.update(lines, gone)
}

// of returns the newest n entries of a meeting, oldest first.
func (l *eventLog) of(id policy.MeetingID, n int) []policy.Entry {
	var out []policy.Entry
	for line := l.next; line > 0 && len(out) < n; line-- {
		x := l.table.rows[line-1]
		if x == nil {
			break
		}
		if x.val.entry.Meeting == id {
			out = append(out, x.val.entry)
		}
	}
	slices.Reverse(out)
	return out
}

// all returns the lines that are there, oldest first.
func (l *eventLog) all() []logLine {
	out := make([]logLine, 0, len(l.table.rows))
	for _, x := range l.table.rows {
		out = append(out, x.val)
	}
	slices.SortFunc(out, func(a, b logLine) int { return cmp.Compare(a.line, b.line) })
	return out
}

// draw writes the view into h lines.
func (l *eventLog) draw(m *model, h int) {
	l.table.draw(&m.canvas, h, &m.palette, &m.words.glyphs)
}

// open shows all of the selected entry, of which its row may have cut off the
// most.
func (l *eventLog) open(m *model, v view) {
	x, ok := l.table.selected()
	if !ok {
		m.tell("No entry is selected: move to one first.")
		return
	}
	m.inFull.show(func(m *model) [][]part { return m.entryInFull(&x) })
	m.visit(v)
}

// entryInFull says everything that an entry holds, a line for each thing.
func (m *model) entryInFull(x *logLine) [][]part {
	e := &x.entry
	lines := [][]part{{{x.kind, m.weightStyle(e.Weight)}, {"  " + m.words.date(e.Time) + " (" + age(m.now, e.Time) + ")", ""}}}
	line := func(label, text string) {
		if text != "" {
			lines = append(lines, []part{{fmt.Sprintf("%-13s", label), m.palette.faint}, {text, ""}})
		}
	}
	line("What", m.words.entry(e))
	line("Weight", weight(e.Weight))
	line("About", e.Name)
	line("Participant", e.Person)
	line("Address", e.Address)
	line("Domain", e.Domain)
	line("By", e.Who)
	line("Call Bridge", e.Bridge)
	line("Meeting", string(e.Meeting))
	line("Call", e.Call)
	line("Leg", e.Leg)
	return lines
}
