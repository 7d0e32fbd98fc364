package receiver

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"callmark/policy"
	"callmark/receiver/cdr"
)

const (
	healthPath = "/healthz"

	// maxHead is how much of a document is searched for its session when it
	// cannot be read.
	maxHead = 2048

	// Refusals of one cause and source are logged once in so long, with their
	// number; so are they reported to the board.
	refusalLogEvery = time.Minute
	reportEvery     = time.Second
)

// Server takes records over HTTP. Make it with New, Start it once, and Stop it.
type Server struct {
	o       Options
	board   Board
	server  *fasthttp.Server
	ln      net.Listener
	served  chan struct{} // closed when serving has ended
	work    sync.Pool     // *work
	refused refused

	mu       sync.Mutex
	status   policy.ReceiverStatus
	reported time.Time
	logged   map[string]refusals // by cause and source
}

// refusals counts refusals of one kind since they were last logged.
type refusals struct {
	at time.Time
	n  int
}

// work is what one request needs, kept for the next.
type work struct {
	decoder cdr.Decoder
	doc     cdr.Document
	events  []policy.Event
}

// New makes a receiver; an option that cannot be used is an error.
func New(board Board, o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{o: o, board: board, refused: refused{dir: o.RefusedDir}, logged: map[string]refusals{}, served: make(chan struct{})}
	s.work.New = func() any {
		return &work{decoder: cdr.Decoder{Limits: cdr.Limits{MaxBytes: o.MaxBody}}}
	}
	s.server = &fasthttp.Server{
		Handler:                      s.handle,
		ErrorHandler:                 s.handleError,
		Concurrency:                  o.MaxConns,
		ReadTimeout:                  o.ReadTimeout,
		WriteTimeout:                 o.ReadTimeout,
		IdleTimeout:                  o.IdleTimeout,
		MaxRequestBodySize:           o.MaxBody,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		Logger:                       quiet{},
	}
	return s, nil
}

// quiet swallows what fasthttp says of each broken connection: handleError and
// the counters tell it.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// Start listens and serves until Stop. The error of a port that cannot be had
// says what to do.
func (s *Server) Start() error {
	ln, err := net.Listen("tcp", s.o.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: another program uses the port: stop it, or set receiver.listen", s.o.Listen)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: not permitted: choose a port above 1023 in receiver.listen", s.o.Listen)
	case err != nil:
		return fmt.Errorf("listen on %s: %w: set receiver.listen", s.o.Listen, err)
	}
	s.Serve(ln)
	return nil
}

// Serve is Start on a listener that is there already. It does not wait.
func (s *Server) Serve(ln net.Listener) {
	s.ln = ln
	s.mu.Lock()
	s.status.Listen, s.status.Open = ln.Addr().String(), true
	status := s.status
	s.mu.Unlock()
	s.board.ReportReceiver(status)
	s.o.Go("receiver", func() {
		defer close(s.served)
		if err := s.server.Serve(ln); err != nil {
			s.o.Log.Error("receiver ended", "problem", err.Error())
		}
	})
}

// Addr is the address that the receiver listens on, once started.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Stop takes no more requests and waits for those under way, until ctx ends.
// Call Bridges keep what is not acknowledged, and send it again.
func (s *Server) Stop(ctx context.Context) error {
	if s.ln == nil {
		return nil
	}
	if err := s.server.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("stop the receiver: %w", err)
	}
	select {
	case <-s.served:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the receiver: %w", ctx.Err())
	}
}

// handle answers one request. A panic costs that request and nothing else.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	defer func() {
		if problem := recover(); problem != nil {
			s.o.Log.Error("panic in a request", "source", sourceOf(ctx), "problem", fmt.Sprint(problem), "stack", string(debug.Stack()))
			s.refuse(ctx, fasthttp.StatusInternalServerError, "internal error", fmt.Sprint(problem))
		}
	}()
	switch path := string(ctx.Path()); {
	case path == s.o.Path && ctx.IsPost():
		s.take(ctx)
	case path == s.o.Path:
		answer(ctx, fasthttp.StatusMethodNotAllowed, "records come by POST")
		ctx.Response.Header.Set("Allow", "POST")
	case path == healthPath && (ctx.IsGet() || ctx.IsHead()):
		answer(ctx, fasthttp.StatusOK, "ok")
	case path == healthPath:
		answer(ctx, fasthttp.StatusMethodNotAllowed, "ask by GET")
		ctx.Response.Header.Set("Allow", "GET, HEAD")
	default:
		answer(ctx, fasthttp.StatusNotFound, "nothing here: records go to "+s.o.Path)
	}
}

// take applies a document.
func (s *Server) take(ctx *fasthttp.RequestCtx) {
	if len(ctx.Request.Header.ContentEncoding()) > 0 {
		s.refuse(ctx, fasthttp.StatusUnsupportedMediaType, "content encoding", "documents are sent as they are, without a content encoding")
		return
	}
	w := s.work.Get().(*work)
	defer s.work.Put(w)
	if err := w.decoder.Decode(ctx.PostBody(), &w.doc); err != nil {
		status := fasthttp.StatusBadRequest
		if errors.Is(err, cdr.ErrTooLarge) {
			status = fasthttp.StatusRequestEntityTooLarge
		}
		s.refuse(ctx, status, causeOf(err), err.Error())
		return
	}
	w.events = appendEvents(w.events[:0], &w.doc)
	src := policy.Source{Session: w.doc.Session, CallBridge: w.doc.CallBridge, Address: sourceOf(ctx)}
	s.board.Apply(s.o.Now(), src, w.events)
	clear(w.events) // it holds texts of strangers until the next document
	if cap(w.events) > 1024 {
		w.events = nil
	}
	// Without a length a keep-alive client would wait for more.
	ctx.Response.Header.SetContentLength(0)
}

// causeOf sorts a decoding error into the few causes that are told apart.
func causeOf(err error) string {
	for _, sentinel := range []error{cdr.ErrTooLarge, cdr.ErrTooDeep, cdr.ErrTooManyRecords, cdr.ErrTooManyAttributes} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	return "malformed document"
}

// refuse answers a document that cannot be taken; the second time that it
// comes, it is written aside and acknowledged, lest the queue behind it stalls.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, status int, cause, reason string) {
	ctx.Response.Reset()
	body := ctx.PostBody()
	source := sourceOf(ctx)
	f := fingerprint(sha256.Sum256(body))
	if s.refused.again(f) {
		kept := s.refused.keep(s.o.Now(), f, body)
		s.setAside(ctx, headOf(body), source, reason, kept)
		return
	}
	answer(ctx, status, reason)
	s.count(source, cause, reason, false)
}

// setAside acknowledges a document unread.
func (s *Server) setAside(ctx *fasthttp.RequestCtx, src policy.Source, source, reason, kept string) {
	src.Address = source
	s.board.SetAside(s.o.Now(), src, reason+"; "+kept)
	s.o.Log.Warn("document set aside", "source", source, "session", src.Session, "reason", reason, "document", kept)
	ctx.Response.Reset()
	ctx.Response.Header.SetContentLength(0)
	s.count(source, "set aside", reason, true)
}

// handleError answers what fasthttp could not read as a request.
func (s *Server) handleError(ctx *fasthttp.RequestCtx, err error) {
	source := sourceOf(ctx)
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		reason := fmt.Sprintf("the document is larger than %d bytes", s.o.MaxBody)
		length := ctx.Request.Header.ContentLength()
		f := fingerprint(sha256.Sum256([]byte("large\x00" + source + "\x00" + strconv.Itoa(length))))
		if ctx.IsPost() && string(ctx.Path()) == s.o.Path && s.refused.again(f) {
			s.setAside(ctx, policy.Source{}, source, reason, "not kept: it is too large")
		} else {
			answer(ctx, fasthttp.StatusRequestEntityTooLarge, reason)
			s.count(source, "document too large", reason, false)
		}
	case errors.As(err, &timeout) && timeout.Timeout():
		answer(ctx, fasthttp.StatusRequestTimeout, "the request came too slowly")
		s.count(source, "too slow", "the request did not come in time", false)
	default:
		answer(ctx, fasthttp.StatusBadRequest, "this is no HTTP request")
		s.count(source, "no HTTP request", err.Error(), false)
	}
	ctx.SetConnectionClose()
}

// count counts a refusal, logs the first of its kind and source, then their
// number once in a while, and reports to the board.
func (s *Server) count(source, cause, reason string, aside bool) {
	now := s.o.Now()
	s.mu.Lock()
	if aside {
		s.status.SetAside++
	} else {
		s.status.Refused++
	}
	s.status.LastCause = source + ": " + reason
	key := source + " " + cause
	r := s.logged[key]
	r.n++
	say := r.n
	if due := r.at.IsZero() || now.Sub(r.at) >= refusalLogEvery; due {
		r = refusals{at: now}
	} else {
		say = 0
	}
	if len(s.logged) >= maxFingerprints {
		clear(s.logged) // hostile senders: begin again rather than grow
	}
	s.logged[key] = r
	report := aside || now.Sub(s.reported) >= reportEvery
	if report {
		s.reported = now
	}
	status := s.status
	s.mu.Unlock()
	if say > 0 && !aside {
		s.o.Log.Log(context.Background(), slog.LevelWarn, "request refused", "source", source, "cause", cause, "reason", policy.Clean(reason, 300), "times", say)
	}
	if report {
		s.board.ReportReceiver(status)
	}
}

// answer sends a status and one line of text.
func answer(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.Response.Reset()
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text + "\n")
}

// sourceOf is the sender's address, without its port.
func sourceOf(ctx *fasthttp.RequestCtx) string {
	a, err := netip.ParseAddrPort(ctx.RemoteAddr().String())
	if err != nil {
		return ctx.RemoteAddr().String()
	}
	return a.Addr().Unmap().WithZone("").String()
}

var (
	sessionText = regexp.MustCompile(`session\s*=\s*["']([0-9A-Fa-f-]{1,64})["']`)
	bridgeText  = regexp.MustCompile(`callBridge\s*=\s*["']([0-9A-Fa-f-]{1,64})["']`)
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
