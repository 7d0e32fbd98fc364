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
	if !s.confirmed() && b.allIdentified() {
		switch {
		case s.bridge == "" && (s.unknown != "" || b.unfound(now, s)):
			why = "its records name no Call Bridge, and no call of theirs was found on a configured server"
		case s.bridge != "" && b.claimed(Source{CallBridge: s.bridge}) == "":
			why = fmt.Sprintf("no configured server is the Call Bridge %s that its records name", s.bridge)
		}
	}
	if why == s.unknown {
		return
	}
	s.unknown = why
	b.known(now)
	if why != "" {
		b.unknownBridge(now, s)
	}
	for _, c := range s.calls {
		b.touch(c.meeting)
	}
	b.bump()
}

// unfound reports whether a session has had calls for the time of grace, while all
// servers were identified, and none was found on one: a Call Bridge of theirs that
// leaves its GUID out is confirmed by then. One without calls cannot be.
func (b *Board) unfound(now time.Time, s *session) bool {
	since := s.busy
	if b.identifiedAt.After(since) {
		since = b.identifiedAt
	}
	return s.live > 0 && !b.identifiedAt.IsZero() && now.Sub(since) >= b.o.Grace
}

// judgeUnnamed does so for the sessions that name no Call Bridge, as time passes,
// and reports whether one waits for that.
func (b *Board) judgeUnnamed(now time.Time) (waits bool) {
	for _, s := range b.sessions {
		if s.bridge == "" && s.unknown == "" && !s.confirmed() {
			if b.unfound(now, s) {
				b.judge(now, s)
			} else {
				waits = true
			}
		}
	}
	return waits
}

// judgeAll does so for all sessions, when a server has told who it is.
func (b *Board) judgeAll(now time.Time) {
	if all := b.allIdentified(); !all {
		b.identifiedAt = time.Time{}
	} else if b.identifiedAt.IsZero() {
		b.identifiedAt = now
	}
	for _, s := range b.sessions {
		b.judge(now, s)
	}
}

// unknownBridge raises the alarm about a Call Bridge that no server knows. Those
// whose records name none share one.
func (b *Board) unknownBridge(now time.Time, s *session) {
	guid := strings.ToLower(s.bridge)
	key, text := "unknown/"+guid, fmt.Sprintf("%s sends records of the Call Bridge %s, which no configured server is", s.address, s.bridge)
	_, told := b.unknown[guid]
	switch {
	case guid == "":
		key, text = "unnamed", fmt.Sprintf("%s sends records that name no Call Bridge, and none of their calls was found on a configured server", s.address)
	case told:
	case len(b.unknown) >= maxUnknown:
		key, text = "unknown/", text+"; there are more than the alarms name"
	default:
		b.unknown[guid] = struct{}{}
	}
	b.raise(now, Alarm{Key: key, Text: text,
		Remedy: "add its server to servers under [cms], or keep the sender away by allow or token under [receiver]; until then its meetings are unverified"})
}

// known lowers those of these alarms that no session needs any more.
func (b *Board) known(now time.Time) {
	need := map[string]bool{}
	for _, s := range b.sessions {
		if s.unknown != "" {
			need[strings.ToLower(s.bridge)] = true
		}
	}
	for guid := range b.unknown {
		if !need[guid] {
			delete(b.unknown, guid)
			b.lower(now, "unknown/"+guid)
		}
	}
	shared := false
	for guid := range need {
		_, own := b.unknown[guid]
		shared = shared || guid != "" && !own
	}
	if !shared {
		b.lower(now, "unknown/")
	}
	if !need[""] {
		b.lower(now, "unnamed")
	}
}
