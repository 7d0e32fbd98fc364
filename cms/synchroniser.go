package cms

import (
	"context"
	"errors"
	"sync"
	"time"

	"callmark/policy"
)

const (
	questionBatch = 32                     // questions that are taken at a time
	roundPause    = time.Second            // between two readings of a server's lists, at least
	retryPause    = 300 * time.Millisecond // while a server is left alone
	explainEvery  = 30 * time.Second       // why its records do not come
	explainWithin = 15 * time.Second       // else it is not said; the DNS may be asked for every receiver
	maxFailures   = 4096                   // questions whose wrong answers are counted
)

// answerBackoff is for a question that its server answers wrongly.
var answerBackoff = backoff{500 * time.Millisecond, 30 * time.Second}

// Pictured is what the synchroniser needs of *policy.Board.
type Pictured interface {
	Follow(now time.Time, server string) <-chan struct{}
	Polled(now time.Time, server string, p policy.Poll)
	Reconcile(now time.Time, server string)
	WantLists(now time.Time, server, why string)
	ListsDue(now time.Time, server string) (why string, wait time.Duration)
	BeginRound(now time.Time, server string) (r policy.Round, ok bool)
	Paged(now time.Time, r policy.Round, calls []policy.ListedCall, legs []policy.ListedLeg)
	NotListed(now time.Time, server, why, problem string)
	Listed(now time.Time, r policy.Round, calls []policy.ListedCall, legs []policy.ListedLeg) bool
	Questions(now time.Time, server string, max int) []policy.Question
	AnswerLeg(now time.Time, q policy.Question, f policy.LegFacts, exists bool)
	AnswerCall(now time.Time, q policy.Question, r policy.CallReading, exists bool)
	AnswerCallLegs(now time.Time, q policy.Question, legs []policy.ListedLeg, exists bool)
	AnswerParticipants(now time.Time, q policy.Question, people []policy.PersonFacts, exists bool)
	Unanswered(q policy.Question)
	Silent(server string) bool
	Explained(now time.Time, server, cause, remedy string)
}

// Synchroniser reads from the servers what the board wants to know. See the
// package's comment for its rules.
type Synchroniser struct {
	c       *Cluster
	board   Pictured
	o       Options
	readers []*reader // by server
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	start   sync.Once
}

// NewSynchroniser makes a synchroniser for the cluster's servers. Start the
// cluster as well.
func NewSynchroniser(c *Cluster, board Pictured) *Synchroniser {
	y := &Synchroniser{c: c, board: board, o: c.o}
	for _, s := range c.servers {
		r := &reader{y: y, s: s, name: s.Name(), lists: make(chan struct{}, 1), gate: make(chan struct{}, 1), failures: map[string]int{}}
		s.gate.onChange(func() { poke(r.gate) })
		y.readers = append(y.readers, r)
	}
	return y
}

// Start begins to read. It ends with the context or with Stop.
func (y *Synchroniser) Start(ctx context.Context) {
	y.start.Do(func() {
		ctx, y.cancel = context.WithCancel(ctx)
		for _, r := range y.readers { // all before the first one reads
			r.wake = y.board.Follow(time.Now(), r.name)
		}
		for _, r := range y.readers {
			y.goes("status "+r.name, func() { r.pollLoop(ctx) })
			y.goes("lists "+r.name, func() { r.listLoop(ctx) })
			y.goes("questions "+r.name, func() { r.askLoop(ctx) })
		}
	})
}

// goes runs f in a goroutine that Stop waits for.
func (y *Synchroniser) goes(name string, f func()) {
	y.wg.Add(1)
	y.o.Go(name, func() {
		defer y.wg.Done()
		f()
	})
}

// Stop ends what Start began and waits for it: requests under way are cut off.
func (y *Synchroniser) Stop() {
	y.start.Do(func() {})
	if y.cancel != nil {
		y.cancel()
	}
	y.wg.Wait()
}

// Resync has everything read anew. It is what an operator's r does.
func (y *Synchroniser) Resync() {
	for _, s := range y.c.servers {
		y.board.WantLists(time.Now(), s.Name(), "an operator asks")
	}
}

// reader is what reads from one server.
type reader struct {
	y     *Synchroniser
	s     *server
	name  string
	wake  <-chan struct{} // the board wants to know something
	lists chan struct{}   // it may be lists
	gate  chan struct{}   // holds a token when the server's gate has changed

	mu       sync.Mutex
	failures map[string]int // of questions whose answers were wrong, by id
}

// pollLoop asks for the status, again and again, in the same moments as those of
// the other servers.
func (r *reader) pollLoop(ctx context.Context) {
	answered, away := false, false
	var asked uint64 // how often it was asked for anything
	var explained time.Time
	for {
		err := r.poll(ctx, false)
		var g *GateError
		switch {
		case err != nil && ctx.Err() == nil:
			away = answered // else the first lists are still to come
			if !errors.As(err, &g) {
				r.y.o.Log.Debug("status not read", "server", r.name, "err", err)
			}
		case away:
			away = false
			r.y.board.WantLists(time.Now(), r.name, "its API answers again")
			poke(r.lists)
		}
		answered = answered || err == nil
		if err == nil && r.y.board.Silent(r.name) && time.Since(explained) >= explainEvery {
			if r.explain(ctx) {
				explained = time.Now()
			}
		}
		before := asked
		if asked = r.s.gate.status().byLane[reads]; asked == before+1 {
			r.s.rest() // nothing else is asked of it
		}
		if !sleep(ctx, UntilTurn(time.Now(), r.y.o.StatusEvery), nil) {
			return
		}
	}
}

// UntilTurn is how long it is until the clock shows a multiple of a time: in such
// moments the servers are asked for their status. Whoever has something to do now
// and then does it in the same ones, since to wake up once more costs the most.
func UntilTurn(now time.Time, every time.Duration) time.Duration {
	return now.Truncate(every).Add(every).Sub(now)
}

// poll asks for the status once; extra, not in its turn.
func (r *reader) poll(ctx context.Context, extra bool) error {
	began := time.Now()
	st, err := r.s.SystemStatus(ctx)
	if err != nil {
		return err
	}
	r.y.board.Polled(time.Now(), r.name, policy.Poll{
		Began: began, Extra: extra, Next: st.CDRCorrelator, Uptime: st.Uptime, Clock: st.Clock,
	})
	poke(r.lists)
	return nil
}

// explain finds out why no records come.
func (r *reader) explain(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, explainWithin)
	defer cancel()
	receivers, places, err := r.s.Receivers(ctx)
	if err != nil {
		return false
	}
	alarms, err := r.s.Alarms(ctx)
	if err != nil && !isAPIAnswer(err) {
		return false
	}
	cause, remedy := Diagnose(ctx, receivers, places, alarms, *r.y.c.own)
	r.y.board.Explained(time.Now(), r.name, cause, remedy)
	return true
}

// listLoop reads the lists whenever the board wants them, and now and then.
func (r *reader) listLoop(ctx context.Context) {
	// Servers that start together are not reconciled together.
	next := time.Now().Add(r.y.o.Resync/2 + time.Duration(r.y.o.Rand()*float64(r.y.o.Resync/2)))
	failures := 0
	for {
		now := time.Now()
		if !now.Before(next) {
			next = now.Add(r.y.o.Resync)
			r.y.board.Reconcile(now, r.name)
		}
		why, wait := r.y.board.ListsDue(now, r.name)
		if why != "" {
			wait = min(roundPause, r.y.o.Resync)
			var g *GateError
			if err := r.round(ctx, why); errors.As(err, &g) && g.State == policy.ServerUnknown {
				// Another request is the first of all, and under way: no failure.
				r.y.board.NotListed(time.Now(), r.name, why, "")
				if !sleep(ctx, retryPause, r.gate) {
					return
				}
				continue
			} else if err != nil && ctx.Err() == nil {
				failures++
				wait = max(retryPause, answerBackoff.within(r.y.o.MaxBackoff).after(failures, r.y.o.Rand()))
				r.y.board.NotListed(time.Now(), r.name, why, err.Error())
			} else {
				failures = 0
			}
			if !sleep(ctx, wait, nil) {
				return
			}
			continue
		}
		if until := next.Sub(now); wait < 0 || until < wait {
			wait = until
		}
		if !sleep(ctx, max(0, wait), r.lists) {
			return
		}
	}
}

// round reads all lists once and hands them to the board.
func (r *reader) round(ctx context.Context, why string) error {
	start := time.Now()
	if err := r.poll(ctx, true); err != nil {
		return err
	}
	round, ok := r.y.board.BeginRound(time.Now(), r.name)
	if !ok {
		return errors.New("its Call Bridge seems to have restarted")
	}
	calls, err := r.s.Calls(ctx, func(page []policy.ListedCall) { r.y.board.Paged(time.Now(), round, page, nil) })
	if err != nil {
		return err
	}
	legs, err := r.s.CallLegs(ctx, func(page []policy.ListedLeg) { r.y.board.Paged(time.Now(), round, nil, page) })
	if err != nil {
		return err
	}
	if !r.y.board.Listed(time.Now(), round, calls, legs) {
		return errors.New("its Call Bridge has restarted meanwhile")
	}
	r.y.o.Log.Debug("lists read", "server", r.name, "why", why, "calls", len(calls), "legs", len(legs), "took", time.Since(start))
	return nil
}

// askLoop asks what the board wants to know.
func (r *reader) askLoop(ctx context.Context) {
	turns := make(chan struct{}, readConns)
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		questions := r.y.board.Questions(time.Now(), r.name, questionBatch)
		for _, q := range questions {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			asking.Add(1)
			r.y.o.Go("question "+r.name, func() {
				defer asking.Done()
				defer func() { <-turns }()
				r.ask(ctx, q)
			})
		}
		if len(questions) > 0 {
			continue
		}
		poke(r.lists) // it may be woken for these
		if !sleep(ctx, -1, r.wake) {
			return
		}
	}
}

// ask asks one question and answers the board. While the server is left alone
// it waits, with all who ask at the same time: so nothing piles up.
func (r *reader) ask(ctx context.Context, q policy.Question) {
	err := r.answer(ctx, q)
	if err == nil {
		r.failed(q, false)
		return
	}
	var g *GateError
	if !errors.As(err, &g) && outcomeOf(err) == outcomeAnswered || errors.Is(err, errBadID) || errors.Is(err, errIll) {
		wait := answerBackoff.within(r.y.o.MaxBackoff).after(r.failed(q, true), r.y.o.Rand())
		r.y.o.Log.Debug("question not answered", "server", r.name, "id", q.ID, "err", err)
		// It waits by itself: others may be answered.
		r.y.goes("question later "+r.name, func() { r.giveBack(ctx, q, wait) })
		return
	}
	r.giveBack(ctx, q, retryPause)
}

// giveBack waits, and has the question asked again.
func (r *reader) giveBack(ctx context.Context, q policy.Question, wait time.Duration) {
	sleep(ctx, wait, nil)
	r.y.board.Unanswered(q)
}

// failed counts a question's wrong answers, or forgets them.
func (r *reader) failed(q policy.Question, failed bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !failed {
		delete(r.failures, q.ID)
		return 0
	}
	if len(r.failures) >= maxFailures { // most are of what has gone: who is left waits less for a while
		clear(r.failures)
	}
	r.failures[q.ID]++
	return r.failures[q.ID]
}

// answer asks one question. It returns an error when the server gave no answer
// that means something.
func (r *reader) answer(ctx context.Context, q policy.Question) error {
	switch q.Kind {
	case policy.AskLeg:
		f, err := r.s.CallLeg(ctx, q.ID)
		if err != nil && !IsNotExist(err) {
			return err
		}
		r.y.board.AnswerLeg(time.Now(), q, f, err == nil)
	case policy.AskCall:
		c, err := r.s.Call(ctx, q.ID)
		if err != nil && !IsNotExist(err) {
			return err
		}
		r.y.board.AnswerCall(time.Now(), q, policy.CallReading{
			CallFacts: policy.CallFacts{ID: q.ID, Name: c.Name, Correlator: c.Correlator},
			Legs:      c.Legs, Remote: c.Remote, Shown: c.Message.Shown(),
		}, err == nil)
	case policy.AskCallLegs:
		legs, err := r.s.CallLegsOf(ctx, q.ID)
		if err != nil && !IsNotExist(err) {
			return err
		}
		r.y.board.AnswerCallLegs(time.Now(), q, legs, err == nil)
	default:
		people, err := r.s.Participants(ctx, q.ID, r.y.c.watches)
		if err != nil && !IsNotExist(err) {
			return err
		}
		r.y.board.AnswerParticipants(time.Now(), q, people, err == nil)
	}
	return nil
}
