package receiver

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"callmark/policy"
)

const (
	reportEvery = time.Second // to the board, at most
	logEvery    = time.Minute // one line for one cause and source, at most

	// maxSources bounds the causes and sources that are told apart in one
	// logEvery; what is beyond shares a line for each cause.
	maxSources = 256

	otherSources = "others"
)

// Stats counts what a receiver has done since it was made.
type Stats struct {
	Documents   uint64 // applied
	Records     uint64 // in them
	Refused     uint64 // documents and requests
	SetAside    uint64 // documents acknowledged unread
	Panics      uint64
	Connections int // open now

	Refusals []Refusal // by cause and source, in this order
}

// stats is where Stats are counted.
type stats struct {
	documents, records, refused, aside, panics atomic.Uint64
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	return Stats{
		Documents: s.stats.documents.Load(), Records: s.stats.records.Load(), Refused: s.stats.refused.Load(),
		SetAside: s.stats.aside.Load(), Panics: s.stats.panics.Load(), Connections: s.conns.count() + s.strangers.count(),
		Refusals: s.report.refusals(),
	}
}

// reporter tells of refusals, to the log and to the board, without letting
// whoever causes them flood either.
type reporter struct {
	log   *slog.Logger
	dirty chan struct{} // holds a value while the board does not know the status

	mu     sync.Mutex
	status policy.ReceiverStatus
	lines  map[line]*repeats
	totals refusals
}

// line is what is logged once in a while.
type line struct {
	source string
	cause  cause
}

// repeats counts what was not logged since the last line.
type repeats struct {
	logged time.Time
	n      int
}

func newReporter(log *slog.Logger) reporter {
	return reporter{log: log, dirty: make(chan struct{}, 1), lines: map[line]*repeats{}, totals: refusals{}}
}

// listening says where the receiver listens, and returns the status.
func (r *reporter) listening(address string, open bool) policy.ReceiverStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Listen, r.status.Open = address, open
	return r.status
}

// refused counts a refusal and reports whether it is to be logged.
func (r *reporter) refused(now time.Time, source string, why cause, reason string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Refused++
	r.totals.add(source, why)
	r.caused(source, reason)
	return r.isDue(now, source, why)
}

func (r *reporter) refusals() []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.totals.list()
}

// setAside counts a document that was acknowledged unread, likewise.
func (r *reporter) setAside(now time.Time, source, reason string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.SetAside++
	r.caused(source, reason)
	return r.isDue(now, source, causeAside)
}

func (r *reporter) caused(source, reason string) {
	r.status.LastCause = source + ": " + reason
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// due reports whether something is to be logged, and counts it if not.
func (r *reporter) due(now time.Time, source string, why cause) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A panic's line is its own, beside that of the refusal which follows it.
	return r.isDue(now, source, why+" in detail")
}

func (r *reporter) isDue(now time.Time, source string, why cause) bool {
	key := line{source, why}
	l := r.lines[key]
	if l == nil && len(r.lines) >= maxSources {
		key.source = otherSources
		l = r.lines[key]
	}
	if l == nil {
		r.lines[key] = &repeats{logged: now}
		return true
	}
	l.n++
	return false
}

// repeated logs how often what was logged came again, and forgets what did not.
func (r *reporter) repeated(now time.Time, all bool) {
	type count struct {
		line
		n int
	}
	var counts []count
	r.mu.Lock()
	for key, l := range r.lines {
		if !all && now.Sub(l.logged) < logEvery {
			continue
		}
		if l.n == 0 {
			delete(r.lines, key)
			continue
		}
		counts = append(counts, count{key, l.n})
		*l = repeats{logged: now}
	}
	r.mu.Unlock()
	for _, c := range counts {
		r.log.Warn("refused again", "source", c.source, "cause", string(c.cause), "times", c.n)
	}
}

// run reports until quit, and then once more.
func (r *reporter) run(quit <-chan struct{}, now func() time.Time, report func(policy.ReceiverStatus)) {
	lines := time.NewTicker(logEvery / 4)
	defer lines.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	<-pause.C
	dirty := r.dirty // nil while it is too early to report again
	for over := false; !over; {
		select {
		case <-dirty:
			report(r.snapshot())
			dirty = nil
			pause.Reset(reportEvery)
		case <-pause.C:
			dirty = r.dirty
		case <-lines.C:
			r.repeated(now(), false)
		case <-quit:
			over = true
		}
	}
	select {
	case <-r.dirty:
		report(r.snapshot())
	default:
	}
	r.repeated(now(), true)
}

func (r *reporter) snapshot() policy.ReceiverStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}
