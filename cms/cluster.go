package cms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"callmark/policy"
)

// Cluster is the configured servers: it keeps their state on the board and
// knows which of them is which Call Bridge.
type Cluster struct {
	o       Options
	board   Board
	servers []*server
	own     *Own

	mu       sync.Mutex
	hosts    string            // last given to the board
	alarms   map[string]string // raised here: text by key
	onChange func()            // an identity or a state changed
	bridges  []bridge          // room for choose

	cancel context.CancelFunc
	wg     sync.WaitGroup
	start  sync.Once
}

// server is one configured server. What is not said to be otherwise is under
// the cluster's lock.
type server struct {
	*Client
	queued atomic.Int64 // markings that wait
	// reportDue: the reporter looks by itself within a second.
	reportDue atomic.Bool
	wake      chan struct{} // the keeper has something to do
	report    chan struct{} // the status may have changed

	id      identity
	ips     []netip.Addr
	version string
}

// identity is which Call Bridge a server is.
type identity struct {
	known   bool         // it was asked and has answered
	guid    string       // lower case; empty in no cluster
	name    string       // uniqueName
	bridges []CallBridge // the whole cluster, as this server tells it
}

// NewCluster makes the cluster of the options, which may be invalid: then the
// error says why. Start it before use.
func NewCluster(o Options, board Board) (*Cluster, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	c := &Cluster{o: o, board: board, alarms: map[string]string{}}
	var pool *x509.CertPool
	if o.CAFile != "" {
		var err error
		if pool, err = loadCA(o.CAFile); err != nil {
			return nil, fmt.Errorf("cms.ca_file: %w", err)
		}
	}
	secured := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, InsecureSkipVerify: o.InsecureSkipVerify} // #nosec G402 -- the site's choice, which the header and the log shout
	if len(o.Pins) > 0 {
		keys, err := parsePins(o.Pins)
		if err != nil {
			return nil, fmt.Errorf("cms.pins: %w", err)
		}
		secured.VerifyConnection = keys.verify
	}
	for _, text := range o.Servers {
		a, err := ParseAddress(text, o.Port)
		if err != nil {
			return nil, fmt.Errorf("cms.servers: %w", err)
		}
		s := &server{
			Client: newClient(a, o, secured),
			wake:   make(chan struct{}, 1),
			report: make(chan struct{}, 1),
		}
		s.gate.onChange(func() { poke(s.report); poke(s.wake) })
		c.servers = append(c.servers, s)
	}
	// Whoever prints us finds no secret: the clients have the password, and our
	// own URI, which may hold a token, is behind a pointer.
	c.o.Password, c.own, c.o.Own = policy.Secret{}, &o.Own, Own{}
	return c, nil
}

// poke fills a one-slot channel.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Start begins to ask the servers who they are and to report how they are. It
// ends with the context or with Stop.
func (c *Cluster) Start(ctx context.Context) {
	c.start.Do(func() {
		ctx, c.cancel = context.WithCancel(ctx)
		c.publish(time.Now())
		c.introduce()
		for _, s := range c.servers {
			c.goes("keeper "+s.Name(), func() { c.keep(ctx, s) })
			c.goes("reporter "+s.Name(), func() { c.reportLoop(ctx, s) })
		}
	})
}

// introduce tells the board which servers there are: whoever asks how they are
// must not take one that has not been asked yet for one that is well.
func (c *Cluster) introduce() {
	for _, s := range c.servers {
		c.board.ReportServer(time.Now(), c.status(s, s.gate.status()))
	}
}

// goes runs f in a goroutine that Stop waits for.
func (c *Cluster) goes(name string, f func()) {
	c.wg.Add(1)
	c.o.Go(name, func() {
		defer c.wg.Done()
		f()
	})
}

// Stop ends what Start began and waits for it. Requests of others are cut off
// by their own contexts.
func (c *Cluster) Stop() {
	c.start.Do(func() {})
	if c.cancel != nil {
		c.cancel()
	}
	c.wg.Wait()
	for _, s := range c.servers {
		s.close()
	}
}

// Reprobe has every server that is left alone tried at once. It is for the
// operator who has mended something.
func (c *Cluster) Reprobe() {
	for _, s := range c.servers {
		s.gate.reprobe(time.Now())
	}
}

// Clients returns the client of every server, in the configured order.
func (c *Cluster) Clients() []*Client {
	clients := make([]*Client, len(c.servers))
	for i, s := range c.servers {
		clients[i] = s.Client
	}
	return clients
}

// bridge is what choose knows of a server.
type bridge struct {
	name  string
	known bool   // guid is
	guid  string // lower case
	ips   []netip.Addr
}

// choose finds the server of a session. With noGuess only proof counts. Where
// it cannot tell, candidates are the servers worth asking; there are none if
// the session's Call Bridge is proven to be no configured server.
func (c *Cluster) choose(s policy.SessionInfo, noGuess bool) (srv *server, how policy.Sureness, candidates []*server) {
	c.mu.Lock()
	c.bridges = c.bridges[:0] // every changed meeting comes here
	for _, srv := range c.servers {
		c.bridges = append(c.bridges, bridge{name: srv.Name(), known: srv.id.known && srv.id.guid != "", guid: srv.id.guid, ips: srv.ips})
	}
	at, how, ask := match(s, c.bridges, noGuess)
	c.mu.Unlock()
	if at >= 0 {
		return c.servers[at], how, nil
	}
	for _, i := range ask {
		candidates = append(candidates, c.servers[i])
	}
	return nil, policy.Unbound, candidates
}

// match decides which server a session is on: at is its place, or -1; then ask
// are the places of those that may be it.
func match(s policy.SessionInfo, bridges []bridge, noGuess bool) (at int, how policy.Sureness, ask []int) {
	guid := strings.ToLower(s.CallBridge)
	bound := -1
	for i, b := range bridges {
		if guid != "" && b.known && b.guid == guid {
			return i, policy.Proven, nil
		}
		if b.name == s.Server {
			bound = i
		}
		// Another GUID rules a server out; a session that has none may be anybody's.
		if guid == "" || !b.known {
			ask = append(ask, i)
		}
	}
	if bound >= 0 && s.Sureness == policy.Proven {
		return bound, policy.Proven, nil
	}
	if noGuess || len(ask) == 0 {
		return -1, policy.Unbound, ask
	}
	if len(ask) == 1 {
		return ask[0], policy.Guessed, nil
	}
	sender, err := netip.ParseAddr(s.Address)
	if err != nil {
		return -1, policy.Unbound, ask
	}
	sender = sender.Unmap().WithZone("")
	from := -1
	for _, i := range ask {
		if !slices.Contains(bridges[i].ips, sender) {
			continue
		}
		if from >= 0 { // two behind one address
			return -1, policy.Unbound, ask
		}
		from = i
	}
	if from >= 0 {
		return from, policy.Guessed, nil
	}
	return -1, policy.Unbound, ask
}

// find asks servers for a call, all at once, and returns the one that has it.
// Otherwise asked is how many said that they have not. Whoever is slower than
// the patience is not waited for.
func (c *Cluster) find(ctx context.Context, candidates []*server, callID string, patience time.Duration) (found *server, asked int) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type answer struct {
		s   *server
		err error
	}
	answers := make(chan answer, len(candidates))
	var wg sync.WaitGroup
	for _, s := range candidates {
		wg.Add(1)
		c.o.Go("search "+s.Name(), func() {
			defer wg.Done()
			_, err := s.Call(ctx, callID)
			answers <- answer{s, err}
		})
	}
	for range candidates {
		a := <-answers
		if a.err == nil && found == nil {
			found = a.s
			cancel() // the others may be slow
		}
		if IsNotExist(a.err) {
			asked++
		}
	}
	wg.Wait()
	return found, asked
}

// publish tells the board which hosts are Call Bridges, and raises an alarm for
// each node of the cluster that is not configured.
func (c *Cluster) publish(now time.Time) {
	c.mu.Lock()
	watched, unwatched, missing := c.sortHosts()
	hosts := strings.Join(watched, " ") + "|" + strings.Join(unwatched, " ")
	changed := hosts != c.hosts
	c.hosts = hosts
	alarms := map[string]string{}
	for _, b := range missing {
		where := ""
		if b.Address != "" {
			where = " at " + b.Address
		}
		alarms["bridge/"+b.ID] = fmt.Sprintf("Call Bridge %s%s is in the cluster but not among the configured servers: its calls get no marking", b.Name, where)
	}
	for guid, names := range c.twins() {
		alarms["twins/"+guid] = fmt.Sprintf("%s are one and the same Call Bridge", strings.Join(names, " and "))
	}
	before := c.alarms
	c.alarms = alarms
	onChange := c.onChange
	c.mu.Unlock()

	if changed {
		c.board.SetHosts(now, watched, unwatched)
	}
	for key, text := range alarms {
		if before[key] == text {
			continue
		}
		remedy := "add its Web Admin to servers under [cms]"
		if strings.HasPrefix(key, "twins/") {
			remedy = "list it once in servers under [cms]"
		}
		c.board.Raise(now, policy.Alarm{Key: key, Text: text, Remedy: remedy, Since: now, Count: 1})
	}
	for key := range before {
		if _, ok := alarms[key]; !ok {
			c.board.Lower(now, key)
		}
	}
	if onChange != nil {
		onChange()
	}
}

// twins finds servers that say they are the same Call Bridge.
func (c *Cluster) twins() map[string][]string {
	names := map[string][]string{}
	for _, s := range c.servers {
		if s.id.guid != "" {
			names[s.id.guid] = append(names[s.id.guid], s.Name())
		}
	}
	for guid, who := range names {
		if len(who) == 1 {
			delete(names, guid)
		}
	}
	return names
}

// sortHosts sorts the hosts of all nodes that are known into those of
// configured servers and the others. missing are nodes that are surely none of
// the configured: as long as there may be a server among these that has not
// said yet which node it is, it could be that one.
func (c *Cluster) sortHosts() (watched, unwatched []string, missing []CallBridge) {
	ours := map[string]bool{}
	guids := map[string]bool{}
	unknown := 0
	for _, s := range c.servers {
		ours[hostKey(s.address.Host)] = true
		for _, ip := range s.ips {
			ours[ip.String()] = true
		}
		if s.id.guid != "" {
			guids[s.id.guid] = true
		}
		if !s.id.known {
			unknown++
		}
	}
	nodes := map[string]CallBridge{}
	for _, s := range c.servers {
		for _, b := range s.id.bridges {
			if id := strings.ToLower(b.ID); nodes[id].Address == "" {
				nodes[id] = b
			}
		}
	}
	others := map[string]bool{}
	for id, b := range nodes {
		host := hostKey(hostOf(b.Address))
		switch {
		case guids[id]:
			if host != "" {
				ours[host] = true
			}
		case host != "" && ours[host]:
		default:
			missing = append(missing, b)
			if host != "" {
				others[host] = true
			}
		}
	}
	for host := range others {
		if !ours[host] {
			unwatched = append(unwatched, host)
		}
	}
	for host := range ours {
		watched = append(watched, host)
	}
	slices.Sort(watched)
	slices.Sort(unwatched)
	slices.SortFunc(missing, func(a, b CallBridge) int { return strings.Compare(a.ID, b.ID) })
	if len(missing) <= unknown {
		missing = nil
	}
	return watched, unwatched, missing
}

// hostKey is a host as the board compares them.
func hostKey(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	if h := policy.Host(host); h != "" {
		return h
	}
	return host
}

// watches reports whether a Call Bridge is one of the configured servers.
func (c *Cluster) watches(guid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.servers, func(s *server) bool {
		return s.id.guid != "" && strings.EqualFold(s.id.guid, guid)
	})
}
