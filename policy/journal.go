package policy

import "time"

// EntryKind says what a journal entry reports.
type EntryKind uint8

// The kinds of journal entry.
const (
	EntryCallStarted EntryKind = iota + 1
	EntryCallEnded
	EntryJoined // a participant counts from now on
	EntryLeft   // it no longer does
	EntryMoved  // its level changed: another address
	EntryLevel  // the computed level of a meeting changed
	EntryVerified
	EntryUnverified
	EntryWanted // another marking is wanted on a call
	EntrySent   // a marking was accepted
	EntryConfirmed
	EntryFailed // a marking could not be written
	EntryForced // an operator overrode
	EntryReleased
	EntryExpired
	EntryFell      // an override fell
	EntryRestored  // an override of an earlier start was read
	EntryHolds     // its meeting was met: it holds again
	EntryForgotten // it could not be kept
	EntrySessionNew
	EntrySessionEnded
	EntryServer // a server's state changed
	EntryAlarm
	EntryAlarmOver
)

// String is the entry's message in the log: lower-case, static.
func (k EntryKind) String() string {
	switch k {
	case EntryCallStarted:
		return "call started"
	case EntryCallEnded:
		return "call ended"
	case EntryJoined:
		return "joined"
	case EntryLeft:
		return "left"
	case EntryMoved:
		return "address changed"
	case EntryLevel:
		return "level changed"
	case EntryVerified:
		return "verified"
	case EntryUnverified:
		return "unverified"
	case EntryWanted:
		return "marking wanted"
	case EntrySent:
		return "marking sent"
	case EntryConfirmed:
		return "marking confirmed"
	case EntryFailed:
		return "marking failed"
	case EntryForced:
		return "override set"
	case EntryReleased:
		return "override released"
	case EntryExpired:
		return "override expired"
	case EntryFell:
		return "override fell"
	case EntryRestored:
		return "override restored"
	case EntryHolds:
		return "override holds again"
	case EntryForgotten:
		return "override forgotten"
	case EntrySessionNew:
		return "session began"
	case EntrySessionEnded:
		return "session ended"
	case EntryServer:
		return "server state"
	case EntryAlarm:
		return "alarm"
	case EntryAlarmOver:
		return "alarm over"
	}
	return "entry"
}

// Weight is how much attention an entry asks for.
type Weight uint8

// The weights.
const (
	Info Weight = iota
	Notice
	Warning
)

// Entry is one line of the journal: what happened, with the facts of its kind
// filled in. Texts are safe to show.
type Entry struct {
	Seq     uint64 // from 1
	Time    time.Time
	Kind    EntryKind
	Weight  Weight
	Meeting MeetingID
	Name    string // of the meeting or, for EntryServer, the server
	Call    string // call id
	Bridge  string
	Leg     string // leg id
	Person  string // display name of the leg
	Address string
	Domain  string
	Level   Level
	Before  Level  // EntryLevel, EntryMoved
	Text    string // evidence, marking text, reason or problem
	Who     string // operator
}
