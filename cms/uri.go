package cms

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"callmark/policy"
)

const (
	maxURI   = 200 // characters of a URI that are shown
	likeThis = "write it like http://callmark.example.com:5000/cdr"
)

// CheckURI says what keeps a receiver's URI from being registered, and how to
// write it. The text tells nothing that may be secret.
func CheckURI(uri string) error {
	problem := ""
	u, err := url.Parse(uri)
	switch {
	case strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }):
		problem = "the URI holds blanks or letters beyond ASCII"
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		problem = "the URI is no http:// or https:// address"
	case u.Hostname() == "":
		problem = "the URI names no host"
	case u.User != nil:
		problem = "the URI holds a user, which no Call Bridge sends"
	case strings.Contains(uri, "#"):
		problem = "the URI holds a fragment, which no Call Bridge sends"
	case strings.Contains(uri, policy.Redacted):
		return fmt.Errorf("the URI holds %s in the place of a value: write the value itself", policy.Redacted)
	default:
		if _, ok := placeOf(uri); !ok {
			problem = "the URI has no port from 1 to 65535"
		}
	}
	if problem == "" {
		return nil
	}
	return errors.New(problem + ": " + likeThis)
}

// ShowURI makes a receiver's URI safe to show and to log: clean, and without
// what may be secret, the values of the query (Cisco Meeting Management puts a
// token there) and a user.
func ShowURI(uri string) string {
	base, query, asks := strings.Cut(uri, "?")
	if scheme, rest, ok := strings.Cut(base, "://"); ok {
		authority, path, _ := strings.Cut(rest, "/")
		if at := strings.LastIndex(authority, "@"); at >= 0 {
			base = scheme + "://" + policy.Redacted + authority[at:]
			if len(authority) < len(rest) {
				base += "/" + path
			}
		}
	}
	if !asks {
		return policy.Clean(base, maxURI)
	}
	return policy.Clean(base+"?"+hideValues(query), maxURI)
}

// hideValues takes the values out of a query. What has no name may be a value.
func hideValues(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, named := strings.Cut(pair, "="); named {
			pairs[i] = name + "=" + policy.Redacted
		} else if pair != "" {
			pairs[i] = policy.Redacted
		}
	}
	return strings.Join(pairs, "&")
}

// SameURI reports whether a URI that somebody names means the one that a server
// has: alike but for the case of scheme and host, a final dot, and a default
// port. The query counts only if one is named, and may be named as ShowURI shows
// it.
func SameURI(named, has string) bool {
	a, ok := placeOf(named)
	b, ok2 := placeOf(has)
	return ok && ok2 && a.origin() == b.origin() && a.path == b.path && a.asks(b.query)
}

// place is where a receiver's URI leads to.
type place struct {
	scheme string // http or https
	host   string // as hostKey has it
	port   int
	path   string
	query  string
}

var defaultPorts = map[string]int{"http": 80, "https": 443}

// placeOf reads a URI; ok is false if a Call Bridge could not post to it.
func placeOf(uri string) (p place, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" {
		return p, false
	}
	p = place{scheme: u.Scheme, path: u.Path, query: u.RawQuery,
		host: hostKey(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))}
	if p.port, ok = defaultPorts[u.Scheme]; !ok { // in lower case after Parse
		return p, false
	}
	if text := u.Port(); text != "" {
		if p.port, err = strconv.Atoi(text); err != nil || p.port < 1 || p.port > 65535 {
			return p, false
		}
	}
	if p.path == "" {
		p.path = "/"
	}
	return p, true
}

// address is the place's host and port.
func (p place) address() Address { return Address{Scheme: p.scheme, Host: p.host, Port: p.port} }

// origin is the place without path and query.
func (p place) origin() string { return p.scheme + "://" + p.address().Name() }

// asks reports whether a query is what p asks for; without one it takes any.
func (p place) asks(query string) bool {
	return p.query == "" || p.query == query || p.query == hideValues(query)
}

// loops reports whether the host means the machine that connects to it: for a
// Call Bridge, itself.
func (p place) loops() bool {
	ip, err := netip.ParseAddr(p.host)
	return p.host == "localhost" || err == nil && ip.IsLoopback()
}
