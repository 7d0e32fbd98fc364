package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// apiWorld is a world that is read by the API while its records are under way.
// Every read is of the truth at the moment; what is done with it comes later.
type apiWorld struct {
	world
	b     *Board
	page  int  // elements that a server puts on a page
	lags  bool // a status counts what was posted, not what was written
	booth map[*trueBridge]*booth

	asked []*asking
	left  map[string]string // legs whose end was applied, and in which session
	*apiVacuity
}

// booth is what the world keeps of a Call Bridge and its server.
type booth struct {
	starts   int // of which run the rest is
	boot     time.Time
	records  []*trueRecord // of this run, by index
	legs     map[string]*legTrail
	mute     bool // its records do not reach us
	reported bool // it has told its GUID
	reading  *reading
}

// trueRecord is a record that a Call Bridge has made.
type trueRecord struct {
	applied bool
	polls   int // regular ones that told of it
}

// legTrail is all records of a leg, and the one that put it where it is.
type legTrail struct {
	all    []*trueRecord
	placed *trueRecord
}

// reading is a round that is under way.
type reading struct {
	r      Round
	starts int
	legsIn bool // the calls are read
	offset int
	named  map[string]bool
	calls  []ListedCall
	legs   []ListedLeg
}

// asking is a question that is under way, and its answer once it is.
type asking struct {
	b      *trueBridge
	q      Question
	answer func()
}

// apiVacuity counts what the test has met.
type apiVacuity struct {
	verified, unverified, excused, alike      int
	rounds, straddled, missed, aborted        int
	questions, gone, stale, unanswered, polls int
	silent, mute, haunted, restarts, shakes   int
	aside                                     int
	longest                                   int // questions at the end of one history
}

func newAPIWorld(t *rapid.T, seen *apiVacuity) *apiWorld {
	rules, err := NewRules([]string{"secure.example"}, []string{"corp.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := &apiWorld{
		world: world{t: t, now: t0, loses: rapid.Bool().Draw(t, "loses")},
		b:     NewBoard(Options{Rules: rules, BoundSenders: rapid.Bool().Draw(t, "bound senders")}), apiVacuity: seen,
		page: rapid.IntRange(1, 4).Draw(t, "page"), lags: rapid.Bool().Draw(t, "lags"),
		booth: map[*trueBridge]*booth{}, left: map[string]string{},
	}
	w.made = w.record
	w.b.SetHosts(t0, []string{"cms1.example"}, []string{"cms9.example"})
	untold := w.chance("no GUID in records", 30)
	for i, guid := range []string{"A", "B", ""} {
		b := &trueBridge{src: Source{CallBridge: guid, Address: fmt.Sprintf("192.0.2.%d", i+1)}, server: fmt.Sprintf("cms%d.example", i+1)}
		if untold {
			b.src.CallBridge = ""
		}
		w.booth[b] = &booth{mute: w.chance("mute", 12)}
		w.restart(b)
		w.booth[b].boot = w.now
		w.bridges = append(w.bridges, b)
	}
	return w
}

// guid is what the server of a Call Bridge knows it by.
func (w *apiWorld) guid(b *trueBridge) string {
	return []string{"A", "B", ""}[slices.Index(w.bridges, b)]
}

// record notes that a record was made.
func (w *apiWorld) record(b *trueBridge, e Event) {
	o := w.run(b)
	w.t.Logf("%s writes %d: %s", b.src.Session, e.Index, brief(e))
	for int64(len(o.records)) < e.Index {
		o.records = append(o.records, &trueRecord{}) // discarded
	}
	r := &trueRecord{}
	o.records = append(o.records, r)
	if e.Leg.ID == "" {
		return
	}
	l := o.legs[e.Leg.ID]
	if l == nil {
		l = &legTrail{}
		o.legs[e.Leg.ID] = l
	}
	l.all = append(l.all, r)
	if e.Leg.Call != "" || e.Leg.IVR {
		l.placed = r
	}
}

// brief is a record in a few words.
func brief(e Event) string {
	what := []string{"nothing", "call starts", "call ends", "leg starts", "leg changes", "leg ends"}[e.Kind]
	l := e.Leg
	return fmt.Sprintf("%s %s%s %s in %q from %q, app %t, recorder %t, connected %t, IVR %t, lobby %d", what, e.Call.ID, l.ID,
		e.Call.Correlator, l.Call, cmp.Or(l.RemoteAddress, l.RemoteParty), l.Type == "acano", l.Recorder, l.Connected, l.IVR, l.Deactivated)
}

// run is what is kept of a Call Bridge, begun anew when it has restarted.
func (w *apiWorld) run(b *trueBridge) *booth {
	o := w.booth[b]
	if o.starts != b.starts {
		if o.starts > 0 {
			w.restarts++
		}
		o.starts, o.boot, o.records, o.legs = b.starts, w.now, nil, map[string]*legTrail{}
	}
	return o
}

// apply gives the board a document.
func (w *apiWorld) apply(l letter) {
	w.now = w.now.Add(300 * time.Millisecond)
	var indexes []int64
	for _, e := range l.events {
		indexes = append(indexes, e.Index)
	}
	done := w.b.Apply(w.now, l.src, l.events)
	w.t.Logf("%s %s delivers %d: %+v", l.src.Session, l.src.CallBridge, indexes, done)
	if done.Refused != "" { // each sends from one address
		w.t.Fatalf("%s is not believed: %s", l.src.Session, done.Refused)
	}
	for _, b := range w.bridges {
		if o := w.run(b); b.src.Session == l.src.Session {
			for _, e := range l.events {
				o.records[e.Index].applied = true
			}
		}
	}
	for _, e := range l.events {
		if e.Kind == LegEnded && done.Dropped == 0 { // else its session is over
			w.left[e.Leg.ID] = l.src.Session
		}
	}
	w.check()
}

// deliver takes a letter from among those that are under way, at times twice.
func (w *apiWorld) deliver() {
	i := min(rapid.IntRange(0, 4).Draw(w.t, "overtaken"), len(w.flight)-1)
	l := w.flight[i]
	w.flight = slices.Delete(w.flight, i, i+1)
	for _, b := range w.bridges {
		if b.server == l.server && w.booth[b].mute {
			w.mute++
			return
		}
	}
	if w.loses && w.chance("unreadable", 4) {
		w.setAside(l.src)
		return
	}
	if w.chance("shuffled", 20) {
		l.events = rapid.Permutation(l.events).Draw(w.t, "order")
	}
	w.apply(l)
	w.past = append(w.past, l)
	if w.chance("again", 10) {
		w.apply(rapid.SampledFrom(w.past).Draw(w.t, "which"))
	}
}

// setAside has a document be unreadable: its records are lost, and what the board
// is told of whose it was is more or less.
func (w *apiWorld) setAside(src Source) {
	w.aside++
	if w.chance("no session made out", 50) {
		src.Session = ""
	}
	if w.chance("no Call Bridge made out", 50) {
		src.CallBridge = ""
	}
	if w.chance("another interface", 50) {
		src.Address = "203.0.113.9"
	}
	w.t.Logf("a document of %+v is set aside", src)
	w.b.SetAside(w.now, src, "no XML")
	w.check()
}

// byAge sorts ids in the order in which they were given.
func byAge[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(x, y string) int {
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
}

func (w *apiWorld) poll(b *trueBridge, extra bool) {
	o := w.run(b)
	p := Poll{Began: w.now, Extra: extra, Next: b.index, Uptime: w.now.Sub(o.boot).Truncate(time.Second), Clock: w.now}
	if w.lags && len(b.out) > 0 {
		p.Next = b.out[0].Index
	}
	w.now = w.now.Add(10 * time.Millisecond)
	w.t.Logf("%s polled: next %d, uptime %s, extra %t", b.server, p.Next, p.Uptime, extra)
	w.b.Polled(w.now, b.server, p)
	w.polls++
	// A poll tells what is missing of a run that is known to be this server's. Of
	// a session that is not, lists are to be read, which will tell whose it is.
	w.b.mu.Lock()
	f, s := w.b.follows[b.server], w.b.home(b.server)
	tells := !extra && !f.suspect && s != nil && (s.id == b.src.Session || s.api && w.b.sessions[b.src.Session] == nil)
	w.b.mu.Unlock()
	if f.silent != "" {
		w.silent++
	}
	for i, r := range o.records {
		if tells && int64(i) < p.Next {
			r.polls++
		}
	}
	w.check()
}

// begin begins a round, as the synchroniser does.
func (w *apiWorld) begin(b *trueBridge) {
	w.poll(b, true)
	if r, ok := w.b.BeginRound(w.now, b.server); ok {
		w.booth[b].reading = &reading{r: r, starts: b.starts, named: map[string]bool{}}
	}
}

// turn reads the next page of a round, and hands it over after the last.
func (w *apiWorld) turn(b *trueBridge) {
	n := w.booth[b].reading
	w.now = w.now.Add(20 * time.Millisecond)
	ids := byAge(b.calls)
	if n.legsIn {
		ids = byAge(b.legs)
	}
	calls, legs := len(n.calls), len(n.legs)
	on := ids[min(n.offset, len(ids)):min(n.offset+w.page, len(ids))]
	for _, id := range on {
		switch {
		case n.named[id]:
		case n.legsIn:
			n.legs = append(n.legs, b.legs[id].listed())
		default:
			n.calls = append(n.calls, ListedCall{ID: id, Correlator: b.calls[id].correlator})
		}
		n.named[id] = true
	}
	n.offset += len(on)
	w.b.Paged(w.now, n.r, n.calls[calls:], n.legs[legs:])
	if len(on) > 0 && n.offset < len(ids) {
		return
	}
	if !n.legsIn {
		n.legsIn, n.offset = true, 0
		return
	}
	w.booth[b].reading = nil
	w.rounds++
	if n.starts != b.starts {
		w.straddled++
	}
	for id := range b.legs {
		if !n.named[id] {
			w.missed++
		}
	}
	w.t.Logf("%s listed as of %d: %s", b.server, n.r.asOf, slices.Sorted(maps.Keys(n.named)))
	if !w.b.Listed(w.now, n.r, n.calls, n.legs) {
		w.t.Logf("refused")
		w.b.WantLists(w.now, b.server, "its Call Bridge has restarted meanwhile")
	}
	w.check()
}

// abort has a round fail.
func (w *apiWorld) abort(b *trueBridge) {
	w.booth[b].reading = nil
	w.aborted++
	w.b.WantLists(w.now, b.server, "its lists could not be read")
}

// take takes questions.
func (w *apiWorld) take(b *trueBridge, n int) int {
	questions := w.b.Questions(w.now, b.server, n)
	for _, q := range questions {
		w.asked = append(w.asked, &asking{b: b, q: q})
	}
	w.questions += len(questions)
	return len(questions)
}

// listed is what a list tells of a leg, and details all that the API does.
func (l *trueLeg) listed() ListedLeg {
	return ListedLeg{ID: l.id, RemoteAddress: l.address, Call: l.call}
}

func (l *trueLeg) details() LegFacts {
	f := l.listed().Facts()
	f.RemoteParty, f.Type, f.IVR, f.Deactivated = l.address, "sip", l.call == "", No
	f.Connected = l.connected && l.call != ""
	if l.lobby {
		f.Deactivated = Yes
	}
	if l.app {
		f.Type = "acano"
	}
	if l.link {
		f.SubType = "distributionLink"
	}
	return f
}

// people are those in a call's meeting, on all Call Bridges of the cluster.
func (w *apiWorld) people(at *trueBridge, c *trueCall) (all []PersonFacts, remote int) {
	for _, b := range w.bridges {
		for _, id := range byAge(b.legs) {
			l := b.legs[id]
			other := b.calls[l.call]
			if other == nil || !l.connected || l.lobby || l.noMan || l.link {
				continue
			}
			switch {
			case other == c:
				all = append(all, PersonFacts{URI: l.address, App: l.app})
			case b != at && c.correlator != "" && other.correlator == c.correlator && w.guid(b) != "" && w.guid(at) != "":
				remote++
				all = append(all, PersonFacts{URI: l.address, App: l.app, CallBridge: w.guid(b)})
			}
		}
	}
	return all, remote
}

// send has a question reach its server: the answer is the truth of this moment.
func (w *apiWorld) send(a *asking) {
	b, q := a.b, a.q
	w.t.Logf("%s is asked %d about %s", b.server, q.Kind, q.ID)
	call := b.calls[q.ID]
	var legs []ListedLeg
	for _, id := range byAge(b.legs) {
		if b.legs[id].call == q.ID {
			legs = append(legs, b.legs[id].listed())
		}
	}
	if call == nil && b.legs[q.ID] == nil {
		w.gone++
	}
	switch q.Kind {
	case AskLeg:
		var f LegFacts
		leg := b.legs[q.ID]
		if leg != nil {
			f = leg.details()
		}
		a.answer = func() {
			if leg != nil && w.left[q.ID] != "" {
				w.stale++
			}
			w.b.AnswerLeg(w.now, q, f, leg != nil)
		}
	case AskCall:
		r := CallReading{CallFacts: CallFacts{ID: q.ID}, Legs: int64(len(legs)), Remote: -1}
		if call != nil {
			r.Correlator = call.correlator
			if w.guid(b) != "" {
				_, n := w.people(b, call)
				r.Remote = int64(n)
			}
		}
		a.answer = func() { w.b.AnswerCall(w.now, q, r, call != nil) }
	case AskCallLegs:
		a.answer = func() { w.b.AnswerCallLegs(w.now, q, legs, call != nil) }
	case AskParticipants:
		var all []PersonFacts
		if call != nil {
			all, _ = w.people(b, call)
		}
		a.answer = func() { w.b.AnswerParticipants(w.now, q, all, call != nil) }
	}
}

// finish brings the answer of a question, or none.
func (w *apiWorld) finish(i int, fails bool) {
	a := w.asked[i]
	w.asked = slices.Delete(w.asked, i, i+1)
	w.now = w.now.Add(10 * time.Millisecond)
	if fails {
		w.unanswered++
		w.b.Unanswered(a.q)
	} else {
		if a.answer == nil {
			w.send(a)
		}
		w.t.Logf("%s answers %d about %s, needs %b, as of %d", a.b.server, a.q.Kind, a.q.ID, a.q.bits, a.q.asOf)
		a.answer()
	}
	w.check()
}

// read has something happen that has to do with the API.
func (w *apiWorld) read() {
	b := rapid.SampledFrom(w.bridges).Draw(w.t, "server")
	n := w.booth[b].reading
	what := hundred.Draw(w.t, "read")
	switch {
	case what < 10:
		w.poll(b, false)
	case what < 12 && !w.booth[b].reported:
		w.report(b)
	case what < 14 && n != nil:
		w.abort(b)
	case what < 40 && n != nil:
		w.turn(b)
	case what < 40:
		why, _ := w.b.ListsDue(w.now, b.server)
		if why == "" && what < 38 {
			return
		}
		w.begin(b)
	case what < 55:
		w.take(b, rapid.IntRange(1, 4).Draw(w.t, "batch"))
	case len(w.asked) == 0:
	default:
		i := rapid.IntRange(0, len(w.asked)-1).Draw(w.t, "which question")
		if a := w.asked[i]; what < 75 && a.answer == nil {
			w.send(a)
		} else {
			w.finish(i, what > 96)
		}
	}
}

// report has a server tell its GUID.
func (w *apiWorld) report(b *trueBridge) {
	w.booth[b].reported = true
	w.t.Logf("%s is %q", b.server, w.guid(b))
	w.b.ReportServer(w.now, ServerStatus{Server: b.server, State: ServerUp, Identified: true, CallBridge: w.guid(b)})
	w.check()
}

// place is where the board has a leg.
type place struct {
	meeting MeetingID
	call    string
	level   Level
}

// runs reports whether a leg is there, in truth.
func (w *apiWorld) runs(leg string) bool {
	return slices.ContainsFunc(w.bridges, func(b *trueBridge) bool { return b.legs[leg] != nil })
}

// places are all legs that are in meetings, on the board.
func (w *apiWorld) places() map[string]place {
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	all := map[string]place{}
	for _, s := range w.b.sessions {
		wanted := 0
		for _, c := range s.calls {
			if c.need&essential != 0 {
				wanted++
			}
			for _, l := range c.legs {
				if c.meeting == nil {
					continue
				}
				// Of a run that is over, what was read may be in the session of the next
				// when a late document tells of it again.
				if p, twice := all[l.id]; twice && w.runs(l.id) {
					w.t.Fatalf("leg %s is in meeting %s and in %s", l.id, p.meeting, c.meeting.id)
				}
				all[l.id] = place{c.meeting.id, c.id, l.counted}
			}
		}
		for _, l := range s.legs {
			if l.need&essential != 0 {
				wanted++
			}
		}
		if wanted != s.wants.essential || s.wants.asked < 0 {
			w.t.Fatalf("session %s: %d essential needs, counted as %d, %d asked", s.id, wanted, s.wants.essential, s.wants.asked)
		}
	}
	return all
}

// check is what holds at every moment.
func (w *apiWorld) check() {
	w.t.Helper()
	checkBoard(w.t, w.b)
	on := w.places()
	for id, session := range w.left {
		// What ended in a run is not known any more when the run is over. A list that
		// was begun before, of a server that it was not known to run on, may name it
		// once more; it makes nothing better, and the next list lacks it.
		w.b.mu.Lock()
		known := w.b.sessions[session] != nil
		w.b.mu.Unlock()
		if p, is := on[id]; is && known {
			w.t.Fatalf("leg %s has ended, and is in meeting %s", id, p.meeting)
		}
	}
	views := map[string]*MeetingView{} // by call
	for _, v := range w.b.Since(0).Meetings {
		for _, c := range v.Calls {
			views[c.ID] = v
		}
		if v.Unverified == "" {
			w.verified++
		} else {
			w.unverified++
		}
	}
	unbound := map[string]bool{} // sessions that no server is known for: no status tells what is missing of them
	for _, s := range w.b.Since(0).Bridges {
		unbound[s.Session] = s.Sureness != Proven
	}
	for _, b := range w.bridges {
		trails := w.run(b).legs
		for id, l := range b.legs {
			trail := trails[id]
			waits, fresh := false, false // some record has not come; one of these may be under way
			for _, r := range trail.all {
				waits = waits || !r.applied
				fresh = fresh || !r.applied && (r.polls < 2 || unbound[b.src.Session])
			}
			p, is := on[id]
			if l.call != "" && trail.placed.applied && p.call != l.call && !w.shaken(b) {
				w.t.Fatalf("leg %s is in call %s by a record that has come, and not on the board (%+v)", id, l.call, p)
			}
			if l.call != "" && !waits && p.level != l.level() && !w.shaken(b) {
				w.t.Fatalf("leg %s is at level %s by records that have come, and %s on the board", id, l.level(), p.level)
			}
			v := views[l.call]
			if l.call == "" || v == nil || v.Unverified != "" || v.Computed >= l.level() {
				continue
			}
			if fresh {
				w.excused++
				continue
			}
			w.t.Fatalf("meeting %s is verified at %s, and leg %s is in it at %s (on the board %t %+v, records wait %t)", v.ID, v.Computed, id, l.level(), is, p, waits)
		}
	}
}

// shaken reports whether a Call Bridge has restarted and its status has not told
// so twice, or what was read meanwhile is being read again: until then what was
// read has indexes of the run before, and outweighs the records of this one.
func (w *apiWorld) shaken(b *trueBridge) bool {
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	f, s := w.b.follows[b.server], w.b.sessions[b.src.Session]
	if f == nil {
		return false
	}
	shaken := f.suspect || f.next > b.index ||
		s != nil && s.gapAt > 0 && strings.Contains(s.forcedWhy, "restarted")
	if shaken {
		w.shakes++
	}
	return shaken
}

// converge ends all faults and looks whether the board finds the truth.
func (w *apiWorld) converge() {
	for _, b := range w.bridges {
		w.booth[b].reading = nil // given up
		if !w.booth[b].reported {
			w.report(b)
		}
		w.post(b)
	}
	for len(w.flight) > 0 {
		w.deliver()
	}
	for len(w.asked) > 0 {
		w.finish(0, w.chance("given up", 20))
	}
	left := 100 // rounds and questions
	for _, b := range w.bridges {
		left += 12 * (len(b.calls) + len(b.legs) + 1)
	}
	budget := left
	for cycle := range 4 {
		for range 2 {
			w.now = w.now.Add(5 * time.Second)
			for _, b := range w.bridges {
				w.poll(b, false)
			}
		}
		if cycle == 0 { // its turn would come
			for _, b := range w.bridges {
				w.b.WantLists(w.now, b.server, "reconciliation")
			}
		}
		for again := true; again; {
			again = false
			w.now = w.now.Add(time.Second)
			w.b.Tick(w.now)
			for _, b := range w.bridges {
				why, _ := w.b.ListsDue(w.now, b.server)
				if why != "" {
					w.begin(b)
					for w.booth[b].reading != nil {
						w.turn(b)
					}
					again, left = true, left-1
				}
				for w.take(b, 4) > 0 {
					for len(w.asked) > 0 {
						left--
						w.finish(len(w.asked)-1, false)
					}
					again = true
				}
				if left < 0 {
					w.t.Fatalf("questions and rounds do not end: %d were not enough", budget)
				}
			}
		}
	}
	w.longest = max(w.longest, budget-left)
	w.compare()
}

// compare compares the board with the truth, leg by leg.
func (w *apiWorld) compare() {
	on := w.places()
	calls, legs := 0, 0
	at := map[string]MeetingID{} // by call
	u := w.b.Since(0)
	// Of a session that no server is known for, since all that it told of was over
	// before callmark could learn whose it was, nobody can prove that it is over.
	lost := map[string]bool{}
	for _, s := range u.Bridges {
		lost[s.Session] = s.Sureness != Proven && s.CallBridge == ""
	}
	ghosts := map[MeetingID]bool{}
	for _, v := range u.Meetings {
		for _, c := range v.Calls {
			ghosts[v.ID] = ghosts[v.ID] || lost[c.Session]
		}
		if v.Unverified != "" && !ghosts[v.ID] {
			w.t.Fatalf("meeting %s is unverified at the end: %s", v.ID, v.Unverified)
		}
		for _, c := range v.Calls {
			if !lost[c.Session] {
				at[c.ID] = v.ID
			}
		}
	}
	for _, b := range w.bridges {
		calls += len(b.calls)
		for id, c := range b.calls {
			want := MeetingID(cmp.Or(c.correlator, "call:"+id))
			if at[id] != want {
				w.t.Fatalf("call %s is in meeting %q, not in %q", id, at[id], want)
			}
		}
		for id, l := range b.legs {
			p, is := on[id]
			if l.call == "" {
				if is {
					w.t.Fatalf("leg %s is in no call, and in %+v", id, p)
				}
				continue
			}
			legs++
			level := l.level()
			if l.noMan && p.level != LevelNone && l.connected && !l.lobby && !w.run(b).legs[id].all[0].applied {
				level = max(modelLevels[l.address], LevelNone) // only its start tells that it is no person
				if level == LevelNone {
					level = Level3
				}
			}
			if p.call != l.call || p.level != level {
				w.t.Fatalf("leg %s is in call %s at %s, on the board in %+v", id, l.call, level, p)
			}
		}
	}
	haunted := slices.Contains(slices.Collect(maps.Values(ghosts)), true)
	if haunted {
		w.haunted++
	}
	if len(at) != calls || len(on) != legs && !haunted {
		w.t.Fatalf("%d calls and %d legs on the board, in truth %d and %d", len(at), len(on), calls, legs)
	}
	worst := map[MeetingID]Level{}
	for _, p := range on {
		worst[p.meeting] = max(worst[p.meeting], p.level)
	}
	for _, v := range u.Meetings {
		if !ghosts[v.ID] && (v.Computed != worst[v.ID] || v.Shown != v.Computed) {
			w.t.Fatalf("meeting %s is at %s by its legs, computed %s, shown %s", v.ID, worst[v.ID], v.Computed, v.Shown)
		}
	}
	w.alike++
}

// live is one history, from before callmark starts to the end.
func (w *apiWorld) live() {
	for range rapid.IntRange(0, 40).Draw(w.t, "before") {
		w.step()
	}
	// What was posted before callmark started is gone, but for what is still under
	// way.
	w.flight = w.flight[len(w.flight)-min(len(w.flight), rapid.IntRange(0, 3).Draw(w.t, "still under way")):]
	for _, b := range w.bridges {
		w.run(b)
		w.b.Follow(w.now, b.server)
		if w.chance("reported", 50) {
			w.report(b)
		}
	}
	for range rapid.IntRange(10, 100).Draw(w.t, "steps") {
		w.step()
		for _, b := range w.bridges {
			w.run(b)
		}
		w.check()
		for len(w.flight) > 5 || len(w.flight) > 0 && w.chance("deliver", 40) {
			w.deliver()
		}
		for range rapid.IntRange(0, 8).Draw(w.t, "reads") {
			w.read()
		}
		w.b.Tick(w.now)
		w.check()
	}
	w.converge()
}

// Records and what the API tells, mixed at random: what has ended stays ended,
// what is new stays, what is called verified is, and in the end the board knows
// the truth and asks no more.
func TestRecordsAndTheAPI(t *testing.T) {
	var seen apiVacuity
	for i := 0; i < 5 || i < 50 && seen.stale == 0; i++ { // what is rare shall be met at all
		rapid.Check(t, func(t *rapid.T) { newAPIWorld(t, &seen).live() })
	}
	t.Logf("%+v", seen)
	for _, n := range []int{seen.verified, seen.unverified, seen.excused, seen.rounds, seen.straddled, seen.missed, seen.aborted,
		seen.gone, seen.stale, seen.unanswered, seen.silent, seen.mute, seen.restarts, seen.aside} {
		if n == 0 {
			t.Error("something was never met")
		}
	}
	if seen.haunted*3 > seen.alike {
		t.Error("too many histories ended with a session that nobody knows the server of")
	}
}
