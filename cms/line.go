package cms

import (
	"maps"
	"slices"
	"sync"
	"time"

	"callmark/policy"
)

// line is what waits to be written to one server, shared by its writers.
type line struct {
	s     *server
	wakes []chan struct{} // one slot for each writer

	mu     sync.Mutex
	queue  *queue
	failed map[policy.CallRef]failure
}

// failure is a call's failed writes in a row.
type failure struct {
	n   int
	due time.Time // not tried again before
}

func newLine(s *server, writers int) *line {
	l := &line{s: s, queue: newQueue(), failed: map[policy.CallRef]failure{}}
	for range writers {
		l.wakes = append(l.wakes, make(chan struct{}, 1))
	}
	return l
}

// wakeAll has every writer look again.
func (l *line) wakeAll() {
	for _, w := range l.wakes {
		poke(w)
	}
}

// put adds a call, or brings its place in the queue up to date.
func (l *line) put(w policy.Want) {
	l.mu.Lock()
	l.queue.put(entry{ref: w.Ref, rise: w.Rise, level: w.Marking.Level, since: w.Since, due: l.failed[w.Ref].due})
	l.changed()
	l.wakeAll()
}

// remove takes a call out that has nothing to be written.
func (l *line) remove(ref policy.CallRef) {
	l.mu.Lock()
	l.queue.remove(ref)
	delete(l.failed, ref)
	l.changed()
}

// changed publishes the length of the queue and gives the lock up.
func (l *line) changed() {
	n := int64(l.queue.len())
	l.mu.Unlock()
	if l.s.queued.Swap(n) != n {
		poke(l.s.report)
	}
}

// ready reports whether there is something to write now; if not, wait is until
// there may be, or negative.
func (l *line) ready(now time.Time, risesOnly bool) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, wait := l.queue.first(now, risesOnly)
	return wait, e != nil
}

// take takes out what goes next.
func (l *line) take(now time.Time, risesOnly bool) (policy.CallRef, bool) {
	l.mu.Lock()
	e, _ := l.queue.first(now, risesOnly)
	if e == nil {
		l.mu.Unlock()
		return 0, false
	}
	l.queue.remove(e.ref)
	l.changed()
	return e.ref, true
}

// blame makes a call that failed wait before it is tried again: longer for a
// request that the server calls wrong, which it will most likely do again.
func (l *line) blame(ref policy.CallRef, now time.Time, err error, random float64) {
	b := callBackoff
	if s := status(err); s >= 400 && s < 500 && s != 401 && s != 429 {
		b = badBackoff
	}
	l.mu.Lock()
	f := l.failed[ref]
	f.n++
	f.due = now.Add(b.after(f.n, random))
	l.failed[ref] = f
	l.mu.Unlock()
}

// forgive forgets a call's failures.
func (l *line) forgive(ref policy.CallRef) {
	l.mu.Lock()
	delete(l.failed, ref)
	l.mu.Unlock()
}

// hurry lets everything that waits after a failure go at once.
func (l *line) hurry() {
	l.mu.Lock()
	clear(l.failed)
	for _, e := range slices.Collect(maps.Values(l.queue.entries)) {
		again := *e
		again.due = time.Time{}
		l.queue.put(again)
	}
	l.mu.Unlock()
	l.wakeAll()
}
