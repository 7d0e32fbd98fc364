package main

import (
	"runtime/debug"
	"testing"
)

// Little that is alive may double, much may grow by a fixed number of bytes, and
// very much by a part that keeps the collector from running all the time.
func TestPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 1 << 20: 100, growth: 100, 2 * growth: 50, 80 << 20: 30, 1 << 30: leastGrowth} {
		if got := percentFor(live); got != want {
			t.Errorf("%d bytes alive may grow by %d %%, want %d", live, got, want)
		}
	}
}

// GOGC is the administrator's word.
func TestCollectorLeavesGOGC(t *testing.T) {
	now := debug.SetGCPercent(100)
	defer debug.SetGCPercent(now)
	t.Setenv("GOGC", "70")
	c := newCollector()
	c.percent = 1
	c.look()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("it was set to %d", got)
	}
}
