package simulator

import (
	"slices"
	"time"

	"callmark/receiver/cdr"
)

// CallSpec says what a call is like. The zero value is an unnamed space with a
// meeting of its own.
type CallSpec struct {
	Name       string
	Type       string // "": coSpace
	CoSpace    string // "": a new GUID, if Type is coSpace
	OwnerName  string
	Tenant     string
	CdrTag     string
	Correlator string // of the meeting; "": a new one

	NoCorrelator    bool // it has none until Call.SetCorrelator
	CorrelatorByAPI bool // the API tells it, the records do not
	KeepEmpty       bool // goes on when the last leg has left (activeWhenEmpty)
}

// Call is one call on one Call Bridge: a meeting's part there.
type Call struct {
	bridge *Bridge
	id     string
	spec   CallSpec

	// Guarded by cluster.mu.
	correlator string
	started    time.Time
	legs       []*Leg
	completed  int64
	maxLegs    int64
	recordings int // running
	streams    int // running
	over       bool
	screen     message
	puts       []Put
	changed    uint64 // see Bridge.change
}

// StartCall starts a call and emits callStart.
func (b *Bridge) StartCall(spec CallSpec) *Call {
	defer b.lock()()
	return b.startCall(spec)
}

func (b *Bridge) startCall(spec CallSpec) *Call {
	c := b.cluster
	setDefault(&spec.Type, "coSpace")
	if spec.Type == "coSpace" && spec.CoSpace == "" {
		spec.CoSpace = c.guid()
	}
	call := &Call{bridge: b, id: c.guid(), spec: spec, started: c.now(), screen: newMessage(), changed: b.change()}
	switch {
	case spec.NoCorrelator:
	case spec.Correlator == "":
		call.joinMeeting(c.guid())
	default:
		call.joinMeeting(spec.Correlator)
	}
	b.calls[call.id] = call
	b.order = append(b.order, call)
	b.emit(call.record(cdr.CallStart))
	return call
}

// ID returns the GUID of the call, which only its Call Bridge knows.
func (call *Call) ID() string { return call.id }

// Bridge returns the Call Bridge that the call runs on.
func (call *Call) Bridge() *Bridge { return call.bridge }

// Name returns the name of the call.
func (call *Call) Name() string { return call.spec.Name }

// CoSpace returns the id of the space.
func (call *Call) CoSpace() string { return call.spec.CoSpace }

// Correlator returns the meeting that the call belongs to; empty: none yet.
func (call *Call) Correlator() string {
	defer call.bridge.lock()()
	return call.correlator
}

// Legs returns the legs in the call, oldest first.
func (call *Call) Legs() []*Leg {
	defer call.bridge.lock()()
	return slices.Clone(call.legs)
}

// Running tells whether the call goes on.
func (call *Call) Running() bool {
	defer call.bridge.lock()()
	return !call.over
}

// SetCorrelator puts the call into a meeting; the API tells it from now on.
// With announce, callStart is sent again, with the correlator.
func (call *Call) SetCorrelator(correlator string, announce bool) {
	defer call.bridge.lock()()
	if call.over {
		return
	}
	call.leaveMeeting()
	call.joinMeeting(correlator)
	if announce {
		call.bridge.emit(call.record(cdr.CallStart))
	}
	call.bridge.cluster.touch()
}

// End ends all legs and the call, with all their records.
func (call *Call) End() {
	defer call.bridge.lock()()
	if !call.over {
		call.end()
	}
}

func (call *Call) end() {
	var records []cdr.Record
	for _, leg := range slices.Clone(call.legs) {
		records = append(records, leg.finish("callEnded"))
	}
	call.bridge.emit(append(records, call.finish())...)
}

// EndAbruptly ends the call with callEnd alone: its legs are gone without a
// record of their own.
func (call *Call) EndAbruptly() {
	defer call.bridge.lock()()
	if call.over {
		return
	}
	for _, leg := range slices.Clone(call.legs) {
		leg.finish("")
	}
	call.bridge.emit(call.finish())
}

// EndSilently ends the call and its legs as End does, and no receiver ever gets
// the records. They take an index each: a gap shows with the next record. The
// far ends of its distribution links end with records of their own.
func (call *Call) EndSilently() {
	defer call.bridge.lock()()
	if call.over {
		return
	}
	defer call.bridge.silently()()
	call.end()
}

// finish takes the call off its Call Bridge and returns its callEnd.
func (call *Call) finish() cdr.Record {
	r := call.record(cdr.CallEnd)
	b := call.bridge
	delete(b.calls, call.id)
	b.order = remove(b.order, call)
	b.forget(call)
	return r
}

// record makes a record about the call as it is now.
func (call *Call) record(t cdr.Type) cdr.Record {
	if t == cdr.CallEnd {
		return cdr.Record{Type: t, Call: cdr.Call{
			ID:            call.id,
			LegsCompleted: call.completed,
			LegsMaxActive: call.maxLegs,
			Duration:      call.bridge.cluster.now().Sub(call.started),
		}}
	}
	r := cdr.Record{Type: t, Call: cdr.Call{
		ID:         call.id,
		Name:       call.spec.Name,
		OwnerName:  call.spec.OwnerName,
		Type:       call.spec.Type,
		CoSpace:    call.spec.CoSpace,
		Tenant:     call.spec.Tenant,
		CdrTag:     call.spec.CdrTag,
		Correlator: call.correlator,
	}}
	if call.spec.CorrelatorByAPI {
		r.Call.Correlator = ""
	}
	return r
}

func (call *Call) joinMeeting(correlator string) {
	call.correlator = correlator
	if correlator != "" {
		meetings := call.bridge.cluster.meetings
		meetings[correlator] = append(meetings[correlator], call)
	}
}

func (call *Call) leaveMeeting() {
	meetings := call.bridge.cluster.meetings
	calls := remove(meetings[call.correlator], call)
	if len(calls) == 0 {
		delete(meetings, call.correlator)
	} else {
		meetings[call.correlator] = calls
	}
}

// meeting returns all running calls of the call's meeting, itself included. The
// Call Bridges of standalone servers do not know of each other.
func (call *Call) meeting() []*Call {
	if call.correlator == "" || call.bridge.cluster.opts.Standalone {
		return []*Call{call}
	}
	return call.bridge.cluster.meetings[call.correlator]
}
