package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"callmark/policy"
)

// What those who ask may take. Watchers are few and near.
const (
	maxConnections = 64
	maxOfAddress   = 8 // of these; those beyond are closed at once
	maxHeader      = 8 << 10
	askWithin      = 5 * time.Second  // for a request to come
	answerWithin   = 10 * time.Second // and for its answer to go
	idleFor        = 30 * time.Second
	logEvery       = time.Minute // a scrape that fails again and again

	// contentType is that of the text format of Write.
	contentType = "text/plain; version=0.0.4; charset=utf-8"
)

// ServerOptions is how a Server is reached and what it tells. Zero fields take
// the default named.
type ServerOptions struct {
	Listen  string          // [host]:port
	Metrics *Metrics        // no /metrics
	Unready func() []string // why callmark is not ready, a line each; must not block. Always ready

	Log *slog.Logger                // none
	Go  func(name string, f func()) // runs f in a goroutine; go f()
}

// Server answers /metrics, /healthz and /readyz on a port of their own. Make it
// with NewServer, Start it once, and Stop it.
type Server struct {
	o    ServerOptions
	http *http.Server

	mu     sync.Mutex
	ln     net.Listener
	ended  chan struct{}
	logged time.Time // when a failure was, last
}

// NewServer makes a server. It does not listen yet.
func NewServer(o ServerOptions) *Server {
	if o.Unready == nil {
		o.Unready = func() []string { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Go == nil {
		o.Go = func(_ string, f func()) { go f() }
	}
	s := &Server{o: o, ended: make(chan struct{})}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: askWithin,
		ReadTimeout:       askWithin,
		WriteTimeout:      askWithin + answerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, 0), // what strangers break is theirs
	}
	return s
}

// Start listens and serves until Stop. It does not wait. The error of a port
// that cannot be had says what to do.
func (s *Server) Start() error {
	ln, err := net.Listen("tcp", s.o.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(s.o.Listen)
		return fmt.Errorf("port %s is in use by another program: stop it or set metrics.listen: %w", port, err)
	case err != nil:
		return fmt.Errorf("set metrics.listen to a port above 1023 and an address of this machine, or leave it empty: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil {
		_ = ln.Close()
		return errors.New("a server of metrics is started once: make another")
	}
	s.ln = ln
	s.o.Go("metrics", func() {
		defer close(s.ended)
		// The limit of all is the inner one, and waits; that of an address only
		// looks, so it never waits for a place that one address holds.
		if err := s.http.Serve(&perAddress{Listener: netutil.LimitListener(ln, maxConnections), most: maxOfAddress, open: map[string]int{}}); !errors.Is(err, http.ErrServerClosed) {
			s.o.Log.Error("metrics are not told any more", "problem", policy.Clean(err.Error(), 200))
		}
	})
	return nil
}

// Addr is the address that it listens on, empty before it does.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return ""
	}
	return s.ln.Addr().String()
}

// Stop takes no more requests, lets those under way finish until ctx ends, and
// then closes their connections. It may be called again, and before Start.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	started := s.ln != nil
	s.mu.Unlock()
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
		err = fmt.Errorf("stopping the metrics: %w", err)
	}
	if started {
		<-s.ended
	}
	return err
}

// handle answers one request. A panic costs that request and nothing else.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.failed(fmt.Errorf("a panic: %v", p))
			answer(w, http.StatusInternalServerError, "internal error")
		}
	}()
	known := r.URL.Path == "/metrics" && s.o.Metrics != nil || r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
	switch {
	case !known:
		answer(w, http.StatusNotFound, "there is nothing here: ask for /metrics, /healthz or /readyz")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, r.URL.Path+" is asked by GET")
	case r.URL.Path == "/healthz":
		answer(w, http.StatusOK, "ok")
	case r.URL.Path == "/readyz":
		if reasons := s.o.Unready(); len(reasons) > 0 {
			answer(w, http.StatusServiceUnavailable, strings.Join(reasons, "\n"))
		} else {
			answer(w, http.StatusOK, "ready")
		}
	default:
		var body bytes.Buffer
		if err := s.o.Metrics.Write(&body); err != nil {
			s.failed(err)
			answer(w, http.StatusInternalServerError, "the metrics could not be gathered, the log says why")
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body.Bytes())
	}
}

// failed logs why a request was not answered, once in a while.
func (s *Server) failed(err error) {
	now := time.Now()
	s.mu.Lock()
	due := s.logged.IsZero() || now.Sub(s.logged) >= logEvery
	if due {
		s.logged = now
	}
	s.mu.Unlock()
	if due {
		s.o.Log.Error("metrics could not be told", "problem", policy.Clean(err.Error(), 200))
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // #nosec G705 -- text/plain, and made by callmark alone
}
