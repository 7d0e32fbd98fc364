package simulator

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"callmark/receiver/cdr"
)

func indexes(records []cdr.Record) []int64 {
	var out []int64
	for _, r := range records {
		out = append(out, r.CorrelatorIndex)
	}
	return out
}

func TestResend(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	a := newAPI(t, c.Bridge(0))
	alarms := make(chan struct{})
	r.answer = func(n int) int {
		if n < 5 {
			return []int{500, 503, 204, 302, 404}[n]
		}
		if n == 5 {
			<-alarms // the alarm is looked at while nothing has been acknowledged
		}
		return http.StatusOK
	}
	b := c.Bridge(0)
	b.StartCall(CallSpec{}).Join(Guest("x"))
	if err := c.Wait(testContext(t), func() bool { return b.Deliveries().Failed == 5 }); err != nil {
		t.Fatal(err)
	}
	list := a.get("/system/alarms")
	if list.attr("total") != "1" || list.Children[0].at("type") != "cdrConnectionFailure" {
		t.Errorf("alarms: %+v", list)
	}
	close(alarms)
	delivered(t, c)
	if got := a.get("/system/alarms").attr("total"); got != "0" {
		t.Errorf("alarms after the recovery: %s", got)
	}
	if got := indexes(r.records()); !slices.Equal(got, []int64{0, 1, 2}) {
		t.Errorf("indexes %v", got)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.conns) != 1 {
		t.Errorf("%d connections", len(r.conns))
	}
}

func TestReceiverComesLate(t *testing.T) {
	var n Network
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{"http://127.0.0.1:5000/cdr"}, Dial: n.DialContext})
	c.Bridge(0).StartCall(CallSpec{})
	if err := c.Wait(testContext(t), func() bool { return c.Bridge(0).Deliveries().Failed > 2 }); err != nil {
		t.Fatal(err)
	}
	l, err := n.Listen("127.0.0.1:5000")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, conns: make(map[string]bool)}
	server := &http.Server{Handler: r}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	defer func() { _ = server.Close(); <-done }()
	delivered(t, c)
	if len(r.records()) != 1 {
		t.Errorf("%d records", len(r.records()))
	}
}

func TestBatches(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Batch: 7, Receivers: []string{r.URL}})
	c.Together(func() { c.Populate(10, 2) })
	delivered(t, c)
	docs := r.documents()
	if len(docs) != 8 {
		t.Errorf("%d posts for 50 records", len(docs))
	}
	for i, rec := range r.records() {
		if rec.CorrelatorIndex != int64(i) || rec.RecordIndex != int64(i)+1 {
			t.Fatalf("record %d has indexes %d, %d", i, rec.CorrelatorIndex, rec.RecordIndex)
		}
	}
}

func TestLostAndDiscarded(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.StartCall(CallSpec{})
	b.LoseRecords(2)
	b.StartCall(CallSpec{})
	b.StartCall(CallSpec{})
	b.StartCall(CallSpec{})
	b.DiscardRecords(3)
	for range 4 {
		b.StartCall(CallSpec{})
	}
	delivered(t, c)
	records := r.records()
	if got := indexes(records); !slices.Equal(got, []int64{0, 3, 7}) {
		t.Fatalf("indexes %v", got)
	}
	for i, missing := range []int64{0, 0, 3} {
		if records[i].Missing != missing || records[i].RecordIndex != int64(i)+1 {
			t.Errorf("record %d: missing %d, recordIndex %d", i, records[i].Missing, records[i].RecordIndex)
		}
	}
	if got := b.Deliveries().Discarded; got != 3 {
		t.Errorf("discarded %d", got)
	}
}

func TestQueueOverflows(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Queue: 4, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.HoldRecords()
	c.Populate(10, 0)
	b.ReleaseRecords()
	delivered(t, c)
	records := r.records()
	if got := indexes(records); !slices.Equal(got, []int64{6, 7, 8, 9}) {
		t.Fatalf("indexes %v", got)
	}
	if records[0].Missing != 6 || records[0].RecordIndex != 1 || records[1].Missing != 0 {
		t.Errorf("missing %d, recordIndex %d, then missing %d", records[0].Missing, records[0].RecordIndex, records[1].Missing)
	}
}

func TestDuplicatesAndReordering(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	b.DuplicatePosts(1)
	b.StartCall(CallSpec{})
	delivered(t, c)
	b.StartCall(CallSpec{})
	delivered(t, c)
	if got := indexes(r.records()); !slices.Equal(got, []int64{0, 0, 1}) {
		t.Errorf("indexes %v", got)
	}
	b.HoldRecords()
	b.ReorderPosts(1)
	c.Populate(2, 0)
	b.ReleaseRecords()
	delivered(t, c)
	if got := indexes(r.records()); !slices.Equal(got, []int64{0, 0, 1, 3, 2}) {
		t.Errorf("indexes %v", got)
	}
}

func TestSetReceivers(t *testing.T) {
	one, two := newReceiver(t), newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Receivers: []string{one.URL}})
	c.Populate(2, 0)
	delivered(t, c)
	if err := c.SetReceivers(one.URL, two.URL); err != nil {
		t.Fatal(err)
	}
	c.Populate(2, 0)
	delivered(t, c)
	if err := c.SetReceivers(two.URL); err != nil {
		t.Fatal(err)
	}
	c.Populate(2, 0)
	delivered(t, c)
	if a, b := len(one.records()), len(two.records()); a != 4 || b != 4 {
		t.Errorf("%d and %d records, want 4 each", a, b)
	}
	for _, rec := range two.records() {
		if rec.RecordIndex != rec.CorrelatorIndex {
			t.Errorf("recordIndex %d with correlatorIndex %d", rec.RecordIndex, rec.CorrelatorIndex)
		}
	}
	if err := c.SetReceivers("a", "b"); err == nil {
		t.Error("nonsense was accepted")
	}
	// A receiver that nobody answers at does not keep its sender alive.
	if err := c.SetReceivers("http://127.0.0.1:1/"); err != nil {
		t.Fatal(err)
	}
	c.Populate(2, 0)
	if err := c.SetReceivers(); err != nil {
		t.Fatal(err)
	}
	delivered(t, c)
}

func TestSendRaw(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}})
	status, err := c.Bridge(0).SendRaw(testContext(t), []byte("<records"))
	if err != nil || status != http.StatusBadRequest {
		t.Errorf("%d, %v", status, err)
	}
}

func TestRestartWhileNobodyAnswers(t *testing.T) {
	r := newReceiver(t)
	arrived, stuck := make(chan struct{}), make(chan struct{})
	r.answer = func(n int) int {
		if n == 0 {
			close(arrived)
			<-stuck
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	c := startCluster(t, Options{Bridges: 1, Receivers: []string{r.URL}, ResendPause: time.Hour})
	b := c.Bridge(0)
	b.StartCall(CallSpec{Name: "old"})
	<-arrived
	b.Restart()
	b.StartCall(CallSpec{Name: "new"})
	close(stuck)
	delivered(t, c)
	records := r.records()
	if n := len(records); n != 1 || records[0].Call.Name != "new" || records[0].RecordIndex != 1 {
		t.Errorf("%d records: %+v", n, records)
	}
}

func TestContextStopsTheCluster(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := New(Options{Receivers: []string{"http://127.0.0.1:1/"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	c.Populate(3, 3)
	cancel()
	if err := c.WaitDelivered(context.Background()); err == nil {
		t.Error("delivered to nobody")
	}
	c.Close()
	c.Close()
	if err := c.Start(context.Background()); err == nil {
		t.Error("started after Close")
	}
}
