package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"callmark/policy"
)

// TestSlow has senders that never end: each is cut off, wherever it stands.
func TestSlow(t *testing.T) {
	join := read(t, "testdata/join.xml")
	head := "POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
	for name, beginning := range map[string]string{
		"nothing":              "",
		"half a header":        "POST /cdr HTT",
		"a header":             head,
		"half a body":          posting(join)[:400],
		"beyond the prefetch":  head + strings.Repeat("x", 20_000),
		"a chunk":              "POST /cdr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<x>",
		"too large, half sent": "POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n" + strings.Repeat("x", 100_000),
		"the second request":   posting(join) + "POST /cdr HTT",
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &fakeBoard{}, Options{ReadTimeout: 50 * time.Millisecond})
			w := dial(t, s)
			w.send(beginning)
			want := 408
			switch name {
			case "too large, half sent":
				want = 413
			case "the second request":
				if status, _, _ := w.answer(); status != 200 {
					t.Errorf("the first: %d", status)
				}
			}
			if status, body, _ := w.answer(); status != want {
				t.Errorf("got %d %q, want %d", status, body, want)
			}
			if !w.ended() {
				t.Error("the connection goes on")
			}
			refused := uint64(1)
			if name == "nothing" {
				refused = 0
			}
			until(t, "no connection is left", func() bool { return s.Stats().Connections == 0 })
			if got := s.Stats().Refused; got != refused {
				t.Errorf("%d refused, want %d", got, refused)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{IdleTimeout: 30 * time.Millisecond})
	w := dial(t, s)
	w.send(posting(`<records session="s"/>`))
	w.answer()
	if !w.ended() {
		t.Error("the connection goes on")
	}
	if got := s.Stats().Refused; got != 0 {
		t.Errorf("%d refused", got)
	}
}

func TestCutOff(t *testing.T) {
	for _, beginning := range []string{
		posting(strings.Repeat("x", 50_000))[:30_000],
		posting(strings.Repeat("x", 500))[:300],
		chunked(strings.Repeat("x", 500), 400)[:300],
	} {
		b := &fakeBoard{}
		s := start(t, b, Options{})
		for range 3 { // never set aside: it was not seen as a whole
			w := dial(t, s)
			w.send(beginning)
			w.Conn.(*net.TCPConn).CloseWrite()
			if status, _, _ := w.answer(); status != 400 {
				t.Errorf("got %d", status)
			}
			w.Close()
		}
		if b.applied() != 0 || b.setAside() != 0 {
			t.Errorf("%d applied, %d set aside", b.applied(), b.setAside())
		}
	}
}

// TestManyConnections hoards connections: a Call Bridge gets in all the same.
func TestManyConnections(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{MaxConns: 4})
	hoard := make([]*wire, 4)
	for i := range hoard {
		hoard[i] = dial(t, s)
		until(t, "it was taken", func() bool { return s.Stats().Connections == i+1 })
	}
	if status, _ := post(t, s, `<records session="s"/>`); status != 200 {
		t.Fatalf("got %d", status)
	}
	if !hoard[0].ended() {
		t.Error("the one that was silent longest goes on")
	}
}

// TestNoRoom has a request under way on every connection.
func TestNoRoom(t *testing.T) {
	for name, o := range map[string]Options{"in all": {MaxConns: 2}, "from one address": {MaxConnsPerSource: 2}} {
		t.Run(name, func(t *testing.T) {
			b := &fakeBoard{}
			held, free := make(chan struct{}, 2), make(chan struct{})
			b.onApply = func() { held <- struct{}{}; <-free }
			s := start(t, b, o)
			for range 2 {
				w := dial(t, s)
				w.send(posting(`<records session="s"/>`))
				defer w.answer()
			}
			<-held
			<-held
			w := dial(t, s)
			if status, _, _ := w.answer(); status != 503 || !w.ended() {
				t.Errorf("got %d", status)
			}
			close(free)
		})
	}
}

func TestLargeBodies(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{MaxBody: 1 << 20, ReadTimeout: 5 * time.Second})
	body := strings.Repeat("x", 1<<20)
	refused := 0
	for i := range 40 {
		w := dialFrom(t, s, fmt.Sprintf("127.0.0.%d", 1+i%20)) // none has its own part of the memory used up
		w.send(posting(body)[:1<<20])
	}
	until(t, "there is no memory for more", func() bool { refused = int(s.Stats().Refused); return refused > 0 })
	if got := s.large.Load(); got > largeBodies*(1<<20+keptBody) {
		t.Errorf("%d bytes are held", got)
	}
	if status, _ := post(t, s, read(t, "testdata/join.xml")); status != 200 {
		t.Errorf("a small one: %d", status)
	}
	s.conns.closeAll()
	until(t, "the memory is free again", func() bool { return s.large.Load() == 0 })
}

// flaky fails to accept until it is mended.
type flaky struct {
	net.Listener
	mu     sync.Mutex
	broken bool
	failed int
}

func (f *flaky) Accept() (net.Conn, error) {
	f.mu.Lock()
	broken := f.broken
	if broken {
		f.failed++
	}
	f.mu.Unlock()
	if broken {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

// TestNoFiles runs out of open files, which must not be the end.
func TestNoFiles(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{Listener: ln, broken: true}
	b := &fakeBoard{}
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(f); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	until(t, "it tried again", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.failed > 2 })
	if !b.alarm(acceptAlarm) {
		t.Error("no alarm")
	}
	f.mu.Lock()
	f.broken = false
	f.mu.Unlock()
	if status, _ := post(t, s, `<records session="s"/>`); status != 200 {
		t.Errorf("got %d", status)
	}
	if b.alarm(acceptAlarm) {
		t.Error("the alarm is still there")
	}
}

func TestStopWhileAccepting(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(&fakeBoard{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(&flaky{Listener: ln, broken: true}); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
}

// TestStop stops while posts are in flight: each is answered, none is lost.
func TestStop(t *testing.T) {
	b := &fakeBoard{}
	held, free := make(chan struct{}, maxAppliers), make(chan struct{})
	b.onApply = func() { held <- struct{}{}; <-free }
	s := start(t, b, Options{})
	idle := dial(t, s)
	idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	idle.answer()
	silent := dial(t, s)
	var posts []*wire
	for range maxAppliers {
		w := dial(t, s)
		w.send(posting(`<records session="s"/>`))
		posts = append(posts, w)
	}
	for range maxAppliers {
		<-held
	}
	done := make(chan error, 2)
	for range 2 {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			done <- s.Stop(ctx)
		}()
	}
	if !idle.ended() || !silent.ended() {
		t.Error("an idle connection goes on")
	}
	if c, err := net.Dial("tcp", s.Addr()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
	select {
	case err := <-done:
		t.Fatalf("it stopped before its requests: %v", err)
	default:
	}
	close(free)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, w := range posts {
		if status, _, header := w.answer(); status != 200 || header.Get("Connection") != "close" && !w.ended() {
			t.Errorf("got %d, %v", status, header)
		}
	}
}

// TestStopCutsOff has a sender that would outlast the deadline.
func TestStopCutsOff(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	w := dial(t, s)
	w.send("POST /cdr HTT")
	until(t, "it has begun", func() bool {
		s.conns.mu.Lock()
		defer s.conns.mu.Unlock()
		for c := range s.conns.open {
			return c.idle.Load() == 0
		}
		return false
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err := s.Stop(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 requests were cut off") {
		t.Errorf("got %v", err)
	}
	if !w.ended() {
		t.Error("the connection goes on")
	}
}

func TestStopUnstarted(t *testing.T) {
	s, err := New(&fakeBoard{}, Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr() != "" {
		t.Error("it has an address")
	}
	stop(t, s)
	stop(t, s)
	if err := s.Start(); err == nil {
		t.Error("it was started after it was stopped")
	}
}

func TestPortInUse(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	_, port, _ := net.SplitHostPort(s.Addr())
	for listen, want := range map[string]string{
		s.Addr():           "port " + port + " is in use by another program: stop it or set receiver.listen",
		"192.0.2.1:0":      "no interface of this machine has the address 192.0.2.1",
		"127.0.0.1:nosuch": "set receiver.listen",
	} {
		other, err := New(&fakeBoard{}, Options{Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", listen, err)
		}
		stop(t, other)
	}
}

// TestNothingBeforeTheAnswer has all that may be slow be stuck: the log, the
// board's other methods. A record is answered all the same.
func TestNothingBeforeTheAnswer(t *testing.T) {
	b := &stuckBoard{stuck: make(chan struct{})}
	s := start(t, b, Options{})
	defer close(b.stuck)
	// A refusal has the reporter hang in the board.
	if status, _ := post(t, s, "<x>"); status != 400 {
		t.Fatalf("got %d", status)
	}
	if status, _ := post(t, s, read(t, "testdata/join.xml")); status != 200 {
		t.Errorf("got %d", status)
	}
}

// stuckBoard takes records and hangs at everything else, but for the report
// at the start.
type stuckBoard struct {
	fakeBoard
	stuck   chan struct{}
	started bool
}

func (b *stuckBoard) ReportReceiver(policy.ReceiverStatus) {
	if b.started {
		<-b.stuck
	}
	b.started = true
}

func TestHangUp(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	w := dial(t, s)
	w.Close()
	until(t, "it is gone", func() bool { return s.Stats().Connections == 0 })
	w = dial(t, s)
	w.send(posting("<x>"))
	w.Close()
	until(t, "it is gone", func() bool { return s.Stats().Connections == 0 })
	if _, err := io.WriteString(w, "x"); err == nil {
		t.Error("closed, but writable")
	}
}
