package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The model: all records that ever came of each session, each once. Whenever
// somebody asks they are folded anew, in the order of their indexes. Slow, and
// obvious. It shares nothing with the board but the types of its events.
type model struct {
	ended    map[string]bool
	sessions map[string]*modelSession
	met      int

	duplicates, late, rivals int // how often; see vacuity
}

type modelSession struct {
	order          int // of being met
	bridge, server string
	records        map[int64]Event
	clock          time.Time // newest of its records
	doubt          int64     // what began before this index is in doubt
	rivalled       bool      // an older session of its Call Bridge has newer records
}

type modelCall struct {
	first, start, end int64 // index of the first start, the last start, the end; -1: none
	correlator        string
}

type modelLeg struct {
	newest, first    int64 // index of the last record, and of the first start; -1: none
	ended            bool
	target           string // the call that it says to be in
	connected, lobby bool
	app, noMan, link bool
	party, address   string
	group            string
}

// modelHosts are the Call Bridges' own hosts, and modelLevels the levels of all
// addresses in use; others are level 3.
var (
	modelWatched   = map[string]bool{"link@cms1.example": true}
	modelUnwatched = map[string]bool{"link@cms9.example": true}
	modelLevels    = map[string]Level{room: Level1, "sip:r2@lab.secure.example;x=y": Level1, staff: Level2}
	modelAddresses = []string{room, "sip:r2@lab.secure.example;x=y", staff, alien, "0701234567", "a@secure.example@evil.test"}
)

// apply takes a document whose records all have one time, and says what becomes
// of them.
func (m *model) apply(src Source, events []Event) (done Applied) {
	if m.ended[src.Session] {
		done.Dropped = len(events)
		return done
	}
	s := m.sessions[src.Session]
	learned := false
	if s == nil {
		m.met++
		s = &modelSession{order: m.met, bridge: src.CallBridge, records: map[int64]Event{}}
		m.sessions[src.Session] = s
		s.clock, learned = events[0].Time, src.CallBridge != ""
	}
	if s.bridge == "" && src.CallBridge != "" {
		s.bridge, learned = src.CallBridge, true
	}
	if learned {
		m.compare(src.Session)
	}
	if m.ended[src.Session] {
		done.Dropped = len(events)
		return done
	}
	for _, e := range events {
		if _, seen := s.records[e.Index]; seen {
			m.duplicates++
			done.Duplicates++
			continue
		}
		done.Taken++
		if e.Index < s.high() {
			m.late++
		}
		s.records[e.Index] = e
		if e.Missing > 0 {
			s.doubt = max(s.doubt, e.Index)
		}
		if e.Time.After(s.clock) {
			s.clock = e.Time
		}
	}
	if s.rivalled {
		m.compare(src.Session)
	}
	return done
}

// bind is the API's proof of the server that a session runs on.
func (m *model) bind(session, server string) {
	if s := m.sessions[session]; s != nil && s.server != server {
		s.server = server
		m.compare(session)
	}
}

// compare ends sessions: of two of one Call Bridge the one that was met first,
// unless it has the newer records. Then everything in both is in doubt.
func (m *model) compare(session string) {
	s := m.sessions[session]
	s.rivalled = false
	for _, id := range slices.Sorted(maps.Keys(m.sessions)) {
		other := m.sessions[id]
		if other == s || (s.bridge == "" || s.bridge != other.bridge) && (s.server == "" || s.server != other.server) {
			continue
		}
		first, then, firstID := s, other, session
		if other.order < s.order {
			first, then, firstID = other, s, id
		}
		if then.clock.Before(first.clock) {
			m.rivals++
			then.rivalled = true
			first.doubt = max(first.doubt, first.high()+1)
			then.doubt = max(then.doubt, then.high()+1)
			continue
		}
		delete(m.sessions, firstID)
		m.ended[firstID] = true
		if first == s {
			return
		}
	}
}

func (s *modelSession) high() int64 {
	high := int64(-1)
	for i := range s.records {
		high = max(high, i)
	}
	return high
}

// modelMeeting is what is compared.
type modelMeeting struct {
	Level      Level
	People     [4]int
	Waiting    int
	Others     int
	Unverified bool
	Calls      int
}

func (m *model) meetings() map[MeetingID]modelMeeting {
	type where struct {
		session string
		call    string
		at      MeetingID
		legs    map[string]*modelLeg
	}
	var running []where
	found := map[MeetingID]modelMeeting{}
	for id, s := range m.sessions {
		calls, legs, gap := s.fold()
		for call, c := range calls {
			w := where{session: id, call: call, at: MeetingID("call:" + call), legs: map[string]*modelLeg{}}
			if c.correlator != "" {
				w.at = MeetingID(c.correlator)
			}
			for leg, l := range legs {
				if l.target == call && !l.ended && l.newest > c.end {
					w.legs[leg] = l
				}
			}
			if c.end >= 0 && c.start < c.end && len(w.legs) == 0 {
				continue // it has ended
			}
			running = append(running, w)
			mm := found[w.at]
			mm.Calls++
			mm.Unverified = mm.Unverified || c.first < 0 || c.first < gap
			for _, l := range w.legs { // what it was before the gap is not known
				mm.Unverified = mm.Unverified || l.first < gap && gap > 0
			}
			found[w.at] = mm
		}
	}
	groups := map[MeetingID]map[string]Level{}
	for _, w := range running {
		mm := found[w.at]
		elsewhere, links := 0, 0 // calls that somebody confirms
		for _, other := range running {
			if other.at == w.at && other.session != w.session && m.sessions[other.session].server != "" {
				elsewhere++
			}
		}
		for _, l := range w.legs {
			if l.isLink() {
				links++
			}
		}
		for id, l := range w.legs {
			level := l.level(links <= elsewhere)
			switch {
			case level == LevelNone && !l.app && (l.noMan || l.isLink()):
				mm.Others++
				continue
			case level == LevelNone:
				mm.Waiting++
				continue
			}
			who := cmp.Or(l.group, w.session+"/"+id)
			if groups[w.at] == nil {
				groups[w.at] = map[string]Level{}
			}
			groups[w.at][who] = max(groups[w.at][who], level)
		}
		found[w.at] = mm
	}
	for at, g := range groups {
		mm := found[at]
		for _, level := range g {
			mm.People[level]++
			mm.Level = max(mm.Level, level)
		}
		found[at] = mm
	}
	return found
}

func (l *modelLeg) from() string { return cmp.Or(l.address, l.party) }

func (l *modelLeg) isLink() bool {
	return !l.app && (l.link || modelWatched[l.from()] || modelUnwatched[l.from()])
}

// level is what a leg in a call counts as. led says that the meeting has a call
// elsewhere for each link of this one.
func (l *modelLeg) level(led bool) Level {
	known, ok := modelLevels[l.from()]
	if !ok {
		known = Level3
	}
	switch {
	case !l.connected || l.lobby:
		return LevelNone
	case l.app:
		return Level3
	case l.noMan:
		return LevelNone
	case !l.isLink():
		return known
	case modelUnwatched[l.from()]:
		return Level3
	case l.link && modelWatched[l.from()] || led:
		return LevelNone
	case l.link:
		return Level3
	}
	return known
}

// fold plays the records of a session in the order of their indexes. What began
// before gap is incomplete.
func (s *modelSession) fold() (calls map[string]*modelCall, legs map[string]*modelLeg, gap int64) {
	calls, legs = map[string]*modelCall{}, map[string]*modelLeg{}
	call := func(id string) *modelCall {
		if calls[id] == nil {
			calls[id] = &modelCall{first: -1, start: -1, end: -1}
		}
		return calls[id]
	}
	next := int64(0)
	for _, i := range slices.Sorted(maps.Keys(s.records)) {
		if i != next {
			gap = i
		}
		next = i + 1
		e := s.records[i]
		switch e.Kind {
		case CallStarted:
			c := call(e.Call.ID)
			c.start = i
			if c.first < 0 {
				c.first = i
			}
			c.correlator = cmp.Or(c.correlator, e.Call.Correlator)
		case CallEnded:
			call(e.Call.ID).end = i
		case LegStarted, LegUpdated, LegEnded:
			l := legs[e.Leg.ID]
			if l == nil {
				l = &modelLeg{first: -1}
				legs[e.Leg.ID] = l
			}
			l.newest = i
			if e.Kind == LegEnded {
				l.ended = true
				continue
			}
			if e.Kind == LegStarted && l.first < 0 {
				l.first = i
			}
			l.connected = l.connected || e.Leg.Connected
			l.app = l.app || e.Leg.Type == "acano" || e.Leg.SubType == "webApp" || e.Leg.Guest == Yes
			l.link = l.link || e.Leg.SubType == "distributionLink"
			l.noMan = l.noMan || e.Leg.Recorder
			if e.Leg.Call != "" {
				call(e.Leg.Call) // perhaps met by a leg alone
				l.target = e.Leg.Call
			} else if e.Leg.IVR {
				l.target = ""
			}
			if e.Leg.Deactivated != Unsaid {
				l.lobby = e.Leg.Deactivated == Yes
			}
			l.address = cmp.Or(e.Leg.RemoteAddress, l.address)
			l.party = cmp.Or(e.Leg.RemoteParty, l.party)
			l.group = cmp.Or(e.Leg.Group, l.group)
		}
	}
	return calls, legs, max(gap, s.doubt)
}

// pair is a board and the model, given the same.
type pair struct {
	t     *rapid.T
	b     *Board
	m     *model
	now   time.Time
	shown map[MeetingID]*MeetingView // as of the step before

	follower map[MeetingID]*MeetingView // what a reader of increments has
	version  uint64

	*vacuity
}

// vacuity counts what a test has met, to show that it was about something.
type vacuity struct {
	documents, meetings, levelled, unverified, waiting, others int
	duplicates, late, rivals, ended, gone, held                int
	alike, understated                                         int // TestBoardIsTheTruth
}

func newPair(t *rapid.T, seen *vacuity) *pair {
	rules, err := NewRules([]string{"secure.example"}, []string{"corp.example"})
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{
		t: t, b: NewBoard(Options{Rules: rules}), now: t0, vacuity: seen,
		m:     &model{ended: map[string]bool{}, sessions: map[string]*modelSession{}},
		shown: map[MeetingID]*MeetingView{}, follower: map[MeetingID]*MeetingView{},
	}
	p.b.SetHosts(t0, []string{"cms1.example"}, []string{"cms9.example"})
	return p
}

// deliver gives a document to both and compares. server is the API's proof of
// whose it is, if there is any.
func (p *pair) deliver(src Source, events []Event, server string) {
	p.now = p.now.Add(300 * time.Millisecond)
	p.documents++
	if got, want := p.b.Apply(p.now, src, events), p.m.apply(src, events); got != want {
		p.t.Fatalf("of %d records: %+v by the board, %+v by the model", len(events), got, want)
	}
	if server != "" {
		p.b.Bind(p.now, src.Session, server, Proven)
		p.m.bind(src.Session, server)
	}
	p.b.Tick(p.now)
	p.check()
}

// check compares the board with the model, and with what it showed before.
func (p *pair) check() {
	p.t.Helper()
	checkBoard(p.t, p.b)
	want := p.m.meetings()
	u := p.b.Since(0)
	shown := map[MeetingID]*MeetingView{}
	for _, v := range u.Meetings {
		got := modelMeeting{v.Computed, v.People, v.Waiting, v.Others, v.Unverified != "", len(v.Calls)}
		if w, ok := want[v.ID]; !ok || w != got {
			p.t.Fatalf("meeting %s is %+v on the board, %+v (%t) in the model", v.ID, got, w, ok)
		}
		p.checkShown(v, p.shown[v.ID])
		shown[v.ID] = v
		p.meetings++
		p.waiting += v.Waiting
		p.others += v.Others
		if v.Computed > LevelNone {
			p.levelled++
		}
		if v.Unverified != "" {
			p.unverified++
		}
		if v.Shown > v.Computed {
			p.held++
		}
	}
	if len(u.Meetings) != len(want) {
		p.t.Fatalf("%d meetings on the board, %d in the model: %v", len(u.Meetings), len(want), want)
	}
	for id := range p.shown {
		if shown[id] == nil {
			p.gone++
		}
	}
	p.shown = shown
	p.follow(u)
}

// checkShown checks what a meeting shows, given what it showed before.
func (p *pair) checkShown(v, before *MeetingView) {
	p.t.Helper()
	same := before != nil && before.Started.Equal(v.Started) &&
		slices.EqualFunc(v.Calls, before.Calls, func(x, y CallView) bool { return x.Ref == y.Ref })
	overdue := v.Unverified != "" && p.now.Sub(v.UnverifiedSince) >= 5*time.Second
	switch {
	case v.Unverified == "" && v.Shown != v.Computed:
		p.t.Fatalf("meeting %s is verified at %s, and shows %s", v.ID, v.Computed, v.Shown)
	case overdue && v.Shown != Level3:
		p.t.Fatalf("meeting %s is overdue, and shows %s", v.ID, v.Shown)
	case v.Shown != LevelNone && v.Shown < v.Computed || v.Computed == Level3 && v.Shown != Level3:
		p.t.Fatalf("meeting %s shows %s, it is %s", v.ID, v.Shown, v.Computed)
	case v.Unverified != "" && same && v.Shown < before.Shown:
		p.t.Fatalf("meeting %s is unverified, and fell from %s to %s", v.ID, before.Shown, v.Shown)
	case v.Unverified != "" && same && before.Unverified != "" && before.Shown == LevelNone && v.Shown != LevelNone && v.Shown != Level3:
		p.t.Fatalf("meeting %s is unverified, showed nothing, and shows %s", v.ID, v.Shown)
	}
	for _, c := range v.Calls {
		if v.Shown != LevelNone && c.Wanted.Level != v.Shown || v.Shown == LevelNone && c.Wanted.Shows() {
			p.t.Fatalf("call %s wants %v, its meeting shows %s", c.ID, c.Wanted, v.Shown)
		}
	}
}

// follow has a reader who is told increments catch up now and then; it must
// have what one has who reads everything.
func (p *pair) follow(u Update) {
	p.t.Helper()
	if rapid.IntRange(0, 2).Draw(p.t, "read") == 0 {
		return
	}
	inc := p.b.Since(p.version)
	p.version = inc.Version
	if inc.Full {
		clear(p.follower)
	}
	for _, id := range inc.Gone {
		delete(p.follower, id)
	}
	for _, v := range inc.Meetings {
		p.follower[v.ID] = v
	}
	if len(p.follower) != len(u.Meetings) {
		p.t.Fatalf("the reader has %d meetings, there are %d", len(p.follower), len(u.Meetings))
	}
	for _, v := range u.Meetings {
		if p.follower[v.ID] != v {
			p.t.Fatalf("the reader has an old view of %s", v.ID)
		}
	}
}

// finish adds up what the model has met.
func (p *pair) finish() {
	p.duplicates += p.m.duplicates
	p.late += p.m.late
	p.rivals += p.m.rivals
	p.ended += len(p.m.ended)
}

// report fails a test that was about nothing.
func (v *vacuity) report(t *testing.T) {
	t.Logf("%+v", *v)
	if v.levelled < v.meetings/10 || v.unverified < v.meetings/20 || v.meetings-v.unverified < v.meetings/20 {
		t.Error("too few meetings with a level, unverified, or verified")
	}
	for _, n := range []int{v.waiting, v.others, v.duplicates, v.late, v.ended, v.gone, v.held} {
		if n == 0 {
			t.Error("something was never met")
		}
	}
}

// drawEvent makes up a record, without any regard to what came before.
func drawEvent(t *rapid.T, session string, index int64) Event {
	e := Event{Index: index, Kind: rapid.SampledFrom([]EventKind{Other, CallStarted, CallStarted, CallEnded,
		LegStarted, LegUpdated, LegUpdated, LegUpdated, LegUpdated, LegEnded}).Draw(t, "kind")}
	callID := func() string { return fmt.Sprintf("%s-call-%d", session, rapid.IntRange(1, 3).Draw(t, "call")) }
	if rapid.IntRange(0, 40).Draw(t, "missing") == 0 {
		e.Missing = 2
	}
	switch e.Kind {
	case CallStarted, CallEnded:
		e.Call.ID = callID()
		// The third call never has a correlator; the others share theirs with the
		// other Call Bridges'.
		if n := e.Call.ID[len(e.Call.ID)-1:]; n != "3" && rapid.IntRange(0, 3).Draw(t, "told") > 0 {
			if e.Kind == CallStarted {
				e.Call.Correlator = "meeting-" + n
			}
		}
	case LegStarted, LegUpdated, LegEnded:
		e.Leg.ID = fmt.Sprintf("leg-%d", rapid.IntRange(1, 6).Draw(t, "leg"))
		addresses := append([]string{"", "", "", "", "link@cms1.example", "link@cms9.example"}, modelAddresses...)
		if e.Kind == LegStarted {
			e.Leg.RemoteParty = rapid.SampledFrom(addresses).Draw(t, "party")
			e.Leg.Type = rapid.SampledFrom([]string{"sip", "sip", "sip", "sip", "sip", "acano"}).Draw(t, "type")
			e.Leg.SubType = rapid.SampledFrom([]string{"", "", "", "", "distributionLink", "lyncDistribution"}).Draw(t, "subType")
			e.Leg.Recorder = rapid.IntRange(0, 15).Draw(t, "recorder") == 0
		}
		if e.Kind == LegUpdated {
			e.Leg.Connected = rapid.IntRange(0, 3).Draw(t, "connected") > 0
			e.Leg.RemoteAddress = rapid.SampledFrom(addresses).Draw(t, "address")
			e.Leg.Deactivated = Tri(rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "lobby"))
		}
		switch rapid.IntRange(0, 5).Draw(t, "where") {
		case 0:
			e.Leg.IVR = e.Kind == LegUpdated
		case 1, 2, 3:
			e.Leg.Call = callID()
		}
		e.Leg.Group = rapid.SampledFrom([]string{"", "", "group-1"}).Draw(t, "group")
	}
	return e
}

// stamp gives the records of a document one time.
func stamp(events []Event, step int) []Event {
	for i := range events {
		events[i].Time = t0.Add(time.Duration(step) * time.Second)
	}
	return events
}

// Whatever is sent, twice, late, in a wrong order, or never, and whoever
// restarts: the board knows what the records that came say, and nothing else.
func TestBoardIsTheModel(t *testing.T) {
	var seen vacuity
	rapid.Check(t, func(t *rapid.T) {
		p := newPair(t, &seen)
		type line struct {
			src     Source
			index   int64
			waiting []Event
			past    []Event
		}
		type late struct { // what was under way when its Call Bridge restarted
			src    Source
			events []Event
		}
		var old []late
		lines := []*line{{src: Source{Session: "a-0", CallBridge: "A"}}, {src: Source{Session: "b-0"}}}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			l := lines[rapid.IntRange(0, 1).Draw(t, "bridge")]
			switch rapid.IntRange(0, 30).Draw(t, "what") {
			case 0:
				if l.src.CallBridge != "" {
					if len(l.waiting) > 0 {
						old = append(old, late{l.src, stamp(l.waiting, step)})
					}
					if rapid.Bool().Draw(t, "unheard") { // and again, before anything came
						src := Source{Session: fmt.Sprintf("a-%d-x", step), CallBridge: "A"}
						old = append(old, late{src, stamp([]Event{drawEvent(t, src.Session, 0), drawEvent(t, src.Session, 1)}, step)})
					}
					l.src.Session = fmt.Sprintf("a-%d", step+1)
					l.index, l.waiting, l.past = 0, nil, nil
				}
			case 1:
				l.index++ // a record is lost
			}
			for range rapid.IntRange(1, 4).Draw(t, "records") {
				l.waiting = append(l.waiting, drawEvent(t, l.src.Session, l.index))
				l.index++
			}
			if n := len(l.waiting); n > 1 && rapid.IntRange(0, 3).Draw(t, "swap") == 0 {
				i, j := rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "j")
				l.waiting[i], l.waiting[j] = l.waiting[j], l.waiting[i]
			}
			n := rapid.IntRange(1, len(l.waiting)).Draw(t, "sent")
			doc := slices.Clone(l.waiting[:n])
			l.waiting = l.waiting[n:]
			if len(l.past) > 0 && rapid.IntRange(0, 2).Draw(t, "again") == 0 {
				doc = append(doc, l.past[rapid.IntRange(0, len(l.past)-1).Draw(t, "which")])
			}
			l.past = append(l.past, doc...)
			src := l.src
			if src.CallBridge != "" && rapid.IntRange(0, 9).Draw(t, "untold") == 0 {
				src.CallBridge = ""
			}
			p.deliver(src, stamp(doc, step+1), "")
			if len(old) > 0 && rapid.IntRange(0, 3).Draw(t, "old") == 0 {
				i := rapid.IntRange(0, len(old)-1).Draw(t, "which old")
				p.deliver(old[i].src, old[i].events, "")
			}
		}
		p.finish()
	})
	seen.report(t)
	if seen.rivals == 0 {
		t.Error("no late document of a session that was over was ever met")
	}
}
