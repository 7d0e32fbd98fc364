package cms

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"callmark/policy"
)

// lookupWithin bounds how long a name may take to be resolved.
const lookupWithin = 3 * time.Second

// Own is how our own receiver is known among the URIs that a Call Bridge has.
// With URI set it is that one and no other; the query counts only if it has one.
// Otherwise it is every URI with our scheme, port and path whose host is an
// address at which our receiver listens. With Token set it must have that too.
type Own struct {
	URI    string // as the Call Bridges post to it, or empty: receiver.uri
	Listen string // [host]:port where our receiver listens: receiver.listen
	Path   string // where it takes records: receiver.path

	TLS   bool          // it takes HTTPS: receiver.tls_cert is set
	Token policy.Secret // expected as ?token=: receiver.token

	Guarded bool // it refuses those who may not send: by allow, token or client_ca

	// What tests put in the place of the real thing.
	LookupIP  func(ctx context.Context, network, host string) ([]netip.Addr, error) // net.DefaultResolver
	Addresses func() ([]net.Addr, error)                                            // net.InterfaceAddrs: of this machine
}

// Format prints the URI as ShowURI does: it may hold a token.
func (o Own) Format(f fmt.State, verb rune) {
	type plain Own // without this method
	o.URI = ShowURI(o.URI)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(o))
}

// Matches reports whether a URI leads to our receiver. It may ask the DNS, for
// up to 3 s; a name that cannot be resolved is not ours.
func (o Own) Matches(ctx context.Context, uri string) bool {
	match, _ := o.compare(ctx, uri)
	return match
}

// Near says in what a URI differs that was probably meant for our receiver,
// e.g. "same host, other path", and "" for all others. It may ask the DNS, for
// up to 3 s.
func (o Own) Near(ctx context.Context, uri string) string {
	_, near := o.compare(ctx, uri)
	return near
}

// compare tells a URI that is ours, and one that is but for one thing.
func (o Own) compare(ctx context.Context, uri string) (match bool, near string) {
	p, ok := placeOf(uri)
	if !ok {
		return false, ""
	}
	var ours place
	at := ""     // what is wrong with the host, when it may be ours all the same
	here := true // the host may be ours
	if o.URI != "" {
		if ours, ok = placeOf(o.URI); !ok {
			return false, ""
		}
		here = p.host == ours.host
	} else {
		ours = place{scheme: o.scheme(), port: o.port(), path: o.Path}
		if (p.port == ours.port) || (p.path == ours.path) { // else nothing is to be found out
			here, at = o.here(ctx, p.host)
		} else {
			here = false
		}
	}
	if !here {
		return false, ""
	}
	var other []string // hints at another program
	if p.port != ours.port {
		other = append(other, "same host, other port")
	}
	if p.path != ours.path {
		other = append(other, "same host, other path")
	}
	if at != "" {
		other = append(other, at)
	}
	var old []string // as it may have been before the receiver was protected
	if p.scheme != ours.scheme {
		old = append(old, "same host, "+p.scheme+" in the place of "+ours.scheme)
	}
	if differs := o.queryDiffers(ours, p.query); differs != "" {
		old = append(old, "same host and path, "+differs)
	}
	switch {
	case len(other)+len(old) == 0:
		return true, ""
	case len(other)+len(old) == 1 || len(other) == 0:
		return false, strings.Join(append(other, old...), ", and ")
	}
	return false, "" // so much is another program's
}

// queryDiffers says in what a query is not what ours is to be; "" if it is good.
func (o Own) queryDiffers(ours place, query string) string {
	shown := tokenOf(query)
	switch {
	case o.Token.Reveal() == "" || tokenOf(ours.query) != "": // receiver.uri says all
		switch {
		case ours.asks(query):
			return ""
		case shown == "" && tokenOf(ours.query) != "":
			return "without the token"
		}
		return "other query"
	case shown == "":
		return "without the token"
	case subtle.ConstantTimeCompare([]byte(shown), []byte(o.Token.Reveal())) == 0:
		return "with another token"
	case ours.query != "":
		rest, err := url.ParseQuery(query)
		want, err2 := url.ParseQuery(ours.query)
		rest.Del("token")
		if err != nil || err2 != nil || rest.Encode() != want.Encode() {
			return "other query"
		}
	}
	return ""
}

// tokenOf is the token in a query, or "".
func tokenOf(query string) string {
	values, _ := url.ParseQuery(query) // what can be read of it
	return values.Get("token")
}

// here reports whether our receiver can be at a host. but says why it may not
// be.
func (o Own) here(ctx context.Context, host string) (here bool, but string) {
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	ips, err := o.resolve(ctx, host)
	if err != nil || len(ips) == 0 {
		return true, "same port and path, but the host's name cannot be resolved here"
	}
	listens := o.host()
	at, err := o.resolve(ctx, listens)
	all := listens == "" || err != nil || slices.ContainsFunc(at, netip.Addr.IsUnspecified)
	local := false
	machine := o.addresses()
	for _, ip := range ips {
		if !all && slices.Contains(at, ip) {
			return true, ""
		}
		local = local || ip.IsLoopback() || slices.Contains(machine, ip)
	}
	if local && !all {
		return true, "this machine, but our receiver listens only at " + listens
	}
	return local, ""
}

// resolve finds the addresses of a host.
func (o Own) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if host == "" {
		return nil, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{plainIP(ip)}, nil
	}
	lookup := o.LookupIP
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	ips, err := lookup(ctx, "ip", host)
	plain := make([]netip.Addr, len(ips))
	for i, ip := range ips {
		plain[i] = plainIP(ip)
	}
	return plain, err
}

// addresses are those of this machine.
func (o Own) addresses() []netip.Addr {
	list := o.Addresses
	if list == nil {
		list = net.InterfaceAddrs
	}
	addrs, _ := list() // without them the loopback is left
	var ips []netip.Addr
	for _, a := range addrs {
		text, _, _ := strings.Cut(a.String(), "/")
		if ip, err := netip.ParseAddr(text); err == nil {
			ips = append(ips, plainIP(ip))
		}
	}
	return ips
}

func plainIP(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// host is where our receiver listens; empty: everywhere.
func (o Own) host() string {
	host, _, _ := net.SplitHostPort(o.Listen)
	return host
}

// port is our receiver's, or 0.
func (o Own) port() int {
	_, text, _ := net.SplitHostPort(o.Listen)
	port, _ := strconv.Atoi(text)
	return port
}

func (o Own) scheme() string {
	if o.TLS {
		return "https"
	}
	return "http"
}

// Suggest is the URI to register, fit to be shown. Where it cannot be known,
// THIS-HOST stands for a name or address of this machine; [redacted] stands for
// a token.
func (o Own) Suggest() string {
	if o.URI != "" {
		return ShowURI(o.withToken(o.URI))
	}
	host := "THIS-HOST"
	ip, err := netip.ParseAddr(o.host())
	known := err == nil && !ip.IsUnspecified() && !ip.IsLoopback()
	if known {
		host = ip.String()
	}
	switch port := o.port(); {
	case port != defaultPorts[o.scheme()]:
		host = net.JoinHostPort(host, strconv.Itoa(port))
	case known && ip.Is6():
		host = "[" + host + "]"
	}
	return ShowURI(o.withToken(o.scheme() + "://" + host + o.Path))
}

// direct is our receiver as it is on this machine, whatever receiver.uri says.
func (o Own) direct() Own {
	o.URI = ""
	return o
}

// withToken adds the token to a URI that has none.
func (o Own) withToken(uri string) string {
	base, query, asks := strings.Cut(uri, "?")
	switch {
	case o.Token.Reveal() == "" || tokenOf(query) != "":
		return uri
	case asks && query != "":
		return base + "?" + query + "&token=" + o.Token.Reveal()
	}
	return base + "?token=" + o.Token.Reveal()
}

// Add is what to do to have our receiver registered, fit to be shown.
func (o Own) Add() string { return "callmark receivers add " + toAdd(o.Suggest()) }

// toAdd makes a URI that is shown one that can be used.
func toAdd(shown string) string {
	if strings.Contains(shown, policy.Redacted) {
		return shown + ", with the secret itself in the place of " + policy.Redacted
	}
	return shown
}

// Doubt says what speaks against registering a URI, and what to do; "" when it
// leads to our receiver from everywhere. It may ask the DNS, for up to 3 s.
func (o Own) Doubt(ctx context.Context, uri string) string {
	match, near := o.compare(ctx, uri)
	p, _ := placeOf(uri)
	switch {
	case match && p.loops():
		return fmt.Sprintf("for a Call Bridge %s is the server itself: unless it runs on this machine, register %s", p.host, toAdd(o.direct().Suggest()))
	case match:
		return ""
	case near != "":
		return fmt.Sprintf("it does not lead to this receiver (%s): ours is %s", near, o.Suggest())
	case o.URI != "":
		return fmt.Sprintf("it is not the one that receiver.uri names: ours is %s", o.Suggest())
	}
	return fmt.Sprintf("its host is not this machine, or port and path are not ours, as in %s: if it leads here all the same, through a NAT or a proxy, set receiver.uri to it", o.Suggest())
}
