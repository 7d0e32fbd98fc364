package simulator

import (
	"io"
	"log"
	"net"
	"net/http"
	"strings"
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
	Faulted      int // got a fault that is more than a delay
	Connections  int // accepted so far
	Open         int // connections now
	Active       int // requests now
	PeakActive   int
	PeakRate     int // most requests that began within one second
	PeakGetRate  int // the same of GET requests
	PeakPutRate  int // the same of PUT requests

	// The GET requests whose right answer was given, with 200 and whole. They
	// are counted when the answer is known, just before it is sent.
	StatusAnswered             int // /system/status
	AlarmsAnswered             int // /system/alarms
	ReceiversAnswered          int // /system/cdrReceivers
	CallPagesAnswered          int // /calls
	LegPagesAnswered           int // /callLegs
	LegPagesOfCallAnswered     int // /calls/ID/callLegs
	ParticipantPagesAnswered   int // /participants and /calls/ID/participants
	CallDetailsAnswered        int // /calls/ID
	LegDetailsAnswered         int // /callLegs/ID
	ParticipantDetailsAnswered int // /participants/ID
}

// counter keeps Requests.
type counter struct {
	Requests
	all  window
	gets window
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
		c.gets.add(now)
		c.PeakGetRate = c.gets.peak
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

// answered counts a right answer to a request that matched a pattern of the mux.
func (c *counter) answered(pattern string) {
	switch strings.TrimPrefix(pattern, "GET "+root) {
	case "/system/status":
		c.StatusAnswered++
	case "/system/alarms":
		c.AlarmsAnswered++
	case "/system/cdrreceivers":
		c.ReceiversAnswered++
	case "/calls":
		c.CallPagesAnswered++
	case "/calllegs":
		c.LegPagesAnswered++
	case "/calls/{id}/calllegs":
		c.LegPagesOfCallAnswered++
	case "/participants", "/calls/{id}/participants":
		c.ParticipantPagesAnswered++
	case "/calls/{id}":
		c.CallDetailsAnswered++
	case "/calllegs/{id}":
		c.LegDetailsAnswered++
	case "/participants/{id}":
		c.ParticipantDetailsAnswered++
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
