package cms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"callmark/policy"

	"golang.org/x/time/rate"
)

// lane is one of the two ways to a server. Each has its own connections, limit
// and backoff.
type lane uint8

const (
	reads lane = iota
	writes
)

const (
	readConns = 4
	maxHeader = 64 << 10 // bytes of an answer's header, of what comes before it (1xx) too
	maxText   = 120      // characters of a server's text in an error
	maxReason = 40       // likewise of a reason that is not known

	// A server closes a connection that was idle for about 5 s; one that is
	// given up before that is never found closed by a request.
	idleTimeout = 4 * time.Second
)

// Client asks the API of one server. Its methods return an error that names
// the server and wraps an *APIError, a *TransportError or a *GateError. Its
// state and its limits are the server's, whoever calls.
type Client struct {
	address  Address
	name     string
	insecure bool
	timeout  time.Duration
	// The secrets are in these two only: whoever prints a client, or a value that
	// holds one, prints addresses of functions.
	authenticate func(*http.Request)
	hide         hiders

	http   [2]*http.Client // by lane
	limits [2]*rate.Limiter
	gate   *gate
	counts *counts
}

// newClient makes a client. The options must be valid and have their defaults.
func newClient(a Address, o Options, tlsConfig *tls.Config) *Client {
	c := &Client{
		address: a, name: a.Name(), timeout: o.Timeout,
		insecure: insecure(a, o),
		gate:     newGate(o.Rand, o.MaxBackoff), counts: &counts{},
	}
	user, password := o.Username, o.Password.Reveal()
	c.authenticate = func(r *http.Request) { r.SetBasicAuth(user, password) }
	_, query, _ := strings.Cut(o.Own.URI, "?")
	c.hide = newHiders(user, password, o.Own.Token.Reveal(), tokenOf(query))
	c.limits[reads] = rate.NewLimiter(rate.Limit(o.ReadsPerSecond), max(1, min(10, int(o.ReadsPerSecond))))
	c.limits[writes] = rate.NewLimiter(rate.Limit(o.WritesPerSecond), max(1, min(o.Writers, int(o.WritesPerSecond))))
	for l, conns := range [2]int{reads: readConns, writes: o.Writers} {
		c.http[l] = &http.Client{
			Transport: &http.Transport{
				DialContext:            o.DialContext,
				TLSClientConfig:        tlsConfig.Clone(),
				TLSHandshakeTimeout:    5 * time.Second,
				MaxConnsPerHost:        conns,
				MaxIdleConnsPerHost:    conns,
				IdleConnTimeout:        idleTimeout,
				MaxResponseHeaderBytes: maxHeader,
			},
			// The account's password must not follow the server elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return c
}

// Name is how the server is called everywhere: host:port.
func (c *Client) Name() string { return c.name }

// close gives the idle connections up.
func (c *Client) close() {
	for _, h := range c.http {
		h.CloseIdleConnections()
	}
}

// rest gives up the idle connections for reading at once, where a timer would
// have to wake up for that before they are used again.
func (c *Client) rest() { c.http[reads].CloseIdleConnections() }

// get reads one object or page, within the limit of reads.
func (c *Client) get(ctx context.Context, path string, query url.Values) (*node, error) {
	if err := c.limits[reads].Wait(ctx); err != nil {
		return nil, err
	}
	return c.enter(ctx, reads, http.MethodGet, path, query)
}

// enter sends a request if the gate lets it.
func (c *Client) enter(ctx context.Context, l lane, method, path string, form url.Values) (*node, error) {
	now := time.Now()
	t, wait, ok := c.gate.enter(l, now)
	if !ok {
		e := &GateError{State: c.gate.status().state}
		if wait >= 0 {
			e.Until = now.Add(wait)
		}
		return nil, e
	}
	return c.do(ctx, t, method, path, form)
}

// do sends a request that the gate has let in, and tells the gate what became
// of it. For a GET the form is the query.
func (c *Client) do(ctx context.Context, t ticket, method, path string, form url.Values) (*node, error) {
	start := time.Now()
	root, err := c.roundTrip(ctx, t.lane, method, path, form)
	now := time.Now()
	result := outcomeOf(err)
	if result == outcomeLost && ctx.Err() != nil {
		result = outcomeGivenUp // by us: it says nothing of the server
	}
	problem, remedy := "", ""
	if err != nil {
		problem, remedy = err.Error(), Remedy(err)
		var te *TransportError
		if errors.As(err, &te) {
			problem = te.Problem
		}
	}
	c.counts.add(t.lane, result, err, now.Sub(start))
	c.gate.leave(t, now, result, now.Sub(start), problem, remedy)
	return root, err
}

func (c *Client) roundTrip(ctx context.Context, l lane, method, path string, form url.Values) (*node, error) {
	target := c.address.base() + path
	var body io.Reader
	if method == http.MethodGet {
		if len(form) > 0 {
			target += "?" + form.Encode()
		}
	} else {
		body = strings.NewReader(form.Encode())
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	c.authenticate(req)
	req.Header.Set("Accept", "text/xml, application/xml")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method == http.MethodPut || method == http.MethodDelete {
		// A nil value sends no such header, and tells net/http that the request
		// may be sent again when a kept-alive connection turns out closed. These
		// set a state, so twice is as good as once; what a POST adds would be
		// there twice.
		req.Header["Idempotency-Key"] = nil
	}
	res, err := c.http[l].Do(req)
	if err != nil {
		var u *url.Error // it repeats the URL
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, transportError(err, sent.Load(), c.address, c.timeout)
	}
	defer func() {
		// What little is left is read, for the connection to be used again.
		if res.StatusCode >= 200 {
			_, _ = io.CopyN(io.Discard, res.Body, 16<<10)
		}
		_ = res.Body.Close()
	}()
	return c.answer(ctx, res)
}

// answer reads the answer to a request.
func (c *Client) answer(ctx context.Context, res *http.Response) (*node, error) {
	if res.StatusCode < 200 { // 101: its body is the bare connection, which no context ends
		return nil, ill("it wants to speak another protocol (%d)", res.StatusCode)
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		return nil, &TransportError{
			Problem: fmt.Sprintf("it redirects to %q, which is not followed", c.clean(res.Header.Get("Location"))),
			Remedy:  "configure the address that the API itself has",
		}
	}
	hide := c.hide.within
	if strings.HasSuffix(res.Request.URL.Path, receiversPath) {
		hide = c.hide.uris
	}
	root, err := parse(res.Body, hide)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, c.apiError(res.StatusCode, root) // what it said counts, if it could be read
	}
	var lost *net.OpError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, transportError(ctx.Err(), true, c.address, c.timeout)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &lost):
		return nil, transportError(err, true, c.address, c.timeout)
	}
	if err == nil && root != nil {
		switch root.name {
		case "html":
			err = errors.New("the answer is a web page")
		case "failuredetails":
			err = fmt.Errorf("failureDetails with %d", res.StatusCode)
		}
	}
	if err != nil {
		return nil, &TransportError{
			Sent:    true,
			Problem: "it answered what the API does not: " + c.clean(err.Error()),
			Remedy:  askWebAdmin,
			Err:     err,
		}
	}
	return root, nil
}

// apiError reads failureDetails.
func (c *Client) apiError(status int, root *node) *APIError {
	e := &APIError{Status: status}
	if root == nil || root.name != "failuredetails" {
		return e
	}
	for n := root.first; n != nil; n = n.next {
		if len(e.Reasons) == 8 {
			break
		}
		// Its case is lost in parsing; the known ones get theirs back.
		reason, ok := reasonNames[n.name]
		if !ok {
			reason = policy.Clean(c.hide.all(n.name), maxReason)
		}
		e.Reasons = append(e.Reasons, reason)
		if n.name == "parametererror" && e.Parameter == "" {
			if e.Parameter = n.attr("parameter"); e.Parameter == "" {
				e.Parameter = n.get("parameter")
			}
			e.Parameter = c.clean(e.Parameter)
		}
	}
	return e
}

// reasonNames are reasons as Cisco's API guide writes them.
var reasonNames = map[string]string{
	"calldoesnotexist":        "callDoesNotExist",
	"calllegdoesnotexist":     "callLegDoesNotExist",
	"participantdoesnotexist": "participantDoesNotExist",
	"callbridgedoesnotexist":  "callBridgeDoesNotExist",
	"cdrreceiverdoesnotexist": "cdrReceiverDoesNotExist",
	"parametererror":          "parameterError",
	"toomanycdrreceivers":     "tooManyCdrReceivers",
	"databasenotready":        "databaseNotReady",
	"unrecognisedobject":      "unrecognisedObject",
}

// clean makes a server's text safe to show in an error, also if it repeats our
// password.
func (c *Client) clean(s string) string {
	return policy.Clean(c.hide.all(s), maxText)
}

// plain makes a name from an answer safe to show.
func plain(s string) string { return policy.Clean(s, maxText) }

// failed says what was being done when an error came. The server's name comes
// with it.
func (c *Client) failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s on %s: %w", fmt.Sprintf(format, args...), c.Name(), err)
}

// Bounds of a collection.
const (
	pageSize = 100 // asked for; a server caps it itself, often at 10
	maxPages = 20_000
	maxItems = 100_000
	maxList  = 32 << 20 // bytes of all pages; an ordinary leg takes about 250
)

// collection is what a list is made of. Names are in lower case.
type collection struct {
	root, item string
	most       int // items; a server that shows more is not believed
}

// list reads a whole collection: the children called item of every
// page, each once. A page may have fewer than were asked for, and the list moves
// while it is read (Cisco's API guide, "Retrieving a list"), so the offset goes
// on by what was returned, until it reaches the total or a page is empty. Where
// pages repeat what others had, they lack something else: then it is read again,
// for as long as that brings something new. Even so it may lack what moved away
// from one page to another: absence from a list is no proof. An error gives no
// list. look, if given, is shown every page: its root, and what it has in its place
// in the list.
func list[T any](ctx context.Context, c *Client, path string, of collection, read func(id string, n *node) T, look func(root *node, fresh []T)) ([]T, error) {
	var all []T
	seen := map[string]struct{}{}
	offset, before := 0, 0      // before: how many were known when this pass began
	fruitful, fruitless := 0, 0 // pages
	size := 0                   // bytes of all pages
	q := url.Values{"limit": {fmt.Sprint(pageSize)}}
	for range maxPages {
		q.Set("offset", fmt.Sprint(offset))
		root, err := c.get(ctx, path, q)
		if err != nil {
			return nil, err
		}
		if root == nil || root.name != of.root { // as empty as it looks, it would prove something
			return nil, errNotAPI
		}
		total := number(root.attr("total"))
		returned, fresh := 0, 0
		for n := root.first; n != nil; n = n.next {
			if n.name != of.item {
				continue
			}
			returned++
			id := n.attr("id")
			if _, err := segment(id); err != nil { // left out, or cut, it would be taken for another, or for none
				return nil, ill("it lists a %s with the id %q, which no server gives", of.item, c.clean(id))
			}
			if _, ok := seen[id]; ok {
				continue
			}
			seen[id] = struct{}{}
			fresh++
			all = append(roomFor(all, total), read(id, n))
		}
		if look != nil {
			look(root, all[len(all)-fresh:])
		}
		size += root.bytes
		offset += returned
		if returned == 0 || total >= 0 && int64(offset) >= total {
			if int64(len(all)) >= total || returned == 0 {
				return all, nil
			}
			if len(all) == before {
				if int64(2*len(all)) < total { // it does not know offset, or moves too fast
					return nil, ill("it says that the list has %d entries, and shows %d of them", total, len(all))
				}
				return all, nil
			}
			offset, before = 0, len(all)
			continue
		}
		if fresh > 0 {
			fruitful++
		} else if fruitless++; fruitless > 2+3*fruitful {
			return nil, ill("it repeats the same pages of the list")
		}
		switch {
		case len(all) > of.most:
			return nil, ill("the list has more than %d entries", of.most)
		case size > maxList:
			return nil, ill("the list has more than %d bytes", maxList)
		}
	}
	return nil, ill("the list has more than %d pages", maxPages)
}

// eachPage is a look at what every page has.
func eachPage[T any](page func([]T)) func(*node, []T) {
	if page == nil {
		return nil
	}
	return func(_ *node, fresh []T) { page(fresh) }
}

// roomFor makes room for one more where there is none: at once for all that a
// list says it has, but for no more than four times what it has shown, since it
// may say anything. So a long list is not copied at each quarter that it grows by.
func roomFor[T any](all []T, total int64) []T {
	if len(all) < cap(all) {
		return all
	}
	return slices.Grow(all, int(max(1, min(total, 4*int64(len(all))+pageSize)-int64(len(all)))))
}

// segment puts an id into a path. Ids come from records too, which anybody who
// reaches the receiver can make up: they must not name another object.
func segment(id string) (string, error) {
	ok := id != "" && len(id) <= 128 && strings.Trim(id, ".") != ""
	for _, r := range id {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.~", r))
	}
	if !ok {
		return "", errBadID
	}
	return id, nil
}
