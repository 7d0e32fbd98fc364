package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"callmark/receiver/cdr"
)

// told is what the records say: a slow and obvious reader of them, for servers
// that lose nothing.
type told struct {
	sessions map[string]string // by callBridge
	calls    map[string]string // correlator by call
	legs     map[string]*toldLeg
	over     map[string]bool // ended legs
	seen     map[string]bool // session and index
}

type toldLeg struct {
	cdr.Leg
	bridge      string
	joined      bool
	person      bool
	address     string
	deactivated bool
}

func tell(docs []cdr.Document) map[string][]string {
	w := told{map[string]string{}, map[string]string{}, map[string]*toldLeg{}, map[string]bool{}, map[string]bool{}}
	type item struct {
		doc cdr.Document
		rec cdr.Record
	}
	// Put what was reordered back in order, session by session.
	var sessions []string
	items := map[string][]item{}
	for _, doc := range docs {
		if items[doc.Session] == nil {
			sessions = append(sessions, doc.Session)
		}
		for _, rec := range doc.Records {
			key := fmt.Sprint(doc.Session, rec.CorrelatorIndex)
			if !w.seen[key] {
				w.seen[key] = true
				items[doc.Session] = append(items[doc.Session], item{doc, rec})
			}
		}
	}
	for _, session := range sessions {
		list := items[session]
		slices.SortFunc(list, func(a, b item) int { return cmp.Compare(a.rec.CorrelatorIndex, b.rec.CorrelatorIndex) })
		bridge := list[0].doc.CallBridge
		if w.sessions[bridge] != session {
			w.sessions[bridge] = session
			for id, leg := range w.legs {
				if leg.bridge == bridge {
					delete(w.legs, id)
				}
			}
		}
		for _, it := range list {
			w.apply(bridge, it.rec)
		}
	}
	people := map[string][]string{}
	for _, leg := range w.legs {
		if leg.joined && leg.person && !leg.deactivated {
			people[w.calls[leg.Call]] = append(people[w.calls[leg.Call]], leg.ID+" "+leg.address)
		}
	}
	for _, list := range people {
		slices.Sort(list)
	}
	return people
}

func (w *told) apply(bridge string, r cdr.Record) {
	switch r.Type {
	case cdr.CallStart:
		w.calls[r.Call.ID] = r.Call.Correlator
	case cdr.CallEnd:
		for id, leg := range w.legs {
			if leg.Call == r.Call.ID {
				delete(w.legs, id)
			}
		}
	case cdr.CallLegStart:
		spec := LegSpec{SubType: r.Leg.SubType, Recording: r.Leg.Recording == cdr.True, Streaming: r.Leg.Streaming == cdr.True}
		w.legs[r.Leg.ID] = &toldLeg{Leg: r.Leg, bridge: bridge, person: spec.isPerson(), address: r.Leg.RemoteParty}
	case cdr.CallLegUpdate:
		leg := w.legs[r.Leg.ID]
		if leg == nil {
			return
		}
		leg.Call = r.Leg.Call
		leg.address = r.Leg.RemoteAddress
		leg.deactivated = r.Leg.Deactivated == cdr.True
		if r.Leg.IVR {
			leg.joined = false
		} else if r.Leg.State == "connected" && leg.Call != "" {
			leg.joined = true
		}
	case cdr.CallLegEnd:
		delete(w.legs, r.Leg.ID)
	}
}

// truthInWords is Truth in the form of tell.
func truthInWords(c *Cluster) map[string][]string {
	people := map[string][]string{}
	for correlator, m := range c.Truth() {
		for _, p := range m.People {
			people[correlator] = append(people[correlator], p.Leg+" "+p.Address)
		}
	}
	for _, list := range people {
		slices.Sort(list)
	}
	return people
}

func TestScriptRecordsTellTheTruth(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newReceiver(t)
			c := startCluster(t, Options{Seed: seed, Receivers: []string{r.URL}})
			s := NewScript(c, ScriptOptions{Seed: seed, Faults: ScriptFaults{Duplicate: 0.05, Reorder: 0.05, Restart: 0.005, Overwrite: 0.01}})
			done := map[string]int{}
			levels := map[int]int{}
			for range 20 {
				for range 50 {
					done[s.Step()]++
				}
				// Nobody hears of a restart before the first record after it.
				for _, b := range c.Bridges() {
					if b.Next() == 0 {
						b.StartCall(CallSpec{}).End()
					}
				}
				delivered(t, c)
				if diff := gocmp.Diff(truthInWords(c), tell(r.documents())); diff != "" {
					t.Fatalf("truth and records differ (-truth +records)\n%s", diff)
				}
				for _, m := range c.Truth() {
					levels[m.Level]++
				}
			}
			for _, action := range []string{"open", "arrive", "leave", "ivr", "join", "hold", "lobby", "transfer", "move", "spread", "rename", "present", "record", "repeat", "close"} {
				if done[action] == 0 {
					t.Errorf("no %s in %v", action, done)
				}
			}
			if levels[1] == 0 || levels[2] == 0 || levels[3] == 0 {
				t.Errorf("levels %v", levels)
			}
		})
	}
}

// story plays some steps and tells what the cluster is then.
func story(t *testing.T, seed uint64) string {
	t.Helper()
	c, err := New(Options{Seed: seed, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := NewScript(c, ScriptOptions{Seed: seed, Faults: ScriptFaults{
		Duplicate: 0.01, Reorder: 0.01, Lose: 0.01, Discard: 0.01, Restart: 0.01, Overwrite: 0.01, Silent: 0.01,
		Outage: 0.02, API: 0.02, Lists: 0.02, Skew: 0.02,
	}})
	var out strings.Builder
	for range 500 {
		fmt.Fprintln(&out, s.Step())
		for _, b := range c.Bridges() {
			fmt.Fprintln(&out, b.faultsInWords())
		}
	}
	for _, b := range c.Bridges() {
		for _, leg := range b.Legs() {
			fmt.Fprintln(&out, b.Name(), leg.ID(), leg.State(), leg.Address())
		}
	}
	return out.String()
}

// faultsInWords tells which faults last.
func (b *Bridge) faultsInWords() string {
	defer b.lock()()
	return fmt.Sprint(b.faults, b.cutOff, b.queue, b.pageCap, b.varyCap, b.shuffle, b.latestFirst, b.skew, b.server != nil)
}

func TestScriptFaultsLastForSomeSteps(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	healthy := []string{c.Bridge(0).faultsInWords(), c.Bridge(1).faultsInWords()}
	s := NewScript(c, ScriptOptions{Faults: ScriptFaults{Silent: 0.02, Outage: 0.05, API: 0.05, Lists: 0.05, Skew: 0.05, Away: 0.05}})
	kinds, back := map[string]int{}, 0
	for range 1000 {
		s.Step()
		for _, tr := range s.troubles {
			kinds[tr.kind]++
			if left := tr.until - s.steps; left <= 0 || left > longestTrouble {
				t.Fatalf("%s has %d steps left", tr.kind, left)
			}
		}
		if len(s.troubles) == 0 {
			back++
			if got := []string{c.Bridge(0).faultsInWords(), c.Bridge(1).faultsInWords()}; !slices.Equal(got, healthy) {
				t.Fatalf("something of %v stayed", got)
			}
		}
	}
	for _, kind := range []string{"outage", "api", "lists", "skew", "away"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s in %v", kind, kinds)
		}
	}
	if back == 0 {
		t.Error("the faults never end")
	}
	for len(s.troubles) == 0 {
		s.Step()
	}
	s.Calm()
	if got := []string{c.Bridge(0).faultsInWords(), c.Bridge(1).faultsInWords()}; !slices.Equal(got, healthy) {
		t.Errorf("something of %v stayed", got)
	}
	for range 100 {
		s.Step()
		if len(s.troubles) > 0 {
			t.Fatal("it is not calm")
		}
	}
}

func TestScriptFollowsFromItsSeed(t *testing.T) {
	if diff := gocmp.Diff(story(t, 1), story(t, 1)); diff != "" {
		t.Errorf("two runs differ\n%s", diff)
	}
	if story(t, 1) == story(t, 2) {
		t.Error("two seeds tell the same")
	}
}

func TestScriptIsOfBelievableSize(t *testing.T) {
	c := startCluster(t, Options{})
	s := NewScript(c, ScriptOptions{})
	for i := range 5000 {
		s.Step()
		if i < 200 {
			continue
		}
		truth := c.Truth()
		if len(truth) < 4 || len(truth) > 16 {
			t.Fatalf("step %d: %d meetings", i, len(truth))
		}
		for _, m := range truth {
			if len(m.People) > 25 {
				t.Fatalf("step %d: %d people in %q", i, len(m.People), m.Name)
			}
		}
	}
}

func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		c := startCluster(t, Options{Listen: n.Listen, Dial: n.DialContext})
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- NewScript(c, ScriptOptions{}).Play(ctx) }()
		time.Sleep(time.Second)
		truth := c.Truth()
		if n := len(truth); n < 8 || n > 12 {
			t.Errorf("%d meetings after a second", n)
		}
		levels := map[int]bool{}
		for _, m := range truth {
			levels[m.Level] = true
		}
		if !levels[1] || !levels[2] || !levels[3] {
			t.Errorf("levels %v", levels)
		}
		before := c.changes()
		time.Sleep(time.Minute)
		if n := c.changes() - before; n < 60 {
			t.Errorf("%d changes in a minute", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (c *Cluster) changes() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

func TestPopulate(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 3, Receivers: []string{r.URL}, Batch: 500})
	calls := c.Populate(300, 10)
	if len(calls) != 300 || len(c.Calls()) != 300 {
		t.Fatalf("%d calls", len(calls))
	}
	levels := map[int]int{}
	for _, m := range c.Truth() {
		levels[m.Level]++
		if len(m.People) != 10 {
			t.Fatalf("%d people", len(m.People))
		}
	}
	if levels[1] != 100 || levels[2] != 100 || levels[3] != 100 {
		t.Errorf("levels %v", levels)
	}
	delivered(t, c)
	if n := len(r.records()); n != 300*21 {
		t.Errorf("%d records", n)
	}
}

// TestPopulateBeforeTheStart: who is started in the middle of running calls gets
// no record of them, and reads them by the API.
func TestPopulateBeforeTheStart(t *testing.T) {
	r := newReceiver(t)
	c, err := New(Options{Bridges: 4, ResendPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	calls := c.Populate(40, 3)
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReceivers(r.URL); err != nil {
		t.Fatal(err)
	}
	for _, b := range c.Bridges() {
		a := newAPI(t, b)
		ids, _ := a.readAll("/callLegs")
		if got := a.get("/system/status").at("cdrCorrelatorIndex"); len(ids) != 30 || unique(ids) != 30 || got != "70" {
			t.Errorf("%s: %d legs, next index %s", b.Name(), len(ids), got)
		}
	}
	delivered(t, c)
	if n := len(r.records()); n != 0 {
		t.Errorf("%d records of what was before", n)
	}
	calls[5].Legs()[0].Update()
	delivered(t, c)
	records := r.records()
	if len(records) != 1 || records[0].CorrelatorIndex != 70 || records[0].RecordIndex != 1 || records[0].Missing != 0 {
		t.Errorf("records: %+v", records)
	}
	if got := calls[5].Level(); got != 3 {
		t.Errorf("level %d", got)
	}
}

// TestPopulateWaitsForTheStart: with receivers set, the records of what was
// before the start come after it.
func TestPopulateWaitsForTheStart(t *testing.T) {
	r := newReceiver(t)
	c, err := New(Options{Bridges: 2, Receivers: []string{r.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Populate(10, 2)
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	delivered(t, c)
	if n := len(r.records()); n != 50 {
		t.Errorf("%d records", n)
	}
}

// TestCalmAPITellsTheTruth reads while everything goes wrong, and once more when
// it no longer does.
func TestCalmAPITellsTheTruth(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 2, Seed: 3, Receivers: []string{r.URL}})
	s := NewScript(c, ScriptOptions{Seed: 3, Faults: ScriptFaults{Restart: 0.01, Silent: 0.05, Outage: 0.1, API: 0.2, Lists: 0.1, Skew: 0.1, Away: 0.1}})
	apis := []*api{newAPI(t, c.Bridge(0)), newAPI(t, c.Bridge(1))}
	for range 200 {
		s.Step()
		for _, a := range apis {
			_, _, _ = a.try("GET", "/api/v1/callLegs", nil) // it may fail
		}
	}
	s.Calm()
	delivered(t, c)
	faulted := 0
	got := map[string][]string{}
	for i, a := range apis {
		faulted += c.Bridge(i).Requests().Faulted
		calls, _ := a.readAll("/calls")
		for _, id := range calls {
			got[id], _ = a.readAll("/calls/" + id + "/callLegs")
		}
	}
	want := map[string][]string{}
	for id, legs := range c.LegTruth() {
		want[id] = nil
		for _, leg := range legs {
			want[id] = append(want[id], leg.ID)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("truth and API differ (-truth +API)\n%s", diff)
	}
	if faulted == 0 || c.Bridge(0).Deliveries().Discarded+c.Bridge(1).Deliveries().Discarded == 0 {
		t.Errorf("%d requests got a fault, %+v", faulted, c.Bridge(0).Deliveries())
	}
}
