package cms

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callmark/policy"

	"github.com/google/go-cmp/cmp"
)

// clientOf makes a client of the one server.
func clientOf(t *testing.T, server string, change func(*Options)) *Client {
	t.Helper()
	o := Options{Servers: []string{server}, Username: "api", Password: policy.NewSecret(testPassword), Timeout: 5 * time.Second, ReadsPerSecond: 10_000}
	if change != nil {
		change(&o)
	}
	c, err := NewCluster(o, newFakeBoard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c.Clients()[0]
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// answer serves one text for every request.
func answer(t *testing.T, status int, body string) *Client {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	return clientOf(t, s.URL, nil)
}

func TestSetMessageSendsTheForm(t *testing.T) {
	var got url.Values
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.Method != http.MethodPut || r.URL.Path != "/api/v1/calls/4a1f-2" || user != "api" || password != testPassword {
			t.Errorf("%s %s as %s", r.Method, r.URL, user)
		}
		if ct := r.Header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
			t.Errorf("Content-Type %q", ct)
		}
		if _, ok := r.Header["Idempotency-Key"]; ok {
			t.Error("an Idempotency-Key is sent")
		}
		_ = r.ParseForm()
		got = r.PostForm
	})
	c := clientOf(t, s.URL, nil)
	for _, tt := range []struct {
		marking policy.Marking
		want    url.Values
	}{
		{policy.Marking{Kind: policy.MarkLevel, Text: "Level 3: a & b", Position: "bottom"},
			url.Values{"messageText": {"Level 3: a & b"}, "messagePosition": {"bottom"}, "messageDuration": {"permanent"}}},
		{policy.Marking{Kind: policy.MarkText, Text: "x", Position: "top", Duration: 90*time.Second + 1},
			url.Values{"messageText": {"x"}, "messagePosition": {"top"}, "messageDuration": {"91"}}},
		{policy.Marking{Kind: policy.MarkClear}, url.Values{"messageText": {""}, "messageDuration": {"0"}}},
	} {
		if err := c.SetMessage(t.Context(), "4a1f-2", tt.marking); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, id := range []string{"", "..", ".", "a/b", "a?b", "a%2fb", "a b", strings.Repeat("a", 200)} {
		if err := c.SetMessage(t.Context(), id, policy.Marking{Kind: policy.MarkClear}); !errors.Is(err, errBadID) {
			t.Errorf("id %q: %v", id, err)
		}
	}
	if err := c.SetMessage(t.Context(), "a", policy.Marking{}); err == nil {
		t.Error("no marking was sent")
	}
}

func TestErrorsOfTheAPI(t *testing.T) {
	for _, tt := range []struct {
		name                                 string
		status                               int
		body                                 string
		notExist, unauthorized, busy, unsure bool
		says                                 string
	}{
		{"gone, 404", 404, `<?xml version="1.0"?><failureDetails><callDoesNotExist /></failureDetails>`, true, false, false, false, "callDoesNotExist"},
		{"gone, 400", 400, `<failureDetails><callDoesNotExist/></failureDetails>`, true, false, false, false, "callDoesNotExist"},
		{"gone, other case", 404, `<FailureDetails><CallDoesNotExist/></FailureDetails>`, true, false, false, false, "callDoesNotExist"},
		{"404 of somebody else", 404, `<html>no such page</html>`, false, false, false, false, "404"},
		{"empty 404", 404, ``, false, false, false, false, "404"},
		{"gone, but 500", 500, `<failureDetails><callDoesNotExist/></failureDetails>`, false, false, false, true, "500"},
		{"parameter", 400, `<failureDetails><parameterError parameter="messageText" error="invalidValue"/></failureDetails>`, false, false, false, false, "parameter messageText"},
		{"account", 401, ``, false, true, false, false, "401"},
		{"busy", 503, `busy`, false, false, true, false, "503"},
		{"broken", 500, `<<<`, false, false, false, true, "500"},
		{"proxy", 504, ``, false, false, false, true, "504"},
		{"reasons without end", 400, `<failureDetails>` + strings.Repeat("<x/>", 50) + `</failureDetails>`, false, false, false, false, "x, x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := answer(t, tt.status, tt.body)
			err := c.SetMessage(t.Context(), "a", policy.Marking{Kind: policy.MarkClear})
			if err == nil {
				t.Fatal("no error")
			}
			if IsNotExist(err) != tt.notExist || IsUnauthorized(err) != tt.unauthorized || IsBusy(err) != tt.busy || IsUncertain(err) != tt.unsure {
				t.Errorf("%v: notExist %v, unauthorized %v, busy %v, uncertain %v", err, IsNotExist(err), IsUnauthorized(err), IsBusy(err), IsUncertain(err))
			}
			if text := err.Error(); !strings.Contains(text, tt.says) || !strings.Contains(text, c.Name()) || len(text) > 400 {
				t.Errorf("the error says %q", text)
			}
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"huge":             `<calls total="1"><call id="a"><name>` + strings.Repeat("x", maxAnswer) + `</name></call></calls>`,
		"deep":             strings.Repeat("<a>", 5000),
		"wide":             `<calls>` + strings.Repeat("<a/>", maxNodes+1) + `</calls>`,
		"garbage":          "\x00\x01garbage\xff",
		"text":             "It works!",
		"cut":              `<calls total="1"><call id="a">`,
		"crossed":          `<calls><call></calls></call>`,
		"stray end":        `<calls total="0"/></calls>`,
		"end of another":   `<a:calls total="0"></b:calls>`,
		"end in capitals":  `<calls total="0"></CALLS>`,
		"ends first":       `</calls>`,
		"two roots":        `<calls/><calls/>`,
		"doctype":          `<!DOCTYPE x [<!ENTITY a "b">]><calls total="0"/>`,
		"unknown entity":   `<calls total="0">&a;</calls>`,
		"web page":         `<html><body>welcome</body></html>`,
		"another encoding": `<?xml version="1.0" encoding="x-evil"?><calls total="0"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			c := answer(t, 200, body)
			calls, err := c.Calls(t.Context(), nil)
			var te *TransportError
			if !errors.As(err, &te) || calls != nil {
				t.Errorf("%d calls, %v", len(calls), err)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestPackedBombIsBounded(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "<calls>")
		blank := bytes.Repeat([]byte(" "), 1<<20)
		for range 200 {
			if _, err := z.Write(blank); err != nil {
				return
			}
		}
		_ = z.Close()
	})
	_, err := clientOf(t, s.URL, nil).Calls(t.Context(), nil)
	if !errors.Is(err, errTooLong) {
		t.Error(err)
	}
}

func TestPackedAnswer(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip is not offered")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `<call id="a"><name>Weekly &amp; more</name><callCorrelator>c</callCorrelator><numCallLegs>4</numCallLegs>`+
			`<messageText>hi</messageText><messagePosition>Bottom</messagePosition><messageDuration>permanent</messageDuration></call>`)
		_ = z.Close()
	})
	got, err := clientOf(t, s.URL, nil).Call(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	want := Call{ID: "a", Name: "Weekly & more", Correlator: "c", Legs: 4, Remote: -1, Message: Message{Text: "hi", Position: "bottom", Permanent: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPaging has servers that cap, move and lie.
func TestPaging(t *testing.T) {
	item := func(n int) string { return fmt.Sprintf(`<call id="c%d"/>`, n) }
	for _, tt := range []struct {
		name  string
		page  func(offset int) string
		want  int // calls; -1: an error
		pages int64
	}{
		{"capped at ten", func(o int) string {
			s := ""
			for n := o; n < min(o+10, 25); n++ {
				s += item(n)
			}
			return `<calls total="25">` + s + `</calls>`
		}, 25, 3},
		{"moves", func(o int) string { // one repeats, as a call before it ended
			return `<calls total="6">` + item(max(0, o-1)) + item(max(0, o-1)+1) + `</calls>`
		}, 5, 6}, // read twice, for the one that is missing
		{"empty", func(int) string { return `<calls total="0"/>` }, 0, 1},
		{"total too high", func(o int) string {
			if o > 0 {
				return `<calls total="900"/>`
			}
			return `<calls total="900">` + item(1) + `</calls>`
		}, 1, 2},
		{"no total", func(o int) string {
			if o > 4 {
				return `<calls/>`
			}
			return `<calls>` + item(o) + `</calls>`
		}, 5, 6},
		{"the same page for ever", func(int) string { return `<calls total="99999999">` + item(1) + item(2) + `</calls>` }, -1, 7},
		{"no ids", func(int) string { return `<calls total="99999999"><call/></calls>` }, -1, 1},
		{"without end", func(o int) string {
			var b strings.Builder
			for n := range 5000 {
				b.WriteString(item(o + n))
			}
			return `<calls total="99999999">` + b.String() + `</calls>`
		}, -1, 21},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var pages atomic.Int64
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				pages.Add(1)
				var o int
				_, _ = fmt.Sscan(r.URL.Query().Get("offset"), &o)
				_, _ = io.WriteString(w, tt.page(o))
			})
			calls, err := clientOf(t, s.URL, nil).Calls(t.Context(), nil)
			if (err != nil) != (tt.want < 0) || err == nil && len(calls) != tt.want {
				t.Errorf("%d calls, %v", len(calls), err)
			}
			if pages.Load() != tt.pages {
				t.Errorf("%d pages", pages.Load())
			}
		})
	}
}

func TestRedirectIsRefused(t *testing.T) {
	var reached atomic.Bool
	other := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/api/v1/calls/a", http.StatusTemporaryRedirect)
	})
	c := clientOf(t, s.URL, nil)
	err := c.SetMessage(t.Context(), "a", policy.Marking{Kind: policy.MarkClear})
	if err == nil || !strings.Contains(err.Error(), "redirects to") || IsUncertain(err) || reached.Load() {
		t.Errorf("%v; reached %v", err, reached.Load())
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<calls total="0"/>`)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	plainServer := serve(t, func(http.ResponseWriter, *http.Request) {})
	toLocal := func(o *Options) { // whatever the name
		o.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		}
	}
	for _, tt := range []struct {
		name   string
		server string
		change func(*Options)
		says   string // of the error; empty: none
		remedy string
	}{
		{"with ca_file", s.URL, func(o *Options) { o.CAFile = ca }, "", ""},
		{"without", s.URL, nil, "authority", "ca_file"},
		{"not verified", s.URL, func(o *Options) { o.InsecureSkipVerify = true }, "", ""},
		{"another name", "https://cms9.test:" + port, func(o *Options) { o.CAFile = ca; toLocal(o) }, "not for the name cms9.test", "by a name"},
		{"plain HTTP there", strings.Replace(plainServer.URL, "http:", "https:", 1), nil, "plain HTTP", "http://"},
		{"TLS there", strings.Replace(s.URL, "https:", "http:", 1), nil, "", ""},
		{"TLS 1.1", old.URL, func(o *Options) { o.InsecureSkipVerify = true }, "TLS could not be agreed", "TLS 1.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := clientOf(t, tt.server, tt.change)
			_, err := c.Calls(t.Context(), nil)
			if tt.name == "TLS there" { // Go's server answers such a request in plain HTTP with 400
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if (err != nil) != (tt.says != "") || err != nil && (!strings.Contains(err.Error(), tt.says) || !strings.Contains(Remedy(err), tt.remedy)) {
				t.Errorf("%v", err)
			}
			if IsUncertain(err) {
				t.Error("uncertain, though nothing was sent")
			}
		})
	}
}

func TestConnectionTroubles(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then a server sees its client go
		<-r.Context().Done()
	})
	reset := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.Close()
	})
	binary := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = conn.Write([]byte("\x15\x03\x01\x00\x02\x02\x16"))
		_ = conn.Close()
	})
	for _, tt := range []struct {
		name, server, says string
		sent               bool
	}{
		{"refused", gone.URL, "the connection was refused", false},
		{"slow", slow.URL, "no answer within 50ms", true},
		{"closed", reset.URL, "the connection was lost before the answer", true},
		{"TLS", binary.URL, "speaks TLS", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := clientOf(t, tt.server, func(o *Options) {
				o.Timeout = 50 * time.Millisecond
			})
			err := c.SetMessage(t.Context(), "a", policy.Marking{Kind: policy.MarkClear})
			if err == nil || !strings.Contains(err.Error(), tt.says) || IsUncertain(err) != tt.sent {
				t.Errorf("%v; uncertain %v", err, IsUncertain(err))
			}
		})
	}
}

// TestStaleConnection has a server that closes every connection after one
// answer without saying so, as a keep-alive that ran out looks.
func TestStaleConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closing := make(chan struct{}, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			_, _ = conn.Read(buf)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = conn.Close()
			closing <- struct{}{}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	c := clientOf(t, "http://"+l.Addr().String(), nil)
	for range 5 {
		if err := c.SetMessage(t.Context(), "a", policy.Marking{Kind: policy.MarkClear}); err != nil {
			t.Fatal(err)
		}
		<-closing
	}
}

// TestTheSecretStaysSecret looks for the password in all that is printed.
func TestTheSecretStaysSecret(t *testing.T) {
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://x/?a="+testPassword)
		status := 400
		if r.Method == http.MethodGet {
			status = 302
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<failureDetails><%s/><parameterError parameter="%s"/></failureDetails>`, testPassword, r.Header.Get("Authorization"))
	})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var texts []string
	for _, server := range []string{echo.URL, gone.URL} {
		c := clientOf(t, server, nil)
		_, err := c.Calls(t.Context(), nil)
		texts = append(texts, fmt.Sprintf("%v %+v", err, err), fmt.Sprint(c.gate.status()))
		err = c.SetMessage(t.Context(), "a", policy.Marking{Kind: policy.MarkClear})
		texts = append(texts, fmt.Sprintf("%v %+v", err, err), fmt.Sprint(c.gate.status()), fmt.Sprintf("%v %+v %#v", c, *c, *c))
	}
	o := Options{Servers: []string{"https://api:" + testPassword + "@cms1", "x"}, Username: "api", Password: policy.NewSecret(testPassword)}
	texts = append(texts, fmt.Sprint(o.Validate()))
	o.Servers = []string{"x"}
	cluster, err := NewCluster(o, newFakeBoard())
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, fmt.Sprintf("%v %+v %#v", cluster, cluster, cluster))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %[1]v"} {
		texts = append(texts, fmt.Sprintf(verb, o.Password), fmt.Sprintf(verb, o), fmt.Sprintf(verb, &o))
	}
	b, _ := json.Marshal(struct{ P policy.Secret }{o.Password})
	texts = append(texts, string(b))
	var buf bytes.Buffer
	slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "password", o.Password, "in", struct{ P policy.Secret }{o.Password})
	slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "password", o.Password, "in", struct{ P policy.Secret }{o.Password})
	texts = append(texts, buf.String())
	for _, text := range texts {
		for _, secret := range []string{testPassword, fmt.Sprintf("%x", testPassword), "YXBpOnMzY3"} {
			if strings.Contains(text, secret) {
				t.Errorf("the secret is in %q", text)
			}
		}
	}
}
