package main

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// The soak's length and seed: see the README.
var (
	soakEvents = flag.Int64("soak.events", 10_000, "records that the soak makes")
	soakSeed   = flag.Uint64("soak.seed", 1, "what happens in the soak")
	soakPace   = flag.Duration("soak.pace", 4*time.Millisecond, "time between two things that happen")
)

// TestSoak plays meetings on a cluster with every fault that the simulator has,
// and holds callmark to three things: it calls no meeting verified at a level
// that is better than the truth for longer than the time in which it could know,
// five seconds after the last fault everything is right, and so it is when
// callmark was ended and started again in the middle.
func TestSoak(t *testing.T) {
	seed, events := *soakSeed, *soakEvents
	if testing.Short() {
		events /= 10
	}
	cluster := running(t, simulator.Options{Bridges: 4, Seed: seed, ResendPause: 100 * time.Millisecond})
	script := simulator.NewScript(cluster, simulator.ScriptOptions{Seed: seed, Meetings: 30, Faults: simulator.ScriptFaults{
		Duplicate: 0.02, Reorder: 0.02, Lose: 0.02, Discard: 0.01, Restart: 0.0005, Overwrite: 0.002,
		Silent: 0.01, Outage: 0.005, API: 0.01, Lists: 0.01, Skew: 0.002, Away: 0.002,
	}})
	open := func() *program {
		p := follow(t, cluster, func(c *config.Config) { c.Marking.OnExit = "keep" })
		p.records(t)
		return p
	}
	p := open()
	w := newWatchman(p)
	ticker := time.NewTicker(*soakPace)
	defer ticker.Stop()
	steps, restarted := 0, false
	for made := int64(0); made < events; steps++ {
		<-ticker.C
		before := nextIndexes(cluster)
		script.Step()
		made += max(0, nextIndexes(cluster)-before)
		w.look(t)
		if steps%1000 == 500 {
			sneak(cluster, steps/1000)
			for range int(2 * time.Second / *soakPace) { // nobody else does anything
				<-ticker.C
				w.look(t)
			}
		}
		if !restarted && made > events/2 {
			restarted = true
			p.end(t)
			p = open()
			w = newWatchman(p).after(w)
		}
	}
	script.Calm()
	calm := time.Now()
	p.agrees(t)
	took := time.Since(calm)
	if took > 5*time.Second {
		t.Errorf("right only %v after the last fault", took)
	}
	t.Logf("%d steps; right %v after the last fault; better than the truth while verified %d times, at the longest %v",
		steps, took.Round(time.Millisecond), w.times, w.longest.Round(time.Millisecond))
}

// sneak lets an external in whose records are lost, and nothing comes after them:
// only the server's status can tell.
func sneak(c *simulator.Cluster, n int) {
	for i := range c.Bridges() {
		b := c.Bridge((n + i) % len(c.Bridges()))
		for _, call := range b.Calls() {
			if level := call.Level(); level == 1 || level == 2 {
				b.LoseRecords(2)
				call.Join(simulator.SIP("Nobody saw me", "mallory@evil.test"))
				return
			}
		}
	}
}

// nextIndexes sums up how many records there have been in the present sessions.
func nextIndexes(c *simulator.Cluster) (n int64) {
	for _, b := range c.Bridges() {
		n += b.Next()
	}
	return n
}

// watchman looks for meetings that are called verified and are not.
type watchman struct {
	p       *program
	lies    map[policy.MeetingID]lie
	times   int
	longest time.Duration
}

// lie is a level better than the truth on a meeting that is called verified.
type lie struct {
	since    time.Time
	answered map[string]int // status answers of each Call Bridge before
}

func newWatchman(p *program) *watchman {
	return &watchman{p: p, lies: map[policy.MeetingID]lie{}}
}

func (w *watchman) after(before *watchman) *watchman {
	w.times, w.longest = before.times, before.longest
	return w
}

// knowable is for how long a record may be under way to callmark, and through it,
// on a busy machine.
const knowable = time.Second

// look compares the board with the truth. The time in which callmark could know
// is over when it has had three answers to its polls since, or no poll at all
// was answered because of a fault; see knowable for what it does with them.
func (w *watchman) look(t *testing.T) {
	truth := w.p.cluster.Truth() // first: what happens between the two is no lie
	now := time.Now()
	seen := map[policy.MeetingID]bool{}
	for key, m := range truth {
		id := policy.MeetingID(key)
		v, ok := w.p.board.Meeting(id)
		if !ok || v.Unverified != "" || int(v.Shown) >= m.Level {
			continue
		}
		seen[id] = true
		l, known := w.lies[id]
		if !known {
			w.times++
			l = lie{now, map[string]int{}}
			for _, b := range w.p.cluster.Bridges() {
				l.answered[b.Name()] = b.Requests().StatusAnswered
			}
			w.lies[id] = l
			continue
		}
		age := now.Sub(l.since)
		w.longest = max(w.longest, age)
		polled := true
		for _, call := range m.Calls {
			b := call.Bridge()
			polled = polled && b.Requests().StatusAnswered-l.answered[b.Name()] >= 3
		}
		if polled && age > knowable {
			t.Errorf("%s %s is called verified at level %v for %v, and is %d: %s", m.Name, key, v.Shown, age, m.Level, fmt.Sprint(m.People))
			for _, l := range w.p.board.Legs(id) {
				t.Logf("  %+v", l)
			}
			for _, c := range v.Calls {
				t.Logf("  %+v", c)
			}
			t.FailNow()
		}
	}
	for id := range w.lies {
		if !seen[id] {
			delete(w.lies, id)
		}
	}
}
