package receiver

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// conn is a connection that knows who sends on it, and since when nothing has
// come.
type conn struct {
	net.Conn
	source string

	// idle orders the connections that wait for a request by when they began
	// to; it is 0 while a request is under way.
	idle atomic.Int64
}

// cut closes the connection without waiting for anything, as TLS would to say
// goodbye.
func (c *conn) cut() {
	if t, ok := c.Conn.(*secured); ok {
		t.cut()
		return
	}
	c.Close()
}

// conns keeps the open connections within their bounds.
type conns struct {
	max, maxPerSource int

	clock    atomic.Int64 // for conn.idle
	stopping atomic.Bool

	mu        sync.Mutex
	open      map[*conn]struct{}
	perSource map[string]int
}

// add takes a new connection in, or says why there is no room. When all are
// taken, the one that has been silent longest makes room: whoever hoards
// connections must not keep a Call Bridge out.
func (cs *conns) add(nc net.Conn) (*conn, cause) {
	c := &conn{Conn: nc, source: sourceOf(nc.RemoteAddr())}
	c.idle.Store(cs.clock.Add(1))
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.maxPerSource > 0 && cs.perSource[c.source] >= cs.maxPerSource {
		return c, causeCrowded
	}
	if len(cs.open) >= cs.max {
		silent := cs.mostSilent()
		if silent == nil {
			return c, causeCrowded
		}
		silent.cut()
		cs.drop(silent)
	}
	cs.open[c] = struct{}{}
	cs.perSource[c.source]++
	return c, ""
}

func (cs *conns) mostSilent() *conn {
	var found *conn
	var since int64
	for c := range cs.open {
		if idle := c.idle.Load(); idle > 0 && (found == nil || idle < since) {
			found, since = c, idle
		}
	}
	return found
}

// remove forgets a connection that has ended.
func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.drop(c)
}

func (cs *conns) drop(c *conn) {
	if _, ok := cs.open[c]; !ok {
		return
	}
	delete(cs.open, c)
	if cs.perSource[c.source]--; cs.perSource[c.source] == 0 {
		delete(cs.perSource, c.source)
	}
}

func (cs *conns) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open)
}

// changed is told by fasthttp whenever a connection begins or ends a request.
// It and stop see each other: one of the two closes every idle connection.
func (cs *conns) changed(nc net.Conn, state fasthttp.ConnState) {
	c, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case fasthttp.StateActive:
		c.idle.Store(0)
	case fasthttp.StateIdle:
		c.idle.Store(cs.clock.Add(1))
		if cs.stopping.Load() {
			c.Close()
		}
	}
}

// stop closes the connections that wait for a request; the others close when
// theirs is answered.
func (cs *conns) stop() {
	cs.stopping.Store(true)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for c := range cs.open {
		if c.idle.Load() > 0 {
			c.cut()
		}
	}
}

// closeAll closes every connection and says how many had a request under way.
func (cs *conns) closeAll() (active int) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for c := range cs.open {
		if c.idle.Load() == 0 {
			active++
		}
		c.cut()
	}
	return active
}

// sourceOf is an address without its port.
func sourceOf(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	a, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return a.Addr().Unmap().String()
}
