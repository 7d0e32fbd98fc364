package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
)

// isOpen reports whether a problem is that of a receiver that is open to all.
func isOpen(p Problem) bool { return p.Warning && p.Key == "receiver" }

func TestOpen(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		open bool
	}{
		{"", true},
		{"receiver.senders = \"bound\"", true}, // whoever comes first is believed
		{"receiver.allow = [\"10.1.2.3\"]", false},
		{"receiver.token = \"0123456789abcdef\"", false},
		{"[receiver]\nclient_ca = \"ca\"\ntls_cert = \"c\"\ntls_key = \"k\"", false},
	} {
		_, problems := Parse("f", []byte(good+tc.doc), Outside{})
		open := false
		for _, p := range problems {
			open = open || isOpen(p) && strings.Contains(p.Text, "set allow, token, or client_ca")
		}
		if open != tc.open || problems.Err() != nil {
			t.Errorf("%q: open %v, want %v: %v", tc.doc, open, tc.open, problems)
		}
	}
}

func TestSenders(t *testing.T) {
	w := func(line int, key, text string) said { return said{line, key, "warning: " + text} }
	for _, tc := range []struct {
		doc  string
		want []said
	}{
		{`receiver.allow = ["10.0.0.0/8", "::1", "10.1.2.3/8", "corp.example", "fe80::1%eth0", "::ffff:10.0.0.0/104"]`, []said{
			{5, "receiver.allow[3]", `write "10.0.0.0/8" for the network`},
			{5, "receiver.allow[4]", "no address and no network"},
			{5, "receiver.allow[5]", "names an interface"},
			{5, "receiver.allow[6]", "IPv4 network in IPv6 form"},
		}},
		{`receiver.senders = "some"`, []said{{5, "receiver.senders", `write "any" or "bound"`}}},
		{`receiver.token = "a b"`, []said{{5, "receiver.token", "a URI cannot carry"}}},
		{`receiver.token = "short"`, []said{w(5, "receiver.token", "can be guessed")}},
		{`receiver.token = "` + strings.Repeat("x", 257) + `"`, []said{{5, "receiver.token", "256 characters"}}},
		{`receiver.tls_cert = "c"`, []said{{5, "receiver.tls_key", "without its key"}}},
		{`receiver.tls_key = "k"`, []said{{5, "receiver.tls_cert", "without its certificate"}}},
		{`receiver.client_ca = "a"`, []said{{5, "receiver.client_ca", "only over HTTPS"}}},
		{`metrics.listen = "x"`, []said{{5, "metrics.listen", "no address with a port"}}},
		{`metrics.listen = ":5000"`, []said{{5, "metrics.listen", "where records come"}}},
		{`cms.pins = ["sha256/abc", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]`, []said{
			{5, "cms.pins[1]", "no pin"}, {5, "cms.pins[2]", "no pin"}}},
		{"[receiver]\nmax_depth = 1\nmax_records = 1\nmax_value = 1\nmax_header_kb = 1\nmax_connections = 1\n" +
			"max_connections_per_source = 0\nmax_requests_per_source = 0\nread_timeout = \"0s\"\nidle_timeout = \"0s\"", []said{
			{6, "receiver.max_depth", "from 8"}, {7, "receiver.max_records", "from 100"}, {8, "receiver.max_value", "from 1024"},
			{9, "receiver.max_header_kb", "from 2"}, {10, "receiver.max_connections", "from 8"},
			{11, "receiver.max_connections_per_source", "from 4"}, {12, "receiver.max_requests_per_source", "from 100"},
			{13, "receiver.read_timeout", "out of range"}, {14, "receiver.idle_timeout", "out of range"},
		}},
	} {
		_, problems := Parse("f", []byte(good+tc.doc), Outside{})
		expect(t, problems, tc.want)
	}
}

// TestSecretsFromOutside: the environment wins over systemd's credentials, and
// these over the document.
func TestSecretsFromOutside(t *testing.T) {
	env := map[string]string{"CREDENTIALS_DIRECTORY": "creds"}
	files := map[string]string{}
	out := Outside{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if s, ok := files[name]; ok {
				return []byte(s), nil
			}
			return nil, fs.ErrNotExist
		},
	}
	both := func(password, token string, want ...said) {
		t.Helper()
		c, problems := Parse("f", []byte(good+`receiver.token = "written-0123456789"`), out)
		expect(t, problems, want)
		if c.CMS.Password.Reveal() != password || c.Receiver.Token.Reveal() != token {
			t.Errorf("password %q, token %q", c.CMS.Password.Reveal(), c.Receiver.Token.Reveal())
		}
	}
	both("p", "written-0123456789")
	files[filepath.Join("creds", "cms_password")] = "from systemd\n"
	files[filepath.Join("creds", "receiver_token")] = "systemd-0123456789\n"
	both("from systemd", "systemd-0123456789",
		said{3, "cms.password", "warning: it is not used: systemd's credential cms_password wins"},
		said{5, "receiver.token", "warning: it is not used: systemd's credential receiver_token wins"})
	env[PasswordVariable], env[TokenVariable] = "from env", "env-0123456789abcdef"
	both("from env", "env-0123456789abcdef",
		said{3, "cms.password", "warning: it is not used: the environment variable CALLMARK_CMS_PASSWORD wins"},
		said{5, "receiver.token", "warning: it is not used: the environment variable CALLMARK_RECEIVER_TOKEN wins"})
}

// TestCredentialWithNothing: a credential that is passed and is of no use does
// not count as none, or callmark would run without a token.
func TestCredentialWithNothing(t *testing.T) {
	for _, tc := range []struct {
		text string
		err  error
		want string
	}{
		{"", nil, "is empty"},
		{"\r\n", nil, "is empty"},
		{"\ufeff", nil, "is empty"},
		{"", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, "cannot be read: permission denied"},
	} {
		out := Outside{
			Getenv: func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": "creds"}[name] },
			ReadFile: func(name string) ([]byte, error) {
				return []byte(tc.text), tc.err
			},
		}
		_, problems := Parse("f", []byte(good+`receiver.allow = ["10.1.2.3"]`), out)
		expect(t, problems, []said{
			{3, "cms.password", "systemd's credential cms_password " + tc.want},
			{5, "receiver.token", "systemd's credential receiver_token " + tc.want},
		})
	}
}

// TestTokenInURI: a token is one too where it stands in the URI.
func TestTokenInURI(t *testing.T) {
	doc := `receiver.allow = ["10.1.2.3"]` + "\nreceiver.uri = \"http://a.test:5000/cdr?token=0123456789abcdef\""
	doc = strings.Replace(good, `password = "p"`, `password_file = "pw"`, 1) + doc
	_, problems := Parse("config.toml", []byte(doc), outside("", map[string]string{"pw": "p"}, map[string]fs.FileMode{"config.toml": 0o644}))
	expect(t, problems, []said{{6, "receiver.uri", "warning: this file, which holds a token, can be read"}})
}

// TestCertificate looks at the files of the receiver's HTTPS.
func TestCertificate(t *testing.T) {
	cert, key := pair(t)
	_, other := pair(t)
	const doc = "[receiver]\ntls_cert = \"c\"\ntls_key = \"k\"\nclient_ca = \"a\""
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []said
	}{
		{"good", map[string]string{"c": cert, "k": key, "a": cert}, nil},
		{"nothing there", nil, []said{{6, "receiver.tls_cert", "cannot be read"}, {8, "receiver.client_ca", "cannot be read"}}},
		{"no key", map[string]string{"c": cert, "a": cert}, []said{{7, "receiver.tls_key", "cannot be read"}}},
		{"another's key", map[string]string{"c": cert, "k": other, "a": cert}, []said{{6, "receiver.tls_cert", "its own key"}}},
		{"no certificates", map[string]string{"c": "c", "k": "k", "a": "a"}, []said{
			{6, "receiver.tls_cert", "PEM"}, {8, "receiver.client_ca", "PEM"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Parse("f", []byte(good+doc), outside("", tc.files, nil))
			var rest Problems
			for _, p := range problems {
				if strings.HasPrefix(p.Key, "receiver") {
					rest = append(rest, p)
				}
			}
			expect(t, rest, tc.want)
		})
	}
}

// pair is a certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func TestNetworks(t *testing.T) {
	r := Receiver{Allow: []string{"10.1.2.0/24", "10.1.3.4", "2001:db8::1", "::ffff:10.1.3.5"}}
	if got := fmt.Sprint(r.Networks()); got != "[10.1.2.0/24 10.1.3.4/32 2001:db8::1/128 10.1.3.5/32]" {
		t.Error(got)
	}
	if got := (Receiver{}).Networks(); len(got) != 0 {
		t.Error(got)
	}
}
