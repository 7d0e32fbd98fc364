package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// The account that a zero Options sets up.
const (
	DemoUsername = "callmark"
	DemoPassword = "simulated"
)

const (
	// maxReceivers is how many receivers one Call Bridge takes.
	maxReceivers = 4
	// keepEnded is how many ended calls a Call Bridge remembers for Puts.
	keepEnded = 1000
	// keepPuts is how many of its last writes a call remembers.
	keepPuts = 1000
)

// Options set up a Cluster. The zero value is three clustered Call Bridges on
// plain HTTP, without receivers.
type Options struct {
	Bridges    int      // number of Call Bridges; 0: 3
	Standalone bool     // each on its own: no callBridge GUID in records, /callBridges empty
	Names      []string // unique names; missing ones are cms1, cms2, ...
	Username   string   // "": DemoUsername
	Password   string   // "": DemoPassword
	Seed       uint64   // of every GUID, and of the faults that come by chance
	Receivers  []string // URIs that records are posted to, at most 4
	PageCap    int      // most elements in one page of a list; 0: 10
	PageCaps   []int    // PageCap of each Call Bridge; missing ones and 0: PageCap
	TLS        bool     // serve HTTPS with a certificate of its own, see Cluster.CA
	Gzip       bool     // compress answers to those who accept it

	AnonymousRecords bool // no callBridge GUID in records although clustered
	PlainLinks       bool // distribution links without subType in records, as from CMS 2.9 on

	Batch       int           // most records in one post; 0: 20
	Queue       int           // records that wait for one receiver; above, the oldest are discarded; 0: 100,000
	ResendPause time.Duration // before a post is tried again; 0: 1 s
	PostTimeout time.Duration // until a receiver that does not answer counts as failed; 0: 10 s
	IdleTimeout time.Duration // of an API connection; 0: 5 s
	PerConn     int           // requests that an API connection serves; 0: 100

	Now         func() time.Time // nil: time.Now
	ReceiverTLS *tls.Config      // for https receivers; nil: the system's

	// Listen opens the API of a Call Bridge; nil: 127.0.0.1 on a free port.
	// It is called again, with the address it got before, when the Call
	// Bridge comes back from Bridge.StopListening.
	Listen func(address string) (net.Listener, error)
	// Dial connects to receivers; nil: the usual way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// NewPoster makes what posts one Call Bridge's records to one receiver; nil:
	// by net/http, with Dial, ReceiverTLS and PostTimeout. A leaner one leaves
	// more of a machine to the program that is measured.
	NewPoster func() Poster
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	if o.Bridges < 0 {
		return fmt.Errorf("simulator: %d Call Bridges: give a positive number", o.Bridges)
	}
	if o.Batch < 0 || o.Queue < 0 || o.PageCap < 0 || o.PerConn < 0 {
		return errors.New("simulator: negative limit: give a positive number, or 0 for the default")
	}
	for i, n := range o.PageCaps {
		if n < 0 {
			return fmt.Errorf("simulator: page cap %d of Call Bridge %d: give a positive number, or 0 for the default", n, i)
		}
	}
	return checkReceivers(o.Receivers)
}

func checkReceivers(uris []string) error {
	if len(uris) > maxReceivers {
		return fmt.Errorf("simulator: %d receivers: a Call Bridge takes at most %d", len(uris), maxReceivers)
	}
	for _, uri := range uris {
		if err := checkReceiver(uri); err != nil {
			return err
		}
	}
	return nil
}

func checkReceiver(uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return fmt.Errorf("simulator: receiver: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("simulator: receiver %q: give http://HOST:PORT/PATH", uri)
	}
	return nil
}

// withDefaults returns o with the defaults filled in.
func (o Options) withDefaults() Options {
	setDefault(&o.Bridges, 3)
	setDefault(&o.Username, DemoUsername)
	setDefault(&o.Password, DemoPassword)
	setDefault(&o.PageCap, 10)
	setDefault(&o.Batch, 20)
	setDefault(&o.Queue, 100_000)
	setDefault(&o.ResendPause, time.Second)
	setDefault(&o.PostTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, 5*time.Second)
	setDefault(&o.PerConn, 100)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Listen == nil {
		o.Listen = listenLoopback
	}
	if o.NewPoster == nil {
		o.NewPoster = func() Poster { return newHTTPPoster(&o) }
	}
	names := make([]string, o.Bridges)
	copy(names, o.Names)
	for i := range names {
		setDefault(&names[i], fmt.Sprintf("cms%d", i+1))
	}
	o.Names = names
	caps := make([]int, o.Bridges)
	copy(caps, o.PageCaps)
	for i := range caps {
		setDefault(&caps[i], o.PageCap)
	}
	o.PageCaps = caps
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func listenLoopback(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	return net.Listen("tcp", address)
}
