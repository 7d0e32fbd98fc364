package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// An override of before a restart holds again with the first record of its
// meeting, on all its Call Bridges, whatever became of the screens meanwhile.
func TestOverrideSurvivesARestart(t *testing.T) {
	for _, onExit := range []string{"keep", "clear"} {
		t.Run(onExit, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "overrides.json")
			settings := func(c *config.Config) { c.State.File, c.Marking.OnExit = file, onExit }
			p := launch(t, simulator.Options{Bridges: 2}, settings)
			call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Crisis room"})
			leg := call.Join(simulator.SIP("Ann", "ann@ministry.example"))
			far := p.cluster.Bridge(1).StartCall(simulator.CallSpec{Name: "Crisis room", Correlator: call.Correlator()})
			farLeg := far.Join(simulator.SIP("Bob", "bob@ministry.example"))
			other := p.cluster.Bridge(0).StartCall(simulator.CallSpec{Name: "Press conference"})
			otherLeg := other.Join(simulator.Guest("Somebody"))
			p.eventually(t, "level 2", func() bool { return shows(call, 2) && shows(far, 2) && shows(other, 3) })
			id := policy.MeetingID(call.Correlator())
			if err := p.board.Override(time.Now(), id, policy.Override{Kind: policy.ForceText, Text: "Recorded", Who: "anna", Reason: "the chair asked"}); err != nil {
				t.Fatal(err)
			}
			recorded := func(call *simulator.Call) bool { s := call.Screen(); return s.Visible && s.Text == "Recorded" }
			p.eventually(t, "the text", func() bool { return recorded(call) && recorded(far) })
			p.end(t)
			if got := recorded(call); got != (onExit == "keep") {
				t.Fatalf("at the end the text shows %t", got)
			}

			q := against(t, p.cluster, settings)
			leg.Update()
			q.eventually(t, "the override holds", func() bool {
				v, ok := q.board.Meeting(id)
				return ok && v.Override != nil && v.Override.Who == "anna" && v.Override.Reason == "the chair asked" && recorded(call)
			})
			farLeg.Update()
			q.eventually(t, "on its other Call Bridge too", func() bool { return recorded(far) })
			otherLeg.Update()
			q.eventually(t, "others are automatic", func() bool {
				v, ok := q.board.Meeting("call:" + policy.MeetingID(other.ID()))
				if !ok {
					v, ok = q.board.Meeting(policy.MeetingID(other.Correlator()))
				}
				return ok && v.Override == nil
			})
			// Somebody worse than ever since the decision: it falls, and stays so.
			guest := call.Join(simulator.Guest("Somebody"))
			q.eventually(t, "it falls", func() bool { return shows(call, 3) && shows(far, 3) })
			q.end(t)

			r := against(t, p.cluster, settings)
			guest.Update()
			r.eventually(t, "it has fallen for good", func() bool {
				u := r.board.Since(0)
				all, _ := r.board.SavedOverrides()
				return len(u.Meetings) > 0 && u.Totals.Overridden == 0 && len(all) == 0
			})
		})
	}
}

// A state file that cannot be used is no reason not to mark, and says so.
func TestUnusableState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overrides.json")
	if err := os.WriteFile(file, []byte(`{"version": 1, "overr`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, simulator.Options{}, func(c *config.Config) { c.State.File = file })
	p.eventually(t, "an alarm", func() bool {
		alarms := p.board.Since(0).Alarms
		return len(alarms) == 1 && strings.Contains(alarms[0].Text, file+" could not be read")
	})
	call := p.cluster.Bridge(0).StartCall(simulator.CallSpec{})
	call.Join(simulator.Guest("Somebody"))
	p.eventually(t, "marked", func() bool { return shows(call, 3) })
	p.end(t)
	if bad, _ := filepath.Glob(file + ".bad-*"); len(bad) != 1 {
		t.Errorf("set aside: %v", bad)
	}

	p = launch(t, simulator.Options{}, func(c *config.Config) { c.State.File = filepath.Join(t.TempDir(), "none", "overrides.json") })
	p.eventually(t, "an alarm, and all servers are up", func() bool {
		u := p.board.Since(0)
		up := 0
		for _, b := range u.Bridges {
			if b.Bound.State == policy.ServerUp {
				up++
			}
		}
		return up == len(p.cluster.URLs()) && len(u.Alarms) == 1 && strings.Contains(u.Alarms[0].Text, "overrides are not saved")
	})
	p.end(t)
	if !strings.Contains(p.stderr.String(), "callmark: overrides were not saved: ") {
		t.Errorf("not told at the end:\n%s", p.stderr)
	}
}
