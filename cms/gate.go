package cms

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"callmark/policy"
)

// How long a server that refused the account is left alone. Cisco Meeting
// Servers lock an account that fails again and again.
const (
	lockFirst = 5 * time.Minute
	lockMost  = time.Hour
)

// courtesy is for how long the first request of all holds the other lane up.
const courtesy = time.Second

// outcome is what a request told about its server.
type outcome uint8

const (
	outcomeAnswered outcome = iota // also with a no
	outcomeUnauthorized
	outcomeBusy
	outcomeLost    // no connection, no answer, or not the API's
	outcomeGivenUp // by us: says nothing
)

// outcomeOf sorts a request's error.
func outcomeOf(err error) outcome {
	var t *TransportError
	switch {
	case err == nil:
		return outcomeAnswered
	case errors.As(err, &t):
		return outcomeLost
	case IsUnauthorized(err):
		return outcomeUnauthorized
	}
	switch status(err) {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		return outcomeBusy
	case 0: // never sent
		return outcomeGivenUp
	}
	return outcomeAnswered
}

// gate decides whether a request may go to a server now. A refused account
// closes it for all; a busy or absent server closes the lane that met it. Then
// one probe goes at a time, after growing waits, until one is answered. Before
// the first answer of all there is one request at a time too, so that a wrong
// password is tried once and not by every worker.
type gate struct {
	mu      sync.Mutex
	random  func() float64
	backoff backoff
	wakes   []func() // called after the gate may have opened or its status changed

	answered   bool // something other than a 401 has come, ever
	locked     bool
	lockTry    time.Time
	lockWait   time.Duration
	lockProbe  bool
	lockReason string
	lockRemedy string
	lanes      [2]laneState

	since     time.Time // of the state
	lastState policy.ServerState
	latency   time.Duration
	requests  uint64
	failures  uint64
	byLane    [2]uint64 // requests
}

type laneState struct {
	state    policy.ServerState // ServerUp, ServerBusy or ServerDown
	attempts int                // failed probes since it was up, the first failure included
	next     time.Time          // of the next probe
	probing  bool
	began    time.Time // of the probe
	epoch    uint64    // moves with every change of state, to tell stragglers
	problem  string
	remedy   string
}

// ticket is the leave for one request.
type ticket struct {
	lane  lane
	probe bool // of the lane, or before the first answer
	lock  bool // probe of a refused account
	epoch uint64
}

func newGate(random func() float64, most time.Duration) *gate {
	g := &gate{random: random, backoff: serverBackoff.within(most)}
	for l := range g.lanes {
		g.lanes[l].state = policy.ServerUp
	}
	return g
}

// onChange has f called whenever the gate's status may have changed. It must
// not block. To be called before the first request.
func (g *gate) onChange(f func()) { g.wakes = append(g.wakes, f) }

// enter asks leave for a request. Without it, wait says when to ask again; a
// negative wait is until the gate changes. Whoever has a ticket must leave or
// cancel.
func (g *gate) enter(l lane, now time.Time) (t ticket, wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ls := &g.lanes[l]
	t = ticket{lane: l, epoch: ls.epoch}
	probe := true
	switch {
	case g.locked:
		if g.lockProbe {
			return t, -1, false
		}
		if wait = g.lockTry.Sub(now); wait > 0 {
			return t, wait, false
		}
		g.lockProbe = true
		t.lock = true
		return t, 0, true
	case ls.probing:
		return t, -1, false
	case ls.state != policy.ServerUp:
		if wait = ls.next.Sub(now); wait > 0 {
			return t, wait, false
		}
	case !g.answered:
		if other := &g.lanes[1-l]; other.probing {
			if wait = other.began.Add(courtesy).Sub(now); wait > 0 {
				return t, wait, false
			}
		}
	default:
		probe = false
	}
	if probe {
		ls.probing, ls.began = true, now
	}
	t.probe = probe
	return t, 0, true
}

// cancel gives a ticket back that was not used.
func (g *gate) cancel(t ticket) { g.leave(t, time.Time{}, outcomeGivenUp, 0, "", "") }

// leave tells what became of a request.
func (g *gate) leave(t ticket, now time.Time, result outcome, took time.Duration, problem, remedy string) {
	g.mu.Lock()
	ls := &g.lanes[t.lane]
	if t.lock {
		g.lockProbe = false
	}
	if t.probe {
		ls.probing = false
	}
	if result != outcomeGivenUp {
		g.requests++
		g.byLane[t.lane]++
		if result == outcomeAnswered {
			g.latency = took
		} else {
			g.failures++
		}
	}
	switch result {
	case outcomeAnswered:
		g.answered = true
		if !g.locked || t.lock { // else it was under way when the account was refused
			g.unlock()
			ls.up()
		}
	case outcomeUnauthorized:
		switch {
		case !g.locked:
			g.locked, g.lockWait = true, lockFirst
			g.lockTry = now.Add(g.lockWait)
		case t.lock:
			g.lockWait = min(2*g.lockWait, lockMost)
			g.lockTry = now.Add(g.lockWait)
		}
		g.lockReason, g.lockRemedy = problem, remedy
	case outcomeBusy, outcomeLost:
		if g.locked { // no word about the account
			if t.lock {
				g.lockTry = now.Add(lockFirst)
			}
			break
		}
		// Those that were under way when the trouble began tell nothing new.
		if t.epoch != ls.epoch && !t.probe {
			break
		}
		ls.attempts++
		ls.epoch++
		ls.next = now.Add(g.backoff.after(ls.attempts, g.random()))
		ls.problem, ls.remedy = problem, remedy
		ls.state = policy.ServerDown
		if result == outcomeBusy {
			ls.state = policy.ServerBusy
		}
	}
	if s := g.state(); s != g.lastState {
		g.lastState, g.since = s, now
	}
	g.mu.Unlock()
	for _, wake := range g.wakes {
		wake()
	}
}

func (g *gate) unlock() {
	g.locked, g.lockReason, g.lockRemedy = false, "", ""
}

func (ls *laneState) up() {
	if ls.state != policy.ServerUp {
		ls.epoch++
	}
	ls.state, ls.attempts, ls.problem, ls.remedy = policy.ServerUp, 0, "", ""
}

// reprobe lets the next probe go at once.
func (g *gate) reprobe(now time.Time) {
	g.mu.Lock()
	g.lockTry = now
	for l := range g.lanes {
		g.lanes[l].next = now
	}
	g.mu.Unlock()
	for _, wake := range g.wakes {
		wake()
	}
}

// gateStatus is how the gate is.
type gateStatus struct {
	state    policy.ServerState
	since    time.Time
	problem  string
	remedy   string
	next     time.Time // of the next probe, while not up
	attempts int
	latency  time.Duration
	requests uint64
	failures uint64
	byLane   [2]uint64
}

// state is the worst of the lock and the lanes.
func (g *gate) state() policy.ServerState {
	switch {
	case g.locked:
		return policy.ServerLocked
	case g.lanes[writes].state != policy.ServerUp:
		return g.lanes[writes].state
	case g.lanes[reads].state != policy.ServerUp:
		return g.lanes[reads].state
	case !g.answered:
		return policy.ServerUnknown
	}
	return policy.ServerUp
}

func (g *gate) status() gateStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := gateStatus{state: g.state(), since: g.since, latency: g.latency, requests: g.requests, failures: g.failures, byLane: g.byLane}
	switch {
	case g.locked:
		s.problem, s.remedy, s.next, s.attempts = g.lockReason, g.lockRemedy, g.lockTry, 1
	case s.state == policy.ServerBusy || s.state == policy.ServerDown:
		for _, l := range []lane{writes, reads} { // as state takes them
			if ls := &g.lanes[l]; ls.state != policy.ServerUp {
				s.problem, s.remedy, s.next, s.attempts = ls.problem, ls.remedy, ls.next, ls.attempts
				break
			}
		}
	}
	return s
}

// next is when a lane that is not up is probed next; zero while it is up.
func (g *gate) next(l lane) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch ls := &g.lanes[l]; {
	case g.locked:
		return g.lockTry
	case ls.state != policy.ServerUp:
		return ls.next
	}
	return time.Time{}
}

// due says when a lane wants a probe: in so long, or not at all (ok is false).
func (g *gate) due(l lane, now time.Time) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch ls := &g.lanes[l]; {
	case g.locked:
		return max(0, g.lockTry.Sub(now)), !g.lockProbe
	case ls.state != policy.ServerUp:
		return max(0, ls.next.Sub(now)), !ls.probing
	}
	return 0, false
}
