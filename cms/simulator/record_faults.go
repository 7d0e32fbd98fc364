package simulator

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// HoldRecords makes posts wait until ReleaseRecords; one that is under way
// ends, and is not tried again meanwhile.
func (b *Bridge) HoldRecords() { b.setPaused(true) }

// ReleaseRecords: see HoldRecords.
func (b *Bridge) ReleaseRecords() { b.setPaused(false) }

func (b *Bridge) setPaused(paused bool) {
	defer b.lock()()
	b.paused = paused
	b.wake()
}

// DropReceivers with on puts all receivers out of reach: posts are not even
// tried, one that is under way still ends, and once a record waits
// /system/alarms tells of cdrConnectionFailure until a receiver has acknowledged
// something again. With a short queue, see SetQueue, records are discarded
// meanwhile, and the first one that goes out afterwards tells how many.
func (b *Bridge) DropReceivers(on bool) {
	defer b.lock()()
	b.cutOff = on
	for _, s := range b.senders {
		if on && !s.idle() {
			s.fails()
		}
	}
	b.wake()
	b.cluster.touch()
}

// SetQueue sets how many records wait for one receiver from now on; 0: what
// Options.Queue says. What waits above that is discarded, the oldest first. The
// records of a post that is under way are past the queue.
func (b *Bridge) SetQueue(n int) {
	defer b.lock()()
	b.queue = cmp.Or(max(0, n), b.cluster.opts.Queue)
	for _, s := range b.senders {
		s.trim(b.queue)
	}
	b.cluster.touch()
}

// SetClockSkew sets how far the clock of the Call Bridge is ahead of Options.Now,
// or behind it when negative: cdrTime and the times of its records follow.
// Durations and the expiry of messages do not.
func (b *Bridge) SetClockSkew(d time.Duration) {
	defer b.lock()()
	b.skew = d
	b.cluster.touch()
}

// clock is the time that the Call Bridge believes in.
func (b *Bridge) clock() time.Time { return b.cluster.now().Add(b.skew) }

// LoseRecords makes the next n records vanish: they take an index each, and
// nothing tells of them.
func (b *Bridge) LoseRecords(n int) {
	defer b.lock()()
	b.lose = n
}

// DiscardRecords makes the next n records vanish as if a queue had been full:
// the record after them tells how many are missing.
func (b *Bridge) DiscardRecords(n int) {
	defer b.lock()()
	b.discard = n
}

// DuplicatePosts sends the next n posts twice, to every receiver.
func (b *Bridge) DuplicatePosts(n int) {
	defer b.lock()()
	for _, s := range b.senders {
		s.duplicate = n
	}
}

// ReorderPosts sends the records of the next n posts one by one, in a wrong
// order. With HoldRecords before and ReleaseRecords after some changes it is
// sure that there is something to reorder.
func (b *Bridge) ReorderPosts(n int) {
	defer b.lock()()
	for _, s := range b.senders {
		s.reorder = n
	}
}

// SendRaw posts any body to the first receiver, past the queue, and returns the
// status of the answer.
func (b *Bridge) SendRaw(ctx context.Context, body []byte) (status int, err error) {
	b.cluster.mu.Lock()
	if len(b.senders) == 0 || b.senders[0].done == nil {
		b.cluster.mu.Unlock()
		return 0, errors.New("simulator: send raw: no receiver, or the cluster does not run")
	}
	s := b.senders[0]
	uri := s.uri
	b.cluster.mu.Unlock()
	return s.poster.Post(ctx, uri, body)
}
