package main

import (
	"bytes"
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
	"callmark/ui"
)

// house is who may import whom. main may import everything.
var house = map[string][]string{
	".":                   {"cms", "cms/simulator", "policy", "policy/config", "policy/statefile", "receiver", "receiver/metrics", "ui"},
	"policy":              {},
	"policy/config":       {"policy"},
	"policy/statefile":    {"policy"},
	"receiver/cdr":        {},
	"receiver":            {"policy", "receiver/cdr"},
	"receiver/metrics":    {"policy"},
	"cms":                 {"policy"},
	"cms/simulator":       {"receiver/cdr"},
	"cms/simulator/bench": {"cms/simulator"},
	"ui":                  {"policy"},
	"docs/screens":        {"policy", "ui"},
}

// TestHouse holds the imports in the code, tests left out, to the house, and
// every package to having a comment.
func TestHouse(t *testing.T) {
	documented := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		room := filepath.ToSlash(filepath.Dir(path))
		may, known := house[room]
		if !known {
			t.Errorf("%s is a room that the house does not have", room)
		}
		documented[room] = documented[room] || len(file.Doc.Text()) > 200
		for _, spec := range file.Imports {
			ours, found := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "callmark/")
			if found && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s", path, ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range house {
		if !documented[room] {
			t.Errorf("package %s has no comment that states its rules", room)
		}
	}
}

// program is callmark, headless, against a simulated cluster, all over HTTP.
type program struct {
	*app
	cluster *simulator.Cluster
	stderr  *output
	stopped chan error
}

// output takes what the program writes, from any goroutine.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// launch runs callmark against a new cluster, as its only receiver.
func launch(t testing.TB, so simulator.Options, change func(*config.Config)) *program {
	t.Helper()
	return against(t, running(t, so), change)
}

// against runs callmark against a cluster that runs, as its only receiver.
func against(t testing.TB, cluster *simulator.Cluster, change func(*config.Config)) *program {
	t.Helper()
	p := start(t, func(c *config.Config) {
		c.CMS.Username, c.CMS.Password = cluster.Username(), policy.NewSecret(cluster.Password())
		c.CMS.Servers = cluster.URLs()
		c.Policy.SecureDomains, c.Policy.InternalDomains = simulator.DemoSecureDomains(), simulator.DemoInternalDomains()
		if change != nil {
			change(c)
		}
	})
	p.cluster = cluster
	if err := cluster.SetReceivers("http://" + p.receiver.Addr() + "/cdr"); err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs callmark with a configuration that keeps its files in a folder of
// the test's, until the end of the test.
func start(t testing.TB, change func(*config.Config)) *program {
	t.Helper()
	c := config.Default()
	c.Receiver.Listen, c.Receiver.RefusedDir = "127.0.0.1:0", t.TempDir()
	c.Log.File = filepath.Join(t.TempDir(), "app.log")
	c.State.File = filepath.Join(t.TempDir(), "overrides.json")
	change(&c)
	p := &program{stderr: &output{}, stopped: make(chan error, 1)}
	ready := make(chan *app, 1)
	go func() {
		p.stopped <- run(context.Background(), commandLine{NoTUI: true}, c, func(a *app) { ready <- a }, p.stderr)
	}()
	select {
	case p.app = <-ready:
	case err := <-p.stopped:
		t.Fatalf("callmark did not start: %v\n%s", err, p.stderr)
	}
	t.Cleanup(func() { p.end(t) })
	return p
}

// end stops callmark in order. It may be called twice.
func (p *program) end(t testing.TB) {
	t.Helper()
	if p.stopped == nil {
		return
	}
	p.app.stop(nil)
	select {
	case err := <-p.stopped:
		if err != nil {
			t.Errorf("callmark ended with: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("callmark did not end\n%s", p.stderr)
	}
	p.stopped = nil
}

// eventually waits until a condition of the cluster or the board holds.
func (p *program) eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	changed, stop := p.board.Watch()
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond) // screens change without the board
	defer tick.Stop()
	for !done() {
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not so in time: %s\n%s", what, p.stderr)
		}
	}
}

// shows reports whether a call's screens show a level's message.
func shows(call *simulator.Call, level int) bool {
	s := call.Screen()
	if level == 0 {
		return !s.Visible
	}
	return s.Visible && s.Text == policy.DefaultLevels()[level].Message
}

func TestJoinAndLeave(t *testing.T) {
	p := launch(t, simulator.Options{}, nil)
	b := p.cluster.Bridge(0)
	call := b.StartCall(simulator.CallSpec{Name: "Cabinet briefing", KeepEmpty: true})
	room := call.Join(simulator.SIP("Room 1", "room1@rooms.ministry.example"))
	p.eventually(t, "a secure room: level 1", func() bool { return shows(call, 1) })
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "an employee joined: level 2", func() bool { return shows(call, 2) })
	guest := call.Join(simulator.Guest("Somebody"))
	p.eventually(t, "a guest joined: level 3", func() bool { return shows(call, 3) })
	guest.End()
	p.eventually(t, "the guest left: level 2", func() bool { return shows(call, 2) })
	room.End()
	for _, l := range call.Legs() {
		l.End()
	}
	p.eventually(t, "nobody is there: nothing", func() bool { return shows(call, 0) })
	log := func() string {
		data, err := os.ReadFile(p.logFile)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	p.end(t)
	for _, want := range []string{"call started", "joined", "person=Ann", "domain=ministry.example", "level changed", "marking sent", "left"} {
		if !strings.Contains(log(), want) || !strings.Contains(p.stderr.String(), want) {
			t.Errorf("the log or standard error lacks %q:\n%s", want, log())
		}
	}
}

// Twenty externals who join at once cost at most three writes.
func TestBurstCostsFewWrites(t *testing.T) {
	p := launch(t, simulator.Options{}, nil)
	call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Press conference"})
	for range 20 {
		call.Join(simulator.SIP("Guest", "guest@evil.test"))
	}
	p.eventually(t, "level 3", func() bool { return shows(call, 3) })
	p.eventually(t, "everybody is known", func() bool {
		u := p.board.Since(0)
		return len(u.Meetings) == 1 && u.Meetings[0].People[3] == 20
	})
	if n := len(call.Puts()); n > 3 {
		t.Errorf("%d writes for one burst", n)
	}
}

// A server that does not answer at all delays the other's markings by nothing,
// and no answer to a record waits for an API.
func TestDeadServerDelaysNobody(t *testing.T) {
	p := launch(t, simulator.Options{Bridges: 2}, nil)
	dead, healthy := p.cluster.Bridge(0), p.cluster.Bridge(1)
	dead.SetFaults(simulator.Faults{Hang: true})
	for range 50 {
		dead.StartCall(simulator.CallSpec{}).Join(simulator.Guest("Guest"))
	}
	call := healthy.StartCall(simulator.CallSpec{Name: "Budget review"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "the healthy server is marked", func() bool { return shows(call, 2) })
	if err := p.cluster.WaitDelivered(context.Background()); err != nil {
		t.Fatal(err)
	}
	if d := dead.Deliveries(); d.Failed > 0 || d.Waiting > 0 {
		t.Errorf("records waited for the API: %+v", d)
	}
	dead.SetFaults(simulator.Faults{})
}

func TestForceClearRelease(t *testing.T) {
	p := launch(t, simulator.Options{}, nil)
	call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Crisis room"})
	call.Join(simulator.SIP("Ann", "ann@ministry.example"))
	p.eventually(t, "level 2", func() bool { return shows(call, 2) })
	id := policy.MeetingID(call.Correlator())
	if err := p.board.Override(time.Now(), id, policy.Override{Kind: policy.ForceLevel, Level: policy.Level3, Who: "op"}); err != nil {
		t.Fatal(err)
	}
	p.eventually(t, "forced 3", func() bool { return shows(call, 3) })
	if err := p.board.Override(time.Now(), id, policy.Override{Kind: policy.ForceClear, Who: "op"}); err != nil {
		t.Fatal(err)
	}
	p.eventually(t, "cleared", func() bool { return shows(call, 0) })
	call.Join(simulator.Guest("Somebody"))
	p.eventually(t, "the clear falls when an external joins", func() bool { return shows(call, 3) })
	if err := p.board.Release(time.Now(), id, "op"); err != nil {
		t.Fatal(err)
	}
}

// After a restart of a Call Bridge nothing of its old session is left.
func TestRestartLeavesNoGhost(t *testing.T) {
	for _, anonymous := range []bool{false, true} {
		p := launch(t, simulator.Options{Bridges: 1, Standalone: anonymous}, nil)
		b := p.cluster.Bridge(0)
		old := b.StartCall(simulator.CallSpec{Name: "Before"})
		old.Join(simulator.Guest("Ghost"))
		p.eventually(t, "marked before", func() bool { return shows(old, 3) })
		b.Restart()
		call := b.StartCall(simulator.CallSpec{Name: "After"})
		call.Join(simulator.SIP("Ann", "ann@ministry.example"))
		p.eventually(t, "marked after", func() bool { return shows(call, 2) })
		p.eventually(t, "one meeting only", func() bool {
			u := p.board.Since(0)
			return len(u.Meetings) == 1 && u.Meetings[0].Name == "After"
		})
		p.end(t)
	}
}

// With on_exit = "clear" nothing of ours is left on a screen.
func TestExitClears(t *testing.T) {
	p := launch(t, simulator.Options{}, nil)
	var calls []*simulator.Call
	for i := range 6 {
		call := p.cluster.Bridge(i % 3).StartCall(simulator.CallSpec{})
		call.Join(simulator.SIP("Ann", "ann@ministry.example"))
		calls = append(calls, call)
	}
	for _, call := range calls {
		p.eventually(t, "marked", func() bool { return shows(call, 2) })
	}
	p.end(t)
	for _, call := range calls {
		if s := call.Screen(); s.Visible {
			t.Errorf("still shows %q", s.Text)
		}
	}
}

// TestScript plays hundreds of believable changes and compares what the screens
// show with what the simulator knows to be true.
func TestScript(t *testing.T) {
	p := launch(t, simulator.Options{Seed: 7}, func(c *config.Config) { c.CMS.WritesPerSecond = 1000 })
	script := simulator.NewScript(p.cluster, simulator.ScriptOptions{})
	for round := range 10 {
		for range 60 {
			script.Step()
		}
		if err := p.cluster.WaitDelivered(context.Background()); err != nil {
			t.Fatal(err)
		}
		for correlator, truth := range p.cluster.Truth() {
			for _, call := range truth.Calls {
				p.eventually(t, fmt.Sprintf("round %d: %s %s", round, truth.Name, correlator), func() bool {
					return shows(call, truth.Level) || !call.Running()
				})
			}
		}
	}
}

// The configuration and the console agree about actions and their keys.
func TestKeysAreTheConsoles(t *testing.T) {
	got, want := config.Default().UI.Keys.ByAction(), ui.DefaultKeys()
	for name, keys := range want {
		if !slices.Equal(got[name], keys) {
			t.Errorf("%s has %q in the configuration, %q in the console", name, got[name], keys)
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("the console has no action %s", name)
		}
	}
	if !slices.Contains(ui.Themes, config.Default().UI.Theme) {
		t.Errorf("the console has no theme %q", config.Default().UI.Theme)
	}
}

// The view is kept in its file, readable by its owner alone, and found there at
// the next start; without a file nothing is kept.
func TestViewFile(t *testing.T) {
	c := config.Default()
	c.UI.State = filepath.Join(t.TempDir(), "console.json")
	a := &app{log: slog.New(slog.DiscardHandler)}
	o := uiOptions(c, commandLine{ASCII: true}, a, policy.Options{})
	if !o.ASCII || o.View != nil || o.KeepView == nil {
		t.Fatalf("options %+v", o)
	}
	if err := o.KeepView([]byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(c.UI.State)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if o = uiOptions(c, commandLine{}, a, policy.Options{}); string(o.View) != "x" {
		t.Errorf("read %q", o.View)
	}
	c.UI.State = filepath.Join(t.TempDir(), "none", "console.json")
	if err := uiOptions(c, commandLine{}, a, policy.Options{}).KeepView(nil); err == nil || !strings.Contains(err.Error(), "could not be written") {
		t.Errorf("error %v", err)
	}
	c.UI.State = "" // as in a demo
	if o = uiOptions(c, commandLine{}, a, policy.Options{}); o.KeepView != nil {
		t.Error("kept without a file")
	}
}
