package receiver

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

const (
	// maxKnown is how many sources have a rate of their own; the others share
	// one.
	maxKnown = 4096

	// sweepEvery is how often sources that are gone are looked for, at most.
	// Within a second a rate that was used up is whole again.
	sweepEvery = time.Second

	// aheadOf is the part of its source's rate that a connection takes ahead, so
	// that not every request of all connections goes through one lock. What a
	// connection has not used stays its own, so a source with 256 connections
	// can once send a sixteenth more than its rate.
	aheadOf = 4096
)

// source is one address that requests come from, or one network of IPv6.
type source struct {
	open map[*conn]struct{}
	rate *rate.Limiter // of its requests; nil: no limit
	held *atomic.Int64 // of Server.large
}

// networkOf is what the limits count a source as: an IPv6 address as its /64, for
// who has one address of that has them all.
func networkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is6() {
		return address
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// sources knows who has connections open, and of those who have none any more
// who has sent so much in the last second that he must not start afresh. The
// mutex of conns guards it.
type sources struct {
	perSecond  int // requests of one source; 0: no limit
	known      map[string]*source
	others     *rate.Limiter // of those beyond maxKnown
	othersHeld atomic.Int64  // likewise
	swept      time.Time
}

func newSources(perSecond int) *sources {
	return &sources{perSecond: perSecond, known: map[string]*source{}, others: rate.NewLimiter(rate.Limit(perSecond), perSecond)}
}

// open is the connections of the source of a new one.
func (ss *sources) open(c *conn) map[*conn]struct{} {
	if s := ss.known[c.network]; s != nil {
		return s.open
	}
	return nil
}

// add takes a connection in and gives it the rate of its source, and the count
// of what that holds.
func (ss *sources) add(c *conn, now time.Time) {
	s := ss.known[c.network]
	if s == nil {
		s = &source{open: map[*conn]struct{}{}, held: new(atomic.Int64)}
		if ss.perSecond > 0 {
			ss.sweep(now)
			if len(ss.known) < maxKnown {
				s.rate = rate.NewLimiter(rate.Limit(ss.perSecond), ss.perSecond)
			} else {
				s.rate, s.held = ss.others, &ss.othersHeld
			}
		}
		ss.known[c.network] = s
	}
	s.open[c] = struct{}{}
	c.rate, c.held = s.rate, s.held
}

// remove forgets a connection, and its source with the last one. Who has sent
// lately stays known, up to maxKnown of them.
func (ss *sources) remove(c *conn, now time.Time) {
	s := ss.known[c.network]
	delete(s.open, c)
	if len(s.open) == 0 && (len(ss.known) > maxKnown || ss.stale(s, now)) {
		delete(ss.known, c.network)
	}
}

// stale reports whether nothing is lost with a source: it would get the same
// rate as a new one.
func (ss *sources) stale(s *source, now time.Time) bool {
	return len(s.open) == 0 && (s.rate == nil || s.rate == ss.others || s.rate.TokensAt(now) >= float64(ss.perSecond))
}

func (ss *sources) sweep(now time.Time) {
	if now.Sub(ss.swept) < sweepEvery {
		return
	}
	ss.swept = now
	for address, s := range ss.known {
		if ss.stale(s, now) {
			delete(ss.known, address)
		}
	}
}

// inTime reports whether a request comes within the rate of its source, and
// answers it if not: a Call Bridge keeps its records, and sends them again.
func (s *Server) inTime(ctx *fasthttp.RequestCtx) bool {
	c := connOf(ctx)
	switch {
	case c == nil || c.rate == nil:
		return true
	case c.ahead > 0:
		c.ahead--
		return true
	}
	now, n := s.o.Now(), max(1, s.o.MaxRequestsPerSource/aheadOf)
	if c.rate.AllowN(now, n) {
		c.ahead = n - 1
		return true
	}
	if n > 1 && c.rate.AllowN(now, 1) {
		return true
	}
	s.deny(ctx, fasthttp.StatusServiceUnavailable, causeOften,
		fmt.Sprintf("more than %d requests a second came from this address, send it again", s.o.MaxRequestsPerSource))
	return false
}
