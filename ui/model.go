package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// The least that the console can be useful in.
const (
	minWidth  = 40
	minHeight = 10
)

// noticeFor is how long a notice stays. An error stays until a key.
const noticeFor = 5 * time.Second

// view is one of the console's places.
type view uint8

const (
	viewMeetings view = iota
	viewMeeting
	viewLog
	viewHistory // of the open meeting
	viewBridges
	viewBridge // one Call Bridge in full
	viewInFull // the open meeting, a participant of it, or an entry of its history
	viewEntry  // an entry of the log in full
)

// model is the console's state. It is bubbletea's one model: its parts are
// plain structs, and everything in it is touched by the program's goroutine
// only, focus excepted.
type model struct {
	o       Options
	board   Board
	words   words
	palette palette
	theme   theme
	keys    keymap
	help    help.Model
	focus   *focus

	w, h int
	now  time.Time
	read bool // a first frame has come

	totals   policy.Totals
	bridges  []policy.BridgeView
	alarms   []policy.Alarm
	receiver policy.ReceiverStatus
	problem  int // which of the problems is marked

	view     view
	trail    []view // where esc leads, the last first
	meetings table[policy.MeetingID, *policy.MeetingView]
	open     openMeeting
	log      eventLog
	history  eventLog // of the open meeting alone

	callBridges bridgesView
	bridge      detail
	inFull      detail
	helpPage    detail

	paused bool
	held   map[policy.MeetingID]*policy.MeetingView // changes that wait; nil: gone
	fallen fallen                                   // also while paused

	dialog    dialog // nil: none
	askTop    int    // the first of its lines that is shown
	askMore   int    // how many of them had no room
	filtering bool   // the filter is being typed
	input     textinput.Model
	helping   bool // the full help is shown
	notice    notice
	interrupt time.Time // of the first ctrl+c

	mouse  bool // the console has the mouse
	bell   bell
	left   viewState // as it was kept last
	unkept bool      // that it could not be was told
	keeper viewKeeper

	canvas canvas
	cached helpLine
}

// notice is a short message to the operator.
type notice struct {
	text  string
	error bool
	until time.Time // zero for an error
}

func newModel(o *Options) *model {
	m := &model{
		o:     *o,
		board: o.Board,
		words: newWords(o),
		theme: theme{name: o.Theme},
		keys:  newKeymap(o.ASCII),
		help:  newHelp(o.ASCII),
		focus: newFocus(),
		w:     o.Width,
		h:     o.Height,
		now:   o.Now(),
		held:  map[policy.MeetingID]*policy.MeetingView{},
	}
	m.canvas.stop = m.words.stop
	m.paint()
	_ = m.keys.remap(o.Keys, o.ASCII) // its error was the options'
	m.meetings = newMeetings(m)
	m.open.table = newLegs(m)
	m.log.init(m)
	m.history = newHistory(m)
	m.callBridges.init(m)
	m.keeper.save = o.KeepView
	m.restoreView()
	return m
}

// Init asks for the terminal's background: the pump brings the first frame.
func (m *model) Init() tea.Cmd { return m.askBackground() }

// Update takes a key, a size or a frame.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case frame:
		cmd := m.ring(&msg)
		m.take(msg)
		return m, cmd
	case tea.KeyPressMsg:
		cmd := m.press(msg)
		if keep := m.keepView(); keep != nil {
			cmd = tea.Batch(cmd, keep)
		}
		return m, cmd
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case tea.MouseClickMsg:
		m.click(msg)
		return m, m.keepView()
	case viewKept:
		m.viewKept(msg)
	case tea.PasteMsg:
		// What is pasted is text, never keys.
		return m, m.paste(msg)
	case saved:
		m.saved(msg)
	case exported:
		m.exported(msg)
	case tea.BackgroundColorMsg:
		m.theme.told, m.theme.dark = true, msg.IsDark()
		m.paint()
	case tea.ColorProfileMsg:
		m.theme.profile = msg.Profile
		m.paint()
	}
	return m, nil
}

// take brings the state up to a frame.
func (m *model) take(f frame) {
	m.now = f.at
	m.read = true
	u := &f.update
	m.meetings.now = f.at
	m.totals, m.bridges, m.alarms, m.receiver = u.Totals, u.Bridges, u.Alarms, u.Receiver
	switch {
	case m.paused:
		m.hold(u)
	case u.Full:
		m.meetings.replace(u.Meetings)
	default:
		m.meetings.update(u.Meetings, u.Gone)
	}
	m.callBridges.take(u.Bridges)
	m.fallen.take(u)
	m.log.take(m, f.entries, f.lost)
	m.open.take(m, &f)
	for i := range f.entries {
		e := &f.entries[i]
		if e.Kind == policy.EntryFell && u.Version > 0 && e.Time.Add(noticeFor).After(m.now) {
			m.fail(fmt.Sprintf("An override fell: %s is %s. It was: %s, by %s.",
				quoted(e.Name, 40, m.words.ellipsis), m.words.badge(e.Level, false), e.Text, who(e.Who)))
		}
	}
	if !m.notice.until.IsZero() && m.now.After(m.notice.until) {
		m.notice = notice{}
	}
}

// hold keeps what changes while the view is paused.
func (m *model) hold(u *policy.Update) {
	if u.Full {
		here := make(map[policy.MeetingID]bool, len(u.Meetings))
		for _, v := range u.Meetings {
			here[v.ID] = true
		}
		for id := range m.meetings.rows {
			if !here[id] {
				m.held[id] = nil
			}
		}
	}
	for _, id := range u.Gone {
		m.held[id] = nil
	}
	for _, v := range u.Meetings {
		if old, ok := m.meetings.get(v.ID); !ok || old.Version != v.Version {
			m.held[v.ID] = v
		}
	}
}

// resume shows what changed while the view was paused.
func (m *model) resume() {
	m.paused = false
	var changed []*policy.MeetingView
	var gone []policy.MeetingID
	for id, v := range m.held {
		if v == nil {
			gone = append(gone, id)
		} else {
			changed = append(changed, v)
		}
	}
	clear(m.held)
	m.meetings.update(changed, gone)
}

// meeting returns a meeting as it is now, also while the view is paused.
func (m *model) meeting(id policy.MeetingID) (*policy.MeetingView, bool) {
	if v, ok := m.held[id]; ok {
		return v, v != nil
	}
	return m.meetings.get(id)
}

// tell shows a notice for a while.
func (m *model) tell(text string) {
	m.notice = notice{text: text, until: m.o.Now().Add(noticeFor)}
	m.log.own(m, policy.Info, text)
}

// fail shows an error until a key.
func (m *model) fail(text string) {
	m.notice = notice{text: text, error: true}
	m.log.own(m, policy.Warning, text)
}

// paste puts text into what is being typed.
func (m *model) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case m.dialog != nil:
		m.dialog.paste(m, msg)
	case m.filtering:
		m.input, _ = m.input.Update(msg)
		m.filter(m.input.Value())
	}
	return nil
}

// press answers a key.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	// m.now stays the last frame's: a clock that a key moved would make a screen
	// look alive that gets no frames any more.
	if key.Matches(msg, m.keys.Interrupt) {
		now := m.o.Now()
		if now.Sub(m.interrupt) < noticeFor {
			return tea.Quit
		}
		m.interrupt = now
		m.tell("Press ctrl+c once more to quit at once, or q to be asked.")
		return nil
	}
	m.interrupt = time.Time{}
	if key.Matches(msg, m.keys.Suspend) {
		m.tell("ctrl+z does nothing here: it would stop the receiver too. Use a second terminal.")
		return nil
	}
	if m.notice.error {
		m.notice = notice{}
		if key.Matches(msg, m.keys.Back) {
			return nil
		}
	}
	switch {
	case m.w < minWidth || m.h < minHeight:
		// Nobody acts on what cannot be seen.
		return nil
	case m.dialog != nil:
		switch msg.String() {
		case "down":
			m.askTop++ // drawing keeps it within what there is
			return nil
		case "up":
			m.askTop = max(0, m.askTop-1)
			return nil
		}
		m.askTop = 0
		return m.dialog.press(m, msg)
	case m.filtering:
		return m.pressFilter(msg)
	case m.helping:
		m.pressHelp(msg)
		return nil
	}
	return m.pressView(msg)
}

// ask opens a dialog. A notice of what went before would read as if it were
// about the question.
func (m *model) ask(d dialog) {
	m.dialog, m.askTop = d, 0
	m.notice = notice{}
}

// pressFilter answers a key while a filter is typed.
func (m *model) pressFilter(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case msg.String() == "enter":
		m.filtering = false
		return nil
	case msg.String() == "esc":
		m.filtering = false
		m.filter("")
		return nil
	}
	m.input, _ = m.input.Update(msg)
	m.filter(m.input.Value())
	return nil
}

// pressView answers a key in a view.
func (m *model) pressView(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	list := m.list()
	if why := m.unfit(msg); why != "" {
		m.tell(why)
		return nil
	}
	switch {
	case k.travel(msg, list):
	case key.Matches(msg, k.Open):
		m.pressOpen()
	case key.Matches(msg, k.Back):
		m.pressBack()
	case key.Matches(msg, k.Filter):
		m.filtering = true
		m.input = newInput()
		m.input.SetValue(list.filterText())
		m.input.CursorEnd()
	case key.Matches(msg, k.Sort):
		list.sortNext()
		if by := list.sorting(); by != "" {
			m.tell(strings.TrimSpace("Sorted by " + by + ". " + hint(&k.Reverse, "reverses.")))
		} else {
			m.tell("Sorted as at the start: " + m.ownOrder() + ".")
		}
	case key.Matches(msg, k.Reverse):
		list.turnAround()
	case key.Matches(msg, k.Force):
		m.act(func(targets []policy.MeetingID) { m.ask(newForce(targets)) })
	case key.Matches(msg, k.Clear):
		m.act(func(targets []policy.MeetingID) { m.ask(newClear(targets)) })
	case key.Matches(msg, k.Auto):
		var cmd tea.Cmd
		m.act(func(targets []policy.MeetingID) { cmd = m.automatic(targets) })
		return cmd
	case key.Matches(msg, k.Pick):
		m.pressPick()
	case key.Matches(msg, k.Refresh):
		return m.refresh()
	case key.Matches(msg, k.Help):
		m.openHelp()
	case key.Matches(msg, k.Quit):
		m.ask(&quitDialog{})
	case key.Matches(msg, k.Log):
		m.visit(viewLog)
	case key.Matches(msg, k.Bridges):
		m.visit(viewBridges)
	case key.Matches(msg, k.History):
		m.visit(viewHistory)
	case key.Matches(msg, k.InFull):
		m.open.inFull(m)
	case key.Matches(msg, k.Group):
		m.open.group(m)
	case key.Matches(msg, k.Ages):
		m.words.ages = !m.words.ages
	case key.Matches(msg, k.Export):
		m.pressExport()
	case key.Matches(msg, k.Pause):
		m.pressPause()
	case key.Matches(msg, k.Copy):
		return m.copyID()
	case key.Matches(msg, k.Zone):
		m.words.utc = !m.words.utc
	case key.Matches(msg, k.Mouse):
		m.pressMouse()
	case key.Matches(msg, k.Theme):
		return m.pressTheme()
	case key.Matches(msg, k.Next):
		m.problem++
	case key.Matches(msg, k.Dismiss):
		m.dismiss()
	}
	return nil
}

// list returns the table of the view that is shown.
func (m *model) list() lister {
	switch m.view {
	case viewMeeting:
		return &m.open.table
	case viewLog:
		return &m.log.table
	case viewBridges:
		return &m.callBridges.table
	case viewBridge:
		return &m.bridge
	case viewInFull, viewEntry:
		return &m.inFull
	case viewHistory:
		return &m.history.table
	}
	return &m.meetings
}

// ownOrder says how a view's table is ordered without a sort column.
func (m *model) ownOrder() string {
	if m.view == viewLog {
		return "by time"
	}
	return "worst first"
}

// filter sets the filter of the view that is shown.
func (m *model) filter(text string) { m.list().setFilter(text) }

func (m *model) pressOpen() {
	switch m.view {
	case viewMeetings:
		v, ok := m.meetings.selected()
		if !ok {
			m.tell(m.nothingSelected())
			return
		}
		m.visit(viewMeeting)
		m.open.start(m, v)
	case viewMeeting:
		m.open.person(m)
	case viewBridges:
		m.callBridges.open(m)
	case viewLog:
		m.log.open(m, viewEntry)
	case viewHistory:
		m.history.open(m, viewInFull)
	}
}

// pressPick selects the meeting under the cursor beside others, or takes that
// back.
func (m *model) pressPick() {
	switch {
	case m.o.ReadOnly:
		m.tell("Read-only: there is nothing to select meetings for.")
	case m.view != viewMeetings:
		m.tell("Only meetings can be selected: " + hint(&m.keys.Back, "goes back to them."))
	case !m.meetings.pick():
		m.tell(m.nothingSelected())
	}
}

func (m *model) pressBack() {
	if m.view == viewMeetings && m.meetings.pickedLen() > 0 {
		m.meetings.unpick()
		return
	}
	if list := m.list(); list.filterText() != "" {
		list.setFilter("")
		return
	}
	m.goBack()
}

func (m *model) pressPause() {
	if !m.paused {
		m.paused = true
		m.tell("The list of meetings is paused, nothing else: " + hint(&m.keys.Pause, "goes on."))
		return
	}
	m.resume()
	m.tell("The list of meetings goes on.")
}

// chosen returns the meeting that a key acts on.
func (m *model) chosen() (*policy.MeetingView, string) {
	switch m.place() {
	case viewMeeting:
		v, ok := m.meeting(m.open.id)
		if !ok {
			return nil, "This meeting has ended: there is nothing to act on. " + hint(&m.keys.Back, "goes back.")
		}
		return v, ""
	case viewLog:
		return nil, "The log shows what was: " + hint(&m.keys.Back, "goes back to the meetings, where keys act.")
	case viewBridges:
		return nil, "This is about Call Bridges: " + hint(&m.keys.Back, "goes back to the meetings, where keys act.")
	}
	v, ok := m.meetings.selected()
	if !ok {
		return nil, m.nothingSelected()
	}
	v, ok = m.meeting(v.ID)
	if !ok {
		return nil, "This meeting has ended: there is nothing to act on. " + hint(&m.keys.Pause, "shows what is.")
	}
	return v, ""
}

func (m *model) nothingSelected() string {
	switch {
	case m.meetings.lost:
		return "The selected meeting has ended: move to another first."
	case m.meetings.len() > 0:
		return "No meeting passes the filter: " + hint(&m.keys.Back, "takes it off.")
	}
	return "There is no meeting."
}

// act does something to the chosen meetings, or says why not.
func (m *model) act(do func([]policy.MeetingID)) {
	if m.o.ReadOnly {
		m.tell("Read-only: start without --read-only to force, clear or release.")
		return
	}
	if m.view == viewMeetings && m.meetings.pickedLen() > 0 {
		do(m.meetings.picks())
		return
	}
	v, why := m.chosen()
	if v == nil {
		m.tell(why)
		return
	}
	do([]policy.MeetingID{v.ID})
}

// automatic returns meetings to automatic. For one it asks nothing: what the
// screens show then follows from the facts.
func (m *model) automatic(targets []policy.MeetingID) tea.Cmd {
	if len(targets) > 1 {
		m.ask(releaseDialog{targets})
		return nil
	}
	v, ok := m.meeting(targets[0])
	if !ok {
		m.tell(endedText(targets))
		return nil
	}
	name := quoted(v.Name, 40, m.words.ellipsis)
	switch err := m.board.Release(m.o.Now(), v.ID, m.o.Who); {
	case errors.Is(err, policy.ErrAutomatic):
		m.tell(name + " is automatic already.")
		return nil
	case err != nil:
		m.fail("Not released: " + err.Error())
		return nil
	}
	return m.save(name + " is automatic again: its level is " + m.words.badge(v.Computed, v.Unverified != "") + ".")
}

// saved is what came of saving what an operator did.
type saved struct {
	done string // what he is told
	err  error
}

// save has what was just done kept for the next start, and tells the operator
// of it then. The board has it already: a slow disk delays no marking and no
// other key.
func (m *model) save(done string) tea.Cmd {
	m.focus.now()
	if m.o.Save == nil {
		m.tell(done)
		return nil
	}
	save := m.o.Save
	return func() tea.Msg { return saved{done, save()} }
}

// saved tells the operator what he did, and whether a restart would undo it.
func (m *model) saved(s saved) {
	switch {
	case s.err != nil:
		m.fail("Done, but not saved, a restart would undo it: " + s.err.Error() + ". " + s.done)
	case m.notice.error: // it came meanwhile, and stays until a key
		m.log.own(m, policy.Info, s.done)
	default:
		m.tell(s.done)
	}
}

func (m *model) refresh() tea.Cmd {
	if m.o.Refresh == nil {
		m.tell("There is nothing to resynchronise with: no servers are configured.")
		return nil
	}
	m.tell("Asked: every Call Bridge is read again, and locked servers are tried once.")
	refresh := m.o.Refresh
	return func() tea.Msg {
		refresh()
		return nil
	}
}

func (m *model) copyID() tea.Cmd {
	v, why := m.chosen()
	if v == nil {
		m.tell(why)
		return nil
	}
	// Whether the terminal takes it is not known.
	m.tell("Sent to the terminal's clipboard: " + string(v.ID))
	return tea.SetClipboard(safe(string(v.ID)))
}

func (m *model) dismiss() {
	if m.o.ReadOnly {
		m.tell("Read-only: start without --read-only to dismiss alarms.")
		return
	}
	all := m.problems()
	if len(all) == 0 {
		m.tell("There is no alarm.")
		return
	}
	p := all[m.marked(len(all))]
	if p.alarm == "" {
		m.tell("This one goes when its cause is gone: " + hint(&m.keys.Next, "steps to the next."))
		return
	}
	m.board.Dismiss(m.o.Now(), p.alarm, m.o.Who)
	m.tell("Dismissed: " + p.text)
	m.focus.now()
}

// lister is a table whatever its rows are.
type lister interface {
	move(by int)
	turn(pages int)
	jump(last bool)
	click(x, line int)
	setFilter(text string)
	filterText() string
	complaint() string
	sortNext()
	sorting() string
	turnAround()
	position() (at, shown, all int)
}

// newInput returns a field to type in: no colours of its own, a cursor that
// does not blink, and no key that runs a clipboard program.
func newInput() textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.SetStyles(textinput.Styles{Cursor: textinput.CursorStyle{Blink: false}})
	in.KeyMap.Paste.SetEnabled(false)
	in.CharLimit = 300
	in.Focus()
	return in
}

// widen gives a field w cells. Only moving the cursor makes it see what of its
// text it has room for.
func widen(in *textinput.Model, w int) {
	in.SetWidth(max(8, w))
	in.SetCursor(in.Position())
}
