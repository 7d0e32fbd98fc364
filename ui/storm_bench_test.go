package ui

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	stormFor      = 10 * time.Second
	stormSessions = 4    // Call Bridges, each with a goroutine of its own
	stormPerEach  = 2500 // changes a second
)

// BenchmarkStorm brings 10,000 changes a second for ten seconds to a real board
// of 10,000 meetings, and measures for how long its producers wait and, in a
// terminal with the console over that board, how soon keys are answered. The
// same without a console says what of a wait is the machine's and the board's
// own. It runs on the real clock: use -benchtime 1x.
func BenchmarkStorm(b *testing.B) {
	for _, console := range []bool{false, true} {
		b.Run(fmt.Sprintf("console=%v", console), func(b *testing.B) {
			for b.Loop() {
				waits, keys := storm(b, console)
				ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
				b.ReportMetric(float64(len(waits))/stormFor.Seconds(), "changes/s")
				b.ReportMetric(ms(part1000(waits, 500)), "ms-producer-p50")
				b.ReportMetric(ms(part1000(waits, 999)), "ms-producer-p99.9")
				b.ReportMetric(ms(part1000(waits, 1000)), "ms-producer-max")
				if console {
					b.ReportMetric(ms(part1000(keys, 500)), "ms-key-p50")
					b.ReportMetric(ms(part1000(keys, 1000)), "ms-key-max")
				}
			}
		})
	}
}

// part1000 is what n of a thousand do not exceed.
func part1000(all []time.Duration, n int) time.Duration {
	slices.Sort(all)
	return all[max(0, len(all)*n/1000-1)]
}

// storm returns how long each change took to be put on the board and, with a
// console, how long each key took until the screen had answered.
func storm(b *testing.B, console bool) (waits, keys []time.Duration) {
	board := realBoard(b)
	var feeds [stormSessions]feed
	var calls [stormSessions][]string
	for i := range feeds {
		feeds[i] = feed{board: board, session: i}
		calls[i] = feeds[i].populate(time.Now(), 10000/stormSessions)
	}
	var x *terminal
	if console {
		x = openTerminal(b, 160, 45, func(o *Options) { o.Board = board })
		defer x.end()
		x.until(func(screen string) bool { return strings.Contains(screen, "10,000 meetings") })
	}
	var all [stormSessions][]time.Duration
	var producers sync.WaitGroup
	from := time.Now()
	for i := range feeds {
		producers.Go(func() {
			const n = stormPerEach * int(stormFor/time.Second)
			for k := range n {
				// Who is late catches up.
				time.Sleep(time.Until(from.Add(time.Duration(k) * time.Second / stormPerEach)))
				call := calls[i][k/2*7919%len(calls[i])]
				before := time.Now()
				feeds[i].stir(before, call, k%2 == 0)
				all[i] = append(all[i], time.Since(before))
			}
		})
	}
	over := make(chan struct{})
	go func() { producers.Wait(); close(over) }()
	if console {
		keys = x.helpUntil(over)
	}
	<-over
	return slices.Concat(all[:]...), keys
}

// helpUntil opens and closes the help until something is over, and returns how
// long each key took until the screen had answered.
func (x *terminal) helpUntil(over <-chan struct{}) (took []time.Duration) {
	tick := time.NewTicker(97 * time.Millisecond)
	defer tick.Stop()
	for open := true; ; open = !open {
		select {
		case <-tick.C:
		case <-over:
			return took
		}
		from := time.Now()
		fmt.Fprint(x.keys, "?")
		x.until(func(screen string) bool { return strings.Contains(screen, "Keys that work here") == open })
		took = append(took, time.Since(from))
	}
}

// until waits for the screen on the real clock.
func (x *terminal) until(there func(screen string) bool) {
	x.t.Helper()
	late := time.After(10 * time.Second)
	for !there(x.screen()) {
		select {
		case <-x.wrote:
		case <-late:
			x.t.Fatalf("never so on the screen:\n%s", x.screen())
		}
	}
}
