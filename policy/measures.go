package policy

import "time"

// recordKinds are the types of records as Cisco's CDR guide writes them, by
// EventKind.
var recordKinds = [...]string{
	Other: "other", CallStarted: "callStart", CallEnded: "callEnd",
	LegStarted: "callLegStart", LegUpdated: "callLegUpdate", LegEnded: "callLegEnd",
}

// String is the type of the record, as Cisco's CDR guide writes it, or "other".
func (k EventKind) String() string { return recordKinds[k.known()] }

// known is the kind, or Other for what is none.
func (k EventKind) known() EventKind {
	if int(k) < len(recordKinds) {
		return k
	}
	return Other
}

// RecordCounts is what became of the records of one type since the start.
type RecordCounts struct {
	Taken      uint64 // applied
	Duplicates uint64 // seen before, not applied
	Dropped    uint64 // of a session that has ended, or without an id; not applied
}

// MarkingCounts is what became of markings since the start.
type MarkingCounts struct {
	Sent      uint64 // accepted by the server, renewals included
	Confirmed uint64 // read back
	Failed    uint64 // requests that failed, whether or not they may have worked all the same
	Absent    uint64 // for a call that the server no longer has
	Changed   uint64 // found changed by another program
}

// Measures is how a board is, for those who watch over callmark. Counters are
// since the start. It is a value of its own.
type Measures struct {
	Totals   Totals
	Records  [len(recordKinds)]RecordCounts // by EventKind
	Markings MarkingCounts
	Marking  Latencies // from when a marking became wanted to the server's acceptance, renewals left out

	Gaps     uint64        // times that records of a session were found missing
	OpenGaps int           // sessions whose records are missing now
	Override time.Duration // age of the oldest override that holds; 0: none does
	Full     bool          // a bound of the whole board is reached: every meeting counts as level 3

	Bridges  []BridgeView
	Alarms   []Alarm // oldest first
	Receiver ReceiverStatus
}

// measured is what the board counts for Measures alone.
type measured struct {
	records  [len(recordKinds)]RecordCounts
	markings MarkingCounts
	marking  Latencies
	gaps     uint64
}

// dropped counts the records of a document that is dropped as a whole.
func (m *measured) dropped(events []Event) {
	for i := range events {
		m.records[events[i].Kind.known()].Dropped++
	}
}

// Measure returns the measures as they are now. What it costs grows with
// sessions, servers and overrides, not with meetings.
func (b *Board) Measure(now time.Time) Measures {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := Measures{
		Totals: b.totals, Records: b.measured.records, Markings: b.measured.markings, Marking: b.measured.marking,
		Gaps: b.measured.gaps, Full: b.full != "",
		Bridges: b.bridges(), Alarms: b.alarms.list(), Receiver: b.receiver,
	}
	for _, s := range b.sessions {
		if s.gapAt > 0 {
			m.OpenGaps++
		}
	}
	for held := range b.saved.held {
		if o := held.override; o != nil {
			m.Override = max(m.Override, now.Sub(o.At))
		}
	}
	return m
}

// ReceiverCounts is what a receiver counts, for those who watch over callmark.
type ReceiverCounts struct {
	Documents   uint64 // applied
	SetAside    uint64 // acknowledged unread
	Panics      uint64 // that cost a request or a connection
	Connections int    // open now

	// By cause, each of a set that is fixed in the program: documents and
	// requests that were refused, and documents that could not be decoded.
	Refused, Undecoded map[string]uint64
}

// APICounts is what callmark has asked of one server.
type APICounts struct {
	Server string
	Reads  LaneCounts
	Writes LaneCounts
}

// LaneCounts is what became of the requests of one kind. What callmark gave up
// itself is not among them.
type LaneCounts struct {
	Requests map[string]uint64 // by HTTP status or class of it, of a fixed set; "none": no answer of an API
	Latency  Latencies         // of those that were answered
}
