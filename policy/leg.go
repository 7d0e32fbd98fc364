package policy

import (
	"strings"
	"time"
)

// leg is one connection of a remote party to one Call Bridge. Each fact that a
// record can change carries the index of the record that it is from, so that a
// record that comes late changes nothing that a newer one has said.
type leg struct {
	id         string
	call       *call // the call it is in, nil while it is in none
	pos        int32 // in call.legs
	departures int32
	met        moment // our clock; once it has ended, when that was
	joined     moment // our clock: when it first counted

	bornAt   int64 // index of its first start, or NoIndex
	readAt   int64 // as of which index its details were read, or NoIndex
	listedAt int64 // as of which index a list named it, or NoIndex
	newest   int64 // highest index of its records

	target   string // id of the call that it says to be in; empty in the IVR
	targetAt int64
	lobbyAt  int64

	name      string
	nameAt    int64
	party     string // remoteParty, until there is an address
	partyAt   int64
	address   string // remoteAddress; wins over party
	addressAt int64
	group     string
	groupAt   int64

	finding finding // of its address and kind; its level while it counts as a person

	// Small things stand together: of 100,000 legs each word is nearly a megabyte.
	ended       bool // an explicit end named it: no record brings it back, see revive
	unread      bool // who it is is not known before its details are read
	ivr         bool
	connected   bool // once is for ever
	lobby       bool
	lync        bool
	countedLink bool  // it is in its call's count of links
	counted     Level // what it adds to its meeting's counts now; LevelNone while it does not count
	kind        legKind
	media       Encryption
	need        need // what is to be read about it
}

// newLeg is a leg of which nothing is known but its id.
func newLeg(id string, now time.Time, index int64) *leg {
	return &leg{
		id: id, met: momentOf(now), newest: index,
		bornAt: NoIndex, readAt: NoIndex, listedAt: NoIndex, nameAt: NoIndex, partyAt: NoIndex,
		addressAt: NoIndex, groupAt: NoIndex, targetAt: NoIndex, lobbyAt: NoIndex,
	}
}

// sure reports whether what is known of the leg cannot be too good, although
// records before an index are missing: its details are from after these; or it
// counts, and the address that it counts by is.
func (l *leg) sure(index int64) bool {
	return max(l.bornAt, l.readAt) >= index ||
		l.listedAt >= index && max(l.bornAt, l.readAt) != NoIndex && l.presence() == InMeeting
}

// legKind is a set of what the records have said of a leg. What makes it less
// trusted outweighs the rest.
type legKind uint8

const (
	kindApp       legKind = 1 << iota // acano, web app: level 3 whatever its address
	kindGuest                         // web guest: level 3 likewise
	kindRecorder                      // records or streams: no person
	kindLink                          // subType distributionLink
	kindWatched                       // its host is a Call Bridge that is watched
	kindUnwatched                     // its host is a Call Bridge that is not watched
)

// addressOf is the address that the leg goes by.
func (l *leg) addressOf() string {
	if l.address != "" {
		return l.address
	}
	return l.party
}

// isLink reports whether the leg leads, or seems to lead, to a Call Bridge.
func (l *leg) isLink() bool {
	return l.kind&(kindApp|kindGuest) == 0 && l.kind&(kindLink|kindWatched|kindUnwatched) != 0
}

// isRecorder reports whether the leg records or streams.
func (l *leg) isRecorder() bool {
	return l.kind&(kindApp|kindGuest) == 0 && l.kind&kindRecorder != 0
}

// presence is where the leg is.
func (l *leg) presence() Presence {
	switch {
	case l.ivr:
		return InIVR
	case l.lobby:
		return InLobby
	case l.connected:
		return InMeeting
	}
	return Connecting
}

// typeName is what the console calls the kind of leg.
func (l *leg) typeName() string {
	switch {
	case l.kind&kindGuest != 0:
		return "web guest"
	case l.kind&kindApp != 0:
		return "app"
	case l.isRecorder():
		return "recorder"
	case l.isLink():
		return "link"
	case l.lync:
		return "Lync"
	}
	return "SIP"
}

// clip bounds an address that nobody reads to its end: it stays too long.
func clip(address string) string {
	if len(address) > maxAddress+1 {
		return strings.Clone(address[:maxAddress+1])
	}
	return address
}

// unlinkedBy takes back that the leg is a link, which anybody's record may have
// said, if its own server names another subType. What it does not name proves
// nothing; nor does it tell a recorder from somebody who is recorded.
func (l *leg) unlinkedBy(f *LegFacts) {
	if f.SubType != "" && f.SubType != "distributionLink" {
		l.kind &^= kindLink
	}
}

// merge enters what a record says. index orders the record among the others of
// its session. It reports whether the leg has to be classified anew.
func (l *leg) merge(f *LegFacts, index int64) (classify bool) {
	if index > l.newest {
		l.newest = index
	}
	if f.Name != "" && index >= l.nameAt {
		l.nameAt = index
		if f.Name != l.name {
			l.name = Clean(f.Name, maxName)
		}
	}
	if f.RemoteParty != "" && index >= l.partyAt {
		l.partyAt = index
		if l.address == "" && f.RemoteParty != l.party {
			l.party, classify = clip(f.RemoteParty), true
		}
	}
	if f.RemoteAddress != "" && index >= l.addressAt {
		l.addressAt = index
		switch f.RemoteAddress {
		case l.address:
		case l.party: // mostly: so nothing else of this record is kept
			l.address, l.party = l.party, ""
		default:
			l.address, classify = strings.Clone(clip(f.RemoteAddress)), true
			l.party = "" // it will not be needed again
		}
	}
	if f.Group != "" && index >= l.groupAt {
		l.groupAt = index
		if f.Group != l.group {
			l.group = Clean(f.Group, maxID)
		}
	}
	if (f.IVR || f.Call != "") && index >= l.targetAt {
		l.targetAt, l.ivr = index, f.Call == ""
		if f.Call != l.target {
			l.target = Clean(f.Call, maxID)
		}
	}
	if f.Deactivated != Unsaid && index >= l.lobbyAt {
		l.lobbyAt, l.lobby = index, f.Deactivated == Yes
	}
	l.connected = l.connected || f.Connected
	if f.Encryption != EncryptionUnknown {
		l.media = f.Encryption // of the API alone, whose answers come in order
	}

	kind := l.kind
	if f.Type == "acano" || f.SubType == "webApp" {
		kind |= kindApp
	}
	if f.Guest == Yes {
		kind |= kindApp | kindGuest
	}
	if f.Recorder {
		kind |= kindRecorder
	}
	switch f.SubType {
	case "distributionLink":
		kind |= kindLink
	case "lync", "lyncDistribution":
		l.lync = true
	}
	if kind != l.kind {
		l.kind, classify = kind, true
	}
	return classify
}
