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
	"time"
)

// reachWithin is how long a receiver may take to answer.
const reachWithin = 3 * time.Second

// Reach asks whether a receiver of callmark's answers at the host and port of a
// URI, as seen from this host: GET /healthz gives 200 within 3 s. The error is
// why not, fit to be shown. That we get there does not prove that a Call Bridge
// does.
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
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true},
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
		return errors.New(transportError(err, true, p.address(), reachWithin).Problem)
	}
	if res.StatusCode >= 200 { // else it is the bare connection, which no context ends
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("what answers there is no callmark: %d to GET /healthz", res.StatusCode)
	}
	return nil
}
