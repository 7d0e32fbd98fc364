package metrics

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"callmark/policy"
)

// Every family is told from the start, with a help, and as Prometheus' own rules
// for names want it.
func TestFamilies(t *testing.T) {
	s := newSite(t)
	found := s.scrape(t)
	for _, f := range families {
		got := found[f.name]
		if got == nil || len(got.GetMetric()) == 0 {
			t.Errorf("%s is declared and not told", f.name)
		} else if len(got.GetHelp()) < 15 || !strings.HasSuffix(got.GetHelp(), ".") {
			t.Errorf("%s: help %q", f.name, got.GetHelp())
		}
	}
	for name := range found {
		if !strings.HasPrefix(name, "callmark_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is nobody's", name)
		}
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes", "process_open_fds"} {
		if found[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	problems, err := promlint.New(strings.NewReader(s.text(t))).Lint()
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "callmark_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// Strangers may read it: it says no version.
func TestNoVersion(t *testing.T) {
	if text := newSite(t).text(t); strings.Contains(text, "version=") || strings.Contains(text, "go1.") {
		t.Error("a version is told")
	}
}

func TestValues(t *testing.T) {
	s := newSite(t)
	s.want(t,
		`records_total{result="taken",type="callStart"} 0`, `meetings{level="none"} 0`, `server_up{server="cms1.example:445"} 0`,
		`server_state{server="cms1.example:445",state="unknown"} 1`, `bridge_unverified{server="cms1.example:445"} 1`,
		`override_oldest_seconds 0`, `gaps_total 0`, `receiver_open 0`, `marking_latency_seconds_count 0`)

	fill(s.Board, 3)
	s.Bind(t0, "s", cms1, policy.Proven)
	s.Apply(t0, policy.Source{Session: "s"}, []policy.Event{{Kind: policy.LegUpdated, Index: 5}, {Kind: 77, Index: 40}})
	s.Apply(t0, policy.Source{Session: "stranger"}, []policy.Event{{Index: 3}})
	s.ReportServer(t0, policy.ServerStatus{
		Server: cms1, State: policy.ServerLocked, Since: t0, Insecure: true, Queue: 7, ReadRate: 90, ReadBudget: 100, WriteRate: 5, WriteBudget: 20,
	})
	s.Polled(t0, cms1, policy.Poll{Began: t0, Next: 41, Uptime: -1, Clock: t0.Add(-time.Minute)})
	s.ReportReceiver(policy.ReceiverStatus{Open: true})
	s.Raise(t0, policy.Alarm{Key: "newkind/x"})
	s.receiver = policy.ReceiverCounts{
		Documents: 9, SetAside: 2, Panics: 1, Connections: 3,
		Refused: map[string]uint64{"wrong path": 4}, Undecoded: map[string]uint64{"DOCTYPE": 5},
	}
	s.servers[0].Writes.Requests["401"] = 6
	s.servers[0].Writes.Latency.Add(20 * time.Millisecond)
	s.servers[0].Writes.Latency.Add(2 * time.Second)

	call := mustMeeting(t, s, "k0").Calls[0]
	s.now = t0.Add(3 * time.Second)
	if !s.Sending(s.now, call.Ref, call.Wanted) {
		t.Fatal("it may not be sent")
	}
	s.Sent(s.now, call.Ref, call.Wanted, cms1)
	if err := s.Override(s.now, "k1", policy.Override{Kind: policy.ForceClear}); err != nil {
		t.Fatal(err)
	}
	s.now = t0.Add(time.Minute)
	s.want(t,
		`records_total{result="taken",type="callStart"} 3`, `records_total{result="taken",type="callLegStart"} 30`,
		`records_total{result="duplicate",type="callLegUpdate"} 1`, `records_total{result="taken",type="other"} 2`,
		`meetings{level="3"} 3`, `meetings{level="none"} 0`, `meetings_unverified 3`, `calls 3`, `legs 30`,
		`overrides 1`, `override_oldest_seconds 57`, `gaps_total 2`, `gaps_open 2`,
		`alarms{kind="other"} 1`, `alarms{kind="clock"} 1`, `alarms{kind="bound"} 0`,
		`markings_total{result="sent"} 1`, `markings_total{result="failed"} 0`,
		`marking_latency_seconds_bucket{le="1"} 0`, `marking_latency_seconds_bucket{le="5"} 1`, `marking_latency_seconds_sum 3`,
		`receiver_documents_total 9`, `receiver_documents_set_aside_total 2`, `receiver_panics_total 1`, `receiver_connections 3`,
		`receiver_refusals_total{cause="wrong path"} 4`, `receiver_decode_errors_total{cause="DOCTYPE"} 5`, `receiver_open 1`,
		`server_up{server="cms1.example:445"} 0`, `server_state{server="cms1.example:445",state="locked"} 1`,
		`server_state{server="cms1.example:445",state="up"} 0`, `server_state_seconds{server="cms1.example:445"} 60`,
		`server_insecure{server="cms1.example:445"} 1`, `server_clock_offset_seconds{server="cms1.example:445"} -60`,
		`markings_waiting{server="cms1.example:445"} 7`, `api_requests_per_second{kind="read",server="cms1.example:445"} 90`,
		`api_budget_per_second{kind="write",server="cms1.example:445"} 20`,
		`api_requests_total{code="401",kind="write",server="cms1.example:445"} 6`, `api_requests_total{code="401",kind="read",server="cms1.example:445"} 0`,
		`api_latency_seconds_bucket{kind="write",server="cms1.example:445",le="0.025"} 1`,
		`api_latency_seconds_count{kind="write",server="cms1.example:445"} 2`,
		`bridge_unverified{server="cms1.example:445"} 1`, `bridge_unverified_seconds{server="cms1.example:445"} 60`,
		`bridge_calls{server="cms1.example:445"} 3`, `bridge_legs{server="cms1.example:445"} 30`,
		`bridge_calls{server="cms2.example:445"} 0`, `unbound_sessions 1`, `unbound_sessions_unverified 1`)
}

func mustMeeting(t testing.TB, s *site, id policy.MeetingID) *policy.MeetingView {
	t.Helper()
	v, ok := s.Meeting(id)
	if !ok {
		t.Fatalf("no meeting %s", id)
	}
	return v
}

// Whatever comes from outside, label values stay those of the fixed sets and the
// servers as configured, and the number of samples stays the same.
func TestLabelsAreBounded(t *testing.T) {
	s := newSite(t)
	count := func() (n int) {
		for _, f := range s.scrape(t) {
			n += len(f.GetMetric())
		}
		return n
	}
	before := count()
	evil := `evil"} 1` + "\ncallmark_up 1"
	for i := range 300 {
		name := fmt.Sprintf("%s%d", evil, i)
		s.Apply(t0, policy.Source{Session: name, CallBridge: name, Address: name}, []policy.Event{
			{Kind: policy.EventKind(i), Index: int64(i), Call: policy.CallFacts{ID: name, Name: name}, Leg: policy.LegFacts{ID: name, Call: name, Name: name, Connected: true}},
		})
		s.SetAside(t0, policy.Source{Address: name}, name)
		s.Raise(t0, policy.Alarm{Key: name, Text: name})
		s.ReportServer(t0, policy.ServerStatus{Server: cms1, Name: name, CallBridge: name, Version: name, Problem: name})
		s.ReportServer(t0, policy.ServerStatus{Server: name})
		s.Bind(t0, name, name, policy.Guessed)
		s.ReportReceiver(policy.ReceiverStatus{Listen: name, LastCause: name})
	}
	if after := count(); after != before {
		t.Errorf("%d samples, %d before", after, before)
	}
	for name, f := range s.scrape(t) {
		for _, m := range f.GetMetric() {
			for label, value := range labels(m) {
				if strings.Contains(value, "evil") {
					t.Errorf("%s has %s=%q", name, label, value)
				}
				if label == "server" && value != cms1 && value != cms2 {
					t.Errorf("%s is of server %q", name, value)
				}
			}
		}
	}
	if strings.Contains(s.text(t), "evil") {
		t.Error("something from outside is told")
	}
}

// broken fails in the middle of a scrape.
type broken struct {
	*policy.Board
	fail func()
}

func (b broken) Measure(now time.Time) policy.Measures {
	b.fail()
	return b.Board.Measure(now)
}

// A panic, or a value that makes no metric, costs the scrape, not the process.
func TestBrokenScrape(t *testing.T) {
	s := newSite(t)
	fail := func() { panic("in the board") }
	m, err := New(Options{Reuse: -1, Board: broken{s.Board, func() { fail() }}, Servers: func() []policy.APICounts { return s.servers }})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "in the board") {
		t.Errorf("error %v", err)
	}
	fail = func() {}
	s.servers = append(s.servers, s.servers[0])
	if err := m.Write(io.Discard); err == nil || !strings.Contains(err.Error(), cms1) {
		t.Errorf("one server twice: error %v", err)
	}
	s.servers = s.servers[:2]
	s.servers[0].Server = "\xff"
	if err := m.Write(io.Discard); err == nil {
		t.Error("no error for a name that is no UTF-8")
	}
	s.servers[0].Server = cms1
	if err := m.Write(io.Discard); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// An answer is given again for a second, but not one that failed.
func TestReuse(t *testing.T) {
	s := newSite(t)
	asked := 0
	m, err := New(Options{Now: func() time.Time { return s.now }, Board: broken{s.Board, func() {
		if asked++; asked == 1 {
			panic("the first")
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {0, 2}, {999 * time.Millisecond, 2}, {time.Millisecond, 3}, {0, 3}} {
		s.now = s.now.Add(test.after)
		var b strings.Builder
		err := m.Write(&b)
		if (err != nil) != (i == 0) || (b.Len() == 0) != (i == 0) || asked != test.asked {
			t.Errorf("at %d: error %v, %d bytes, the board was asked %d times", i, err, b.Len(), asked)
		}
	}
}

// Many may ask while the board works.
func TestConcurrentScrapes(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if err := s.Write(io.Discard); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() { fill(s.Board, 200) })
	wg.Wait()
	s.want(t, `meetings{level="3"} 200`)
}

// raised finds, in the code, what the keys of alarms begin with.
var raised = regexp.MustCompile(`Alarm\{\s*Key:\s*"([a-z]+)|Alarm\s*=\s*"([a-z]+)/|alarms\["([a-z]+)/|key := "([a-z]+)/`)

// The kinds of alarms that the program raises are all told apart.
func TestAlarmKinds(t *testing.T) {
	if !slices.IsSorted(alarmKinds) || slices.Contains(alarmKinds, other) {
		t.Errorf("%q", alarmKinds)
	}
	found := map[string]bool{}
	for _, folder := range []string{"policy", "policy/statefile", "cms", "receiver"} {
		files, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range raised.FindAllStringSubmatch(string(code), -1) {
				kind := m[1] + m[2] + m[3] + m[4]
				if found[kind] = true; !slices.Contains(alarmKinds, kind) {
					t.Errorf("%s raises alarms of the kind %s: add it to alarmKinds", file, kind)
				}
			}
		}
	}
	for _, kind := range alarmKinds {
		if !found[kind] {
			t.Errorf("nobody raises alarms of the kind %s", kind)
		}
	}
	s := newSite(t)
	s.SetAside(t0, policy.Source{Address: "192.0.2.7"}, "why")
	s.want(t, `alarms{kind="aside"} 1`, `alarms{kind="other"} 0`)
}

// One scrape with 10,000 meetings of ten legs each, and 24 servers.
func BenchmarkScrape(b *testing.B) {
	s := newSite(b)
	fill(s.Board, 10_000)
	s.servers = nil
	for i := range 24 {
		name := fmt.Sprintf("cms%d.example:445", i)
		s.ReportServer(t0, policy.ServerStatus{Server: name, State: policy.ServerUp})
		lane := func() policy.LaneCounts {
			return policy.LaneCounts{Requests: map[string]uint64{"2xx": 1, "400": 0, "401": 0, "403": 0, "404": 0, "4xx": 0, "503": 0, "5xx": 0, "none": 0}}
		}
		s.servers = append(s.servers, policy.APICounts{Server: name, Reads: lane(), Writes: lane()})
	}
	b.ReportAllocs()
	size := len(s.text(b))
	for b.Loop() {
		if err := s.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/1000, "kB")
}
