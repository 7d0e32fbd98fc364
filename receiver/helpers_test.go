package receiver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callmark/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBoard remembers what it was told.
type fakeBoard struct {
	mu      sync.Mutex
	sources []policy.Source
	events  []policy.Event
	aside   []string // source and reason
	asideOf []policy.Source
	status  []policy.ReceiverStatus
	alarms  map[string]policy.Alarm
	refuses string // why the board does not believe the sender

	onApply    func()
	onSetAside func()
}

func (b *fakeBoard) Apply(_ time.Time, src policy.Source, events []policy.Event) policy.Applied {
	if b.onApply != nil {
		b.onApply()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources = append(b.sources, src)
	b.events = append(b.events, events...)
	if b.refuses != "" {
		return policy.Applied{Dropped: len(events), Refused: b.refuses}
	}
	return policy.Applied{Taken: len(events)}
}

func (b *fakeBoard) SetAside(_ time.Time, src policy.Source, reason string) {
	b.mu.Lock()
	b.asideOf = append(b.asideOf, src)
	b.aside = append(b.aside, reason)
	b.mu.Unlock()
	if b.onSetAside != nil {
		b.onSetAside()
	}
}

func (b *fakeBoard) ReportReceiver(s policy.ReceiverStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = append(b.status, s)
}

func (b *fakeBoard) Raise(_ time.Time, a policy.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.alarms == nil {
		b.alarms = map[string]policy.Alarm{}
	}
	b.alarms[a.Key] = a
}

func (b *fakeBoard) Lower(_ time.Time, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.alarms, key)
}

func (b *fakeBoard) applied() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sources)
}

func (b *fakeBoard) setAside() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.aside)
}

func (b *fakeBoard) alarm(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.alarms[key]
	return ok
}

// logged is a log that can be read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) lines(containing string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, s := range strings.Split(strings.TrimSpace(l.buf.String()), "\n") {
		if strings.Contains(s, containing) {
			found = append(found, s)
		}
	}
	return found
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// start runs a receiver on a free port of the loopback until the test ends.
func start(t testing.TB, b Board, o Options) *Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := New(b, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// wire is one connection, spoken to in bytes.
type wire struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, s *Server) *wire {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return newWire(t, c)
}

func newWire(t testing.TB, c net.Conn) *wire { return &wire{t, c, bufio.NewReader(c)} }

func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

// answer reads one answer: its status and body.
func (w *wire) answer() (int, string, http.Header) {
	w.t.Helper()
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		w.t.Fatalf("answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("answer: %v", err)
	}
	if resp.ContentLength < 0 {
		w.t.Errorf("an answer without a length: %v", resp.Header)
	}
	return resp.StatusCode, string(body), resp.Header
}

// ended reports whether the other side has closed.
func (w *wire) ended() bool {
	_, err := w.r.ReadByte()
	return err != nil && !os.IsTimeout(err)
}

func posting(body string) string {
	return fmt.Sprintf("POST /cdr HTTP/1.1\r\nHost: callmark\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func chunked(body string, size int) string {
	var b strings.Builder
	b.WriteString("POST /cdr?token=x HTTP/1.1\r\nHost: callmark\r\nTransfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}

// post sends a document on a connection of its own.
func post(t testing.TB, s *Server, body string) (int, string) {
	t.Helper()
	w := dial(t, s)
	defer w.Close()
	w.send(posting(body))
	status, text, _ := w.answer()
	return status, text
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it did not happen: %s", what)
		}
	}
}
