package policy

import (
	"fmt"
	"time"
)

// session is what one run of a Call Bridge has told: its calls and legs, and
// which records have come.
type session struct {
	id       string
	bridge   string // GUID of the Call Bridge, or empty
	address  string // sender of the latest document
	server   string // API server, or empty
	sureness Sureness
	alone    uint64 // the board's proofs as of which no other session is proven to run on its server
	order    uint64 // sessions are numbered as they are met

	seen       seen
	records    uint64
	duplicates uint64
	first      time.Time // our clock
	last       time.Time
	lastIndex  int64
	clock      time.Time // newest time of the Call Bridge's own clock

	// Calls whose start, or the start of a leg of theirs, has a lower index than
	// gapAt, or has not come, are incomplete, and gapWhy says why. forcedAt is the part of it that no late record can heal.
	gapAt     int64
	gapWhy    string
	gapSince  time.Time
	forcedAt  int64
	forcedWhy string

	api    bool     // opened by the API: no record of it has come, so that its id is not known
	keys   []uint64 // by which answers that are under way find it
	synced int64    // as of which index all that ran is known from the API, or NoIndex
	round  round    // of reading its lists
	wants  wants    // what is to be read about its calls and legs

	progress time.Time // when the API last told something of it
	matched  time.Time // when a reading of lists began that named something of it

	rivalled bool // another session of its Call Bridge has newer records, so neither may end the other

	sender  *sender
	busy    time.Time // since when it has had calls without a break
	unknown string    // why it is of no configured server, once that is sure

	overflow string // a bound was reached: all its calls count as level 3
	over     bool   // that, or one of its calls has its own
	left     int64  // as of which index somebody was left out last
	crowded  bool   // other sessions of its Call Bridge were left out

	calls    map[string]*call
	legs     map[string]*leg
	watched  bool               // it is confirmed, and its calls count as that in their meetings; see rewatch
	whole    map[*call]struct{} // calls in meetings that are complete, as of when these were settled
	live     int                // calls that are attached to a meeting
	inCalls  int                // legs that are in a call
	departed departures
}

func newSession(src Source, now time.Time, order uint64) *session {
	return &session{
		id: src.Session, bridge: src.CallBridge, address: src.Address, sender: &sender{address: src.Address}, order: order,
		first: now, last: now, lastIndex: NoIndex, keys: []uint64{order}, synced: NoIndex,
		calls: map[string]*call{}, legs: map[string]*leg{}, whole: map[*call]struct{}{},
	}
}

// sameBridge reports whether two sessions are proven to be one Call Bridge's.
func sameBridge(x, y *session) bool {
	return x.bridge != "" && x.bridge == y.bridge ||
		x.sureness == Proven && y.sureness == Proven && x.server == y.server
}

// label is how people call the session's Call Bridge.
func (s *session) label() string {
	switch {
	case s.server != "":
		return s.server
	case s.bridge != "":
		return s.bridge
	case s.address != "":
		return s.address
	}
	return s.id
}

// info is what the search for the session's server needs.
func (s *session) info() SessionInfo {
	return SessionInfo{ID: s.id, CallBridge: s.bridge, Address: s.address, Server: s.server, Sureness: s.sureness}
}

// take enters a record's index. It returns the index to order the record by,
// and whether the record is new.
func (s *session) take(e *Event) (index int64, fresh bool) {
	if e.Index < 0 || e.Index >= 1<<62 {
		// It cannot be told from a duplicate, nor can a loss be seen: newer than
		// everything so far, and everything so far is in doubt.
		index = s.seen.high() + 1
		s.force(index+1, "records come without a correlatorIndex")
		return index, true
	}
	if !s.seen.add(e.Index) {
		return e.Index, false
	}
	if e.Missing > 0 {
		s.force(e.Index, fmt.Sprintf("the Call Bridge discarded %d records before index %d", e.Missing, e.Index))
	}
	return e.Index, true
}

// force makes the calls that began before an index incomplete for good, that is
// until a synchronisation.
func (s *session) force(at int64, why string) {
	if at >= s.forcedAt {
		s.forcedAt, s.forcedWhy = at, why
	}
}

// gap is the index below which calls are incomplete, and why; 0 when none are.
func (s *session) gap() (at int64, why string) {
	at = s.seen.gap()
	switch {
	case max(at, s.forcedAt) <= s.synced: // the API has told what the missing records would have
		return 0, ""
	case s.forcedAt > 0 && s.forcedAt >= at:
		return s.forcedAt, s.forcedWhy
	case at == 0:
		return 0, ""
	}
	hole, _ := s.seen.hole()
	if hole.lo == 0 {
		return at, fmt.Sprintf("the session began before callmark did: its first record here has index %d", at)
	}
	if hole.lo == hole.hi {
		return at, fmt.Sprintf("record %d is missing", hole.lo)
	}
	return at, fmt.Sprintf("records %d to %d are missing", hole.lo, hole.hi)
}
