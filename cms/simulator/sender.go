package simulator

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"callmark/receiver/cdr"
)

// sender posts one Call Bridge's records to one receiver: one post at a time,
// in order, each again and again until it is acknowledged with 200.
type sender struct {
	bridge *Bridge
	id     string // under /system/cdrReceivers
	poster Poster
	kick   chan struct{} // holds a token when there may be something to do
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended; nil before start

	// Guarded by cluster.mu.
	uri       string
	queue     []waiting
	missed    int64 // discarded right before the next record that is added
	index     int64 // recordIndex of the record that was posted last
	epoch     int   // counts resets
	posting   bool
	failing   time.Time // since when posts fail; zero: they do not
	duplicate int
	reorder   int
	stats     Deliveries
}

// waiting is a record in a queue; several senders share it.
type waiting struct {
	record  *cdr.Record
	missing int64
}

// Deliveries counts what a Call Bridge's posts came to, for all its receivers.
type Deliveries struct {
	Posts        int // tried
	Acknowledged int // answered with 200
	Failed       int // answered otherwise, or not
	Discarded    int // records, since the queue was full or a test wanted it
	Waiting      int // records
}

func newSender(b *Bridge, uri string) *sender {
	return &sender{bridge: b, id: newGUID(b.rng), uri: uri, kick: make(chan struct{}, 1)}
}

// start begins to post, if the cluster runs.
func (s *sender) start() {
	c := s.bridge.cluster
	ctx, cancel := context.WithCancel(c.ctx)
	s.cancel = cancel
	s.done = make(chan struct{})
	s.poster = c.opts.NewPoster()
	done := s.done
	c.wg.Go(func() {
		defer close(done)
		defer s.poster.Close()
		defer cancel()
		s.run(ctx)
	})
}

// stop makes the sender end; wait waits for it, without the cluster's lock.
func (s *sender) stop() {
	if s.cancel != nil {
		s.cancel()
	}
}

func (s *sender) wait() {
	if s.done != nil {
		<-s.done
	}
}

// add puts a record into the queue. When the queue is full its oldest record is
// discarded, and the next one tells.
func (s *sender) add(r *cdr.Record) {
	s.trim(s.bridge.queue - 1)
	s.queue = append(s.queue, waiting{r, s.missed})
	s.missed = 0
	if s.bridge.cutOff {
		s.fails()
	}
}

// trim discards the oldest records until no more than most wait.
func (s *sender) trim(most int) {
	for len(s.queue) > most {
		gone := s.queue[0].missing + 1
		s.queue[0] = waiting{}
		s.queue = s.queue[1:]
		s.stats.Discarded++
		if len(s.queue) > 0 {
			s.queue[0].missing += gone
		} else {
			s.missed += gone
		}
	}
}

// fails notes that the receiver cannot be reached.
func (s *sender) fails() {
	if s.failing.IsZero() {
		s.failing = s.bridge.cluster.now()
	}
}

// miss notes a record that was discarded instead of added.
func (s *sender) miss() {
	s.missed++
	s.stats.Discarded++
}

// reset forgets everything, as a restart does.
func (s *sender) reset() {
	s.queue, s.missed, s.index, s.failing = nil, 0, 0, time.Time{}
	s.epoch++
	s.wakeUp()
}

func (s *sender) wakeUp() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *sender) idle() bool { return len(s.queue) == 0 && !s.posting }

// run posts until ctx ends.
func (s *sender) run(ctx context.Context) {
	for s.wantsToPost(ctx) {
		docs, epoch := s.take()
		for _, doc := range docs {
			s.deliver(ctx, cdr.Append(nil, doc), epoch)
		}
		s.taken()
	}
}

// wantsToPost waits until there are records that may go out, and has the Call
// Bridge's feed make some when there are none; false: ctx ended.
func (s *sender) wantsToPost(ctx context.Context) bool {
	b := s.bridge
	for {
		var next func() bool
		ok := s.await(ctx, func() bool {
			next = nil
			if len(s.queue) == 0 {
				next = b.feed
			}
			return (len(s.queue) > 0 || next != nil) && !b.holds()
		})
		if !ok || next == nil {
			return ok
		}
		if !next() {
			b.Feed(nil)
		}
	}
}

// await waits until ready, which it asks under the lock.
func (s *sender) await(ctx context.Context, ready func() bool) bool {
	c := s.bridge.cluster
	for {
		c.mu.Lock()
		ok := ready()
		c.mu.Unlock()
		if ok && ctx.Err() == nil {
			return true
		}
		select {
		case <-s.kick:
		case <-ctx.Done():
			return false
		}
	}
}

// take takes records off the queue and makes documents of them, to be posted
// one after the other. The records get their recordIndex here, once.
func (s *sender) take() (docs []*cdr.Document, epoch int) {
	b := s.bridge
	defer b.lock()()
	n := min(len(s.queue), b.cluster.opts.Batch)
	doc := &cdr.Document{Session: b.session}
	if !b.cluster.opts.Standalone && !b.cluster.opts.AnonymousRecords {
		doc.CallBridge = b.guid
	}
	for _, w := range s.queue[:n] {
		s.index++
		r := *w.record
		r.RecordIndex = s.index
		r.Missing = w.missing
		doc.Records = append(doc.Records, r)
	}
	clear(s.queue[:n])
	s.queue = s.queue[n:]
	s.posting = n > 0
	docs = []*cdr.Document{doc}
	if s.reorder > 0 {
		s.reorder--
		docs = shuffle(b.rng, doc)
	}
	if s.duplicate > 0 {
		s.duplicate--
		docs = append(docs, docs...)
	}
	return docs, s.epoch
}

// shuffle makes a document of each record, in an order that is not theirs.
func shuffle(rng *rand.Rand, doc *cdr.Document) []*cdr.Document {
	var docs []*cdr.Document
	for _, r := range doc.Records {
		docs = append(docs, &cdr.Document{Session: doc.Session, CallBridge: doc.CallBridge, Records: []cdr.Record{r}})
	}
	if len(docs) == 2 {
		slices.Reverse(docs)
		return docs
	}
	rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	return docs
}

// taken notes that all that was taken is delivered.
func (s *sender) taken() {
	defer s.bridge.lock()()
	s.posting = false
	s.bridge.cluster.touch()
}

// deliver posts a document until it is acknowledged. A restart of the Call
// Bridge ends that as well: then nobody knows of the document any more.
func (s *sender) deliver(ctx context.Context, body []byte, epoch int) {
	c := s.bridge.cluster
	for {
		if !s.await(ctx, func() bool { return !s.bridge.holds() || s.epoch != epoch }) {
			return
		}
		c.mu.Lock()
		uri, stale := s.uri, s.epoch != epoch
		c.mu.Unlock()
		if stale {
			return
		}
		status, err := s.poster.Post(ctx, uri, body)
		ok := err == nil && status == http.StatusOK
		s.note(ok, epoch)
		if ok || !s.pause(ctx, epoch) {
			return
		}
	}
}

// pause waits before the next try; false: there is no next try.
func (s *sender) pause(ctx context.Context, epoch int) bool {
	c := s.bridge.cluster
	timer := time.NewTimer(c.opts.ResendPause)
	defer timer.Stop()
	for {
		c.mu.Lock()
		stale := s.epoch != epoch
		c.mu.Unlock()
		if stale {
			return false
		}
		select {
		case <-timer.C:
			return true
		case <-s.kick:
		case <-ctx.Done():
			return false
		}
	}
}

// note counts the outcome of a post.
func (s *sender) note(ok bool, epoch int) {
	c := s.bridge.cluster
	defer s.bridge.lock()()
	s.stats.Posts++
	switch {
	case ok:
		s.stats.Acknowledged++
		if !s.bridge.cutOff || len(s.queue) == 0 {
			s.failing = time.Time{}
		}
	default:
		s.stats.Failed++
		if s.epoch == epoch {
			s.fails()
		}
	}
	c.touch()
}

// holds tells whether posts wait.
func (b *Bridge) holds() bool { return b.held > 0 || b.paused || b.cutOff }

// setReceivers replaces the receivers and returns the senders that end.
func (b *Bridge) setReceivers(uris []string) (gone []*sender) {
	old := b.senders
	b.senders = nil
	for _, uri := range uris {
		i := slices.IndexFunc(old, func(s *sender) bool { return s.uri == uri })
		if i >= 0 {
			b.senders = append(b.senders, old[i])
			old = slices.Delete(old, i, i+1)
			continue
		}
		b.addReceiver(uri)
	}
	for _, s := range old {
		s.stop()
	}
	return old
}

func (b *Bridge) addReceiver(uri string) *sender {
	s := newSender(b, uri)
	b.senders = append(b.senders, s)
	if b.cluster.running && !b.cluster.closed {
		s.start()
	}
	return s
}

// Deliveries returns what became of the posts of the present receivers.
func (b *Bridge) Deliveries() Deliveries {
	defer b.lock()()
	var sum Deliveries
	for _, s := range b.senders {
		sum.Posts += s.stats.Posts
		sum.Acknowledged += s.stats.Acknowledged
		sum.Failed += s.stats.Failed
		sum.Discarded += s.stats.Discarded
		sum.Waiting += len(s.queue)
	}
	return sum
}
