package ui

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"callmark/policy"
)

// fallen are the meetings whose override fell, until an operator acts on them.
// They are known also where a paused list does not show them.
type fallen map[policy.MeetingID]*policy.MeetingView

func (f *fallen) take(u *policy.Update) {
	if *f == nil || u.Full {
		*f = fallen{}
	}
	for _, id := range u.Gone {
		delete(*f, id)
	}
	for _, v := range u.Meetings {
		if v.Fallen != nil && v.Override == nil {
			(*f)[v.ID] = v
		} else {
			delete(*f, v.ID)
		}
	}
}

// problems returns what is to be said of them, the oldest first.
func (f fallen) problems(m *model) []problem {
	if len(f) == 0 {
		return nil
	}
	all := slices.SortedFunc(maps.Values(f), func(a, b *policy.MeetingView) int {
		return cmp.Or(a.Fallen.At.Compare(b.Fallen.At), cmp.Compare(a.ID, b.ID))
	})
	out := make([]problem, len(all))
	for i, v := range all {
		out[i] = problem{
			label:  "FELL",
			text:   m.fell(v),
			remedy: "with the cursor on it " + m.afterFall(),
			style:  m.palette.bad,
		}
	}
	return out
}

// afterFall says what can be done about it.
func (m *model) afterFall() string {
	return strings.TrimRight(hint(&m.keys.Auto, "keeps it automatic, ")+hint(&m.keys.Force, "forces again"), ", ")
}

// fell says of a meeting what fell, whose it was, and why.
func (m *model) fell(v *policy.MeetingView) string {
	o := &v.Fallen.Override
	return quoted(v.Name, 40, m.words.ellipsis) + ": " + m.words.override(o) + " by " + who(o.Who) + " fell " +
		age(m.now, v.Fallen.At) + " ago, when the level became " + m.words.badge(v.Fallen.Computed, false)
}
