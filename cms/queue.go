package cms

import (
	"container/heap"
	"time"

	"callmark/policy"
)

// entry is a call that waits to be written.
type entry struct {
	ref   policy.CallRef
	rise  bool
	level policy.Level // of a rise
	since time.Time

	due   time.Time // not before
	ready bool      // which heap it is in
	pos   int       // there
}

// before reports whether a goes before b: rises first, the less trusted of them
// first, then the one that is wanted for longer.
func before(a, b *entry) bool {
	if a.rise != b.rise {
		return a.rise
	}
	if a.rise && a.level != b.level {
		return a.level > b.level
	}
	if !a.since.Equal(b.since) {
		return a.since.Before(b.since)
	}
	return a.ref < b.ref
}

// queue holds the calls that wait for one server, each once: those that may go
// in the order of going, the others by when they may. It is not safe for
// concurrent use.
type queue struct {
	entries map[policy.CallRef]*entry
	ready   entries // by before
	later   entries // by due
}

func newQueue() *queue {
	return &queue{
		entries: map[policy.CallRef]*entry{},
		ready:   entries{less: before},
		later:   entries{less: func(a, b *entry) bool { return a.due.Before(b.due) }},
	}
}

// same reports whether two entries of a call wait alike.
func (e *entry) same(o *entry) bool {
	return e.rise == o.rise && e.level == o.level && e.since.Equal(o.since) && e.due.Equal(o.due)
}

// put adds a call or brings it up to date. A due in the past is now. A call that
// waits alike already stays where it is: where many are to be written, most of
// what comes is about such.
func (q *queue) put(e entry) {
	if was := q.entries[e.ref]; was != nil && was.same(&e) {
		return
	}
	q.remove(e.ref)
	n := &e
	q.entries[e.ref] = n
	heap.Push(&q.later, n)
}

// remove takes a call out; it need not be in.
func (q *queue) remove(ref policy.CallRef) {
	e, ok := q.entries[ref]
	if !ok {
		return
	}
	delete(q.entries, ref)
	if e.ready {
		heap.Remove(&q.ready, e.pos)
	} else {
		heap.Remove(&q.later, e.pos)
	}
}

// first is the call to go next, left in the queue; with rises only, if it is a
// rise. Without one, wait is until the next may go; negative: none waits.
func (q *queue) first(now time.Time, risesOnly bool) (e *entry, wait time.Duration) {
	for q.later.Len() > 0 && !q.later.list[0].due.After(now) {
		e := heap.Pop(&q.later).(*entry)
		e.ready = true
		heap.Push(&q.ready, e)
	}
	wait = -1
	if q.later.Len() > 0 {
		wait = q.later.list[0].due.Sub(now)
	}
	if q.ready.Len() == 0 || risesOnly && !q.ready.list[0].rise {
		return nil, wait
	}
	return q.ready.list[0], 0
}

func (q *queue) len() int { return len(q.entries) }

// entries is a heap of entries.
type entries struct {
	list []*entry
	less func(a, b *entry) bool
}

func (h *entries) Len() int           { return len(h.list) }
func (h *entries) Less(i, j int) bool { return h.less(h.list[i], h.list[j]) }
func (h *entries) Swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].pos, h.list[j].pos = i, j
}

func (h *entries) Push(x any) {
	e := x.(*entry)
	e.pos = len(h.list)
	h.list = append(h.list, e)
}

func (h *entries) Pop() any {
	last := len(h.list) - 1
	e := h.list[last]
	h.list[last] = nil
	h.list = h.list[:last]
	return e
}
