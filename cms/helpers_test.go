package cms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"callmark/policy"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testPassword = "s3cr3t-passw0rd"

// pass lets the bubble's time go by, and what is due then be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// network is hosts that are reached in memory, as testing/synctest needs it.
type network struct {
	mu    sync.Mutex
	hosts map[string]*listener
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.hosts[address]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// request is one that a fake server got.
type request struct {
	at     time.Time
	method string
	path   string
	text   string // messageText
}

// fakeCMS is a server that knows just enough of the API.
type fakeCMS struct {
	address string

	mu       sync.Mutex
	guid     string
	name     string
	cluster  [][3]string       // guid, name, address
	calls    map[string]string // message by id
	requests []request
	fault    func(w http.ResponseWriter, r *http.Request) bool // answers in the API's place
	running  int                                               // PUTs under way
	most     int
}

func (f *fakeCMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	f.mu.Lock()
	f.requests = append(f.requests, request{time.Now(), r.Method, path, r.PostForm.Get("messageText")})
	fault := f.fault
	if r.Method == http.MethodPut {
		f.running++
		f.most = max(f.most, f.running)
		defer func() { f.mu.Lock(); f.running--; f.mu.Unlock() }()
	}
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	switch {
	case path == "/system/status":
		fmt.Fprintf(w, `<status><softwareVersion>3.8</softwareVersion><clusterEnabled>%v</clusterEnabled><cdrCorrelatorIndex>7</cdrCorrelatorIndex></status>`, f.guid != "")
	case path == "/system/configuration/cluster":
		fmt.Fprintf(w, `<cluster><uniqueName>%s</uniqueName></cluster>`, f.name)
	case path == "/callBridges":
		fmt.Fprintf(w, `<callBridges total="%d">`, len(f.cluster))
		for _, b := range f.cluster {
			fmt.Fprintf(w, `<callBridge id="%s"><name>%s</name></callBridge>`, b[0], b[1])
		}
		fmt.Fprint(w, `</callBridges>`)
	case strings.HasPrefix(path, "/callBridges/"):
		for _, b := range f.cluster {
			if "/callBridges/"+b[0] == path {
				fmt.Fprintf(w, `<callBridge id="%s"><name>%s</name><address>%s</address></callBridge>`, b[0], b[1], b[2])
			}
		}
	case strings.HasPrefix(path, "/calls/"):
		id := strings.TrimPrefix(path, "/calls/")
		message, ok := f.calls[id]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<failureDetails><callDoesNotExist /></failureDetails>`)
		case r.Method == http.MethodPut:
			f.calls[id] = r.PostForm.Get("messageText")
		default:
			fmt.Fprintf(w, `<call id="%s"><messageText>%s</messageText></call>`, id, message)
		}
	}
}

func (f *fakeCMS) setFault(fault func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *fakeCMS) add(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.calls[id] = ""
	}
}

func (f *fakeCMS) message(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[id]
}

// got lists the requests of a method; "" is all.
func (f *fakeCMS) got(method string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var rs []request
	for _, r := range f.requests {
		if method == "" || r.method == method {
			rs = append(rs, r)
		}
	}
	return rs
}

func refuse(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

func onPut(f func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return r.Method == http.MethodPut && f(w, r) }
}

// hang answers when the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }

// fakeBoard wants what the test tells it to.
type fakeBoard struct {
	mu                 sync.Mutex
	sessions           map[string]*policy.SessionInfo
	calls              map[policy.CallRef]*fakeCall
	looks              map[policy.CallRef]struct{}
	ch                 chan struct{}
	alarms             map[string]string
	servers            map[string]policy.ServerStatus
	reports            int
	absent             []policy.CallRef
	watched, unwatched []string
}

type fakeCall struct {
	id            string
	session       string
	wanted        policy.Marking
	sent          policy.Marking
	since         time.Time
	gone          bool
	sending       bool
	uncertain     bool
	failures      []string
	uncertainEver bool
}

func newFakeBoard() *fakeBoard {
	return &fakeBoard{
		sessions: map[string]*policy.SessionInfo{}, calls: map[policy.CallRef]*fakeCall{}, looks: map[policy.CallRef]struct{}{},
		ch: make(chan struct{}, 1), alarms: map[string]string{}, servers: map[string]policy.ServerStatus{},
	}
}

func level(l policy.Level) policy.Marking {
	return policy.Marking{Kind: policy.MarkLevel, Level: l, Text: "level " + l.String(), Position: "bottom"}
}

// want sets what a call shall show.
func (b *fakeBoard) want(ref policy.CallRef, id string, s policy.SessionInfo, m policy.Marking) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[s.ID] == nil {
		b.sessions[s.ID] = &s
	}
	c := b.calls[ref]
	if c == nil {
		c = &fakeCall{id: id, session: s.ID}
		b.calls[ref] = c
	}
	c.wanted, c.since = m, time.Now()
	b.look(ref)
}

func (b *fakeBoard) look(ref policy.CallRef) {
	b.looks[ref] = struct{}{}
	poke(b.ch)
}

func (b *fakeBoard) call(ref policy.CallRef) fakeCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.calls[ref]
}

func (b *fakeBoard) end(ref policy.CallRef) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[ref].gone = true
}

func (b *fakeBoard) session(id string) policy.SessionInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.sessions[id]
}

func (b *fakeBoard) alarmKeys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.alarms))
}

func (b *fakeBoard) server(name string) policy.ServerStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.servers[name]
}

func (b *fakeBoard) Looks() <-chan struct{} { return b.ch }

func (b *fakeBoard) TakeLooks(dst []policy.CallRef) []policy.CallRef {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ref := range b.looks {
		dst = append(dst, ref)
	}
	clear(b.looks)
	return dst
}

func (b *fakeBoard) Want(_ time.Time, ref policy.CallRef) policy.Want {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[ref]
	w := policy.Want{Ref: ref, CallID: c.id, Session: *b.sessions[c.session], Marking: c.wanted, Since: c.since}
	switch {
	case c.gone:
		w.Why = policy.WhyEnded
	case c.sending:
		w.Why = policy.WhySending
	case c.wanted == c.sent && !c.uncertain:
		w.Why = policy.WhySame
	default:
		w.Write = true
		w.Rise = c.wanted.Level > c.sent.Level
	}
	return w
}

func (b *fakeBoard) Sending(_ time.Time, ref policy.CallRef, m policy.Marking) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[ref]
	if c.gone || c.sending || c.wanted != m {
		return false
	}
	c.sending = true
	return true
}

func (b *fakeBoard) Sent(_ time.Time, ref policy.CallRef, m policy.Marking, _ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[ref]
	c.sending, c.uncertain, c.sent = false, false, m
}

func (b *fakeBoard) Failed(_ time.Time, ref policy.CallRef, _ policy.Marking, problem string, uncertain bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[ref]
	c.sending = false
	c.uncertain = c.uncertain || uncertain
	c.uncertainEver = c.uncertainEver || uncertain
	c.failures = append(c.failures, problem)
	b.look(ref) // as the board does
}

func (b *fakeBoard) Absent(_ time.Time, ref policy.CallRef, _ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[ref].sending, b.calls[ref].gone = false, true
	b.absent = append(b.absent, ref)
}

func (b *fakeBoard) Marked() []policy.Want {
	b.mu.Lock()
	defer b.mu.Unlock()
	var wants []policy.Want
	for ref, c := range b.calls {
		if c.sent.Shows() && !c.gone {
			wants = append(wants, policy.Want{Ref: ref, CallID: c.id, Session: *b.sessions[c.session], Level: c.sent.Level,
				Marking: policy.Marking{Kind: policy.MarkClear}, Write: true})
		}
	}
	slices.SortFunc(wants, func(x, y policy.Want) int { return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(x.Ref, y.Ref)) })
	return wants
}

func (b *fakeBoard) Bind(_ time.Time, session, server string, how policy.Sureness) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[session]; how >= s.Sureness {
		s.Server, s.Sureness = server, how
	}
}

func (b *fakeBoard) Unbind(_ time.Time, session, server string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[session]; s.Server == server && s.Sureness != policy.Proven {
		s.Server, s.Sureness = "", policy.Unbound
	}
}

func (b *fakeBoard) SetHosts(_ time.Time, watched, unwatched []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watched, b.unwatched = watched, unwatched
}

func (b *fakeBoard) ReportServer(_ time.Time, s policy.ServerStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.servers[s.Server] = s
	b.reports++
}

func (b *fakeBoard) Raise(_ time.Time, a policy.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alarms[a.Key] = a.Text + ": " + a.Remedy
}

func (b *fakeBoard) Lower(_ time.Time, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.alarms, key)
}

var _ Board = (*policy.Board)(nil)

// rig is a notifier, its board, and the servers cms1.test:80, cms2.test:80, ...
type rig struct {
	board    *fakeBoard
	servers  []*fakeCMS
	net      *network
	cluster  *Cluster
	notifier *Notifier
	https    []*http.Server
	wg       sync.WaitGroup
}

// newRig starts servers in memory; with clustered they know each other. Nothing
// is sent before start.
func newRig(t *testing.T, servers int, clustered bool, change func(*Options)) *rig {
	t.Helper()
	r := &rig{board: newFakeBoard(), net: &network{hosts: map[string]*listener{}}}
	o := Options{Username: "api", Password: policy.NewSecret(testPassword), DialContext: r.net.dial}
	o.LookupIP = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		for i := range servers {
			if host == fmt.Sprintf("cms%d.test", i+1) {
				return []netip.Addr{netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", i+1))}, nil
			}
		}
		return nil, errors.New("no such host")
	}
	o.Rand = func() float64 { return 0.5 }
	for i := range servers {
		f := &fakeCMS{address: fmt.Sprintf("cms%d.test:80", i+1), calls: map[string]string{}}
		if clustered {
			f.guid, f.name = fmt.Sprintf("guid-%d", i+1), fmt.Sprintf("node%d", i+1)
			for j := range servers {
				f.cluster = append(f.cluster, [3]string{fmt.Sprintf("guid-%d", j+1), fmt.Sprintf("node%d", j+1), fmt.Sprintf("https://cms%d.test:443", j+1)})
			}
		}
		o.Servers = append(o.Servers, "http://"+f.address)
		r.servers = append(r.servers, f)
		r.listen(f)
	}
	if change != nil {
		change(&o)
	}
	var err error
	if r.cluster, err = NewCluster(o, r.board); err != nil {
		t.Fatal(err)
	}
	r.notifier = NewNotifier(r.cluster)
	t.Cleanup(r.close)
	return r
}

// listen brings a server up.
func (r *rig) listen(f *fakeCMS) {
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	r.net.mu.Lock()
	r.net.hosts[f.address] = l
	r.net.mu.Unlock()
	s := &http.Server{Handler: f}
	r.https = append(r.https, s)
	r.wg.Go(func() { _ = s.Serve(l) })
}

func (r *rig) start(t *testing.T) {
	r.cluster.Start(t.Context())
	r.notifier.Start(t.Context())
}

func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r.notifier.Stop(ctx)
	r.cluster.Stop()
	for _, s := range r.https {
		_ = s.Close()
	}
	r.wg.Wait()
}

// on is a session of the Call Bridge with that number, by its GUID.
func on(n int) policy.SessionInfo {
	return policy.SessionInfo{ID: fmt.Sprintf("session-%d", n), CallBridge: fmt.Sprintf("GUID-%d", n), Address: fmt.Sprintf("10.0.0.%d", n)}
}
