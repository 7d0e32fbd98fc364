package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"callmark/policy"
)

// holdsMark stands behind the level of the participant by whom the meeting has
// its own.
const holdsMark = "*"

// The sections that participants are shown in. Those before sectionElsewhere
// are the levels, the worst first, where these are asked for.
const (
	sectionHere      = 0
	sectionElsewhere = 4
	sectionWaiting   = 5
	sectionOthers    = 6
)

// sections returns how participants are grouped: who is hosted by a Call Bridge
// that is not watched, who waits, and what is no people stand apart in any case.
func (o *openMeeting) sections(m *model) *grouping[policy.LegView] {
	byLevel := o.byLevel
	return &grouping[policy.LegView]{
		of: func(v policy.LegView) int {
			switch {
			case !v.Counts && v.Presence != policy.InMeeting:
				return sectionWaiting
			case !v.Counts:
				return sectionOthers
			case v.Type == "elsewhere":
				return sectionElsewhere
			case byLevel:
				return int(policy.Level3 - v.Level)
			}
			return sectionHere
		},
		title: func(section int, rows []policy.LegView) part {
			say := func(text string) part {
				text = m.words.rule + m.words.rule + " " + text + ": " + number(len(rows)) + " "
				return part{text + strings.Repeat(m.words.rule, max(0, m.w-width(text))), m.palette.faint}
			}
			switch section {
			case sectionElsewhere:
				return say("hosted on other Call Bridges, counted")
			case sectionWaiting:
				return say(places(rows) + ", not counted")
			case sectionOthers:
				return say("recorders and links, not counted")
			}
			if byLevel {
				return say(m.words.badge(policy.Level3-policy.Level(section), false))
			}
			return say("in the meeting, counted")
		},
	}
}

// places says where those who wait are.
func places(rows []policy.LegView) string {
	var all []string
	for p := policy.InLobby; ; p-- {
		if slices.ContainsFunc(rows, func(v policy.LegView) bool { return v.Presence == p }) {
			all = append(all, p.String())
		}
		if p == policy.Connecting {
			return strings.Join(all, ", ")
		}
	}
}

// group turns the grouping by level on or off.
func (o *openMeeting) group(m *model) {
	o.byLevel = !o.byLevel
	o.table.regroup(o.sections(m))
	if o.byLevel {
		m.tell("Grouped by level. " + hint(&m.keys.Group, "takes it off."))
	} else {
		m.tell("No longer grouped by level.")
	}
}

// holds reports whether the meeting has its level by this leg.
func (o *openMeeting) holds(v *policy.LegView) bool {
	if o.last == nil || !v.Counts {
		return false
	}
	h := &o.last.Holder
	if h.Leg == "" { // somebody who is hosted elsewhere has no leg here
		return h.Evidence.Rule != 0 && v.Type == "elsewhere" && v.Name == h.Name && v.Evidence == h.Evidence
	}
	return h.Leg == v.ID
}

// evidence says a leg's level and why it has it: "3: host evil.test matches no
// entry".
func evidence(v *policy.LegView) string { return v.Level.String() + ": " + v.Evidence.String() }

func since(m *model, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", since " + m.words.clock(t) + " (" + age(m.now, t) + ")"
}

// person shows all about the selected participant.
func (o *openMeeting) person(m *model) {
	v, ok := o.table.selected()
	if !ok {
		m.tell("No participant is selected: move to one first.")
		return
	}
	key := o.table.key(v)
	m.inFull.show(func(m *model) [][]part {
		now, here := m.open.table.get(key)
		if here {
			v = now
		}
		return m.open.personInFull(m, &v, here)
	})
	m.visit(viewInFull)
}

func (o *openMeeting) personInFull(m *model, v *policy.LegView, here bool) [][]part {
	p := &m.palette
	var lines [][]part
	line := func(label, text string) {
		lines = append(lines, []part{{fmt.Sprintf("%-13s", label), p.faint}, {text, ""}})
	}
	lines = append(lines, []part{{m.words.badge(v.Level, false), p.level[v.Level]}, {"  " + dash(v.Name), p.bold}})
	if !here || o.ended {
		lines = append(lines, []part{{"LEFT", p.bad}, {"  this is how it was", ""}})
	}
	line("Level by", evidence(v))
	switch {
	case o.holds(v):
		line("Counts", "yes, and the meeting has its level by it")
	case v.Counts:
		line("Counts", "yes")
	default:
		line("Counts", "no: it does not bear on the meeting's level")
	}
	line("Address", dash(v.Address))
	line("Domain", dash(v.Domain))
	line("Type", dash(v.Type))
	line("Presence", presence(*v))
	line("Media", v.Media.String())
	if !v.Joined.IsZero() {
		line("In since", m.words.clock(v.Joined)+" ("+age(m.now, v.Joined)+")")
	}
	line("Call Bridge", dash(v.Bridge))
	line("Call", dash(v.Call))
	line("Leg", dash(v.ID))
	if v.Group != "" {
		line("Participant", v.Group+": legs that share it are one person")
	}
	return lines
}

// inFull shows all about the meeting itself, with nothing cut off.
func (o *openMeeting) inFull(m *model) {
	if m.view == viewInFull {
		m.goBack()
		return
	}
	m.inFull.show(func(m *model) [][]part {
		o, v := &m.open, m.open.last
		if v == nil {
			return nil
		}
		lines := o.head(m, v)
		add := func(label, text string) {
			lines = append(lines, []part{{fmt.Sprintf("%-11s", label), m.palette.faint}, {text, ""}})
		}
		if len(v.Domains) > 0 {
			add("Domains", strings.Join(v.Domains, ", "))
		}
		add("Meeting", string(v.ID))
		for i := range v.Calls {
			c := &v.Calls[i]
			text := c.ID + " on " + c.Bridge + ", session " + dash(c.Session)
			if !c.SentAt.IsZero() {
				text += ", last written " + m.words.clock(c.SentAt)
			}
			add("Call", text)
		}
		return lines
	})
	m.visit(viewInFull)
}
