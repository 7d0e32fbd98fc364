package receiver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

	"callmark/policy"
)

const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"

	// How long to wait after a connection could not be accepted, doubling from
	// the first to the second.
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second

	// lastWait is for requests to notice that their connections were closed.
	lastWait = time.Second

	acceptAlarm = "receiver/accept"
)

// Server takes records over HTTP. Make it with New, Start it once, and Stop it.
type Server struct {
	o       Options
	board   Board
	http    *fasthttp.Server
	certs   *certificates // nil: plain HTTP
	token   tokenHash
	conns   conns
	path    string       // of records, as it stands in a request
	works   sync.Pool    // of *work
	large   atomic.Int64 // bytes that large documents hold
	unknown atomic.Int64 // of these, of no connection of ours

	// appliers are those that have nothing to do.
	appliers chan *applier
	stats    stats
	counts   counts

	memory memory
	folder folder
	report reporter

	keepFailed atomic.Bool // keepAlarm is raised

	strangers conns // from addresses that are not allowed
	answers   *rate.Limiter

	mu      sync.Mutex
	ln      net.Listener
	stopped bool
	stop    chan struct{} // closed when Stop begins
	ended   chan struct{} // closed when every goroutine is done
}

// New makes a receiver; an option that cannot be used is an error.
func New(board Board, o Options) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	certs, err := newCertificates(o, board)
	if err != nil {
		return nil, err
	}
	s := &Server{
		o: o, board: board, certs: certs, token: newTokenHash(o.Token.Reveal()),
		path: (&url.URL{Path: o.Path}).EscapedPath(),
		conns: conns{
			max: o.MaxConns, maxPerSource: o.MaxConnsPerSource,
			open: map[*conn]struct{}{}, sources: newSources(o.MaxRequestsPerSource), now: o.Now,
		},
		strangers: conns{max: maxStrangers, open: map[*conn]struct{}{}, sources: newSources(0), now: o.Now},
		answers:   rate.NewLimiter(strangersRate, maxStrangers),
		memory:    memory{max: maxRemembered},
		folder:    folder{dir: o.RefusedDir, maxFiles: maxFiles, maxBytes: maxFilesBytes},
		report:    newReporter(o.Log),
		stop:      make(chan struct{}),
		ended:     make(chan struct{}),
	}
	s.works.New = func() any { return &work{s: s} }
	s.appliers = make(chan *applier, maxAppliers)
	for range maxAppliers {
		s.appliers <- newApplier(o)
	}
	s.http = &fasthttp.Server{
		Handler:      s.handle,
		ErrorHandler: s.handleError,
		ConnState:    s.conns.changed,
		Logger:       quiet{},

		// Bodies are streamed, so that one that is too large can be read to its
		// end: closing in the middle of it would take the answer along.
		StreamRequestBody:  true,
		MaxRequestBodySize: o.MaxBody,
		ReadBufferSize:     o.MaxHeader,
		ReadTimeout:        o.ReadTimeout,
		WriteTimeout:       o.WriteTimeout,
		IdleTimeout:        o.IdleTimeout,
		Concurrency:        math.MaxInt32, // conns bounds it

		// Name no software; and a Date would cost a goroutine that never ends.
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
	}
	return s, nil
}

// quiet swallows what fasthttp says of broken connections: handleError counts
// them.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// Start listens and serves until Stop. It does not wait. The error of a port
// that cannot be had says what to do.
func (s *Server) Start() error {
	ln, err := listen(s.o.Listen)
	if err != nil {
		return err
	}
	if err := s.Serve(ln); err != nil {
		_ = ln.Close()
		return err
	}
	return nil
}

// Serve is Start on a listener that is there already, which Stop closes.
func (s *Server) Serve(ln net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil || s.stopped {
		return errors.New("a receiver is started once: make another")
	}
	s.ln = ln
	s.board.ReportReceiver(s.report.listening(ln.Addr().String(), s.o.open()))
	quit := make(chan struct{})
	var looks sync.WaitGroup
	if s.certs != nil {
		looks.Add(1)
		s.o.Go("receiver certificates", func() {
			defer looks.Done()
			s.certs.run(quit, s.o.LookEvery, func() {
				s.guard("looking at certificates", func() { s.certs.look(s.o.Now()) })
			})
		})
	}
	s.o.Go("receiver", func() {
		defer close(quit)
		s.accept(ln)
	})
	s.o.Go("receiver report", func() {
		defer close(s.ended)
		defer looks.Wait()
		s.report.run(quit, s.o.Now, func(status policy.ReceiverStatus) {
			s.guard("reporting", func() { s.board.ReportReceiver(status) })
		})
	})
	return nil
}

// Addr is the address that the receiver listens on, empty before it does.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return ""
	}
	return s.ln.Addr().String()
}

// Stop takes no more requests, closes the connections that wait for one, and
// lets those under way finish until ctx ends; then it closes these too, and
// returns an error that says so. It may be called again, and before Start. What
// was not acknowledged the Call Bridges keep, and send again.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	ln := s.ln
	if !s.stopped {
		s.stopped = true
		s.conns.stopping.Store(true)
		close(s.stop)
		if ln != nil {
			_ = ln.Close()
		}
	}
	s.mu.Unlock()
	if ln == nil {
		return nil
	}
	s.conns.stop()
	s.strangers.stop()
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	}
	cut := s.conns.closeAll()
	last := time.NewTimer(lastWait)
	defer last.Stop()
	select {
	case <-s.ended:
		if cut == 0 {
			return nil
		}
		return fmt.Errorf("stopping the receiver: %d requests were cut off: %w", cut, ctx.Err())
	case <-last.C:
		return fmt.Errorf("stopping the receiver: requests do not end: %w", ctx.Err())
	}
}

// accept takes connections until the listener is closed, and then waits for
// those that it took. fasthttp's own loop would end for good at the first
// shortage, such as of open files.
func (s *Server) accept(ln net.Listener) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wait := time.Duration(0)
	for {
		nc, err := ln.Accept()
		if err != nil {
			if s.conns.stopping.Load() {
				return
			}
			closed := errors.Is(err, net.ErrClosed)
			if wait == 0 || closed {
				s.cannotAccept(err)
			}
			if closed {
				return
			}
			wait = min(max(minAcceptWait, 2*wait), maxAcceptWait)
			timer := time.NewTimer(wait)
			select {
			case <-s.stop:
				timer.Stop()
				return
			case <-timer.C:
			}
			continue
		}
		if wait > 0 {
			wait = 0
			s.guard("lowering an alarm", func() { s.board.Lower(s.o.Now(), acceptAlarm) })
		}
		conns, serve := &s.conns, s.serve
		if source := sourceOf(nc.RemoteAddr()); !s.o.allows(source) {
			if conns, serve = &s.strangers, s.forbid; !s.answers.Allow() {
				_ = nc.Close()
				s.refused(source, causeAddress, "the address is not allowed, and is not answered so often")
				continue
			}
		}
		c, why := conns.add(s.secure(newTimed(nc)))
		if why != "" {
			s.turnAway(c, why)
			continue
		}
		wg.Add(1)
		s.o.Go("receiver connection", func() {
			defer wg.Done()
			defer conns.remove(c)
			// What panics beside a request costs its connection.
			defer c.Close()
			s.guard("serving a connection", func() { serve(c) })
		})
		if s.conns.stopping.Load() {
			conns.stop() // it came after the others were closed
		}
	}
}

// serve answers what comes on a connection, until its end.
func (s *Server) serve(c *conn) {
	if s.shake(c) {
		_ = s.http.ServeConn(c)
	}
}

// cannotAccept tells that no connection can be taken.
func (s *Server) cannotAccept(err error) {
	s.o.Log.Error("receiver takes no connection", "problem", err.Error())
	s.guard("raising an alarm", func() {
		s.board.Raise(s.o.Now(), policy.Alarm{
			Key: acceptAlarm, Text: "no connection of a Call Bridge can be taken: " + err.Error(),
			Remedy: "free or allow more of what is short, such as open files; else restart callmark",
		})
	})
}

// turnAway answers a connection that there is no room for.
func (s *Server) turnAway(c *conn, why cause) {
	// A few bytes into an empty buffer: this does not wait.
	_ = c.SetWriteDeadline(time.Now().Add(maxAcceptWait))
	_, _ = c.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	_ = c.Close()
	s.refused(c.source, why, "too many connections at once")
}

// guard runs a piece of work whose panic must not end the process.
func (s *Server) guard(doing string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked("", doing, p)
		}
	}()
	f()
}

// panicked counts a panic and logs it with its stack, within bounds.
func (s *Server) panicked(source, doing string, p any) {
	s.stats.panics.Add(1)
	if s.report.due(s.o.Now(), source, causePanic) {
		s.o.Log.Error("panic", "source", source, "doing", doing, "problem", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}
