package simulator

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"callmark/receiver/cdr"
)

// Bridge is one simulated Call Bridge: its live calls and legs, its API and its
// posts to the receivers.
type Bridge struct {
	cluster *Cluster
	guid    string
	name    string

	defaultCap int // of pages, as Options say

	// Guarded by cluster.mu.
	address  string // of the API, once it has listened
	server   *http.Server
	listener net.Listener // of the server
	mux      *http.ServeMux
	session  string
	booted   time.Time
	next     int64 // correlatorIndex of the next record
	calls    map[string]*Call
	order    []*Call // running calls, oldest first
	legs     map[string]*Leg
	legOrder []*Leg
	ended    []*Call // the last calls that ended
	restarts int
	senders  []*sender
	feed     func() bool // see Feed
	held     int         // posts wait while above zero
	paused   bool
	cutOff   bool          // no receiver is in reach
	queue    int           // most records that wait for one receiver
	skew     time.Duration // how far its clock is ahead
	silent   bool          // records vanish without a trace
	lose     int           // records that will vanish without a trace
	discard  int           // records that will be discarded, and reported as missing
	faults   Faults
	requests counter

	// rng decides what its faults and lists do. What they do depends on the
	// requests and posts that come, so it is not the cluster's, of which the
	// GUIDs are.
	rng         *rand.Rand
	pageCap     int
	varyCap     bool // pageCap is only the most
	shuffle     bool
	latestFirst bool
	changes     uint64 // counts changes of calls and legs, for latestFirst
	onRequest   func(method, path string, query url.Values)
}

// newBridge makes the Call Bridge with the given number, from 0.
func newBridge(c *Cluster, number int) *Bridge {
	b := &Bridge{
		cluster: c, name: c.opts.Names[number], guid: c.guid(),
		rng:        rand.New(rand.NewPCG(c.opts.Seed, 0x6272_0000+uint64(number))), // #nosec G404 -- likewise
		queue:      c.opts.Queue,
		defaultCap: c.opts.PageCaps[number], pageCap: c.opts.PageCaps[number],
	}
	b.boot()
	b.mux = b.routes()
	return b
}

// boot begins a session with nothing in it.
func (b *Bridge) boot() {
	b.session = b.cluster.guid()
	b.booted = b.cluster.now()
	b.next = 0
	b.calls = make(map[string]*Call)
	b.legs = make(map[string]*Leg)
	b.order, b.legOrder = nil, nil
}

// GUID returns the id of the Call Bridge, which restarts do not change.
func (b *Bridge) GUID() string { return b.guid }

// Name returns the unique name of the Call Bridge in its cluster.
func (b *Bridge) Name() string { return b.name }

// Session returns the GUID of the present session.
func (b *Bridge) Session() string {
	defer b.lock()()
	return b.session
}

// Address returns host:port of the API; empty before Cluster.Start.
func (b *Bridge) Address() string {
	defer b.lock()()
	return b.address
}

// URL returns the base URL of the API, without a path; empty before
// Cluster.Start.
func (b *Bridge) URL() string {
	defer b.lock()()
	return b.url()
}

func (b *Bridge) url() string {
	if b.address == "" {
		return ""
	}
	if b.cluster.cert != nil {
		return "https://" + b.address
	}
	return "http://" + b.address
}

// host returns the host of the API, as distribution links name it.
func (b *Bridge) host() string {
	host, _, err := net.SplitHostPort(b.address)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// Next returns the correlatorIndex that the next record will have.
func (b *Bridge) Next() int64 {
	defer b.lock()()
	return b.next
}

// Calls returns the running calls, oldest first.
func (b *Bridge) Calls() []*Call {
	defer b.lock()()
	return slices.Clone(b.order)
}

// Legs returns the running legs, oldest first, those in no call included.
func (b *Bridge) Legs() []*Leg {
	defer b.lock()()
	return slices.Clone(b.legOrder)
}

// Call returns a call that runs, or that ended not long ago, or nil.
func (b *Bridge) Call(id string) *Call {
	defer b.lock()()
	return b.call(id)
}

func (b *Bridge) call(id string) *Call {
	if call := b.calls[id]; call != nil {
		return call
	}
	for _, call := range b.ended {
		if call.id == id {
			return call
		}
	}
	return nil
}

// Restart begins a new session, as after a power cut: all that ran is gone
// without end records, the records that waited are gone too, and the indexes
// start again. The API and the receivers' configuration stay. Peers end their
// distribution links to this Call Bridge. Receivers hear of the new session with
// its first record, not before.
func (b *Bridge) Restart() {
	defer b.lock()()
	for _, call := range b.order {
		b.forget(call)
	}
	legs := b.legOrder
	for _, leg := range legs {
		leg.state = ended
	}
	b.boot()
	b.restarts++
	for _, s := range b.senders {
		s.reset()
	}
	// The peers notice that their links are dead.
	for _, leg := range legs {
		leg.endTwin()
	}
	b.cluster.touch()
}

// forget takes a call out of its meeting and keeps it for Puts.
func (b *Bridge) forget(call *Call) {
	call.over = true
	call.leaveMeeting()
	b.ended = append(b.ended, call)
	if extra := len(b.ended) - keepEnded; extra > 0 {
		b.ended = slices.Delete(b.ended, 0, extra)
	}
}

// lock locks the cluster and returns what unlocks it.
func (b *Bridge) lock() func() {
	b.cluster.mu.Lock()
	return b.cluster.mu.Unlock
}

// emit gives records their index and time and hands them to the senders. The
// records of one emit wait together, so that one post can take them.
func (b *Bridge) emit(records ...cdr.Record) {
	now := b.clock().Truncate(time.Second)
	for i := range records {
		r := &records[i]
		r.Time = now
		r.CorrelatorIndex = b.next
		b.next++
		switch {
		case b.silent:
		case b.lose > 0:
			b.lose--
		case b.discard > 0:
			b.discard--
			for _, s := range b.senders {
				s.miss()
			}
		default:
			for _, s := range b.senders {
				s.add(r)
			}
		}
	}
	b.wake()
	b.cluster.touch()
}

// silently makes the records of what follows vanish, as after LoseRecords, until
// the function that it returns is called.
func (b *Bridge) silently() (end func()) {
	b.silent = true
	return func() { b.silent = false }
}

// wake makes the senders look at their queues.
func (b *Bridge) wake() {
	for _, s := range b.senders {
		s.wakeUp()
	}
}

func remove[T comparable](list []T, v T) []T {
	if i := slices.Index(list, v); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
