package policy

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxAddress = 512 // bytes of an address that is read at all
	maxShown   = 256 // characters of an address that Evidence keeps
	maxHost    = 253 // bytes of a host name, by DNS
	maxLabel   = 63  // bytes of a label, by DNS
)

// Classify gives an address its level, and why. Level 1 or 2 needs an entry of
// the configuration that matches the host; whatever leaves doubt about the host
// is level 3, since the far end writes the address and may write it for us.
//
// Read are user@host, sip: and sips: URIs, with or without a user, and both in
// the form "Name" <address>. A port, parameters and headers may follow the
// host. RuleNoHost are an empty address, tel:, and all that has neither a
// scheme nor an @: a bare number, and a bare name even if it looks like a host,
// for it may be a display name. RuleUnparsable are
//
//   - more than 1,024 bytes, invalid UTF-8, control characters, backslashes,
//     and spaces but around the whole and in the name before <;
//   - more than one @, wherever they stand. Parsers differ in which they take,
//     and %40 counts as one;
//   - a scheme other than sip, sips and tel; name: before an @ counts as one;
//   - a user that is empty or holds what could end it or begin a host for
//     another parser: : ; ? / # , and brackets. A percent escape counts as what
//     it stands for;
//   - something after the host that is no port, parameter or header; the
//     parameter maddr, which names another host;
//   - a host that readHost refuses, IPv6 outside brackets or with a zone.
func (r *Rules) Classify(address string) Evidence {
	h, rule, detail := readAddress(address)
	ev := Evidence{Level: Level3, Rule: rule, Address: Clean(address, maxShown), Host: h.String(), Detail: detail}
	if rule != 0 {
		return ev
	}
	e, ok := r.lookup(h)
	switch {
	case !ok:
		ev.Rule = RuleNoEntry
	case e.level == Level1:
		ev.Level, ev.Rule, ev.Entry = Level1, RuleSecureEntry, e.written
	case e.level == Level2:
		ev.Level, ev.Rule, ev.Entry = Level2, RuleInternalEntry, e.written
	}
	return ev
}

// Host returns the host of an address as Classify reads it, normalised: lower
// case, in its xn-- form, without a final dot; IPv6 without brackets. It is
// empty if the address names none or leaves doubt about it.
func Host(address string) string {
	h, rule, _ := readAddress(address)
	if rule != 0 {
		return ""
	}
	return h.String()
}

// host is a normalised host: an IP address if ip is valid, else a name.
type host struct {
	name string // the IP address too, but for IPv6
	ip   netip.Addr
}

// String is the host as Evidence has it.
func (h host) String() string {
	if h.name == "" && h.ip.IsValid() {
		return h.ip.String()
	}
	return h.name
}

// readAddress finds the host of an address; else rule and detail say why not.
func readAddress(s string) (h host, rule Rule, detail string) {
	if len(s) > maxAddress {
		return host{}, RuleUnparsable, "it is longer than 1,024 bytes"
	}
	s = strings.Trim(s, " ")
	if s == "" {
		return host{}, RuleNoHost, "it is empty"
	}
	at, extra, problem := scan(s)
	if problem != "" {
		return host{}, RuleUnparsable, problem
	}
	if extra {
		return host{}, RuleUnparsable, "it holds more than one @"
	}

	if strings.ContainsAny(s, `<>"`) {
		if s, problem = unwrap(s); problem != "" {
			return host{}, RuleUnparsable, problem
		}
		at = strings.IndexByte(s, '@')
	}

	sip := false
	if colon := strings.IndexByte(s, ':'); colon >= 0 && (at < 0 || colon < at) && isScheme(s[:colon]) {
		scheme := s[:colon]
		s, at = s[colon+1:], max(at-colon-1, -1)
		switch {
		case strings.EqualFold(scheme, "sip"), strings.EqualFold(scheme, "sips"):
			sip = true
		case strings.EqualFold(scheme, "tel") && at < 0:
			return host{}, RuleNoHost, "it is a telephone number"
		default:
			return host{}, RuleUnparsable, "its scheme is not sip, sips or tel"
		}
	}

	rest := s
	if at >= 0 {
		if !userIsCertain(s[:at]) {
			return host{}, RuleUnparsable, "its user part is empty or leaves doubt about where the host begins"
		}
		rest = s[at+1:]
	} else if !sip {
		return host{}, RuleNoHost, noHostDetail(s)
	}
	hostport, tail := rest, ""
	if i := strings.IndexAny(rest, ";?"); i >= 0 {
		hostport, tail = rest[:i], rest[i:]
	}
	if !tailIsCertain(tail) {
		return host{}, RuleUnparsable, "its parameters leave doubt about the host"
	}
	if at < 0 && isNumber(hostport) {
		return host{}, RuleNoHost, noHostDetail(hostport)
	}
	h, problem = readHostPort(hostport)
	if problem != "" {
		return host{}, RuleUnparsable, problem
	}
	return h, 0, ""
}

// scan looks at every byte once: where the first @ is, whether there is
// another, and what no address may hold anywhere.
func scan(s string) (at int, extra bool, problem string) {
	at = -1
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '@':
			if at >= 0 {
				extra = true
			} else {
				at = i
			}
		case c < ' ' || c == 0x7f:
			return at, extra, "it holds control characters"
		case c == '\\':
			return at, extra, "it holds a backslash"
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.ValidString(s) {
		return at, extra, "it is not valid UTF-8"
	}
	return at, extra, ""
}

// unwrap takes the address out of "Name" <address>. Nothing may follow the >.
// A name in quotes may hold what a name without them may not, since there it
// could be read as another address before this one.
func unwrap(s string) (address, problem string) {
	const unclear = "it is no name with one address in < >"
	name, rest, ok := strings.Cut(s, "<")
	if !ok {
		return "", unclear
	}
	address, ok = strings.CutSuffix(rest, ">")
	if !ok || strings.ContainsAny(address, `<>" `) {
		return "", unclear
	}
	name = strings.Trim(name, " ")
	never := "@<>\",;:?"
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name, never = name[1:len(name)-1], "@<>\""
	}
	if strings.ContainsAny(name, never) {
		return "", unclear
	}
	return address, ""
}

// isScheme reports whether s could be the scheme of a URI.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// isNumber reports whether s is what one dials: digits, + * #, or nothing.
func isNumber(s string) bool { return strings.Trim(s, "0123456789+*#") == "" }

func noHostDetail(s string) string {
	if isNumber(s) {
		return "it is a bare number"
	}
	return "it has no @"
}

// userIsCertain reports whether every parser takes s for the part before the
// host.
func userIsCertain(s string) bool {
	s, ok := unescape(s)
	if !ok || s == "" {
		return false
	}
	for i, r := range s {
		switch {
		case r >= utf8.RuneSelf:
			// Letters only: some programs take a wide @ for an @.
			if !isWordRune(r) {
				return false
			}
		case !isWord(s[i]) && strings.IndexByte("-.!~*'()&=+$", s[i]) < 0:
			return false
		}
	}
	return true
}

// tailIsCertain reports whether s, from the first ; or ? after the host, leaves
// the host as it is.
func tailIsCertain(s string) bool {
	if s == "" {
		return true
	}
	s, ok := unescape(s)
	if !ok {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWord(c) && strings.IndexByte("-.!~*'()[]/:;?&=+$", c) < 0 {
			return false
		}
	}
	return !strings.Contains(strings.ToLower(s), "maddr")
}

// unescape replaces percent escapes. It fails if one is malformed, or stands
// for another percent sign, or for part of no character.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", false
			}
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			if c == '%' {
				return "", false
			}
			i += 2
		}
		out = append(out, c)
	}
	return string(out), utf8.Valid(out)
}

// readHostPort reads a host with or without a port.
func readHostPort(s string) (h host, problem string) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		literal, port, ok := strings.Cut(inner, "]")
		if !ok || port != "" && !isPort(port) {
			return host{}, "its IPv6 host cannot be read"
		}
		ip, err := netip.ParseAddr(literal)
		if err != nil || !ip.Is6() {
			return host{}, "its IPv6 host cannot be read"
		}
		if ip.Zone() != "" {
			return host{}, "its IPv6 host has a zone"
		}
		return host{ip: ip.Unmap()}, ""
	}
	if i := strings.IndexByte(s, ':'); i >= 0 {
		if !isPort(s[i:]) {
			return host{}, "its port cannot be read"
		}
		s = s[:i]
	}
	return readHost(s)
}

// isPort reports whether s is a colon and a port.
func isPort(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' {
		return false
	}
	n := 0
	for _, c := range []byte(s[1:]) {
		if !isDigit(c) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return 0 < n && n <= 65535
}

// readHost normalises a domain name or an IPv4 address. Refused are what DNS
// has no room for, labels that are empty or begin or end in a hyphen, numbers
// that some programs take for an IPv4 address (10.1, 0x7f.1, 010.1.1.1), and
// letters beyond ASCII that IDNA does not leave as they are, case aside.
func readHost(s string) (h host, problem string) {
	if len(s) > 4*maxHost {
		return host{}, "its host is too long"
	}
	name := strings.TrimSuffix(s, ".")
	upper, intl := false, false
	last := 0 // where the last label begins
	for i := 0; i <= len(name); i++ {
		if i == len(name) || name[i] == '.' {
			if problem := labelProblem(name[last:i]); problem != "" {
				return host{}, problem
			}
			intl = intl || i-last >= 4 && strings.EqualFold(name[last:last+4], "xn--")
			if i < len(name) {
				last = i + 1
			}
			continue
		}
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			upper = true
		case c >= utf8.RuneSelf:
			intl = true
		case !isWord(c) && c != '-':
			return host{}, "its host holds characters that no host has"
		}
	}
	if looksNumeric(name[last:]) {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return host{}, "its host is a number, but no IPv4 address of four parts"
		}
		return host{name: s, ip: ip}, ""
	}
	if upper {
		name = asciiLower(name)
	}
	if intl {
		if name, problem = internationalHost(name); problem != "" {
			return host{}, problem
		}
	}
	// After conversion, since DNS counts the xn-- form.
	if len(name) > maxHost {
		return host{}, "its host is too long"
	}
	return host{name: name}, ""
}

// labelProblem says what is wrong with a label's shape.
func labelProblem(label string) string {
	switch {
	case label == "":
		return "its host is empty or has an empty label"
	case len(label) > maxLabel && isASCII(label):
		return "a label of its host is longer than 63 characters"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "a label of its host begins or ends in a hyphen"
	}
	return ""
}

// looksNumeric reports whether a host with this last label is an IPv4 address
// to some program: a name never ends so.
func looksNumeric(label string) bool {
	if len(label) >= 2 && label[0] == '0' && label[1]|0x20 == 'x' {
		for i := 2; i < len(label); i++ {
			if !isHex(label[i]) {
				return false
			}
		}
		return true
	}
	for i := range len(label) {
		if !isDigit(label[i]) {
			return false
		}
	}
	return true
}

// strict is IDNA 2008 without mapping: what IDNA would change (wide letters,
// other dots, soft hyphens) it refuses.
var strict = idna.New(
	idna.ValidateLabels(true),
	idna.CheckHyphens(true),
	idna.CheckJoiners(true),
	idna.BidiRule(),
	idna.StrictDomainName(true),
	idna.VerifyDNSLength(true),
)

const badInternational = "its host holds characters that international names do not allow"

// internationalHost turns a name that holds letters beyond ASCII, or labels in
// their xn-- form, into ASCII. Each label must be the same after a way there
// and back, so that no two spellings of it exist but by case.
func internationalHost(name string) (ascii, problem string) {
	name, ok := foldCase(name)
	if !ok {
		return "", badInternational
	}
	ascii, err := strict.ToASCII(name)
	if err != nil {
		return "", badInternational
	}
	from, to := strings.Split(name, "."), strings.Split(ascii, ".")
	if len(from) != len(to) {
		return "", badInternational
	}
	for i, label := range from {
		u, err := strict.ToUnicode(to[i])
		if err != nil {
			return "", badInternational
		}
		back, err := strict.ToASCII(u)
		if err != nil || back != to[i] || u != label && to[i] != label {
			return "", badInternational
		}
		for _, r := range u {
			if r >= utf8.RuneSelf && !isWordRune(r) {
				return "", badInternational
			}
		}
	}
	return ascii, ""
}

// foldCase makes letters small. It refuses letters that do not come back from
// there, such as the Kelvin sign, whose small letter is a plain k.
func foldCase(s string) (string, bool) {
	ok := true
	s = strings.Map(func(r rune) rune {
		small := unicode.ToLower(r)
		if small != r && unicode.ToUpper(small) != r {
			ok = false
		}
		return small
	}, s)
	return s, ok
}

// isWordRune reports whether a rune beyond ASCII is a letter, a mark or a
// digit: no dot, @ or blank of some other script.
func isWordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Mc, unicode.Nd) && r != utf8.RuneError
}

// asciiLower makes ASCII letters small and leaves all else.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isWord reports whether c is an ASCII letter, a digit or an underscore, which
// DNS allows and names of rooms have.
func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
