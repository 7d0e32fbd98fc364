package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
	"callmark/receiver"
)

// certified writes a certificate for the loopback, its own authority, and its
// key.
func certified(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour * 24 * 365), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// TestReceiversOfGuarded asks for our receiver as it is with everything that
// keeps others out: it is ours, and it is there, though it does not let this
// host in.
func TestReceiversOfGuarded(t *testing.T) {
	const hush = "hush-0123456789abcdef"
	cert, key := certified(t)
	for name, o := range map[string]receiver.Options{
		"reachable":                        {Token: policy.NewSecret(hush)},
		"reachable it does not allow":      {Token: policy.NewSecret(hush), Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		"reachable it asks for a client c": {Token: policy.NewSecret(hush), ClientCA: cert},
	} {
		t.Run(name, func(t *testing.T) {
			o.Listen, o.TLSCert, o.TLSKey = "127.0.0.1:0", cert, key
			r, err := receiver.New(policy.NewBoard(policy.Options{}), o)
			if err == nil {
				err = r.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Stop(context.Background())
			ours := "https://" + r.Addr() + "/cdr"
			cluster := running(t, simulator.Options{Bridges: 1, Receivers: []string{ours + "?token=" + hush, ours}})
			file := write(t, 0o600, fmt.Sprintf("[receiver]\nlisten = %q\ntls_cert = %q\ntls_key = %q\ntoken = %q\n[cms]\nusername = %q\npassword = %q\nservers = [%q]\n[policy]\ninternal_domains = [\"corp.example\"]\n",
				r.Addr(), cert, key, hush, cluster.Username(), cluster.Password(), cluster.URLs()[0]))
			list := func(want int, parts ...string) {
				t.Helper()
				code, stdout, stderr := command(t, "receivers", "--config", file)
				all := strings.Join(strings.Fields(stdout), " ") + "\n" + stderr
				for _, part := range parts {
					if !strings.Contains(all, part) {
						t.Errorf("it does not say %q:\n%s", part, all)
					}
				}
				if code != want || strings.Contains(all, "hush") {
					t.Errorf("code %d\n%s", code, all)
				}
			}
			list(0, ours+"?token=[redacted] ours "+name, ours+" nearly reachable same host and path, without the token")
			if err := cluster.SetReceivers(strings.Replace(ours, "https", "http", 1)); err != nil {
				t.Fatal(err)
			}
			list(1, "nearly ours: same host, http in the place of https, and same host and path, without the token",
				"callmark receivers add https://THIS-HOST:", "/cdr?token=[redacted], with the secret itself in the place of [redacted]")
		})
	}
}

// TestOpenIsSaid starts callmark with and without somebody who is kept out.
func TestOpenIsSaid(t *testing.T) {
	for _, doc := range []string{"", "allow = [\"127.0.0.1\"]", "token = \"0123456789abcdef\""} {
		t.Run(doc, func(t *testing.T) {
			file := write(t, 0o600, "[receiver]\n"+doc+"\n"+goodConfig)
			_, _, stderr := command(t, "check", "--config", file)
			if open := strings.Contains(stderr, "anybody who reaches the port can send records"); open != (doc == "") {
				t.Errorf("check says:\n%s", stderr)
			}
			c, problems := config.Load(file, func(string) string { return "" })
			cluster := running(t, simulator.Options{Bridges: 1})
			c.CMS.Username, c.CMS.Password, c.CMS.Servers = cluster.Username(), policy.NewSecret(cluster.Password()), cluster.URLs()
			c.Receiver.Listen = "127.0.0.1:0"
			c.Log.File, c.State.File = filepath.Join(t.TempDir(), "app.log"), ""
			said := &output{}
			err := run(t.Context(), commandLine{NoTUI: true, Warnings: problems.Warnings()}, c, func(a *app) {
				if open := a.board.Since(0).Receiver.Open; open != (doc == "") {
					t.Errorf("open: %v", open)
				}
				a.stop(nil)
			}, said)
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.ReadFile(c.Log.File)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{said.String(), string(log)} {
				if open := strings.Contains(text, "anybody who reaches the port can send records"); open != (doc == "") {
					t.Errorf("headless says:\n%s", text)
				}
			}
		})
	}
}

// TestRecordsOverHTTPS posts to the whole program as it is configured.
func TestRecordsOverHTTPS(t *testing.T) {
	cert, key := certified(t)
	p := launch(t, simulator.Options{Bridges: 1}, func(c *config.Config) {
		c.Receiver.TLSCert, c.Receiver.TLSKey, c.Receiver.Token = cert, key, policy.NewSecret("0123456789abcdef")
	})
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	for query, want := range map[string]int{"": 401, "?token=0123456789abcdeX": 401, "?token=0123456789abcdef": 200} {
		before := p.receiver.Stats().Documents
		res, err := (&http.Client{Transport: transport}).Post("https://"+p.receiver.Addr()+"/cdr"+query, "text/xml", strings.NewReader(`<records session="s"/>`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if taken := p.receiver.Stats().Documents - before; res.StatusCode != want || taken != 1 && want == 200 || taken != 0 && want != 200 {
			t.Errorf("%s: %d, %d taken", query, res.StatusCode, taken)
		}
	}
}
