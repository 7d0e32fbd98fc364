package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"callmark/cms/simulator"
)

// BenchmarkDeadServer measures the time from a change to the write that follows
// it, on three Call Bridges while the fourth is dead, and compares it with that
// while all four are well: the ratio of the medians should be about 1. Both are
// measured in one run, in turns. Use -benchtime 1x.
func BenchmarkDeadServer(b *testing.B) {
	for _, dead := range []struct {
		name      string
		die, live func(*simulator.Bridge) error
	}{
		{"refuses", func(b *simulator.Bridge) error { b.StopListening(); return nil }, (*simulator.Bridge).ResumeListening},
		{"hangs",
			func(b *simulator.Bridge) error { b.SetFaults(simulator.Faults{Hang: true}); return nil },
			// Listening anew ends the requests that hang.
			func(b *simulator.Bridge) error {
				b.SetFaults(simulator.Faults{})
				b.StopListening()
				return b.ResumeListening()
			}},
	} {
		b.Run(dead.name, func(b *testing.B) {
			for b.Loop() {
				cluster := running(b, simulator.Options{Bridges: 4, Seed: 5})
				p := follow(b, cluster, nil)
				p.records(b)
				var calls []*simulator.Call // the last is the dying one's
				for _, bridge := range cluster.Bridges() {
					call := bridge.StartCall(simulator.CallSpec{Name: bridge.Name(), KeepEmpty: true})
					call.Join(simulator.SIP("Ann", "ann@ministry.example"))
					calls = append(calls, call)
				}
				p.agrees(b)
				var alive, away []time.Duration
				for range 4 {
					alive = append(alive, p.delays(b, calls[:3], calls[3], 120)...)
					if err := dead.die(cluster.Bridge(3)); err != nil {
						b.Fatal(err)
					}
					away = append(away, p.delays(b, calls[:3], calls[3], 120)...)
					if err := dead.live(cluster.Bridge(3)); err != nil {
						b.Fatal(err)
					}
					p.refresh()
					p.agrees(b)
				}
				p.end(b)
				cluster.Close()
				slices.Sort(alive)
				slices.Sort(away)
				median, medianAway := alive[len(alive)/2], away[len(away)/2]
				b.ReportMetric(float64(median.Microseconds()), "µs-median-alive")
				b.ReportMetric(float64(medianAway.Microseconds()), "µs-median-dead")
				b.ReportMetric(float64(medianAway)/float64(median), "median-dead/alive")
				b.ReportMetric(float64(away[len(away)*99/100])/float64(alive[len(alive)*99/100]), "p99-dead/alive")
			}
		})
	}
}

// delays measures n times how long it is from somebody's coming to the write
// that shows it, on calls in turn, while the same happens to the other call.
func (p *program) delays(t testing.TB, calls []*simulator.Call, other *simulator.Call, n int) (delays []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	wait := func(call *simulator.Call, level int) {
		if err := p.cluster.Wait(ctx, func() bool { return shows(call, level) }); err != nil {
			t.Fatalf("%s does not show level %d: %v", call.Name(), level, err)
		}
	}
	for i := range n {
		call := calls[i%len(calls)]
		elsewhere := other.Join(simulator.Guest("Somebody"))
		start := time.Now()
		guest := call.Join(simulator.Guest("Somebody"))
		wait(call, 3)
		puts := call.Puts()
		delays = append(delays, puts[len(puts)-1].Time.Sub(start))
		guest.End()
		elsewhere.End()
		wait(call, 2)
	}
	return delays
}
