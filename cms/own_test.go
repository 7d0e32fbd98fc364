package cms

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"callmark/policy"
)

// machine is an Own on a machine of the test's own.
func machine(o Own) Own {
	o.LookupIP = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		ips, ok := map[string][]string{
			"callmark.example": {"10.1.2.3"}, "localhost": {"127.0.0.1", "::1"},
			"other.example": {"10.9.9.9"}, "six.example": {"2001:db8::1"},
		}[host]
		if !ok {
			return nil, errors.New("no such host")
		}
		var all []netip.Addr
		for _, ip := range ips {
			all = append(all, netip.MustParseAddr(ip))
		}
		return all, nil
	}
	o.Addresses = func() ([]net.Addr, error) {
		return []net.Addr{
			&net.IPNet{IP: net.IPv4(10, 1, 2, 3), Mask: net.CIDRMask(24, 32)},
			&net.IPNet{IP: net.ParseIP("2001:db8::1"), Mask: net.CIDRMask(64, 128)},
		}, nil
	}
	return o
}

func TestOwn(t *testing.T) {
	const (
		path, port = "same host, other path", "same host, other port"
		bare       = "same host and path, without the token"
		wrong      = "same host and path, with another token"
		plain      = "same host, http in the place of https"
		dns        = "same port and path, but the host's name cannot be resolved here"
	)
	everywhere := machine(Own{Listen: ":5000", Path: "/cdr"})
	one := machine(Own{Listen: "10.1.2.3:5000", Path: "/cdr"})
	loopback := machine(Own{Listen: "localhost:5000", Path: "/cdr"})
	eighty := machine(Own{Listen: "0.0.0.0:80", Path: "/"})
	given := machine(Own{URI: "https://Proxy.example./cdr", Listen: ":5000", Path: "/cdr"})
	token := machine(Own{URI: "http://proxy.example:8080/cdr?token=hush", Listen: ":5000", Path: "/cdr"})
	hush := policy.NewSecret("hush")
	secure := machine(Own{Listen: ":5000", Path: "/cdr", TLS: true})
	guarded := machine(Own{Listen: ":5000", Path: "/cdr", TLS: true, Token: hush})
	behind := machine(Own{URI: "http://proxy.example/cdr", Listen: ":5000", Path: "/cdr", TLS: true, Token: hush})
	query := machine(Own{URI: "http://proxy.example/cdr?a=1", Listen: ":5000", Path: "/cdr", Token: hush})
	for _, tt := range []struct {
		own  Own
		uri  string
		ours bool
		near string
	}{
		{everywhere, "http://callmark.example:5000/cdr", true, ""},
		{everywhere, "HTTP://CallMark.Example.:5000/cdr", true, ""},
		{everywhere, "http://10.1.2.3:5000/cdr", true, ""},
		{everywhere, "http://127.0.0.1:5000/cdr", true, ""},
		{everywhere, "http://127.9.9.9:5000/cdr", true, ""},
		{everywhere, "http://localhost:5000/cdr", true, ""},
		{everywhere, "http://[::1]:5000/cdr", true, ""},
		{everywhere, "http://[2001:DB8::1]:5000/cdr", true, ""},
		{everywhere, "http://[::ffff:10.1.2.3]:5000/cdr", true, ""},
		{everywhere, "http://six.example:5000/cdr", true, ""},
		{everywhere, "http://callmark.example:5000/cdr?token=any", true, ""},
		{everywhere, "http://callmark.example:5000/%63dr", true, ""},
		{everywhere, "http://other.example:5000/cdr", false, ""},
		{everywhere, "http://10.9.9.9:5000/cdr", false, ""},
		{everywhere, "http://callmark.example:5000/CDR", false, path},
		{everywhere, "http://callmark.example:5000/cdr/", false, path},
		{everywhere, "http://callmark.example:5000", false, path},
		{everywhere, "http://callmark.example/cdr", false, port},
		{everywhere, "http://callmark.example:500/cdr", false, port},
		{everywhere, "https://callmark.example:5000/cdr", false, "same host, https in the place of http"},
		{everywhere, "http://callmark.example:8080/other", false, ""},
		{everywhere, "http://nowhere.example:5000/cdr", false, dns},
		{everywhere, "http://nowhere.example:5001/cdr", false, ""},
		{everywhere, "ftp://callmark.example:5000/cdr", false, ""},
		{everywhere, "http://callmark.example:0/cdr", false, ""},
		{everywhere, "", false, ""},
		{everywhere, "http://", false, ""},
		{everywhere, "http://a b/", false, ""},
		{one, "http://callmark.example:5000/cdr", true, ""},
		{one, "http://127.0.0.1:5000/cdr", false, "this machine, but our receiver listens only at 10.1.2.3"},
		{one, "http://10.9.9.9:5000/cdr", false, ""},
		{loopback, "http://127.0.0.1:5000/cdr", true, ""},
		{loopback, "http://10.1.2.3:5000/cdr", false, "this machine, but our receiver listens only at localhost"},
		{eighty, "http://callmark.example", true, ""},
		{eighty, "http://callmark.example:80/", true, ""},
		{eighty, "https://callmark.example/", false, ""},
		{given, "https://proxy.example:443/cdr", true, ""},
		{given, "https://PROXY.example/cdr?token=any", true, ""},
		{given, "http://callmark.example:5000/cdr", false, ""},
		{given, "https://proxy.example/", false, path},
		{given, "https://proxy.example:8443/cdr", false, port},
		{token, "http://proxy.example:8080/cdr?token=hush", true, ""},
		{token, "http://proxy.example:8080/cdr", false, bare},
		{token, "http://proxy.example:8080/cdr?x=1", false, bare},
		{token, "http://proxy.example:8080/cdr?token=x", false, "same host and path, other query"},
		{secure, "https://callmark.example:5000/cdr", true, ""},
		{secure, "http://callmark.example:5000/cdr", false, plain},
		{secure, "https://callmark.example/cdr", false, port},
		{guarded, "https://callmark.example:5000/cdr?token=hush", true, ""},
		{guarded, "https://callmark.example:5000/cdr?a=1&token=%68ush", true, ""},
		{guarded, "https://callmark.example:5000/cdr", false, bare},
		{guarded, "https://callmark.example:5000/cdr?token=", false, bare},
		{guarded, "https://callmark.example:5000/cdr?token=hus", false, wrong},
		{guarded, "https://callmark.example:5000/cdr?token=[redacted]", false, wrong},
		{guarded, "http://callmark.example:5000/cdr?token=hush", false, plain},
		{guarded, "http://callmark.example:5000/cdr", false, plain + ", and " + bare}, // as it was before both
		{guarded, "http://callmark.example:5000/", false, ""},
		{guarded, "http://nowhere.example:5000/cdr", false, ""},
		{behind, "http://proxy.example/cdr?token=hush", true, ""},
		{behind, "http://proxy.example/cdr", false, bare},
		{query, "http://proxy.example/cdr?token=hush&a=1", true, ""},
		{query, "http://proxy.example/cdr?token=hush", false, "same host and path, other query"},
		{Own{}, "http://127.0.0.1:5000/cdr", false, ""},
	} {
		if ours, near := tt.own.Matches(t.Context(), tt.uri), tt.own.Near(t.Context(), tt.uri); ours != tt.ours || near != tt.near {
			t.Errorf("%+v, %q: %v, %q; want %v, %q", tt.own.Listen+tt.own.URI, tt.uri, ours, near, tt.ours, tt.near)
		}
	}
}

// Without a resolver and addresses of its own it asks the machine's.
func TestOwnByDefault(t *testing.T) {
	o := Own{Listen: ":5000", Path: "/cdr"}
	if !o.Matches(t.Context(), "http://127.0.0.1:5000/cdr") || o.Matches(t.Context(), "http://192.0.2.1:5000/cdr") {
		t.Error("wrong")
	}
	for _, ip := range o.addresses() {
		if uri := "http://" + net.JoinHostPort(ip.String(), "5000") + "/cdr"; !o.Matches(t.Context(), uri) {
			t.Error(uri)
		}
	}
}

func TestSuggestAndDoubt(t *testing.T) {
	hush := policy.NewSecret("hush")
	for _, tt := range []struct {
		own           Own
		suggest       string
		uri, doubtful string // part; empty: none
	}{
		{Own{Listen: ":5000", Path: "/cdr"}, "http://THIS-HOST:5000/cdr", "http://callmark.example:5000/cdr", ""},
		{Own{Listen: "0.0.0.0:80", Path: "/cdr"}, "http://THIS-HOST/cdr", "http://callmark.example/x", "(same host, other path)"},
		{Own{Listen: "[2001:db8::1]:5000", Path: "/cdr"}, "http://[2001:db8::1]:5000/cdr", "http://six.example:5000/cdr", ""},
		{Own{Listen: "127.0.0.1:5000", Path: "/cdr"}, "http://THIS-HOST:5000/cdr", "http://127.0.0.1:5000/cdr", "127.0.0.1 is the server itself"},
		{Own{Listen: ":5000", Path: "/cdr"}, "http://THIS-HOST:5000/cdr", "http://other.example:5000/cdr", "set receiver.uri"},
		{Own{Listen: ":443", Path: "/cdr", TLS: true, Token: hush}, "https://THIS-HOST/cdr?token=[redacted]", "https://callmark.example/cdr", "(same host and path, without the token)"},
		{Own{Listen: "[2001:db8::1]:80", Path: "/cdr"}, "http://[2001:db8::1]/cdr", "http://six.example/cdr", ""},
		{Own{URI: "http://proxy.example/x", Listen: ":5000", Path: "/cdr", Token: hush}, "http://proxy.example/x?token=[redacted]", "http://proxy.example/x?token=hush", ""},
		{Own{URI: "http://proxy.example/x?a=1", Listen: ":5000", Path: "/cdr", Token: hush}, "http://proxy.example/x?a=[redacted]&token=[redacted]", "http://proxy.example/x?token=hush&a=1", ""},
		{Own{Listen: ":5000", Path: "/cdr", Token: hush}, "http://THIS-HOST:5000/cdr?token=[redacted]", "http://127.0.0.1:5000/cdr?token=hush", "register http://THIS-HOST:5000/cdr?token=[redacted], with the secret itself"},
		{Own{URI: "http://proxy.example/x?token=hush", Listen: ":5000", Path: "/cdr"}, "http://proxy.example/x?token=[redacted]", "http://callmark.example:5000/cdr", "it is not the one that receiver.uri names"},
	} {
		o := machine(tt.own)
		if got := o.Suggest(); got != tt.suggest {
			t.Errorf("%+v suggests %s", tt.own, got)
		}
		if got := o.Doubt(t.Context(), tt.uri); !strings.Contains(got, tt.doubtful) || (got == "") != (tt.doubtful == "") || strings.Contains(got, "hush") {
			t.Errorf("%s: %q, want %q", tt.uri, got, tt.doubtful)
		}
	}
}

func TestCheckURI(t *testing.T) {
	for uri, want := range map[string]string{
		"http://callmark.example.com:5000/cdr": "", "https://h": "", "HTTP://[2001:db8::1]/cdr?token=x": "",
		"":                              "no http://",
		"callmark:5000/cdr":             "no http://",
		"10.1.2.3:5000/cdr":             "no http://",
		"ftp://h/":                      "no http://",
		"http:///cdr":                   "no host",
		"http://:5000/cdr":              "no host",
		"http://ann:hush@h/":            "a user",
		"http://h/#hush":                "a fragment",
		"http://h:70000/":               "no port",
		"http://h:0/":                   "no port",
		"http://h:port/":                "no http://",
		"http://h/a b":                  "blanks",
		"http://h/\x1b[2J":              "blanks",
		"http://müller.example/":        "blanks",
		"http://h/cdr?token=[redacted]": "write the value itself",
	} {
		err := CheckURI(uri)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if (want == "") != (err == nil) || !strings.Contains(text, want) || strings.Contains(text, "hush") || err != nil && !strings.Contains(text, "write") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestShowURI(t *testing.T) {
	for uri, want := range map[string]string{
		"http://h:5000/cdr":                    "http://h:5000/cdr",
		"http://h/cdr?token=hush":              "http://h/cdr?token=[redacted]",
		"http://h/cdr?a=hush&b=&c&&d=h=u":      "http://h/cdr?a=[redacted]&b=[redacted]&[redacted]&&d=[redacted]",
		"http://h/cdr?":                        "http://h/cdr?",
		"http://ann:hush@h:1/a@b/c?x=1":        "http://[redacted]@h:1/a@b/c?x=[redacted]",
		"http://ann@h":                         "http://[redacted]@h",
		"://%zz?token=hush":                    "://%zz?token=[redacted]",
		"http://h/\x1b[2J\u202e":               "http://h/ [2J",
		"http://h/" + strings.Repeat("a", 500): "http://h/" + strings.Repeat("a", 190) + "…",
	} {
		if got := ShowURI(uri); got != want {
			t.Errorf("%q shows as %q", uri, got)
		}
	}
}

func TestSameURI(t *testing.T) {
	for _, tt := range []struct {
		named, has string
		same       bool
	}{
		{"http://h/cdr", "HTTP://H.:80/cdr", true},
		{"http://h/cdr", "http://h/cdr?token=hush", true},
		{"http://h/cdr?token=[redacted]", "http://h/cdr?token=hush", true},
		{"http://h/cdr?token=hush", "http://h/cdr?token=hush", true},
		{"http://h/cdr?token=x", "http://h/cdr?token=hush", false},
		{"http://h/cdr?token=x", "http://h/cdr", false},
		{"http://h/cdr", "https://h/cdr", false},
		{"http://h/cdr", "http://h/cdr2", false},
		{"http://h/cdr", "http://h:8080/cdr", false},
		{"nonsense", "nonsense", false},
	} {
		if got := SameURI(tt.named, tt.has); got != tt.same {
			t.Errorf("%s, %s: %v", tt.named, tt.has, got)
		}
	}
}

func TestReach(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/healthz" || r.URL.RawQuery != "" {
			w.WriteHeader(404)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	elsewhere := httptest.NewServer(http.RedirectHandler(plain.URL+"/healthz", http.StatusFound))
	forbids := func(text string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, http.StatusForbidden) }))
	}
	foreign, guarded := forbids("go away"), forbids("the address 192.0.2.1 may not send here: ...")
	gone := httptest.NewServer(handler)
	gone.Close()
	for _, s := range []*httptest.Server{plain, secure, elsewhere, foreign, guarded} {
		t.Cleanup(s.Close)
	}
	for uri, want := range map[string]string{
		plain.URL + "/cdr?token=hush":            "",
		secure.URL + "/cdr":                      "",
		elsewhere.URL + "/cdr":                   "what answers there is no callmark: 302",
		gone.URL + "/cdr":                        "the connection was refused",
		foreign.URL + "/cdr":                     "what answers there is no callmark: 403",
		guarded.URL + "/cdr":                     "it does not allow this host",
		"nonsense":                               "no http://",
		strings.Replace(plain.URL, ":", "s:", 1): "it speaks plain HTTP on this port",
	} {
		err := Reach(t.Context(), uri)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", uri, err, want)
		}
		if IsGuarded(err) != strings.HasPrefix(uri, guarded.URL) {
			t.Errorf("%s: guarded %v", uri, IsGuarded(err))
		}
	}
}
