package receiver

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callmark/policy"
)

func TestAnswers(t *testing.T) {
	join := read(t, "testdata/join.xml")
	request := func(method, path, header, body string) string {
		return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: callmark\r\nContent-Length: %d\r\n%s\r\n%s", method, path, len(body), header, body)
	}
	tests := []struct {
		name, request string
		status        int
		body          string // a part of it
		header        string // one that must be there
		applied       int
		refused       uint64
	}{
		{"document", posting(join), 200, "", "", 1, 0},
		{"query", request("POST", "/cdr?token=secret", "", join), 200, "", "", 1, 0},
		{"no content type", request("POST", "/cdr", "", join), 200, "", "", 1, 0},
		{"form", request("POST", "/cdr", "Content-Type: application/x-www-form-urlencoded\r\n", join), 200, "", "", 1, 0},
		{"multipart by name only", request("POST", "/cdr", "Content-Type: multipart/form-data; boundary=x\r\n", join), 200, "", "", 1, 0},
		{"identity", request("POST", "/cdr", "Content-Encoding: identity\r\n", join), 200, "", "", 1, 0},
		{"chunked", chunked(join, 100), 200, "", "", 1, 0},
		{"chunked, with a trailer", strings.TrimSuffix(chunked(join, 7), "\r\n") + "X-End: 1\r\n\r\n", 200, "", "", 1, 0},
		{"one zero at a time", chunked(join, 1), 200, "", "", 1, 0},
		{"HTTP/1.0", strings.Replace(posting(join), "HTTP/1.1", "HTTP/1.0", 1), 200, "", "", 1, 0},
		{"no records", posting(`<records session="s"/>`), 200, "", "", 1, 0},
		{"malformed", posting("<records session='s'>"), 400, "not well-formed XML: at byte 21", "", 0, 1},
		{"half of it is good", posting(strings.Replace(join, "</records>", "<record>", 1)), 400, "not well-formed", "", 0, 1},
		{"DOCTYPE", posting("<!DOCTYPE x><records session='s'/>"), 400, "DOCTYPE", "", 0, 1},
		{"empty", posting(""), 400, "no root element", "", 0, 1},
		{"no length", "POST /cdr HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no root element", "", 0, 1},
		{"too large", posting(strings.Repeat("x", 100_001)), 413, "larger than 100000 bytes", "", 0, 1},
		{"too large, chunked", chunked(strings.Repeat("x", 300_000), 1000), 413, "larger than 100000 bytes", "", 0, 1},
		{"as large as may be", posting(`<records session="s"/>` + strings.Repeat(" ", 100_000-22)), 200, "", "", 1, 0},
		{"encoded", request("POST", "/cdr", "Content-Encoding: gzip\r\n", join), 415, `encoded as "gzip", send it as it is`, "", 0, 1},
		{"bad chunk", "POST /cdr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400, "cannot be read", "Connection: close", 0, 1},
		{"get", request("GET", "/cdr", "", ""), 405, "POST", "Allow: POST", 0, 1},
		{"put", request("PUT", "/cdr", "", join), 405, "POST", "Allow: POST", 0, 1},
		{"another path", request("POST", "/", "", join), 404, "records go to /cdr", "", 0, 1},
		{"a path below", request("POST", "/cdr/x", "", join), 404, "", "", 0, 1},
		{"health", request("GET", "/healthz", "", ""), 200, "ok\n", "", 0, 0},
		{"ready", request("GET", "/readyz", "", ""), 200, "ready\n", "", 0, 0},
		{"ready by post", request("POST", "/readyz", "", ""), 405, "", "Allow: GET, HEAD", 0, 1},
		{"health by post", request("POST", "/healthz", "", ""), 405, "", "Allow: GET, HEAD", 0, 1},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400, "not https://", "Connection: close", 0, 1},
		{"header too large", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 10_000) + "\r\n\r\n", 431, "header", "Connection: close", 0, 1},
		{"expect", request("POST", "/cdr", "Expect: 100-continue\r\n", join), 100, "", "", 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &fakeBoard{}
			s := start(t, b, Options{MaxBody: 100_000, Unready: func() []string { return nil }})
			w := dial(t, s)
			w.send(test.request)
			status, body, header := w.answer()
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("got %d %q, want %d with %q", status, body, test.status, test.body)
			}
			if status == 100 {
				if status, _, _ := w.answer(); status != 200 {
					t.Errorf("got %d after 100", status)
				}
			}
			if strings.Count(body, "\n") > 1 {
				t.Errorf("the reason is not one line: %q", body)
			}
			if body != "" && header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("content type %q", header.Get("Content-Type"))
			}
			for _, name := range []string{"Server", "Date", "X-Powered-By"} {
				if v := header.Get(name); v != "" {
					t.Errorf("header %s: %s", name, v)
				}
			}
			if name, want, ok := strings.Cut(test.header, ": "); ok {
				got := header.Get(name)
				if name == "Connection" && w.ended() {
					got = "close"
				}
				if got != want {
					t.Errorf("header %s: got %q, want %q", name, got, want)
				}
			}
			if b.applied() != test.applied {
				t.Errorf("%d documents applied, want %d", b.applied(), test.applied)
			}
			stats := s.Stats()
			if stats.Refused != test.refused || stats.Documents != uint64(test.applied) || stats.SetAside != 0 {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

func TestHead(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	w := dial(t, s)
	w.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	w.Conn.(interface{ CloseWrite() error }).CloseWrite()
	got, err := io.ReadAll(w.r)
	if err != nil || string(got) != "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestKeepAlive posts on one connection, and looks at the very bytes.
func TestKeepAlive(t *testing.T) {
	b := &fakeBoard{}
	s := start(t, b, Options{})
	w := dial(t, s)
	const want = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	join := read(t, "testdata/join.xml")
	for i, request := range []string{posting(join), chunked(join, 64), posting(join)} {
		w.send(request)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(w.r, got); err != nil || string(got) != want {
			t.Fatalf("post %d: got %q, %v", i, got, err)
		}
	}
	// What is refused does not end the connection.
	w.send(posting("<x>") + posting(strings.Repeat("x", 5<<20)) + posting(join))
	for i, want := range []int{400, 413, 200} {
		if status, _, _ := w.answer(); status != want {
			t.Errorf("post %d: got %d, want %d", i, status, want)
		}
	}
	if n := b.applied(); n != 4 {
		t.Errorf("%d applied", n)
	}
}

func TestPipelined(t *testing.T) {
	b := &fakeBoard{}
	s := start(t, b, Options{})
	w := dial(t, s)
	var all strings.Builder
	const n = 50
	for i := range n {
		all.WriteString(posting(fmt.Sprintf(`<records session="s%d"><record type="callStart"><call id="c"/></record></records>`, i)))
	}
	w.send(all.String())
	for i := range n {
		if status, _, _ := w.answer(); status != 200 {
			t.Fatalf("post %d: %d", i, status)
		}
	}
	for i, src := range b.sources {
		if want := (policy.Source{Session: fmt.Sprintf("s%d", i), Address: "127.0.0.1"}); src != want {
			t.Errorf("document %d is from %+v", i, src)
		}
	}
}

func TestSourceOf(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1:1234":          "192.0.2.1",
		"[::ffff:192.0.2.1]:1234": "192.0.2.1",
		"[2001:db8::1]:1234":      "2001:db8::1",
		"pipe":                    "pipe",
	} {
		if got := sourceOf(address(text)); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
	if got := sourceOf(nil); got != "" {
		t.Errorf("nil: %q", got)
	}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func TestEvents(t *testing.T) {
	b := &fakeBoard{}
	s := start(t, b, Options{})
	for _, name := range []string{"testdata/join.xml", "testdata/others.xml"} {
		if status, text := post(t, s, read(t, name)); status != 200 {
			t.Fatalf("%s: %d %s", name, status, text)
		}
	}
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, "2026-03-02T"+text+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const call, leg = "5a3f3c1e-8c0a-4e0e-9a58-000000000001", "1f6b7a50-0a61-4f5e-8c9c-000000000001"
	want := []policy.Event{
		{Kind: policy.CallStarted, Time: at("09:00:00"), Index: 0,
			Call: policy.CallFacts{ID: call, Name: "Board room", Correlator: "9b8e6a52-52d0-4bb4-8d23-000000000001"}},
		{Kind: policy.LegStarted, Time: at("09:00:00"), Index: 1,
			Leg: policy.LegFacts{ID: leg, Name: "Ann Lee", RemoteParty: "ann@corp.example", Type: "sip", Group: "1f6b7a50-0a61-4f5e-8c9c-0000000000aa"}},
		{Kind: policy.LegUpdated, Time: at("09:00:01"), Index: 2, Leg: policy.LegFacts{ID: leg, Call: call, Connected: true, Deactivated: policy.No}},

		{Kind: policy.Other, Time: at("09:05:00"), Index: 3, Missing: 2},
		{Kind: policy.Other, Index: 4},
		{Kind: policy.LegStarted, Index: policy.NoIndex, Leg: policy.LegFacts{ID: "bot", Type: "sip", Recorder: true}},
		{Kind: policy.LegStarted, Index: 6, Leg: policy.LegFacts{ID: "stream", Type: "sip", SubType: "lync", Recorder: true, Guest: policy.Yes}},
		{Kind: policy.LegUpdated, Index: 7, Leg: policy.LegFacts{ID: "menu", RemoteAddress: "bob@corp.example", IVR: true}},
		{Kind: policy.LegUpdated, Index: 8, Leg: policy.LegFacts{ID: "lobby", Call: "c", Connected: true, Deactivated: policy.Yes}},
		{Kind: policy.LegEnded, Index: 9, Leg: policy.LegFacts{ID: "menu", Reason: "callEnded"}},
		{Kind: policy.CallEnded, Index: 10, Call: policy.CallFacts{ID: "c"}},
	}
	if diff := cmp.Diff(want, b.events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantSources := []policy.Source{
		{Session: "7d0c2b1e-4f4a-4a53-9c11-2f0f6b1f7a01", CallBridge: "c1a5f0de-0d0e-4c43-8e4c-7f0f5b6f0b01", Address: "127.0.0.1"},
		{Session: "7d0c2b1e-4f4a-4a53-9c11-2f0f6b1f7a01", Address: "127.0.0.1"},
	}
	if diff := cmp.Diff(wantSources, b.sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.Records != 11 || got.Documents != 2 {
		t.Errorf("stats %+v", got)
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{Listen: "5000"}, "receiver.listen"},
		{Options{Listen: "[::1]:5000", Path: "/a/b"}, ""},
		{Options{Path: "cdr"}, "receiver.path"},
		{Options{Path: "/cdr?x"}, "receiver.path"},
		{Options{Path: "/healthz"}, "/healthz has a use of its own"},
		{Options{Path: "/metrics"}, "/metrics has a use of its own"},
		{Options{MaxBody: -1}, "MaxBody is negative"},
		{Options{IdleTimeout: -1}, "IdleTimeout is negative"},
		{Options{MaxDepth: -1}, "MaxDepth is negative"},
		{Options{MaxRequestsPerSource: -1}, "MaxRequestsPerSource is negative"},
	} {
		_, err := New(&fakeBoard{}, test.o)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: got %v, want %q", test.o, err, test.want)
		}
	}
}
