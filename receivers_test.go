package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
)

// deployment is a simulated cluster, a receiver that answers as ours does, and
// the configuration of both.
type deployment struct {
	*simulator.Cluster
	uri    string // of the receiver
	config string // the file
}

func deploy(t *testing.T, o simulator.Options, receiver string) deployment {
	t.Helper()
	cluster, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	if err := cluster.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ours := healthy(t)
	var servers []string
	for _, u := range cluster.URLs() {
		servers = append(servers, strconv.Quote(u))
	}
	return deployment{cluster, ours + "/cdr", write(t, 0o600, fmt.Sprintf(`[receiver]
listen = %q
%s
[cms]
username = %q
password = %q
servers = [%s]
[policy]
internal_domains = ["corp.example"]
`, strings.TrimPrefix(ours, "http://"), receiver, cluster.Username(), cluster.Password(), strings.Join(servers, ", ")))}
}

// healthy starts a server that answers /healthz, and 500 to all else.
func healthy(t *testing.T) (url string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// does runs callmark receivers and holds what it says to what is wanted: the
// words of every line of standard output (NAME stands for a server's), and parts
// of standard error. In these texts OURS is our receiver's URI.
func (d deployment) does(t *testing.T, line string, code int, stdout []string, stderr ...string) {
	t.Helper()
	words := strings.NewReplacer("OURS", d.uri, "CMS1", d.name(0), "CMS2", d.name(1))
	args := append([]string{"receivers"}, strings.Fields(words.Replace(line))...)
	got, out, problems := command(t, append(args, "--config", d.config)...)
	var lines []string
	for line := range strings.Lines(out) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	want := words.Replace(strings.Join(stdout, "\n"))
	if strings.Join(lines, "\n") != want || got != code {
		t.Errorf("receivers %s: code %d, want %d\n%s\nwant\n%s\nstandard error\n%s", line, got, code, out, want, problems)
	}
	for _, part := range stderr {
		if part = words.Replace(part); !strings.Contains(problems, part) {
			t.Errorf("receivers %s: standard error lacks %q:\n%s", line, part, problems)
		}
	}
	said := 0
	for line := range strings.Lines(problems) {
		if strings.HasPrefix(line, "callmark: ") {
			said++
		}
	}
	if said != len(stderr) {
		t.Errorf("receivers %s: %d problems, want %d:\n%s", line, said, len(stderr), problems)
	}
	if strings.Contains(out+problems, "hush") || strings.Contains(out+problems, d.Password()) {
		t.Errorf("receivers %s: a secret is told:\n%s%s", line, out, problems)
	}
}

func (d deployment) name(i int) string {
	if i >= len(d.Bridges()) {
		return "none"
	}
	return strings.TrimPrefix(d.Bridge(i).URL(), "http://")
}

func TestReceiversCommands(t *testing.T) {
	d := deploy(t, simulator.Options{Bridges: 2}, "")
	itself := "warning: for a Call Bridge 127.0.0.1 is the server itself"
	missing := ": our URI is not among its receivers: callmark receivers add http://THIS-HOST:"
	d.does(t, "", 1, []string{"CMS1 0 of 4 - - no receiver", "CMS2 0 of 4 - - no receiver"}, "CMS1"+missing, "CMS2"+missing)
	d.does(t, "add OURS", 0, []string{"CMS1 OURS added", "CMS2 OURS added"}, itself)
	d.does(t, "list", 0, []string{"CMS1 1 of 4 OURS ours reachable", "CMS2 1 of 4 OURS ours reachable"})
	d.does(t, "add OURS", 0, []string{"CMS1 OURS registered already", "CMS2 OURS registered already"}, itself)

	other := healthy(t)
	d.does(t, "add "+other+"/x?token=hush", 0, []string{"CMS1 " + other + "/x?token=[redacted] added", "CMS2 " + other + "/x?token=[redacted] added"}, "set receiver.uri")
	d.does(t, "", 0, []string{
		"CMS1 2 of 4 OURS ours reachable", "CMS1 2 of 4 " + other + "/x?token=[redacted] other reachable",
		"CMS2 2 of 4 OURS ours reachable", "CMS2 2 of 4 " + other + "/x?token=[redacted] other reachable"})
	d.does(t, "add "+other+"/x?token=[redacted]", 1, nil, "write the value itself")
	d.does(t, "remove "+other+"/x?token=[redacted]", 0, []string{"CMS1 " + other + "/x?token=[redacted] removed", "CMS2 " + other + "/x?token=[redacted] removed"})
	d.does(t, "remove "+other+"/x", 0, []string{"CMS1 " + other + "/x not registered", "CMS2 " + other + "/x not registered"})
	d.does(t, "remove OURS", 0, []string{"CMS1 OURS removed", "CMS2 OURS removed"})
	d.does(t, "", 1, []string{"CMS1 0 of 4 - - no receiver", "CMS2 0 of 4 - - no receiver"}, "CMS1"+missing, "CMS2"+missing)
}

// Nothing is changed on the word of a URI that means several, and a place that
// is not there is said.
func TestReceiversFullAndAlike(t *testing.T) {
	other := healthy(t)
	d := deploy(t, simulator.Options{Bridges: 1, Receivers: []string{other + "/a?token=hush1", other + "/a?token=hush2", other + "/b", other + "/c"}}, "")
	d.does(t, "add OURS", 1, []string{"CMS1 OURS not added"}, "warning", "CMS1: its 4 places for receivers are taken by "+
		other+"/a?token=[redacted], "+other+"/a?token=[redacted], "+other+"/b, "+other+"/c: remove one: callmark receivers remove URI, then callmark receivers add OURS")
	d.does(t, "remove "+other+"/a", 1, []string{"CMS1 " + other + "/a not removed"}, "2 receivers differ in their queries alone")
	d.does(t, "remove "+other+"/a?token=hush2", 0, []string{"CMS1 " + other + "/a?token=[redacted] removed"})
	d.does(t, "remove "+other+"/a", 0, []string{"CMS1 " + other + "/a removed"})
	if err := d.SetReceivers(d.uri + "x"); err != nil {
		t.Fatal(err)
	}
	d.does(t, "", 1, []string{"CMS1 1 of 4 OURSx nearly reachable same host, other path"},
		"CMS1: of its receivers only OURSx is nearly ours: same host, other path: if it was meant for callmark: callmark receivers remove OURSx, then callmark receivers add")
}

// A server that is away is named, and the others are handled.
func TestReceiversOfServersThatAreAway(t *testing.T) {
	d := deploy(t, simulator.Options{Bridges: 2}, "")
	away := "CMS1: the connection was refused: check that the Web Admin runs"
	d.Bridge(0).StopListening()
	d.does(t, "add OURS", 1, []string{"CMS1 OURS not added", "CMS2 OURS added"}, "warning", away)
	d.does(t, "", 1, []string{"CMS1 - - - not asked", "CMS2 1 of 4 OURS ours reachable"}, "list the receivers of records on "+away)
	d.does(t, "remove OURS", 1, []string{"CMS1 OURS not removed", "CMS2 OURS removed"}, away)
	if err := d.Bridge(0).ResumeListening(); err != nil {
		t.Fatal(err)
	}

	refused := "401 (Unauthorized): check username and password, and whether the account is locked"
	d.Bridge(0).SetFaults(simulator.Faults{Unauthorized: true})
	d.Bridge(0).ResetRequests()
	d.does(t, "add OURS", 1, []string{"CMS1 OURS not added", "CMS2 OURS added"}, "warning", refused)
	if n := d.Bridge(0).Requests().Total; n != 1 {
		t.Errorf("a refused account was tried %d times", n)
	}

	// An answer that is lost on the way: it is there, and is not added again.
	d.Bridge(0).SetFaults(simulator.Faults{Method: "POST", Cut: 1})
	d.Bridge(0).ResetRequests()
	d.does(t, "add OURS", 0, []string{"CMS1 OURS added", "CMS2 OURS registered already"}, "warning")
	if n := d.Bridge(0).Requests().Posts; n != 1 {
		t.Errorf("it was posted %d times", n)
	}
	d.does(t, "", 0, []string{"CMS1 1 of 4 OURS ours reachable", "CMS2 1 of 4 OURS ours reachable"})
}

// What the server says of its receivers shows beside what is seen from here.
func TestReceiversAlarm(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	d := deploy(t, simulator.Options{Bridges: 1}, "uri = \"http://127.0.0.1/x?token=hush\"")
	d.does(t, "add OURS", 0, []string{"CMS1 OURS added"}, "it is not the one that receiver.uri names: ours is http://127.0.0.1/x?token=[redacted]")
	d.does(t, "", 1, []string{"CMS1 1 of 4 OURS other reachable"}, "callmark receivers add http://127.0.0.1/x?token=[redacted]")

	now := time.Now()
	d = deploy(t, simulator.Options{Bridges: 1, Now: func() time.Time { return now }}, "")
	fails := func(uris ...string) {
		t.Helper()
		if err := d.SetReceivers(uris...); err != nil {
			t.Fatal(err)
		}
		d.Bridge(0).StartCall(simulator.CallSpec{})
		if err := d.Wait(t.Context(), func() bool { return d.Bridge(0).Deliveries().Failed > 0 }); err != nil {
			t.Fatal(err)
		}
	}
	fails(d.uri)
	d.does(t, "", 0, []string{"CMS1 1 of 4 OURS ours reachable alarm cdrConnectionFailure for 0s"}, "CMS1: it cannot reach our receiver (alarm cdrConnectionFailure): check firewall")
	fails(d.uri, gone.URL)
	d.does(t, "", 0, []string{
		"CMS1 2 of 4 OURS ours reachable alarm cdrConnectionFailure for 0s",
		"CMS1 2 of 4 " + gone.URL + " other unreachable the connection was refused; alarm cdrConnectionFailure for 0s",
	}, "CMS1: it cannot reach one of its receivers and does not tell which")
}

func TestReceiversCommandLine(t *testing.T) {
	good := write(t, 0o600, goodConfig)
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"receivers --config none.toml", 1, "none.toml"},
		{"receivers add", 2, "<uri>"},
		{"receivers frob", 2, "callmark --help"},
		{"receivers add callmark:5000 --config " + good, 1, "write it like http://callmark.example.com:5000/cdr"},
		{"receivers add http://ann:hush@h/ --config " + good, 1, "holds a user"},
		{"receivers --help", 0, "receivers remove"},
		{"--help", 0, "receivers add"},
	} {
		code, stdout, stderr := command(t, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stdout+stderr, tt.says) || strings.Contains(stdout+stderr, "hush") {
			t.Errorf("%s: code %d\n%s%s", tt.args, code, stdout, stderr)
		}
	}
}
