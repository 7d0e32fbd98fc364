package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Faults make the API of a Call Bridge misbehave. The zero value is a healthy
// API. Faults that count down apply to the next so many requests; -1: to all.
type Faults struct {
	Method string // only requests with this method, GET or PUT; "": all
	Path   string // only requests whose path contains this; "": all

	Latency      time.Duration // before anything else is done
	Hang         bool          // never answers, until the connection or the API closes
	Unauthorized bool          // 401, whatever the password
	Unavailable  int           // 503
	Garbage      int           // 200, and what is not XML
	Cut          int           // done, and the connection closes instead of an answer
}

// use tells whether a countdown applies, and counts it down.
func use(n *int) bool {
	if *n > 0 {
		*n--
		return true
	}
	return *n < 0
}

// SetFaults makes the API misbehave from the next request on. Requests that
// hang go on doing so.
func (b *Bridge) SetFaults(f Faults) {
	defer b.lock()()
	b.faults = f
	b.cluster.touch()
}

// verdict is what the faults do to one request.
type verdict struct {
	latency      time.Duration
	hang         bool
	unauthorized bool
	unavailable  bool
	garbage      bool
	cut          bool
}

func (b *Bridge) judge(r *http.Request) verdict {
	defer b.lock()()
	f := &b.faults
	if (f.Method != "" && f.Method != r.Method) ||
		!strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(f.Path)) {
		return verdict{}
	}
	v := verdict{latency: f.Latency, hang: f.Hang, unauthorized: f.Unauthorized}
	if v.hang || v.unauthorized {
		return v
	}
	switch {
	case use(&f.Unavailable):
		v.unavailable = true
	case use(&f.Garbage):
		v.garbage = true
	case use(&f.Cut):
		v.cut = true
	}
	return v
}

// StopListening closes the API and its connections: new ones are refused.
// Records still go out.
func (b *Bridge) StopListening() {
	defer b.lock()()
	b.stopListening()
	b.cluster.touch()
}

// ResumeListening opens the API again, at the address it had.
func (b *Bridge) ResumeListening() error {
	defer b.lock()()
	if b.cluster.closed || !b.cluster.running {
		return errors.New("simulator: resume: the cluster does not run")
	}
	if b.server != nil {
		return nil
	}
	defer b.cluster.touch()
	return b.listen()
}

// listen opens the API and serves it.
func (b *Bridge) listen() error {
	c := b.cluster
	l, err := c.opts.Listen(b.address)
	if err != nil {
		return fmt.Errorf("simulator: open the API of %s: %w", b.name, err)
	}
	b.address = l.Addr().String()
	var http1 http.Protocols
	http1.SetHTTP1(true)
	ctx, cancel := context.WithCancel(c.ctx)
	server := &http.Server{
		Handler:           b,
		TLSConfig:         c.serverTLS(),
		Protocols:         &http1,
		IdleTimeout:       c.opts.IdleTimeout,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, new(connCount))
		},
		ConnState: b.connState,
		ErrorLog:  discardLog,
	}
	b.server = server
	c.wg.Go(func() {
		defer cancel()
		if server.TLSConfig != nil {
			_ = server.ServeTLS(l, "", "")
			return
		}
		_ = server.Serve(l)
	})
	return nil
}

func (b *Bridge) stopListening() {
	if b.server != nil {
		_ = b.server.Close()
		b.server = nil
	}
}

// HoldRecords makes posts wait until ReleaseRecords; one that is under way
// ends, and is not tried again meanwhile.
func (b *Bridge) HoldRecords() { b.setPaused(true) }

// ReleaseRecords: see HoldRecords.
func (b *Bridge) ReleaseRecords() { b.setPaused(false) }

func (b *Bridge) setPaused(paused bool) {
	defer b.lock()()
	b.paused = paused
	b.wake()
}

// LoseRecords makes the next n records vanish: they take an index each, and
// nothing tells of them.
func (b *Bridge) LoseRecords(n int) {
	defer b.lock()()
	b.lose = n
}

// DiscardRecords makes the next n records vanish as if a queue had been full:
// the record after them tells how many are missing.
func (b *Bridge) DiscardRecords(n int) {
	defer b.lock()()
	b.discard = n
}

// DuplicatePosts sends the next n posts twice, to every receiver.
func (b *Bridge) DuplicatePosts(n int) {
	defer b.lock()()
	for _, s := range b.senders {
		s.duplicate = n
	}
}

// ReorderPosts sends the records of the next n posts one by one, in a wrong
// order. With HoldRecords before and ReleaseRecords after some changes it is
// sure that there is something to reorder.
func (b *Bridge) ReorderPosts(n int) {
	defer b.lock()()
	for _, s := range b.senders {
		s.reorder = n
	}
}

// SendRaw posts any body to the first receiver, past the queue, and returns the
// status of the answer.
func (b *Bridge) SendRaw(ctx context.Context, body []byte) (status int, err error) {
	b.cluster.mu.Lock()
	if len(b.senders) == 0 || b.senders[0].done == nil {
		b.cluster.mu.Unlock()
		return 0, errors.New("simulator: send raw: no receiver, or the cluster does not run")
	}
	s := b.senders[0]
	uri := s.uri
	b.cluster.mu.Unlock()
	return s.post(ctx, uri, body)
}
