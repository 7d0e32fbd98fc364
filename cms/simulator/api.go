package simulator

import (
	"compress/gzip"
	"context"
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	root = "/api/v1"
	// maxBody is the longest request body that the API reads, in bytes.
	maxBody = 64 << 10
)

// answer is what a request gets.
type answer struct {
	status   int // 0: 200
	body     []byte
	location string
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
			b.handle(w, r, f)
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
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b.write(w, r, notFound("unrecognisedObject"))
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
	if n, ok := r.Context().Value(connKey{}).(*connCount); ok && n.Add(1) >= int64(b.cluster.opts.PerConn) {
		w.Header().Set("Connection", "close")
	}
	v := b.judge(r)
	if v.latency > 0 && !sleep(r.Context(), v.latency) {
		return
	}
	switch {
	case v.hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case v.unavailable:
		b.tally(func(c *counter) { c.Unavailable++ })
		b.write(w, r, answer{status: http.StatusServiceUnavailable})
	case v.garbage:
		b.write(w, r, answer{body: []byte("<calls total=\"1\"><call id=\x00&nonsense;<<<html>")})
	case v.unauthorized || !b.authorized(r):
		b.tally(func(c *counter) { c.Unauthorized++ })
		w.Header().Set("WWW-Authenticate", `Basic realm="acano"`)
		b.write(w, r, answer{status: http.StatusUnauthorized})
	default:
		r.URL.Path = strings.TrimSuffix(strings.ToLower(r.URL.Path), "/")
		r.URL.RawPath = ""
		if v.cut {
			b.mux.ServeHTTP(nowhere{}, r)
			panic(http.ErrAbortHandler)
		}
		b.mux.ServeHTTP(w, r)
	}
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

// nowhere is a ResponseWriter that drops everything.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// handle reads the parameters, from the query or from a form in the body, and
// answers under the cluster's lock.
func (b *Bridge) handle(w http.ResponseWriter, r *http.Request, f func(request) answer) {
	query := r.URL.RawQuery
	if r.Method != http.MethodGet {
		body, _ := io.ReadAll(r.Body) // it is in memory
		query = string(body)
	}
	form, err := url.ParseQuery(query)
	if err != nil {
		b.write(w, r, failure(http.StatusBadRequest, "badRequest"))
		return
	}
	b.cluster.mu.Lock()
	a := f(request{id: r.PathValue("id"), form: form})
	b.cluster.mu.Unlock()
	b.write(w, r, a)
}

func (b *Bridge) write(w http.ResponseWriter, r *http.Request, a answer) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	h := w.Header()
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if len(a.body) == 0 {
		h.Set("Content-Length", "0")
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Type", "text/xml")
	if b.cluster.opts.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		w.WriteHeader(a.status)
		z := gzip.NewWriter(w)
		_, _ = z.Write(a.body) // the client may be gone
		_ = z.Close()
		return
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// list answers with one page of a list whose elements item writes.
func list[T any](b *Bridge, r request, name string, items []T, item func(*document, T), attrs ...string) answer {
	offset, problem := number(r.form, "offset", 0)
	if problem != "" {
		return parameterError("offset", problem)
	}
	limit, problem := number(r.form, "limit", b.cluster.opts.PageCap)
	if problem != "" {
		return parameterError("limit", problem)
	}
	d := newDocument().begin(name, append([]string{"total", strconv.Itoa(len(items))}, attrs...)...)
	from := min(offset, len(items))
	for _, v := range items[from:min(from+min(limit, b.cluster.opts.PageCap), len(items))] {
		item(d, v)
	}
	return xmlAnswer(d)
}

// number reads a parameter that is a number from 0 on.
func number(form url.Values, name string, def int) (n int, problem string) {
	if !form.Has(name) {
		return def, ""
	}
	n, err := strconv.Atoi(form.Get(name))
	if err != nil || n < 0 {
		return 0, "valueError"
	}
	return n, ""
}
