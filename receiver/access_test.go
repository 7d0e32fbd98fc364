package receiver

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"callmark/policy"
)

// from dials out of another address of the loopback.
func from(t testing.TB, s *Server, source string) *wire {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	c, err := d.Dial("tcp", s.Addr())
	if err != nil {
		t.Skipf("this machine has no %s: %v", source, err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return newWire(t, c)
}

func networks(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestAllows(t *testing.T) {
	o := Options{Allow: networks("10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32")}
	for source, want := range map[string]bool{
		"10.1.255.255": true, "10.2.0.0": false, "192.0.2.7": true, "192.0.2.8": false,
		"::ffff:10.1.2.3": true, "::ffff:10.2.2.3": false, "2001:db8:1::1": true, "2001:db8:1::1%eth0": true,
		"2001:db9::1": false, "::1": false, "": false, "pipe": false,
	} {
		if o.allows(source) != want {
			t.Errorf("%q: %v", source, !want)
		}
	}
	for _, source := range []string{"10.1.2.3", "::1", "", "pipe"} {
		if !(Options{}).allows(source) {
			t.Errorf("without a list: %q is refused", source)
		}
	}
}

func TestOpen(t *testing.T) {
	b := &fakeBoard{}
	start(t, b, Options{})
	start(t, b, Options{Allow: networks("127.0.0.0/8")})
	start(t, b, Options{Token: policy.NewSecret("hush")})
	for i, want := range []bool{true, false, false} {
		if b.status[i].Open != want {
			t.Errorf("%d: open %v", i, !want)
		}
	}
}

// TestAddressNotAllowed asks for everything there is, from an address that may
// not: it is told so, and nothing that it sends is looked at.
func TestAddressNotAllowed(t *testing.T) {
	b, log := &fakeBoard{}, &logged{}
	s := start(t, b, Options{Allow: networks("127.0.0.1/32"), Log: log.logger(), Token: policy.NewSecret("hush")})
	const reason = "the address 127.0.0.2 may not send here"
	requests := []string{
		posting(`<records session="s"/>`), strings.Replace(posting(`<records session="s"/>`), "/cdr", "/cdr?token=hush", 1),
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
		"rubbish\r\n\r\n", "P", "POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n<records",
	}
	for _, request := range requests {
		w := from(t, s, "127.0.0.2")
		w.send(request)
		status, body, header := w.answer()
		if status != 403 || !strings.Contains(body, reason) || header.Get("Server") != "" || !w.ended() {
			t.Errorf("%.20q: %d %q %v", request, status, body, header)
		}
		w.Close()
	}
	until(t, "all are counted", func() bool { return s.Stats().Refused == uint64(len(requests)) })
	if got := s.Stats().Refusals; len(got) != 1 || got[0] != (Refusal{"address not allowed", "127.0.0.2", uint64(len(requests))}) {
		t.Errorf("counted %v", got)
	}
	if lines := log.lines("request refused"); len(lines) != 1 || !strings.Contains(lines[0], "source=127.0.0.2") || !strings.Contains(lines[0], `cause="address not allowed"`) {
		t.Errorf("logged %q", lines)
	}
	if n := b.applied(); n != 0 {
		t.Errorf("%d applied", n)
	}
	w := dial(t, s)
	w.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("from an address that may: %d", status)
	}
}

// TestStrangers hoards connections from an address that is not allowed: whoever
// is allowed does not notice.
func TestStrangers(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{Allow: networks("127.0.0.1/32"), MaxConns: 2})
	w := dial(t, s)
	for range 3 * maxStrangers {
		from(t, s, "127.0.0.2")
	}
	until(t, "the last are not even answered", func() bool { return s.Stats().Refused > 2*maxStrangers-20 })
	if got := s.strangers.count(); got > maxStrangers {
		t.Errorf("%d strangers", got)
	}
	w.send(posting(`<records session="s"/>`)) // it has not made room
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("got %d", status)
	}
	stop(t, s)
	if got := s.Stats().Connections; got != 0 {
		t.Errorf("%d connections are left", got)
	}
}

func TestToken(t *testing.T) {
	const hush = "0123456789abcdef-_.~"
	b, log := &fakeBoard{}, &logged{}
	s := start(t, b, Options{Token: policy.NewSecret(hush), Log: log.logger(), Unready: func() []string { return nil }})
	for _, tt := range []struct {
		target string
		status int
		says   string
	}{
		{"POST /cdr?token=" + hush, 200, ""},
		{"POST /cdr?a=b&token=" + hush, 200, ""},
		{"POST /cdr?token=%30123456789abcdef-_.~", 200, ""},
		{"POST http://x/cdr?token=" + hush, 200, ""},
		{"POST /cdr", 401, "the token is missing"},
		{"POST /cdr?token", 401, "the token is missing"},
		{"POST /cdr?token=", 401, "the token is missing"},
		{"POST /cdr?Token=" + hush, 401, "the token is missing"},
		{"POST /cdr?token=" + hush + "x", 401, "the token is wrong"},
		{"POST /cdr?token=" + hush[1:], 401, "the token is wrong"},
		{"POST /cdr?token=guess&token=" + hush, 401, "the token is wrong"},
		{"POST /other?token=" + hush, 404, "records go to /cdr"},
		{"GET /healthz", 200, "ok"},
		{"GET /readyz", 200, "ready"},
	} {
		w := dial(t, s)
		body := ""
		if strings.HasPrefix(tt.target, "POST") {
			body = `<records session="s"/>`
		}
		for range 2 { // it is answered as often as it is asked, on one connection
			w.send(fmt.Sprintf("%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", tt.target, len(body), body))
			status, text, _ := w.answer()
			if status != tt.status || !strings.Contains(text, tt.says) || strings.Contains(text, hush[1:]) || strings.Contains(text, "guess") {
				t.Errorf("%s: %d %q", tt.target, status, text)
			}
		}
		w.Close()
	}
	if got := b.applied(); got != 8 {
		t.Errorf("%d applied", got)
	}
	if got := s.Stats().ByCause(); got["no token"] != 8 || got["wrong token"] != 6 || got["wrong path"] != 2 {
		t.Errorf("counted %v", got)
	}
	if b.setAside() != 0 {
		t.Error("what came without the token was acknowledged")
	}
	stop(t, s)
	all := strings.Join(log.lines(""), "\n") + fmt.Sprintf("%+v %+v", b.status, s.Stats())
	if strings.Contains(all, hush[1:]) || strings.Contains(all, "guess") {
		t.Errorf("a token is told:\n%s", all)
	}
}

// TestTokenOfLargeBody refuses a body that is larger than is read for nothing.
func TestTokenOfLargeBody(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{Token: policy.NewSecret("hush")})
	w := dial(t, s)
	w.send("POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + strings.Repeat("x", 20_000))
	if status, _, _ := w.answer(); status != 401 || !w.ended() {
		t.Errorf("got %d", status)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	r := refusals{}
	for i := range 10 * maxSources {
		r.add(fmt.Sprint("2001:db8::", i), causeToken)
	}
	r.add("192.0.2.1", causePath)
	sums := Stats{Refusals: r.list()}.ByCause()
	if len(r) > maxSources+2 || sums["wrong token"] != 10*maxSources || sums["wrong path"] != 1 {
		t.Errorf("%d kept, %v", len(r), sums)
	}
}

func BenchmarkToken(b *testing.B) {
	tk := newTokenHash("0123456789abcdef0123456789abcdef")
	var args fasthttp.Args
	args.Parse("token=0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		if why, _ := tk.refuses(&args); why != "" {
			b.Fatal(why)
		}
	}
}
