package simulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callmark/receiver/cdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline bounds every wait of a test.
const deadline = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

// startCluster starts a cluster that closes with the test.
func startCluster(t *testing.T, opts Options) *Cluster {
	t.Helper()
	setDefault(&opts.ResendPause, time.Millisecond)
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func delivered(t *testing.T, c *Cluster) {
	t.Helper()
	if err := c.WaitDelivered(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// receiver takes CDRs and keeps them.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	docs   []cdr.Document
	conns  map[string]bool
	answer func(n int) int // status of the post number n, from 0; nil: 200
	posts  int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, conns: make(map[string]bool)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[req.RemoteAddr] = true
	n := r.posts
	r.posts++
	if r.answer != nil {
		if status := r.answer(n); status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
	}
	var doc cdr.Document
	if err := new(cdr.Decoder).Decode(body, &doc); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.docs = append(r.docs, doc)
}

// documents returns the documents that were taken so far.
func (r *receiver) documents() []cdr.Document {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]cdr.Document(nil), r.docs...)
}

func (r *receiver) records() []cdr.Record {
	var records []cdr.Record
	for _, doc := range r.documents() {
		records = append(records, doc.Records...)
	}
	return records
}

// words says in one word per record what came: callStart, callLegUpdate+ivr.
func words(records []cdr.Record) string {
	var out []string
	for _, r := range records {
		w := r.Type.String()
		if r.Type == cdr.CallLegUpdate {
			for _, f := range []struct {
				on   bool
				text string
			}{
				{r.Leg.State != "", "+" + r.Leg.State}, {r.Leg.Call != "", "+call"}, {r.Leg.IVR, "+ivr"},
				{r.Leg.Deactivated == cdr.True, "+deactivated"},
			} {
				if f.on {
					w += f.text
				}
			}
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// api is a client of one Call Bridge.
type api struct {
	t      *testing.T
	base   string
	user   string
	pass   string
	client *http.Client
}

// trust is a client's configuration for the cluster's certificate, if any.
func trust(c *Cluster) *tls.Config {
	if c.CA() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.CA())
	return &tls.Config{RootCAs: pool}
}

func newAPI(t *testing.T, b *Bridge) *api {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return &api{t, b.URL(), DemoUsername, DemoPassword, client}
}

// node is an element of an answer.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

// at returns the text of a descendant: at("status", "state").
func (n node) at(path ...string) string {
	for _, name := range path {
		found := false
		for _, child := range n.Children {
			if child.XMLName.Local == name {
				n, found = child, true
				break
			}
		}
		if !found {
			return ""
		}
	}
	return n.Text
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (a *api) try(method, path string, form url.Values) (*http.Response, string, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, body)
	if err != nil {
		return nil, "", err
	}
	req.SetBasicAuth(a.user, a.pass)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

func (a *api) do(method, path string, form url.Values) (*http.Response, string) {
	a.t.Helper()
	res, body, err := a.try(method, path, form)
	if err != nil {
		a.t.Fatal(err)
	}
	return res, body
}

// get expects 200 and returns the root element.
func (a *api) get(path string) node {
	a.t.Helper()
	res, body := a.do("GET", "/api/v1"+path, nil)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/xml" {
		a.t.Fatalf("GET %s: %s, %q, %s", path, res.Status, res.Header.Get("Content-Type"), body)
	}
	var n node
	if err := xml.Unmarshal([]byte(body), &n); err != nil {
		a.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return n
}

// put returns the status and the name of the failure, if any.
func (a *api) put(path string, pairs ...string) string {
	a.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, body := a.do("PUT", "/api/v1"+path, form)
	return outcome(res, body)
}

func outcome(res *http.Response, body string) string {
	var n node
	if xml.Unmarshal([]byte(body), &n) == nil && len(n.Children) > 0 {
		return fmt.Sprintf("%d %s", res.StatusCode, n.Children[0].XMLName.Local)
	}
	return fmt.Sprint(res.StatusCode)
}
