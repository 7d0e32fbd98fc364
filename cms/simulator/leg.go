package simulator

import (
	"strconv"
	"time"

	"callmark/receiver/cdr"
)

// LegSpec says who is at the far end of a leg. See Room, Guest and the others
// for the usual kinds.
type LegSpec struct {
	Name        string
	Address     string // remoteParty
	Local       string // localAddress
	Type        string // "": sip
	SubType     string
	LyncSubType string
	Outgoing    bool
	Guest       bool // guestConnection
	Recording   bool
	Streaming   bool
	Lobby       bool // waits to be let in when it joins a call
	OwnerID     string
	UserJID     string // of somebody who signed in, in the API only
	GroupID     string // participant; "": a new one
	CdrTag      string
	Encrypted   bool

	// Level is the level that its author intends: 1, 2 or 3, for Truth. 0:
	// the simulator works it out, by DemoSecureDomains and
	// DemoInternalDomains.
	Level int
}

// legState is the state of a leg.
type legState uint8

const (
	initial legState = iota
	ringing
	connected
	onHold
	ended
)

// stateNames are the API's names of the states.
var stateNames = [...]string{"initial", "ringing", "connected", "onHold", "ended"}

// String returns the state as the API writes it.
func (s legState) String() string { return stateNames[s] }

// Leg is one connection of a remote party to one Call Bridge.
type Leg struct {
	bridge *Bridge
	id     string
	spec   LegSpec

	// Guarded by cluster.mu.
	call        *Call // nil before it is in one, and in the IVR
	state       legState
	ivr         bool
	deactivated bool
	name        string
	address     string // remoteAddress: where it is now
	level       int    // intended, 0 for those who are no people
	sipCallID   string
	groupID     string
	link        *Bridge // of a distribution link: the other end
	twin        *Leg
	movedLeg    string
	movedBridge string
	started     time.Time
	joined      bool      // has been connected in the call that it is in
	active      time.Time // when it was first active in a call
	changed     uint64    // see Bridge.change
}

// NewLeg connects somebody to the Call Bridge and emits callLegStart, without a
// call.
func (b *Bridge) NewLeg(spec LegSpec) *Leg {
	defer b.lock()()
	leg := b.newLeg(spec)
	b.emit(leg.start())
	return leg
}

func (b *Bridge) newLeg(spec LegSpec) *Leg {
	c := b.cluster
	setDefault(&spec.Type, "sip")
	if spec.Guest && spec.Address == "" {
		// A guest's address has a domain of ours: it says nothing about them.
		spec.Address = "guest" + strconv.Itoa(100_000_000+c.rng.IntN(900_000_000)) + "@" + DemoInternalDomain
	}
	leg := &Leg{
		bridge: b, id: c.guid(), spec: spec, name: spec.Name, address: spec.Address,
		sipCallID: c.guid(), groupID: spec.GroupID, started: c.now(),
	}
	if leg.groupID == "" {
		leg.groupID = c.guid()
	}
	leg.level = intendedLevel(&spec, spec.Address, spec.Level)
	b.legs[leg.id] = leg
	b.legOrder = append(b.legOrder, leg)
	return leg
}

// Join connects somebody straight into a call: NewLeg and Leg.Join.
func (call *Call) Join(spec LegSpec) *Leg {
	defer call.bridge.lock()()
	if call.over {
		return nil
	}
	leg := call.bridge.newLeg(spec)
	call.bridge.emit(leg.start())
	leg.join(call)
	return leg
}

// ID returns the GUID of the leg.
func (leg *Leg) ID() string { return leg.id }

// Bridge returns the Call Bridge that the leg is on.
func (leg *Leg) Bridge() *Bridge { return leg.bridge }

// Group returns the id of the participant that the leg belongs to.
func (leg *Leg) Group() string { return leg.groupID }

// Address returns where the leg is now.
func (leg *Leg) Address() string {
	defer leg.bridge.lock()()
	return leg.address
}

// State returns the state as the API writes it, or ended.
func (leg *Leg) State() string {
	defer leg.bridge.lock()()
	return leg.state.String()
}

// Level returns the level that is intended for the leg; 0: it is no person.
func (leg *Leg) Level() int {
	defer leg.bridge.lock()()
	return leg.level
}

// Call returns the call that the leg is in, or nil.
func (leg *Leg) Call() *Call {
	defer leg.bridge.lock()()
	return leg.call
}

// Running tells whether the leg has not ended.
func (leg *Leg) Running() bool {
	defer leg.bridge.lock()()
	return leg.state != ended
}

// Ring emits an update without a state: the leg is not connected yet.
func (leg *Leg) Ring() { leg.change(func() { leg.state = ringing }) }

// EnterIVR takes the leg to the voice menu, out of any call.
func (leg *Leg) EnterIVR() {
	leg.change(func() {
		leg.leave()
		leg.state = connected
		leg.ivr = true
	})
}

// Join connects the leg into a call, into its lobby if LegSpec.Lobby is set.
// The call must be on the leg's own Call Bridge.
func (leg *Leg) Join(call *Call) {
	defer leg.bridge.lock()()
	if leg.state == ended || call.over || call.bridge != leg.bridge {
		return
	}
	leg.join(call)
}

func (leg *Leg) join(call *Call) {
	leg.enter(call)
	leg.state = connected
	leg.settle()
	leg.bridge.emit(leg.update())
}

// Announce tells which call the leg is bound for while it is not connected yet:
// an update with the call and without a state.
func (leg *Leg) Announce(call *Call) {
	defer leg.bridge.lock()()
	if leg.state == ended || call.over || call.bridge != leg.bridge {
		return
	}
	leg.enter(call)
	leg.state = ringing
	leg.bridge.emit(leg.update())
}

// Deactivate sends the leg to the lobby of its call.
func (leg *Leg) Deactivate() { leg.change(func() { leg.deactivated = true }) }

// Admit lets the leg in from the lobby.
func (leg *Leg) Admit() {
	leg.change(func() { leg.deactivated = false })
}

// Hold puts the leg on hold: its updates have no state, and it still counts.
func (leg *Leg) Hold() { leg.change(func() { leg.state = onHold }) }

// Resume takes the leg back from hold.
func (leg *Leg) Resume() { leg.change(func() { leg.state = connected }) }

// SetName changes the displayed name.
func (leg *Leg) SetName(name string) { leg.change(func() { leg.name = name }) }

// SetAddress changes the remoteAddress, as a transfer does. level is the level
// that is intended now, 0: worked out as LegSpec.Level says.
func (leg *Leg) SetAddress(address string, level int) {
	leg.change(func() { leg.setAddress(address, level) })
}

// Transfer hands the leg's connection to somebody else.
func (leg *Leg) Transfer(name, address string, level int) {
	leg.change(func() {
		leg.name = name
		leg.setAddress(address, level)
	})
}

func (leg *Leg) setAddress(address string, level int) {
	leg.address = address
	leg.level = intendedLevel(&leg.spec, address, level)
}

// change changes a running leg and emits an update.
func (leg *Leg) change(f func()) {
	defer leg.bridge.lock()()
	if leg.state == ended {
		return
	}
	f()
	leg.settle()
	leg.bridge.emit(leg.update())
}

// Update emits an update although nothing changed.
func (leg *Leg) Update() { leg.change(func() {}) }

// Fade emits an update without a state, as is seen right before a leg ends. The
// leg is still there.
func (leg *Leg) Fade() {
	defer leg.bridge.lock()()
	if leg.state == ended {
		return
	}
	r := leg.update()
	r.Leg.State = ""
	leg.bridge.emit(r)
}

// Move moves the participant to a call, which may be on another Call Bridge: a
// new leg with movedCallLeg joins there, then the old one ends. It returns the
// new leg, or nil if the leg or the call is over.
func (leg *Leg) Move(to *Call) *Leg {
	defer leg.bridge.lock()()
	if leg.state == ended || to.over {
		return nil
	}
	spec := leg.spec
	spec.Name, spec.Address, spec.Level = leg.name, leg.address, leg.level
	spec.GroupID, spec.Lobby = "", false
	moved := to.bridge.newLeg(spec)
	moved.movedLeg = leg.id
	moved.movedBridge = leg.bridge.guid
	to.bridge.emit(moved.start())
	moved.join(to)
	leg.end("callMoved")
	return moved
}

// End disconnects the leg. If it was the last one of its call, the call ends
// with it and the records go out together. A distribution link ends on both
// sides.
func (leg *Leg) End() {
	defer leg.bridge.lock()()
	if leg.state == ended {
		return
	}
	leg.end("remoteTeardown")
}

// EndSilently ends the leg as End does, and its call with it if it was the last
// one, and no receiver ever gets the records. They take an index each: a gap
// shows with the next record. The far end of a distribution link ends with
// records of its own.
func (leg *Leg) EndSilently() {
	defer leg.bridge.lock()()
	if leg.state == ended {
		return
	}
	defer leg.bridge.silently()()
	leg.end("remoteTeardown")
}

func (leg *Leg) end(reason string) {
	call := leg.call
	records := []cdr.Record{leg.finish(reason)}
	if call != nil && len(call.legs) == 0 && !call.spec.KeepEmpty {
		records = append(records, call.finish())
	}
	leg.bridge.emit(records...)
}

// enter puts the leg into a call.
func (leg *Leg) enter(call *Call) {
	if leg.call != call {
		leg.leave()
		leg.call = call
		call.legs = append(call.legs, leg)
		call.changed = call.bridge.change()
		call.maxLegs = max(call.maxLegs, int64(len(call.legs)))
	}
	leg.ivr = false
	leg.deactivated = leg.spec.Lobby
}

// settle notes what follows from a change: that the leg has been connected in
// its call, which stays true on hold, and since when it is active.
func (leg *Leg) settle() {
	if leg.call != nil && leg.state == connected {
		leg.joined = true
	}
	if leg.counts() && leg.active.IsZero() {
		leg.active = leg.bridge.cluster.now()
	}
}

// leave takes the leg out of its call, which goes on.
func (leg *Leg) leave() {
	if leg.call != nil {
		leg.call.legs = remove(leg.call.legs, leg)
		leg.call.changed = leg.bridge.change()
		leg.call = nil
		leg.joined = false
	}
}

// finish takes the leg off its Call Bridge and returns its callLegEnd.
func (leg *Leg) finish(reason string) cdr.Record {
	r := leg.endRecord(reason)
	if leg.call != nil {
		leg.call.completed++
	}
	leg.leave()
	leg.state = ended
	b := leg.bridge
	delete(b.legs, leg.id)
	b.legOrder = remove(b.legOrder, leg)
	leg.endTwin()
	return r
}

// endTwin ends the other end of a distribution link.
func (leg *Leg) endTwin() {
	if twin := leg.twin; twin != nil && twin.state != ended {
		twin.end("remoteTeardown")
	}
}

// start makes the leg's callLegStart.
func (leg *Leg) start() cdr.Record {
	leg.changed = leg.bridge.change()
	direction := "incoming"
	if leg.spec.Outgoing {
		direction = "outgoing"
	}
	return cdr.Record{Type: cdr.CallLegStart, Leg: cdr.Leg{
		ID:                 leg.id,
		DisplayName:        leg.name,
		RemoteParty:        leg.spec.Address,
		LocalAddress:       leg.spec.Local,
		Type:               leg.spec.Type,
		SubType:            leg.recordSubType(),
		LyncSubType:        leg.spec.LyncSubType,
		Direction:          direction,
		GuestConnection:    flag(leg.spec.Guest),
		Recording:          flag(leg.spec.Recording),
		Streaming:          flag(leg.spec.Streaming),
		OwnerID:            leg.spec.OwnerID,
		SipCallID:          leg.sipCallID,
		GroupID:            leg.groupID,
		MovedCallLeg:       leg.movedLeg,
		MovedCallLegBridge: leg.movedBridge,
		CdrTag:             leg.spec.CdrTag,
	}}
}

// recordSubType is the subType that records give.
func (leg *Leg) recordSubType() string {
	if leg.link != nil && leg.bridge.cluster.opts.PlainLinks {
		return ""
	}
	return leg.spec.SubType
}

// update makes a callLegUpdate of the leg as it is now.
func (leg *Leg) update() cdr.Record {
	leg.changed = leg.bridge.change()
	l := cdr.Leg{
		ID:            leg.id,
		DisplayName:   leg.name,
		RemoteAddress: leg.address,
		SipCallID:     leg.sipCallID,
		GroupID:       leg.groupID,
		OwnerID:       leg.spec.OwnerID,
		CdrTag:        leg.spec.CdrTag,
		IVR:           leg.ivr,
	}
	if leg.state == connected {
		l.State = "connected"
	}
	if leg.call != nil {
		l.Call = leg.call.id
		l.Deactivated = cdr.False
		if leg.deactivated {
			l.Deactivated = cdr.True
		}
	}
	return cdr.Record{Type: cdr.CallLegUpdate, Leg: l}
}

// endRecord makes the leg's callLegEnd.
func (leg *Leg) endRecord(reason string) cdr.Record {
	now := leg.bridge.cluster.now()
	l := cdr.Leg{
		ID:       leg.id,
		Reason:   reason,
		Duration: now.Sub(leg.started),
	}
	if reason == "remoteTeardown" {
		l.RemoteTeardown = cdr.True
	} else {
		l.RemoteTeardown = cdr.False
	}
	if !leg.active.IsZero() {
		l.ActivatedDuration = now.Sub(leg.active)
		l.EncryptedMedia, l.UnencryptedMedia = cdr.False, cdr.True
		if leg.spec.Encrypted {
			l.EncryptedMedia, l.UnencryptedMedia = cdr.True, cdr.False
		}
	}
	return cdr.Record{Type: cdr.CallLegEnd, Leg: l}
}

// flag is a boolean that records leave out while it is false.
func flag(b bool) cdr.Flag {
	if b {
		return cdr.True
	}
	return cdr.Absent
}
