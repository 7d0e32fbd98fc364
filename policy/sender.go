package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxOthers bounds the addresses beside the first that are named of one Call
// Bridge.
const maxOthers = 8

// sender is where the records of a Call Bridge come from. A configured server's
// outlives its sessions; that of another Call Bridge ends with its session.
type sender struct {
	address string   // the first one, or the one that is believed; empty: none yet
	others  []string // beside it, each once, at most maxOthers
	more    bool     // there were others still
	refused bool     // somebody was
}

// known reports whether records of the Call Bridge have come from an address.
func (x *sender) known(address string) bool {
	return address == x.address || slices.Contains(x.others, address)
}

// add notes one more address, and reports whether it is new.
func (x *sender) add(address string) bool {
	switch {
	case x.known(address):
		return false
	case len(x.others) < maxOthers:
		x.others = append(x.others, address)
		return true
	}
	first := !x.more
	x.more = true
	return first
}

// list names the other addresses.
func (x *sender) list() string {
	text := strings.Join(x.others, ", ")
	if x.more {
		text += " and others"
	}
	return text
}

// claimed is the server whose Call Bridge a document says that it is from, by its
// session or else its GUID, or "".
func (b *Board) claimed(src Source) string {
	if s := b.sessions[src.Session]; s != nil && s.sureness == Proven {
		return s.server
	}
	if src.CallBridge != "" {
		for server, st := range b.servers {
			if strings.EqualFold(st.CallBridge, src.CallBridge) {
				return server
			}
		}
	}
	return ""
}

// disbelieved says why a document is not to be believed, or "".
func (b *Board) disbelieved(now time.Time, src Source) string {
	if over := b.ended[src.Session]; over.refused != "" {
		if x := b.senders[over.server]; x == nil || x.address != src.Address {
			return over.refused
		}
		// This is where it is believed from: it begins anew, above 0.
		delete(b.ended, src.Session)
		b.endedIn = slices.DeleteFunc(b.endedIn, func(id string) bool { return id == src.Session })
	}
	if !b.o.BoundSenders || src.Address == "" {
		return ""
	}
	server := b.claimed(src)
	x := b.senders[server]
	if x == nil || x.address == "" || x.address == src.Address || b.outranks(now, server, x, src.Address) {
		return ""
	}
	return b.refuse(now, server, x, src.Address)
}

// outranks reports whether an address takes the place of the one that a Call
// Bridge is believed from: when it is one of the configured servers' own and the
// other is not. Who was first may be a forger; who answers at a server's own
// address is not. What was told from the other one is in doubt from here on.
func (b *Board) outranks(now time.Time, server string, x *sender, address string) bool {
	_, own := b.watched[address]
	if _, was := b.watched[x.address]; !own || was {
		return false
	}
	before := x.address
	x.address, x.others = address, nil
	for _, s := range b.sessions {
		if s.server == server && s.sureness == Proven && !s.api {
			s.force(b.latest(s), "records in its name came from "+before)
			b.checkGap(now, s)
		}
	}
	b.raise(now, Alarm{
		Key:    "senders/" + server,
		Text:   fmt.Sprintf("records of %s came from %s; from now on it is believed from %s alone, a server's own address", server, before, address),
		Remedy: "find out who sends from " + before + " and keep it away by allow under [receiver]",
	})
	return true
}

// refuse raises the alarm about a sender that is not believed, and says why.
func (b *Board) refuse(now time.Time, server string, x *sender, address string) string {
	if x.add(address) || !x.refused {
		x.refused = true
		b.raise(now, Alarm{
			Key:  "senders/" + server,
			Text: fmt.Sprintf("%s is believed from %s alone; records in its name come from %s too and are refused", server, x.address, x.list()),
			Remedy: fmt.Sprintf("if it now sends from there, restart callmark, or set senders = \"any\" under [receiver]; "+
				"else keep the other away by allow or token, and if %s is the wrong one, that", x.address),
		})
	}
	return `this Call Bridge is believed from another address alone, by senders = "bound"`
}

// heard notes the address that a document of a session came from.
func (b *Board) heard(now time.Time, s *session, address string) {
	if address == "" || address == s.address {
		return
	}
	s.address = address
	x := s.sender
	if x.address == "" {
		x.address = address
		return
	}
	if x.add(address) {
		b.secondSender(now, s, x)
	}
}

// secondSender raises the alarm about a Call Bridge that sends from several
// addresses, once for each. Those that no configured server confirms share one,
// so that they cannot fill the list of alarms.
func (b *Board) secondSender(now time.Time, s *session, x *sender) {
	key := "senders/" + s.server
	if !s.confirmed() {
		key = "senders/"
	}
	b.raise(now, Alarm{
		Key:  key,
		Text: fmt.Sprintf("records of %s come from %s and from %s", s.label(), x.address, x.list()),
		Remedy: "if it has several interfaces, dismiss this; otherwise somebody else sends in its name: " +
			"set allow, token or senders = \"bound\" under [receiver]",
	})
}

// bindSender is for a session that has proved to run on a server: its Call Bridge
// is believed from its address, or it is not believed because another is. It
// reports whether the session goes on.
func (b *Board) bindSender(now time.Time, s *session) bool {
	if s.api || s.address == "" {
		return true
	}
	x := b.senders[s.server]
	switch {
	case x == s.sender:
		return true
	case x == nil:
		s.sender.address, s.sender.others = s.address, without(append(s.sender.others, s.sender.address), s.address)
		b.senders[s.server] = s.sender
		return true
	case !b.believes(now, s, s.server):
		return false
	}
	s.sender = x
	if x.add(s.address) {
		b.secondSender(now, s, x)
	}
	return true
}

// believes reports whether a session may be one of a server, by where it is heard
// from. If not it ends here, and what runs on the server does not.
func (b *Board) believes(now time.Time, s *session, server string) bool {
	x := b.senders[server]
	if !b.o.BoundSenders || x == nil || s.address == "" || x.address == s.address || b.outranks(now, server, x, s.address) {
		return true
	}
	why := b.refuse(now, server, x, s.address)
	s.server, s.sureness = "", Unbound
	b.rewatch(now, s)
	b.endSession(now, s, why)
	end := b.ended[s.id]
	end.refused, end.server = why, server
	b.ended[s.id] = end
	return false
}

// without is a list without one element.
func without(list []string, x string) []string {
	return slices.DeleteFunc(list, func(y string) bool { return y == x || y == "" })
}
