package receiver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"callmark/policy"
)

// secured is a connection over TLS. Its handshake is made by the goroutine that
// serves it, before anything else is read or written.
type secured struct {
	*tls.Conn
	raw    *counted
	shaken bool // the handshake was made

	// Of the sender's certificate, where one is wanted.
	by    *authority // that it was checked by
	until time.Time  // when its chain runs out
}

// counted knows whether anything has come.
type counted struct {
	net.Conn
	heard bool
}

// Read notes that something has come.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.heard = c.heard || n > 0
	return n, err
}

// CloseWrite ends what we send, where that can be.
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

var errNoHandshake = errors.New("there was no handshake")

// Write fails before the handshake, rather than wait for one.
func (t *secured) Write(p []byte) (int, error) {
	if !t.shaken {
		return 0, errNoHandshake
	}
	return t.Conn.Write(p)
}

// shake makes the handshake, until the connection's deadline.
func (t *secured) shake() error {
	err := t.Handshake()
	t.shaken = err == nil
	return err
}

// cut closes the connection without a word to the other side, and never waits.
func (t *secured) cut() { _ = t.raw.Close() }

// secure puts TLS over a connection, if the receiver speaks it.
func (s *Server) secure(nc net.Conn) net.Conn {
	if s.certs == nil {
		return nc
	}
	raw := &counted{Conn: nc}
	return &secured{Conn: tls.Server(raw, s.certs.first()), raw: raw}
}

// shake makes the handshake of a connection and reports whether it can be
// served. A sender that is refused there is counted; one that has said nothing
// is not.
func (s *Server) shake(c *conn) bool {
	t, ok := c.Conn.(*secured)
	if !ok {
		return true
	}
	_ = c.SetDeadline(time.Now().Add(s.o.ReadTimeout))
	err := t.shake()
	if err == nil {
		_ = c.SetDeadline(time.Time{})
		return true
	}
	if raw, ok := asPlainHTTP(err); ok {
		const reason = "this port takes HTTPS: post to https://, not http://"
		s.refused(c.source, causePlain, reason)
		say(raw, fasthttp.StatusBadRequest, reason)
		return false
	}
	if !t.raw.heard || errors.Is(err, net.ErrClosed) {
		return false // a probe of the port, or we have closed it ourselves
	}
	why, reason := handshakeCause(err)
	s.refused(c.source, why, reason)
	if why == causeNoClient || why == causeClient {
		linger(t.raw) // it has sent more, and is to read why
	}
	return false
}

// asPlainHTTP returns the connection under TLS if what came on it was a request
// in plain HTTP.
func asPlainHTTP(err error) (net.Conn, bool) {
	var record tls.RecordHeaderError
	if !errors.As(err, &record) || record.Conn == nil {
		return nil, false
	}
	switch string(record.RecordHeader[:]) {
	case "POST ", "GET /", "HEAD ", "PUT /", "OPTIO", "PATCH", "DELET":
		return record.Conn, true
	}
	return nil, false
}

// handshakeCause says why a handshake failed.
func handshakeCause(err error) (cause, string) {
	var (
		bad     *tls.CertificateVerificationError
		remote  *net.OpError
		timeout net.Error
	)
	text := policy.Clean(err.Error(), maxReason)
	switch {
	case errors.As(err, &bad):
		return causeClient, "the client certificate is refused: " + policy.Clean(bad.Err.Error(), maxReason) + ": use one of an authority in client_ca that has not run out"
	case strings.Contains(text, "didn't provide a certificate"): // crypto/tls has no value for it
		return causeNoClient, "no client certificate was shown: post with one of an authority in client_ca"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return causeSlow, "the handshake did not end in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return causeHandshake, "the sender broke off the handshake: see whether it trusts the certificate in tls_cert, for the name that it posts to"
	case errors.As(err, &remote) && remote.Op == "remote error":
		return causeHandshake, "the sender does not want the connection: " + text + ": see whether it trusts the certificate in tls_cert, for the name that it posts to"
	}
	return causeHandshake, "TLS could not be agreed: " + text + ": see whether the sender trusts the certificate in tls_cert, and speaks TLS 1.2 or newer"
}

// stillKnown reports whether the certificate that a connection began with is
// still good, after the authorities have changed or it has run out; else why
// not. Connections are kept for days: they must not outlive what let them in.
func (t *secured) stillKnown(current *authority, now time.Time) (string, bool) {
	if current == nil || t.by == current && now.Before(t.until) {
		return "", true
	}
	certs := t.ConnectionState().PeerCertificates
	if len(certs) == 0 { // the handshake lets none in without
		return "no client certificate was shown", false
	}
	until, err := current.check(certs, now)
	if err != nil {
		return "the client certificate is no longer good: " + policy.Clean(err.Error(), maxReason), false
	}
	t.by, t.until = current, until
	return "", true
}

// admitted reports whether a request may be looked at; else it is answered.
func (s *Server) admitted(ctx *fasthttp.RequestCtx) bool {
	if s.certs == nil {
		return true
	}
	c, ok := ctx.Conn().(*conn)
	if !ok {
		return true
	}
	t, ok := c.Conn.(*secured)
	if !ok {
		return true
	}
	reason, ok := t.stillKnown(s.certs.clients.Load(), s.o.Now())
	if !ok {
		s.deny(ctx, fasthttp.StatusForbidden, causeClient, reason)
		ctx.SetConnectionClose()
	}
	return ok
}
