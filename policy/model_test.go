package policy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The model: all records of a session that ever came, each once, folded anew in
// the order of their indexes whenever somebody asks. Slow, and obvious.
type model struct {
	ended    map[string]bool
	sessions map[string]*modelSession
}

type modelSession struct {
	bridge  string
	records map[int64]Event
}

type modelCall struct {
	born, start, end int64 // first start, latest start, latest end; -1: none
	correlator       string
	known            bool
}

type modelLeg struct {
	newest            int64
	ended             bool
	target            string
	ivr, connected    bool
	lobby, app, noMan bool
	party, address    string
	group             string
}

func (m *model) apply(src Source, events []Event) {
	if m.ended[src.Session] {
		return
	}
	s := m.sessions[src.Session]
	if s == nil {
		for id, old := range m.sessions {
			if src.CallBridge != "" && old.bridge == src.CallBridge {
				delete(m.sessions, id)
				m.ended[id] = true
			}
		}
		s = &modelSession{bridge: src.CallBridge, records: map[int64]Event{}}
		m.sessions[src.Session] = s
	}
	for _, e := range events {
		if _, seen := s.records[e.Index]; !seen {
			s.records[e.Index] = e
		}
	}
}

// modelMeeting is what can be compared.
type modelMeeting struct {
	level      Level
	people     [4]int
	unverified bool
}

func (m *model) meetings(rules *Rules) map[MeetingID]modelMeeting {
	found := map[MeetingID]modelMeeting{}
	groups := map[MeetingID]map[string]Level{}
	for id, s := range m.sessions {
		calls, legs, gap := s.fold()
		live := map[string]bool{}
		for _, l := range legs {
			if c := calls[l.target]; l.target != "" && !l.ivr && !l.ended && c.end < l.newest {
				live[l.target] = true
			}
		}
		meetingOf := func(call string) MeetingID {
			if c := calls[call]; c.correlator != "" {
				return MeetingID(c.correlator)
			}
			return MeetingID("call:" + call)
		}
		for call, c := range calls {
			if c.end >= 0 && c.start <= c.end && !live[call] {
				continue
			}
			mm := found[meetingOf(call)]
			mm.unverified = mm.unverified || c.born < gap || c.born < 0
			found[meetingOf(call)] = mm
		}
		for legID, l := range legs {
			c := calls[l.target]
			if l.target == "" || l.ivr || l.ended || c.end > l.newest || !l.connected || l.lobby || l.noMan && !l.app {
				continue
			}
			address := l.address
			if address == "" {
				address = l.party
			}
			level := rules.Classify(address).Level
			if l.app {
				level = Level3
			}
			at := meetingOf(l.target)
			if groups[at] == nil {
				groups[at] = map[string]Level{}
			}
			group := l.group
			if group == "" {
				group = id + legID
			}
			groups[at][group] = max(groups[at][group], level)
		}
	}
	for at, g := range groups {
		mm := found[at]
		for _, level := range g {
			mm.people[level]++
			mm.level = max(mm.level, level)
		}
		found[at] = mm
	}
	return found
}

// fold plays the records of a session in the order of their indexes.
func (s *modelSession) fold() (map[string]*modelCall, map[string]*modelLeg, int64) {
	var order []int64
	for i := range s.records {
		order = append(order, i)
	}
	slices.Sort(order)
	calls, legs := map[string]*modelCall{}, map[string]*modelLeg{}
	call := func(id string) *modelCall {
		if calls[id] == nil {
			calls[id] = &modelCall{born: -1, start: -1, end: -1}
		}
		return calls[id]
	}
	var gap, next int64
	for _, i := range order {
		if i != next {
			gap = i
		}
		next = i + 1
		e := s.records[i]
		if e.Missing > 0 {
			gap = i
		}
		switch e.Kind {
		case CallStarted:
			c := call(e.Call.ID)
			c.start = i
			if c.born < 0 {
				c.born = i
			}
			if c.correlator == "" {
				c.correlator = e.Call.Correlator
			}
		case CallEnded:
			call(e.Call.ID).end = i
		case LegStarted, LegUpdated, LegEnded:
			l := legs[e.Leg.ID]
			if l == nil {
				l = &modelLeg{}
				legs[e.Leg.ID] = l
			}
			if e.Kind != LegEnded && e.Leg.Call != "" {
				call(e.Leg.Call) // met by a leg alone
			}
			l.newest = i
			l.ended = l.ended || e.Kind == LegEnded
			if e.Kind == LegEnded {
				continue
			}
			l.connected = l.connected || e.Leg.Connected
			l.app = l.app || e.Leg.Type == "acano" || e.Leg.SubType == "webApp" || e.Leg.Guest == Yes
			l.noMan = l.noMan || e.Leg.Recorder
			if e.Leg.Call != "" {
				l.target, l.ivr = e.Leg.Call, false
			} else if e.Leg.IVR {
				l.target, l.ivr = "", true
			}
			if e.Leg.Deactivated != Unsaid {
				l.lobby = e.Leg.Deactivated == Yes
			}
			if e.Leg.RemoteAddress != "" {
				l.address = e.Leg.RemoteAddress
			}
			if e.Leg.RemoteParty != "" {
				l.party = e.Leg.RemoteParty
			}
			if e.Leg.Group != "" {
				l.group = e.Leg.Group
			}
		}
	}
	return calls, legs, gap
}

// history draws one record of a Call Bridge.
func drawEvent(t *rapid.T, bridge string, index int64) Event {
	e := Event{Index: index, Kind: EventKind(rapid.IntRange(0, 5).Draw(t, "kind"))}
	callID := func() string { return fmt.Sprintf("%s-call-%d", bridge, rapid.IntRange(1, 3).Draw(t, "call")) }
	if rapid.IntRange(0, 40).Draw(t, "missing") == 0 {
		e.Missing = 2
	}
	switch e.Kind {
	case CallStarted, CallEnded:
		e.Call.ID = callID()
		// The third call never has a correlator; the others share theirs with the
		// other Call Bridge's.
		if n := e.Call.ID[len(e.Call.ID)-1:]; e.Kind == CallStarted && n != "3" {
			e.Call.Correlator = "meeting-" + n
		}
	case LegStarted, LegUpdated, LegEnded:
		e.Leg.ID = fmt.Sprintf("leg-%d", rapid.IntRange(1, 6).Draw(t, "leg"))
		if e.Kind == LegStarted {
			e.Leg.RemoteParty = rapid.SampledFrom([]string{"", "a@rooms.example.com", "b@example.com", "c@evil.test"}).Draw(t, "party")
			e.Leg.Type = rapid.SampledFrom([]string{"sip", "sip", "sip", "acano"}).Draw(t, "type")
			e.Leg.Recorder = rapid.IntRange(0, 15).Draw(t, "recorder") == 0
		}
		if e.Kind == LegUpdated {
			e.Leg.Connected = rapid.IntRange(0, 3).Draw(t, "connected") > 0
			e.Leg.RemoteAddress = rapid.SampledFrom([]string{"", "", "", "d@example.com", "e@evil.test"}).Draw(t, "address")
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

// Whatever is sent twice, late, in a wrong order, or never, and whoever
// restarts: the board knows what the records that came say, and nothing else.
func TestBoardIsTheModel(t *testing.T) {
	rules, err := NewRules([]string{"rooms.example.com"}, []string{"example.com"})
	if err != nil {
		t.Fatal(err)
	}
	compared, levelled, doubtful := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_700_000_000, 0)
		b := NewBoard(Options{Rules: rules})
		m := &model{ended: map[string]bool{}, sessions: map[string]*modelSession{}}
		type line struct {
			src     Source
			index   int64
			waiting []Event // sent, in the order of sending
			past    []Event
		}
		lines := []*line{{src: Source{Session: "a-0", CallBridge: "A"}}, {src: Source{Session: "b-0"}}}
		reader := map[MeetingID]*MeetingView{}
		version := uint64(0)
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			l := lines[rapid.IntRange(0, 1).Draw(t, "bridge")]
			switch rapid.IntRange(0, 30).Draw(t, "what") {
			case 0:
				if l.src.CallBridge != "" { // a restart; what waited may come late
					l.src.Session = fmt.Sprintf("a-%d", step+1)
					l.index, l.waiting, l.past = 0, nil, nil
				}
			case 1:
				l.index++ // a record is lost
			}
			for range rapid.IntRange(1, 4).Draw(t, "records") {
				l.waiting = append(l.waiting, drawEvent(t, l.src.Session[:1], l.index))
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
			if src.CallBridge != "" && step > 5 && rapid.IntRange(0, 9).Draw(t, "old") == 0 {
				src.Session = "a-0" // a late document of an older session, or the present one
			}
			now = now.Add(time.Second)
			b.Apply(now, src, doc)
			m.apply(src, doc)

			want := m.meetings(rules)
			u := b.Since(0)
			for _, v := range u.Meetings {
				got := modelMeeting{v.Computed, v.People, v.Unverified != ""}
				id := v.ID
				if w, ok := want[id]; !ok || w != got {
					t.Fatalf("step %d: meeting %s is %+v on the board, %+v (%v) in the model", step, id, got, w, ok)
				}
				compared++
				if got.level > LevelNone {
					levelled++
				}
				if got.unverified {
					doubtful++
				}
			}
			if len(u.Meetings) != len(want) {
				t.Fatalf("step %d: %d meetings on the board, %d in the model: %v", step, len(u.Meetings), len(want), want)
			}
			checkTotals(t, u)

			inc := b.Since(version) // a reader who follows knows the same
			version = inc.Version
			if inc.Full {
				clear(reader)
			}
			for _, id := range inc.Gone {
				delete(reader, id)
			}
			for _, v := range inc.Meetings {
				reader[v.ID] = v
			}
			if len(reader) != len(u.Meetings) {
				t.Fatalf("step %d: the follower has %d meetings, there are %d", step, len(reader), len(u.Meetings))
			}
			for _, v := range u.Meetings {
				if reader[v.ID] != v {
					t.Fatalf("step %d: the follower has an old view of %s", step, v.ID)
				}
			}
		}
	})
	t.Logf("%d meetings compared, %d with a level, %d unverified", compared, levelled, doubtful)
	if compared == 0 || levelled < compared/20 || doubtful == 0 || doubtful == compared {
		t.Errorf("the histories are vacuous: %d meetings compared, %d with a level, %d unverified", compared, levelled, doubtful)
	}
}

func checkTotals(t *rapid.T, u Update) {
	var levels [4]int
	calls, unverified := 0, 0
	for _, v := range u.Meetings {
		levels[v.Computed]++
		calls += len(v.Calls)
		if v.Unverified != "" {
			unverified++
		}
	}
	if u.Totals.Levels != levels || u.Totals.Calls != calls || u.Totals.Unverified != unverified || u.Totals.Meetings != len(u.Meetings) {
		t.Fatalf("totals %+v, but levels %v, %d calls, %d unverified", u.Totals, levels, calls, unverified)
	}
}
