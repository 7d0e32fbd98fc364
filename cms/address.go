package cms

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Address is where the API of a server is.
type Address struct {
	Scheme string // https or http
	Host   string // lower case, IPv6 without brackets
	Port   int
}

// ParseAddress reads a server's address as a configuration gives it: host,
// host:port, https://host:port or http://host:port. Without a port it is the
// given one, or 80 after http://.
func ParseAddress(text string, port int) (Address, error) {
	a := Address{Scheme: "https", Port: port}
	rest := strings.TrimSpace(text)
	if rest == "" {
		return a, errors.New("the address is empty: write a host such as cms1.example.com")
	}
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		switch a.Scheme = strings.ToLower(scheme); a.Scheme {
		case "https":
		case "http":
			a.Port = 80
		default:
			return a, fmt.Errorf("%q is no scheme of the API: write https:// or http://", scheme)
		}
		rest = strings.TrimSuffix(after, "/")
	}
	// Said without the text, which would hold a password.
	if strings.Contains(rest, "@") {
		return a, errors.New("the address holds a user: write it without, and set username and password")
	}
	if strings.ContainsAny(rest, "/?#") {
		return a, fmt.Errorf("%q holds a path: write the host and port only, /api/v1 is added", text)
	}
	host := rest
	if h, p, err := net.SplitHostPort(rest); err == nil {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return a, fmt.Errorf("%q has no port from 1 to 65535: write one, or none", text)
		}
		host, a.Port = h, n
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	a.Host = strings.ToLower(strings.TrimSuffix(host, "."))
	if strings.Contains(a.Host, ":") && net.ParseIP(a.Host) == nil {
		return a, fmt.Errorf("%q is no host and port: write host:port, and an IPv6 address in brackets", text)
	}
	if u, err := url.Parse(a.base()); a.Host == "" || err != nil || u.Hostname() != a.Host || strings.ContainsAny(a.Host, " %\\\"<>") {
		return a, fmt.Errorf("%q is no address of a host: write a host such as cms1.example.com", text)
	}
	return a, nil
}

// Name is how the server is called everywhere: host:port.
func (a Address) Name() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// base is the start of every request's URL.
func (a Address) base() string { return a.Scheme + "://" + a.Name() + "/api/v1" }

// hostOf is the host of a Web Admin's address, which /callBridges gives as a URL
// or as a bare host.
func hostOf(address string) string {
	a, err := ParseAddress(strings.TrimRight(address, "/"), 443)
	if err != nil {
		if u, err := url.Parse(address); err == nil {
			return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		}
		return ""
	}
	return a.Host
}
