package policy

import (
	"fmt"
	"time"
)

// SetAside tells the board that a document was acknowledged unread, since it
// could not be read: whatever ran until now on the session that it is from may
// have changed. Without a session that is known, those of its Call Bridge are
// meant, else those that records have come of from its address.
//
// A document of which all this tells nothing may be anybody's. Whoever can reach
// the receiver can send one, so it does not put in doubt what is watched anyhow:
// if it was of a session whose server tells by its status how far it has got, two
// polls find that records are missing, as they find every loss that no record
// tells of. All other sessions are in doubt.
func (b *Board) SetAside(now time.Time, src Source, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	src.Session, src.CallBridge, src.Address = Clean(src.Session, maxID), Clean(src.CallBridge, maxID), Clean(src.Address, maxID)
	why := "a document could not be read and was set aside: " + Clean(reason, maxProblem)
	hit := b.asideOf(now, src)
	for _, s := range hit {
		s.force(s.seen.high()+1, why)
		b.checkGap(now, s)
	}
	then := "the meetings of its Call Bridge are unverified until they are read"
	if len(hit) == 0 {
		then = "no Call Bridge that is known sends from there: if one has begun to, its status will tell that records are missing"
	}
	b.raise(now, Alarm{
		Key:    "aside/" + src.Address,
		Text:   fmt.Sprintf("a document from %s could not be read: %s", src.Address, Clean(reason, maxProblem)),
		Remedy: "look at it in the folder of refused documents; " + then,
	})
	b.settle(now)
}

// asideOf are the sessions that an unread document may be of, and that would not
// be found out to lack it.
func (b *Board) asideOf(now time.Time, src Source) (hit []*session) {
	if b.disbelieved(now, src) != "" {
		return nil
	}
	if s := b.sessions[src.Session]; s != nil && !s.api {
		return []*session{s}
	}
	for _, is := range []func(*session) bool{
		func(s *session) bool { return !s.api && sameGUID(s.bridge, src.CallBridge) },
		func(s *session) bool { return src.Address != "" && s.sender.known(src.Address) },
		func(s *session) bool { return !b.watchedByStatus(s) },
	} {
		for _, s := range b.sessions {
			if is(s) {
				hit = append(hit, s)
			}
		}
		if len(hit) > 0 {
			break
		}
	}
	return hit
}

// watchedByStatus reports whether a server tells how far a session has got.
func (b *Board) watchedByStatus(s *session) bool {
	f := b.follows[s.server]
	return f != nil && s.confirmed() && !f.polled.IsZero() && !f.suspect && f.next != NoIndex && b.servers[s.server].State == ServerUp
}
