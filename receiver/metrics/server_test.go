package metrics

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// serve runs a server on a free port of the loopback until the test ends.
func serve(t *testing.T, o ServerOptions) *Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s := NewServer(o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopIn(t, s, 10*time.Second) })
	return s
}

func stopIn(t *testing.T, s *Server, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// ask sends one request on a connection of its own.
func ask(t *testing.T, s *Server, method, path string) (int, string, http.Header) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, method+" "+path+" HTTP/1.1\r\nHost: callmark\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header
}

func TestServer(t *testing.T) {
	site := newSite(t)
	var reasons []string
	s := serve(t, ServerOptions{Metrics: site.Metrics, Unready: func() []string { return reasons }})
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/readyz", 200, "ready\n"},
		{"HEAD", "/readyz", 200, ""},
		{"GET", "/metrics", 200, "callmark_calls 0\n"},
		{"GET", "/metrics?name[]=x", 200, "callmark_calls 0\n"},
		{"HEAD", "/metrics", 200, ""},
		{"POST", "/metrics", 405, "asked by GET"},
		{"POST", "/cdr", 404, "/metrics, /healthz or /readyz"},
		{"GET", "/debug/pprof/", 404, "nothing here"},
	} {
		status, body, header := ask(t, s, test.method, test.path)
		if status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s %s: %d %.60q, want %d with %q", test.method, test.path, status, body, test.status, test.body)
		}
		if header.Get("Server") != "" || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s %s: %v", test.method, test.path, header)
		}
	}
	reasons = []string{"cms1 is down: no route", "cms2 is unverified: record 7 is missing"}
	if status, body, _ := ask(t, s, "GET", "/readyz"); status != 503 || body != strings.Join(reasons, "\n")+"\n" {
		t.Errorf("%d %q", status, body)
	}
}

func TestServerOfABrokenScrape(t *testing.T) {
	site := newSite(t)
	m, err := New(Options{Board: broken{site.Board, func() { panic("in the board") }}})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, ServerOptions{Metrics: m, Unready: func() []string { panic("in a reason") }})
	for _, path := range []string{"/metrics", "/readyz", "/metrics"} {
		if status, body, _ := ask(t, s, "GET", path); status != 500 || strings.Contains(body, "in a") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if status, _, _ := ask(t, s, "GET", "/healthz"); status != 200 {
		t.Errorf("%d afterwards", status)
	}
}

// A port that is taken is an error that names the key.
func TestPortTaken(t *testing.T) {
	first := serve(t, ServerOptions{})
	second := NewServer(ServerOptions{Listen: first.Addr()})
	if err := second.Start(); err == nil || !strings.Contains(err.Error(), "in use by another program: stop it or set metrics.listen") {
		t.Errorf("error %v", err)
	}
	stopIn(t, second, time.Second)
	for _, listen := range []string{"192.0.2.1:9100", "nowhere", "127.0.0.1:99999"} {
		if err := NewServer(ServerOptions{Listen: listen}).Start(); err == nil || !strings.Contains(err.Error(), "set metrics.listen") {
			t.Errorf("%s: error %v", listen, err)
		}
	}
}

// Stop ends idle connections and waits for none; it may be called before Start,
// and again.
func TestServerStop(t *testing.T) {
	s := serve(t, ServerOptions{})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	stopIn(t, s, 10*time.Second)
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Errorf("the connection does not end: %v", err)
	}
	stopIn(t, s, time.Second)
	if err := s.Start(); err == nil {
		t.Error("it starts again")
	}
	never := NewServer(ServerOptions{Listen: "127.0.0.1:0"})
	stopIn(t, never, time.Second)
}

// A request that does not end is cut off when Stop's time is over.
func TestServerStopCuts(t *testing.T) {
	entered, hold := make(chan struct{}), make(chan struct{})
	s := NewServer(ServerOptions{Listen: "127.0.0.1:0", Unready: func() []string { close(entered); <-hold; return nil }})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err == nil || !strings.Contains(err.Error(), "stopping the metrics") {
		t.Errorf("error %v", err)
	}
	close(hold)
}

// Who takes many connections keeps nobody out who is elsewhere, and has room
// again when one of his ends; the board is read all the same.
func TestConnectionsAreBounded(t *testing.T) {
	site := newSite(t)
	s := serve(t, ServerOptions{Metrics: site.Metrics})
	silent := make([]net.Conn, maxConnections+5)
	for i := range silent {
		silent[i] = dialFrom(t, s, "127.0.0.1")
	}
	for i, c := range silent[maxOfAddress:] { // these are closed
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d: %v", maxOfAddress+i+1, err)
		}
	}
	answers := func(c net.Conn) bool {
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil && res.StatusCode == 200
	}
	if !answers(dialFrom(t, s, "127.0.0.2")) {
		t.Error("who is elsewhere is kept out")
	}
	if !answers(silent[0]) { // which ends with that
		t.Error("the first is not answered")
	}
	for late := time.Now().Add(10 * time.Second); !answers(dialFrom(t, s, "127.0.0.1")); {
		if time.Now().After(late) {
			t.Fatal("there is no room again")
		}
	}
	if m := site.Measure(t0); m.Totals.Meetings != 0 {
		t.Errorf("%+v", m.Totals)
	}
}

// dialFrom connects from an address of the loopback.
func dialFrom(t *testing.T, s *Server, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := d.Dial("tcp", s.Addr())
	if err != nil {
		t.Skipf("this machine's loopback has no %s: %v", address, err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func TestAddressOf(t *testing.T) {
	for from, want := range map[string]string{
		"10.1.2.3:4": "10.1.2.3", "[::ffff:10.1.2.3]:4": "10.1.2.3", "[2001:db8::1]:4": "2001:db8::/64", "[2001:db8::2%x]:4": "2001:db8::/64",
	} {
		if got := addressOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}
