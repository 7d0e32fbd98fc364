package main

import (
	"errors"
	"time"

	"callmark/policy"
)

// now is when the pictures are taken.
var now = time.Date(2026, 11, 24, 14, 3, 22, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// stage is a board on which an afternoon stands still. Nothing can be done on
// it.
type stage struct{ update policy.Update }

var errStage = errors.New("this is a picture")

func newStage() *stage {
	return &stage{policy.Update{Version: 1, Full: true, Meetings: meetings(), Bridges: bridges(), Totals: totals(meetings())}}
}

func (s *stage) Watch() (<-chan struct{}, func()) { return nil, func() {} }

func (s *stage) Since(version uint64) policy.Update {
	u := s.update
	if version > 0 {
		u.Full, u.Meetings = false, nil
	}
	return u
}

func (s *stage) Meeting(id policy.MeetingID) (*policy.MeetingView, bool) {
	for _, v := range s.update.Meetings {
		if v.ID == id {
			return v, true
		}
	}
	return nil, false
}

func (s *stage) Legs(policy.MeetingID) []policy.LegView { return legs() }

func (s *stage) Journal(after uint64, _ int) ([]policy.Entry, uint64) {
	all := journal()
	return all[min(int(after), len(all)):], 0
}

func (s *stage) Override(time.Time, policy.MeetingID, policy.Override) error { return errStage }
func (s *stage) Release(time.Time, policy.MeetingID, string) error           { return errStage }
func (s *stage) Dismiss(time.Time, string, string)                           {}
func (s *stage) CheckText(text string) error                                 { return policy.CheckText(text, 60, false) }
func (s *stage) Preview(policy.Override) policy.Marking                      { return policy.Marking{} }

func evidence(l policy.Level, rule policy.Rule, address, host, entry string) policy.Evidence {
	return policy.Evidence{Level: l, Rule: rule, Address: address, Host: host, Entry: entry}
}

var (
	mallory = evidence(3, policy.RuleNoEntry, "sip:mallory@consulting.example", "consulting.example", "")
	room    = evidence(1, policy.RuleSecureEntry, "sip:4.01@rooms.corp.example", "rooms.corp.example", "rooms.corp.example")
	ines    = evidence(2, policy.RuleInternalEntry, "sip:ines@corp.example", "corp.example", "corp.example")
	web     = policy.Evidence{Level: 3, Rule: policy.RuleWebApp, Detail: "web app"}
)

// meeting is one whose marking is confirmed.
func meeting(id, name string, l policy.Level, since time.Duration, people [4]int, by policy.Evidence, servers ...string) *policy.MeetingView {
	mark := policy.Marking{Kind: policy.MarkLevel, Level: l, Text: policy.DefaultLevels()[l].Message, Position: "bottom"}
	v := &policy.MeetingView{
		ID: policy.MeetingID(id), Version: 1, Name: name, Started: ago(since), Computed: l, Shown: l, Changed: ago(since / 3),
		Holder: policy.Holder{Leg: "leg-1", Name: "Mallory Vane", Evidence: by}, People: people, Wanted: mark, State: policy.StateConfirmed,
	}
	for _, s := range servers {
		v.Calls = append(v.Calls, policy.CallView{
			ID: id + "-" + s, Bridge: s, Server: s + ".corp.example:445", Wanted: mark, Sent: mark, Confirmed: true, State: policy.StateConfirmed,
			Since: ago(since/3 - time.Second), SentAt: ago(since/3 - time.Second),
		})
	}
	return v
}

func meetings() []*policy.MeetingView {
	cabinet := meeting("m01", "Cabinet briefing", 3, 42*time.Minute, [4]int{0, 1, 3, 2}, mallory, "cms1", "cms2")
	cabinet.Waiting, cabinet.Others = 1, 1

	budget := meeting("m04", "Budget 2027", 2, 18*time.Minute, [4]int{0, 2, 4, 0}, ines, "cms2")
	budget.Override = &policy.Override{Kind: policy.ForceLevel, Level: 3, Who: "bob", At: ago(8 * time.Minute), Until: now.Add(52 * time.Minute), Reason: "guests are in the room"}
	budget.Wanted = policy.Marking{Kind: policy.MarkLevel, Level: 3}
	budget.Calls[0].Wanted, budget.Calls[0].Sent = budget.Wanted, budget.Wanted

	press := meeting("m05", "Press preparation", 2, 6*time.Minute, [4]int{0, 0, 5, 0}, ines, "cms1")
	press.State = policy.StateSending
	press.Calls[0].State, press.Calls[0].Sent = press.State, policy.Marking{Kind: policy.MarkLevel, Level: 1}

	board := meeting("m07", "Board of directors", 1, 73*time.Minute, [4]int{0, 4, 0, 0}, room, "cms3")
	board.Unverified, board.UnverifiedSince = "3 records before 1882 were lost", ago(2*time.Second)

	return []*policy.MeetingView{
		cabinet,
		meeting("m02", "Treaty negotiation", 3, 2*time.Hour+5*time.Minute, [4]int{0, 3, 2, 4}, mallory, "cms1"),
		meeting("m03", "Öffentlichkeitsarbeit", 3, 27*time.Minute, [4]int{0, 0, 1, 6}, web, "cms3"),
		budget, press,
		meeting("m06", "調整会議 Tokyo", 2, 55*time.Minute, [4]int{0, 2, 3, 0}, ines, "cms2"),
		board,
		meeting("m08", "Weather service handover", 1, 11*time.Minute, [4]int{0, 3, 0, 0}, room, "cms1"),
		meeting("m09", "Crisis room", 1, 31*time.Minute, [4]int{0, 6, 0, 0}, room, "cms1", "cms2"),
	}
}

func totals(all []*policy.MeetingView) policy.Totals {
	t := policy.Totals{Meetings: len(all)}
	for _, v := range all {
		t.Levels[v.Computed]++
		if v.Unverified != "" {
			t.Unverified++
		}
		if v.Override != nil {
			t.Overridden++
		}
	}
	return t
}

func legs() []policy.LegView {
	leg := func(id, name string, e policy.Evidence, kind string, media policy.Encryption, since time.Duration) policy.LegView {
		return policy.LegView{
			ID: id, Name: name, Address: e.Address, Domain: e.Host, Level: e.Level, Evidence: e, Type: kind, Presence: policy.InMeeting, Counts: true,
			Media: media, Joined: ago(since), Call: "m01-cms1", Bridge: "cms1",
		}
	}
	guest := leg("leg-7", "Guest", web, "web guest", policy.EncryptionUnknown, time.Minute)
	guest.Presence, guest.Counts = policy.InLobby, false
	recorder := leg("leg-8", "Recorder", evidence(3, policy.RuleNoEntry, "sip:rec@10.1.2.3", "10.1.2.3", ""), "recorder", policy.Encrypted, 40*time.Minute)
	recorder.Counts = false
	away := leg("leg-6", "Piet de Wit", evidence(2, policy.RuleInternalEntry, "sip:piet@nl.corp.example", "nl.corp.example", "corp.example"), "elsewhere", policy.EncryptionUnknown, 30*time.Minute)
	away.Bridge = "cms4"
	return []policy.LegView{
		leg("leg-1", "Mallory Vane", mallory, "SIP", policy.Unencrypted, 14*time.Minute),
		leg("leg-2", "Noor", web, "app", policy.Encrypted, 9*time.Minute),
		leg("leg-3", "Ines", ines, "SIP", policy.Encrypted, 41*time.Minute),
		leg("leg-4", "Jörg", ines, "Lync", policy.Encrypted, 36*time.Minute),
		leg("leg-5", "Room 4.01", room, "SIP", policy.Encrypted, 42*time.Minute),
		away, guest, recorder,
	}
}

func journal() []policy.Entry {
	n := uint64(0)
	entry := func(since time.Duration, kind policy.EntryKind, e policy.Entry) policy.Entry {
		n++
		e.Seq, e.Time, e.Kind, e.Meeting, e.Name = n, ago(since), kind, "m01", "Cabinet briefing"
		return e
	}
	text := policy.DefaultLevels()
	return []policy.Entry{
		entry(42*time.Minute, policy.EntryCallStarted, policy.Entry{Bridge: "cms1"}),
		entry(14*time.Minute, policy.EntryJoined, policy.Entry{Person: "Mallory Vane", Address: mallory.Address, Level: 3, Text: mallory.String()}),
		entry(14*time.Minute, policy.EntryLevel, policy.Entry{Weight: policy.Notice, Before: 2, Level: 3}),
		entry(14*time.Minute-time.Second, policy.EntrySent, policy.Entry{Bridge: "cms1", Level: 3, Text: text[3].Message}),
		entry(14*time.Minute-time.Second, policy.EntryConfirmed, policy.Entry{Bridge: "cms1", Level: 3, Text: text[3].Message}),
		entry(14*time.Minute-time.Second, policy.EntryConfirmed, policy.Entry{Bridge: "cms2", Level: 3, Text: text[3].Message}),
	}
}

func bridges() []policy.BridgeView {
	up := func(n int, name string) policy.BridgeView {
		return policy.BridgeView{
			Key: name, Name: name, Server: name + ".corp.example:445", Address: "192.0.2." + name[3:], Session: "7f3c2a6e-0000-4000-8000-00000000000" + name[3:],
			CallBridge: "5a1e9d02-0000-4000-8000-00000000000" + name[3:], Sureness: policy.Proven, Records: uint64(n), LastRecord: ago(2 * time.Second), LastIndex: int64(n - 1),
			Calls: 4, Legs: 21, Polled: ago(3 * time.Second), Next: int64(n), Read: ago(21 * time.Second),
			Bound: policy.ServerStatus{
				State: policy.ServerUp, Since: ago(9 * time.Hour), Version: "3.9.2", Latency: 7 * time.Millisecond, Requests: 20417, Failures: 3,
				ReadRate: 6, ReadBudget: 100, WriteRate: 1, WriteBudget: 20,
			},
		}
	}
	cms3 := up(1885, "cms3")
	cms3.LastIndex, cms3.LastRecord = 1884, ago(time.Second)
	cms3.Unverified, cms3.UnverifiedSince, cms3.Unread = "3 records before 1882 were lost", ago(2*time.Second), 5
	cms3.Bound.ReadRate = 38
	return []policy.BridgeView{up(5120, "cms1"), up(3391, "cms2"), cms3}
}
