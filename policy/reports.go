package policy

import (
	"slices"
	"strings"
	"time"
)

// ReportServer takes how an API server is. The journal has each change of state.
func (b *Board) ReportServer(now time.Time, s ServerStatus) {
	s.Problem, s.Remedy = Clean(s.Problem, maxProblem), Clean(s.Remedy, maxProblem)
	s.Name, s.CallBridge, s.Version = Clean(s.Name, maxID), Clean(s.CallBridge, maxID), Clean(s.Version, maxID)
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.servers[s.Server]
	b.servers[s.Server] = s
	if before.State != s.State || before.Problem != s.Problem {
		weight := Warning
		if s.State == ServerUp {
			weight = Info
		}
		b.note(now, Entry{Kind: EntryServer, Weight: weight, Name: s.Server, Bridge: s.Name, Text: joinText(s.State.String(), s.Problem)})
	}
	if s.CallBridge != before.CallBridge {
		b.identified(now, s.Server, s.CallBridge)
	}
	if s.CallBridge != before.CallBridge || s.Identified != before.Identified {
		b.judgeAll(now)
		b.settle(now)
	}
	if before.Name != s.Name {
		for _, m := range b.meetings { // their views name the Call Bridge
			m.view = nil
			b.changed(m)
		}
	}
	if before.withoutCounters() != s.withoutCounters() {
		b.bump()
	}
}

func joinText(state, problem string) string {
	if problem == "" {
		return state
	}
	return state + ": " + problem
}

// ReportReceiver takes how the receiver is.
func (b *Board) ReportReceiver(s ReceiverStatus) {
	s.LastCause = Clean(s.LastCause, maxProblem)
	b.mu.Lock()
	defer b.mu.Unlock()
	if s != b.receiver {
		b.receiver = s
		b.bump()
	}
}

// alarms keeps what somebody must do something about, oldest first.
type alarms struct {
	max   int
	all   []Alarm
	given []Alarm // the copy that readers hold, until the next change
}

func (a *alarms) list() []Alarm {
	if a.given == nil && len(a.all) > 0 {
		a.given = slices.Clone(a.all)
	}
	return a.given
}

func (a *alarms) find(key string) int {
	return slices.IndexFunc(a.all, func(x Alarm) bool { return x.Key == key })
}

// dispensable is the place of the alarm that makes room for another: the oldest
// of the kind, by what stands before the slash in its key, that has most. So who
// can cause many of one kind does not hide those of another.
func (a *alarms) dispensable() int {
	kind := func(x Alarm) string { kind, _, _ := strings.Cut(x.Key, "/"); return kind }
	count, most := map[string]int{}, 0
	for _, x := range a.all {
		count[kind(x)]++
		most = max(most, count[kind(x)])
	}
	return slices.IndexFunc(a.all, func(x Alarm) bool { return count[kind(x)] == most })
}

// Raise sets an alarm, or counts one that is set already.
func (b *Board) Raise(now time.Time, a Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.raise(now, a)
}

func (b *Board) raise(now time.Time, a Alarm) {
	a.Key, a.Text, a.Remedy = Clean(a.Key, maxProblem), Clean(a.Text, maxProblem), Clean(a.Remedy, maxProblem)
	b.alarms.given = nil
	b.bump()
	if i := b.alarms.find(a.Key); i >= 0 {
		old := &b.alarms.all[i]
		old.Count++
		old.Text, old.Remedy = a.Text, a.Remedy
		return
	}
	a.Since, a.Count = now, 1
	if len(b.alarms.all) >= b.alarms.max {
		at := b.alarms.dispensable()
		b.alarms.all = slices.Delete(b.alarms.all, at, at+1)
	}
	b.alarms.all = append(b.alarms.all, a)
	b.note(now, Entry{Kind: EntryAlarm, Weight: Warning, Name: a.Key, Text: a.Text + ": " + a.Remedy})
}

// Lower ends an alarm, if it is set: what it told of is over.
func (b *Board) Lower(now time.Time, key string) { b.endAlarm(now, key, "") }

// Dismiss ends an alarm by an operator's hand. It comes back if its cause does.
func (b *Board) Dismiss(now time.Time, key, who string) { b.endAlarm(now, key, who) }

func (b *Board) endAlarm(now time.Time, key, who string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endAlarmLocked(now, key, who)
}

// lower is Lower with the lock held.
func (b *Board) lower(now time.Time, key string) { b.endAlarmLocked(now, key, "") }

func (b *Board) endAlarmLocked(now time.Time, key, who string) {
	i := b.alarms.find(Clean(key, maxProblem))
	if i < 0 {
		return
	}
	a := b.alarms.all[i]
	b.alarms.all = slices.Delete(b.alarms.all, i, i+1)
	b.alarms.given = nil
	b.note(now, Entry{Kind: EntryAlarmOver, Name: a.Key, Text: a.Text, Who: Clean(who, maxName)})
	b.bump()
}

// journal keeps the latest entries in a ring.
type journal struct {
	max  int
	ring []Entry
	last uint64 // sequence number of the newest
}

func (j *journal) add(e Entry) {
	j.last++
	e.Seq = j.last
	if len(j.ring) < j.max {
		j.ring = append(j.ring, e)
		return
	}
	j.ring[(e.Seq-1)%uint64(j.max)] = e
}

// note enters an entry in the journal.
func (b *Board) note(now time.Time, e Entry) {
	e.Time = now
	b.journal.add(e)
}

// about names a meeting in an entry.
func (b *Board) about(m *meeting, e Entry) Entry {
	if m != nil {
		e.Meeting, e.Name = m.id, m.name()
	}
	return e
}

// noteLeg enters what became of a leg.
func (b *Board) noteLeg(now time.Time, l *leg, kind EntryKind, before, level Level, why string) {
	ev := b.evidence(l)
	text := why
	if kind == EntryLeft {
		level = before
	} else {
		text = ev.String()
	}
	b.note(now, b.about(l.call.meeting, Entry{Kind: kind, Call: l.call.id, Bridge: b.bridgeName(l.call.session), Leg: l.id,
		Person: l.name, Address: ev.Address, Domain: ev.Host, Level: level, Before: before, Text: text}))
}

// Journal returns entries after a sequence number, oldest first, at most max,
// and how many between are lost because the journal is bounded.
func (b *Board) Journal(after uint64, max int) (entries []Entry, lost uint64) {
	return b.AppendJournal(nil, after, max)
}

// AppendJournal is Journal into a slice that the caller uses again.
func (b *Board) AppendJournal(dst []Entry, after uint64, max int) (entries []Entry, lost uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := &b.journal
	oldest := j.last - uint64(len(j.ring)) + 1
	if after+1 < oldest {
		lost = oldest - after - 1
		after = oldest - 1
	}
	n := min(int(j.last-min(after, j.last)), max)
	if n <= 0 {
		return dst, lost
	}
	dst = slices.Grow(dst, n)
	for seq := after + 1; seq <= after+uint64(n); seq++ {
		dst = append(dst, j.ring[(seq-1)%uint64(j.max)])
	}
	return dst, lost
}
