package receiver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// issuer is an authority of the test's own.
type issuer struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newIssuer(t testing.TB, name string) *issuer {
	t.Helper()
	i := &issuer{t: t}
	i.cert, i.key, i.pem = sign(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotAfter: time.Now().Add(1000 * time.Hour),
	})
	return i
}

// issue makes a certificate for the loopback, for servers and clients, and its
// key.
func (i *issuer) issue(name string, ends time.Time) (cert, key string) {
	i.t.Helper()
	_, k, text := sign(i.t, i, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: ends,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		i.t.Fatal(err)
	}
	return text, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

var serials atomic.Int64

func sign(t testing.TB, by *issuer, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore = big.NewInt(serials.Add(1)), time.Now().Add(-1000*time.Hour)
	parent, parentKey := c, key
	if by != nil {
		parent, parentKey = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (i *issuer) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(i.cert)
	return p
}

// shows is the TLS of a client that trusts i and shows a certificate of by.
func (i *issuer) shows(by *issuer, ends time.Time) *tls.Config {
	i.t.Helper()
	c := &tls.Config{RootCAs: i.pool(), MinVersion: tls.VersionTLS12}
	if by != nil {
		pair, err := tls.X509KeyPair(pems(by.issue("client", ends)))
		if err != nil {
			i.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func pems(cert, key string) ([]byte, []byte) { return []byte(cert), []byte(key) }

// disk is the files of a receiver's HTTPS.
type disk struct {
	t              testing.TB
	cert, key, cas string
}

func newDisk(t testing.TB) disk {
	dir := t.TempDir()
	return disk{t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
}

func (d disk) put(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d disk) pair(cert, key string) { d.put(d.cert, cert); d.put(d.key, key) }

// soon is when the certificates of most tests end.
func soon() time.Time { return time.Now().Add(500 * time.Hour) }

// secureStart runs a receiver on HTTPS with a certificate of i.
func secureStart(t testing.TB, b Board, i *issuer, o Options) (*Server, disk) {
	t.Helper()
	d := newDisk(t)
	d.pair(i.issue("server", soon()))
	o.TLSCert, o.TLSKey, o.LookEvery = d.cert, d.key, 2*time.Millisecond
	if o.ClientCA != "" {
		d.put(d.cas, o.ClientCA)
		o.ClientCA = d.cas
	}
	return start(t, b, o), d
}

// over puts TLS on a connection.
func (w *wire) over(c *tls.Config) *wire {
	c = c.Clone()
	c.ServerName = "127.0.0.1"
	return newWire(w.t, tls.Client(w.Conn, c))
}

const empty = `<records session="s"/>`

func TestHTTPS(t *testing.T) {
	i, b := newIssuer(t, "site"), &fakeBoard{}
	s, _ := secureStart(t, b, i, Options{})
	w := dial(t, s).over(i.shows(nil, soon()))
	for range 3 {
		w.send(posting(empty))
		if status, _, _ := w.answer(); status != 200 {
			t.Errorf("got %d", status)
		}
	}
	state := w.Conn.(*tls.Conn).ConnectionState()
	if state.Version != tls.VersionTLS13 || b.applied() != 3 || b.sources[0].Address != "127.0.0.1" {
		t.Errorf("%x, %v", state.Version, b.sources)
	}
	stop(t, s)
	if !w.ended() {
		t.Error("it goes on after the stop")
	}
	if got := s.Stats(); got.Refused != 0 || got.Connections != 0 {
		t.Errorf("%+v", got)
	}
}

// TestHandshakes has senders that do not get through it.
func TestHandshakes(t *testing.T) {
	i, stranger := newIssuer(t, "site"), newIssuer(t, "stranger")
	clientHello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	for _, tt := range []struct {
		name   string
		client bool // certificates are asked for
		do     func(t *testing.T, w *wire)
		cause  string // empty: it is not counted
		reason string
	}{
		{"plain HTTP", false, func(t *testing.T, w *wire) {
			w.send(posting(empty))
			if status, body, _ := w.answer(); status != 400 || !strings.Contains(body, "post to https://, not http://") || !w.ended() {
				t.Errorf("got %d %q", status, body)
			}
		}, "plain HTTP", "https://"},
		{"a large document in plain HTTP", false, func(t *testing.T, w *wire) {
			w.send(posting(strings.Repeat("x", 500_000)))
			if status, body, _ := w.answer(); status != 400 || !strings.Contains(body, "post to https://") {
				t.Errorf("got %d %q", status, body)
			}
		}, "plain HTTP", "https://"},
		{"nothing", false, func(t *testing.T, w *wire) { w.ended() }, "", ""},
		{"hung up at once", false, func(t *testing.T, w *wire) { w.Close() }, "", ""},
		{"half a hello", false, func(t *testing.T, w *wire) { w.send(clientHello); w.ended() }, "too slow", "did not end in time"},
		{"broken off", false, func(t *testing.T, w *wire) { w.send(clientHello); w.Close() }, "handshake", "broke off"},
		{"neither TLS nor HTTP", false, func(t *testing.T, w *wire) { w.send("SSH-2.0-x\r\n"); w.ended() }, "handshake", "TLS could not be agreed"},
		{"TLS 1.1", false, func(t *testing.T, w *wire) {
			if err := handshake(w, &tls.Config{RootCAs: i.pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
				t.Error("it was agreed")
			}
		}, "handshake", "TLS could not be agreed"},
		{"our certificate is not trusted", false, func(t *testing.T, w *wire) {
			if err := handshake(w, &tls.Config{RootCAs: stranger.pool()}); err == nil {
				t.Error("it is trusted")
			}
		}, "handshake", "see whether it trusts the certificate in tls_cert"},
		{"no client certificate", true, func(t *testing.T, w *wire) { refusedBy(t, w, i.shows(nil, soon()), "certificate required") }, "no client certificate", "authority in client_ca"},
		{"no client certificate, TLS 1.2", true, func(t *testing.T, w *wire) {
			c := i.shows(nil, soon())
			c.MaxVersion = tls.VersionTLS12
			refusedBy(t, w, c, "handshake failure")
		}, "no client certificate", "authority in client_ca"},
		{"a stranger's client certificate", true, func(t *testing.T, w *wire) {
			c := i.shows(stranger, soon())
			pair := c.Certificates[0]
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil } // though it was not asked for this one
			refusedBy(t, w, c, "unknown certificate authority")
		}, "client certificate", "unknown authority"},
		{"an old client certificate", true, func(t *testing.T, w *wire) {
			refusedBy(t, w, i.shows(i, time.Now().Add(-time.Hour)), "expired certificate")
		}, "client certificate", "expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, log := &fakeBoard{}, &logged{}
			o := Options{ReadTimeout: 100 * time.Millisecond, Log: log.logger()}
			if strings.Contains(tt.name, "certificate") || tt.name == "TLS 1.1" || tt.cause == "plain HTTP" {
				o.ReadTimeout = 0
			}
			if tt.client {
				o.ClientCA = i.pem
			}
			s, _ := secureStart(t, b, i, o)
			w := dial(t, s)
			tt.do(t, w)
			w.Close()
			until(t, "it is over", func() bool { return s.Stats().Connections == 0 && (tt.cause == "" || s.Stats().Refused > 0) })
			if got := s.Stats().ByCause(); tt.cause == "" && len(got) > 0 || tt.cause != "" && (len(got) != 1 || got[tt.cause] != 1) {
				t.Errorf("counted %v, want %q", got, tt.cause)
			}
			if lines := log.lines("request refused"); tt.cause != "" && (len(lines) != 1 || !strings.Contains(lines[0], tt.reason)) {
				t.Errorf("logged %q", lines)
			}
			if b.applied() != 0 {
				t.Error("records were taken")
			}
		})
	}
}

func handshake(w *wire, c *tls.Config) error { return w.over(c).Conn.(*tls.Conn).Handshake() }

// refusedBy posts and is told by an alert why not.
func refusedBy(t *testing.T, w *wire, c *tls.Config, alert string) {
	t.Helper()
	w = w.over(c)
	_, err := fmt.Fprint(w, posting(empty))
	if err == nil {
		_, err = w.r.ReadByte()
	}
	if err == nil || !strings.Contains(err.Error(), alert) {
		t.Errorf("got %v, want %s", err, alert)
	}
}

// TestAddressNotAllowedOverHTTPS tells a stranger in his own protocol.
func TestAddressNotAllowedOverHTTPS(t *testing.T) {
	i, b := newIssuer(t, "site"), &fakeBoard{}
	s, _ := secureStart(t, b, i, Options{Allow: networks("127.0.0.1/32")})
	for _, w := range []*wire{from(t, s, "127.0.0.2"), from(t, s, "127.0.0.2").over(i.shows(nil, soon()))} {
		w.send(posting(empty))
		if status, body, _ := w.answer(); status != 403 || !strings.Contains(body, "may not send here") || !w.ended() {
			t.Errorf("got %d %q", status, body)
		}
	}
	until(t, "both are counted", func() bool { return s.Stats().ByCause()["address not allowed"] == 2 })
	w := dial(t, s).over(i.shows(nil, soon()))
	w.send(posting(empty))
	if status, _, _ := w.answer(); status != 200 || b.applied() != 1 {
		t.Errorf("from an address that may: %d", status)
	}
}

// TestNoRoomOverHTTPS turns a connection away without a handshake, which would
// keep all others waiting.
func TestNoRoomOverHTTPS(t *testing.T) {
	i, b := newIssuer(t, "site"), &fakeBoard{}
	held, free := make(chan struct{}), make(chan struct{})
	b.onApply = func() { held <- struct{}{}; <-free }
	s, _ := secureStart(t, b, i, Options{MaxConns: 1})
	w := dial(t, s).over(i.shows(nil, soon()))
	w.send(posting(empty))
	<-held
	if !dial(t, s).ended() {
		t.Error("there was room")
	}
	close(free)
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("got %d", status)
	}
	if got := s.Stats().ByCause()["too many connections"]; got != 1 {
		t.Errorf("counted %v", s.Stats().Refusals)
	}
}

// TestHandshakeMakesRoom hoards handshakes: a Call Bridge gets in all the same.
func TestHandshakeMakesRoom(t *testing.T) {
	i := newIssuer(t, "site")
	s, _ := secureStart(t, &fakeBoard{}, i, Options{MaxConns: 4})
	for n := range 4 {
		dial(t, s).send("\x16\x03\x01")
		until(t, "it was taken", func() bool { return s.Stats().Connections == n+1 })
	}
	w := dial(t, s).over(i.shows(nil, soon()))
	w.send(posting(empty))
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("got %d", status)
	}
	stop(t, s) // with handshakes that never end
}

// TestClientCertificates keeps a connection while the authorities change.
func TestClientCertificates(t *testing.T) {
	i, first, second := newIssuer(t, "site"), newIssuer(t, "first"), newIssuer(t, "second")
	b := &fakeBoard{}
	s, d := secureStart(t, b, i, Options{ClientCA: first.pem})
	posts := func(w *wire, want int) {
		t.Helper()
		w.send(posting(empty))
		if status, body, _ := w.answer(); status != want {
			t.Errorf("got %d %q, want %d", status, body, want)
		}
	}
	change := func(text string) {
		t.Helper()
		before := s.certs.config.Load()
		d.put(d.cas, text)
		until(t, "the authorities are read", func() bool { return s.certs.config.Load() != before })
	}
	showing := i.shows(first, soon())
	showing.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	kept := dial(t, s).over(showing)
	posts(kept, 200)

	change(second.pem + first.pem)
	posts(kept, 200)
	posts(dial(t, s).over(i.shows(second, soon())), 200)
	again := dial(t, s).over(showing)
	posts(again, 200)
	if again.Conn.(*tls.Conn).ConnectionState().DidResume {
		t.Error("a session was resumed")
	}

	change(second.pem)
	posts(kept, 403)
	if !kept.ended() {
		t.Error("the connection goes on")
	}
	refusedBy(t, dial(t, s), showing, "tls: ")
	posts(dial(t, s).over(i.shows(second, soon())), 200)
	if got := s.Stats().ByCause()["client certificate"] + s.Stats().ByCause()["no client certificate"]; got != 2 {
		t.Errorf("counted %v", s.Stats().ByCause())
	}
	if b.status[0].Open {
		t.Error("it says that it is open")
	}
}

// TestClientCertificateRunsOut keeps a connection for longer than its
// certificate.
func TestClientCertificateRunsOut(t *testing.T) {
	i := newIssuer(t, "site")
	var later atomic.Int64
	s, _ := secureStart(t, &fakeBoard{}, i, Options{ClientCA: i.pem, Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	w := dial(t, s).over(i.shows(i, time.Now().Add(time.Hour)))
	for _, tt := range []struct {
		after  time.Duration
		status int
	}{{0, 200}, {59 * time.Minute, 200}, {61 * time.Minute, 403}} {
		later.Store(int64(tt.after))
		w.send(posting(empty))
		if status, body, _ := w.answer(); status != tt.status {
			t.Errorf("after %v: %d %q", tt.after, status, body)
		}
	}
}
