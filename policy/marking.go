package policy

import "time"

// MarkingKind says what a marking does to a call's screens.
type MarkingKind uint8

// The kinds. MarkNone leaves the call's message alone; MarkClear takes it off.
const (
	MarkNone MarkingKind = iota
	MarkClear
	MarkLevel
	MarkText
)

// Marking is what one call's screens shall show. Markings are compared with ==.
type Marking struct {
	Kind     MarkingKind
	Level    Level         // MarkLevel only
	Text     string        // MarkLevel and MarkText
	Position string        // top, middle or bottom
	Duration time.Duration // whole seconds; 0 is permanent
}

// Shows reports whether the marking puts a text on the screens.
func (m Marking) Shows() bool { return m.Kind == MarkLevel || m.Kind == MarkText }

// says is the marking in the journal's words.
func (m Marking) says() string {
	if m.Kind == MarkClear {
		return "cleared"
	}
	return m.Text
}

// CallRef names a call for as long as the board lives. It is never used again
// for another call.
type CallRef uint64

// MarkingState says how far a call's wanted marking has got.
type MarkingState uint8

// The states. A marking that is Sent was accepted by the server; Confirmed
// means that reading the call showed it.
const (
	StateIdle      MarkingState = iota // nothing is wanted, nothing is shown
	StateWanted                        // waits to be sent
	StateSending                       // a request is under way
	StateSent                          // the server accepted it
	StateConfirmed                     // read back
	StateFailed                        // the last attempt failed; it is tried again
)

// String names the state as the console and the log do.
func (s MarkingState) String() string {
	switch s {
	case StateWanted:
		return "wanted"
	case StateSending:
		return "sending"
	case StateSent:
		return "sent"
	case StateConfirmed:
		return "confirmed"
	case StateFailed:
		return "failed"
	}
	return "idle"
}

// Why names the reason for which a call is, or is not, to be written.
type Why string

// The reasons.
const (
	WhyEnded     Why = "call ended"                         // do not write
	WhyNothing   Why = "nothing wanted"                     // do not write
	WhySending   Why = "already being sent"                 // do not write
	WhySame      Why = "already sent"                       // do not write
	WhyRise      Why = "less trusted"                       // write: the screens show something more trusted, or nothing
	WhyFall      Why = "more trusted"                       // write: the screens show something less trusted
	WhyText      Why = "text changed"                       // write: the same level in other words, or an operator's text
	WhyClear     Why = "nothing to show"                    // write: take the marking off
	WhyRenewal   Why = "runs out"                           // write: half of its duration is over
	WhyContested Why = "changed by another again and again" // do not write
	WhyUncertain Why = "outcome not known"                  // write: the last request may or may not have worked
)

// Want is the answer to "what shall be written to this call now?".
type Want struct {
	Ref     CallRef
	CallID  string // the id under /calls on its own server
	Name    string
	Meeting MeetingID
	Session SessionInfo
	Write   bool // whether a request is due
	Why     Why
	Marking Marking   // what to write, when Write
	Rise    bool      // goes before what is no rise
	Since   time.Time // since when it is wanted
	Level   Level     // Marked only: what the screens show
}

// SessionInfo says whose a call is, for the search of its server.
type SessionInfo struct {
	ID         string
	CallBridge string // GUID, or empty
	Address    string // sender of the records
	Server     string // API server that it is bound to, or empty
	Sureness   Sureness
}

// Sureness is how sure it is that a session runs on a server.
type Sureness uint8

// A guess rests on a source address, or on there being one server only; proof
// is the Call Bridge's GUID, or a call of the session found on that server.
const (
	Unbound Sureness = iota
	Guessed
	Proven
)

// String names the sureness as the console and the log do.
func (s Sureness) String() string {
	switch s {
	case Guessed:
		return "guessed"
	case Proven:
		return "proven"
	}
	return "unbound"
}
