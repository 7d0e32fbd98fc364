package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callmark/cms/simulator"
)

// process is callmark as a process of its own.
type process struct {
	cmd    *exec.Cmd
	stderr *output
}

// impatient are settings of [cms] by which tests need not wait.
const impatient = `resync = "1s"
status_every = "500ms"
reads_per_second = 1000
writes_per_second = 1000`

// configuration writes a configuration for a cluster and returns its name. It
// ends in the section on marking.
func configuration(t testing.TB, cluster *simulator.Cluster, listen, cms, marking string) string {
	t.Helper()
	quoted := func(texts []string) string {
		var q []string
		for _, text := range texts {
			q = append(q, strconv.Quote(text))
		}
		return strings.Join(q, ", ")
	}
	return write(t, 0o600, fmt.Sprintf(`[receiver]
listen = %q
[cms]
username = %q
password = %q
servers = [%s]
%s
[policy]
secure_domains = [%s]
internal_domains = [%s]
[marking]
%s
`, listen, cluster.Username(), cluster.Password(), quoted(cluster.URLs()), cms,
		quoted(simulator.DemoSecureDomains()), quoted(simulator.DemoInternalDomains()), marking))
}

// fork starts callmark as a process and waits until it takes records. It is
// killed at the end of the test.
func fork(t testing.TB, config, listen string) *process {
	t.Helper()
	p := &process{exec.Command(os.Args[0], "--no-tui", "--config", config), &output{}}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append(os.Environ(), "CALLMARK_BE_MAIN=1")
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if res, err := client.Get("http://" + listen + "/healthz"); err == nil {
			res.Body.Close()
			return p
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("callmark did not start:\n%s", p.stderr)
		}
	}
}

// kill is kill -9. It may be called twice.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}

// until waits until something is so, and looks at least every 20 ms.
func until(t testing.TB, what string, within time.Duration, done func() bool, more func() string) {
	t.Helper()
	over := time.NewTimer(within)
	defer over.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over.C:
			t.Fatalf("not so in %v: %s\n%s", within, what, more())
		}
	}
}

// understated measures for how long screens show something better than the
// truth, nothing at all not counted.
type understated struct {
	since   map[string]time.Time // by call
	longest time.Duration
}

func (u *understated) look(cluster *simulator.Cluster) {
	now := time.Now()
	for _, s := range cluster.Screens() {
		level := levelShown(s.Screen)
		switch since, ok := u.since[s.CallID]; {
		case level == 0 || level >= s.Level:
			delete(u.since, s.CallID)
		case !ok:
			u.since[s.CallID] = now
		default:
			u.longest = max(u.longest, now.Sub(since))
		}
	}
}

// wrongScreens are the screens that do not show what they should. A recorder may
// count as somebody internal, by its address: only the record of its start tells
// that it is none, and that was lost with the process that got it.
func wrongScreens(cluster *simulator.Cluster) (wrong []simulator.CallScreen) {
	recorded := map[string]bool{} // meetings
	legs := cluster.LegTruth()
	for key, m := range cluster.Truth() {
		for _, call := range m.Calls {
			recorded[key] = recorded[key] || slices.ContainsFunc(legs[call.ID()], func(l simulator.LegTruth) bool {
				return l.Level == 0 && l.Peer == ""
			})
		}
	}
	for _, s := range cluster.Screens() {
		shown := levelShown(s.Screen)
		if shown != s.Level && !(recorded[s.Correlator] && shown == 2 && s.Level < 2) {
			wrong = append(wrong, s)
		}
	}
	return wrong
}

// callmark is killed in the middle of traffic with faults, and started again at
// the same address: everything is right soon after the last fault, and what
// showed something too good when it came back does not for long.
func TestKill(t *testing.T) {
	t.Parallel()
	cluster := running(t, simulator.Options{Bridges: 3, Seed: 8, ResendPause: 100 * time.Millisecond})
	script := simulator.NewScript(cluster, simulator.ScriptOptions{Seed: 8, Meetings: 20, Faults: simulator.ScriptFaults{
		Duplicate: 0.02, Reorder: 0.02, Lose: 0.02, Discard: 0.01, Restart: 0.001, Silent: 0.01, Outage: 0.005, API: 0.01, Lists: 0.01, Away: 0.002,
	}})
	listen := freePort(t)
	config := configuration(t, cluster, listen, impatient, "")
	if err := cluster.SetReceivers("http://" + listen + "/cdr"); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	play := func(steps int, each func()) {
		for range steps {
			<-tick.C
			script.Step()
			each()
		}
	}
	nothing := func() {}
	p := fork(t, config, listen)
	play(300, nothing)
	for range 2 {
		p.kill()
		play(50, nothing) // nobody is there
		p = fork(t, config, listen)
		u := &understated{since: map[string]time.Time{}}
		steps := 0
		play(400, func() {
			if steps++; steps%5 == 0 {
				u.look(cluster)
			}
		})
		t.Logf("after a restart a screen showed something too good for %v at the longest", u.longest.Round(time.Millisecond))
		if u.longest > 3*time.Second {
			t.Errorf("a screen showed something too good for %v after the restart", u.longest)
		}
	}
	script.Calm()
	calm := time.Now()
	until(t, "every screen is right", 5*time.Second, func() bool { return len(wrongScreens(cluster)) == 0 }, func() string {
		return fmt.Sprintf("%+v\n%s", wrongScreens(cluster), p.stderr)
	})
	t.Logf("right %v after the last fault", time.Since(calm).Round(time.Millisecond))
}

// A marking with a duration is a dead man's switch: it is renewed before it runs
// out, not all at the same moment, and it goes by itself when callmark is gone.
func TestDeadMansSwitch(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // the Call Bridges' clock, once callmark is gone
	cluster := running(t, simulator.Options{Bridges: 2, Seed: 2, Now: func() time.Time {
		return time.Now().Add(time.Duration(ahead.Load()))
	}})
	calls := cluster.Populate(24, 2)
	listen := freePort(t)
	p := fork(t, configuration(t, cluster, listen, impatient, `duration = "10s"`), listen)
	const duration = 10 * time.Second
	until(t, "every screen is right", 5*time.Second, func() bool { return allRight(cluster) }, p.stderr.String)

	// From then on no screen is ever without.
	watch := watchScreens(cluster, 20*time.Millisecond, func(s simulator.CallScreen) string {
		if levelShown(s.Screen) != s.Level {
			return "not what is true"
		}
		return ""
	})
	defer watch.stop(t)
	until(t, "every marking is renewed", duration, func() bool {
		return !slices.ContainsFunc(calls, func(c *simulator.Call) bool { return len(c.Puts()) < 2 })
	}, p.stderr.String)
	var renewed []time.Time
	for _, call := range calls {
		puts := call.Puts()
		if puts[0].Duration != "10" || puts[1].Text != puts[0].Text {
			t.Errorf("%s was written %+v", call.Name(), puts)
		}
		if after := puts[1].Time.Sub(puts[0].Time); after < duration/4-time.Second/2 || after > duration/2+2*time.Second {
			t.Errorf("%s was renewed after %v", call.Name(), after)
		}
		renewed = append(renewed, puts[1].Time)
	}
	slices.SortFunc(renewed, time.Time.Compare)
	if spread := renewed[len(renewed)-1].Sub(renewed[0]); spread < time.Second {
		t.Errorf("all were renewed within %v", spread)
	}
	most := len(renewed) * 3 / 4 // it is looked once a second what runs out
	for i := range len(renewed) - most {
		if took := renewed[i+most].Sub(renewed[i]); took < 300*time.Millisecond {
			t.Errorf("three in four were renewed within %v", took)
		}
	}
	t.Logf("renewed over %v", renewed[len(renewed)-1].Sub(renewed[0]).Round(time.Millisecond))

	p.kill()
	watch.stop(t)
	if !allRight(cluster) {
		t.Error("a text went before its time")
	}
	ahead.Store(int64(duration + time.Second))
	for _, s := range cluster.Screens() {
		if s.Screen.Visible {
			t.Errorf("%s still shows %+v", s.Name, s.Screen)
		}
	}
}
