package ui

import (
	"cmp"
	"strings"

	"callmark/policy"
)

// openMeeting is the view of one meeting: what holds its level up, how far its
// marking has got on each Call Bridge, its participants and what happened.
type openMeeting struct {
	id    policy.MeetingID
	last  *policy.MeetingView // as it was when it was last there
	ended bool
	read  bool // its legs have been read
	table table[string, policy.LegView]

	byLevel bool // those in the meeting are grouped by their level
}

// start opens a meeting.
func (o *openMeeting) start(m *model, v *policy.MeetingView) {
	o.id, o.last, o.ended, o.read = v.ID, v, false, false
	o.table = newLegs(m)
	o.table.regroup(o.sections(m))
	m.history = newHistory(m)
	m.history.about(v.ID, m.log.all())
	m.focus.set(v.ID)
}

// stop closes it.
func (o *openMeeting) stop(m *model) {
	o.id, o.last = "", nil
	o.table = newLegs(m)
	m.history = newHistory(m)
	m.focus.set("")
}

// take brings the view up to a frame.
func (o *openMeeting) take(m *model, f *frame) {
	if o.id == "" {
		return
	}
	v, ok := m.meeting(o.id)
	o.ended = !ok
	if ok {
		o.last = v
	}
	// A frame may have been on its way when another meeting was opened. The
	// legs of a meeting that has ended stay as they were last seen.
	if f.legsOK && f.open == o.id && ok {
		o.read = true
		o.table.replace(f.legs)
	}
}

// legOrder is worst first: those that bear on the level before those that wait
// or are no people, then the less trusted.
func legOrder(a, b policy.LegView) int {
	if a.Counts != b.Counts {
		if a.Counts {
			return -1
		}
		return 1
	}
	if c := cmp.Compare(b.Level, a.Level); c != 0 {
		return c
	}
	return foldCompare(a.Name, b.Name)
}

// newLegs returns the table of participants, worst first.
func newLegs(m *model) table[string, policy.LegView] {
	type view = policy.LegView
	badge := m.words.badgeWidth() // a leg has no question mark, but may have a star
	by := func(get func(view) string) func(a, b view) int {
		return func(a, b view) int { return foldCompare(get(a), get(b)) }
	}
	t := table[string, view]{
		// With the call: nobody is hidden by somebody else's id.
		key:   func(v view) string { return v.ID + " " + v.Call },
		same:  func(a, b view) bool { return a == b },
		order: legOrder,
		text: func(v view) string {
			return strings.Join([]string{v.Name, v.Address, v.Domain, v.Type, presence(v), v.Media.String(), evidence(&v), v.Bridge, v.ID}, "\n")
		},
		fields: map[string]func(view, string) bool{
			"level":  func(v view, s string) bool { return v.Level.String() == s },
			"domain": func(v view, s string) bool { return underDomain(v.Domain, s) },
			"type":   func(v view, s string) bool { return strings.Contains(strings.ToLower(v.Type), s) },
			"is": func(v view, s string) bool {
				return strings.Contains(strings.ToLower(presence(v)), s) || strings.HasPrefix(v.Media.String(), s)
			},
		},
		columns: []column[view]{
			{
				title: "Level", min: 5, want: badge, max: badge, whole: true,
				text: func(v view, w int) string {
					s := m.words.badge(v.Level, false)
					if width(s) > w {
						s = shape(v.Level, false)
					}
					if !v.Counts {
						// Round brackets: it does not bear on the level.
						s = strings.Replace(strings.Replace(s, "[", "(", 1), "]", ")", 1)
					}
					if m.open.holds(&v) && width(s) < w {
						s += holdsMark
					}
					return s
				},
				style: func(v view) style {
					if !v.Counts {
						return m.palette.faint
					}
					return m.palette.level[v.Level]
				},
				order: func(a, b view) int { return cmp.Compare(a.Level, b.Level) },
				desc:  true,
			},
			{title: "Name", min: 12, want: 16, max: 22, rank: 1, text: func(v view, _ int) string { return v.Name }, order: by(func(v view) string { return v.Name })},
			// The headings of the sections say it as well.
			{title: "Presence", min: 10, want: 11, max: 11, rank: 9, text: func(v view, _ int) string { return presence(v) }, order: by(presence)},
			{title: "Domain", min: 11, want: 18, max: 20, rank: 2, text: func(v view, _ int) string { return dash(v.Domain) }, order: by(func(v view) string { return v.Domain })},
			{title: "Type", min: 6, want: 9, max: 9, rank: 5, text: func(v view, _ int) string { return v.Type }, order: by(func(v view) string { return v.Type })},
			{
				title: "In", min: 4, max: 5, rank: 6, right: true,
				text:  func(v view, _ int) string { return age(m.now, v.Joined) },
				order: func(a, b view) int { return a.Joined.Compare(b.Joined) },
				desc:  true,
			},
			{title: "Media", min: 11, max: 11, rank: 3, text: func(v view, _ int) string { return v.Media.String() }, order: by(func(v view) string { return v.Media.String() })},
			{title: "Address", min: 16, rank: 8, text: func(v view, _ int) string { return dash(v.Address) }, order: by(func(v view) string { return v.Address })},
			// Its level stands in the first column.
			{title: "Evidence", min: 14, want: 41, max: 64, rank: 4, text: func(v view, _ int) string { return v.Evidence.String() }, order: by(func(v view) string { return evidence(&v) })},
		},
	}
	t.init()
	return t
}

// remark says of the selected participant what its row may have no room for.
func (o *openMeeting) remark(m *model) string {
	v, ok := o.table.selected()
	switch {
	case o.table.lost:
		return "The selected participant has left."
	case !ok:
		return ""
	}
	s := dash(v.Name) + ", " + evidence(&v)
	if v.Address != "" {
		s += "; " + v.Address
	}
	s += "; media " + v.Media.String()
	if !v.Counts {
		s += "; " + presence(v) + ", does not bear on the level"
	}
	return s
}

// underDomain reports whether a host is a domain or under it, by label.
func underDomain(host, domain string) bool {
	host = strings.ToLower(host)
	return host == domain || strings.HasSuffix(host, "."+strings.TrimPrefix(domain, "."))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// presence says where a leg is, and when it does not bear on the level.
func presence(v policy.LegView) string {
	s := v.Presence.String()
	if v.Presence == policy.InMeeting && !v.Counts {
		return "not counted"
	}
	return s
}

// draw writes the view into h lines.
func (o *openMeeting) draw(m *model, h int) {
	c, p := &m.canvas, &m.palette
	end := c.lines + h
	v := o.last
	if v == nil {
		c.fill(c.h - end)
		return
	}
	head := o.head(m, v)
	// The participants matter most: they keep at least a heading and three.
	head = head[:min(len(head), max(1, h-4))]
	for _, line := range head {
		c.parts(m.words.ellipsis, part{}, line...)
	}

	rows := len(o.table.shown) + 1 + o.table.headings()
	room := end - c.lines
	// What is left below the participants shows what happened, newest last.
	history := 0
	if spare := room - max(rows, 4); spare >= 3 {
		history = min(spare, max(room/3, spare))
	} else if room >= 16 {
		history = 5
	}
	o.table.draw(c, room-history, p, &m.words.glyphs)
	if !o.read && history > 0 {
		history = 0
	}
	o.drawHistory(m, end-c.lines)
	c.fill(c.h - end)
}

// head returns the lines above the participants, the most needed first.
func (o *openMeeting) head(m *model, v *policy.MeetingView) [][]part {
	w, p := &m.words, &m.palette
	var lines [][]part
	add := func(parts ...part) { lines = append(lines, parts) }

	title := []part{
		{w.badge(v.Computed, v.Unverified != ""), p.level[v.Computed]},
		{"  " + nameOf(v), p.bold},
		{"  " + people(v) + waiting(v) + "  since " + w.clock(v.Started) + " (" + age(m.now, v.Started) + ")", ""},
	}
	if o.ended {
		title = append([]part{{"ENDED", p.bad}, {"  was ", ""}}, title...)
	}
	add(title...)
	if v.Unverified != "" {
		add(part{"UNVERIFIED", p.warn}, part{" for " + age(m.now, v.UnverifiedSince) + ": " + v.Unverified, ""})
	}
	if v.Override != nil {
		add(part{"Override   ", p.faint}, part{w.overrideInFull(m, v), p.bold})
	} else if v.Fallen != nil {
		text := " " + age(m.now, v.Fallen.At) + " ago: " + w.override(&v.Fallen.Override) + " by " + who(v.Fallen.Override.Who)
		if v.Fallen.Override.Reason != "" {
			text += " (" + v.Fallen.Override.Reason + ")"
		}
		add(part{"FELL", p.bad}, part{text + ", when the level became " + w.badge(v.Fallen.Computed, false) + ": " + m.afterFall(), ""})
	}
	if v.Holder.Evidence.Rule != 0 {
		add(part{"Level by   ", p.faint}, part{holder(&v.Holder) + since(m, v.Changed), ""})
	}
	for i := range v.Calls {
		call := &v.Calls[i]
		where := call.Bridge
		if call.Server == "" {
			where += " (no API server known)"
		} else if call.Server != call.Bridge {
			where += " (" + call.Server + ")"
		}
		line := []part{
			{"On screen  ", p.faint},
			{w.onScreen(call.Sent, call.Wanted, call.State), m.stateStyle(call.State)},
			{" on " + where + ", since " + w.clock(call.Since) + " (" + age(m.now, call.Since) + ")", ""},
		}
		if call.State == policy.StateFailed {
			line = append(line, part{", tried " + plural(call.Attempts, "time") + ": " + call.Failure, ""})
		}
		if call.Incomplete != "" {
			line = append(line, part{", incomplete: " + call.Incomplete, ""})
		}
		add(line...)
	}
	if v.Wanted.Shows() {
		add(part{"Text       ", p.faint}, part{v.Wanted.Text, ""})
	}
	return lines
}

// overrideInFull says who decided what, when, until when, why, and what it
// stands in for.
func (w *words) overrideInFull(m *model, v *policy.MeetingView) string {
	o := v.Override
	s := w.override(o) + " by " + who(o.Who) + " at " + w.clock(o.At)
	if o.Until.IsZero() {
		s += " until the meeting ends"
	} else {
		s += " until " + w.clock(o.Until) + " (" + span(o.Until.Sub(m.now)) + ")"
	}
	s += "; automatic would be " + w.badge(v.Shown, v.Unverified != "")
	if o.Reason != "" {
		s += "; reason: " + o.Reason
	}
	return s
}

// waiting says how many are apart from those who count.
func waiting(v *policy.MeetingView) string {
	s := ""
	if v.Waiting > 0 {
		s += ", " + number(v.Waiting) + " waiting"
	}
	if v.Others > 0 {
		s += ", " + plural(v.Others, "other")
	}
	return s
}

// drawHistory writes the newest entries of the meeting into h lines, under a
// rule.
func (o *openMeeting) drawHistory(m *model, h int) {
	c := &m.canvas
	if h < 2 {
		return
	}
	entries := m.log.of(o.id, h-1)
	c.parts(m.words.ellipsis, part{}, m.ruled("history"+comma(hint(&m.keys.History, "shows all"))))
	if len(entries) == 0 {
		c.parts(m.words.ellipsis, part{}, part{"nothing is known of what happened before", m.palette.faint})
	}
	for i := range entries {
		e := &entries[i]
		c.parts(m.words.ellipsis, part{},
			part{m.words.clock(e.Time) + "  ", m.palette.faint},
			part{e.Kind.String(), m.weightStyle(e.Weight)},
			part{"  " + m.words.entry(e), ""})
	}
}
