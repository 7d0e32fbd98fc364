package simulator

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"callmark/receiver/cdr"
)

func TestSequences(t *testing.T) {
	tests := []struct {
		name string
		do   func(b, other *Bridge)
		want string
	}{
		{"a usual join and the end", func(b, _ *Bridge) {
			leg := b.NewLeg(SIP("A", "a@ministry.example"))
			leg.Join(b.StartCall(CallSpec{}))
			leg.Fade()
			leg.End()
		}, "callLegStart callStart callLegUpdate+connected+call callLegUpdate+call callLegEnd callEnd"},
		{"through the IVR", func(b, _ *Bridge) {
			leg := b.NewLeg(SIP("A", "a@ministry.example"))
			leg.EnterIVR()
			leg.Join(b.StartCall(CallSpec{}))
		}, "callLegStart callLegUpdate+connected+ivr callStart callLegUpdate+connected+call"},
		{"ringing, then connected", func(b, _ *Bridge) {
			call := b.StartCall(CallSpec{})
			leg := b.NewLeg(LegSpec{Outgoing: true})
			leg.Announce(call)
			leg.Join(call)
		}, "callStart callLegStart callLegUpdate+call callLegUpdate+connected+call"},
		{"the lobby", func(b, _ *Bridge) {
			leg := b.StartCall(CallSpec{}).Join(LegSpec{Lobby: true})
			leg.Admit()
			leg.Deactivate()
		}, "callStart callLegStart callLegUpdate+connected+call+deactivated callLegUpdate+connected+call callLegUpdate+connected+call+deactivated"},
		{"hold", func(b, _ *Bridge) {
			leg := b.StartCall(CallSpec{}).Join(LegSpec{})
			leg.Hold()
			leg.Resume()
		}, "callStart callLegStart callLegUpdate+connected+call callLegUpdate+call callLegUpdate+connected+call"},
		{"back to the IVR leaves the call", func(b, _ *Bridge) {
			leg := b.StartCall(CallSpec{}).Join(LegSpec{})
			leg.EnterIVR()
			leg.End()
		}, "callStart callLegStart callLegUpdate+connected+call callLegUpdate+connected+ivr callLegEnd"},
		{"the call ends", func(b, _ *Bridge) {
			call := b.StartCall(CallSpec{})
			call.Join(LegSpec{})
			call.Join(LegSpec{})
			call.End()
			call.End()
		}, "callStart callLegStart callLegUpdate+connected+call callLegStart callLegUpdate+connected+call callLegEnd callLegEnd callEnd"},
		{"the call ends abruptly", func(b, _ *Bridge) {
			call := b.StartCall(CallSpec{})
			leg := call.Join(LegSpec{})
			call.EndAbruptly()
			leg.End()
			leg.Hold()
		}, "callStart callLegStart callLegUpdate+connected+call callEnd"},
		{"a call that goes on empty", func(b, _ *Bridge) {
			b.StartCall(CallSpec{KeepEmpty: true}).Join(LegSpec{}).End()
		}, "callStart callLegStart callLegUpdate+connected+call callLegEnd"},
		{"recording and streaming", func(b, _ *Bridge) {
			call := b.StartCall(CallSpec{})
			m := call.Record("spaces/x.mp4")
			call.Stream("rtmp://host/live").Stop()
			m.Stop()
			m.Stop()
		}, "callStart recordingStart streamingStart streamingEnd recordingEnd"},
		{"a correlator that comes late", func(b, _ *Bridge) {
			call := b.StartCall(CallSpec{NoCorrelator: true})
			call.SetCorrelator("c1", true)
			call.SetCorrelator("c2", false)
		}, "callStart callStart"},
		{"a move within", func(b, _ *Bridge) {
			from, to := b.StartCall(CallSpec{}), b.StartCall(CallSpec{})
			from.Join(LegSpec{}).Move(to)
		}, "callStart callStart callLegStart callLegUpdate+connected+call callLegStart callLegUpdate+connected+call callLegEnd callEnd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t)
			c := startCluster(t, Options{Bridges: 2, Receivers: []string{r.URL}})
			tt.do(c.Bridge(0), c.Bridge(1))
			delivered(t, c)
			records := r.records()
			if got := words(records); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			for i, rec := range records {
				if rec.CorrelatorIndex != int64(i) || rec.RecordIndex != int64(i)+1 || rec.Time.IsZero() {
					t.Errorf("record %d has indexes %d, %d, time %s", i, rec.CorrelatorIndex, rec.RecordIndex, rec.Time)
				}
			}
			doc := r.documents()[0]
			if doc.Session != c.Bridge(0).Session() || doc.CallBridge != c.Bridge(0).GUID() {
				t.Errorf("envelope %q, %q", doc.Session, doc.CallBridge)
			}
		})
	}
}

func TestFields(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, PlainLinks: true, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{Name: "Réunion <1>", CorrelatorByAPI: true})
	leg := call.Join(SIP("田中", "a@ministry.example"))
	leg.Transfer("Eve", "eve@evil.test", 0)
	guest := call.Join(Guest("Guest"))
	moved := leg.Move(c.Bridge(1).StartCall(CallSpec{Correlator: call.Correlator()}))
	link := Link(call, moved.Call())
	delivered(t, c)
	find := func(typ cdr.Type, leg *Leg) (last cdr.Record) {
		for _, rec := range r.records() {
			if rec.Type == typ && (leg == nil || rec.Leg.ID == leg.ID()) {
				last = rec
			}
		}
		return last
	}
	var started cdr.Call
	for _, rec := range r.records() {
		if rec.Call.ID == call.ID() {
			started = rec.Call
		}
	}
	for _, tt := range []struct{ what, got, want string }{
		{"correlator", started.Correlator, ""},
		{"name", started.Name, "Réunion <1>"},
		{"start", find(cdr.CallLegStart, leg).Leg.RemoteParty, "a@ministry.example"},
		{"update", find(cdr.CallLegUpdate, leg).Leg.RemoteAddress, "eve@evil.test"},
		{"display name", find(cdr.CallLegUpdate, leg).Leg.DisplayName, "Eve"},
		{"moved leg", find(cdr.CallLegStart, moved).Leg.MovedCallLeg, leg.ID()},
		{"moved from", find(cdr.CallLegStart, moved).Leg.MovedCallLegBridge, b.GUID()},
		{"guest's type", find(cdr.CallLegStart, guest).Leg.SubType, "webApp"},
		{"plain link", find(cdr.CallLegStart, link).Leg.SubType, ""},
		{"link", find(cdr.CallLegStart, link).Leg.RemoteParty, "cms2@127.0.0.1"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if find(cdr.CallLegStart, guest).Leg.GuestConnection != cdr.True {
		t.Error("no guestConnection")
	}
	if moved.Level() != 3 || guest.Level() != 3 || link.Level() != 0 {
		t.Errorf("levels %d, %d, %d", moved.Level(), guest.Level(), link.Level())
	}
}

func TestRestart(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{})
	leg := call.Join(SIP("A", "a@ministry.example"))
	far := c.Bridge(1).StartCall(CallSpec{Correlator: call.Correlator()})
	far.Join(SIP("B", "b@ministry.example"))
	Link(call, far)
	delivered(t, c)
	before := len(r.documents())
	old := b.Session()
	b.HoldRecords()
	b.StartCall(CallSpec{Name: "never told"})
	b.Restart()
	b.ReleaseRecords()
	if b.Session() == old || b.Next() != 0 || len(b.Calls()) != 0 || len(b.Legs()) != 0 {
		t.Error("something survived the restart")
	}
	leg.End()
	call.End()
	if call.Join(LegSpec{}) != nil || leg.Running() || call.Running() {
		t.Error("handles of the old session still drive something")
	}
	if len(far.Legs()) != 1 {
		t.Error("the peer keeps its link")
	}
	b.StartCall(CallSpec{Name: "new"})
	delivered(t, c)
	var news []cdr.Document
	for _, doc := range r.documents()[before:] {
		if doc.CallBridge == b.GUID() {
			news = append(news, doc)
		}
	}
	if len(news) != 1 || news[0].Session != b.Session() || news[0].Records[0].Call.Name != "new" ||
		news[0].Records[0].CorrelatorIndex != 0 || news[0].Records[0].RecordIndex != 1 {
		t.Errorf("after the restart: %+v", news)
	}
	if m := c.Truth()[call.Correlator()]; len(m.People) != 1 || len(m.Calls) != 1 {
		t.Errorf("truth: %+v", m)
	}
}

func TestTruth(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{KeepEmpty: true})
	level := func(want int, after string) {
		t.Helper()
		if got := c.Truth()[call.Correlator()].Level; got != want {
			t.Errorf("after %s: level %d, want %d", after, got, want)
		}
	}
	level(0, "the start")
	call.Join(Recorder())
	call.Join(Streamer())
	level(0, "a recorder")
	room := call.Join(SIP("Room", "room@rooms.ministry.example"))
	level(1, "a room")
	desk := call.Join(SIP("Desk", "sip:desk@MINISTRY.example.:5061;transport=tls"))
	level(2, "an employee")
	waiting := Guest("Guest")
	waiting.Lobby = true
	guest := call.Join(waiting)
	level(2, "a guest in the lobby")
	guest.Admit()
	level(3, "the guest was let in")
	guest.Hold()
	level(3, "the guest is on hold")
	guest.Deactivate()
	level(2, "the guest is in the lobby again")
	desk.SetAddress("eve@rooms.ministry.example.evil.test", 0)
	level(3, "a transfer")
	desk.EnterIVR()
	level(1, "the transferred is in the IVR")
	desk.Announce(call)
	level(1, "the transferred rings")
	desk.Resume()
	level(3, "the transferred is connected")
	desk.End()
	room.End()
	level(0, "the end")
	_ = b.NewLeg(Phone("0701234567", "192.0.2.1"))
	level(0, "a phone that is in no call")
}

func TestLegTruth(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{})
	empty := c.Bridge(1).StartCall(CallSpec{KeepEmpty: true})
	ended := b.StartCall(CallSpec{})
	ended.Join(Guest("gone"))
	ended.End()
	b.NewLeg(Phone("0701234567", "192.0.2.1")).EnterIVR()
	desk := call.Join(SIP("Desk", "d@ministry.example"))
	desk.Transfer("Eve", "eve@evil.test", 0)
	desk.Hold()
	waiting := Guest("Guest")
	waiting.Address, waiting.Lobby = "g@ministry.example", true
	guest := call.Join(waiting)
	recorder := call.Join(Recorder())
	ringing := b.NewLeg(SIP("Room", "r@rooms.ministry.example"))
	ringing.Announce(call)
	want := map[string][]LegTruth{
		empty.ID(): {},
		call.ID(): {
			{ID: desk.ID(), Name: "Eve", Address: "eve@evil.test", Level: 3, Counts: true, Connected: true, State: "onHold"},
			{ID: guest.ID(), Name: "Guest", Address: "g@ministry.example", Level: 3, Connected: true, Deactivated: true, State: "connected"},
			{ID: recorder.ID(), Name: "Recorder", Address: "recorder@recorder1.ministry.example", Connected: true, State: "connected"},
			{ID: ringing.ID(), Name: "Room", Address: "r@rooms.ministry.example", Level: 1, State: "ringing"},
		},
	}
	for i, leg := range []*Leg{desk, guest, recorder, ringing} {
		want[call.ID()][i].Bridge, want[call.ID()][i].Group = "cms1", leg.Group()
	}
	if diff := cmp.Diff(want, c.LegTruth()); diff != "" {
		t.Errorf("legs (-want +got)\n%s", diff)
	}
}
