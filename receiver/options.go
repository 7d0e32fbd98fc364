package receiver

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"callmark/policy"
	"callmark/receiver/cdr"
)

// Board is what the receiver needs of *policy.Board. It is called by several
// goroutines at a time, and must not block on anything but its own short work:
// a Call Bridge waits for it.
type Board interface {
	// Apply takes the events of one document. They are the receiver's again
	// when it returns: the board keeps copies, not the slice.
	Apply(now time.Time, src policy.Source, events []policy.Event) policy.Applied
	SetAside(now time.Time, src policy.Source, reason string)
	ReportReceiver(s policy.ReceiverStatus)
	Raise(now time.Time, a policy.Alarm)
	Lower(now time.Time, key string)
}

// Options is how records are taken. Zero fields take the default named.
type Options struct {
	Listen     string // [host]:port; ":5000"
	Path       string // where records are posted to; "/cdr"
	RefusedDir string // for documents that could not be read twice; empty: they are not kept

	// Who may send. With none of these it is anybody who reaches the port.
	Allow    []netip.Prefix // addresses, for every path, without those of IPv4 in IPv6; all
	Token    policy.Secret  // expected as ?token= with records; none
	TLSCert  string         // a file in PEM form: HTTPS with this certificate; plain HTTP
	TLSKey   string         // its key, likewise
	ClientCA string         // likewise: senders must show a certificate of one of these; none

	LookEvery time.Duration // at the files of certificates, for new ones; 5 s

	// What one sender may feed. Ceiling says what it comes to in memory.
	MaxBody              int // bytes of one document; 4 MiB
	MaxDepth             int // elements of a document open at once; cdr.DefaultMaxDepth
	MaxRecords           int // of one document; cdr.DefaultMaxRecords
	MaxValue             int // bytes of one value, longer ones are cut; cdr.DefaultMaxValue
	MaxHeader            int // bytes of a request's header; 8 KiB
	MaxConns             int // connections at once; the one silent longest makes room; 1,024
	MaxConnsPerSource    int // connections at once from one address, likewise; 0: no limit of its own
	MaxRequestsPerSource int // requests a second from one address, on all its connections; 0: no limit

	ReadTimeout  time.Duration // for a whole request to come, from its first byte; 10 s
	WriteTimeout time.Duration // for an answer to go; 10 s
	IdleTimeout  time.Duration // of a connection between requests: the sender opens another; 10 min

	Log *slog.Logger     // none
	Now func() time.Time // time.Now

	// Unready says why callmark is not ready, a line each; none: it is. It must
	// not block. Without it there is no /readyz here.
	Unready func() []string
	// Metrics writes how callmark is, in Prometheus' text format. It must not
	// block, and must not name the software's version. Without it there is no
	// /metrics here.
	Metrics func(w io.Writer) error
	Go      func(name string, f func()) // runs f in a goroutine; go f()
}

// reserved are the paths that are not for records.
var reserved = []string{healthPath, readyPath, metricsPath}

// Validate reports what cannot be used, with the key of the configuration.
func (o Options) Validate() error {
	o = o.withDefaults()
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return fmt.Errorf("receiver.listen: %q is no address with a port: write [host]:port, such as \":5000\"", o.Listen)
	}
	if !strings.HasPrefix(o.Path, "/") || strings.ContainsAny(o.Path, "?#") {
		return fmt.Errorf("receiver.path: %q is no path: write one that begins with / and has no query, such as \"/cdr\"", o.Path)
	}
	for _, path := range reserved {
		if o.Path == path {
			return fmt.Errorf("receiver.path: %s has a use of its own: write another path, such as \"/cdr\"", path)
		}
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return fmt.Errorf("receiver.tls_cert: a certificate and a key go together: set tls_cert and tls_key, or neither")
	}
	if o.ClientCA != "" && o.TLSCert == "" {
		return fmt.Errorf("receiver.client_ca: senders can show a certificate only over HTTPS: set tls_cert and tls_key too")
	}
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"MaxBody", int64(o.MaxBody)}, {"MaxDepth", int64(o.MaxDepth)}, {"MaxRecords", int64(o.MaxRecords)},
		{"MaxValue", int64(o.MaxValue)}, {"MaxHeader", int64(o.MaxHeader)}, {"MaxConns", int64(o.MaxConns)},
		{"MaxConnsPerSource", int64(o.MaxConnsPerSource)}, {"MaxRequestsPerSource", int64(o.MaxRequestsPerSource)},
		{"ReadTimeout", int64(o.ReadTimeout)}, {"WriteTimeout", int64(o.WriteTimeout)}, {"IdleTimeout", int64(o.IdleTimeout)},
		{"LookEvery", int64(o.LookEvery)},
	} {
		if limit.value < 0 {
			return fmt.Errorf("receiver: %s is negative: leave it 0 for the default", limit.name)
		}
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
	if o.MaxDepth == 0 {
		o.MaxDepth = cdr.DefaultMaxDepth
	}
	if o.MaxRecords == 0 {
		o.MaxRecords = cdr.DefaultMaxRecords
	}
	if o.MaxValue == 0 {
		o.MaxValue = cdr.DefaultMaxValue
	}
	if o.MaxHeader == 0 {
		o.MaxHeader = 8 << 10
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	if o.MaxConns == 0 {
		o.MaxConns = 1024
	}
	if o.LookEvery == 0 {
		o.LookEvery = 5 * time.Second
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
