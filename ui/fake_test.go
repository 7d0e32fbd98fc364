package ui

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"callmark/policy"
)

// start is the moment at which the tests' clocks stand.
var start = time.Date(2026, 11, 24, 14, 3, 22, 0, time.UTC)

// fakeBoard is a board that holds what a test put on it.
type fakeBoard struct {
	mu       sync.Mutex
	version  uint64
	meetings map[policy.MeetingID]*policy.MeetingView
	gone     map[policy.MeetingID]uint64
	legs     map[policy.MeetingID][]policy.LegView
	journal  []policy.Entry
	rest     policy.Update // bridges, alarms, receiver, totals
	dirty    map[chan struct{}]struct{}

	did      []string // what the operator did
	legsRead []policy.MeetingID
	err      error // for Override and Release
}

func newFake() *fakeBoard {
	return &fakeBoard{
		version:  1,
		meetings: map[policy.MeetingID]*policy.MeetingView{},
		gone:     map[policy.MeetingID]uint64{},
		legs:     map[policy.MeetingID][]policy.LegView{},
		dirty:    map[chan struct{}]struct{}{},
	}
}

// put puts a meeting on the board, or a new version of it.
func (b *fakeBoard) put(all ...policy.MeetingView) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, v := range all {
		b.version++
		v.Version = b.version
		b.meetings[v.ID] = &v
		delete(b.gone, v.ID)
	}
	b.mark()
}

// end takes meetings off.
func (b *fakeBoard) end(ids ...policy.MeetingID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.version++
		delete(b.meetings, id)
		b.gone[id] = b.version
	}
	b.mark()
}

// note appends to the journal.
func (b *fakeBoard) note(all ...policy.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range all {
		e.Seq = uint64(len(b.journal) + 1)
		b.journal = append(b.journal, e)
	}
	b.mark()
}

func (b *fakeBoard) mark() {
	for ch := range b.dirty {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (b *fakeBoard) Watch() (<-chan struct{}, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan struct{}, 1)
	b.dirty[ch] = struct{}{}
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.dirty, ch)
	}
}

func (b *fakeBoard) Since(version uint64) policy.Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.rest
	u.Version, u.Full = b.version, version == 0
	for _, v := range b.meetings {
		if v.Version > version {
			u.Meetings = append(u.Meetings, v)
		}
	}
	for id, at := range b.gone {
		if version > 0 && at > version {
			u.Gone = append(u.Gone, id)
		}
	}
	if u.Totals == (policy.Totals{}) {
		for _, v := range b.meetings {
			u.Totals.Meetings++
			u.Totals.Levels[v.Computed]++
			if v.Unverified != "" {
				u.Totals.Unverified++
			}
			if v.Override != nil {
				u.Totals.Overridden++
			}
			if v.State == policy.StateFailed {
				u.Totals.Failing++
			}
		}
	}
	return u
}

func (b *fakeBoard) Meeting(id policy.MeetingID) (*policy.MeetingView, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.meetings[id]
	return v, ok
}

func (b *fakeBoard) Legs(id policy.MeetingID) []policy.LegView {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.legsRead = append(b.legsRead, id)
	return slices.Clone(b.legs[id])
}

func (b *fakeBoard) Journal(after uint64, max int) ([]policy.Entry, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if after >= uint64(len(b.journal)) {
		return nil, 0
	}
	rest := b.journal[after:]
	return slices.Clone(rest[:min(max, len(rest))]), 0
}

func (b *fakeBoard) Override(_ time.Time, id policy.MeetingID, o policy.Override) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	old, ok := b.meetings[id]
	if !ok {
		return policy.ErrNoMeeting
	}
	b.did = append(b.did, fmt.Sprintf("override %s %s by %s", id, o, o.Who))
	b.version++
	v := *old
	v.Version, v.Override = b.version, &o
	b.meetings[id] = &v
	return nil
}

func (b *fakeBoard) Release(_ time.Time, id policy.MeetingID, who string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	old, ok := b.meetings[id]
	if !ok {
		return policy.ErrNoMeeting
	}
	if old.Override == nil && old.Fallen == nil {
		return policy.ErrAutomatic
	}
	b.did = append(b.did, fmt.Sprintf("release %s by %s", id, who))
	b.version++
	v := *old
	v.Version, v.Override, v.Fallen = b.version, nil, nil
	b.meetings[id] = &v
	return nil
}

func (b *fakeBoard) Dismiss(_ time.Time, key, who string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, "dismiss "+key+" by "+who)
	b.rest.Alarms = slices.DeleteFunc(slices.Clone(b.rest.Alarms), func(a policy.Alarm) bool { return a.Key == key })
}

func (b *fakeBoard) CheckText(text string) error { return policy.CheckText(text, 60, false) }

func (b *fakeBoard) Preview(o policy.Override) policy.Marking {
	switch o.Kind {
	case policy.ForceLevel:
		return policy.Marking{Kind: policy.MarkLevel, Level: o.Level, Text: policy.DefaultLevels()[o.Level].Message}
	case policy.ForceText:
		return policy.Marking{Kind: policy.MarkText, Text: o.Text}
	}
	return policy.Marking{Kind: policy.MarkClear}
}

// acts is what the operator has done so far.
func (b *fakeBoard) acts() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.did, "\n")
}

// bench drives a model without a program around it: frames come when a test
// asks for them.
type bench struct {
	t     testing.TB
	board *fakeBoard
	m     *model
	pump  pump
	at    time.Time
	cmd   tea.Cmd // of the last key
}

func newBench(t testing.TB, w, h int, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, board: newFake(), at: start}
	o := Options{
		Board: b.board, Version: "0.1.0", Who: "anna", UTC: true, Environ: []string{"TERM=xterm-256color"},
		Now: func() time.Time { return b.at }, Width: w, Height: h, Refresh: func() {},
	}
	for _, f := range change {
		f(&o)
	}
	o, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	b.m = newModel(&o)
	b.pump = pump{board: b.board, focus: b.m.focus, now: o.Now}
	return b
}

// frame lets the console see what the board holds now.
func (b *bench) frame() *bench {
	b.m.Update(b.pump.collect())
	return b
}

// later moves the clock.
func (b *bench) later(d time.Duration) *bench {
	b.at = b.at.Add(d)
	return b.frame()
}

// keys presses keys, by their names or as text.
func (b *bench) keys(all ...string) *bench {
	b.t.Helper()
	for _, k := range all {
		_, b.cmd = b.m.Update(keyPress(k))
		b.screen()
	}
	return b
}

// typed presses a key for each character.
func (b *bench) typed(text string) *bench {
	for _, r := range text {
		b.keys(string(r))
	}
	return b
}

var named = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
	"pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
	"tab": {Code: tea.KeyTab}, "f2": {Code: tea.KeyF2}, "space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace},
	"ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+z": {Code: 'z', Mod: tea.ModCtrl},
}

func keyPress(k string) tea.KeyPressMsg {
	if n, ok := named[k]; ok {
		return tea.KeyPressMsg(n)
	}
	r := []rune(k)[0]
	return tea.KeyPressMsg{Code: r, Text: k}
}

// screen returns what is to be seen, without styles, and checks that it fits.
func (b *bench) screen() string {
	b.t.Helper()
	raw := b.m.View().Content
	lines := strings.Split(raw, "\n")
	if len(lines) > b.m.h {
		b.t.Errorf("%d lines on a screen of %d:\n%s", len(lines), b.m.h, raw)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > b.m.w {
			b.t.Errorf("line %d takes %d of %d cells: %q", i, n, b.m.w, ansi.Strip(l))
		}
		lines[i] = strings.TrimRight(ansi.Strip(l), " ")
	}
	return strings.Join(lines, "\n")
}

// shows fails unless each text is on the screen.
func (b *bench) shows(all ...string) *bench {
	b.t.Helper()
	s := b.screen()
	for _, want := range all {
		if !strings.Contains(s, want) {
			b.t.Errorf("not on the screen: %q\n%s", want, s)
		}
	}
	return b
}

// hides fails if a text is on the screen.
func (b *bench) hides(all ...string) *bench {
	b.t.Helper()
	s := b.screen()
	for _, not := range all {
		if strings.Contains(s, not) {
			b.t.Errorf("on the screen: %q\n%s", not, s)
		}
	}
	return b
}

// line returns the first line of the screen that holds a text.
func (b *bench) line(text string) string {
	b.t.Helper()
	for l := range strings.Lines(b.screen()) {
		if strings.Contains(l, text) {
			return strings.TrimRight(l, "\n")
		}
	}
	b.t.Errorf("no line with %q\n%s", text, b.screen())
	return ""
}

// mtg makes a meeting with one call that shows its level.
func mtg(id, name string, l policy.Level) policy.MeetingView {
	mark := policy.Marking{Kind: policy.MarkLevel, Level: l, Text: policy.DefaultLevels()[l].Message, Position: "bottom"}
	state := policy.StateConfirmed
	if l == policy.LevelNone {
		mark, state = policy.Marking{}, policy.StateIdle
	}
	v := policy.MeetingView{
		ID: policy.MeetingID(id), Name: name, Started: start.Add(-12 * time.Minute), Computed: l, Shown: l,
		Wanted: mark, State: state,
		Calls: []policy.CallView{{ID: "c-" + id, Bridge: "cms1", Server: "cms1.example.com:443", Wanted: mark, Sent: mark, State: state, Confirmed: true, Since: start.Add(-time.Minute), SentAt: start.Add(-time.Minute)}},
	}
	for k := policy.Level1; k <= l; k++ {
		v.People[k] = int(k)
	}
	if l > policy.LevelNone {
		v.Holder = policy.Holder{Leg: "leg-" + id, Name: "Mallory", Evidence: policy.Evidence{
			Level: l, Rule: policy.RuleNoEntry, Address: "sip:mallory@evil.test", Host: "evil.test",
		}}
	}
	return v
}

// scene puts on a board what a busy afternoon looks like.
func scene(b *fakeBoard) {
	cabinet := mtg("m-cabinet", "Cabinet briefing", policy.Level3)
	cabinet.People = [4]int{0, 3, 5, 2}
	cabinet.Waiting = 1
	cabinet.Holder.Leg = "l2"
	budget := mtg("m-budget", "Budget 2027", policy.Level2)
	budget.Override = &policy.Override{Kind: policy.ForceLevel, Level: policy.Level1, Who: "bob", At: start.Add(-8 * time.Minute), Reason: "chair asked"}
	budget.Wanted = policy.Marking{Kind: policy.MarkLevel, Level: policy.Level1}
	budget.State = policy.StateSending
	budget.Calls[0].Wanted, budget.Calls[0].State = budget.Wanted, budget.State
	board := mtg("m-board", "Board of directors", policy.Level1)
	board.Unverified, board.UnverifiedSince = "3 records before 1882 were lost", start.Add(-4*time.Second)
	supply := mtg("m-supply", "Supply chain weekly", policy.Level2)
	supply.State, supply.Failure = policy.StateFailed, "the server answers 503, busy"
	supply.Calls[0].State, supply.Calls[0].Failure, supply.Calls[0].Attempts = policy.StateFailed, supply.Failure, 3
	supply.Calls[0].Sent = policy.Marking{Kind: policy.MarkLevel, Level: policy.Level1}
	legal := mtg("m-legal", "Legal", policy.Level3)
	legal.Fallen = &policy.Fallen{Override: policy.Override{Kind: policy.ForceClear, Who: "anna"}, At: start.Add(-40 * time.Second), Computed: policy.Level3}
	b.put(cabinet, budget, board, supply, legal, mtg("m-empty", "Lobby test", policy.LevelNone), mtg("m-rooms", "Rooms", policy.Level1))

	b.rest.Bridges = []policy.BridgeView{
		{Key: "1", Name: "cms1", Server: "cms1.example.com:443", Session: "s1", LastRecord: start.Add(-2 * time.Second), Bound: policy.ServerStatus{State: policy.ServerUp}},
		{Key: "2", Name: "cms2", Server: "cms2.example.com:443", Session: "s2", Bound: policy.ServerStatus{
			State: policy.ServerDown, Since: start.Add(-2 * time.Minute), Problem: "connection refused", Remedy: "check that webadmin listens there", NextTry: start.Add(8 * time.Second),
		}},
		{Key: "3", Name: "cms3", Server: "cms3.example.com:443", Bound: policy.ServerStatus{State: policy.ServerUp, Insecure: true}},
	}
	b.rest.Alarms = []policy.Alarm{{Key: "cdr cms3", Text: "cms3 sends its records elsewhere", Remedy: "set its CDR receiver to this host", Since: start.Add(-3 * time.Minute), Count: 1}}
	b.rest.Receiver = policy.ReceiverStatus{Listen: ":5000", Open: true}
	b.legs["m-cabinet"] = []policy.LegView{
		{ID: "l1", Name: "Room 4.01", Address: "sip:4.01@rooms.corp.example", Domain: "rooms.corp.example", Level: 1, Type: "SIP", Presence: policy.InMeeting, Counts: true, Joined: start.Add(-11 * time.Minute), Evidence: policy.Evidence{Rule: policy.RuleSecureEntry, Host: "rooms.corp.example", Entry: "rooms.corp.example"}},
		{ID: "l2", Name: "Mallory", Address: "sip:mallory@evil.test", Domain: "evil.test", Level: 3, Type: "SIP", Presence: policy.InMeeting, Counts: true, Joined: start.Add(-3 * time.Minute), Evidence: policy.Evidence{Rule: policy.RuleNoEntry, Host: "evil.test"}},
		{ID: "l3", Name: "Guest", Level: 3, Type: "web guest", Presence: policy.InLobby, Joined: start.Add(-time.Minute), Evidence: policy.Evidence{Rule: policy.RuleWebApp, Detail: "webApp"}},
		{ID: "l4", Name: "Ines", Address: "sip:ines@corp.example", Domain: "corp.example", Level: 2, Type: "SIP", Presence: policy.InMeeting, Counts: true, Joined: start.Add(-9 * time.Minute), Evidence: policy.Evidence{Rule: policy.RuleInternalEntry, Host: "corp.example", Entry: "corp.example"}},
	}
	b.note(
		policy.Entry{Time: start.Add(-12 * time.Minute), Kind: policy.EntryCallStarted, Meeting: "m-cabinet", Name: "Cabinet briefing", Bridge: "cms1"},
		policy.Entry{Time: start.Add(-11 * time.Minute), Kind: policy.EntryJoined, Meeting: "m-cabinet", Name: "Cabinet briefing", Person: "Room 4.01", Address: "sip:4.01@rooms.corp.example", Level: 1},
		policy.Entry{Time: start.Add(-8 * time.Minute), Kind: policy.EntryForced, Weight: policy.Notice, Meeting: "m-budget", Name: "Budget 2027", Level: 2, Text: "level 1: chair asked", Who: "bob"},
		policy.Entry{Time: start.Add(-3 * time.Minute), Kind: policy.EntryJoined, Meeting: "m-cabinet", Name: "Cabinet briefing", Person: "Mallory", Address: "sip:mallory@evil.test", Level: 3, Text: "host evil.test matches no entry"},
		policy.Entry{Time: start.Add(-3 * time.Minute), Kind: policy.EntryLevel, Weight: policy.Notice, Meeting: "m-cabinet", Name: "Cabinet briefing", Before: 2, Level: 3},
		policy.Entry{Time: start.Add(-40 * time.Second), Kind: policy.EntryFell, Weight: policy.Warning, Meeting: "m-legal", Name: "Legal", Level: 3, Text: "clear", Who: "anna"},
	)
}

// ids of a table's rows as they are shown.
func shownIDs(m *model) []string {
	var out []string
	for _, x := range m.meetings.shown {
		out = append(out, string(x.key))
	}
	return out
}
