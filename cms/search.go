package cms

import (
	"fmt"
	"slices"
	"time"

	"callmark/policy"
)

const (
	searchPause = 250 * time.Millisecond // between two rounds, at least
	searchCalls = 3                      // calls of the session that are asked for in a round
	searchAlarm = 3                      // rounds after which somebody should know
	patience    = 2 * time.Second        // with a slow server in the first round; twice as long in each that follows
)

// search looks for the server of a session whose calls are to be written. It is
// under the notifier's lock.
type search struct {
	session string
	waiting map[policy.CallRef]string // calls, with the problem that the board was told
	wrong   bool                      // a guess was wrong: only proof counts
	rounds  int
	turn    int // which call is asked for first
	alarm   string
	wake    chan struct{}
}

// seek has a call's server looked for.
func (n *Notifier) seek(w policy.Want) *search {
	se := n.searches[w.Session.ID]
	if se == nil {
		se = &search{session: w.Session.ID, waiting: map[policy.CallRef]string{}, wake: make(chan struct{}, 1)}
		if n.stopping || n.take.Err() != nil {
			return se // nobody looks any more
		}
		n.searches[w.Session.ID] = se
		n.goes("search "+w.Session.ID, func() { n.searchLoop(se) })
	}
	if _, ok := se.waiting[w.Ref]; !ok {
		se.waiting[w.Ref] = ""
		poke(se.wake) // this one may be found where the others were not
	}
	return se
}

// wakeSearches has all searches look again, since something is known that was
// not before.
func (n *Notifier) wakeSearches() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, se := range n.searches {
		poke(se.wake)
	}
}

// searchLoop goes round until the server is found or no call waits for it.
func (n *Notifier) searchLoop(se *search) {
	for {
		done, wait := n.searchRound(se)
		if done {
			return
		}
		if !sleep(n.take, searchPause, nil) || !sleep(n.take, max(0, wait-searchPause), se.wake) {
			return
		}
	}
}

// searchRound asks the servers that may be the session's for some of its calls.
func (n *Notifier) searchRound(se *search) (done bool, wait time.Duration) {
	n.mu.Lock()
	now := time.Now()
	wants := n.searchWants(now, se)
	if len(wants) == 0 {
		n.endSearch(now, se)
		n.mu.Unlock()
		return true, 0
	}
	session := wants[0].Session
	s, how, candidates := n.c.choose(session, se.wrong)
	se.turn++
	first := se.turn
	longest := patience << min(se.rounds, 8) // at most the request's own time-out counts
	n.mu.Unlock()

	no := 0
	for i := 0; s == nil && i < min(searchCalls, len(wants)) && len(candidates) > 0; i++ {
		w := wants[(first-1+i)%len(wants)]
		s, no = n.c.find(n.take, candidates, w.CallID, longest)
		how = policy.Proven
	}

	n.mu.Lock()
	defer n.mu.Unlock()
	now = time.Now()
	if n.take.Err() != nil {
		return true, 0
	}
	if s != nil {
		n.bind(now, session, s, how)
		n.endSearch(now, se)
		for ref := range se.waiting {
			n.look(now, ref)
		}
		return true, 0
	}
	se.rounds++
	n.reportSearch(now, se, wants, len(candidates), no)
	return false, max(searchPause, searchBackoff.within(n.o.MaxBackoff).after(se.rounds, n.o.Rand()))
}

// searchWants drops the calls that are not to be written any more and returns
// the others in the order of writing.
func (n *Notifier) searchWants(now time.Time, se *search) []policy.Want {
	var wants []policy.Want
	for ref := range se.waiting {
		w := n.board.Want(now, ref)
		if !w.Write {
			delete(se.waiting, ref)
			delete(n.tries, ref)
			continue
		}
		wants = append(wants, w)
	}
	slices.SortFunc(wants, func(a, b policy.Want) int {
		x := entry{ref: a.Ref, rise: a.Rise, level: a.Marking.Level, since: a.Since}
		y := entry{ref: b.Ref, rise: b.Rise, level: b.Marking.Level, since: b.Since}
		switch {
		case before(&x, &y):
			return -1
		case before(&y, &x):
			return 1
		}
		return 0
	})
	return wants
}

// endSearch forgets a search.
func (n *Notifier) endSearch(now time.Time, se *search) {
	delete(n.searches, se.session)
	if se.alarm != "" {
		n.board.Lower(now, "session/"+se.session)
	}
}

// reportSearch says on the board that a round found nothing, if that is news.
func (n *Notifier) reportSearch(now time.Time, se *search, wants []policy.Want, candidates, no int) {
	session := wants[0].Session
	problem := "no configured server knows the call"
	switch {
	case candidates == 0:
		problem = "no configured server is its Call Bridge " + session.CallBridge
	case no < candidates:
		problem = "the server is not known: not every one could be asked for the call"
	}
	if candidates > 0 && no < candidates && se.rounds == 1 {
		return // servers that have just been met may take a moment
	}
	for _, w := range wants {
		if said, ok := se.waiting[w.Ref]; ok && said != problem {
			se.waiting[w.Ref] = problem
			n.board.Failed(now, w.Ref, w.Marking, problem, false)
		}
	}
	if candidates > 0 && se.rounds < searchAlarm || se.alarm == problem {
		return
	}
	se.alarm = problem
	n.board.Raise(now, policy.Alarm{
		Key:    "session/" + session.ID,
		Text:   fmt.Sprintf("records come from %s, and calls there get no marking: %s", origin(session), problem),
		Remedy: "check that its Web Admin is among servers under [cms], and that it answers",
		Since:  now, Count: 1,
	})
}

// origin is how to call the sender of a session's records.
func origin(s policy.SessionInfo) string {
	if s.Address != "" {
		return s.Address
	}
	return "session " + s.ID
}
