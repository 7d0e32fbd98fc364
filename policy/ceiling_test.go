package policy

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ceilingMB is what the package's comment states: the most that a board with the
// default bounds keeps alive, whatever is sent.
const ceilingMB = 1024

// wide is a text of so many characters, as many bytes as Clean leaves of any, that
// no other call of it gives.
func wide(n int, chars int) string {
	s := fmt.Sprintf("%d ", n)
	return s + strings.Repeat("\U00020000", max(0, chars-len(s)))
}

// widest is the address that keeps most: of as many bytes as are read, and with as
// much to show.
func widest(n int) string {
	s := fmt.Sprintf("%d", n)
	return s + strings.Repeat("\xff", maxShown-len(s)) + strings.Repeat("x", maxAddress-maxShown)
}

// fill fills every bound of a board with the widest texts.
func fill(b *Board, bounds Bounds) {
	now, n := t0, 0
	const server = "cms1"
	b.Follow(now, server)
	b.ReportServer(now, ServerStatus{Server: server, State: ServerUp, Identified: true, CallBridge: "A"})
	next := func() int { n++; return n }
	type line struct {
		src   Source
		index int64
	}
	put := func(l *line, e Event) {
		e.Index, e.Time = l.index, now
		l.index++
		b.Apply(now, l.src, []Event{e})
	}
	sessions := make([]*line, bounds.Sessions-1)
	for i := range sessions {
		sessions[i] = &line{src: Source{Session: wide(next(), maxID), CallBridge: wide(next(), maxID), Address: wide(i, maxID)}}
		put(sessions[i], Event{})
		b.Bind(now, Clean(sessions[i].src.Session, maxID), wide(i, maxID), Proven)
		for range maxSpans {
			sessions[i].index += 2
			b.sessions[Clean(sessions[i].src.Session, maxID)].seen.add(sessions[i].index)
		}
		sessions[i].index++
	}
	calls := make([]string, bounds.Calls)
	for i := range calls {
		calls[i] = wide(next(), maxID)
		put(sessions[i%len(sessions)], Event{Kind: CallStarted, Call: CallFacts{ID: calls[i], Name: wide(next(), maxName), Correlator: wide(next(), maxID)}})
	}
	for i := range bounds.Legs {
		c := i % len(calls)
		put(sessions[c%len(sessions)], Event{Kind: LegStarted, Leg: LegFacts{ID: wide(next(), maxID), Name: wide(next(), maxName),
			RemoteParty: widest(next()), Call: calls[c], Connected: true, Group: wide(next(), maxID)}})
	}
	for _, l := range sessions { // the journal holds what the legs no longer do
		legs := 0
		for leg := range b.sessions[Clean(l.src.Session, maxID)].legs {
			if legs++; legs > bounds.Journal/bounds.Sessions+1 {
				break
			}
			put(l, Event{Kind: LegUpdated, Leg: LegFacts{ID: leg, RemoteAddress: fmt.Sprintf("%d@%s.secure.example", next(), strings.Repeat("x", 60)), Name: wide(next(), maxName)}})
			put(l, Event{Kind: LegUpdated, Leg: LegFacts{ID: leg, RemoteAddress: widest(next()), Name: wide(next(), maxName)}})
		}
	}
	for i := range 2 * bounds.Alarms {
		b.Raise(now, Alarm{Key: wide(i, maxProblem), Text: wide(i, maxProblem), Remedy: wide(i, maxProblem)})
	}
	// Who is hosted elsewhere, as a server tells.
	b.mu.Lock()
	var questions []Question
	for _, s := range b.sessions {
		for id, c := range s.calls {
			if c.meeting != nil {
				questions = append(questions, Question{Kind: AskParticipants, Server: s.server, ID: id, key: s.keys[0], at: now})
			}
		}
	}
	b.mu.Unlock()
	for i, q := range questions {
		if b.away >= bounds.Legs/4 {
			break
		}
		people := make([]PersonFacts, min(bounds.LegsPerCall, max(1, bounds.Legs/100)))
		for j := range people {
			people[j] = PersonFacts{Name: wide(next(), maxName), URI: widest(next()), CallBridge: wide(i, maxID)}
		}
		b.AnswerParticipants(now, q, people, true)
	}
	b.Tick(now.Add(time.Minute))
	b.Since(0)
}

// filled is what a full board keeps alive, in MB.
func filled(bounds Bounds, t testing.TB) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b := NewBoard(Options{Rules: siteRules(t), Bounds: bounds})
	fill(b, b.o.Bounds)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if o := b.o.Bounds; b.legs < o.Legs || b.calls < o.Calls || len(b.sessions) < o.Sessions-1 || len(b.journal.ring) < o.Journal || len(b.alarms.all) < o.Alarms || b.away < o.Legs/4 {
		t.Fatalf("not full: %d legs, %d calls, %d sessions, %d entries, %d alarms, %d people elsewhere",
			b.legs, b.calls, len(b.sessions), len(b.journal.ring), len(b.alarms.all), b.away)
	}
	runtime.KeepAlive(b)
	return float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
}

// A board of a tenth of the bounds keeps less than a tenth of what the package's
// comment states. BenchmarkCeiling is the whole of it.
func TestCeiling(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills a board")
	}
	mb := filled(Bounds{Sessions: 26, Calls: 5_000, Legs: 25_000, Journal: 1_638, Alarms: 26}, t)
	t.Logf("%.0f MB", mb)
	if mb > ceilingMB/10 {
		t.Errorf("a tenth of the bounds keeps %.0f MB, more than a tenth of %d", mb, ceilingMB)
	}
}

// What a board keeps alive at most. Run it alone, once: -bench Ceiling -benchtime 1x.
func BenchmarkCeiling(b *testing.B) {
	for b.Loop() {
		mb := filled(Bounds{}, b)
		b.ReportMetric(mb, "MB")
		if mb > ceilingMB {
			b.Fatalf("%.0f MB, more than %d", mb, ceilingMB)
		}
	}
}
