package cms

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"callmark/policy"
)

// Notifier makes the calls show what the board wants them to. See the package's
// comment for its rules.
type Notifier struct {
	c     *Cluster
	board Board
	o     Options

	mu       sync.Mutex
	writers  []*writer                   // by server, as in the cluster
	waiting  map[policy.CallRef]*writer  // in whose queue a call is
	busy     map[policy.CallRef]struct{} // a request is under way
	tries    map[policy.CallRef]*try     // calls whose last write failed
	searches map[string]*search          // sessions whose server is looked for
	stopping bool

	take     context.Context // for new work
	noMore   context.CancelFunc
	send     context.Context // for requests under way
	cut      context.CancelFunc
	wg       sync.WaitGroup
	start    sync.Once
	finished chan struct{} // closed when all goroutines have ended, once Stop was called
	stop     sync.Once
}

// writer is the queue of one server and what is under way there. It is under
// the notifier's lock.
type writer struct {
	s     *server
	queue *queue
	rises int       // requests under way that are rises
	falls int       // and that are not
	until time.Time // when the budget allows the next write: till then nobody need wake it
	wake  chan struct{}
}

// try is how it went with a call whose last write failed.
type try struct {
	failures int
	due      time.Time      // not before
	marking  policy.Marking // that failed
	bad      bool           // the server called the request wrong: the same again is no use
	outage   bool           // the server was away: to be released when it is back
}

// NewNotifier makes a notifier for the cluster's servers. There may be one of a
// board. Start the cluster as well.
func NewNotifier(c *Cluster) *Notifier {
	n := &Notifier{
		c: c, board: c.board, o: c.o,
		waiting:  map[policy.CallRef]*writer{},
		busy:     map[policy.CallRef]struct{}{},
		tries:    map[policy.CallRef]*try{},
		searches: map[string]*search{},
		finished: make(chan struct{}),
	}
	for _, s := range c.servers {
		wr := &writer{s: s, queue: newQueue(), wake: make(chan struct{}, 1)}
		s.gate.onChange(func() { poke(wr.wake) })
		n.writers = append(n.writers, wr)
	}
	c.mu.Lock()
	c.onChange = n.wakeSearches
	c.mu.Unlock()
	return n
}

// Start begins to write. When the context ends nothing new is begun; what is
// under way ends by itself or with Stop.
func (n *Notifier) Start(ctx context.Context) {
	n.start.Do(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.stopping {
			return
		}
		n.take, n.noMore = context.WithCancel(ctx)
		n.send, n.cut = context.WithCancel(context.WithoutCancel(ctx))
		n.goes("notifier", n.lookLoop)
		for _, wr := range n.writers {
			n.goes("writer "+wr.s.Name(), func() { n.writeLoop(wr) })
		}
	})
}

// goes runs f in a goroutine that Stop waits for. The lock is held and stopping
// is not set, so nothing is added while Stop waits.
func (n *Notifier) goes(name string, f func()) {
	n.wg.Add(1)
	n.o.Go(name, func() {
		defer n.wg.Done()
		f()
	})
}

// Stop takes no new work, waits for the requests under way, and cuts them off
// when the context ends. It returns when nothing runs any more, and may be
// called again.
func (n *Notifier) Stop(ctx context.Context) {
	n.stop.Do(func() {
		n.mu.Lock()
		n.stopping = true
		n.mu.Unlock()
		if n.take == nil { // never started
			close(n.finished)
			return
		}
		n.noMore()
		n.o.Go("notifier's end", func() {
			n.wg.Wait()
			close(n.finished)
		})
	})
	select {
	case <-n.finished:
	case <-ctx.Done():
	}
	if n.cut != nil {
		n.cut()
	}
	<-n.finished
}

// Retry has everything tried at once that waits after a failure: servers, calls
// and searches. It is what an operator's r does.
func (n *Notifier) Retry() {
	n.mu.Lock()
	now := time.Now()
	for ref, t := range n.tries {
		t.due = now
		if wr := n.waiting[ref]; wr != nil {
			n.look(now, ref)
		}
	}
	for _, se := range n.searches {
		se.rounds = 0
		poke(se.wake)
	}
	n.mu.Unlock()
	n.c.Reprobe()
}

// lookPause is between two times that calls are taken from the board. Without it
// each of tens of thousands of records a second wakes a goroutine and with it
// often a thread, which took 7 % of what callmark can take in. A call that comes
// alone, as nearly all do, does not wait.
const lookPause = 200 * time.Microsecond

// lookLoop takes from the board the calls to look at.
func (n *Notifier) lookLoop() {
	var refs []policy.CallRef
	for {
		refs = n.board.TakeLooks(refs[:0])
		for _, ref := range refs {
			n.mu.Lock()
			n.look(time.Now(), ref)
			n.mu.Unlock()
		}
		time.Sleep(lookPause)
		select {
		case <-n.take.Done():
			return
		case <-n.board.Looks():
		}
	}
}

// look brings a call's place up to date with what the board wants. The lock is
// held from the board's answer to what follows, else an older answer could
// undo a newer one.
func (n *Notifier) look(now time.Time, ref policy.CallRef) {
	if _, ok := n.busy[ref]; ok {
		return // its end looks again
	}
	w := n.board.Want(now, ref)
	if !w.Write {
		n.forget(ref)
		return
	}
	n.place(now, w)
}

// forget drops a call of which nothing is to be written.
func (n *Notifier) forget(ref policy.CallRef) {
	n.unqueue(ref)
	delete(n.tries, ref)
}

// place puts a call into the queue of its server, or has that looked for.
func (n *Notifier) place(now time.Time, w policy.Want) {
	se := n.searches[w.Session.ID]
	s, how, _ := n.c.choose(w.Session, se != nil && se.wrong)
	if s == nil {
		n.unqueue(w.Ref)
		n.seek(w)
		return
	}
	n.bind(now, w.Session, s, how)
	if se != nil {
		delete(se.waiting, w.Ref)
	}
	wr := n.writerOf(s)
	if n.waiting[w.Ref] != wr {
		n.unqueue(w.Ref)
	}
	e := entry{ref: w.Ref, rise: w.Rise, since: w.Since}
	if w.Rise {
		e.level = w.Marking.Level
	}
	if t := n.tries[w.Ref]; t != nil && !(t.bad && t.marking != w.Marking) {
		e.due = t.due
	}
	wr.queue.put(e)
	n.waiting[w.Ref] = wr
	n.counted(wr)
	if !now.Before(wr.until) {
		poke(wr.wake)
	}
}

// bind tells the board whose session it is, if that is news.
func (n *Notifier) bind(now time.Time, session policy.SessionInfo, s *server, how policy.Sureness) {
	if session.Server != s.Name() || session.Sureness != how {
		n.board.Bind(now, session.ID, s.Name(), how)
	}
}

func (n *Notifier) writerOf(s *server) *writer {
	for _, wr := range n.writers {
		if wr.s == s {
			return wr
		}
	}
	return nil // not reached: writers and servers are made together
}

// unqueue takes a call out of its queue.
func (n *Notifier) unqueue(ref policy.CallRef) {
	if wr := n.waiting[ref]; wr != nil {
		wr.queue.remove(ref)
		delete(n.waiting, ref)
		n.counted(wr)
	}
}

func (n *Notifier) counted(wr *writer) {
	if l := int64(wr.queue.len()); wr.s.queued.Swap(l) != l {
		if !wr.s.reportDue.Load() {
			poke(wr.s.report)
		}
		if l == 0 {
			poke(wr.s.wake) // from now on the keeper probes
		}
	}
}

// writeLoop begins the writes of one server.
func (n *Notifier) writeLoop(wr *writer) {
	for {
		wait := n.begin(wr)
		if !sleep(n.take, wait, wr.wake) {
			return
		}
	}
}

// begin begins all the writes that may go now, and returns when to look again;
// negative: when woken.
func (n *Notifier) begin(wr *writer) (wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for !n.stopping {
		if wr.rises+wr.falls >= n.o.Writers {
			return -1
		}
		now := time.Now()
		// One writer is kept for rises: what is no rise may be slow in all others.
		risesOnly := wr.falls >= n.o.Writers-1
		e, wait := wr.queue.first(now, risesOnly)
		if e == nil {
			return wait
		}
		// The call stays in the queue until it may go, so that the best one goes.
		token := wr.s.limits[writes].ReserveN(now, 1)
		if wait := token.DelayFrom(now); wait > 0 {
			token.CancelAt(now)
			wr.until = now.Add(wait)
			return wait
		}
		t, wait, ok := wr.s.gate.enter(writes, now)
		if !ok {
			token.CancelAt(now)
			return wait
		}
		if !n.beginCall(now, wr, t, e.ref, risesOnly) {
			token.CancelAt(now)
			wr.s.gate.cancel(t)
		}
	}
	return -1
}

// beginCall asks the board once more and writes what it wants now. It reports
// false when there is nothing to write here.
func (n *Notifier) beginCall(now time.Time, wr *writer, t ticket, ref policy.CallRef, risesOnly bool) bool {
	n.unqueue(ref)
	w := n.board.Want(now, ref)
	if !w.Write {
		n.forget(ref)
		return false
	}
	se := n.searches[w.Session.ID]
	s, how, _ := n.c.choose(w.Session, se != nil && se.wrong)
	if s != wr.s || risesOnly && !w.Rise {
		n.place(now, w)
		return false
	}
	if !n.board.Sending(now, ref, w.Marking) {
		// It has changed since Want: look again, a moment later.
		n.try(w).due = now.Add(callBackoff.base / 10)
		n.look(now, ref)
		return false
	}
	n.busy[ref] = struct{}{}
	count := &wr.falls
	if w.Rise {
		count = &wr.rises
	}
	*count++
	n.goes("write "+wr.s.Name(), func() {
		err := wr.s.setMessage(n.send, t, w.CallID, w.Marking)
		n.mu.Lock()
		defer n.mu.Unlock()
		now := time.Now()
		*count--
		delete(n.busy, ref)
		n.ended(now, wr, t, w, how, err)
		if !n.stopping {
			n.look(now, ref)
		}
		poke(wr.wake)
	})
	return true
}

// ended tells the board what became of a write, and when to try again.
func (n *Notifier) ended(now time.Time, wr *writer, t ticket, w policy.Want, how policy.Sureness, err error) {
	name := wr.s.Name()
	switch judge(err, how) {
	case verdictSent:
		n.bind(now, w.Session, wr.s, policy.Proven) // it is there
		n.board.Sent(now, w.Ref, w.Marking, name)
		delete(n.tries, w.Ref)
		if t.probe || t.lock {
			n.release(now, wr)
		}
	case verdictAbsent:
		n.board.Absent(now, w.Ref, name)
		n.failed(now, w, callBackoff.within(n.o.MaxBackoff)) // in case that it is wanted all the same
	case verdictWrongServer:
		n.board.Failed(now, w.Ref, w.Marking, name+" does not know the call, and was only guessed to be its server", false)
		n.board.Unbind(now, w.Session.ID, name)
		n.seek(w).wrong = true
	case verdictBad:
		n.board.Failed(now, w.Ref, w.Marking, err.Error(), false)
		n.failed(now, w, badBackoff).bad = true
	case verdictOutage:
		n.board.Failed(now, w.Ref, w.Marking, err.Error(), IsUncertain(err))
		// A probe's failure is the server's. One that came while it was up may be
		// the call's own.
		var tr *try
		if t.probe || t.lock {
			tr = n.try(w)
			tr.due = now
		} else {
			tr = n.failed(now, w, callBackoff.within(n.o.MaxBackoff))
		}
		tr.outage = true
		// The next probe is another call's, if there is one: a request that the
		// server cannot take must not hold up all the others.
		if next := wr.s.gate.next(writes).Add(callBackoff.base / 10); tr.due.Before(next) {
			tr.due = next
		}
	case verdictRetry:
		n.board.Failed(now, w.Ref, w.Marking, err.Error(), IsUncertain(err))
		n.failed(now, w, callBackoff.within(n.o.MaxBackoff))
	}
}

// try is the record of a call's failures for a new one.
func (n *Notifier) try(w policy.Want) *try {
	t := n.tries[w.Ref]
	if t == nil {
		t = &try{}
		n.tries[w.Ref] = t
	}
	t.marking, t.bad, t.outage = w.Marking, false, false
	return t
}

// failed counts a failure and sets when the call is tried again.
func (n *Notifier) failed(now time.Time, w policy.Want, b backoff) *try {
	t := n.try(w)
	t.failures++
	t.due = now.Add(b.after(t.failures, n.o.Rand()))
	return t
}

// release lets the calls go that failed since their server was away. A call
// that failed again and again while others did not may be what ails it: it
// waits on.
func (n *Notifier) release(now time.Time, wr *writer) {
	for ref, t := range n.tries {
		if t.outage && t.failures < 3 && n.waiting[ref] == wr {
			t.due = now
			n.look(now, ref)
		}
	}
}

// verdict is what a write's end means for its call.
type verdict uint8

const (
	verdictSent        verdict = iota
	verdictAbsent              // the call has ended
	verdictWrongServer         // it is, or was, elsewhere
	verdictBad                 // this request will not work
	verdictOutage              // the server's fault, not the call's
	verdictRetry
)

// judge decides what a write's end means. Only a server that is proven to be the
// call's can say that the call has ended.
func judge(err error, how policy.Sureness) verdict {
	if err == nil {
		return verdictSent
	}
	if IsNotExist(err) {
		if how == policy.Proven {
			return verdictAbsent
		}
		return verdictWrongServer
	}
	var t *TransportError
	var g *GateError
	if errors.As(err, &t) || errors.As(err, &g) {
		return verdictOutage
	}
	switch s := status(err); {
	case s == http.StatusUnauthorized || outcomeOf(err) == outcomeBusy:
		return verdictOutage
	case s == 0, s < 500: // never sent, or refused for what it says
		return verdictBad
	}
	return verdictRetry
}
