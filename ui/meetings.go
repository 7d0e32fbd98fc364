package ui

import (
	"cmp"
	"strconv"
	"strings"

	"callmark/policy"
)

// badness is what "worst first" goes by: the level that is known or, while the
// picture is incomplete, the worse one that is assumed.
func badness(v *policy.MeetingView) policy.Level { return max(v.Computed, v.Shown) }

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

// newMeetings returns the table of meetings, worst first.
func newMeetings(m *model) table[policy.MeetingID, *policy.MeetingView] {
	type view = *policy.MeetingView
	badge := m.words.badgeWidth()
	byName := func(a, b view) int { return foldCompare(a.Name, b.Name) }
	t := table[policy.MeetingID, view]{
		key:  func(v view) policy.MeetingID { return v.ID },
		same: func(a, b view) bool { return a.Version == b.Version },
		order: func(a, b view) int {
			if c := cmp.Compare(badness(b), badness(a)); c != 0 {
				return c
			}
			return byName(a, b)
		},
		text: func(v view) string {
			return strings.Join([]string{v.Name, string(v.ID), bridgesOf(v), v.Unverified, m.words.meetingOverride(v), v.Failure}, "\n")
		},
		fields: map[string]func(view, string) bool{
			"level": func(v view, s string) bool {
				return v.Computed.String() == s || s == "?" && v.Unverified != ""
			},
			"bridge": func(v view, s string) bool { return strings.Contains(strings.ToLower(bridgesOf(v)), s) },
			"is": func(v view, s string) bool {
				return v.Unverified != "" && strings.HasPrefix("unverified", s) ||
					v.Override != nil && strings.HasPrefix("overridden", s) ||
					v.Fallen != nil && strings.HasPrefix("fallen", s) ||
					v.State == policy.StateFailed && strings.HasPrefix("failed", s)
			},
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
				desc:  true,
			},
			{
				title: "Meeting", min: 12, want: 24, rank: 1,
				text:  func(v view, _ int) string { return nameOf(v) },
				order: byName,
			},
			{
				title: "On screen", min: 15, want: 15, max: 20, rank: 2,
				text:  func(v view, _ int) string { return m.words.meetingScreen(v) },
				style: func(v view) style { return m.stateStyle(v.State) },
				order: func(a, b view) int { return cmp.Compare(a.State, b.State) },
				desc:  true,
			},
			{
				title: "People", min: 11, max: 14, rank: 4,
				text:  func(v view, _ int) string { return people(v) },
				order: func(a, b view) int { return cmp.Compare(peopleOf(a), peopleOf(b)) },
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
				desc:  true,
			},
			{
				title: "Age", min: 5, max: 5, rank: 6, right: true,
				text:  func(v view, _ int) string { return age(m.now, v.Started) },
				order: func(a, b view) int { return a.Started.Compare(b.Started) },
				desc:  true,
			},
			{
				title: "Bridges", min: 8, max: 22, rank: 8,
				text:  func(v view, _ int) string { return bridgesOf(v) },
				order: func(a, b view) int { return strings.Compare(bridgesOf(a), bridgesOf(b)) },
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
					return strings.Compare(m.words.meetingOverride(a), m.words.meetingOverride(b))
				},
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
				order: func(a, b view) int { return strings.Compare(a.Unverified, b.Unverified) },
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
		return name + "the marking failed: " + v.Failure, m.palette.bad
	case v.Unverified != "":
		return name + "unverified for " + age(m.now, v.UnverifiedSince) + ": " + v.Unverified, m.palette.warn
	case v.Override == nil && v.Fallen != nil:
		return m.fell(v) + ": a keeps it automatic, f forces again", m.palette.bad
	case v.Override != nil:
		return name + m.words.overrideInFull(m, v), m.palette.bold
	case v.Holder.Evidence.Rule != 0:
		return name + m.words.badge(v.Computed, false) + " by " + holder(&v.Holder), m.palette.faint
	}
	return "", ""
}
