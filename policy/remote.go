package policy

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// person is somebody in a call's meeting whom another Call Bridge hosts, as the
// call's own server tells.
type person struct {
	id       string // for the console: nobody else uses it
	bridge   string // GUID
	name     string
	evidence Evidence
}

// PersonFacts is what the API says of a participant (GET /calls/ID/participants).
type PersonFacts struct {
	Name       string
	URI        string
	CallBridge string // GUID of the Call Bridge that hosts it; empty: the one that was asked
	App        bool   // signed in to the web app, or a guest of it
}

// AnswerParticipants takes who is in a call's meeting. Those whom another Call
// Bridge hosts count by their addresses where that is none of ours: else they
// are counted there.
func (b *Board) AnswerParticipants(now time.Time, q Question, people []PersonFacts, exists bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q = b.dated(q)
	s, c := b.answered(now, q, exists)
	if c == nil {
		return
	}
	if c.meeting == nil {
		b.finishRound(now, s)
		return
	}
	b.away -= len(c.away)
	c.meeting.away -= len(c.away)
	c.away, c.told, c.checking.waits = nil, true, false
	for _, p := range people {
		if p.CallBridge == "" || strings.EqualFold(p.CallBridge, s.bridge) {
			continue
		}
		if most := b.o.Bounds; len(c.away) >= most.LegsPerCall || b.away >= most.Legs/4 {
			why := fmt.Sprintf("more than %d people in one call, or %d in all, who are hosted elsewhere", most.LegsPerCall, most.Legs/4)
			b.bounded(now, why, "find out who is in it; its meeting counts as level 3 until the server shows that there is room")
			b.callOverflow(c, observed(q.asOf), why)
			break
		}
		b.away++
		c.meeting.away++
		e := b.o.Rules.Classify(p.URI)
		if p.App {
			e = e.byApp("app")
		}
		away := person{bridge: Clean(p.CallBridge, maxID), name: Clean(p.Name, maxName), evidence: e}
		away.id = fmt.Sprintf("%s/%d", away.bridge, len(c.away))
		c.away = append(c.away, away)
		c.checking.waits = c.checking.waits || !c.meeting.hosts(away.bridge) && b.awaited(away.bridge)
	}
	c.checking.people = true
	b.recountLinks(now, c)
	b.recompute(now, c.meeting)
	b.finishCheck(now, c)
	b.finishRound(now, s)
	b.settle(now)
}

// awaited reports whether a Call Bridge may be one of the servers whose lists
// have not been read yet: then its people are counted once they have.
func (b *Board) awaited(guid string) bool {
	for server, f := range b.follows {
		if known := b.servers[server].CallBridge; f.listed.IsZero() && (known == "" || strings.EqualFold(known, guid)) {
			return true
		}
	}
	return false
}

// remote is the highest level of those whom only the API tells of.
func (m *meeting) remote() Level {
	level := LevelNone
	for _, p := range m.strangers() {
		level = max(level, p.evidence.Level)
	}
	return level
}

// strangers are those whom only the API tells of, with the call that it told them
// of: no call of the meeting that is watched has them as a leg.
func (m *meeting) strangers() iter.Seq2[*call, *person] {
	return func(yield func(*call, *person) bool) {
		if m.away == 0 {
			return
		}
		for _, c := range m.calls {
			for i := range c.away {
				if p := &c.away[i]; !m.hosts(p.bridge) && !yield(c, p) {
					return
				}
			}
		}
	}
}

// elsewhere counts the people whom the meeting's other calls have that configured
// servers confirm.
func (m *meeting) elsewhere(c *call) int {
	n := 0
	groups := map[string]struct{}{}
	for _, other := range m.calls {
		if other == c || !other.session.watched {
			continue
		}
		for _, l := range other.legs {
			switch {
			case l.isLink() || l.isRecorder():
			case l.group == "":
				n++
			default:
				groups[l.group] = struct{}{}
			}
		}
	}
	return n + len(groups)
}

// strays reports whether a call has a link that leads to no call that is known.
func (c *call) strays() bool {
	for _, l := range c.legs {
		if l.countedLink && (l.kind&kindUnwatched != 0 || c.links > c.meeting.otherCalls(c.session)) {
			return true
		}
	}
	return false
}

// askAway has those looked at again whom only the API tells of, and those behind
// links whom it has not told of yet. A poll is when.
func (b *Board) askAway(s *session) {
	if s == nil {
		return
	}
	for _, c := range s.calls {
		if c.meeting != nil && (len(c.away) > 0 && c.meeting.remote() > LevelNone || c.checking.waits || c.links > 0 && c.strays()) {
			b.needCall(c, needPeople)
		}
	}
}
