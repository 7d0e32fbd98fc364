package cms

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lookupWithin bounds how long a name may take to be resolved.
const lookupWithin = 3 * time.Second

// Own is how our own receiver is known among the URIs that a Call Bridge has.
// With URI set it is that one and no other; the query counts only if it has one.
// Otherwise it is every http:// URI with our port and path whose host is an
// address at which our receiver listens.
type Own struct {
	URI    string // as the Call Bridges post to it, or empty: receiver.uri
	Listen string // [host]:port where our receiver listens: receiver.listen
	Path   string // where it takes records: receiver.path

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
		ours = place{scheme: "http", port: o.port(), path: o.Path}
		if (p.port == ours.port) || (p.path == ours.path) { // else nothing is to be found out
			here, at = o.here(ctx, p.host)
		} else {
			here = false
		}
	}
	if !here {
		return false, ""
	}
	var other []string
	if p.scheme != ours.scheme {
		other = append(other, "same host, "+p.scheme+" in the place of "+ours.scheme)
	}
	if p.port != ours.port {
		other = append(other, "same host, other port")
	}
	if p.path != ours.path {
		other = append(other, "same host, other path")
	}
	if !ours.asks(p.query) {
		other = append(other, "same host and path, other query")
	}
	if at != "" {
		other = append(other, at)
	}
	switch len(other) {
	case 0:
		return true, ""
	case 1:
		return false, other[0]
	}
	return false, "" // two differences are another program's
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

// Suggest is the URI to register, fit to be shown. Where it cannot be known,
// THIS-HOST stands for a name or address of this machine.
func (o Own) Suggest() string {
	if o.URI != "" {
		return ShowURI(o.URI)
	}
	host := "THIS-HOST"
	if ip, err := netip.ParseAddr(o.host()); err == nil && !ip.IsUnspecified() && !ip.IsLoopback() {
		host = ip.String()
	}
	if port := o.port(); port != 80 {
		return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + o.Path
	}
	return "http://" + host + o.Path
}

// Doubt says what speaks against registering a URI, and what to do; "" when it
// leads to our receiver from everywhere. It may ask the DNS, for up to 3 s.
func (o Own) Doubt(ctx context.Context, uri string) string {
	match, near := o.compare(ctx, uri)
	p, _ := placeOf(uri)
	switch {
	case match && p.loops():
		return fmt.Sprintf("for a Call Bridge %s is the server itself: unless it runs on this machine, register %s", p.host, Own{Path: o.Path, Listen: o.Listen}.Suggest())
	case match:
		return ""
	case near != "":
		return fmt.Sprintf("it does not lead to this receiver (%s): ours is %s", near, o.Suggest())
	case o.URI != "":
		return fmt.Sprintf("it is not the one that receiver.uri names: ours is %s", o.Suggest())
	}
	return fmt.Sprintf("its host is not this machine, or port and path are not ours, as in %s: if it leads here all the same, through a NAT or a proxy, set receiver.uri to it", o.Suggest())
}
