package cms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// reachWithin is how long a receiver may take to answer.
const reachWithin = 3 * time.Second

// notAllowed is in what our receiver answers to an address that may not send.
const notAllowed = "may not send here"

var (
	errNotAllowed  = errors.New("it does not allow this host, which needs not be allowed")
	errWantsClient = errors.New("it asks for a client certificate, so what answers there is not known")
)

// IsGuarded reports whether an error of Reach says that somebody answers who
// lets in only whom he knows, as a receiver does that has receiver.allow or
// receiver.client_ca.
func IsGuarded(err error) bool { return err == errNotAllowed || err == errWantsClient }

// Reach asks whether a receiver of callmark's answers at the host and port of a
// URI, as seen from this host: GET /healthz gives 200 within 3 s. The error is
// why not, fit to be shown; one for which IsGuarded holds says that it does not
// let this host in. That we get there does not prove that a Call Bridge does.
func Reach(ctx context.Context, uri string) error {
	p, ok := placeOf(uri)
	if !ok {
		return errors.New("it is no http:// or https:// address")
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.origin()+"/healthz", nil)
	if err != nil {
		return errors.New("it is no address that can be asked")
	}
	client := &http.Client{
		Transport: &http.Transport{ // no proxy: a Call Bridge uses none
			DialContext: (&net.Dialer{}).DialContext,
			// Nothing secret is sent, and nothing is believed but that somebody
			// answers. Whether the certificate is good is for the Call Bridge to
			// say, which has authorities of its own.
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, // #nosec G402 -- see above
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		var u *url.Error // it repeats the URL
		if errors.As(err, &u) {
			err = u.Err
		}
		if strings.Contains(err.Error(), "tls: certificate required") { // an alert of TLS 1.3
			return errWantsClient
		}
		return errors.New(transportError(err, true, p.address(), reachWithin).Problem)
	}
	var body []byte
	if res.StatusCode >= 200 { // else it is the bare connection, which no context ends
		body, _ = io.ReadAll(io.LimitReader(res.Body, 4<<10))
	}
	_ = res.Body.Close()
	if res.StatusCode == http.StatusForbidden && strings.Contains(string(body), notAllowed) {
		return errNotAllowed
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("what answers there is no callmark: %d to GET /healthz", res.StatusCode)
	}
	return nil
}
