package cms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callmark/policy"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"cms1.example.com":      "https://cms1.example.com:443",
		"CMS1.Example.com.":     "https://cms1.example.com:443",
		"cms1:8443":             "https://cms1:8443",
		"https://cms1":          "https://cms1:443",
		"https://cms1:445/":     "https://cms1:445",
		"http://cms1":           "http://cms1:80",
		"http://127.0.0.1:9000": "http://127.0.0.1:9000",
		"10.0.0.1":              "https://10.0.0.1:443",
		"2001:db8::1":           "https://[2001:db8::1]:443",
		"[2001:db8::1]:445":     "https://[2001:db8::1]:445",
		"":                      "",
		"ftp://cms1":            "",
		"cms1:0":                "",
		"cms1:70000":            "",
		"cms1:https":            "",
		"a:b:c":                 "",
		"https://cms1/api/v1":   "",
		"cms1/x":                "",
		"https://u:p@cms1":      "",
		"cms 1":                 "",
		"https://":              "",
		"cms1?x":                "",
		"cms1\x00":              "",
	} {
		a, err := ParseAddress(text, 443)
		got := ""
		if err == nil {
			got = strings.TrimSuffix(a.base(), "/api/v1")
		}
		if got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	good := Options{Servers: []string{"cms1", "cms2:444"}, Username: "u", Password: policy.NewSecret("p")}
	if err := good.Validate(); err != nil {
		t.Errorf("good options: %v", err)
	}
	notPEM := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(notPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change func(*Options)
		key    string
	}{
		{func(o *Options) { o.Servers = nil }, "cms.servers"},
		{func(o *Options) { o.Servers = []string{"cms1", "https://CMS1:443"} }, "cms.servers"},
		{func(o *Options) { o.Servers = []string{"a b"} }, "cms.servers"},
		{func(o *Options) { o.Port = 70000 }, "cms.port"},
		{func(o *Options) { o.Username = "" }, "cms.username"},
		{func(o *Options) { o.Password = policy.Secret{} }, "cms.password"},
		{func(o *Options) { o.WritesPerSecond = -1 }, "cms.writes_per_second"},
		{func(o *Options) { o.ReadsPerSecond = 1e9 }, "cms.reads_per_second"},
		{func(o *Options) { o.Timeout = -1 }, "cms.timeout"},
		{func(o *Options) { o.Writers = 1 }, "cms.writers"},
		{func(o *Options) { o.CAFile = "/does/not/exist" }, "cms.ca_file"},
		{func(o *Options) { o.CAFile = notPEM }, "cms.ca_file"},
	} {
		o := good
		tt.change(&o)
		err := o.Validate()
		var oe *OptionError
		if !errors.As(err, &oe) || oe.Key != tt.key || !strings.HasPrefix(err.Error(), tt.key+": ") {
			t.Errorf("%s: %v", tt.key, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{500 * time.Millisecond, 30 * time.Second}
	for _, tt := range []struct {
		failures int
		random   float64
		want     time.Duration
	}{
		{0, 1, 500 * time.Millisecond}, {1, 1, 500 * time.Millisecond}, {2, 1, time.Second}, {3, 0.5, time.Second},
		{6, 1, 16 * time.Second}, {7, 1, 30 * time.Second}, {1000, 1, 30 * time.Second}, {5, 0, 50 * time.Millisecond},
	} {
		if got := b.after(tt.failures, tt.random); got != tt.want {
			t.Errorf("after(%d, %v) = %s, want %s", tt.failures, tt.random, got, tt.want)
		}
	}
}

func TestQueueOrder(t *testing.T) {
	base := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return base.Add(time.Duration(s) * time.Second) }
	q := newQueue()
	q.put(entry{ref: 1, since: at(0)})                                   // a fall, oldest of all
	q.put(entry{ref: 2, rise: true, level: policy.Level2, since: at(1)}) //
	q.put(entry{ref: 3, rise: true, level: policy.Level3, since: at(5)}) //
	q.put(entry{ref: 4, rise: true, level: policy.Level3, since: at(4)}) //
	q.put(entry{ref: 5, since: at(9)})                                   //
	q.put(entry{ref: 6, rise: true, level: policy.Level3, due: at(60)})  // later
	q.put(entry{ref: 7, rise: true, since: at(1)})                       // an operator's text
	q.put(entry{ref: 5, since: at(8)})                                   // again: one entry
	q.put(entry{ref: 8, rise: true, level: policy.Level3, since: at(0)}) //
	q.remove(8)
	q.remove(99)
	var order []policy.CallRef
	for {
		e, wait := q.first(at(10), false)
		if e == nil {
			if wait != 50*time.Second {
				t.Errorf("wait %s", wait)
			}
			break
		}
		order = append(order, e.ref)
		q.remove(e.ref)
	}
	if diff := cmp.Diff([]policy.CallRef{4, 3, 2, 7, 1, 5}, order); diff != "" {
		t.Error(diff)
	}
	q.put(entry{ref: 1})
	if e, wait := q.first(at(10), true); e != nil || wait != 50*time.Second {
		t.Errorf("with rises only: %v, %s", e, wait)
	}
	if e, _ := q.first(at(61), true); e == nil || e.ref != 6 || q.len() != 2 {
		t.Errorf("with rises only, later: %v", e)
	}
}

func TestMatch(t *testing.T) {
	ip := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	one := []bridge{{name: "a:443"}}
	three := []bridge{
		{name: "a:443", known: true, guid: "ga", ips: ip("10.0.0.1")},
		{name: "b:443", known: true, guid: "gb", ips: ip("10.0.0.2")},
		{name: "c:443", ips: ip("10.0.0.3")},
	}
	loose := []bridge{{name: "a:443", ips: ip("10.0.0.1")}, {name: "b:443", ips: ip("10.0.0.1")}, {name: "c:443", ips: ip("2001:db8::3")}}
	for _, tt := range []struct {
		name    string
		s       policy.SessionInfo
		bridges []bridge
		noGuess bool
		at      int
		how     policy.Sureness
		ask     []int
	}{
		{"GUID", policy.SessionInfo{CallBridge: "GB", Address: "10.0.0.1"}, three, false, 1, policy.Proven, nil},
		{"GUID beats what was bound", policy.SessionInfo{CallBridge: "gb", Server: "a:443", Sureness: policy.Proven}, three, false, 1, policy.Proven, nil},
		{"proven before", policy.SessionInfo{Server: "c:443", Sureness: policy.Proven, Address: "10.0.0.1"}, three, true, 2, policy.Proven, nil},
		{"proven server is no longer configured", policy.SessionInfo{Server: "x:443", Sureness: policy.Proven, Address: "10.0.0.1"}, three, false, 0, policy.Guessed, nil},
		{"one server", policy.SessionInfo{Address: "192.0.2.1"}, one, false, 0, policy.Guessed, nil},
		{"one server, no guess", policy.SessionInfo{}, one, true, -1, policy.Unbound, []int{0}},
		{"one left", policy.SessionInfo{CallBridge: "gx"}, three, false, 2, policy.Guessed, nil},
		{"one left, no guess", policy.SessionInfo{CallBridge: "gx"}, three, true, -1, policy.Unbound, []int{2}},
		{"none left", policy.SessionInfo{CallBridge: "gx", Address: "10.0.0.1"}, three[:2], false, -1, policy.Unbound, nil},
		{"address", policy.SessionInfo{Address: "::ffff:10.0.0.2"}, three, false, 1, policy.Guessed, nil},
		{"address of none", policy.SessionInfo{Address: "10.0.0.9"}, three, false, -1, policy.Unbound, []int{0, 1, 2}},
		{"no address", policy.SessionInfo{}, three, false, -1, policy.Unbound, []int{0, 1, 2}},
		{"two behind one address", policy.SessionInfo{Address: "10.0.0.1"}, loose, false, -1, policy.Unbound, []int{0, 1, 2}},
		{"IPv6 with a zone", policy.SessionInfo{Address: "2001:db8::3%eth0"}, loose, false, 2, policy.Guessed, nil},
		{"a guess is no proof", policy.SessionInfo{Server: "a:443", Sureness: policy.Guessed, Address: "10.0.0.1"}, loose, true, -1, policy.Unbound, []int{0, 1, 2}},
	} {
		at, how, ask := match(tt.s, tt.bridges, tt.noGuess)
		if at != tt.at || how != tt.how || !cmp.Equal(ask, tt.ask) {
			t.Errorf("%s: %d, %s, %v; want %d, %s, %v", tt.name, at, how, ask, tt.at, tt.how, tt.ask)
		}
	}
}

func TestJudge(t *testing.T) {
	gone := &APIError{Status: 404, Reasons: []string{"callDoesNotExist"}}
	for _, tt := range []struct {
		err  error
		how  policy.Sureness
		want verdict
	}{
		{nil, policy.Guessed, verdictSent},
		{gone, policy.Proven, verdictAbsent},
		{gone, policy.Guessed, verdictWrongServer},
		{gone, policy.Unbound, verdictWrongServer},
		{&APIError{Status: 404}, policy.Proven, verdictBad},
		{&APIError{Status: 400, Reasons: []string{"parameterError"}}, policy.Proven, verdictBad},
		{&APIError{Status: 403}, policy.Proven, verdictBad},
		{&APIError{Status: 401}, policy.Proven, verdictOutage},
		{&APIError{Status: 429}, policy.Proven, verdictOutage},
		{&APIError{Status: 503}, policy.Proven, verdictOutage},
		{&APIError{Status: 500}, policy.Proven, verdictRetry},
		{&TransportError{}, policy.Proven, verdictOutage},
		{&GateError{}, policy.Proven, verdictOutage},
		{errBadID, policy.Proven, verdictBad},
		{context.Canceled, policy.Proven, verdictBad},
	} {
		if tt.err != nil {
			tt.err = fmt.Errorf("set the message: %w", tt.err)
		}
		if got := judge(tt.err, tt.how); got != tt.want {
			t.Errorf("%v, %s: %d, want %d", tt.err, tt.how, got, tt.want)
		}
	}
}

// TestGate walks a gate through a server's troubles, minute by minute.
func TestGate(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	after := func(d time.Duration) { now = now.Add(d) }
	g := newGate(func() float64 { return 1 }, 0)
	enter := func(l lane) ticket {
		t.Helper()
		tk, _, ok := g.enter(l, now)
		if !ok {
			t.Fatalf("closed at %s, state %s", now, g.status().state)
		}
		return tk
	}
	closed := func(l lane, want time.Duration) {
		t.Helper()
		if _, wait, ok := g.enter(l, now); ok || wait != want {
			t.Fatalf("open %v, wait %s, want %s", ok, wait, want)
		}
	}
	state := func(want policy.ServerState) {
		t.Helper()
		if s := g.status(); s.state != want {
			t.Fatalf("state %s, want %s", s.state, want)
		}
	}
	leave := func(tk ticket, result outcome) { g.leave(tk, now, result, time.Millisecond, "problem", "remedy") }

	state(policy.ServerUnknown)
	first := enter(reads)
	closed(reads, -1)
	closed(writes, courtesy) // one at a time until the account is known to work
	after(courtesy)
	second := enter(writes) // but no longer than that
	leave(second, outcomeAnswered)
	state(policy.ServerUp)
	leave(first, outcomeAnswered)

	// A busy answer closes its lane only.
	a, b := enter(writes), enter(writes)
	leave(a, outcomeBusy)
	state(policy.ServerBusy)
	leave(b, outcomeBusy) // a straggler, no second failure
	if s := g.status(); s.attempts != 1 || s.next.Sub(now) != 500*time.Millisecond || s.problem == "" {
		t.Fatalf("status %+v", s)
	}
	closed(writes, 500*time.Millisecond)
	leave(enter(reads), outcomeAnswered)
	after(500 * time.Millisecond)
	probe := enter(writes)
	closed(writes, -1)
	leave(probe, outcomeLost)
	state(policy.ServerDown)
	closed(writes, time.Second)
	after(time.Second)
	probe = enter(writes)
	g.cancel(probe) // not used
	leave(enter(writes), outcomeAnswered)
	state(policy.ServerUp)

	// What we gave up says nothing.
	leave(enter(writes), outcomeGivenUp)
	state(policy.ServerUp)

	// A refused account closes all.
	a, b = enter(writes), enter(reads)
	leave(a, outcomeUnauthorized)
	leave(b, outcomeUnauthorized)
	state(policy.ServerLocked)
	closed(writes, 5*time.Minute)
	closed(reads, 5*time.Minute)
	for _, wait := range []time.Duration{5, 10, 20, 40, 60, 60} {
		closed(reads, wait*time.Minute)
		after(wait * time.Minute)
		probe := enter(reads)
		closed(writes, -1)
		leave(probe, outcomeUnauthorized)
	}
	g.reprobe(now)
	probe = enter(writes)
	leave(probe, outcomeLost) // no word about the account
	state(policy.ServerLocked)
	closed(reads, 5*time.Minute)
	g.reprobe(now)
	leave(enter(writes), outcomeAnswered)
	state(policy.ServerUp)
	leave(enter(reads), outcomeAnswered)
	if s := g.status(); s.requests != s.failures+6 {
		t.Errorf("counted %+v", s)
	}
}

func TestOutcomes(t *testing.T) {
	for status, want := range map[int]outcome{
		200: outcomeAnswered, 400: outcomeAnswered, 404: outcomeAnswered, 500: outcomeAnswered,
		401: outcomeUnauthorized, 503: outcomeBusy, 429: outcomeBusy, 502: outcomeBusy, 504: outcomeBusy,
	} {
		var err error
		if status != http.StatusOK {
			err = &APIError{Status: status}
		}
		if got := outcomeOf(err); got != want {
			t.Errorf("%d: %d, want %d", status, got, want)
		}
	}
	if outcomeOf(&TransportError{}) != outcomeLost || outcomeOf(context.Canceled) != outcomeGivenUp {
		t.Error("errors without an answer")
	}
}

func TestSortHosts(t *testing.T) {
	node := func(id, name, address string) CallBridge { return CallBridge{ID: id, Name: name, Address: address} }
	nodes := []CallBridge{node("G1", "n1", "https://10.9.9.1:445"), node("g2", "n2", "https://CMS2.test"), node("g3", "n3", "https://cms3.test:445/")}
	configured := func(host, guid string, known bool) *server {
		s := &server{Client: &Client{address: Address{Scheme: "https", Host: host, Port: 443}}}
		s.id = identity{known: known, guid: guid}
		if known {
			s.id.bridges = nodes
		}
		return s
	}
	for _, tt := range []struct {
		name               string
		servers            []*server
		watched, unwatched []string
		missing            int
	}{
		{"all configured", []*server{configured("cms1.test", "g1", true), configured("cms2.test", "g2", true), configured("cms3.test", "g3", true)},
			[]string{"10.9.9.1", "cms1.test", "cms2.test", "cms3.test"}, nil, 0},
		{"one is missing", []*server{configured("cms1.test", "g1", true), configured("cms2.test", "g2", true)},
			[]string{"10.9.9.1", "cms1.test", "cms2.test"}, []string{"cms3.test"}, 1},
		{"it may be the one that has not answered", []*server{configured("cms1.test", "g1", true), configured("cms2.test", "g2", true), configured("10.7.7.7", "", false)},
			[]string{"10.7.7.7", "10.9.9.1", "cms1.test", "cms2.test"}, []string{"cms3.test"}, 0},
		{"no cluster", []*server{configured("cms1.test", "", false)}, []string{"cms1.test"}, nil, 0},
	} {
		c := &Cluster{servers: tt.servers}
		watched, unwatched, missing := c.sortHosts()
		if !cmp.Equal(watched, tt.watched) || !cmp.Equal(unwatched, tt.unwatched) || len(missing) != tt.missing {
			t.Errorf("%s: %v, %v, %v", tt.name, watched, unwatched, missing)
		}
	}
}
