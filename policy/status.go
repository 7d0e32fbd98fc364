package policy

import "time"

// ServerState is how the API of a server is.
type ServerState uint8

// The states of a server.
const (
	ServerUnknown ServerState = iota // not asked yet
	ServerUp
	ServerBusy   // answers 503: asked again later
	ServerDown   // does not answer
	ServerLocked // answered 401: nothing is sent until it is probed again
)

// String names the state as the console and the log do.
func (s ServerState) String() string {
	switch s {
	case ServerUp:
		return "up"
	case ServerBusy:
		return "busy"
	case ServerDown:
		return "down"
	case ServerLocked:
		return "locked"
	}
	return "unknown"
}

// ServerStatus is how an API server is, as the cms package reports it.
type ServerStatus struct {
	Server   string // as configured, with its port
	Insecure bool   // plain HTTP, or certificates not verified
	State    ServerState
	Since    time.Time // of the state
	Problem  string    // what is wrong, empty when up
	Remedy   string    // what to do about it
	NextTry  time.Time // when it is asked again, if it is not up

	Identified bool   // it has told which Call Bridge it is
	CallBridge string // its GUID, once known; none outside clusters
	Name       string // its name under /callBridges, once known
	Version    string // its software, once known

	Latency  time.Duration // of the last request that was answered
	Requests uint64
	Failures uint64
	Queue    int // markings that wait to be written

	ReadRate, WriteRate     float64 // requests in the last second
	ReadBudget, WriteBudget float64 // requests a second that may go
}

// withoutCounters is the status without what every request changes.
func (s ServerStatus) withoutCounters() ServerStatus {
	s.Latency, s.Requests, s.Failures, s.Queue, s.ReadRate, s.WriteRate = 0, 0, 0, 0, 0, 0
	return s
}

// ReceiverStatus is how the receiver is, as the receiver package reports it.
type ReceiverStatus struct {
	Listen    string
	Open      bool   // anybody who can reach it may send records
	Refused   uint64 // documents and requests refused
	SetAside  uint64 // documents written aside and acknowledged unread
	LastCause string // of the last refusal
}

// Alarm is something that somebody must do something about. It stays until what
// raised it lowers it, or an operator dismisses it.
type Alarm struct {
	Key    string // one alarm a key
	Text   string
	Remedy string
	Since  time.Time
	Count  int // how often it was raised
}
