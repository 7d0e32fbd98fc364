package main

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"callmark/cms"
	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
	"callmark/receiver/cdr"
)

// Budgets that a herd would run over.
const (
	herdReads, herdReadBurst   = 20, 10
	herdWrites, herdWriteBurst = 5, 4
)

// orderly reports a Call Bridge that got more requests in a second than the
// budgets allow.
func orderly(t *testing.T, b *simulator.Bridge) {
	t.Helper()
	r := b.Requests()
	t.Logf("%s: at most %d reads and %d writes in a second, %d in all", b.Name(), r.PeakGetRate, r.PeakPutRate, r.Total)
	// A lane's probe, while its server is left alone, is not of the budget.
	if r.PeakGetRate > herdReads+herdReadBurst+2 {
		t.Errorf("%s got %d reads in a second", b.Name(), r.PeakGetRate)
	}
	if r.PeakPutRate > herdWrites+herdWriteBurst {
		t.Errorf("%s got %d writes in a second", b.Name(), r.PeakPutRate)
	}
}

// A server is away while much happens there. When it is back it is not run over
// by what has piled up, and everything becomes right.
func TestNoThunderingHerd(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 2, Seed: 10})
	p := follow(t, cluster, func(c *config.Config) {
		c.CMS.ReadsPerSecond, c.CMS.WritesPerSecond = herdReads, herdWrites
		c.Marking.OnExit = "keep" // to clear would take seconds at this rate
	})
	p.records(t)
	away := cluster.Bridge(1)
	var calls []*simulator.Call
	for range 16 {
		call := away.StartCall(simulator.CallSpec{Name: "There", KeepEmpty: true})
		call.Join(simulator.SIP("Ann", "ann@ministry.example"))
		calls = append(calls, call)
	}
	p.agrees(t)
	away.StopListening()
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	for i := range 500 {
		<-tick.C
		call := calls[i%len(calls)]
		if guest := call.Join(simulator.Guest("Somebody")); i < 400 {
			guest.End()
		}
	}
	if v, _ := p.bridge(away); v.Bound.Queue > len(calls) {
		t.Errorf("%d markings wait for %d calls", v.Bound.Queue, len(calls))
	}
	away.ResetRequests()
	if err := away.ResumeListening(); err != nil {
		t.Fatal(err)
	}
	p.refresh() // all at once, in the place of the next probe's time
	p.agrees(t)
	orderly(t, away)
	orderly(t, cluster.Bridge(0))
}

// bubble is callmark without its receiver and console, in a bubble of
// testing/synctest, where fasthttp's sockets hang. Records come by net/http.
type bubble struct {
	cluster *simulator.Cluster
	board   *policy.Board
	parts   *cms.Cluster
}

// ServeHTTP takes records.
func (h *bubble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var doc cdr.Document
	if err == nil {
		err = new(cdr.Decoder).Decode(body, &doc)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	events := make([]policy.Event, len(doc.Records))
	for i := range doc.Records {
		r, e := &doc.Records[i], &events[i]
		*e = policy.Event{Index: r.CorrelatorIndex, Missing: r.Missing}
		e.Call = policy.CallFacts{ID: r.Call.ID, Name: r.Call.Name, Correlator: r.Call.Correlator}
		e.Leg = policy.LegFacts{
			ID: r.Leg.ID, RemoteParty: r.Leg.RemoteParty, RemoteAddress: r.Leg.RemoteAddress, Type: r.Leg.Type,
			SubType: r.Leg.SubType, Call: r.Leg.Call, IVR: r.Leg.IVR, Connected: r.Leg.State == "connected",
			Recorder: r.Leg.Recording == cdr.True || r.Leg.Streaming == cdr.True,
		}
		switch r.Leg.Deactivated {
		case cdr.True:
			e.Leg.Deactivated = policy.Yes
		case cdr.False:
			e.Leg.Deactivated = policy.No
		}
		switch r.Type {
		case cdr.CallStart:
			e.Kind = policy.CallStarted
		case cdr.CallEnd:
			e.Kind = policy.CallEnded
		case cdr.CallLegStart:
			e.Kind = policy.LegStarted
		case cdr.CallLegUpdate:
			e.Kind = policy.LegUpdated
		case cdr.CallLegEnd:
			e.Kind = policy.LegEnded
		}
	}
	h.board.Apply(time.Now(), policy.Source{Session: doc.Session, CallBridge: doc.CallBridge, Address: "127.0.0.1"}, events)
}

// An hour: a server is away for so long, in the middle of traffic. Nothing piles
// up meanwhile, and nothing bursts out when it is back.
func TestAwayForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network simulator.Network
		cluster, err := simulator.New(simulator.Options{Bridges: 2, Seed: 12, Listen: network.Listen, Dial: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		if err := cluster.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		h := &bubble{cluster: cluster}
		c := config.Default()
		c.Policy.SecureDomains, c.Policy.InternalDomains = simulator.DemoSecureDomains(), simulator.DemoInternalDomains()
		o, err := c.PolicyOptions()
		if err != nil {
			t.Fatal(err)
		}
		h.board = policy.NewBoard(o)
		listener, err := network.Listen("")
		if err != nil {
			t.Fatal(err)
		}
		receiver := &http.Server{Handler: h}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { _ = receiver.Serve(listener) }()
		defer receiver.Close()
		h.parts, err = cms.NewCluster(cms.Options{
			Servers: cluster.URLs(), Username: cluster.Username(), Password: policy.NewSecret(cluster.Password()),
			ReadsPerSecond: herdReads, WritesPerSecond: herdWrites, DialContext: network.DialContext,
		}, h.board)
		if err != nil {
			t.Fatal(err)
		}
		notifier := cms.NewNotifier(h.parts)
		synchroniser := cms.NewSynchroniser(h.parts, h.board)
		h.parts.Start(ctx)
		defer h.parts.Stop()
		notifier.Start(ctx)
		defer notifier.Stop(ctx)
		synchroniser.Start(ctx)
		defer synchroniser.Stop()
		go func() {
			tick := time.NewTicker(tickEvery)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					h.board.Tick(time.Now())
				case <-ctx.Done():
					return
				}
			}
		}()
		if err := cluster.SetReceivers("http://" + listener.Addr().String() + "/cdr"); err != nil {
			t.Fatal(err)
		}

		script := simulator.NewScript(cluster, simulator.ScriptOptions{Seed: 12, Meetings: 40})
		second := time.NewTicker(time.Second)
		defer second.Stop()
		play := func(d time.Duration) {
			for range d / time.Second {
				<-second.C
				for range 3 {
					script.Step()
				}
			}
		}
		settle := func(what string, within time.Duration) {
			t.Helper()
			start := time.Now()
			for !allRight(cluster) || h.board.Since(0).Totals.Unverified > 0 {
				if time.Since(start) > within {
					t.Fatalf("%s: not right after %v", what, within)
				}
				<-second.C
			}
			t.Logf("%s: right after %v", what, time.Since(start))
		}
		play(2 * time.Minute)
		settle("before", 30*time.Second)
		away := cluster.Bridge(1)
		away.StopListening()
		play(10 * time.Minute)
		goroutines := runtime.NumGoroutine()
		play(50 * time.Minute)
		if n := runtime.NumGoroutine(); n > goroutines+20 {
			t.Errorf("%d goroutines after an hour, %d after ten minutes", n, goroutines)
		}
		for _, v := range h.board.Since(0).Bridges {
			if v.Bound.Queue > v.Calls {
				t.Errorf("%d markings wait for %d calls of %s", v.Bound.Queue, v.Calls, v.Name)
			}
		}
		orderly(t, cluster.Bridge(0))
		away.ResetRequests()
		if err := away.ResumeListening(); err != nil {
			t.Fatal(err)
		}
		// The longest wait between two probes, and then some.
		settle("after", time.Minute)
		play(time.Minute)
		settle("in the end", 30*time.Second)
		orderly(t, away)
	})
}
