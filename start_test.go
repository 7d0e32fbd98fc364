package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
)

// screenWatch looks at every screen again and again, and says what should never
// have been there: a level that is better than the truth, or a worse one. The
// truth must not change meanwhile.
type screenWatch struct {
	stop, over chan struct{}
	mu         sync.Mutex
	wrong      []string
	looks      int
}

func watchScreens(cluster *simulator.Cluster) *screenWatch {
	w := &screenWatch{stop: make(chan struct{}), over: make(chan struct{})}
	go func() {
		defer close(w.over)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			w.look(cluster)
			select {
			case <-tick.C:
			case <-w.stop:
				return
			}
		}
	}()
	return w
}

func (w *screenWatch) look(cluster *simulator.Cluster) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	for _, s := range cluster.Screens() {
		if s.Screen.Visible && s.Level > 0 && s.Screen.Text != policy.DefaultLevels()[s.Level].Message && len(w.wrong) < 10 {
			w.wrong = append(w.wrong, fmt.Sprintf("%s at level %d shows %q", s.Name, s.Level, s.Screen.Text))
		}
	}
}

// end stops the watch and reports what it saw.
func (w *screenWatch) end(t testing.TB) {
	t.Helper()
	close(w.stop)
	<-w.over
	if len(w.wrong) > 0 || w.looks == 0 {
		t.Errorf("%d looks at the screens: %v", w.looks, w.wrong)
	}
}

// right waits until every screen shows its level, and the board is verified.
func (p *program) right(t testing.TB, within time.Duration) (verified, shown time.Duration) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for {
		if verified == 0 {
			u := p.board.Since(0)
			ok := len(u.Meetings) > 0 && u.Totals.Unverified == 0 && len(u.Meetings) == len(p.cluster.Truth())
			for _, b := range u.Bridges {
				ok = ok && b.Unverified == ""
			}
			if ok {
				verified = time.Since(start)
			}
		}
		if verified > 0 {
			ok := true
			for _, s := range p.cluster.Screens() {
				ok = ok && s.Screen.Visible && s.Screen.Text == policy.DefaultLevels()[s.Level].Message
			}
			if ok {
				return verified, time.Since(start)
			}
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not right within %v: %+v", within, p.board.Since(0).Totals)
		}
	}
}

// BenchmarkStartInTheMiddle starts callmark in the middle of 1,000 calls with 10
// legs each on 4 Call Bridges, at the default budgets.
func BenchmarkStartInTheMiddle(b *testing.B) {
	for b.Loop() {
		cluster := running(b, simulator.Options{Bridges: 4})
		cluster.Populate(1000, 10)
		watch := watchScreens(cluster)
		p := follow(b, cluster, func(c *config.Config) {
			def := config.Default()
			c.CMS = def.CMS
			c.CMS.Username, c.CMS.Password = cluster.Username(), config.NewSecret(cluster.Password())
			c.CMS.Servers = cluster.URLs()
		})
		p.records(b)
		verified, shown := p.right(b, 5*time.Minute)
		watch.end(b)
		gets := 0
		for _, bridge := range cluster.Bridges() {
			gets = max(gets, bridge.Requests().Gets)
		}
		// A server has 250 calls and 2,500 legs, in pages of 10.
		bound := 25 + 250 + 2500
		b.ReportMetric(verified.Seconds(), "s-verified")
		b.ReportMetric(shown.Seconds(), "s-shown")
		b.ReportMetric(float64(gets), "reads/server")
		b.ReportMetric(float64(bound), "reads-bound/server")
		b.ReportMetric(float64(gets)/float64(bound), "reads/bound")
		b.ReportMetric(verified.Seconds()/(float64(bound)/config.Default().CMS.ReadsPerSecond), "time/bound")
		p.end(b)
		cluster.Close()
	}
}

// While callmark reads what runs, no screen shows what is not so, neither
// better nor worse; and started a second time, with its texts on the screens, it
// writes nothing at all.
func TestStartShowsNothingWrong(t *testing.T) {
	cluster := running(t, simulator.Options{Bridges: 4})
	cluster.Populate(200, 6)
	watch := watchScreens(cluster)
	slow := func(c *config.Config) {
		c.CMS.ReadsPerSecond, c.CMS.WritesPerSecond, c.Marking.OnExit = 150, 50, "keep"
		c.CMS.Resync = time.Minute
	}
	p := follow(t, cluster, slow)
	p.right(t, time.Minute)
	p.end(t)
	puts := 0
	for _, b := range cluster.Bridges() {
		puts += b.Requests().Puts
	}
	if puts != 200 {
		t.Errorf("%d writes for 200 calls", puts)
	}
	p = follow(t, cluster, slow)
	p.right(t, time.Minute)
	watch.end(t)
	for _, b := range cluster.Bridges() {
		puts -= b.Requests().Puts
	}
	if puts != 0 {
		t.Errorf("%d more writes after a restart", -puts)
	}
}

// BenchmarkDeadServer compares how long the others' markings take with and
// without one server of four dead.
func BenchmarkDeadServer(b *testing.B) {
	cluster := running(b, simulator.Options{Bridges: 4})
	p := follow(b, cluster, nil)
	p.records(b)
	delay := func() time.Duration {
		var all []time.Duration
		for i := range 150 {
			call := cluster.Bridge(1 + i%3).StartCall(simulator.CallSpec{})
			start := time.Now()
			call.Join(simulator.Guest("Guest"))
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if err := cluster.Wait(ctx, func() bool { return shows(call, 3) }); err != nil {
				b.Fatal(err)
			}
			cancel()
			all = append(all, time.Since(start))
			call.End()
		}
		return median(all)
	}
	delay() // warm
	for b.Loop() {
		alive := delay()
		dead := cluster.Bridge(0)
		for range 50 { // it has much to write, and cannot
			dead.StartCall(simulator.CallSpec{KeepEmpty: true}).Join(simulator.Guest("Guest"))
		}
		dead.SetFaults(simulator.Faults{Hang: true})
		hanging := delay()
		dead.StopListening()
		gone := delay()
		if err := dead.ResumeListening(); err != nil {
			b.Fatal(err)
		}
		dead.SetFaults(simulator.Faults{})
		b.ReportMetric(float64(alive.Microseconds()), "µs-all-alive")
		b.ReportMetric(float64(hanging)/float64(alive), "ratio-one-hangs")
		b.ReportMetric(float64(gone)/float64(alive), "ratio-one-gone")
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
