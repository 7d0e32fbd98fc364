package policy

import "time"

// MeetingID names a meeting: the callCorrelator that its calls share, or, for a
// call without one, "call:" and the call's id.
type MeetingID string

// MeetingView is a meeting as it was at one moment. It is immutable: readers
// may keep it for as long as they like.
type MeetingView struct {
	ID      MeetingID
	Version uint64 // moves with every change of the meeting
	Name    string
	Started time.Time // our clock: when the first of its calls was met

	Computed Level     // the highest of the legs that count
	Shown    Level     // what the computed level comes to while unverified; wanted where no override is
	Changed  time.Time // when Computed last changed
	Holder   Holder    // which leg holds the level up

	Unverified      string // why the picture may be incomplete; empty when verified
	UnverifiedSince time.Time

	People  [4]int   // participants that count, by level
	Domains []string // hosts of those that count, in order, at most 32
	Waiting int      // legs in the lobby, the IVR, or not yet connected
	Others  int      // recorders, streamers and links

	Override *Override    // nil when automatic
	Fallen   *Fallen      // an override that fell, until an operator acts on the meeting
	Wanted   Marking      // of every call of the meeting
	State    MarkingState // the least far of its calls; failed before all
	Failure  string       // of the calls' failures, one
	Calls    []CallView
}

// Holder names the leg that holds a meeting's level up, with its evidence.
type Holder struct {
	Leg      string // id; empty when no leg does
	Name     string
	Evidence Evidence
}

// Fallen is an override that fell, and why.
type Fallen struct {
	Override Override
	At       time.Time
	Computed Level
}

// CallView is one call of a meeting.
type CallView struct {
	Ref     CallRef
	ID      string
	Session string
	Bridge  string // how to call its Call Bridge: name, GUID, or address
	Server  string // API server, empty while not known

	Wanted    Marking
	Sent      Marking // what the server last accepted
	SentAt    time.Time
	Confirmed bool // Sent was read back
	State     MarkingState
	Failure   string    // of the last attempt, while failed
	Attempts  int       // failed ones since the last success
	Since     time.Time // of State

	Incomplete string // why the picture of this call may lack something
}

// Presence is where a leg is.
type Presence uint8

// The places. Only InMeeting counts.
const (
	Connecting Presence = iota
	InIVR
	InLobby
	InMeeting
)

// String names the place as the console and the log do.
func (p Presence) String() string {
	switch p {
	case InIVR:
		return "IVR"
	case InLobby:
		return "lobby"
	case InMeeting:
		return "in meeting"
	}
	return "connecting"
}

// LegView is one leg of a meeting's calls.
type LegView struct {
	ID       string
	Name     string
	Address  string
	Domain   string // the host of the address
	Level    Level
	Evidence Evidence
	Type     string // SIP, app, web app, web guest, Lync, link, recorder
	Presence Presence
	Media    Encryption
	Counts   bool      // it bears on the level
	Joined   time.Time // when it first counted; else when it was met. Our clock
	Group    string
	Call     string
	Bridge   string
}

// BridgeView is a Call Bridge: the session that its records come in, the API
// server, or both once they are known to be one.
type BridgeView struct {
	Key        string // stable while callmark runs
	Name       string // name, else server, else GUID, else address
	CallBridge string // GUID, or empty
	Session    string // empty: no record yet
	Address    string // sender of its records
	Server     string // empty: no server is known to be this Call Bridge
	Sureness   Sureness
	Bound      ServerStatus // zero without a server

	Records    uint64
	Duplicates uint64
	LastRecord time.Time // our clock
	LastIndex  int64     // NoIndex before the first
	Calls      int
	Legs       int

	Unverified      string // why; empty when its picture is complete
	UnverifiedSince time.Time

	Silent       string // why its records do not come, though there are some; empty: they do
	SilentRemedy string
	SilentSince  time.Time
	Polled       time.Time     // when its status was read last; zero: not yet
	Next         int64         // the index that it will send next, as it said then, or NoIndex
	Read         time.Time     // when its running calls were read last; zero: not yet
	Unread       int           // calls and legs that are still to be read
	Clock        time.Duration // how far its server's clock is ahead of ours; negative: behind
}

// Totals sums a board up.
type Totals struct {
	Meetings   int
	Levels     [4]int // meetings by computed level
	Unverified int    // meetings
	Overridden int    // meetings
	Failing    int    // meetings with a marking that could not be sent
	Calls      int
	Legs       int
	Records    uint64
	Duplicates uint64
	Dropped    uint64
}

// Update is what changed on a board after a version.
type Update struct {
	Version  uint64         // ask for what comes after it next
	Full     bool           // Meetings is all there are: forget what was before
	Meetings []*MeetingView // changed or new
	Gone     []MeetingID
	Bridges  []BridgeView // all, by name
	Alarms   []Alarm      // all, oldest first
	Receiver ReceiverStatus
	Totals   Totals
}
