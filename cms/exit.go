package cms

import (
	"context"
	"sync"
	"time"

	"callmark/policy"
)

// clearTries is how often one call's clear is tried at the end.
const clearTries = 3

// ClearAll takes our markings off every call, the most trusted first: they are
// the ones that must not stay when nobody watches any more. It ends with the
// context, and says how many calls were cleared and how many were left. Whatever
// still runs is stopped before.
func (n *Notifier) ClearAll(ctx context.Context) (cleared, left int) {
	n.Stop(ctx)
	wants := n.board.Marked()
	lists := map[*server]*clearing{}
	for _, w := range wants {
		s, how, _ := n.c.choose(w.Session, false)
		if s == nil {
			continue // there is no time to look for it
		}
		if lists[s] == nil {
			lists[s] = &clearing{turn: make(chan struct{}, 1)}
		}
		lists[s].todo = append(lists[s].todo, clearItem{w: w, how: how})
	}
	var wg sync.WaitGroup
	for s, list := range lists {
		for range min(n.o.Writers, len(list.todo)) {
			wg.Add(1)
			n.o.Go("clear "+s.Name(), func() {
				defer wg.Done()
				n.clear(ctx, s, list)
			})
		}
	}
	wg.Wait()
	for _, list := range lists {
		cleared += list.cleared
	}
	return cleared, len(wants) - cleared
}

// clearing is what is to be cleared on one server.
type clearing struct {
	turn chan struct{} // who fills it takes the next call and its leave, in order

	mu      sync.Mutex
	todo    []clearItem
	cleared int
}

type clearItem struct {
	w     policy.Want
	how   policy.Sureness
	tries int
}

// clear works a server's list off, until it is empty or the context ends.
func (n *Notifier) clear(ctx context.Context, s *server, list *clearing) {
	for {
		it, t, ok := n.nextClear(ctx, s, list)
		if !ok {
			return
		}
		err := s.setMessage(ctx, t, it.w.CallID, policy.Marking{Kind: policy.MarkClear})
		now := time.Now()
		done, again := false, false
		switch judge(err, it.how) {
		case verdictSent:
			n.board.Sent(now, it.w.Ref, policy.Marking{Kind: policy.MarkClear}, s.Name())
			done = true
		case verdictAbsent:
			n.board.Absent(now, it.w.Ref, s.Name())
			done = true
		case verdictOutage:
			again = true // the gate holds us back; the context ends it
		case verdictRetry:
			it.tries++
			again = it.tries < clearTries
		}
		if !done {
			n.board.Failed(now, it.w.Ref, policy.Marking{Kind: policy.MarkClear}, err.Error(), IsUncertain(err))
		}
		list.mu.Lock()
		if done {
			list.cleared++
		}
		if again {
			list.todo = append(list.todo, it)
		}
		list.mu.Unlock()
	}
}

// nextClear takes the next call together with the leave to send its request.
func (n *Notifier) nextClear(ctx context.Context, s *server, list *clearing) (it clearItem, t ticket, ok bool) {
	select {
	case list.turn <- struct{}{}:
		defer func() { <-list.turn }()
	case <-ctx.Done():
		return it, t, false
	}
	for {
		list.mu.Lock()
		empty := len(list.todo) == 0
		list.mu.Unlock()
		if empty || ctx.Err() != nil {
			return it, t, false
		}
		t, wait, ok := s.gate.enter(writes, time.Now())
		if !ok {
			if wait < 0 { // a probe is under way
				wait = 50 * time.Millisecond
			}
			if end, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(end) {
				return it, t, false
			}
			if !sleep(ctx, wait, nil) {
				return it, t, false
			}
			continue
		}
		if s.limits[writes].Wait(ctx) != nil {
			s.gate.cancel(t)
			return it, t, false
		}
		list.mu.Lock()
		defer list.mu.Unlock()
		if len(list.todo) == 0 {
			s.gate.cancel(t)
			return it, t, false
		}
		it = list.todo[0]
		list.todo = list.todo[1:]
		return it, t, true
	}
}
