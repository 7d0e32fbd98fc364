package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// readServer reads one entry of cms.servers: host, host:port,
// https://host:port or http://host:port. Without a port it is the given one, 80
// after http://. The name is host:port, by which two entries for one server are
// told. Texts leave out an entry that may hold a password.
func readServer(s string, port int) (name string, plain bool, problem string) {
	const like = "write a host like cms1.example.com, host:port, or https://host:port"
	if s == "" {
		return "", false, "the entry is empty: remove it, or " + like
	}
	if strings.Contains(s, "@") {
		return "", false, "it holds a user or a password: remove what is before the @, and use username and password"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", false, "it holds blanks or letters beyond ASCII: remove them, or write the host in its xn-- form"
	}
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		switch rest = strings.TrimSuffix(after, "/"); strings.ToLower(scheme) {
		case "https":
		case "http":
			plain, port = true, 80
		default:
			return "", false, quote(scheme) + " is not how the API is reached: write https://host:port, or the host alone"
		}
	}
	switch {
	case strings.ContainsAny(rest, "?#"):
		return "", false, "it holds a query: " + like
	case strings.Contains(rest, "/"):
		return "", false, "it holds a path: remove it, the path of the API is known"
	}

	host := rest
	if h, p, ok := cutPort(rest); ok {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 || strings.HasPrefix(p, "+") {
			return "", false, "its port is not a number from 1 to 65535: write one, or none"
		}
		host, port = h, n
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() || !strings.HasSuffix(inner, "]") {
			return "", false, quote(s) + " holds no IPv6 address between its brackets: write one like [2001:db8::1]:443"
		}
		host = ip.String()
	} else if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", false, quote(s) + " is neither a host nor host:port: " + like
		}
		return "", false, quote(s) + " may have a port or not: write [" + host + "]"
	} else if !isHost(host) {
		return "", false, quote(s) + " is no host: " + like
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return net.JoinHostPort(host, strconv.Itoa(port)), plain, ""
}

// cutPort takes host:port or [host]:port apart.
func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.Count(s, ":") > 1 && !strings.HasSuffix(s[:i], "]") {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// isHost reports whether s is a host name or an IPv4 address.
func isHost(s string) bool {
	labels := strings.Split(strings.TrimSuffix(s, "."), ".")
	for _, label := range labels {
		if !isBare(label) || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		_, err := netip.ParseAddr(s)
		return err == nil
	}
	return len(s) <= 253
}
