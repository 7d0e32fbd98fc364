package simulator

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// discardLog takes what net/http would print about broken connections.
var discardLog = log.New(io.Discard, "", 0)

// Requests counts what came to the API of a Call Bridge.
type Requests struct {
	Total        int
	Gets         int
	Puts         int // all PUT requests, refused ones too
	Posts        int
	Deletes      int
	Unauthorized int // answered 401
	Unavailable  int // answered 503
	Connections  int // accepted so far
	Open         int // connections now
	Active       int // requests now
	PeakActive   int
	PeakRate     int // most requests that began within one second
	PeakPutRate  int // most PUT requests that began within one second
}

// counter keeps Requests.
type counter struct {
	Requests
	all  window
	puts window
}

// window counts what happened within the last second.
type window struct {
	times []time.Time
	peak  int
}

func (w *window) add(now time.Time) {
	old := 0
	for old < len(w.times) && now.Sub(w.times[old]) >= time.Second {
		old++
	}
	w.times = append(w.times[old:], now)
	w.peak = max(w.peak, len(w.times))
}

// begin counts a request at its start.
func (c *counter) begin(method string, now time.Time) {
	c.Total++
	c.Active++
	c.PeakActive = max(c.PeakActive, c.Active)
	c.all.add(now)
	c.PeakRate = c.all.peak
	switch method {
	case http.MethodGet:
		c.Gets++
	case http.MethodPut:
		c.Puts++
		c.puts.add(now)
		c.PeakPutRate = c.puts.peak
	case http.MethodPost:
		c.Posts++
	case http.MethodDelete:
		c.Deletes++
	}
}

// Requests returns the counts so far.
func (b *Bridge) Requests() Requests {
	defer b.lock()()
	return b.requests.Requests
}

// ResetRequests sets all counts but those of what is open now to zero.
func (b *Bridge) ResetRequests() {
	defer b.lock()()
	b.requests = counter{Requests: Requests{Open: b.requests.Open, Active: b.requests.Active}}
}

// connKey finds a connection's count of requests in a request's context.
type connKey struct{}

type connCount struct{ atomic.Int64 }

// connState follows the API's connections; each is a goroutine of net/http.
func (b *Bridge) connState(_ net.Conn, state http.ConnState) {
	c := b.cluster
	switch state {
	case http.StateNew:
		c.wg.Add(1)
		c.mu.Lock()
		b.requests.Connections++
		b.requests.Open++
		c.mu.Unlock()
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		b.requests.Open--
		c.touch()
		c.mu.Unlock()
		c.wg.Done()
	}
}
