package ui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"callmark/policy"
)

// badness is what "worst first" goes by: the level that is known or, while the
// picture is incomplete, the worse one that is assumed.
func badness(v *policy.MeetingView) policy.Level { return max(v.Computed, v.Shown) }

// urgency orders meetings of one level: first those whose screens may show what
// is wrong, then those of which not all is known. An override that fell is
// neither: its screens tell the truth again.
func urgency(v *policy.MeetingView) int {
	switch {
	case v.State == policy.StateFailed:
		return 2
	case v.Unverified != "":
		return 1
	}
	return 0
}

// worst is what the table's own order goes by before the name: the level that
// is known or assumed, then the one that is known, then what is urgent.
func worst(v *policy.MeetingView) int { return int(badness(v))*16 + int(v.Computed)*4 + urgency(v) }

// overrideRank orders what operators have decided: what fell, then the other
// overrides by their kind, then none.
func overrideRank(v *policy.MeetingView) int {
	switch {
	case v.Override != nil:
		return 16 + int(v.Override.Kind)*4 + int(v.Override.Level)
	case v.Fallen != nil:
		return 1 << 10
	}
	return 0
}

func overrideBy(v *policy.MeetingView) string {
	if v.Override != nil {
		return v.Override.Who
	}
	return ""
}

// foldCompare orders names without regard to the case of ASCII letters, and
// without making copies: it runs for every row that moves.
func foldCompare(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

// meetingColumn is a column of the meetings.
type meetingColumn = column[*policy.MeetingView]

// newMeetings returns the table of meetings, worst first.
func newMeetings(m *model) table[policy.MeetingID, *policy.MeetingView] {
	type view = *policy.MeetingView
	badge := m.words.badgeWidth()
	byName := func(a, b view) int { return foldCompare(a.Name, b.Name) }
	t := table[policy.MeetingID, view]{
		key:  func(v view) policy.MeetingID { return v.ID },
		same: func(a, b view) bool { return a.Version == b.Version },
		order: func(a, b view) int {
			if c := cmp.Compare(worst(b), worst(a)); c != 0 {
				return c
			}
			return byName(a, b)
		},
		lead:    func(v view) lead { return lead{n: uint64(255 - worst(v)), text: v.Name, whole: true} },
		keyText: func(k policy.MeetingID) string { return string(k) },
		sign:    meetingSign,
		search: func(buf []byte, v view) []byte {
			buf = append(append(buf, v.Name...), '\n')
			buf = append(append(buf, v.ID...), '\n')
			for i := range v.Calls {
				buf = append(append(buf, v.Calls[i].Bridge...), '\n')
			}
			buf = append(append(buf, v.Unverified...), '\n')
			buf = append(append(buf, m.words.meetingOverride(v)...), '\n')
			return append(buf, v.Failure...)
		},
		fields: map[string]func(view, string) bool{
			"level": func(v view, s string) bool {
				switch s {
				case "?":
					return v.Unverified != ""
				case "-":
					return v.Computed == policy.LevelNone
				}
				return v.Computed.String() == s
			},
			"domain": func(v view, s string) bool {
				return slices.ContainsFunc(v.Domains, func(host string) bool { return underDomain(host, s) })
			},
			"bridge": func(v view, s string) bool {
				return slices.ContainsFunc(v.Calls, func(c policy.CallView) bool { return strings.Contains(strings.ToLower(c.Bridge), s) })
			},
			"is": func(v view, s string) bool {
				return v.Unverified != "" && strings.HasPrefix("unverified", s) ||
					v.Override != nil && strings.HasPrefix("overridden", s) ||
					v.Fallen != nil && strings.HasPrefix("fallen", s) ||
					v.State == policy.StateFailed && (strings.HasPrefix("failing", s) || strings.HasPrefix("failed", s))
			},
		},
		values: map[string][]string{
			"level": {"1", "2", "3", "-", "?"},
			"is":    {"unverified", "overridden", "failing", "failed", "fallen"},
		},
		columns: []column[view]{
			{
				title: "Level", min: 5, want: badge, max: badge, whole: true,
				text: func(v view, w int) string {
					s := m.words.badge(v.Computed, v.Unverified != "")
					if width(s) > w {
						return shape(v.Computed, v.Unverified != "")
					}
					return s
				},
				style: func(v view) style { return m.palette.level[v.Computed] },
				order: func(a, b view) int { return cmp.Compare(badness(a), badness(b)) },
				lead:  func(v view) lead { return lead{n: uint64(badness(v)), whole: true} },
				desc:  true,
			},
			{
				title: "Meeting", min: 12, want: 26, rank: 1,
				text:  func(v view, _ int) string { return nameOf(v) },
				order: byName,
				lead:  func(v view) lead { return lead{text: v.Name, whole: true} },
			},
			{
				title: "On screen", min: 15, want: 15, max: 20, rank: 2,
				text:  func(v view, _ int) string { return m.words.meetingScreen(v) },
				style: func(v view) style { return m.stateStyle(v.State) },
				order: func(a, b view) int { return cmp.Compare(a.State, b.State) },
				lead:  func(v view) lead { return lead{n: uint64(v.State), whole: true} },
				desc:  true,
			},
			{
				title: "People", min: 11, max: 14, rank: 4,
				text:  func(v view, _ int) string { return people(v) },
				order: func(a, b view) int { return cmp.Compare(peopleOf(a), peopleOf(b)) },
				lead:  func(v view) lead { return lead{n: uint64(peopleOf(v)), whole: true} },
				desc:  true,
			},
			{
				title: "Wait", min: 4, max: 4, rank: 7, right: true,
				text: func(v view, _ int) string {
					if v.Waiting == 0 {
						return "-"
					}
					return strconv.Itoa(v.Waiting)
				},
				order: func(a, b view) int { return cmp.Compare(a.Waiting, b.Waiting) },
				lead:  func(v view) lead { return lead{n: uint64(v.Waiting), whole: true} },
				desc:  true,
			},
			{
				title: "Age", min: 5, max: 5, rank: 6, right: true,
				text:  func(v view, _ int) string { return age(m.now, v.Started) },
				order: func(a, b view) int { return a.Started.Compare(b.Started) },
				lead:  func(v view) lead { return lead{n: uint64(v.Started.UnixMilli())} },
				desc:  true,
			},
			{
				title: "Bridges", min: 8, want: 12, max: 22, rank: 8,
				text:  func(v view, _ int) string { return bridgesOf(v) },
				order: func(a, b view) int { return foldCompare(bridgesOf(a), bridgesOf(b)) },
				lead:  func(v view) lead { return lead{text: bridgesOf(v), whole: true} },
			},
			{
				title: "Override", min: 14, want: 18, max: 34, rank: 3,
				text: func(v view, w int) string { return m.words.overrideWithEnd(v, w) },
				style: func(v view) style {
					if v.Override == nil && v.Fallen != nil {
						return m.palette.bad
					}
					return m.palette.bold
				},
				order: func(a, b view) int {
					if c := cmp.Compare(overrideRank(a), overrideRank(b)); c != 0 {
						return c
					}
					return foldCompare(overrideBy(a), overrideBy(b))
				},
				lead: func(v view) lead { return lead{n: uint64(overrideRank(v)), text: overrideBy(v), whole: true} },
				desc: true,
			},
			{
				title: "Unverified", min: 16, want: 28, rank: 9,
				text: func(v view, _ int) string {
					if v.Unverified == "" {
						return ""
					}
					return age(m.now, v.UnverifiedSince) + ": " + v.Unverified
				},
				style: func(view) style { return m.palette.warn },
				order: func(a, b view) int { return foldCompare(a.Unverified, b.Unverified) },
				lead:  func(v view) lead { return lead{text: v.Unverified, whole: true} },
				desc:  true,
			},
		},
	}
	t.init()
	return t
}

// stateStyle colours how far a marking has got.
func (m *model) stateStyle(s policy.MarkingState) style {
	switch s {
	case policy.StateFailed:
		return m.palette.bad
	case policy.StateConfirmed:
		return m.palette.good
	case policy.StateWanted, policy.StateSending:
		return m.palette.bold
	}
	return ""
}

// nameOf is a meeting's name or, without one, its id.
func nameOf(v *policy.MeetingView) string {
	if v.Name == "" {
		return string(v.ID)
	}
	return v.Name
}

func peopleOf(v *policy.MeetingView) int { return v.People[1] + v.People[2] + v.People[3] }

// bridgesOf names the Call Bridges of a meeting's calls.
func bridgesOf(v *policy.MeetingView) string {
	if len(v.Calls) == 1 {
		return v.Calls[0].Bridge
	}
	var b strings.Builder
	for i := range v.Calls {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(v.Calls[i].Bridge)
	}
	return b.String()
}

// holder says who or what holds a level up; a bound that was reached is nobody.
func holder(h *policy.Holder) string {
	if h.Leg == "" {
		return h.Evidence.String()
	}
	return dash(h.Name) + ", " + h.Evidence.Level.String() + ": " + h.Evidence.String()
}

// remark says the most urgent thing about a meeting that its row may have had
// no room for.
func (m *model) remark(v *policy.MeetingView) (string, style) {
	name := quoted(v.Name, 24, m.words.ellipsis) + ": "
	switch {
	case v.State == policy.StateFailed:
		return name + "the marking failed" + failedCall(v) + ": " + v.Failure, m.palette.bad
	case v.Unverified != "":
		return name + "unverified for " + age(m.now, v.UnverifiedSince) + ": " + v.Unverified, m.palette.warn
	case v.Override == nil && v.Fallen != nil:
		return m.fell(v) + ": " + m.afterFall(), m.palette.bad
	case v.Override != nil:
		return name + m.words.overrideInFull(m, v), m.palette.bold
	case v.Holder.Evidence.Rule != 0:
		return name + m.words.badge(v.Computed, false) + " by " + holder(&v.Holder), m.palette.faint
	}
	return "", ""
}

// failedCall names the Call Bridge, and the call on it, that a meeting's failure
// is about.
func failedCall(v *policy.MeetingView) string {
	for i := range v.Calls {
		if c := &v.Calls[i]; c.Failure == v.Failure && c.State == policy.StateFailed {
			return " on " + c.Bridge + ", call " + c.ID
		}
	}
	return ""
}
