package simulator

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Faults make the API of a Call Bridge misbehave. The zero value is a healthy
// API. Faults that count down apply to the next so many requests; -1: to all.
// One request gets one of them.
type Faults struct {
	Method string // only requests with this method, GET or PUT; "": all
	Path   string // only requests whose path contains this; "": all

	Latency      time.Duration // before anything else is done
	Jitter       time.Duration // added to Latency: a random part of this
	Drip         time.Duration // an answer comes in dripPieces pieces, with this pause after each
	Hang         bool          // never answers, until the connection or the API closes
	Unauthorized bool          // 401, whatever the password

	// Chance, above 0 and up to 1, sprinkles the faults below: with this
	// chance a request gets one of those that are not used up, whichever the
	// rng of the Call Bridge picks. 0: each request gets one, in this order.
	Chance float64

	Unavailable int // 503
	Garbage     int // 200, and what is not XML
	Cut         int // done, and the connection closes instead of an answer
	// Reset resets the connection before anything is done. A client of
	// net/http repeats a GET by itself if the connection had served before.
	Reset    int
	Wrong    int // 200, and a well-formed document that is not the answer; a write is not done
	Truncate int // done, and the answer's body is cut in the middle, with the length of what is left; an empty one stays
	Denied   int // 401, as Unauthorized
}

// SetFaults makes the API misbehave from the next request on. Requests that
// hang go on doing so.
func (b *Bridge) SetFaults(f Faults) {
	defer b.lock()()
	b.faults = f
	b.cluster.touch()
}

// fault is one of the faults that count down.
type fault uint8

const (
	noFault fault = iota
	unavailable
	garbage
	cut
	reset
	wrong
	truncate
	denied
)

// countdowns returns the faults that count down, with what is left of each.
func (f *Faults) countdowns() []countdown {
	return []countdown{
		{unavailable, &f.Unavailable}, {garbage, &f.Garbage}, {cut, &f.Cut}, {reset, &f.Reset},
		{wrong, &f.Wrong}, {truncate, &f.Truncate}, {denied, &f.Denied},
	}
}

type countdown struct {
	fault fault
	left  *int
}

// pick takes the fault that the next request gets, and counts it down.
func (f *Faults) pick(rng *rand.Rand) fault {
	if f.Chance > 0 && rng.Float64() >= f.Chance {
		return noFault
	}
	set := matching(f.countdowns(), func(c countdown) bool { return *c.left != 0 })
	if len(set) == 0 {
		return noFault
	}
	c := set[0]
	if f.Chance > 0 {
		c = set[rng.IntN(len(set))]
	}
	if *c.left > 0 {
		*c.left--
	}
	return c.fault
}

// verdict is what the faults do to one request.
type verdict struct {
	latency      time.Duration
	drip         time.Duration
	hang         bool
	unauthorized bool
	fault        fault
}

// judge decides on a request, and counts it if it gets a fault that is more
// than a delay.
func (b *Bridge) judge(r *http.Request) verdict {
	defer b.lock()()
	f := &b.faults
	if (f.Method != "" && f.Method != r.Method) ||
		!strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(f.Path)) {
		return verdict{}
	}
	v := verdict{latency: f.Latency, drip: f.Drip, hang: f.Hang, unauthorized: f.Unauthorized}
	if f.Jitter > 0 {
		v.latency += time.Duration(b.rng.Int64N(int64(f.Jitter)))
	}
	if !v.hang && !v.unauthorized {
		v.fault = f.pick(b.rng)
	}
	if v.hang || v.unauthorized || v.fault != noFault {
		b.requests.Faulted++
	}
	return v
}
