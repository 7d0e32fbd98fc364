package cms

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"callmark/policy"
)

// Options is how the servers are reached. Zero fields take the default named.
type Options struct {
	Servers  []string // host, host:port, https://host:port or http://host:port
	Port     int      // for servers given without one; 443
	Username string
	Password policy.Secret

	CAFile             string   // PEM; only these authorities are trusted. Empty: the system's
	InsecureSkipVerify bool     // certificates are not verified at all; pins are
	Pins               []string // "sha256/BASE64" of the servers' public keys: one of them must be the server's. Empty: none is pinned

	ReadsPerSecond  float64       // per server; 100
	WritesPerSecond float64       // per server; 20
	Writers         int           // writes at once per server, one of which is kept for rises; 4, at least 2
	Timeout         time.Duration // of one request; 10 s

	Resync      time.Duration // between two reconciliations with a server; 60 s
	StatusEvery time.Duration // between two looks at a server's status; 5 s
	MaxBackoff  time.Duration // longest wait after failures; 30 s
	Own         Own           // how our own receiver is known among those of a server

	Log *slog.Logger // for what the board's journal does not tell; none

	// What tests and main put in the place of the real thing.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)  // net.Dialer
	LookupIP    func(ctx context.Context, network, host string) ([]netip.Addr, error) // net.DefaultResolver
	Rand        func() float64                                                        // in [0,1); math/rand
	Go          func(name string, f func())                                           // runs f in a goroutine; go f()
}

// OptionError is an option that cannot be used.
type OptionError struct {
	Key     string // in the configuration
	Problem string
	Remedy  string
}

// Error says all three.
func (e *OptionError) Error() string {
	if e.Remedy == "" { // the problem says it
		return e.Key + ": " + e.Problem
	}
	return e.Key + ": " + e.Problem + ": " + e.Remedy
}

// Validate reports what is wrong, every fault as an *OptionError, joined.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(key, problem, remedy string) {
		errs = append(errs, &OptionError{Key: key, Problem: problem, Remedy: remedy})
	}
	if len(o.Servers) == 0 {
		bad("cms.servers", "no server is given", "list the Web Admin address of every Call Bridge")
	}
	if o.Port < 1 || o.Port > 65535 {
		bad("cms.port", fmt.Sprintf("%d is no port", o.Port), "write one from 1 to 65535")
	}
	names := map[string]string{}
	for _, text := range o.Servers {
		a, err := ParseAddress(text, o.Port)
		if err != nil {
			bad("cms.servers", err.Error(), "")
			continue
		}
		if before, ok := names[a.Name()]; ok {
			bad("cms.servers", fmt.Sprintf("%q and %q are the same server", before, text), "list it once")
		}
		names[a.Name()] = text
	}
	if o.Username == "" {
		bad("cms.username", "no user is given", "write that of a server account with the role api")
	}
	if o.Password.Reveal() == "" {
		bad("cms.password", "no password is given", "write it, set password_file, or set CALLMARK_CMS_PASSWORD")
	}
	for _, r := range []struct {
		key  string
		rate float64
	}{{"cms.reads_per_second", o.ReadsPerSecond}, {"cms.writes_per_second", o.WritesPerSecond}} {
		if !(r.rate > 0 && r.rate <= 10_000) { // NaN is none either
			bad(r.key, fmt.Sprintf("%v is no rate", r.rate), "write a number above 0, at most 10000")
		}
	}
	if o.Timeout < 0 {
		bad("cms.timeout", o.Timeout.String()+" is no time", "write one above 0, such as 10s")
	}
	if o.Writers < 2 {
		bad("cms.writers", fmt.Sprintf("%d writers leave none for rises", o.Writers), "write 2 or more")
	}
	if o.CAFile != "" {
		if _, err := loadCA(o.CAFile); err != nil {
			bad("cms.ca_file", err.Error(), "name a readable file with PEM certificates")
		}
	}
	if _, err := parsePins(o.Pins); err != nil {
		bad("cms.pins", err.Error(), `write "sha256/" and the base64 of the SHA-256 of a server's public key`)
	}
	return errors.Join(errs...)
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.Port == 0 {
		o.Port = 443
	}
	if o.ReadsPerSecond == 0 {
		o.ReadsPerSecond = 100
	}
	if o.WritesPerSecond == 0 {
		o.WritesPerSecond = 20
	}
	if o.Writers == 0 {
		o.Writers = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Resync == 0 {
		o.Resync = time.Minute
	}
	if o.StatusEvery == 0 {
		o.StatusEvery = 5 * time.Second
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.DialContext == nil {
		o.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	if o.LookupIP == nil {
		o.LookupIP = net.DefaultResolver.LookupNetIP
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Go == nil {
		o.Go = func(_ string, f func()) { go f() }
	}
	return o
}

// loadCA reads the authorities to trust.
func loadCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) // #nosec G304 -- the administrator names it
	if err != nil {
		return nil, fmt.Errorf("read the certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// Board is what this package needs of *policy.Board.
type Board interface {
	Looks() <-chan struct{}
	TakeLooks(dst []policy.CallRef) []policy.CallRef
	Want(now time.Time, ref policy.CallRef) policy.Want
	Sending(now time.Time, ref policy.CallRef, m policy.Marking) bool
	Sent(now time.Time, ref policy.CallRef, m policy.Marking, server string)
	Failed(now time.Time, ref policy.CallRef, m policy.Marking, problem string, uncertain bool)
	Absent(now time.Time, ref policy.CallRef, server string)
	Marked() []policy.Want

	Bind(now time.Time, session, server string, how policy.Sureness)
	Unbind(now time.Time, session, server string)
	SetHosts(now time.Time, watched, unwatched []string)
	ReportServer(now time.Time, s policy.ServerStatus)
	Raise(now time.Time, a policy.Alarm)
	Lower(now time.Time, key string)
}
