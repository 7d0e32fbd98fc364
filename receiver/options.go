package receiver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"callmark/policy"
)

// Board is what the receiver needs of *policy.Board. None of it blocks.
type Board interface {
	Apply(now time.Time, src policy.Source, events []policy.Event) policy.Applied
	SetAside(now time.Time, src policy.Source, reason string)
	ReportReceiver(s policy.ReceiverStatus)
}

// Options is how records are taken. Zero fields take the default named.
type Options struct {
	Listen     string // [host]:port; ":5000"
	Path       string // "/cdr"
	MaxBody    int    // bytes of one document; 4 MiB
	RefusedDir string // for documents that could not be read twice; empty: they are not kept

	ReadTimeout time.Duration // for a whole request to come; 10 s
	IdleTimeout time.Duration // of a connection between requests; 10 min
	MaxConns    int           // connections at once; 10,000

	Log *slog.Logger
	Now func() time.Time
	Go  func(name string, f func()) // runs f in a goroutine; go f()
}

// Validate reports what cannot be used, with the key of the configuration.
func (o Options) Validate() error {
	o = o.withDefaults()
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return fmt.Errorf("receiver.listen: %q is no address: write [host]:port, such as \":5000\"", o.Listen)
	}
	if !strings.HasPrefix(o.Path, "/") || o.Path == healthPath {
		return fmt.Errorf("receiver.path: %q cannot be used: write one that begins with / and is not %s", o.Path, healthPath)
	}
	if o.MaxBody < 0 || o.ReadTimeout < 0 || o.IdleTimeout < 0 || o.MaxConns < 0 {
		return errors.New("receiver: limits cannot be negative")
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = ":5000"
	}
	if o.Path == "" {
		o.Path = "/cdr"
	}
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 20
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	if o.MaxConns == 0 {
		o.MaxConns = 10_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Go == nil {
		o.Go = func(_ string, f func()) { go f() }
	}
	return o
}
