package receiver

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

// Why a sender is refused.
const (
	causeAddress   cause = "address not allowed"
	causeNoToken   cause = "no token"
	causeToken     cause = "wrong token"
	causeNoClient  cause = "no client certificate"
	causeClient    cause = "client certificate"
	causePlain     cause = "plain HTTP"
	causeHandshake cause = "handshake"
)

const (
	// Who is not on the allow list has this long to read that, in so many
	// connections at once and as many a second; the others are closed without an
	// answer. They take no place and little time from those who are on it.
	strangerWithin = 2 * time.Second
	maxStrangers   = 64
	strangersRate  = rate.Limit(100)

	// lingerWithin and maxLinger bound what is read of a request that is not
	// wanted, so that its answer is not lost with the connection.
	lingerWithin = time.Second
	maxLinger    = 1 << 20
)

// open reports whether anybody who reaches the port may send records.
func (o Options) open() bool {
	return len(o.Allow) == 0 && o.Token.Reveal() == "" && o.ClientCA == ""
}

// allows reports whether an address may send. With an allow list, what is no IP
// address may not.
func (o Options) allows(source string) bool {
	if len(o.Allow) == 0 {
		return true
	}
	a, err := netip.ParseAddr(source)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range o.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// tokenHash is the token that senders must show, as its hash: a comparison of hashes takes the
// same time whatever is shown, and however long it is.
type tokenHash struct {
	wanted bool
	hash   [sha256.Size]byte
}

func newTokenHash(text string) tokenHash {
	return tokenHash{text != "", sha256.Sum256([]byte(text))}
}

// refuses says why the query of a request is refused, and in words; "" if it is
// not.
func (t *tokenHash) refuses(query *fasthttp.Args) (cause, string) {
	if !t.wanted {
		return "", ""
	}
	shown := query.Peek("token")
	hash := sha256.Sum256(shown)
	switch {
	case subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1:
		return "", ""
	case len(shown) == 0:
		return causeNoToken, "the token is missing: post to the path with ?token= and the token"
	}
	return causeToken, "the token is wrong: post with the one that is configured here"
}

// forbid answers a connection from an address that is not allowed, whatever it
// asks.
func (s *Server) forbid(c *conn) {
	_ = c.SetDeadline(time.Now().Add(strangerWithin))
	reason := "the address " + c.source + " may not send here: post from one that is allowed, or allow it"
	if t, ok := c.Conn.(*secured); ok {
		if err := t.shake(); err != nil {
			s.refused(c.source, causeAddress, reason)
			if raw, ok := asPlainHTTP(err); ok {
				say(raw, fasthttp.StatusForbidden, reason)
			}
			return
		}
	}
	// Some clients take an answer that comes before the question for a fault.
	question := make([]byte, 4<<10)
	_, err := c.Read(question)
	s.refused(c.source, causeAddress, reason)
	if err == nil {
		say(c.Conn, fasthttp.StatusForbidden, reason)
	}
}

// say answers a request that is not read.
func say(c net.Conn, status int, line string) {
	_ = c.SetDeadline(time.Now().Add(lingerWithin))
	line += "\n"
	text := "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) +
		"\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + strconv.Itoa(len(line)) + "\r\n\r\n" + line
	if _, err := io.WriteString(c, text); err == nil {
		linger(c)
	}
}

// linger ends what we send and reads on a little, so that the other side gets
// to read it too.
func linger(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(lingerWithin))
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, c, maxLinger)
}
