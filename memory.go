package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// The collector runs when the heap has grown by a part of what is alive. Where
// little is alive it would run for every few megabytes, where much is alive
// twice of that would be resident: so growth is a number of bytes, within
// limits. With 100,000 legs alive that takes the resident memory from 2.9 to
// 1.9 times the heap; with few legs nothing changes.
const (
	growth      = 24 << 20
	leastGrowth = 25  // percent: below, the collector would run all the time
	mostGrowth  = 100 // percent: Go's default
)

// collector sets how often memory is collected, unless GOGC does.
type collector struct {
	live    []metrics.Sample
	percent int
	fixed   bool // by GOGC
}

func newCollector() *collector {
	_, fixed := os.LookupEnv("GOGC")
	return &collector{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, percent: mostGrowth, fixed: fixed}
}

// look follows what is alive. Setting the percentage stops the program for a
// moment, so small changes are left alone.
func (c *collector) look() {
	if c.fixed {
		return
	}
	metrics.Read(c.live)
	percent := percentFor(c.live[0].Value.Uint64())
	if diff := percent - c.percent; diff <= -10 || diff >= 10 || percent != c.percent && (percent == leastGrowth || percent == mostGrowth) {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}

func percentFor(live uint64) int {
	if live == 0 {
		return mostGrowth
	}
	return int(min(max(growth*100/live, leastGrowth), mostGrowth))
}
