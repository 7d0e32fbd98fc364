package config

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"callmark/policy"
)

// Longest name of a level: it stands in a column of the console.
const maxLevelName = 20

// check finds what is wrong with values that the document alone can tell.
func (r *reading) check(c *Config) {
	r.checkReceiver(c.Receiver)
	r.checkServers(c.CMS)
	r.checkDomains(c.Policy)
	r.oneOf("policy.unverified", c.Policy.Unverified, "worst", "keep")
	r.oneOf("policy.override_on_worse", c.Policy.OverrideOnWorse, "fall", "keep")
	r.times("policy.lower_after", c.Policy.LowerAfter, 0, 10*time.Minute)
	r.fileName("state.file", c.State.File)
	r.checkMetrics(c)
	r.checkMarking(c.Marking)
	r.checkLevels(c)
	r.checkLog(c.Log)
	r.checkUI(c)
}

func (r *reading) checkUI(c *Config) {
	r.oneOf("ui.theme", c.UI.Theme, "auto", "dark", "light", "16", "mono")
	r.oneOf("ui.bell", c.UI.Bell, "off", "bell", "osc9", "osc777")
	r.fileName("ui.state", c.UI.State)
	if c.UI.State != "" && c.UI.State == c.State.File {
		r.refuse("ui.state", "it is the file of state.file, which holds the overrides: name another")
	}
	r.checkKeys(&c.UI.Keys)
}

func (r *reading) checkReceiver(c Receiver) {
	if port, problem := readListen(c.Listen); problem != "" {
		r.refuse("receiver.listen", "%s", problem)
	} else if port == 0 {
		r.warn("receiver.listen", "port 0 is another port at every start, which the Call Bridges cannot know: write the port that they post to")
	}
	if problem := pathProblem(c.Path); problem != "" {
		r.refuse("receiver.path", "%s", problem)
	}
	r.inRange("receiver.max_body_mb", c.MaxBodyMB, 1, 64)
	if problem := uriProblem(c.URI); problem != "" {
		r.refuse("receiver.uri", "%s", problem)
	}
	r.fileName("receiver.refused_dir", c.RefusedDir)
	r.checkSenders(c)
	r.inRange("receiver.max_depth", c.MaxDepth, 8, 64)
	r.inRange("receiver.max_records", c.MaxRecords, 100, 100_000)
	// A value that was cut must be longer than any address that counts by its host,
	// or a host could be cut to a better one.
	r.inRange("receiver.max_value", c.MaxValue, 1024, 65_536)
	r.inRange("receiver.max_header_kb", c.MaxHeaderKB, 2, 64)
	r.inRange("receiver.max_connections", c.MaxConnections, 8, 100_000)
	r.inRange("receiver.max_connections_per_source", c.MaxConnectionsPerSource, 4, 100_000)
	r.inRange("receiver.max_requests_per_source", c.MaxRequestsPerSource, 100, 1_000_000)
	r.times("receiver.read_timeout", c.ReadTimeout, time.Second, 5*time.Minute)
	r.times("receiver.idle_timeout", c.IdleTimeout, 10*time.Second, time.Hour)
}

// checkSenders looks at who may send records.
func (r *reading) checkSenders(c Receiver) {
	for i, text := range c.Allow {
		if _, problem := readNetwork(text); problem != "" {
			r.refuse(element("receiver.allow", i+1), "%s", problem)
		}
	}
	r.oneOf("receiver.senders", c.Senders, "any", "bound")
	r.fileName("receiver.tls_cert", c.TLSCert)
	r.fileName("receiver.tls_key", c.TLSKey)
	r.fileName("receiver.client_ca", c.ClientCA)
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		r.refuse("receiver.tls_key", "tls_cert is set without its key: name the file that holds it")
	case c.TLSKey != "" && c.TLSCert == "":
		r.refuse("receiver.tls_cert", "tls_key is set without its certificate: name the file that holds it")
	case c.ClientCA != "" && c.TLSCert == "":
		r.refuse("receiver.client_ca", "senders can show a certificate only over HTTPS: set tls_cert and tls_key too")
	}
}

// readNetwork reads an address or a network.
func readNetwork(s string) (netip.Prefix, string) {
	const remedy = `: write an address like "10.1.2.3", or a network like "10.1.2.0/24"`
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		if a.Zone() != "" {
			return netip.Prefix{}, quote(s) + " names an interface" + remedy
		}
		return netip.PrefixFrom(a, a.BitLen()), ""
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, quote(s) + " is no address and no network" + remedy
	case p.Addr().Is4In6():
		return netip.Prefix{}, quote(s) + " is an IPv4 network in IPv6 form" + remedy
	case p.Masked() != p:
		return netip.Prefix{}, quote(s) + " is an address within a network: write " + quote(p.Masked().String()) + " for the network, or the address alone"
	}
	return p, ""
}

// readListen reads the address to listen at.
func readListen(s string) (port int, problem string) {
	const remedy = `: write ":5000", or "10.1.2.3:5000" to listen on one address only`
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return 0, quote(s) + " is no address with a port" + remedy
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < 0 || port > 65535 || strings.Trim(p, "0123456789") != "" {
		return 0, quote(s) + " has no port from 1 to 65535" + remedy
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil && !isHost(host) {
		return 0, quote(s) + " names no host" + remedy
	}
	return port, ""
}

// pathProblem says what is wrong with the path that records come to.
func pathProblem(s string) string {
	switch {
	case !strings.HasPrefix(s, "/"):
		return quote(s) + ` does not begin with a slash: write a path like "/cdr"`
	case strings.ContainsAny(s, "?#"):
		return quote(s) + ` holds a query: write the path alone, like "/cdr"`
	case strings.ContainsFunc(s, func(r rune) bool {
		return r > '~' || !isBareByte(byte(r)) && !strings.ContainsRune("/.~", r)
	}):
		return quote(s) + ` holds more than letters, digits and - _ . ~ /: write a path like "/cdr"`
	case path.Clean(s) != s:
		return quote(s) + " has another, shorter spelling: write " + quote(path.Clean(s))
	}
	for _, own := range []string{"/healthz", "/readyz", "/metrics"} {
		if s == own || strings.HasPrefix(s, own+"/") {
			return quote(s) + " is where callmark tells how it is: write another path, like \"/cdr\""
		}
	}
	return ""
}

// uriProblem says what is wrong with the URI that the Call Bridges are given.
func uriProblem(s string) string {
	const remedy = `: write it as the Call Bridges have it, like "http://callmark.example.com:5000/cdr"`
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "it is no http:// or https:// address" + remedy
	case u.User != nil || u.Fragment != "":
		return "it holds a user or a fragment" + remedy
	}
	return ""
}

// checkMetrics looks at where callmark tells how it is.
func (r *reading) checkMetrics(c *Config) {
	if c.Metrics.Listen == "" {
		return
	}
	_, problem := readListen(c.Metrics.Listen)
	switch {
	case problem != "":
		r.refuse("metrics.listen", "%s", problem)
	case c.Metrics.Listen == c.Receiver.Listen:
		r.refuse("metrics.listen", "it is that of receiver.listen, where records come: write another port, or leave it empty for the same")
	}
}

func (r *reading) checkServers(c CMS) {
	r.times("cms.resync", c.Resync, time.Second, time.Hour)
	r.times("cms.status_every", c.StatusEvery, 200*time.Millisecond, time.Minute)
	r.inRange("cms.port", c.Port, 1, 65535)
	r.rate("cms.reads_per_second", c.ReadsPerSecond)
	r.rate("cms.writes_per_second", c.WritesPerSecond)
	r.fileName("cms.ca_file", c.CAFile)
	for i, text := range c.Pins {
		if problem := pinProblem(text); problem != "" {
			r.refuse(element("cms.pins", i+1), "%s", problem)
		}
	}
	r.fileName("cms.password_file", c.PasswordFile)
	if len(c.Servers) == 0 {
		r.refuse("cms.servers", `no server is given: list the Web Admin address of every Call Bridge, like ["cms1.example.com", "cms2.example.com"]`)
	}
	firsts := map[string]int{}
	for i, s := range c.Servers {
		key := element("cms.servers", i+1)
		name, plain, problem := readServer(s, c.Port)
		if problem != "" {
			r.refuse(key, "%s", problem)
			continue
		}
		if first, ok := firsts[name]; ok {
			r.refuse(key, "%s is %s, which entry %d is too: list each server once", quote(s), name, first)
			continue
		}
		firsts[name] = i + 1
		if plain {
			r.warn(key, "http:// sends the password, and everything else, unprotected: use https://")
		}
		if s == "cms1.example.com" {
			r.warn(key, "it is the example's: write the address of your own server")
		}
	}
	if c.InsecureSkipVerify && len(c.Pins) == 0 { // nobody else has a pinned key
		r.warn("cms.insecure_skip_verify", "anybody on the way can pose as the server and take the password: set it to false, and name the authority of the server's certificate in ca_file")
	}
}

// pinProblem says what is wrong with the hash of a public key.
func pinProblem(s string) string {
	hash, ok := strings.CutPrefix(s, "sha256/")
	if sum, err := base64.StdEncoding.DecodeString(hash); !ok || err != nil || len(sum) != sha256.Size {
		return quote(s) + ` is no pin: write "sha256/" and the base64 of the SHA-256 of the server's public key; README, "TLS to the servers", has the command`
	}
	return ""
}

func (r *reading) checkDomains(c Policy) {
	if len(c.SecureDomains)+len(c.InternalDomains) == 0 && !r.spoiled["policy.internal_domains"] {
		r.warn("policy.secure_domains", "neither this nor internal_domains has an entry, so everybody is level 3: list your domains")
	}
	_, err := policy.NewRules(c.SecureDomains, c.InternalDomains)
	for _, e := range entryErrors(err) {
		text := e.Problem
		if e.Entry != "" {
			text = quote(e.Entry) + ": " + text
		}
		r.refuse(element("policy."+e.List, e.Index+1), "%s", text)
	}
}

// entryErrors finds all that were joined into an error.
func entryErrors(err error) []*policy.EntryError {
	switch err := err.(type) {
	case *policy.EntryError:
		return []*policy.EntryError{err}
	case interface{ Unwrap() []error }:
		var all []*policy.EntryError
		for _, e := range err.Unwrap() {
			all = append(all, entryErrors(e)...)
		}
		return all
	}
	return nil
}

func (r *reading) checkMarking(c Marking) {
	r.oneOf("marking.position", c.Position, "top", "middle", "bottom")
	r.oneOf("marking.on_exit", c.OnExit, "clear", "keep")
	// Above 255 characters the servers are known to show nothing at all.
	r.inRange("marking.max_length", c.MaxLength, 1, 255)
}

func (r *reading) checkLevels(c *Config) {
	for l := policy.Level1; l <= policy.Level3; l++ {
		key := "policy.level." + l.String()
		name, message := c.Policy.Level[l].Name, c.Policy.Level[l].Message
		switch err := policy.CheckText(name, maxLevelName, true); {
		case name == "":
			r.refuse(key+".name", "the name is empty: write a word or two, like %s", quote(Default().Policy.Level[l].Name))
		case err != nil:
			r.refuse(key+".name", "the name cannot be used: %v", err)
		}
		switch err := policy.CheckText(message, c.Marking.MaxLength, !c.Marking.ASCII); {
		case message == "":
			r.refuse(key+".message", "the text is empty, so nobody would see the level: write one, like %s", quote(Default().Policy.Level[l].Message))
		case err != nil && (c.Marking.MaxLength < 1 || r.spoiled["marking.max_length"] || r.spoiled["marking.ascii"]):
			// Said already: the limit is what is wrong.
		case err != nil:
			r.refuse(key+".message", "%v, or change max_length or ascii in [marking]", err)
		}
		for before := policy.Level1; before < l; before++ {
			if message != "" && strings.EqualFold(message, c.Policy.Level[before].Message) {
				r.warn(key+".message", "level %v says the same, so nobody can tell the two apart: write another text", before)
				break
			}
		}
	}
}

func (r *reading) checkLog(c Log) {
	if c.File == "" {
		r.refuse("log.file", `no file is given: write one, like "app.log"`)
	}
	r.fileName("log.file", c.File)
	r.oneOf("log.format", c.Format, "text", "json")
	r.inRange("log.max_size_mb", c.MaxSizeMB, 1, 10_000)
	r.inRange("log.keep", c.Keep, 1, 1000)
}

// oneOf refuses what is none of the allowed words.
func (r *reading) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = strconv.Quote(w)
	}
	last := len(words) - 1
	r.refuse(key, "%s is not known: write %s or %s", quote(value), strings.Join(words[:last], ", "), words[last])
}

// inRange refuses a number that is out of range.
func (r *reading) inRange(key string, n, least, most int) {
	if n < least || n > most {
		r.refuse(key, "%d is out of range: write a number from %d to %d", n, least, most)
	}
}

// times refuses a time that is out of range.
func (r *reading) times(key string, d, least, most time.Duration) {
	if d < least || d > most {
		r.refuse(key, "%s is out of range: write a time from %q to %q", d, least, most)
	}
}

// rate refuses what is no number of requests a second, nan too.
func (r *reading) rate(key string, n float64) {
	if !(n > 0 && n <= 1000) {
		r.refuse(key, "%v is out of range: write a number above 0, up to 1000", n)
	}
}

// fileName refuses what no file can be called.
func (r *reading) fileName(key, name string) {
	if strings.ContainsFunc(name, unicode.IsControl) {
		r.refuse(key, `%s holds control characters: write \\ for each \, or put the name between 'single quotes'`, quote(name))
	}
}
