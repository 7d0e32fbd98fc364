package simulator

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	root = "/api/v1"
	// maxBody is the longest request body that the API reads, in bytes.
	maxBody = 64 << 10
)

// answer is what a request gets.
type answer struct {
	status      int // 0: 200
	body        []byte
	contentType string // "": text/xml
	location    string
	sized       bool          // with Content-Length, whatever its size
	drip        time.Duration // the pause after each piece
}

// xmlAnswer is a document as an answer.
func xmlAnswer(d *document) answer { return answer{body: d.bytes()} }

// failure is an answer with failureDetails.
func failure(status int, name string, attrs ...string) answer {
	return answer{status: status, body: newDocument().begin("failureDetails").empty(name, attrs...).bytes()}
}

func notFound(name string) answer { return failure(http.StatusNotFound, name) }

func parameterError(parameter, problem string) answer {
	return failure(http.StatusBadRequest, "parameterError", "parameter", parameter, "error", problem)
}

// request is an API request whose parameters are read.
type request struct {
	id   string // of the object in the path, in lower case
	form url.Values
}

// routes are the paths of the API, which know no case.
func (b *Bridge) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(method, path string, f func(request) answer) {
		mux.HandleFunc(method+" "+root+path, func(w http.ResponseWriter, r *http.Request) {
			w.(*holder).answer = b.handle(r, f)
		})
	}
	handle("GET", "/calls", b.getCalls)
	handle("GET", "/calls/{id}", b.getCall)
	handle("PUT", "/calls/{id}", b.putCall)
	handle("GET", "/calls/{id}/calllegs", b.getCallLegsOfCall)
	handle("GET", "/calls/{id}/participants", b.getParticipantsOfCall)
	handle("GET", "/calllegs", b.getCallLegs)
	handle("GET", "/calllegs/{id}", b.getCallLeg)
	handle("GET", "/participants", b.getParticipants)
	handle("GET", "/participants/{id}", b.getParticipant)
	handle("GET", "/callbridges", b.getCallBridges)
	handle("GET", "/callbridges/{id}", b.getCallBridge)
	handle("GET", "/system/configuration/cluster", b.getClusterConfiguration)
	handle("GET", "/system/status", b.getStatus)
	handle("GET", "/system/alarms", b.getAlarms)
	handle("GET", "/system/cdrreceivers", b.getReceivers)
	handle("POST", "/system/cdrreceivers", b.postReceiver)
	handle("GET", "/system/cdrreceivers/{id}", b.getReceiver)
	handle("PUT", "/system/cdrreceivers/{id}", b.putReceiver)
	handle("DELETE", "/system/cdrreceivers/{id}", b.deleteReceiver)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.(*holder).answer = notFound("unrecognisedObject")
	})
	return mux
}

// ServeHTTP answers an API request: first the faults, then the account, then
// the request itself.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer b.count(r.Method)()
	// With the body read, net/http notices when the client goes.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	conn, ok := r.Context().Value(connKey{}).(*apiConn)
	if ok && conn.requests.Add(1) >= int64(b.cluster.opts.PerConn) {
		w.Header().Set("Connection", "close")
	}
	v := b.judge(r)
	if v.latency > 0 && !sleep(r.Context(), v.latency) {
		return
	}
	a, done := b.respond(r, v)
	if v.fault == reset && ok {
		conn.reset()
	}
	if !done {
		panic(http.ErrAbortHandler) // which closes the connection
	}
	a.drip = v.drip
	b.write(w, r, a)
}

// respond works out the answer to a request; false: there is none.
func (b *Bridge) respond(r *http.Request, v verdict) (a answer, ok bool) {
	switch {
	case v.hang:
		<-r.Context().Done()
		return a, false
	case v.fault == reset:
		return a, false
	case v.fault == unavailable:
		b.tally(func(c *counter) { c.Unavailable++ })
		return answer{status: http.StatusServiceUnavailable}, true
	case v.fault == garbage:
		return answer{body: []byte("<calls total=\"1\"><call id=\x00&nonsense;<<<html>")}, true
	case v.unauthorized || v.fault == denied || !b.authorized(r):
		b.tally(func(c *counter) { c.Unauthorized++ })
		return answer{status: http.StatusUnauthorized}, true
	}
	r.URL.Path = strings.TrimSuffix(strings.ToLower(r.URL.Path), "/")
	r.URL.RawPath = ""
	if v.fault == wrong {
		return b.wrongAnswer(r), true
	}
	b.announce(r)
	a, pattern := b.ask(r)
	switch v.fault {
	case cut:
		return a, false
	case truncate:
		return b.truncated(a), true
	}
	if a.status == 0 {
		b.tally(func(c *counter) { c.answered(pattern) })
	}
	return a, true
}

// announce calls what OnRequest set.
func (b *Bridge) announce(r *http.Request) {
	b.cluster.mu.Lock()
	f := b.onRequest
	b.cluster.mu.Unlock()
	if f != nil {
		f(r.Method, r.URL.Path, r.URL.Query())
	}
}

// ask performs a request, whose path is in lower case, and returns the answer
// with the pattern that the path matched.
func (b *Bridge) ask(r *http.Request) (a answer, pattern string) {
	var h holder
	b.mux.ServeHTTP(&h, r)
	return h.answer, r.Pattern
}

// holder takes an answer from the mux. The mux itself writes only redirections
// of paths that are not clean.
type holder struct {
	answer answer
	header http.Header
}

func (h *holder) Header() http.Header {
	if h.header == nil {
		h.header = make(http.Header)
	}
	return h.header
}

func (h *holder) Write(p []byte) (int, error) { return len(p), nil }

func (h *holder) WriteHeader(status int) {
	h.answer = answer{status: status, location: h.header.Get("Location")}
}

// count counts a request and returns what notes its end.
func (b *Bridge) count(method string) func() {
	now := b.cluster.now()
	b.tally(func(c *counter) { c.begin(method, now) })
	return func() { b.tally(func(c *counter) { c.Active-- }) }
}

func (b *Bridge) tally(f func(*counter)) {
	defer b.lock()()
	f(&b.requests)
	b.cluster.touch()
}

func (b *Bridge) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	opts := &b.cluster.opts
	return ok &&
		subtle.ConstantTimeCompare([]byte(user), []byte(opts.Username)) == 1 &&
		subtle.ConstantTimeCompare([]byte(password), []byte(opts.Password)) == 1
}

// sleep waits; false: the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// handle reads the parameters, from the query or from a form in the body, and
// answers under the cluster's lock.
func (b *Bridge) handle(r *http.Request, f func(request) answer) answer {
	query := r.URL.RawQuery
	if r.Method != http.MethodGet {
		body, _ := io.ReadAll(r.Body) // it is in memory
		query = string(body)
	}
	form, err := url.ParseQuery(query)
	if err != nil {
		return failure(http.StatusBadRequest, "badRequest")
	}
	defer b.lock()()
	return f(request{id: r.PathValue("id"), form: form})
}

// dripPieces is how many pieces Faults.Drip makes of an answer.
const dripPieces = 8

func (b *Bridge) write(w http.ResponseWriter, r *http.Request, a answer) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	h := w.Header()
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="acano"`)
	}
	if len(a.body) == 0 {
		h.Set("Content-Length", "0")
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", cmp.Or(a.contentType, "text/xml"))
	if b.cluster.opts.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		a.body, a.sized = compress(a.body), false
	}
	if a.sized {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.drip <= 0 {
		_, _ = w.Write(a.body) // the client may be gone
		return
	}
	flush := http.NewResponseController(w).Flush
	for piece := range slices.Chunk(a.body, 1+len(a.body)/dripPieces) {
		if _, err := w.Write(piece); err != nil || flush() != nil || !sleep(r.Context(), a.drip) {
			return
		}
	}
}

// gzips keeps compressors, which are large, for the next answers.
var gzips = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&buf)
	_, _ = z.Write(body) // a Buffer does not fail
	_ = z.Close()
	return buf.Bytes()
}
