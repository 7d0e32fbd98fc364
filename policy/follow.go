package policy

import (
	"fmt"
	"time"
)

const (
	// maxSkew is how far a Call Bridge's clock may be from ours before somebody
	// should know.
	maxSkew = 30 * time.Second
	// healIn is for how long records that came out of order may still fill a gap
	// before the server is asked what they told.
	healIn = 250 * time.Millisecond
)

// follow is how the board follows a server by its API.
type follow struct {
	server string
	wake   chan struct{} // holds a token when there is something to read
	epoch  uint64        // moves when all that ran there has ended

	started time.Time // when it was begun to be followed
	due     string    // why its lists are to be read; empty: they are not
	dueAt   time.Time // not before
	wanted  time.Time // when they were last found to be due, whether they were already or not
	listed  time.Time // when they were last read in full
	known   bool      // all that ran there was read once

	problem string // why they could not be read at the last try; empty: they could

	// Of its status.
	polled  time.Time // zero: not yet, or its Call Bridge has restarted since
	asked   time.Time // when the last status was asked for
	began   time.Time // when the last regular one was
	before  int64     // its index, or NoIndex
	next    int64     // cdrCorrelatorIndex, or NoIndex
	base    int64     // that of the first status
	uptime  time.Duration
	suspect bool // it seems to have restarted
	skewed  bool
	offset  time.Duration // of its clock from ours, as last compared
	heard   *session      // its session at the last regular status
	high    int64         // that session's highest index then

	silent string // why its records do not come; empty: they do
	remedy string
	since  time.Time // of silent
}

// Poll is what a server's status tells (GET /system/status).
type Poll struct {
	Began  time.Time     // our clock: when it was asked for
	Extra  bool          // right before a round, and too soon after another to tell what is missing
	Next   int64         // cdrCorrelatorIndex: that of the next record; NoIndex when not told
	Uptime time.Duration // whole seconds; negative when not told
	Clock  time.Time     // cdrTime; zero when not told
}

// Follow begins to follow a server by its API. The channel holds a value when
// there may be something to read from it. Before the first Follow the board
// asks for nothing.
func (b *Board) Follow(now time.Time, server string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		f = &follow{server: server, wake: make(chan struct{}, 1), next: NoIndex, base: NoIndex, before: NoIndex, due: "callmark has started", started: now}
		b.follows[server] = f
		b.bump()
	}
	return f.wake
}

func (f *follow) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// wakeReads wakes who reads from the server that a session is on.
func (b *Board) wakeReads(s *session) {
	if f := b.follows[s.server]; f != nil {
		f.poke()
	}
}

// wantLists notes that a server's lists are to be read. Of a session whose
// server is not known, all servers are asked that have no session of their own.
func (b *Board) wantLists(now time.Time, s *session, why string) {
	for _, f := range b.follows {
		if s.server == f.server || s.server == "" && b.sessionOn(f.server) == nil {
			f.want(now, why)
		}
	}
}

func (f *follow) want(now time.Time, why string) {
	f.wanted = now
	if f.due == "" {
		f.due, f.dueAt = why, now.Add(healIn)
	}
	f.poke()
}

// Reconcile notes that a server's lists are to be read because it is time again,
// unless what the last reading made necessary is not over yet.
func (b *Board) Reconcile(now time.Time, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if s := b.home(server); f != nil && (s == nil || !s.round.open) {
		f.want(now, "reconciliation")
	}
}

// WantLists notes that a server's lists are to be read, for a reason that the
// board does not know of: an outage is over, an operator asks.
func (b *Board) WantLists(now time.Time, server, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.follows[server]; f != nil {
		f.want(now, why)
		f.dueAt = now
	}
}

// NotListed notes that a server's lists could not be read, and that they are to
// be read all the same. The journal has each new problem once; an empty one is
// none, and they are only late.
func (b *Board) NotListed(now time.Time, server, why, problem string) {
	problem = Clean(problem, maxProblem)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		return
	}
	f.want(now, why)
	if problem != "" && f.problem != problem {
		f.problem = problem
		b.note(now, Entry{Kind: EntryServer, Weight: Warning, Name: server, Text: "its running calls could not be read: " + problem})
		b.bump()
	}
}

// ListsDue says why a server's lists are to be read now, or "" and in how long
// to ask again; negative: when woken.
func (b *Board) ListsDue(now time.Time, server string) (why string, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	switch {
	case f == nil || f.due == "":
		return "", -1
	case now.Before(f.dueAt):
		return "", f.dueAt.Sub(now)
	}
	return f.due, 0
}

// asOf is the index as of which an answer that is asked for now holds at the
// least: the API shows a change before its record goes out. A status that was
// asked for before the session was heard of may be of the run before.
func (b *Board) asOf(s *session) int64 {
	if f := b.follows[s.server]; f != nil && f.next != NoIndex && s.sureness == Proven && (s.api || s.first.Before(f.asked)) {
		return f.next
	}
	return s.seen.high() + 1
}

// latest is the highest index of which a session is known to have got that far.
func (b *Board) latest(s *session) int64 { return max(b.asOf(s), s.seen.high()+1) }

// Polled takes what a server's status told. Two in a row that agree find out
// that records are missing, that none come at all, or that the Call Bridge has
// restarted: one alone may be told while records are under way.
func (b *Board) Polled(now time.Time, server string, p Poll) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil {
		return
	}
	noted := b.journal.last
	b.skew(now, f, p)
	if !f.polled.IsZero() && (p.Next != NoIndex && f.next != NoIndex && p.Next < f.next || p.Uptime >= 0 && p.Uptime < f.uptime) {
		b.restartSeen(now, f, p)
		if f.suspect { // at the first time; what it said before stays for the second
			b.settle(now)
			return
		}
	}
	first := f.polled.IsZero()
	paused := f.paused(p)
	f.suspect = false
	f.polled, f.asked, f.next, f.uptime = now, p.Began, p.Next, p.Uptime
	if first {
		f.base = p.Next
	}
	if a, s := b.opened(server), b.sessionOn(server); a != nil && s != nil && !first && !paused && s.first.Before(p.Began) {
		b.adopt(now, s, a) // it has not restarted between the two
	}
	if s := b.home(server); s != nil && paused {
		// Its host may only have slept, so that nothing is over: the lists will tell.
		s.force(b.latest(s), "its Call Bridge may have restarted: it has run for less time than has passed")
		b.checkGap(now, s)
	}
	if s := b.home(server); s != nil && !p.Extra {
		b.compare(now, f, s, p)
	}
	if !p.Extra {
		f.before, f.began = p.Next, p.Began
		if f.heard = b.home(server); f.heard != nil {
			f.high = f.heard.seen.high()
		}
	}
	b.askAway(b.home(server))
	if first || b.journal.last != noted {
		b.bump()
	}
	b.settle(now)
}

// paused reports whether a Call Bridge's uptime has grown by clearly less than the
// time that passed since the status before: so it has, too, when it restarted and
// has run for longer, and sent more records, than it had before.
func (f *follow) paused(p Poll) bool {
	return !f.polled.IsZero() && p.Uptime >= 0 && f.uptime >= 0 && p.Began.Sub(f.asked)-(p.Uptime-f.uptime) > maxSkew
}

// restartSeen is for a status that lies before an earlier one.
func (b *Board) restartSeen(now time.Time, f *follow, p Poll) {
	s := b.home(f.server)
	if !f.suspect {
		f.suspect = true
		if s != nil {
			s.force(b.latest(s), "its Call Bridge seems to have restarted")
			b.checkGap(now, s)
		}
		return
	}
	f.suspect = false
	old := f.polled
	for _, s := range b.sessions {
		switch {
		case s.server != f.server || s.sureness != Proven:
		case s.api || s.first.Before(old):
			b.endSession(now, s, "its Call Bridge has restarted, says its status")
		case p.Next != NoIndex && s.last.Before(p.Began):
			// It was heard first since its status was right: it is the new one. What
			// the API told of the old one may have got into it.
			b.distrust(now, s, p.Next, "its Call Bridge has restarted")
		}
	}
	f.restart(now, "its Call Bridge has restarted")
}

// distrust takes their weight from facts that claim an index which a session has
// not reached, so that what is read, and later records, win over them.
func (b *Board) distrust(now time.Time, s *session, limit int64, why string) {
	within := func(at *int64) {
		if *at >= limit {
			*at = limit - 1
		}
	}
	unread := func(at *int64) {
		if *at > limit {
			*at = NoIndex
		}
	}
	for _, c := range s.calls {
		alive := c.alive()
		for _, at := range []*int64{&c.nameAt, &c.bornAt, &c.startAt, &c.endAt} {
			within(at)
		}
		if alive { // it stays what it is, though the order of its start and end is lost
			c.endAt = NoIndex
		} else {
			c.endAt = max(c.endAt, c.startAt, 0)
		}
		unread(&c.readAt)
		c.least = NoIndex
		b.touch(c.meeting)
	}
	for _, l := range s.legs {
		if l.ended { // by whom is not known: who is still shown is asked about at once
			l.met = 0
			continue
		}
		for _, at := range []*int64{&l.bornAt, &l.newest, &l.nameAt, &l.addressAt, &l.groupAt, &l.targetAt, &l.lobbyAt} {
			within(at)
		}
		unread(&l.readAt)
		unread(&l.listedAt)
	}
	s.synced = min(s.synced, limit-1)
	s.forcedAt = min(s.forcedAt, limit)
	s.round.open = false
	s.force(limit, why)
	b.checkGap(now, s)
	b.wantLists(now, s, why)
}

// restart forgets what a run of its Call Bridge has told.
func (f *follow) restart(now time.Time, why string) {
	f.epoch++
	f.polled, f.next, f.base, f.before, f.suspect = time.Time{}, NoIndex, NoIndex, NoIndex, false
	f.want(now, why)
}

// outlive forgets what may be of a run that is over, where the one since has been
// heard of before the last status was asked for.
func (f *follow) outlive(now, heard time.Time, why string) {
	f.epoch++
	if !heard.Before(f.began) {
		f.before = NoIndex
	}
	f.want(now, why)
}

// compare looks whether the records have come that a status tells of.
func (b *Board) compare(now time.Time, f *follow, s *session, p Poll) {
	high := s.seen.high()
	if p.Next == NoIndex || f.before == NoIndex {
		return
	}
	// Of indexes that it had not reached when it was asked none can be its own:
	// those that were there before the last status, or when nothing has come since.
	if high >= p.Next && (s.last.Before(p.Began) || f.heard == s && f.high >= p.Next) {
		if s.seen.cut(p.Next) {
			b.distrust(now, s, p.Next, "records came that its Call Bridge did not send")
			b.raise(now, Alarm{Key: "index/" + s.label(), Text: fmt.Sprintf("records in the name of %s have indexes that it has not reached", s.label()),
				Remedy: "somebody else sends records: close the receiver to others"})
		}
		high = s.seen.high()
	}
	if top := max(p.Next, high+1); s.forcedAt > top && s.last.Before(p.Began) {
		s.forcedAt = top // it is from a run before: no reading would ever reach it
	}
	// What the earlier status told of has had time to come.
	missing := high+1 < f.before
	if s.api {
		missing = f.before > f.base
	}
	quiet := s.api || s.last.Before(f.began)
	switch {
	case missing && quiet && f.silent == "":
		f.silent, f.since = "its records do not come", now
		b.note(now, Entry{Kind: EntryServer, Weight: Warning, Name: f.server, Bridge: b.bridgeName(s), Text: f.silent + ": it is followed by the API alone"})
	case !missing && f.silent != "":
		f.silent, f.remedy = "", ""
		b.note(now, Entry{Kind: EntryServer, Name: f.server, Bridge: b.bridgeName(s), Text: "its records come again"})
		b.lower(now, "records/"+f.server)
	}
	switch {
	case f.silent != "" && p.Next > max(s.synced, high+1):
		s.force(p.Next, f.silent)
	case missing && !s.api && f.before > s.synced:
		s.force(f.before, fmt.Sprintf("records %d to %d have not come", high+1, f.before-1))
	}
	b.checkGap(now, s)
}

// Silent reports whether a server's records do not come, for somebody to find
// out why: Explained takes the answer.
func (b *Board) Silent(server string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	return f != nil && f.silent != ""
}

// Explained says why a server's records do not come, and what to do.
func (b *Board) Explained(now time.Time, server, cause, remedy string) {
	cause, remedy = Clean(cause, maxProblem), Clean(remedy, maxProblem)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.follows[server]
	if f == nil || f.silent == "" || cause == "" {
		return
	}
	f.silent, f.remedy = "its records do not come: "+cause, remedy
	b.raise(now, Alarm{Key: "records/" + server, Text: fmt.Sprintf("no records come from %s: %s", server, cause), Remedy: remedy})
}

// skew compares the clocks.
func (b *Board) skew(now time.Time, f *follow, p Poll) {
	if p.Clock.IsZero() {
		return
	}
	key := "clock/" + f.server
	off := p.Clock.Sub(p.Began.Add(now.Sub(p.Began) / 2)).Round(time.Second)
	f.offset = off
	if off.Abs() <= maxSkew {
		if f.skewed {
			f.skewed = false
			b.lower(now, key)
		}
		return
	}
	if f.skewed {
		return
	}
	f.skewed = true
	side := "ahead of"
	if off < 0 {
		side = "behind"
	}
	b.raise(now, Alarm{Key: key, Text: fmt.Sprintf("the clock of %s is %s %s ours", f.server, off.Abs(), side), Remedy: "set NTP on both"})
}

// progressed notes that a server has told something of a session.
func (b *Board) progressed(now time.Time, s *session) {
	if s != nil {
		s.progress = now
	}
}
