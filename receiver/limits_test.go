package receiver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dialFrom is dial from an address of the loopback's own.
func dialFrom(t testing.TB, s *Server, address string) *wire {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := d.Dial("tcp", s.Addr())
	if err != nil {
		t.Skipf("this machine's loopback has no %s: %v", address, err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &wire{t, c, bufio.NewReader(c)}
}

// TestDocumentLimits has documents at each limit, and above it.
func TestDocumentLimits(t *testing.T) {
	nested := func(n int) string {
		return `<records session="s">` + strings.Repeat("<x>", n-1) + strings.Repeat("</x>", n-1) + `</records>`
	}
	records := func(n int) string { return `<records session="s">` + strings.Repeat("<record/>", n) + `</records>` }
	b := &fakeBoard{}
	s := start(t, b, Options{MaxBody: 5000, MaxDepth: 20, MaxRecords: 300, MaxValue: 300, MaxHeader: 2048})
	header := func(n int) string {
		return fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", n-len("GET /healthz HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n")))
	}
	for _, test := range []struct {
		name, request string
		status        int
		reason        string
	}{
		{"depth", posting(nested(20)), 200, ""},
		{"depth, above", posting(nested(21)), 400, "nested too deep"},
		{"records", posting(records(300)), 200, ""},
		{"records, above", posting(records(301)), 400, "at most 300 are taken"},
		{"body", posting(records(0) + strings.Repeat(" ", 5000-len(records(0)))), 200, ""},
		{"body, above", posting(records(0) + strings.Repeat(" ", 5001-len(records(0)))), 413, "larger than 5000 bytes"},
		{"header", header(2048), 200, "ok"},
		{"header, above", header(2049), 431, "larger than 2048 bytes"},
	} {
		w := dial(t, s)
		w.send(test.request)
		if status, text, _ := w.answer(); status != test.status || !strings.Contains(text, test.reason) {
			t.Errorf("%s: got %d %q, want %d with %q", test.name, status, text, test.status, test.reason)
		}
	}
	b.events = nil
	post(t, s, `<records session="s"><record type="callStart"><call id="c"><name>`+strings.Repeat("n", 400)+`</name></call></record></records>`)
	if len(b.events) != 1 || b.events[0].Call.Name != strings.Repeat("n", 300) {
		t.Errorf("a value above its limit is not cut: %d bytes", len(b.events[0].Call.Name))
	}
}

// TestHoardingSource hoards connections at a Call Bridge's own address: it gets
// in all the same, and who is elsewhere loses none.
func TestHoardingSource(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{MaxConnsPerSource: 4})
	elsewhere := dialFrom(t, s, "127.0.0.2")
	until(t, "it was taken", func() bool { return s.Stats().Connections == 1 })
	hoard := make([]*wire, 4)
	for i := range hoard {
		hoard[i] = dial(t, s)
		until(t, "it was taken", func() bool { return s.Stats().Connections == i+2 })
	}
	for i := range hoard {
		w := dial(t, s)
		w.send(posting(`<records session="s"/>`))
		if status, _, _ := w.answer(); status != 200 {
			t.Fatalf("got %d", status)
		}
		if !hoard[i].ended() {
			t.Fatalf("number %d, that was silent longest, goes on", i)
		}
		if got := s.Stats().Connections; got != 5 {
			t.Fatalf("%d connections", got)
		}
	}
	elsewhere.send(posting(`<records session="s"/>`))
	if status, _, _ := elsewhere.answer(); status != 200 {
		t.Errorf("from elsewhere: %d", status)
	}
	if got := s.Stats().Refused; got != 0 {
		t.Errorf("%d refused", got)
	}
}

// clock is a time that stands until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestRequestRate(t *testing.T) {
	clock, b, log := newClock(), &fakeBoard{}, &logged{}
	s := start(t, b, Options{MaxRequestsPerSource: 5, Now: clock.now, Log: log.logger()})
	w := dial(t, s)
	ask := func(w *wire) int {
		w.send(posting(`<records session="s"/>`))
		status, _, _ := w.answer()
		return status
	}
	var got []int
	for range 7 {
		got = append(got, ask(w))
	}
	again := dial(t, s)
	got = append(got, ask(again))
	w.Close()
	again.Close()
	until(t, "it has hung up", func() bool { return s.Stats().Connections == 0 })
	back := dial(t, s)
	got = append(got, ask(back), ask(dialFrom(t, s, "127.0.0.2")))
	clock.advance(200 * time.Millisecond)
	got = append(got, ask(back), ask(back))
	clock.advance(time.Second)
	for range 6 {
		got = append(got, ask(back))
	}
	want := []int{
		200, 200, 200, 200, 200, 503, 503, // of one connection, which goes on
		503, 503, 200, // another connection, a new one, another source
		200, 503, // a fifth of a second later there is one more
		200, 200, 200, 200, 200, 503, // a second later all are there again
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got := b.applied(); got != 12 {
		t.Errorf("%d applied", got)
	}
	if got := s.Stats().Refused; got != 6 {
		t.Errorf("%d refused", got)
	}
	if lines := log.lines(string(causeOften)); len(lines) != 1 || !strings.Contains(lines[0], "more than 5 requests a second") {
		t.Errorf("logged %q", lines)
	}
}

// TestRequestRateAhead has a rate of which connections take several requests at
// a time: on one connection exactly that many come through.
func TestRequestRateAhead(t *testing.T) {
	const rate = 2*aheadOf + 1
	s := start(t, &fakeBoard{}, Options{MaxRequestsPerSource: rate, Now: newClock().now})
	w := dial(t, s)
	go func() { _, _ = io.WriteString(w, strings.Repeat(marker, rate+3)) }()
	got, _ := w.outcome(rate + 3)
	for i, status := range got {
		if want := map[bool]int{true: 200, false: 503}[i < rate]; status != want {
			t.Fatalf("request %d: got %d, want %d", i, status, want)
		}
	}
}

func TestSources(t *testing.T) {
	now := newClock().t
	ss := newSources(10)
	conns := make([]*conn, maxKnown)
	for i := range conns {
		conns[i] = &conn{network: fmt.Sprint("source ", i)}
		ss.add(conns[i], now)
		if conns[i].rate == ss.others {
			t.Fatalf("source %d has no rate of its own", i)
		}
	}
	late, later := &conn{network: "late"}, &conn{network: "later"}
	ss.add(late, now)
	ss.add(later, now)
	if late.rate != ss.others || later.rate != ss.others || late.held != later.held {
		t.Error("those beyond the bound do not share a rate and memory")
	}
	ss.remove(later, now)
	if len(ss.known) != maxKnown+1 {
		t.Errorf("%d known", len(ss.known))
	}
	ss.remove(late, now)

	// All hang up: who has sent nothing is forgotten, who has is not.
	for i, c := range conns {
		if i%2 == 0 {
			c.rate.AllowN(now, 10)
		}
		ss.remove(c, now)
	}
	if len(ss.known) != maxKnown/2 {
		t.Errorf("%d known after all have hung up", len(ss.known))
	}
	rate := conns[0].rate
	if ss.add(conns[0], now); conns[0].rate != rate {
		t.Error("who hangs up starts afresh")
	}
	// In a second they may send again, and are forgotten.
	if ss.add(late, now.Add(time.Second)); late.rate == ss.others || len(ss.known) != 2 {
		t.Errorf("%d known, shared %v", len(ss.known), late.rate == ss.others)
	}
}

// TestNetworkOf: an IPv6 network counts as one source, whichever of its addresses
// is used.
func TestNetworkOf(t *testing.T) {
	for address, want := range map[string]string{
		"10.1.2.3":                "10.1.2.3",
		"2001:db8:1:2::1":         "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::9":    "2001:db8:1:2::/64",
		"2001:db8:1:3::1":         "2001:db8:1:3::/64",
		"fe80::1%eth0":            "fe80::/64",
		"no address, like a pipe": "no address, like a pipe",
	} {
		if got := networkOf(address); got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
	cs := conns{max: 10, maxPerSource: 2, now: newClock().now, open: map[*conn]struct{}{}, sources: newSources(10)}
	from := func(address string) *conn {
		c, _ := net.Pipe()
		added, why := cs.add(&fromAddress{c, &net.TCPAddr{IP: net.ParseIP(address), Port: 1}})
		if why != "" {
			t.Fatal(why)
		}
		return added
	}
	a, b := from("2001:db8::1"), from("2001:db8::2")
	if a.rate != b.rate || a.held != b.held || b.source != "2001:db8::2" {
		t.Errorf("of one network: %+v, %+v", a, b)
	}
	if from("2001:db8::3"); len(cs.open) != 2 {
		t.Errorf("%d connections of one network", len(cs.open))
	}
	if c := from("2001:db8:0:1::1"); c.rate == b.rate || len(cs.open) != 3 {
		t.Error("another network is not its own")
	}
}

// fromAddress is a connection from where a test wants.
type fromAddress struct {
	net.Conn
	remote net.Addr
}

func (c *fromAddress) RemoteAddr() net.Addr { return c.remote }

// TestLargeBodiesOfOneSource has one address send many halves of large
// documents: another gets its own in.
func TestLargeBodiesOfOneSource(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{MaxBody: 1 << 20, ReadTimeout: time.Minute})
	half := posting(strings.Repeat("x", 1<<20))[:900_000]
	for range 30 {
		w := dial(t, s)
		go func() { _, _ = io.WriteString(w, half) }()
	}
	until(t, "one address has its part", func() bool {
		return s.Stats().Refused >= 30-largeOfSource-1 && s.large.Load() >= (largeOfSource-1)<<20
	})
	if got := s.large.Load(); got > largeOfSource*(1<<20+keptBody) {
		t.Errorf("it holds %d bytes", got)
	}
	w := dialFrom(t, s, "127.0.0.2")
	w.send(posting(`<records session="s"/>` + strings.Repeat(" ", 900_000)))
	if status, body, _ := w.answer(); status != 200 {
		t.Errorf("from elsewhere: %d %s", status, body)
	}
	s.conns.closeAll()
	until(t, "the memory is free again", func() bool { return s.large.Load() == 0 })
}

// TestAppliers has more documents at once than are applied at once.
func TestAppliers(t *testing.T) {
	b := &fakeBoard{}
	held, free := make(chan struct{}, 100), make(chan struct{})
	b.onApply = func() { held <- struct{}{}; <-free }
	s := start(t, b, Options{})
	var posts []*wire
	for range 3 * maxAppliers {
		w := dial(t, s)
		w.send(posting(`<records session="s"/>`))
		posts = append(posts, w)
	}
	for range maxAppliers {
		<-held
	}
	until(t, "all are under way", func() bool {
		s.conns.mu.Lock()
		defer s.conns.mu.Unlock()
		return len(s.conns.open) == len(posts) && mostSilent(s.conns.open) == nil
	})
	if len(held) != 0 {
		t.Errorf("%d more are applied at once", len(held))
	}
	close(free)
	for _, w := range posts {
		if status, _, _ := w.answer(); status != 200 {
			t.Errorf("got %d", status)
		}
	}
	b.onApply = func() { panic("once") }
	for i := range 2 * maxAppliers { // none is lost by it
		post(t, s, fmt.Sprintf(`<records session="s%d"/>`, i))
	}
	b.onApply = nil
	if status, _ := post(t, s, `<records session="s"/>`); status != 200 || len(s.appliers) != maxAppliers {
		t.Errorf("got %d, %d appliers", status, len(s.appliers))
	}
}
