package receiver

import (
	"container/list"
	"crypto/sha256"
	"regexp"
	"sync"

	"github.com/valyala/fasthttp"

	"callmark/policy"
)

const (
	// maxRemembered is how many refused documents are known again. A stranger
	// who sends garbage must not make us forget a Call Bridge's too easily.
	maxRemembered = 16_384

	// maxHead is how much of a document is searched for its session when it
	// cannot be read.
	maxHead = 4 << 10

	maxReason = 200 // characters

	keepAlarm = "receiver/refused"
)

// cause is what a refusal is counted and logged under.
type cause string

const (
	causeMalformed cause = "malformed document"
	causeTooLarge  cause = "document too large"
	causeEncoded   cause = "encoded document"
	causePanic     cause = "panic"
	causeAside     cause = "document set aside"
	causeSlow      cause = "too slow"
	causeCut       cause = "cut off"
	causeBusy      cause = "busy"
	causeCrowded   cause = "too many connections"
	causeOften     cause = "too many requests"
	causeRequest   cause = "bad request"
	causeMethod    cause = "wrong method"
	causePath      cause = "wrong path"
	causeSender    cause = "sender not believed"
)

// identity tells one refused document from others.
type identity [sha256.Size]byte

// refusal is a document that cannot be taken, and why.
type refusal struct {
	status int
	cause  cause
	reason string
	id     identity
	head   policy.Source // what could be made out of it
	body   []byte        // nil when it was too large to be kept
}

// refuse answers a document that cannot be taken. The second time that it
// comes it is written aside and acknowledged: its sender would repeat it for
// ever, and all its later records would wait behind it.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, source string, f refusal) {
	seen, before := s.memory.seen(f.id)
	if !seen {
		s.deny(ctx, f.status, f.cause, f.reason)
		return
	}
	kept := before
	if kept == "" {
		kept = s.keep(f)
	}
	f.head.Address = source
	s.guard("setting a document aside", func() { s.board.SetAside(s.o.Now(), f.head, f.reason+"; "+kept) })
	s.stats.aside.Add(1)
	if s.report.setAside(s.o.Now(), source, f.reason) {
		s.o.Log.Warn("document set aside", "source", source, "session", f.head.Session, "reason", f.reason, "document", kept)
	}
	// Only 200 without a body acknowledges.
}

// keep writes a document aside and says where it is, or why it is not. That it
// could not be kept does not keep it from being acknowledged.
func (s *Server) keep(f refusal) string {
	if f.body == nil {
		s.memory.note(f.id, "not kept, it is too large")
		return "not kept, it is too large"
	}
	if s.o.RefusedDir == "" {
		return "not kept, receiver.refused_dir is not set"
	}
	now := s.o.Now()
	name, err := s.folder.keep(now, f.id, f.body)
	if err != nil {
		s.keepFailed.Store(true)
		s.guard("raising an alarm", func() {
			s.board.Raise(now, policy.Alarm{
				Key: keepAlarm, Text: "a refused document could not be kept: " + err.Error(),
				Remedy: "see that receiver.refused_dir can be written to and its disk has room",
			})
		})
		return "not kept: " + policy.Clean(err.Error(), maxReason)
	}
	if s.keepFailed.Swap(false) {
		s.guard("lowering an alarm", func() { s.board.Lower(now, keepAlarm) })
	}
	s.memory.note(f.id, "kept as "+name)
	return "kept as " + name
}

// refused counts a refusal.
func (s *Server) refused(source string, why cause, reason string) {
	s.stats.refused.Add(1)
	if s.report.refused(s.o.Now(), source, why, reason) {
		s.o.Log.Warn("request refused", "source", source, "cause", string(why), "reason", reason)
	}
}

var (
	sessionText = regexp.MustCompile(`\bsession\s*=\s*["']\s*([0-9A-Fa-f-]{8,64})\s*["']`)
	bridgeText  = regexp.MustCompile(`\bcallBridge\s*=\s*["']\s*([0-9A-Fa-f-]{8,64})\s*["']`)
)

// headOf looks for the session of a document that cannot be read as a whole.
func headOf(body []byte) policy.Source {
	head := body[:min(len(body), maxHead)]
	var src policy.Source
	if m := sessionText.FindSubmatch(head); m != nil {
		src.Session = string(m[1])
	}
	if m := bridgeText.FindSubmatch(head); m != nil {
		src.CallBridge = string(m[1])
	}
	return src
}

// memory knows the documents that were refused, the latest so many of them.
type memory struct {
	max int

	mu     sync.Mutex
	known  map[identity]*list.Element
	recent list.List // of *remembered, newest first
}

type remembered struct {
	id   identity
	kept string // what became of it, once it was set aside
}

// seen reports whether a document was refused before, remembers it, and returns
// what became of it.
func (m *memory) seen(id identity) (bool, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.known[id]; e != nil {
		m.recent.MoveToFront(e)
		return true, e.Value.(*remembered).kept
	}
	if m.known == nil {
		m.known = map[identity]*list.Element{}
	}
	m.known[id] = m.recent.PushFront(&remembered{id: id})
	if m.recent.Len() > m.max {
		oldest := m.recent.Back()
		m.recent.Remove(oldest)
		delete(m.known, oldest.Value.(*remembered).id)
	}
	return false, ""
}

// note says what became of a document.
func (m *memory) note(id identity, kept string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.known[id]; e != nil {
		e.Value.(*remembered).kept = kept
	}
}
