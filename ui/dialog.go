package ui

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// dialog is a question to the operator. It stands below the table, which goes
// on moving. A dialog about a meeting holds the meeting's id: what comes and
// goes in the table does not change whom it is about, and what it says of the
// meeting is read anew for each frame.
type dialog interface {
	press(m *model, msg tea.KeyPressMsg) tea.Cmd
	paste(m *model, msg tea.PasteMsg)
	// lines returns what to show in w cells, the most needed first: the first
	// is the question, the second the answers.
	lines(m *model, w int) []dialogLine
}

// dialogLine is a line of a dialog; raw ones have been cut and painted.
type dialogLine struct {
	text  string
	style style
	raw   bool
}

// step is how far an override dialog has got.
type step uint8

const (
	stepChoose  step = iota // which level, or a text
	stepText                // the text
	stepConfirm             // yes or no
	stepReason              // why
)

// holdFor are the times that an override can be limited to; zero: until the
// meeting ends.
var holdFor = []time.Duration{0, 15 * time.Minute, time.Hour}

// overrideDialog forces or clears the markings of its targets: one meeting, or
// all that were selected when it was opened.
type overrideDialog struct {
	targets  []policy.MeetingID
	step     step
	override policy.Override
	hold     int // index of holdFor
	input    textinput.Model
	problem  string // with what was typed
}

// newForce asks for a level or a text.
func newForce(targets []policy.MeetingID) *overrideDialog { return &overrideDialog{targets: targets} }

// newClear asks whether to take the markings off.
func newClear(targets []policy.MeetingID) *overrideDialog {
	return &overrideDialog{targets: targets, step: stepConfirm, override: policy.Override{Kind: policy.ForceClear}}
}

func (d *overrideDialog) press(m *model, msg tea.KeyPressMsg) tea.Cmd {
	if here, _ := m.living(d.targets); len(here) == 0 {
		// Any key takes note; none can act on another meeting.
		m.dialog = nil
		m.tell("Nothing was done.")
		return nil
	}
	k := msg.String()
	switch d.step {
	case stepChoose:
		switch k {
		case "1", "2", "3":
			d.override = policy.Override{Kind: policy.ForceLevel, Level: policy.Level(k[0] - '0')}
			d.step = stepConfirm
		case "t":
			d.step, d.input = stepText, newInput()
		case "esc", "q", "n":
			d.cancel(m)
		}
	case stepText:
		switch k {
		case "esc":
			d.step, d.problem = stepChoose, ""
		case "enter":
			text := d.input.Value()
			if err := m.board.CheckText(text); err != nil {
				d.problem = err.Error()
				return nil
			}
			d.override = policy.Override{Kind: policy.ForceText, Text: text}
			d.step, d.problem = stepConfirm, ""
		default:
			d.input, _ = d.input.Update(msg)
			d.check(m)
		}
	case stepConfirm:
		switch k {
		case "y", "Y":
			o := d.override
			if after := holdFor[d.hold]; after > 0 {
				o.Until = m.o.Now().Add(after)
			}
			m.dialog = nil
			return m.override(d.targets, o)
		case "r":
			d.step, d.input = stepReason, newInput()
			d.input.CharLimit = 120
			d.input.SetValue(d.override.Reason)
			d.input.CursorEnd()
		case "u":
			d.hold = (d.hold + 1) % len(holdFor)
		case "n", "N", "enter", "esc", "q":
			d.cancel(m)
		}
	case stepReason:
		switch k {
		case "esc":
			d.step = stepConfirm
		case "enter":
			d.override.Reason = strings.TrimSpace(d.input.Value())
			d.step = stepConfirm
		default:
			d.input, _ = d.input.Update(msg)
		}
	}
	return nil
}

func (d *overrideDialog) cancel(m *model) {
	m.dialog = nil
	m.tell("Nothing was done.")
}

// check says what is wrong with the text while it is typed.
func (d *overrideDialog) check(m *model) {
	d.problem = ""
	if text := d.input.Value(); text != "" {
		if err := m.board.CheckText(text); err != nil {
			d.problem = err.Error()
		}
	}
}

func (d *overrideDialog) paste(m *model, msg tea.PasteMsg) {
	switch d.step {
	case stepText:
		d.input, _ = d.input.Update(msg)
		d.check(m)
	case stepReason:
		d.input, _ = d.input.Update(msg)
	}
}

func (d *overrideDialog) lines(m *model, w int) []dialogLine {
	p, words := &m.palette, &m.words
	here, ended := m.living(d.targets)
	if len(here) == 0 {
		return []dialogLine{
			{text: endedText(d.targets), style: p.warn},
			{text: "Nothing was done. Any key goes back.", style: p.bold},
		}
	}
	var lines []dialogLine
	add := func(s style, text string) {
		for _, line := range wrap(text, w) {
			lines = append(lines, dialogLine{text: line, style: s})
		}
	}
	name := m.named(here, max(12, w/2))
	switch d.step {
	case stepChoose:
		if len(here) == 1 {
			v := here[0]
			name += ", whose level is " + words.badge(v.Computed, v.Unverified != "")
		}
		add(p.bold, "Force a marking on "+name+":")
		var all []string
		for l := policy.Level1; l <= policy.Level3; l++ {
			all = append(all, l.String()+" "+words.names[l])
		}
		choices := strings.Join(all, "   ") + "   t own text   esc back"
		if w < width(choices) {
			choices = strings.Join(all, "  ") + "\nt own text  esc back"
		}
		for _, s := range strings.Split(choices, "\n") {
			add("", s)
		}
		d.roll(m, here, ended, add)
		for l := policy.Level1; l <= policy.Level3; l++ {
			text := safe(m.board.Preview(policy.Override{Kind: policy.ForceLevel, Level: l}).Text)
			n, who := words.above(together(here), l)
			switch {
			case n > 0 && m.h < 16: // the text comes with the next question
				text = "hides " + who
			case n > 0:
				text += "; hides " + who
			case m.h < 16:
				text = "hides nobody"
			}
			add(p.faint, l.String()+"  "+text)
		}
	case stepText:
		add(p.bold, "Text for the screens of "+name+":")
		d.field(&lines, w)
		n := number(length(d.input.Value())) + " of " + number(m.o.MaxText) + " characters"
		if d.problem != "" {
			add(p.bad, n+": "+d.problem)
		} else {
			add("", n+d.allowed(m)+"   enter goes on   esc back")
		}
	case stepReason:
		add(p.bold, "Reason, for the log and for those who come after you:")
		d.field(&lines, w)
		add("", "enter takes it   esc leaves it as it was")
	case stepConfirm:
		add(p.bold, d.question(m, here, name))
		answers := "y yes   n no (enter: no)   r reason   u until"
		if w < width(answers) {
			answers = "y yes  n no  r reason  u until"
		}
		lines = append(lines, dialogLine{text: answers, style: p.selected})
		d.roll(m, here, ended, add)
		if m.h < 16 {
			add("", d.until(m))
		}
		for _, s := range d.consequences(m, here) {
			add("", s)
		}
		if m.h >= 16 {
			add("", d.until(m))
		}
		if d.override.Reason != "" {
			add("", "Reason: "+d.override.Reason)
		}
	}
	return lines
}

// until says how long the override will hold, among what else there is.
func (d *overrideDialog) until(m *model) string {
	s := "Until"
	if h := d.hold; m.h < 16 { // no room for what else there is
		if holdFor[h] == 0 {
			return "Until the meeting ends"
		}
		return "Until " + m.words.zone(m.now.Add(holdFor[h])).Format("15:04") + " (" + span(holdFor[h]) + ")"
	}
	for i, after := range holdFor {
		text := "the meeting ends"
		if after > 0 {
			text = m.words.zone(m.now.Add(after)).Format("15:04") + " (" + span(after) + ")"
		}
		if i == d.hold {
			text = "[" + text + "]"
		}
		s += "  " + text
	}
	return s
}

// allowed says what the site lets a text be, besides short.
func (d *overrideDialog) allowed(m *model) string {
	if m.o.AnyText {
		return ", of any kind"
	}
	return " of plain ASCII"
}

// field adds the line that is typed into.
func (d *overrideDialog) field(lines *[]dialogLine, w int) {
	widen(&d.input, w-3)
	*lines = append(*lines, dialogLine{text: "> " + d.input.View(), raw: true})
}

// roll names the meetings where there are several: nobody acts on what was not
// named to him.
func (d *overrideDialog) roll(m *model, here []*policy.MeetingView, ended int, add func(style, string)) {
	if len(d.targets) == 1 {
		return
	}
	add("", m.roll(here))
	if ended > 0 {
		add(m.palette.warn, plural(ended, "meeting")+" of these ended meanwhile.")
	}
}

// question names what is about to be done, to whom, and what it hides.
func (d *overrideDialog) question(m *model, here []*policy.MeetingView, name string) string {
	o := &d.override
	hides := policy.LevelNone
	var q string
	switch o.Kind {
	case policy.ForceLevel:
		hides = o.Level
		q = "Force " + m.words.badge(o.Level, false) + " on " + name + "?"
	case policy.ForceText:
		q = "Force the text \"" + safe(o.Text) + "\" on " + name + "?"
	default:
		q = "Clear the marking of " + name + "?"
	}
	if n, who := m.words.above(together(here), hides); n > 0 {
		verb := " participants are in "
		if n == 1 {
			verb = " participant is in "
		}
		if len(here) == 1 {
			verb += "this meeting."
		} else {
			verb += "these meetings."
		}
		q += " " + who + verb
	}
	return q
}

// together holds the people of all of some meetings.
func together(all []*policy.MeetingView) *policy.MeetingView {
	var sum policy.MeetingView
	for _, v := range all {
		for l := range v.People {
			sum.People[l] += v.People[l]
		}
	}
	return &sum
}

// willSay shows what an override will put on the screens.
func willSay(mark policy.Marking) string {
	where := ""
	if mark.Position != "" {
		where = ", at the " + mark.Position
	}
	return "The screens will say" + where + ": " + safe(mark.Text)
}

// consequences says what the override hides and what it takes the place of.
func (d *overrideDialog) consequences(m *model, here []*policy.MeetingView) []string {
	o := &d.override
	if len(here) > 1 {
		return d.consequencesOfAll(m, here)
	}
	v := here[0]
	var out []string
	level := m.words.badge(v.Computed, v.Unverified != "")
	switch {
	case o.Kind == policy.ForceClear:
		out = append(out, "Its level is "+level+": the screens will show no marking at all.")
	case o.Kind == policy.ForceLevel && o.Level < badness(v):
		out = append(out, "Its level is "+level+", less trusted than what the screens will say.")
	default:
		out = append(out, "Its level is "+level+".")
	}
	if mark := m.board.Preview(*o); mark.Shows() {
		out = append(out, willSay(mark))
	}
	if v.Unverified != "" {
		out = append(out, "Unverified: "+v.Unverified+". There may be others in it.")
	}
	if v.Waiting > 0 {
		out = append(out, number(v.Waiting)+" in the lobby or on the way in are not counted yet.")
	}
	if v.Override != nil {
		out = append(out, "It takes the place of: "+m.words.meetingOverride(v)+".")
	}
	return out
}

// consequencesOfAll says the same of several meetings together.
func (d *overrideDialog) consequencesOfAll(m *model, here []*policy.MeetingView) []string {
	o := &d.override
	var out []string
	lower, unverified, overridden, waiting := 0, 0, 0, 0
	for _, v := range here {
		if o.Kind == policy.ForceLevel && o.Level < badness(v) {
			lower++
		}
		if v.Unverified != "" {
			unverified++
		}
		if v.Override != nil {
			overridden++
		}
		waiting += v.Waiting
	}
	if lower > 0 {
		out = append(out, number(lower)+" of "+number(len(here))+" are less trusted than what the screens will say.")
	}
	if o.Kind == policy.ForceClear {
		out = append(out, "The screens will show no marking at all.")
	} else if mark := m.board.Preview(*o); mark.Shows() {
		out = append(out, willSay(mark))
	}
	if unverified > 0 {
		out = append(out, number(unverified)+" of "+number(len(here))+" unverified: there may be others in them.")
	}
	if waiting > 0 {
		out = append(out, number(waiting)+" in the lobby or on the way in are not counted yet.")
	}
	if overridden > 0 {
		out = append(out, "It takes the place of "+plural(overridden, "override")+".")
	}
	return out
}

// quitDialog asks before the program ends.
type quitDialog struct{}

func (quitDialog) paste(*model, tea.PasteMsg) {}

func (quitDialog) press(m *model, msg tea.KeyPressMsg) tea.Cmd {
	m.dialog = nil
	if k := msg.String(); k == "y" || k == "Y" {
		return tea.Quit
	}
	return nil
}

func (quitDialog) lines(m *model, w int) []dialogLine {
	lines := []dialogLine{
		{text: "Quit " + m.o.Title + "?", style: m.palette.bold},
		{text: "y yes   n no (enter: no)", style: m.palette.selected},
	}
	for _, s := range wrap(m.o.QuitWarning, w) {
		lines = append(lines, dialogLine{text: s})
	}
	return lines
}
