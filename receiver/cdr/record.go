package cdr

import "time"

// Document is one CDR document: what a Call Bridge sends in one POST.
type Document struct {
	Session    string // GUID, new at every restart of the Call Bridge
	CallBridge string // GUID, constant over restarts; empty outside clusters, and sometimes inside
	Records    []Record
}

// Type says what a record reports.
type Type uint8

// The record types of Cisco's CDR guides. Unknown stands for any other: such a
// record still carries its indexes, which the check for gaps needs.
const (
	Unknown Type = iota
	CallStart
	CallEnd
	CallLegStart
	CallLegUpdate
	CallLegEnd
	RecordingStart
	RecordingEnd
	StreamingStart
	StreamingEnd
)

// typeNames are Cisco's names of the record types, by Type.
var typeNames = [...]string{
	"unknown", "callStart", "callEnd", "callLegStart", "callLegUpdate", "callLegEnd",
	"recordingStart", "recordingEnd", "streamingStart", "streamingEnd",
}

// String returns the type as Cisco writes it, or "unknown".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[Unknown]
}

// Flag is an optional boolean element: absent, false or true.
type Flag uint8

// The values of a Flag.
const (
	Absent Flag = iota
	False
	True
)

// NoIndex stands for an index attribute that is absent or not a number.
const NoIndex int64 = -1

// Record is one CDR. Of Call, Leg and Media only the one that Type names is
// filled in.
type Record struct {
	Type            Type
	Time            time.Time // the Call Bridge's clock, UTC; zero when absent or unreadable
	RecordIndex     int64     // from 1, per receiver; NoIndex when absent
	CorrelatorIndex int64     // from 0, per session: with the session the record's identity; NoIndex when absent
	Missing         int64     // numPreceedingRecordsMissing: records just before this one that the Call Bridge discarded
	Call            Call      // CallStart, CallEnd
	Leg             Leg       // CallLegStart, CallLegUpdate, CallLegEnd
	Media           Media     // RecordingStart to StreamingEnd
}

// Call is the <call> element of callStart and callEnd.
type Call struct {
	ID         string
	Name       string
	OwnerName  string
	Type       string // coSpace, forwarding, adHoc, lyncConferencing
	CoSpace    string
	Tenant     string
	CdrTag     string
	Correlator string // callCorrelator: shared by the calls of one meeting

	LegsCompleted int64 // callEnd
	LegsMaxActive int64 // callEnd
	Duration      time.Duration
}

// Leg is the <callLeg> element of callLegStart, callLegUpdate and callLegEnd.
type Leg struct {
	ID                 string
	DisplayName        string
	RemoteParty        string
	RemoteAddress      string
	LocalAddress       string
	Type               string // sip, acano
	SubType            string // lync, avaya, distributionLink, lyncDistribution, webApp
	LyncSubType        string // audioVideo, applicationSharing, instantMessaging
	Direction          string // incoming, outgoing
	Call               string // id of the call that the leg is in
	IVR                bool   // an <ivr/> element: the leg talks to the voice menu
	State              string // connected, or empty while it is not
	Deactivated        Flag   // in the lobby
	GuestConnection    Flag
	Recording          Flag
	Streaming          Flag
	CanMove            Flag
	OwnerID            string
	SipCallID          string
	GroupID            string
	MovedCallLeg       string
	MovedCallLegBridge string // movedCallLegCallBridge
	ReplacesSipCallID  string
	CdrTag             string
	ConfirmationStatus string
	Reason             string // callLegEnd
	RemoteTeardown     Flag   // callLegEnd
	Duration           time.Duration
	ActivatedDuration  time.Duration
	EncryptedMedia     Flag // callLegEnd; both can be true: then it was not all encrypted
	UnencryptedMedia   Flag
}

// Media is the <recording> or <streaming> element.
type Media struct {
	ID   string
	URL  string // path and recorderUrl of a recording, streamUrl of a stream: the first that is given
	Call string
	Leg  string // callLeg
}
