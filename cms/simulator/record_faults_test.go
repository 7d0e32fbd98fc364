package simulator

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestDropReceivers(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	a := newAPI(t, b)
	alarms := func() string { return a.get("/system/alarms").attr("total") }
	b.StartCall(CallSpec{})
	delivered(t, c)

	b.DropReceivers(true)
	if got := alarms(); got != "0" {
		t.Errorf("alarms before anything waits: %s", got)
	}
	b.SetQueue(3)
	for range 8 {
		b.StartCall(CallSpec{}) // 1 to 8, of which 6 to 8 stay
	}
	if got := a.get("/system/alarms"); got.attr("total") != "1" || got.Children[0].at("type") != "cdrConnectionFailure" {
		t.Errorf("alarms: %+v", got)
	}
	if got := b.Deliveries(); got.Posts != 1 || got.Discarded != 5 || got.Waiting != 3 {
		t.Errorf("deliveries: %+v", got)
	}
	c.Bridge(1).StartCall(CallSpec{}) // the other one's receivers are in reach
	if err := c.Wait(testContext(t), func() bool { return c.Bridge(1).Deliveries().Acknowledged == 1 }); err != nil {
		t.Fatal(err)
	}
	if got := newAPI(t, c.Bridge(1)).get("/system/alarms").attr("total"); got != "0" {
		t.Errorf("alarms of the other: %s", got)
	}

	b.DropReceivers(false)
	delivered(t, c)
	if got := alarms(); got != "0" {
		t.Errorf("alarms afterwards: %s", got)
	}
	var got [][3]int64
	for _, doc := range r.documents() {
		for _, rec := range doc.Records {
			if doc.CallBridge == b.GUID() {
				got = append(got, [3]int64{rec.CorrelatorIndex, rec.RecordIndex, rec.Missing})
			}
		}
	}
	if want := [][3]int64{{0, 1, 0}, {6, 2, 5}, {7, 3, 0}, {8, 4, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := a.get("/system/status").at("cdrCorrelatorIndex"); got != "9" {
		t.Errorf("cdrCorrelatorIndex = %s", got)
	}
}

func TestSetQueueDiscardsWhatIsTooMuch(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Queue: 5, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.DropReceivers(true)
	c.Populate(8, 0) // 3 to 7 stay
	b.SetQueue(2)    // 6 and 7
	b.SetQueue(0)
	c.Populate(2, 0)
	b.DropReceivers(false)
	delivered(t, c)
	records := r.records()
	if got := indexes(records); !slices.Equal(got, []int64{6, 7, 8, 9}) || records[0].Missing != 6 {
		t.Errorf("indexes %v, missing %d", got, records[0].Missing)
	}
}

func TestRestartDuringAnOutage(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.DropReceivers(true)
	b.SetQueue(1)
	c.Populate(3, 0)
	b.Restart()
	if got := newAPI(t, b).get("/system/alarms").attr("total"); got != "0" {
		t.Errorf("alarms: %s", got)
	}
	b.StartCall(CallSpec{Name: "new"})
	b.DropReceivers(false)
	delivered(t, c)
	records := r.records()
	if len(records) != 1 || records[0].CorrelatorIndex != 0 || records[0].Missing != 0 || records[0].Call.Name != "new" {
		t.Errorf("records: %+v", records)
	}
}

func TestClockSkew(t *testing.T) {
	now := time.Date(2026, 2, 28, 16, 0, 0, 0, time.UTC)
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Receivers: []string{r.URL}, Now: func() time.Time { return now }})
	c.Bridge(0).SetClockSkew(-90 * time.Minute)
	for i, want := range []time.Time{now.Add(-90 * time.Minute), now} {
		b := c.Bridge(i)
		if got := newAPI(t, b).get("/system/status").at("cdrTime"); got != want.Format(time.RFC3339) {
			t.Errorf("cdrTime of %s: %s", b.Name(), got)
		}
		b.StartCall(CallSpec{}).End()
		delivered(t, c)
		docs := r.documents()
		for _, rec := range docs[len(docs)-1].Records {
			if !rec.Time.Equal(want) || rec.Call.Duration != 0 {
				t.Errorf("record of %s: time %s, duration %s", b.Name(), rec.Time, rec.Call.Duration)
			}
		}
	}
}

func TestEndSilently(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Receivers: []string{r.URL}})
	b, other := c.Bridge(0), c.Bridge(1)
	near := b.StartCall(CallSpec{})
	far := other.StartCall(CallSpec{Correlator: near.Correlator(), KeepEmpty: true})
	guest := near.Join(Guest("Eve"))
	near.Join(SIP("Room", "r@rooms.ministry.example"))
	Link(near, far)
	delivered(t, c)
	told, next := len(r.records()), b.Next()
	a := newAPI(t, b)

	guest.EndSilently()
	guest.EndSilently()
	delivered(t, c)
	if guest.Running() || near.Level() != 1 || len(r.records()) != told || b.Next() != next+1 {
		t.Errorf("the leg: running %t, level %d, %d records more, next %d", guest.Running(), near.Level(), len(r.records())-told, b.Next()-next)
	}
	if got := a.get("/calls/" + near.ID() + "/callLegs").attr("total"); got != "2" {
		t.Errorf("%s legs", got)
	}

	near.EndSilently()
	near.EndSilently()
	delivered(t, c)
	if near.Running() || len(b.Legs()) != 0 || len(far.Legs()) != 0 || b.Next() != next+4 {
		t.Errorf("the call: running %t, %d and %d legs, next %d", near.Running(), len(b.Legs()), len(far.Legs()), b.Next()-next)
	}
	// Only the peer tells, of its end of the link.
	if got := words(r.records()[told:]); got != "callLegEnd" {
		t.Errorf("records: %s", got)
	}
	b.StartCall(CallSpec{})
	delivered(t, c)
	records := r.records()
	if last := records[len(records)-1]; last.CorrelatorIndex != next+4 || last.Missing != 0 {
		t.Errorf("then index %d, missing %d", last.CorrelatorIndex, last.Missing)
	}
}

// TestOutageDuringAPost: the post that is under way ends well, and the alarm
// stays, since the next record waits.
func TestOutageDuringAPost(t *testing.T) {
	r := newReceiver(t)
	arrived, stuck := make(chan struct{}), make(chan struct{})
	r.answer = func(n int) int {
		if n == 0 {
			close(arrived)
			<-stuck
		}
		return http.StatusOK
	}
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.StartCall(CallSpec{})
	<-arrived
	b.DropReceivers(true)
	b.StartCall(CallSpec{})
	close(stuck)
	if err := c.Wait(testContext(t), func() bool { return b.Deliveries().Acknowledged == 1 }); err != nil {
		t.Fatal(err)
	}
	a := newAPI(t, b)
	if got := a.get("/system/alarms").attr("total"); got != "1" {
		t.Errorf("alarms: %s", got)
	}
	b.DropReceivers(false)
	delivered(t, c)
	if got := a.get("/system/alarms").attr("total"); got != "0" {
		t.Errorf("alarms afterwards: %s", got)
	}
	if got := indexes(r.records()); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("indexes %v", got)
	}
}
