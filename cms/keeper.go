package cms

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"callmark/policy"
)

// How often a server is asked again.
const (
	identityEvery = 5 * time.Minute // which node it is, its version, its addresses
	identityRetry = time.Minute     // at most, while it cannot be asked
	lookupTimeout = 5 * time.Second
	reportEvery   = time.Second // at most, for counters
	maxBridges    = 64          // nodes that a server may tell of; a cluster has up to 24
)

var identityBackoff = backoff{time.Second, identityRetry}

// keep asks a server which node it is, now and then, and probes it while it is
// left alone and nobody else has anything to ask.
func (c *Cluster) keep(ctx context.Context, s *server) {
	failures := 0
	next := time.Now()
	failure := ""
	for ctx.Err() == nil {
		now := time.Now()
		if !now.Before(next) {
			c.lookup(ctx, s)
			err := c.identify(ctx, s)
			now = time.Now()
			if err == nil {
				failures, failure = 0, ""
				next = now.Add(identityEvery/2 + time.Duration(c.o.Rand()*float64(identityEvery/2)))
			} else if ctx.Err() == nil {
				failures++
				next = now.Add(identityBackoff.within(c.o.MaxBackoff).after(failures, c.o.Rand()))
				if text := err.Error(); text != failure && c.serverState(s) == policy.ServerUp {
					failure = text // what is wrong with the whole server is on the board
					c.o.Log.Warn("server not identified", "server", s.Name(), "err", err)
				}
			}
		}
		wait := next.Sub(now)
		for _, l := range []lane{reads, writes} {
			d, ok := s.gate.due(l, now)
			switch {
			case !ok || l == writes && s.queued.Load() > 0: // the next write is the probe
			case d <= 0:
				s.probe(ctx, l)
				if c.serverState(s) == policy.ServerUp && failures > 0 {
					next = time.Now()
				}
				wait = 0
			default:
				wait = min(wait, d)
			}
		}
		if !sleep(ctx, wait, s.wake) {
			return
		}
	}
}

// sleep waits until a time has passed or the channel is filled. It reports
// false when the context has ended. A negative time is for ever.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	var after <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-after:
	}
	return ctx.Err() == nil
}

func (c *Cluster) serverState(s *server) policy.ServerState { return s.gate.status().state }

// lookup resolves the server's name, for records that name no Call Bridge. What
// was resolved before stays when it fails.
func (c *Cluster) lookup(ctx context.Context, s *server) {
	var ips []netip.Addr
	if ip, err := netip.ParseAddr(s.address.Host); err == nil {
		ips = []netip.Addr{ip.Unmap().WithZone("")}
	} else {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		found, err := c.o.LookupIP(ctx, "ip", s.address.Host)
		if err != nil {
			return // the next request will say so on the board
		}
		for _, ip := range found {
			ips = append(ips, ip.Unmap().WithZone(""))
		}
	}
	c.mu.Lock()
	s.ips = ips
	c.mu.Unlock()
	c.publish(time.Now())
}

// identify asks a server which node of its cluster it is.
func (c *Cluster) identify(ctx context.Context, s *server) error {
	st, err := s.SystemStatus(ctx)
	if err != nil {
		return err
	}
	name, err := s.ClusterConfiguration(ctx)
	if err != nil && (!isAPIAnswer(err) || st.Clustered) { // outside clusters it may not exist
		return err
	}
	bridges, err := s.CallBridges(ctx)
	if err != nil && (!isAPIAnswer(err) || st.Clustered) {
		return err
	}
	id := identity{known: true, name: name}
	for _, b := range bridges {
		if b.Address == "" {
			if full, err := s.CallBridge(ctx, b.ID); err == nil {
				b.Address = full.Address
				if b.Name == "" {
					b.Name = full.Name
				}
			} else if !isAPIAnswer(err) {
				return err
			}
		}
		if name != "" && strings.EqualFold(b.Name, name) {
			id.guid = strings.ToLower(b.ID)
		}
		id.bridges = append(id.bridges, b)
	}
	if id.guid == "" && len(bridges) > 0 {
		return fmt.Errorf("find %s among the Call Bridges: its uniqueName %q is none of them: check the cluster's configuration", s.Name(), name)
	}
	c.mu.Lock()
	s.id, s.version = id, st.Version
	c.mu.Unlock()
	c.publish(time.Now())
	poke(s.report)
	return nil
}

// isAPIAnswer reports whether the API has answered, with a no.
func isAPIAnswer(err error) bool {
	s := status(err)
	return s >= 400 && s < 500 && s != 401
}

// reportLoop keeps a server's status on the board: at once when its state
// changes, and about once a second while only its counters do.
func (c *Cluster) reportLoop(ctx context.Context, s *server) {
	var last policy.ServerStatus
	var at time.Time
	alarm := ""
	rates := rateMeter{}
	for {
		now := time.Now()
		g := s.gate.status()
		st := c.status(s, g)
		st.ReadRate, st.WriteRate = rates.measure(now, g.byLane)
		urgent := st.State != last.State || st.Problem != last.Problem || st.Name != last.Name ||
			st.CallBridge != last.CallBridge || st.Version != last.Version || at.IsZero()
		wait := time.Duration(-1)
		switch {
		case st == last && !at.IsZero():
		case urgent || now.Sub(at) >= reportEvery:
			c.board.ReportServer(now, st)
			if st.State != last.State {
				c.stateChanged()
			}
			last, at = st, now
		default:
			wait = reportEvery - now.Sub(at)
		}
		if st.ReadRate > 0 || st.WriteRate > 0 { // to say when it is over
			wait = reportEvery
		}
		alarm = c.raise(now, s, st, g.attempts, alarm)
		s.reportDue.Store(wait >= 0)
		if !sleep(ctx, wait, s.report) {
			return
		}
	}
}

// rateMeter follows how many requests there are a second.
type rateMeter struct {
	at     time.Time
	counts [2]uint64
	rates  [2]float64
}

func (r *rateMeter) measure(now time.Time, counts [2]uint64) (read, write float64) {
	if took := now.Sub(r.at); r.at.IsZero() || took >= reportEvery {
		for l := range counts {
			r.rates[l] = 0
			if !r.at.IsZero() {
				r.rates[l] = float64(int(float64(counts[l]-r.counts[l])/took.Seconds() + 0.5))
			}
		}
		r.at, r.counts = now, counts
	}
	return r.rates[reads], r.rates[writes]
}

func (c *Cluster) stateChanged() {
	c.mu.Lock()
	f := c.onChange
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

// status is how a server is, for the board.
func (c *Cluster) status(s *server, g gateStatus) policy.ServerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return policy.ServerStatus{
		Server: s.Name(), Insecure: s.insecure,
		State: g.state, Since: g.since, Problem: g.problem, Remedy: g.remedy, NextTry: g.next,
		Identified: s.id.known, CallBridge: s.id.guid, Name: s.id.name, Version: s.version,
		ReadBudget: c.o.ReadsPerSecond, WriteBudget: c.o.WritesPerSecond,
		Latency: g.latency, Requests: g.requests, Failures: g.failures, Queue: int(s.queued.Load()),
	}
}

// raise keeps the alarm about a server: that its account is refused, or that it
// is away or busy at the second attempt too. It returns the text raised.
func (c *Cluster) raise(now time.Time, s *server, st policy.ServerStatus, attempts int, before string) string {
	key := "server/" + s.Name()
	text := ""
	switch st.State {
	case policy.ServerLocked:
		text = s.Name() + " refuses the account; nothing is sent to it: " + st.Problem
	case policy.ServerDown, policy.ServerBusy:
		text = s.Name() + " is " + st.State.String() + ": " + st.Problem
		if attempts < 2 && before == "" {
			return ""
		}
	case policy.ServerUnknown:
		return before
	}
	switch {
	case text == before:
	case text == "":
		c.board.Lower(now, key)
	default:
		c.board.Raise(now, policy.Alarm{Key: key, Text: text, Remedy: st.Remedy, Since: st.Since, Count: 1})
	}
	return text
}
