package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// quick are settings by which tests need not wait.
func quick(c *config.Config) {
	c.CMS.Resync, c.CMS.StatusEvery = time.Second, 200*time.Millisecond
	c.CMS.ReadsPerSecond, c.CMS.WritesPerSecond = 1000, 1000
}

// running is a cluster that runs already when callmark starts.
func running(t testing.TB, so simulator.Options) *simulator.Cluster {
	t.Helper()
	cluster, err := simulator.New(so)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	t.Cleanup(cluster.Close)
	if err := cluster.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return cluster
}

// follow runs callmark against a cluster that runs already, without telling the
// cluster where to post its records.
func follow(t testing.TB, cluster *simulator.Cluster, change func(*config.Config)) *program {
	t.Helper()
	p := start(t, func(c *config.Config) {
		quick(c)
		c.CMS.Username, c.CMS.Password = cluster.Username(), policy.NewSecret(cluster.Password())
		c.CMS.Servers = cluster.URLs()
		c.Policy.SecureDomains, c.Policy.InternalDomains = simulator.DemoSecureDomains(), simulator.DemoInternalDomains()
		if change != nil {
			change(c)
		}
	})
	p.cluster = cluster
	return p
}

// records has the cluster post its records to callmark.
func (p *program) records(t testing.TB) {
	t.Helper()
	if err := p.cluster.SetReceivers("http://" + p.receiver.Addr() + "/cdr"); err != nil {
		t.Fatal(err)
	}
}

// differs says how the board and the screens differ from what is true, or "". A
// recorder may count as a person, since only the record of its start tells that
// it is none, and that may be lost.
func (p *program) differs() string {
	u := p.board.Since(0)
	truth := p.cluster.Truth()
	legs := p.cluster.LegTruth()
	for key, m := range truth {
		id := policy.MeetingID(key)
		if m.Correlator == "" {
			id = policy.MeetingID("call:" + key)
		}
		v, ok := p.board.Meeting(id)
		switch {
		case !ok:
			return fmt.Sprintf("%s %s is not on the board", m.Name, key)
		case v.Unverified != "":
			return fmt.Sprintf("%s %s is unverified: %s", m.Name, key, v.Unverified)
		}
		level := m.Level
		have := map[string]policy.LegView{}
		for _, l := range p.board.Legs(id) {
			have[l.ID] = l
		}
		n := 0
		for _, call := range m.Calls {
			for _, l := range legs[call.ID()] {
				n++
				got, ok := have[l.ID]
				if !ok {
					return fmt.Sprintf("%s lacks leg %s %s", m.Name, l.Name, l.ID)
				}
				if got.Counts && l.Level == 0 && l.Peer == "" {
					level = max(level, int(got.Level))
					continue
				}
				if got.Counts != l.Counts || l.Counts && int(got.Level) != l.Level {
					return fmt.Sprintf("%s has %s counting %v at %v, not %v at %d (%+v)", m.Name, l.Name, got.Counts, got.Level, l.Counts, l.Level, l)
				}
			}
		}
		if int(v.Computed) != level {
			return fmt.Sprintf("%s %s has level %v, not %d", m.Name, key, v.Computed, level)
		}
		for _, call := range m.Calls {
			if !shows(call, level) && call.Running() {
				return fmt.Sprintf("%s shows %+v, not level %d", m.Name, call.Screen(), level)
			}
		}
		if n != len(have) {
			return fmt.Sprintf("%s has %d legs on the board, not %d", m.Name, len(have), n)
		}
	}
	for _, v := range u.Meetings {
		if _, ok := truth[strings.TrimPrefix(string(v.ID), "call:")]; !ok {
			return fmt.Sprintf("%s %s is on the board and is over: %+v, %+v", v.Name, v.ID, v.Calls, p.board.Legs(v.ID))
		}
	}
	if len(truth) != len(u.Meetings) {
		return fmt.Sprintf("%d meetings on the board, not %d", len(u.Meetings), len(truth))
	}
	return ""
}

// agrees waits until board and screens are as they should be.
func (p *program) agrees(t testing.TB) {
	t.Helper()
	why := ""
	defer func() {
		if t.Failed() {
			t.Log(why)
		}
	}()
	p.eventually(t, "board and screens agree with what is true", func() bool { why = p.differs(); return why == "" })
}

// Started in the middle of running calls, without a single record.
func TestStartInTheMiddle(t *testing.T) {
	for _, standalone := range []bool{false, true} {
		t.Run(fmt.Sprintf("standalone %v", standalone), func(t *testing.T) {
			cluster := running(t, simulator.Options{Bridges: 2, Standalone: standalone, Seed: 3})
			cluster.Populate(12, 7)
			script := simulator.NewScript(cluster, simulator.ScriptOptions{Seed: 3})
			for range 60 {
				script.Step()
			}
			p := follow(t, cluster, nil)
			p.agrees(t)
			p.records(t)
			for range 60 {
				script.Step()
			}
			p.agrees(t)
			p.eventually(t, "no Call Bridge is unverified", func() bool {
				return !slices.ContainsFunc(p.board.Since(0).Bridges, func(v policy.BridgeView) bool { return v.Unverified != "" })
			})
		})
	}
}

// ready asks /readyz.
func (p *program) ready(t *testing.T) (status int, reasons string) {
	t.Helper()
	res, err := http.Get("http://" + p.receiver.Addr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// What cannot be read is said, with the reason, until the operator's r finds it
// mended.
func TestUnreadableIsSaid(t *testing.T) {
	cluster := running(t, simulator.Options{Bridges: 2})
	cluster.Populate(4, 3)
	bad := cluster.Bridge(0)
	bad.SetFaults(simulator.Faults{Path: "/callLegs", Garbage: -1})
	p := follow(t, cluster, func(c *config.Config) { c.CMS.Resync = time.Hour })
	p.eventually(t, "not ready, and why", func() bool {
		status, reasons := p.ready(t)
		return status == http.StatusServiceUnavailable && strings.Contains(reasons, "cms1 is unverified: its running calls are not read yet; its running calls could not be read: list the call legs") &&
			!strings.Contains(reasons, "cms2")
	})
	bad.SetFaults(simulator.Faults{})
	p.refresh()
	p.agrees(t)
	p.eventually(t, "ready", func() bool { status, _ := p.ready(t); return status == http.StatusOK })
}
