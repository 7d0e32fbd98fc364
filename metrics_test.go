package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// get asks a path, on a connection of its own.
func get(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// told sums the samples whose lines match up.
func told(text, pattern string) (sum float64, lines int) {
	for _, m := range regexp.MustCompile(`(?m)^callmark_`+pattern+` (\S+)$`).FindAllStringSubmatch(text, -1) {
		if v, err := strconv.ParseFloat(m[len(m)-1], 64); err == nil {
			sum, lines = sum+v, lines+1
		}
	}
	return sum, lines
}

// What a join does is told: the records, the level, the marking with the time
// that it took, the requests of each server.
func TestToldOnTheReceiversPort(t *testing.T) {
	p := launch(t, simulator.Options{Bridges: 2}, nil)
	call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Cabinet briefing"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "level 2", func() bool { return shows(call, 2) })
	p.eventually(t, "it is told", func() bool {
		_, text := get(t, p.receiver.Addr(), "/metrics")
		for pattern, least := range map[string]float64{
			`records_total\{result="taken",type="callStart"\}`:          1,
			`records_total\{result="taken",type="callLegUpdate"\}`:      1,
			`receiver_documents_total`:                                  1,
			`meetings\{level="2"\}`:                                     1,
			`markings_total\{result="sent"\}`:                           1,
			`marking_latency_seconds_bucket\{le="300"\}`:                1,
			`server_up\{server="[^"]+"\}`:                               2,
			`api_requests_total\{code="2xx",kind="write",server=".*"\}`: 1,
			`api_latency_seconds_count\{kind="read",server=".*"\}`:      2,
			`bridge_legs\{server=".*"\}`:                                1,
		} {
			if got, _ := told(text, pattern); got < least {
				return false
			}
		}
		return true
	})
	status, text := get(t, p.receiver.Addr(), "/metrics")
	if _, lines := told(text, `api_requests_total\{.*\}`); status != 200 || lines != 2*2*9 {
		t.Errorf("%d with %d lines of requests", status, lines)
	}
	for _, secret := range []string{p.cluster.Password(), "Ann", "ministry", "Cabinet", call.Correlator()} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// With a port of their own, the receiver's has /healthz alone of the three, and
// both end with the program.
func TestToldOnAPortOfItsOwn(t *testing.T) {
	p := launch(t, simulator.Options{Bridges: 1}, func(c *config.Config) { c.Metrics.Listen = "127.0.0.1:0" })
	own, receiver := p.told.Addr(), p.receiver.Addr()
	p.eventually(t, "ready", func() bool { status, _ := get(t, own, "/readyz"); return status == 200 })
	for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
		if status, _ := get(t, own, path); status != 200 {
			t.Errorf("%s: %d on its own port", path, status)
		}
		want := 404
		if path == "/healthz" {
			want = 200
		}
		if status, _ := get(t, receiver, path); status != want {
			t.Errorf("%s: %d on the receiver's port, want %d", path, status, want)
		}
	}
	if status, _ := get(t, own, "/cdr"); status != 404 {
		t.Errorf("records: %d", status)
	}
	p.end(t)
	if c, err := net.Dial("tcp", own); err == nil {
		c.Close()
		t.Error("the port is still open after the end")
	}
}

// A port that is taken ends the start, in order, with the key to set.
func TestMetricsPortTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cluster := running(t, simulator.Options{Bridges: 1})
	c := config.Default()
	c.Receiver.Listen, c.Receiver.RefusedDir = "127.0.0.1:0", ""
	c.Log.File, c.State.File = filepath.Join(t.TempDir(), "app.log"), ""
	c.CMS.Username, c.CMS.Password, c.CMS.Servers = cluster.Username(), policy.NewSecret(cluster.Password()), cluster.URLs()
	c.Metrics.Listen = ln.Addr().String()
	err = run(context.Background(), commandLine{NoTUI: true}, c, func(*app) { t.Error("it is ready") }, &output{})
	if err == nil || !strings.Contains(err.Error(), "metrics.listen") {
		t.Errorf("error %v", err)
	}
}

// From the first moment on, before any server has answered, callmark says that
// it is not ready.
func TestNotReadyBeforeTheFirstAnswer(t *testing.T) {
	cluster := running(t, simulator.Options{Bridges: 2})
	for i := range 2 {
		cluster.Bridge(i).SetFaults(simulator.Faults{Hang: true})
	}
	p := against(t, cluster, nil)
	status, reasons := p.ready(t)
	if lines := strings.Split(strings.TrimSpace(reasons), "\n"); status != 503 || len(lines) < 2 || strings.Count(reasons, "has not answered yet") != 2 {
		t.Errorf("%d %q", status, reasons)
	}
	for i := range 2 {
		cluster.Bridge(i).SetFaults(simulator.Faults{})
	}
}
