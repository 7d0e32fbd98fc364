package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// The lists of the configuration that entries come from.
const (
	listSecure   = "secure_domains"
	listInternal = "internal_domains"
)

// Rules are the entries of secure_domains and internal_domains, ready to look
// hosts up. They do not change, and any goroutine may use them. A nil *Rules
// has no entries: everybody is level 3.
type Rules struct {
	domains  map[string]entry // by normalised domain
	networks []network        // most specific first
}

// entry is what a domain or a network of the configuration stands for.
type entry struct {
	level   Level
	written string // as in the configuration
}

type network struct {
	prefix netip.Prefix
	entry
}

// EntryError is an entry of the configuration that cannot be used.
type EntryError struct {
	List    string // secure_domains or internal_domains
	Index   int    // in that list, from 0
	Entry   string // as written
	Problem string // what is wrong, and what to do
}

// Error names the entry and says what is wrong with it.
func (e *EntryError) Error() string {
	return fmt.Sprintf("%s, entry %d, %q: %s", e.List, e.Index+1, e.Entry, e.Problem)
}

// EntryErrors are all the entries that NewRules refused: those of
// secure_domains first, in the order of the lists. errors.As finds it.
type EntryErrors []*EntryError

// Error gives each entry a line.
func (e EntryErrors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As see each entry's error.
func (e EntryErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// NewRules reads the two lists of the configuration: hosts that match an entry
// of secure are level 1, of internal level 2, all others level 3. An entry is
//
//   - a domain: it matches itself and its subdomains, label by label. Case and
//     one final dot do not matter; letters beyond ASCII and their xn-- form are
//     the same (IDNA 2008, without any mapping but that of case);
//   - an IP address, or a network in CIDR notation, for hosts that are IP
//     addresses. IPv4 mapped into IPv6 is taken as IPv4.
//
// The most specific entry that matches counts, whatever its list. Refused is
// whatever would match more than its author can have meant: empty entries,
// single labels, public suffixes (com, co.uk), 0.0.0.0/0; also addresses,
// URLs, ports and wildcards, and a domain in both lists. The same entry twice
// in one list does no harm. The error is an EntryErrors with every bad entry;
// with one there are no rules.
func NewRules(secure, internal []string) (*Rules, error) {
	r := &Rules{domains: make(map[string]entry, len(secure)+len(internal))}
	nets := make(map[netip.Prefix]entry)
	var bad EntryErrors
	read := func(list string, level Level, entries []string) {
		for i, written := range entries {
			key, problem := readEntry(written)
			if problem == "" {
				e := entry{level, written}
				if key.domain != "" {
					problem = add(r.domains, key.domain, e)
				} else {
					problem = add(nets, key.network, e)
				}
			}
			if problem != "" {
				bad = append(bad, &EntryError{list, i, written, problem})
			}
		}
	}
	read(listSecure, Level1, secure)
	read(listInternal, Level2, internal)
	if bad != nil {
		return nil, bad
	}
	for prefix, e := range nets {
		r.networks = append(r.networks, network{prefix, e})
	}
	// Networks that overlap differ in length, so the first that contains an
	// address is the most specific.
	slices.SortFunc(r.networks, func(a, b network) int {
		return cmp.Or(cmp.Compare(b.prefix.Bits(), a.prefix.Bits()), a.prefix.Addr().Compare(b.prefix.Addr()))
	})
	return r, nil
}

// add enters e under key. The second of two entries for one key is refused if
// the levels differ; until then the less trusted one stands.
func add[K comparable](m map[K]entry, key K, e entry) (problem string) {
	have, ok := m[key]
	if !ok {
		m[key] = e
		return ""
	}
	if have.level == e.level {
		return ""
	}
	if e.level > have.level {
		m[key] = e
	}
	return fmt.Sprintf("it is in %s too, as %q: keep it in one of the lists", listSecure, have.written)
}

// lookup finds the most specific entry for a host.
func (r *Rules) lookup(h host) (entry, bool) {
	if r == nil {
		return entry{}, false
	}
	if h.ip.IsValid() {
		for _, n := range r.networks {
			if n.prefix.Contains(h.ip) {
				return n.entry, true
			}
		}
		return entry{}, false
	}
	// From the whole name to its last label: the first hit is the longest.
	for name := h.name; name != ""; {
		if e, ok := r.domains[name]; ok {
			return e, true
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return entry{}, false
}

// entryKey is what an entry matches: a domain, or else a network.
type entryKey struct {
	domain  string
	network netip.Prefix
}

// readEntry reads one entry, or says why it is refused.
func readEntry(s string) (key entryKey, problem string) {
	refuse := func(format string, args ...any) (entryKey, string) {
		return entryKey{}, fmt.Sprintf(format, args...)
	}
	switch {
	case s == "":
		return refuse("the entry is empty: remove it, or write a domain like example.com")
	case !utf8.ValidString(s):
		return refuse("it is not valid UTF-8: write it in UTF-8, or the domain in its xn-- form")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return refuse("it holds blanks or control characters: remove them, and write one domain an entry")
	case strings.Contains(s, "@"):
		return refuse("it is an address: write only the domain, which stands after the @")
	case strings.Contains(s, "*"):
		if rest, ok := strings.CutPrefix(s, "*."); ok && !strings.Contains(rest, "*") && rest != "" {
			return refuse("wildcards are not understood: write %s, which matches its subdomains too", rest)
		}
		return refuse("wildcards are not understood: write a domain, which matches its subdomains too")
	}

	if p, err := netip.ParsePrefix(s); err == nil {
		return networkKey(p)
	}
	literal := s
	if inner, ok := strings.CutPrefix(s, "["); ok {
		literal, ok = strings.CutSuffix(inner, "]")
		if !ok || !strings.Contains(literal, ":") {
			return refuse("it cannot be read: write an IPv6 address like 2001:db8::1, without a port")
		}
	}
	if ip, err := netip.ParseAddr(literal); err == nil {
		if ip.Zone() != "" {
			return refuse("it has a zone, which no host on another machine has: write it without %%%s", ip.Zone())
		}
		ip = ip.Unmap()
		return entryKey{network: netip.PrefixFrom(ip, ip.BitLen())}, ""
	}
	switch {
	case strings.Contains(s, "://"):
		return refuse("it is a URL: write only its domain")
	case strings.Contains(s, "/"):
		return refuse("it is neither a domain nor a network: write a domain without a path, or a network like 10.1.0.0/16")
	case strings.Contains(s, ":"):
		return refuse("it has a scheme or a port, or is no IPv6 address: write only the domain or the IP address")
	case strings.HasPrefix(s, "."):
		return refuse("it begins with a dot: write it without, it matches its subdomains too")
	}

	h, problem := readHost(s)
	switch {
	case problem != "":
		return refuse("it is no domain: %s; write a domain like example.com, or an IP address", problem)
	case !strings.Contains(h.name, "."):
		return refuse("it is a single label and would match every domain that ends in it: write a whole domain like corp.%s", h.name)
	case isPublicSuffix(h.name):
		return refuse("it is a public suffix, under which anybody can have a domain: write your own domain, like yours.%s", h.name)
	}
	return entryKey{domain: h.name}, ""
}

// networkKey checks a network. Host bits are refused: whoever writes
// 10.1.2.3/8 may mean one host or sixteen million.
func networkKey(p netip.Prefix) (key entryKey, problem string) {
	if ip := p.Addr(); ip.Is4In6() {
		if p.Bits() < 96 {
			return key, "it mixes IPv4 and IPv6: write the IPv4 network, like 10.1.0.0/16"
		}
		p = netip.PrefixFrom(ip.Unmap(), p.Bits()-96)
	}
	switch {
	case p.Bits() == 0:
		return key, "it matches every address: write your own networks"
	case p != p.Masked():
		return key, fmt.Sprintf("its address does not begin that network: write %s for the network, or %s for the host alone", p.Masked(), p.Addr())
	case p.Addr().Is6() && p.Overlaps(mapped):
		return key, "it holds all of IPv4: write your own networks"
	}
	return entryKey{network: p}, ""
}

// mapped is where IPv6 holds IPv4. Hosts there are taken as IPv4, so that a
// wider network would not match what it seems to.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// isPublicSuffix reports whether anybody can have a domain right below this
// one. Top-level names that the list does not know are a site's own.
func isPublicSuffix(domain string) bool {
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		return true
	}
	// A rule like *.example.net makes each name below example.net a suffix,
	// and leaves out example.net itself.
	below := "callmark-probe." + domain
	suffix, _ := publicsuffix.PublicSuffix(below)
	return suffix == below
}
