package policy

import "time"

// Source says where a document of records came from.
type Source struct {
	Session    string // GUID, new at every restart of a Call Bridge
	CallBridge string // GUID of the Call Bridge; often empty outside clusters
	Address    string // IP address of the sender; a label, no proof
}

// EventKind says what an event reports.
type EventKind uint8

// The kinds. Other stands for a record that changes no meeting; its index
// matters all the same, since gaps are found by it.
const (
	Other EventKind = iota
	CallStarted
	CallEnded
	LegStarted
	LegUpdated
	LegEnded
)

// NoIndex is the Index of an event whose record named none.
const NoIndex int64 = -1

// Event is one record of a Call Bridge, in the core's words.
type Event struct {
	Kind    EventKind
	Time    time.Time // the Call Bridge's clock; zero when not known
	Index   int64     // correlatorIndex: from 0, +1 a record, within a session; or NoIndex
	Missing int64     // so many records before this one were discarded by the Call Bridge
	Call    CallFacts // CallStarted, CallEnded
	Leg     LegFacts  // LegStarted, LegUpdated, LegEnded
}

// CallFacts is what an event says of a call. Empty means not said.
type CallFacts struct {
	ID         string
	Name       string
	Correlator string
}

// Tri is a truth value that may be left unsaid.
type Tri uint8

// The values of a Tri.
const (
	Unsaid Tri = iota
	No
	Yes
)

// Encryption is what is known of a leg's media. It says nothing of trust and
// changes no level.
type Encryption uint8

// The values of an Encryption.
const (
	EncryptionUnknown Encryption = iota
	Encrypted
	Unencrypted // all of it, or some
)

// String names it as the console and the log do.
func (e Encryption) String() string {
	switch e {
	case Encrypted:
		return "encrypted"
	case Unencrypted:
		return "unencrypted"
	}
	return "unknown"
}

// LegFacts is what an event says of a call leg. Empty means not said.
type LegFacts struct {
	ID            string
	Name          string // display name
	RemoteParty   string // the address at the start
	RemoteAddress string // the current address; wins over RemoteParty
	Type          string // sip, acano
	SubType       string // distributionLink, lyncDistribution, webApp, lync, avaya
	Group         string // groupId: legs of one participant share it
	Call          string // id of the call that the leg is in
	Reason        string // why it ended
	IVR           bool   // it talks to the voice menu, and is in no call
	Connected     bool
	Deactivated   Tri // Yes: in the lobby
	Guest         Tri
	Recorder      bool // records or streams: no person
	Encryption    Encryption
}

// ListedCall is what a server's list tells of a call.
type ListedCall struct {
	ID         string
	Name       string
	Correlator string

	met uint64 // the session that it ran in when its page came, see Board.Paged; 0: none
}

// Facts is that in the words of a record.
func (c ListedCall) Facts() CallFacts {
	return CallFacts{ID: c.ID, Name: c.Name, Correlator: c.Correlator}
}

// ListedLeg is what a server's list tells of a call leg. A whole list is held
// until it has been read, so there is no room in it for what lists do not tell.
type ListedLeg struct {
	ID            string
	Name          string
	RemoteAddress string
	Call          string // empty where the list does not say, which is not that there is none

	met uint64 // as a ListedCall's
}

// Facts is that in the words of a record.
func (l ListedLeg) Facts() LegFacts {
	return LegFacts{ID: l.ID, Name: l.Name, RemoteAddress: l.RemoteAddress, Call: l.Call}
}

// Applied says what became of the events of one document.
type Applied struct {
	Taken      int // applied
	Duplicates int // seen before, not applied
	Dropped    int // of a session that has ended, or without an id; not applied

	// Refused says why the document is not believed, if it is not: then nothing of
	// it was applied, and its sender is to be told so.
	Refused string
}
