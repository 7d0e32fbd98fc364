package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"callmark/cms/simulator"
)

// site is a simulated cluster and the process that its records go to.
type site struct {
	cluster *simulator.Cluster
	process *process
	dir     string // of the process' files
	stop    context.CancelFunc
}

// open starts a cluster of so many Call Bridges, with no calls yet.
func (g *bench) open(bridges int) (*site, error) {
	cluster, err := simulator.New(simulator.Options{Bridges: bridges, Seed: g.Seed, Batch: 1, PerConn: 1000, NewPoster: newWire})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(g.ctx)
	s := &site{cluster: cluster, stop: stop}
	if err := cluster.Start(ctx); err != nil {
		s.close()
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "callmark-bench"); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// callmark starts callmark at a site, and the cluster posts to it from now on.
// keys are those of [cms], each with its value, that are not at their defaults.
func (s *site) callmark(g *bench, keys ...string) (err error) {
	if s.process, err = g.start(g.ctx, s.cluster, s.dir, keys); err != nil {
		return err
	}
	return s.cluster.SetReceivers(s.process.url())
}

// peer starts a peer in callmark's place.
func (s *site) peer(g *bench, kind string) (err error) {
	if s.process, err = startPeer(g.ctx, s.dir, kind); err != nil {
		return err
	}
	return s.cluster.SetReceivers(s.process.url())
}

func (s *site) close() {
	s.stop()
	if s.process != nil {
		s.process.kill() // first: the cluster waits for its connections
	}
	s.cluster.Close()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// feed has every Call Bridge drive its calls, by what step returns for it, until
// over.
func (s *site) feed(load func(number int, b *simulator.Bridge) func() bool) {
	for i, b := range s.cluster.Bridges() {
		b.Feed(load(i, b))
	}
}

// fed waits until every feed is over and all its records are taken.
func (s *site) fed(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, b := range s.cluster.Bridges() {
		if err := wait(ctx, within, b.Fed); err != nil {
			return s.failed("the load did not end", err)
		}
	}
	if err := s.cluster.WaitDelivered(ctx); err != nil {
		return s.failed("records were not taken", err)
	}
	return nil
}

func (s *site) failed(what string, err error) error {
	return fmt.Errorf("%s: %w\n%s", what, err, s.process.words())
}

// reads counts the GET requests to the API of all Call Bridges.
func (s *site) reads() (n int) {
	for _, b := range s.cluster.Bridges() {
		n += b.Requests().Gets
	}
	return n
}

// sample is how far a run has come.
type sample struct {
	at       time.Time
	posts    int
	cpu, own float64 // processor time of the process, and of this one, in s
}

func (s *site) sample() (m sample, err error) {
	failed := 0
	for _, b := range s.cluster.Bridges() {
		d := b.Deliveries()
		m.posts += d.Acknowledged
		failed += d.Failed
	}
	if failed > 0 {
		return m, fmt.Errorf("%d posts were not answered with 200\n%s", failed, s.process.words())
	}
	m.at = time.Now()
	stat, err := statOf(s.process.cmd.Process.Pid)
	if err != nil {
		return m, err
	}
	own, err := statOf(os.Getpid())
	m.cpu, m.own = stat.CPUTime(), own.CPUTime()
	return m, err
}

// speed is what was done between two samples.
type speed struct {
	posts    float64 // a second
	cpu, own float64 // processor time a post, in µs
	core     float64 // processor time of the process, in % of a core
}

func (m sample) until(end sample) speed {
	posts := float64(end.posts - m.posts)
	took := end.at.Sub(m.at).Seconds()
	return speed{posts / took, 1e6 * (end.cpu - m.cpu) / posts, 1e6 * (end.own - m.own) / posts, 100 * (end.cpu - m.cpu) / took}
}

// during samples for a while.
func (s *site) during(ctx context.Context, d time.Duration) (speed, error) {
	begun, err := s.sample()
	if err != nil {
		return speed{}, err
	}
	if err := sleep(ctx, d); err != nil {
		return speed{}, err
	}
	ended, err := s.sample()
	return begun.until(ended), err
}
