package policy

import (
	"fmt"
	"strings"
	"time"
)

// maxUnknown bounds the alarms about Call Bridges that no server knows; those
// beyond share one.
const maxUnknown = 8

// identified reports whether all configured servers have told which Call Bridge
// they are. One that has no GUID may be any Call Bridge.
func (b *Board) allIdentified() bool {
	for server := range b.follows {
		if !b.servers[server].Identified {
			return false
		}
	}
	for _, st := range b.servers {
		if !st.Identified || st.CallBridge == "" {
			return false
		}
	}
	return len(b.servers) > 0
}

// judge finds out whether a session is of a Call Bridge that no configured server
// is: then its meetings are unverified, since nobody can be asked about it.
func (b *Board) judge(now time.Time, s *session) {
	why := ""
	if s.bridge != "" && s.sureness != Proven && !s.api && b.allIdentified() && b.claimed(Source{CallBridge: s.bridge}) == "" {
		why = fmt.Sprintf("no configured server is the Call Bridge %s that its records name", s.bridge)
	}
	if why == s.unknown {
		return
	}
	s.unknown = why
	if why == "" {
		b.known(now, s.bridge)
	} else {
		b.unknownBridge(now, s)
	}
	for _, c := range s.calls {
		b.touch(c.meeting)
	}
	b.bump()
}

// judgeAll does so for all sessions, when a server has told who it is.
func (b *Board) judgeAll(now time.Time) {
	for _, s := range b.sessions {
		b.judge(now, s)
	}
}

// unknownBridge raises the alarm about a Call Bridge that no server knows.
func (b *Board) unknownBridge(now time.Time, s *session) {
	guid := strings.ToLower(s.bridge)
	key, text := "unknown/"+guid, fmt.Sprintf("%s sends records of the Call Bridge %s, which no configured server is", s.address, s.bridge)
	if _, told := b.unknown[guid]; !told {
		if len(b.unknown) >= maxUnknown {
			key, text = "unknown/", text+"; there are more than the alarms name"
		} else {
			b.unknown[guid] = struct{}{}
		}
	}
	b.raise(now, Alarm{Key: key, Text: text,
		Remedy: "add its server to servers under [cms], or keep the sender away by allow or token under [receiver]; until then its meetings are unverified"})
}

// known lowers that alarm, once no session of the Call Bridge needs it.
func (b *Board) known(now time.Time, guid string) {
	for _, s := range b.sessions {
		if s.unknown != "" && strings.EqualFold(s.bridge, guid) {
			return
		}
	}
	guid = strings.ToLower(guid)
	if _, told := b.unknown[guid]; told {
		delete(b.unknown, guid)
		b.lower(now, "unknown/"+guid)
	}
	if len(b.unknown) == 0 {
		b.lower(now, "unknown/")
	}
}
