package cms

import (
	"context"
	"slices"
	"sync"
	"time"

	"callmark/policy"
)

// Notifier makes the screens of all calls show what the board wants. See the
// package's comment for its rules. Make it with NewNotifier before the cluster
// is started, Start it once, then Stop it.
type Notifier struct {
	c     *Cluster
	board Board
	lines map[*server]*line

	// Stop ends loops at once, and requests that are under way a little later.
	loops    context.Context
	endLoops context.CancelFunc
	sends    context.Context
	endSends context.CancelFunc
	wg       sync.WaitGroup
	rethink  chan struct{} // who is which may have become known

	mu       sync.Mutex
	searches map[string]*search // by session: its server is not known
	wrong    map[string]bool    // sessions for which a guess has proved wrong
}

// NewNotifier makes the notifier of a cluster that has not been started.
func NewNotifier(c *Cluster) *Notifier {
	n := &Notifier{
		c: c, board: c.board, lines: map[*server]*line{}, rethink: make(chan struct{}, 1),
		searches: map[string]*search{}, wrong: map[string]bool{},
	}
	n.loops, n.endLoops = context.WithCancel(context.Background())
	n.sends, n.endSends = context.WithCancel(context.Background())
	for _, s := range c.servers {
		l := newLine(s, c.o.Writers)
		n.lines[s] = l
		s.gate.onChange(l.wakeAll)
	}
	c.onChange = func() { poke(n.rethink) }
	return n
}

// Start begins to write.
func (n *Notifier) Start() {
	n.goes("notifier", n.dispatchLoop)
	for s, l := range n.lines {
		for i := range l.wakes {
			risesOnly := i == 0 // one connection is kept for rises
			n.goes("writer "+s.Name(), func() { n.write(l, l.wakes[i], risesOnly) })
		}
	}
}

func (n *Notifier) goes(name string, f func()) {
	n.wg.Add(1)
	n.c.o.Go(name, func() {
		defer n.wg.Done()
		f()
	})
}

// Stop takes up nothing new, gives the requests that are under way until ctx
// ends, and then cuts them off. When it returns no goroutine of the notifier's
// runs. It may be called more than once.
func (n *Notifier) Stop(ctx context.Context) {
	n.endLoops()
	stop := context.AfterFunc(ctx, n.endSends)
	defer stop()
	n.wg.Wait()
	n.endSends()
}

// Retry has everything that waits after a failure tried at once, servers that
// are left alone included: for the operator who has mended something.
func (n *Notifier) Retry() {
	n.c.Reprobe()
	for _, l := range n.lines {
		l.hurry()
	}
	n.mu.Lock()
	for _, s := range n.searches {
		poke(s.wake)
	}
	n.mu.Unlock()
}

// dispatchLoop takes the calls to look at from the board.
func (n *Notifier) dispatchLoop() {
	var refs []policy.CallRef
	for {
		select {
		case <-n.loops.Done():
			return
		case <-n.board.Looks():
			refs = n.board.TakeLooks(refs[:0])
		case <-n.rethink:
			refs = n.searched(refs[:0])
		}
		for _, ref := range refs {
			n.dispatch(ref)
		}
	}
}

// dispatch looks at one call: it goes into the queue of its server when a write
// is due, out of it when none is, and waits for a search when nobody knows its
// server.
func (n *Notifier) dispatch(ref policy.CallRef) {
	now := time.Now()
	w := n.board.Want(now, ref)
	if !w.Write {
		if w.Why == policy.WhySending {
			return // looked at again when that is over
		}
		for _, l := range n.lines {
			l.remove(ref)
		}
		return
	}
	n.mu.Lock()
	noGuess := n.wrong[w.Session.ID]
	n.mu.Unlock()
	s, how, candidates := n.c.choose(w.Session, noGuess)
	if s == nil {
		n.search(w, candidates)
		return
	}
	if s.Name() != w.Session.Server || how > w.Session.Sureness {
		n.board.Bind(now, w.Session.ID, s.Name(), how)
	}
	for other, l := range n.lines {
		if other != s {
			l.remove(ref) // it was thought to be there
		}
	}
	n.lines[s].put(w)
}

// write is one of a server's writers: it waits for something to write, for
// leave, and for the rate, takes what is most urgent then, and writes what is
// wanted at that moment.
func (n *Notifier) write(l *line, wake chan struct{}, risesOnly bool) {
	for n.loops.Err() == nil {
		if wait, ok := l.ready(time.Now(), risesOnly); !ok {
			sleep(n.loops, wait, wake)
			continue
		}
		t, wait, ok := l.s.gate.enter(writes, time.Now())
		if !ok {
			sleep(n.loops, wait, wake)
			continue
		}
		if err := l.s.limits[writes].Wait(n.loops); err != nil {
			l.s.gate.cancel(t)
			return
		}
		ref, ok := l.take(time.Now(), risesOnly)
		if !ok {
			l.s.gate.cancel(t)
			continue
		}
		now := time.Now()
		w := n.board.Want(now, ref)
		if !w.Write || !n.board.Sending(now, ref, w.Marking) {
			l.s.gate.cancel(t)
			if w.Write {
				n.dispatch(ref) // it has changed between the two
			} else {
				l.forgive(ref)
			}
			continue
		}
		n.sent(l, w, l.s.setMessage(n.sends, t, w.CallID, w.Marking))
		l.wakeAll()
	}
}

// sent enters what became of a write, and looks at its call again.
func (n *Notifier) sent(l *line, w policy.Want, err error) {
	now := time.Now()
	name := l.s.Name()
	switch {
	case err == nil:
		l.forgive(w.Ref)
		// The call was there, so its session runs on this server.
		n.board.Bind(now, w.Session.ID, name, policy.Proven)
		n.found(w.Session.ID)
		n.board.Sent(now, w.Ref, w.Marking, name)
	case IsNotExist(err):
		l.forgive(w.Ref)
		if _, how, _ := n.c.choose(w.Session, true); how == policy.Proven {
			n.board.Absent(now, w.Ref, name)
			break
		}
		n.board.Failed(now, w.Ref, w.Marking, "not a call of "+name+", which was a guess: asking the other servers", false)
		n.mu.Lock()
		if len(n.wrong) > 4096 {
			clear(n.wrong) // sessions that are long over
		}
		n.wrong[w.Session.ID] = true
		n.mu.Unlock()
	default:
		l.blame(w.Ref, now, err, n.c.o.Rand())
		n.board.Failed(now, w.Ref, w.Marking, err.Error(), IsUncertain(err))
	}
	n.dispatch(w.Ref)
}

// ClearAll takes every marking of ours off, the most trusted first, until ctx
// ends. It returns how many it took off and how many it could not. It is for
// the end, after Stop.
func (n *Notifier) ClearAll(ctx context.Context) (cleared, left int) {
	byServer := map[*server][]policy.Want{}
	all := n.board.Marked()
	for _, w := range all {
		if s, _, _ := n.c.choose(w.Session, false); s != nil {
			byServer[s] = append(byServer[s], w)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for s, wants := range byServer {
		queue := make(chan policy.Want, len(wants))
		for _, w := range wants {
			queue <- w
		}
		close(queue)
		for range n.c.o.Writers {
			wg.Add(1)
			n.c.o.Go("clear "+s.Name(), func() {
				defer wg.Done()
				for w := range queue {
					if n.clear(ctx, s, w) {
						mu.Lock()
						cleared++
						mu.Unlock()
					}
				}
			})
		}
	}
	wg.Wait()
	return cleared, len(all) - cleared
}

// clear takes one marking off and reports whether it is off.
func (n *Notifier) clear(ctx context.Context, s *server, w policy.Want) bool {
	for failures := 1; ctx.Err() == nil; failures++ {
		if s.limits[writes].Wait(ctx) != nil {
			return false
		}
		err := s.SetMessage(ctx, w.CallID, w.Marking)
		if err == nil || IsNotExist(err) {
			n.board.Sent(time.Now(), w.Ref, w.Marking, s.Name())
			return true
		}
		sleep(ctx, callBackoff.after(failures, n.c.o.Rand()), nil)
	}
	return false
}

// search is the search for the server of one session.
type search struct {
	refs map[policy.CallRef]struct{} // calls that wait for it
	wake chan struct{}
}

// search has a call wait until its session's server is found.
func (n *Notifier) search(w policy.Want, candidates []*server) {
	if len(candidates) == 0 {
		n.board.Failed(time.Now(), w.Ref, w.Marking, "its Call Bridge "+w.Session.CallBridge+" is none of the configured servers: add its Web Admin to cms.servers", false)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.searches[w.Session.ID]
	if s == nil {
		if n.loops.Err() != nil {
			return
		}
		s = &search{refs: map[policy.CallRef]struct{}{}, wake: make(chan struct{}, 1)}
		n.searches[w.Session.ID] = s
		n.goes("search", func() { n.searching(w.Session.ID, s) })
	}
	s.refs[w.Ref] = struct{}{}
}

// searched lists the calls that wait for a search.
func (n *Notifier) searched(refs []policy.CallRef) []policy.CallRef {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.searches {
		for ref := range s.refs {
			refs = append(refs, ref)
		}
	}
	return refs
}

// found ends the search for a session, if there is one, and forgets that a
// guess had been wrong.
func (n *Notifier) found(session string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.wrong, session)
	if s := n.searches[session]; s != nil {
		poke(s.wake)
	}
}

// searching asks the servers for the calls of a session, one call after the
// other, until one has it or all these calls have ended.
func (n *Notifier) searching(session string, s *search) {
	for failures := 1; ; failures++ {
		refs := n.pending(session, s)
		if len(refs) == 0 {
			return
		}
		for _, ref := range refs {
			w := n.board.Want(time.Now(), ref)
			at, how, candidates := n.c.choose(w.Session, true)
			if w.Write && at == nil && len(candidates) > 0 {
				at, _ = n.c.find(n.loops, candidates, w.CallID)
				how = policy.Proven
			}
			if w.Write && at != nil {
				n.board.Bind(time.Now(), session, at.Name(), how)
				n.found(session)
			}
			if n.loops.Err() != nil {
				return
			}
			if !w.Write || at != nil {
				n.mu.Lock()
				delete(s.refs, ref)
				n.mu.Unlock()
				n.dispatch(ref)
			}
		}
		if !sleep(n.loops, searchBackoff.after(failures, n.c.o.Rand()), s.wake) {
			return
		}
	}
}

// pending lists the calls that wait for a search, and ends it when there are
// none.
func (n *Notifier) pending(session string, s *search) []policy.CallRef {
	n.mu.Lock()
	defer n.mu.Unlock()
	refs := make([]policy.CallRef, 0, len(s.refs))
	for ref := range s.refs {
		refs = append(refs, ref)
	}
	if len(refs) == 0 {
		delete(n.searches, session)
	}
	slices.Sort(refs) // the calls met first are the likeliest to run
	return refs
}
