package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// alarmed returns the alarm whose key begins so, if there is one.
func (p *program) alarmed(key string) (policy.Alarm, bool) {
	for _, a := range p.board.Since(0).Alarms {
		if strings.HasPrefix(a.Key, key) {
			return a, true
		}
	}
	return policy.Alarm{}, false
}

// A server that was away while much happened does not meet a herd when it comes
// back: both budgets hold, and all becomes right.
func TestNoThunderingHerd(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 2})
	p := follow(t, cluster, func(c *config.Config) { c.CMS.ReadsPerSecond, c.CMS.WritesPerSecond = 100, 20 })
	p.records(t)
	away := cluster.Bridge(0)
	away.StartCall(simulator.CallSpec{Name: "First"}).Join(simulator.Guest("Guest"))
	p.agrees(t)
	away.StopListening()
	for i := range 60 {
		call := away.StartCall(simulator.CallSpec{Name: fmt.Sprint("Meeting ", i), KeepEmpty: true})
		for range 3 {
			call.Join(simulator.SIP("Ann", "ann@ministry.example"))
		}
	}
	p.eventually(t, "known to be down", func() bool { _, ok := p.alarmed("server/"); return ok })
	away.ResetRequests()
	if err := away.ResumeListening(); err != nil {
		t.Fatal(err)
	}
	p.notifier.Retry()
	p.agrees(t)
	// In the first second the burst comes on top: 10 reads and 4 writes.
	if r := away.Requests(); r.PeakGetRate > 110+2 || r.PeakPutRate > 24+1 {
		t.Errorf("at most %d reads and %d writes in a second, the budgets are 100 and 20", r.PeakGetRate, r.PeakPutRate)
	}
}

// Killed without a word in the middle of faults and started again, callmark has
// every screen right within five seconds of the last fault.
func TestKill(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 3, Seed: 11, ResendPause: 100 * time.Millisecond})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	var doc strings.Builder
	fmt.Fprintf(&doc, "receiver.listen = %q\ncms.username = %q\ncms.password = %q\n", address, cluster.Username(), cluster.Password())
	fmt.Fprintf(&doc, "cms.servers = [%q, %q, %q]\n", cluster.URLs()[0], cluster.URLs()[1], cluster.URLs()[2])
	doc.WriteString("cms.resync = \"1s\"\ncms.status_every = \"200ms\"\ncms.reads_per_second = 1000\ncms.writes_per_second = 1000\n")
	fmt.Fprintf(&doc, "policy.secure_domains = [%q]\npolicy.internal_domains = [%q]\n", simulator.DemoSecureDomain, simulator.DemoInternalDomain)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(doc.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := &output{}
	launch := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "--no-tui")
		cmd.Dir, cmd.Stderr = dir, out
		cmd.Env = append(os.Environ(), "CALLMARK_BE_MAIN=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	if err := cluster.SetReceivers("http://" + address + "/cdr"); err != nil {
		t.Fatal(err)
	}
	script := simulator.NewScript(cluster, simulator.ScriptOptions{Seed: 11, Meetings: 15, Faults: simulator.ScriptFaults{
		Duplicate: 0.02, Reorder: 0.02, Lose: 0.03, Discard: 0.02, Restart: 0.001, Silent: 0.02, Outage: 0.01, API: 0.01, Lists: 0.01,
	}})
	cmd := launch()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for i := range 1500 {
		<-tick.C
		script.Step()
		if i%500 == 400 {
			kill(cmd)
			cmd = launch()
		}
	}
	defer func() { kill(cmd) }()
	script.Calm()
	calm := time.Now()
	wrong := ""
	for time.Since(calm) < 5*time.Second {
		<-tick.C
		wrong = ""
		for _, s := range cluster.Screens() {
			if s.Level == 0 && s.Screen.Visible || s.Level > 0 && (!s.Screen.Visible || s.Screen.Text != policy.DefaultLevels()[s.Level].Message) {
				wrong = fmt.Sprintf("%s %s at level %d shows %+v", s.Name, s.CallID, s.Level, s.Screen)
			}
		}
		if wrong == "" {
			t.Logf("right %v after the last fault", time.Since(calm).Round(time.Millisecond))
			return
		}
	}
	t.Errorf("after 5 s: %s\n%s", wrong, out)
}

// A Call Bridge whose records go elsewhere is named, with the cause and what to
// do, and followed by its API until they come.
func TestRecordsDoNotCome(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 2, Receivers: []string{"http://127.0.0.1:1/cdr"}})
	p := follow(t, cluster, nil)
	b := cluster.Bridge(0)
	call := b.StartCall(simulator.CallSpec{Name: "Quiet"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.agrees(t)
	guest := call.Join(simulator.Guest("Guest"))
	p.agrees(t)
	p.eventually(t, "an alarm", func() bool {
		a, ok := p.alarmed("records/")
		return ok && strings.Contains(a.Text, b.Address()) && strings.Contains(a.Text, "receiver") && a.Remedy != ""
	})
	guest.End()
	p.agrees(t)
	p.records(t)
	call.Join(simulator.SIP("Bob", "bob@ministry.example"))
	p.eventually(t, "no alarm", func() bool { _, ok := p.alarmed("records/"); return !ok })
	p.agrees(t)
}

// Who is hosted by a Call Bridge that is not configured counts, and the alarm
// names the server to add.
func TestUnconfiguredCallBridge(t *testing.T) {
	t.Parallel()
	n := 0
	cluster := running(t, simulator.Options{Bridges: 3, Listen: func(address string) (net.Listener, error) {
		if n++; address == "" { // hosts of their own, as servers have
			address = fmt.Sprintf("127.0.0.%d:0", n)
		}
		return net.Listen("tcp", address)
	}})
	p := follow(t, cluster, func(c *config.Config) { c.CMS.Servers = c.CMS.Servers[:2] })
	if err := cluster.SetReceivers("http://" + p.receiver.Addr() + "/cdr"); err != nil {
		t.Fatal(err)
	}
	call := cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Spread", KeepEmpty: true})
	call.Join(simulator.SIP("Room", "room1@rooms.ministry.example"))
	p.eventually(t, "level 1", func() bool { return shows(call, 1) })
	far := cluster.Bridge(2).StartCall(simulator.CallSpec{Name: "Spread", Correlator: call.Correlator(), KeepEmpty: true})
	bob := far.Join(simulator.SIP("Bob", "bob@ministry.example"))
	simulator.Link(call, far)
	p.eventually(t, "level 2, by an address that only the API tells", func() bool { return shows(call, 2) })
	guest := far.Join(simulator.Guest("Guest"))
	p.eventually(t, "a web guest there is level 3", func() bool { return shows(call, 3) })
	guest.End()
	bob.End()
	p.eventually(t, "level 1 again", func() bool { return shows(call, 1) })
	p.eventually(t, "an alarm names the server to add", func() bool {
		a, ok := p.alarmed("bridge/")
		return ok && strings.Contains(a.Text, cluster.Bridge(2).Address())
	})
}

// A text that another tool writes is set again, three times; then an alarm names
// the call and the text. What is not ours on a call without a level stays, and
// what is goes.
func TestOverwritten(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 1})
	empty := cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Empty", KeepEmpty: true})
	empty.Overwrite("Lunch at noon", "top", "permanent")
	stale := cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Stale", KeepEmpty: true})
	stale.Overwrite(policy.DefaultLevels()[1].Message, "bottom", "permanent")
	p := follow(t, cluster, nil)
	p.records(t)
	call := cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Contested"})
	call.Join(simulator.Guest("Guest"))
	for range 3 {
		p.eventually(t, "level 3", func() bool { return shows(call, 3) })
		call.Overwrite("Lunch at noon", "top", "permanent")
	}
	p.eventually(t, "level 3 for the last time", func() bool { return shows(call, 3) })
	call.Overwrite("Lunch at noon", "top", "permanent")
	p.eventually(t, "an alarm", func() bool {
		a, ok := p.alarmed("changed/")
		return ok && strings.Contains(a.Text, "Contested") && strings.Contains(a.Text, "Lunch at noon")
	})
	puts := len(call.Puts())
	p.eventually(t, "the stale text goes", func() bool { return shows(stale, 0) })
	if s := empty.Screen(); s.Text != "Lunch at noon" || len(empty.Puts()) > 0 {
		t.Errorf("another tool's text on a call without a level: %+v", s)
	}
	if len(call.Puts()) != puts {
		t.Errorf("%d writes after the alarm", len(call.Puts())-puts)
	}
}

// Better is shown only once it has lasted; worse at once.
func TestHoldDown(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 1})
	const hold = 700 * time.Millisecond
	p := follow(t, cluster, func(c *config.Config) { c.Policy.LowerAfter = hold })
	p.records(t)
	call := cluster.Bridge(0).StartCall(simulator.CallSpec{})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "level 2", func() bool { return shows(call, 2) })
	for range 10 { // a line that flaps
		guest := call.Join(simulator.Guest("Guest"))
		p.eventually(t, "level 3", func() bool { return shows(call, 3) })
		guest.End()
	}
	left := time.Now()
	p.eventually(t, "level 2 again", func() bool { return shows(call, 2) })
	if took := time.Since(left); took < hold-100*time.Millisecond {
		t.Errorf("better after %v", took)
	}
	if n := len(call.Puts()); n != 3 {
		t.Errorf("%d writes", n)
	}
}

// With a duration the text goes by itself when callmark is gone, and markings
// that were sent together are not renewed together.
func TestDeadMansSwitch(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 1})
	p := follow(t, cluster, func(c *config.Config) {
		c.Marking.Duration, c.Marking.OnExit = 10*time.Second, "keep"
	})
	p.records(t)
	var calls []*simulator.Call
	for range 20 {
		call := cluster.Bridge(0).StartCall(simulator.CallSpec{})
		call.Join(simulator.Guest("Guest"))
		calls = append(calls, call)
	}
	p.agrees(t)
	p.eventually(t, "all are renewed", func() bool {
		for _, call := range calls {
			if len(call.Puts()) < 2 {
				return false
			}
		}
		return true
	})
	first, last := time.Time{}, time.Time{}
	for _, call := range calls {
		puts := call.Puts()
		at := puts[1].Time
		if gap := at.Sub(puts[0].Time); gap > 6*time.Second {
			t.Errorf("renewed only after %v of 10 s", gap)
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	if last.Sub(first) < time.Second {
		t.Errorf("all renewed within %v", last.Sub(first))
	}
	p.end(t)
	for _, call := range calls {
		if s := call.Screen(); s.Duration != "10" {
			t.Errorf("would stay: %+v", s)
		}
	}
}
