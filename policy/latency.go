package policy

import "time"

// latencyBounds are the upper bounds of the classes that latencies are counted
// in. A second is among them: it is what a marking may take.
var latencyBounds = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
}

// LatencyBounds returns the upper bounds, inclusive, of the classes of Latencies
// but the last, which has none.
func LatencyBounds() []time.Duration { return append([]time.Duration(nil), latencyBounds[:]...) }

// Latencies counts how long something took, by class. It is a value: a copy
// keeps what it held.
type Latencies struct {
	Counts [len(latencyBounds) + 1]uint64 // not cumulative
	Sum    time.Duration
}

// Add counts one. What is negative, by clocks that were read in another order
// than they were set, counts as nothing.
func (l *Latencies) Add(d time.Duration) {
	d = max(d, 0)
	class := 0
	for class < len(latencyBounds) && d > latencyBounds[class] {
		class++
	}
	l.Counts[class]++
	l.Sum += d
}

// Total is how many were counted.
func (l *Latencies) Total() uint64 {
	total := uint64(0)
	for _, n := range l.Counts {
		total += n
	}
	return total
}
