package cms

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"callmark/policy"
)

func TestPins(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, `<calls total="0"/>`)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	right := "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
	const wrong = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	for _, tt := range []struct {
		name     string
		pins     []string
		ca       string
		skip     bool
		says     string // empty: it is asked
		insecure bool
	}{
		{"verified and pinned", []string{right}, ca, false, "", false},
		{"one of several", []string{wrong, right}, ca, false, "", false},
		{"verified, not pinned", []string{wrong}, ca, false, "it has " + right, false},
		{"pinned, not verified", []string{right}, "", false, "authority that is not known", false}, // a pin is no substitute unasked
		{"by the pin alone", []string{right}, "", true, "", false},
		{"by the pin alone, another key", []string{wrong}, "", true, "it has " + right, false},
		{"by nothing", nil, "", true, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := requests.Load()
			c := clientOf(t, s.URL, func(o *Options) { o.Pins, o.CAFile, o.InsecureSkipVerify = tt.pins, tt.ca, tt.skip })
			_, err := c.Calls(t.Context(), nil)
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
			if problem, remedy := c.Insecure(); (problem != "") != tt.insecure || (remedy != "") != tt.insecure {
				t.Errorf("insecure: %q: %q", problem, remedy)
			}
			if err == nil {
				return
			}
			if IsUncertain(err) || requests.Load() != before {
				t.Errorf("the password was sent: %v", err)
			}
			if g := c.gate.status(); g.state != policy.ServerDown || !strings.Contains(g.problem, tt.says) || g.remedy == "" {
				t.Errorf("state %s: %s: %s", g.state, g.problem, g.remedy)
			}
			if strings.Contains(tt.says, "it has") && !strings.Contains(Remedy(err), "pins") {
				t.Errorf("remedy %q", Remedy(err))
			}
		})
	}
}

func TestPinsAreChecked(t *testing.T) {
	for _, pin := range []string{"", "sha256/", "sha256/abc", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256/" + strings.Repeat("A", 1000)} {
		o := Options{Servers: []string{"x"}, Username: "api", Password: policy.NewSecret("x"), Pins: []string{pin}}
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "cms.pins") || len(err.Error()) > 400 {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

// Plain HTTP is insecure whatever is pinned: nothing shows a key there.
func TestPlainHTTPIsInsecure(t *testing.T) {
	c := clientOf(t, "http://cms1.test", func(o *Options) { o.Pins = []string{"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="} })
	if problem, remedy := c.Insecure(); !strings.Contains(problem, "unprotected") || !strings.Contains(remedy, "https://") {
		t.Errorf("%q: %q", problem, remedy)
	}
}
