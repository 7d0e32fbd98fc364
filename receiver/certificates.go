package receiver

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"callmark/policy"
)

const (
	// certificateNotice is how long before a certificate runs out there is an
	// alarm.
	certificateNotice = 14 * 24 * time.Hour

	timeLayout = "2006-01-02 15:04 UTC"

	pairAlarm        = "receiver/certificate"
	pairEndsAlarm    = "receiver/certificate ends"
	clientsAlarm     = "receiver/client_ca"
	clientsEndsAlarm = "receiver/client_ca ends"
)

// certificates are the receiver's own certificate and the authorities of its
// senders', read again when the files change.
//
// They are looked at every few seconds, not at a handshake: no sender waits for
// the disk, and one who keeps a connection for days does not keep a broken file
// from being noticed. Contents are compared, not times, which links that are
// moved and copies that keep them leave as they were.
type certificates struct {
	certFile, keyFile, clientFile string

	log   *slog.Logger
	board Board

	config  atomic.Pointer[tls.Config] // for the next handshake
	clients atomic.Pointer[authority]  // nil: no certificate is asked of senders

	// The rest belongs to look: at the start, and then of one goroutine.
	pair     tls.Certificate
	pairEnds time.Time
	pairSum  [sha256.Size]byte // of the files that are in use
	raised   map[string]string // the alarms, with their texts
}

// authority is whose client certificates are taken.
type authority struct {
	pool *x509.CertPool
	all  []*x509.Certificate
	ends time.Time // when the first of them runs out
	sum  [sha256.Size]byte
}

// good reports whether one of them at least vouches for anybody.
func (a *authority) good(now time.Time) bool {
	return slices.ContainsFunc(a.all, func(c *x509.Certificate) bool {
		return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
	})
}

// newCertificates reads the files for the first time; nil is for plain HTTP.
func newCertificates(o Options, board Board) (*certificates, error) {
	if o.TLSCert == "" {
		return nil, nil
	}
	cs := &certificates{
		certFile: o.TLSCert, keyFile: o.TLSKey, clientFile: o.ClientCA,
		log: o.Log, board: board, raised: map[string]string{},
	}
	if err := cs.readPair(o.Now()); err != nil {
		return nil, fmt.Errorf("receiver.tls_cert: %w", err)
	}
	if err := cs.readClients(o.Now()); err != nil {
		return nil, fmt.Errorf("receiver.client_ca: %w", err)
	}
	return cs, nil
}

// first is the configuration that a handshake begins with: it asks for the
// newest.
func (cs *certificates) first() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		SessionTicketsDisabled: true, // counts here too; see renew
		GetConfigForClient:     func(*tls.ClientHelloInfo) (*tls.Config, error) { return cs.config.Load(), nil },
	}
}

// renew has the next handshakes use what was read last.
func (cs *certificates) renew() {
	c := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{cs.pair},
		NextProtos:   []string{"http/1.1"},
		// Call Bridges keep their connections, so to resume would save next to
		// nothing; and it would let in whom an authority vouched for that is gone.
		SessionTicketsDisabled: true,
	}
	if a := cs.clients.Load(); a != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool
	}
	cs.config.Store(c)
}

// run looks at the files until quit.
func (cs *certificates) run(quit <-chan struct{}, every time.Duration, look func()) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		look()
		select {
		case <-quit:
			return
		case <-t.C:
		}
	}
}

// look reads the files again, uses what is new and good, keeps what was good
// where it is not, and raises and lowers the alarms.
func (cs *certificates) look(now time.Time) {
	cs.alarm(now, pairAlarm, failed("the receiver's certificate on disk cannot be used: ", cs.readPair(now)),
		"put a certificate and its own key into "+cs.certFile+" and "+cs.keyFile+": until then the ones from before are used, and after a restart none")
	cs.alarm(now, pairEndsAlarm, ending("the receiver's certificate", cs.pairEnds, now),
		"put a new one into "+cs.certFile+" and its key into "+cs.keyFile+", before senders refuse it; no restart is needed")
	if cs.clientFile == "" {
		return
	}
	cs.alarm(now, clientsAlarm, failed("the authorities of client certificates on disk cannot be used: ", cs.readClients(now)),
		"put them into "+cs.clientFile+" in PEM form: until then the ones from before are used, and after a restart none")
	cs.alarm(now, clientsEndsAlarm, ending("an authority of client certificates", cs.clients.Load().ends, now),
		"put a new one into "+cs.clientFile+" in its place and give its senders certificates of that, or they are refused; no restart is needed")
}

// readPair takes a certificate and its key if they are others than those in use,
// and not worse: what is not valid now does not replace what is.
func (cs *certificates) readPair(now time.Time) error {
	cert, err := os.ReadFile(cs.certFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(cs.keyFile)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(bytes.Join([][]byte{cert, key}, []byte{0}))
	if sum == cs.pairSum {
		return nil
	}
	// A chain that is half written may have its own certificate whole already,
	// and senders would not find the way from it to an authority.
	if cut(afterPEM(cert)) {
		return fmt.Errorf("%s: %w", cs.certFile, errCut)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%s with %s: %w", cs.certFile, cs.keyFile, err)
	}
	begins, ends, err := validity(pair.Certificate)
	if err != nil {
		return fmt.Errorf("%s: %w", cs.certFile, err)
	}
	if (now.Before(begins) || !now.Before(ends)) && now.Before(cs.pairEnds) {
		return fmt.Errorf("%s is valid only from %s to %s", cs.certFile, begins.UTC().Format(timeLayout), ends.UTC().Format(timeLayout))
	}
	cs.pair, cs.pairEnds, cs.pairSum = pair, ends, sum
	cs.renew()
	cs.log.Info("receiver uses a certificate", "file", cs.certFile, "ends", ends.UTC().Format(time.RFC3339))
	return nil
}

var errCut = errors.New("a certificate ends in the middle")

// afterPEM is what follows the last block of a text that can be read.
func afterPEM(text []byte) []byte {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return text
		}
		text = rest
	}
}

// cut reports whether a block begins in what is left of a text, and does not end.
func cut(rest []byte) bool { return bytes.Contains(rest, []byte("-----BEGIN")) }

// validity is when all certificates of a chain are valid.
func validity(chain [][]byte) (begins, ends time.Time, err error) {
	for _, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return begins, ends, err
		}
		if c.NotBefore.After(begins) {
			begins = c.NotBefore
		}
		if ends.IsZero() || c.NotAfter.Before(ends) {
			ends = c.NotAfter
		}
	}
	return begins, ends, nil
}

// readClients takes the authorities of client certificates if they are others
// than those in use, and not worse: when none of them is valid now they do not
// replace those of which one is.
func (cs *certificates) readClients(now time.Time) error {
	if cs.clientFile == "" {
		return nil
	}
	text, err := os.ReadFile(cs.clientFile)
	if err != nil {
		return err
	}
	used := cs.clients.Load()
	sum := sha256.Sum256(text)
	if used != nil && sum == used.sum {
		return nil
	}
	a, err := readAuthority(text)
	if err != nil {
		return fmt.Errorf("%s: %w", cs.clientFile, err)
	}
	if used != nil && used.good(now) && !a.good(now) {
		return fmt.Errorf("%s: none of its authorities is valid now", cs.clientFile)
	}
	a.sum = sum
	cs.clients.Store(a)
	cs.renew()
	cs.log.Info("receiver uses authorities of client certificates", "file", cs.clientFile, "ends", a.ends.UTC().Format(time.RFC3339))
	return nil
}

// readAuthority reads certificates in PEM form: all of them, or none. A pool's
// own reader takes half a file, and with it half of the senders.
func readAuthority(text []byte) (*authority, error) {
	a := &authority{pool: x509.NewCertPool()}
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		a.pool.AddCert(c)
		a.all = append(a.all, c)
		if a.ends.IsZero() || c.NotAfter.Before(a.ends) {
			a.ends = c.NotAfter
		}
	}
	switch {
	case cut(text):
		return nil, errCut
	case len(a.all) == 0:
		return nil, errors.New("there is no certificate in PEM form")
	}
	return a, nil
}

// check verifies a sender's chain as the handshake does, and says until when it
// holds.
func (a *authority) check(certs []*x509.Certificate, now time.Time) (until time.Time, err error) {
	o := x509.VerifyOptions{
		Roots: a.pool, Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range certs[1:] {
		o.Intermediates.AddCert(c)
	}
	chains, err := certs[0].Verify(o)
	if err != nil {
		return until, err
	}
	for _, c := range chains[0] {
		if until.IsZero() || c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	return until, nil
}

// alarm raises an alarm with a text that is not up yet, and lowers it without
// one. One that an operator has dismissed stays away until its text changes.
func (cs *certificates) alarm(now time.Time, key, text, remedy string) {
	switch {
	case text == cs.raised[key]:
	case text == "":
		delete(cs.raised, key)
		cs.board.Lower(now, key)
	default:
		cs.raised[key] = text
		cs.board.Raise(now, policy.Alarm{Key: key, Text: text, Remedy: remedy})
	}
}

func failed(what string, err error) string {
	if err == nil {
		return ""
	}
	return what + policy.Clean(err.Error(), maxReason)
}

// ending says that something runs out, or has; "" if not soon.
func ending(what string, ends, now time.Time) string {
	day := ends.UTC().Format(timeLayout)
	switch {
	case !now.Before(ends):
		return what + " has run out: " + day
	case ends.Sub(now) < certificateNotice:
		return what + " runs out soon: " + day
	}
	return ""
}
