package simulator

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Cluster is a set of Call Bridges that share one account, one source of GUIDs
// and one clock. All its methods are safe for concurrent use.
type Cluster struct {
	opts    Options
	bridges []*Bridge
	cert    *certificate

	mu       sync.Mutex // guards all below, and the state of bridges, calls, legs and senders
	changed  sync.Cond  // broadcast when version moves
	version  uint64     // counts changes of any kind
	rng      *rand.Rand
	meetings map[string][]*Call // running calls by correlator
	running  bool
	closed   bool
	ctx      context.Context
	cancel   context.CancelFunc
	detach   func() bool
	wg       sync.WaitGroup // all goroutines
}

// New makes a cluster that does not run yet. Calls may be started already;
// their records wait for the receivers.
func New(opts Options) (*Cluster, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts.withDefaults(), meetings: make(map[string][]*Call)}
	c.changed.L = &c.mu
	c.rng = rand.New(rand.NewPCG(c.opts.Seed, 0x636d73)) // #nosec G404 -- a simulation that can be played again
	if c.opts.TLS {
		var err error
		if c.cert, err = newCertificate(); err != nil {
			return nil, err
		}
	}
	for i := range c.opts.Names {
		b := newBridge(c, i)
		for _, uri := range c.opts.Receivers {
			b.senders = append(b.senders, newSender(b, uri))
		}
		c.bridges = append(c.bridges, b)
	}
	return c, nil
}

// Start opens every Call Bridge's API and begins to post records. When ctx ends
// the cluster stops; Close waits until it has. After an error nothing runs.
func (c *Cluster) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running || c.closed {
		return errors.New("simulator: started twice, or after Close")
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	for _, b := range c.bridges {
		if err := b.listen(); err != nil {
			c.stop()
			return err
		}
	}
	for _, b := range c.bridges {
		for _, s := range b.senders {
			s.start()
		}
	}
	c.running = true
	c.detach = context.AfterFunc(c.ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stop()
	})
	return nil
}

// Close stops the cluster and waits until every goroutine of it has ended. It
// may be called more than once, and without Start.
func (c *Cluster) Close() {
	c.mu.Lock()
	if c.detach != nil {
		c.detach()
	}
	c.stop()
	c.mu.Unlock()
	c.wg.Wait()
}

// stop ends all that runs, without waiting for it.
func (c *Cluster) stop() {
	c.closed = true
	if c.cancel != nil {
		c.cancel()
	}
	for _, b := range c.bridges {
		if closeIt := b.takeServer(); closeIt != nil {
			c.wg.Go(closeIt)
		}
	}
	c.touch()
}

// Bridges returns the Call Bridges, in the order of their names in Options.
func (c *Cluster) Bridges() []*Bridge { return c.bridges }

// Bridge returns the Call Bridge with the given number, from 0.
func (c *Cluster) Bridge(i int) *Bridge { return c.bridges[i] }

// Username returns the name of the API account.
func (c *Cluster) Username() string { return c.opts.Username }

// Password returns the password of the API account.
func (c *Cluster) Password() string { return c.opts.Password }

// URLs returns the base URLs of all APIs, fit for [cms] servers.
func (c *Cluster) URLs() []string {
	urls := make([]string, len(c.bridges))
	for i, b := range c.bridges {
		urls[i] = b.URL()
	}
	return urls
}

// CA returns the certificate of all APIs in PEM, or nil without Options.TLS.
func (c *Cluster) CA() []byte {
	if c.cert == nil {
		return nil
	}
	return c.cert.pem
}

// SetReceivers makes every Call Bridge post to these URIs, and to no others. A
// receiver that stays keeps its queue; a new one gets the records from now on.
// It waits until the posts to the old ones have ended.
func (c *Cluster) SetReceivers(uris ...string) error {
	if err := checkReceivers(uris); err != nil {
		return err
	}
	var gone []*sender
	c.mu.Lock()
	for _, b := range c.bridges {
		gone = append(gone, b.setReceivers(uris)...)
	}
	c.touch()
	c.mu.Unlock()
	for _, s := range gone {
		s.wait()
	}
	return nil
}

// WaitDelivered waits until every record has been acknowledged by every
// receiver, and no post is under way.
func (c *Cluster) WaitDelivered(ctx context.Context) error {
	return c.Wait(ctx, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed {
			return false // what was cut off is in no queue, and not delivered
		}
		for _, b := range c.bridges {
			for _, s := range b.senders {
				if !s.idle() {
					return false
				}
			}
		}
		return true
	})
}

// Wait returns nil once done returns true. It asks at the start and after every
// change of the cluster: a call, a leg, an API request, an acknowledgement. The
// passing of time is no change. done may call any method of the cluster.
func (c *Cluster) Wait(ctx context.Context, done func() bool) error {
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})()
	for {
		c.mu.Lock()
		version := c.version
		c.mu.Unlock()
		if done() {
			return nil
		}
		c.mu.Lock()
		for c.version == version && ctx.Err() == nil && !c.closed {
			c.changed.Wait()
		}
		closed := c.closed && c.version == version
		c.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("simulator: wait: %w", err)
		}
		if closed {
			return errors.New("simulator: wait: the cluster is closed")
		}
	}
}

// Together runs f and posts nothing meanwhile, so that the records that f
// causes go out in as few posts as Options.Batch allows.
func (c *Cluster) Together(f func()) {
	c.hold(+1)
	defer c.hold(-1)
	f()
}

func (c *Cluster) hold(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.bridges {
		b.held += n
		b.wake()
	}
}

// touch tells those who wait that something changed.
func (c *Cluster) touch() {
	c.version++
	c.changed.Broadcast()
}

func (c *Cluster) now() time.Time { return c.opts.Now().UTC() }

// guid returns the next GUID of the seed.
func (c *Cluster) guid() string { return newGUID(c.rng) }

func newGUID(rng *rand.Rand) string {
	var g [16]byte
	binary.BigEndian.PutUint64(g[:8], rng.Uint64())
	binary.BigEndian.PutUint64(g[8:], rng.Uint64())
	g[6] = g[6]&0x0f | 0x40
	g[8] = g[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:])
}

// serverTLS is the configuration that the APIs listen with.
func (c *Cluster) serverTLS() *tls.Config {
	if c.cert == nil {
		return nil
	}
	return &tls.Config{Certificates: []tls.Certificate{c.cert.pair}, MinVersion: tls.VersionTLS12}
}
