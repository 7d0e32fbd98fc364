package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Poster posts documents over a connection of its own, one at a time: only
// Bridge.SendRaw does so beside the others.
type Poster interface {
	// Post returns the status of the answer. The body is the poster's until
	// then.
	Post(ctx context.Context, uri string, body []byte) (status int, err error)
	// Close gives up the connection.
	Close()
}

// httpPoster posts by net/http.
type httpPoster struct{ client *http.Client }

func newHTTPPoster(o *Options) httpPoster {
	return httpPoster{&http.Client{
		Transport: &http.Transport{
			DialContext:         o.Dial,
			TLSClientConfig:     o.ReceiverTLS,
			MaxConnsPerHost:     1,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
		Timeout:       o.PostTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p httpPoster) Post(ctx context.Context, uri string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("simulator: post to %s: %w", uri, err)
	}
	req.Header.Set("Content-Type", "text/xml")
	res, err := p.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("simulator: post to %s: %w", uri, err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)); err != nil {
		return 0, fmt.Errorf("simulator: post to %s: %w", uri, err)
	}
	return res.StatusCode, nil
}

func (p httpPoster) Close() { p.client.CloseIdleConnections() }
