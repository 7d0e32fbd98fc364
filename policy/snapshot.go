package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// maxGone bounds what is remembered of meetings that ended. A reader who is
// further behind is given everything anew.
const maxGone = 8192

// maxDomains bounds the domains that a meeting's view names.
const maxDomains = 32

// chunk is how many meetings are copied under one hold of the lock.
const chunk = 128

// goneMeeting is a meeting that ended at a version.
type goneMeeting struct {
	version uint64
	id      MeetingID
}

// bump moves the version and wakes the watchers.
func (b *Board) bump() {
	b.version++
	for ch := range b.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// link puts a new meeting at the new end of the list.
func (b *Board) link(m *meeting) {
	b.bump()
	m.version, m.view = b.version, nil
	m.prev, m.next = b.newest, nil
	if b.newest != nil {
		b.newest.next = m
	} else {
		b.oldest = m
	}
	b.newest = m
}

// unlinkMeeting takes a meeting out of the list.
func (b *Board) unlinkMeeting(m *meeting) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		b.oldest = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		b.newest = m.prev
	}
	m.prev, m.next = nil, nil
}

// changed moves a meeting to the new end of the list.
func (b *Board) changed(m *meeting) {
	b.unlinkMeeting(m)
	b.link(m)
}

// Watch returns a channel that holds a value whenever the board has changed
// since the last receive, and a function that ends the watch. The board never
// waits for it. What every request to a server changes, its counters and how far
// its status has got, is no such change: who shows that reads it now and then.
func (b *Board) Watch() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	ch <- struct{}{} // whoever begins to watch has something to read
	b.mu.Lock()
	b.watchers[ch] = struct{}{}
	b.mu.Unlock()
	return ch, func() {
		b.mu.Lock()
		delete(b.watchers, ch)
		b.mu.Unlock()
	}
}

// Since returns what changed after a version; everything, with Full set, for 0
// or when the version is too long ago. The lock is given up between slices of
// the answer; what changes meanwhile comes with the next call at the latest.
func (b *Board) Since(version uint64) Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := Update{Full: version == 0 || version < b.goneBefore || version > b.version}
	if u.Full {
		version = 0
	}
	u.Version = version
	base := b.version // what the reader must be told of begins here, at the latest
	if !u.Full {
		base = version
	}
	for target := b.version; u.Version < target; {
		m := b.oldest
		if u.Version > 0 {
			m = b.firstAfter(u.Version)
		}
		n := 0
		for ; m != nil && n < chunk; m, n = m.next, n+1 {
			u.Meetings = append(u.Meetings, b.view(m))
			u.Version = m.version
		}
		if m == nil {
			u.Version = b.version
			break
		}
		b.mu.Unlock() // let a record in
		b.mu.Lock()
		if base < b.goneBefore {
			// So much ended meanwhile that it is no longer known what: begin again.
			u, version, target, base = Update{Full: true}, 0, b.version, b.version
		}
	}
	ended := map[MeetingID]uint64{}
	for i := len(b.gone) - 1; i >= 0 && b.gone[i].version > version; i-- {
		if g := b.gone[i]; ended[g.id] == 0 {
			ended[g.id] = g.version
			if !u.Full {
				u.Gone = append(u.Gone, g.id)
			}
		}
	}
	if len(ended) > 0 {
		u.Meetings = slices.DeleteFunc(u.Meetings, func(v *MeetingView) bool { return v.Version < ended[v.ID] })
	}
	u.Bridges = b.bridges()
	u.Alarms = b.alarms.list()
	u.Receiver = b.receiver
	u.Totals = b.totals
	return u
}

// firstAfter is the oldest meeting in the list that changed after a version.
func (b *Board) firstAfter(version uint64) *meeting {
	m := b.newest
	if m == nil || m.version <= version {
		return nil
	}
	for m.prev != nil && m.prev.version > version {
		m = m.prev
	}
	return m
}

// Meeting returns one meeting, or false when it has ended.
func (b *Board) Meeting(id MeetingID) (*MeetingView, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.meetings[id]
	if m == nil {
		return nil, false
	}
	return b.view(m), true
}

// view is the meeting's view, made once for each version.
func (b *Board) view(m *meeting) *MeetingView {
	if m.view != nil {
		return m.view
	}
	v := &MeetingView{
		ID: m.id, Version: m.version, Name: m.name(), Started: m.started,
		Computed: m.computed, Shown: m.effective, Changed: m.changed,
		Unverified: m.unverified, UnverifiedSince: m.unverifiedSince,
		Override: m.override, Fallen: m.fallen,
		Calls: make([]CallView, 0, len(m.calls)),
	}
	b.holder(m, v)
	b.people(m, v)
	worst := -1
	for _, c := range m.calls {
		cv := CallView{
			Ref: c.ref, ID: c.id, Session: c.session.id, Bridge: b.bridgeName(c.session), Server: c.session.server,
			Wanted: c.wanted, Sent: c.sent, SentAt: c.sentAt, Confirmed: c.confirmed,
			State: c.state(), Failure: c.failure, Attempts: int(c.attempts), Since: c.stateSince,
			Incomplete: c.incomplete(),
		}
		v.Calls = append(v.Calls, cv)
		if r := leastFar(cv.State); r > worst {
			worst, v.State = r, cv.State
		}
		if cv.Failure != "" {
			v.Failure = cv.Failure
		}
		if v.Wanted.Kind < cv.Wanted.Kind {
			v.Wanted = cv.Wanted
		}
	}
	m.view = v
	return v
}

// leastFar orders states for the summary of a meeting: failed before all, then
// the least far.
func leastFar(s MarkingState) int {
	return [...]int{StateIdle: 0, StateConfirmed: 1, StateSent: 2, StateSending: 3, StateWanted: 4, StateFailed: 5}[s]
}

// holder finds the leg that holds the level up: of several the one that counted
// first.
func (b *Board) holder(m *meeting, v *MeetingView) {
	if b.full != "" {
		v.Holder = Holder{Evidence: Evidence{Level: Level3, Rule: RuleBound, Detail: b.full}}
		return
	}
	var first *leg
	for _, c := range m.calls {
		for _, why := range []string{c.overflow, c.session.overflow} {
			if why != "" {
				v.Holder = Holder{Evidence: Evidence{Level: Level3, Rule: RuleBound, Detail: why}}
				return
			}
		}
		for _, l := range c.legs {
			if l.counted != m.computed || l.counted == LevelNone {
				continue
			}
			if first == nil || l.joined < first.joined || l.joined == first.joined && l.id < first.id {
				first = l
			}
		}
	}
	if first != nil {
		v.Holder = Holder{Leg: first.id, Name: first.name, Evidence: b.evidence(first)}
		return
	}
	for _, p := range m.strangers() {
		if p.evidence.Level == m.computed {
			v.Holder = Holder{Name: p.name, Evidence: p.evidence}
			return
		}
	}
}

// groupLevel is one leg of a group.
type groupLevel struct {
	group string
	level Level
}

// people counts a meeting's participants: legs of one group are one, as
// untrusted as the least trusted of them.
func (b *Board) people(m *meeting, v *MeetingView) {
	groups := b.groups[:0]
	for _, c := range m.calls {
		for _, l := range c.legs {
			if host := l.finding.host; l.counted != LevelNone && host != "" && len(v.Domains) < maxDomains {
				if at, found := slices.BinarySearch(v.Domains, host); !found {
					v.Domains = slices.Insert(v.Domains, at, host)
				}
			}
			switch {
			case l.counted == LevelNone && (l.isRecorder() || l.isLink()):
				v.Others++
			case l.counted == LevelNone:
				v.Waiting++
			case l.group == "":
				v.People[l.counted]++
			default:
				groups = append(groups, groupLevel{l.group, l.counted})
			}
		}
	}
	slices.SortFunc(groups, func(x, y groupLevel) int { return cmp.Or(cmp.Compare(x.group, y.group), cmp.Compare(x.level, y.level)) })
	for i, g := range groups {
		if i+1 == len(groups) || groups[i+1].group != g.group { // the last of a group is its least trusted
			v.People[g.level]++
		}
	}
	clear(groups)
	b.groups = groups
	for _, p := range m.strangers() {
		v.People[p.evidence.Level]++
	}
}

// evidence is why a leg has its level.
func (b *Board) evidence(l *leg) Evidence {
	e := l.finding.evidence(l.address)
	if l.counted == Level3 && l.isLink() && l.kind&(kindLink|kindUnwatched) != 0 {
		return Evidence{Level: Level3, Rule: RuleUnwatchedLink, Address: e.Address, Host: e.Host,
			Detail: "a link to a Call Bridge that is not watched: nobody knows who is behind it"}
	}
	return e
}

// Legs returns the legs of a meeting: those that count before the others, then
// the least trusted first, then by name and id.
func (b *Board) Legs(id MeetingID) []LegView {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.meetings[id]
	if m == nil {
		return nil
	}
	var legs []LegView
	for _, c := range m.calls {
		for _, l := range c.legs {
			e := b.evidence(l)
			legs = append(legs, LegView{
				ID: l.id, Name: l.name, Address: e.Address, Domain: e.Host, Level: e.Level, Evidence: e,
				Type: l.typeName(), Presence: l.presence(), Media: l.media, Counts: l.counted != LevelNone, Joined: cmp.Or(l.joined, l.met).time(),
				Group: l.group, Call: c.id, Bridge: b.bridgeName(c.session),
			})
		}
	}
	for c, p := range m.strangers() {
		legs = append(legs, LegView{
			ID: p.id, Name: p.name, Address: p.evidence.Address, Domain: p.evidence.Host,
			Level: p.evidence.Level, Evidence: p.evidence, Type: "elsewhere", Presence: InMeeting, Counts: true,
			Joined: m.started, Call: c.id, Bridge: b.bridgeCalled(p.bridge),
		})
	}
	slices.SortFunc(legs, func(x, y LegView) int {
		switch {
		case x.Counts != y.Counts:
			if x.Counts {
				return -1
			}
			return 1
		case x.Level != y.Level:
			return int(y.Level) - int(x.Level)
		case x.Name != y.Name:
			return cmp.Compare(x.Name, y.Name)
		}
		return cmp.Compare(x.ID, y.ID)
	})
	return legs
}

// bridgeCalled is how people call the Call Bridge with a GUID.
func (b *Board) bridgeCalled(guid string) string {
	for _, st := range b.servers {
		if st.Name != "" && strings.EqualFold(st.CallBridge, guid) {
			return st.Name
		}
	}
	return guid
}

// bridgeName is how people call a session's Call Bridge.
func (b *Board) bridgeName(s *session) string {
	if s.server != "" {
		if st, ok := b.servers[s.server]; ok && st.Name != "" {
			return st.Name
		}
	}
	return s.label()
}

// writtenOn is how people call the Call Bridge whose server took a marking.
func (b *Board) writtenOn(server string, s *session) string {
	if st, ok := b.servers[server]; ok && st.Name != "" {
		return st.Name
	}
	return cmp.Or(Clean(server, maxID), b.bridgeName(s))
}

// followed adds to a view how its server is followed by the API.
func (b *Board) followed(v *BridgeView, s *session) {
	v.Next = NoIndex
	if s != nil {
		v.Unread = len(s.wants.calls) + len(s.wants.legs)
	}
	f := b.follows[v.Server]
	if f == nil {
		return
	}
	v.Silent, v.SilentRemedy, v.SilentSince = f.silent, f.remedy, f.since
	v.Polled, v.Next, v.Read, v.Clock = f.polled, f.next, f.listed, f.offset
	if v.Unverified == "" && (s == nil && f.listed.IsZero() || s != nil && s.api && s.synced == NoIndex) {
		v.Unverified, v.UnverifiedSince = "its running calls are not read yet", f.started
	}
	if v.Unverified != "" && f.problem != "" {
		v.Unverified += "; its running calls could not be read: " + f.problem
	}
}

// bridges lists the Call Bridges: every session, with its server if that is
// known, and every server that no session is bound to.
func (b *Board) bridges() []BridgeView {
	views := make([]BridgeView, 0, len(b.sessions)+len(b.servers))
	bound := map[string]bool{}
	for _, s := range b.sessions {
		if s.api && b.sessionOn(s.server) != nil {
			continue // they are one, as the next poll will tell
		}
		v := BridgeView{
			Key: "session/" + s.id, Name: b.bridgeName(s), CallBridge: s.bridge, Session: s.id,
			Address: s.address, Server: s.server, Sureness: s.sureness,
			Records: s.records, Duplicates: s.duplicates, LastRecord: s.last, LastIndex: s.lastIndex,
			Calls: s.live, Legs: s.inCalls, Unverified: s.gapWhy, UnverifiedSince: s.gapSince,
		}
		if s.overflow != "" {
			v.Unverified = s.overflow
		}
		if s.server != "" {
			v.Bound = b.servers[s.server]
			bound[s.server] = true
		}
		if s.api {
			v.Key, v.Session, v.LastRecord = "server/"+s.server, "", time.Time{}
		}
		b.followed(&v, s)
		views = append(views, v)
	}
	for name, st := range b.servers {
		if !bound[name] {
			v := BridgeView{
				Key: "server/" + name, Name: cmp.Or(st.Name, name), CallBridge: st.CallBridge,
				Server: name, Bound: st, LastIndex: NoIndex,
			}
			b.followed(&v, nil)
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(x, y BridgeView) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Key, y.Key))
	})
	return views
}
