package policy

import (
	"testing"
	"time"
)

// Whoever tells the board the time may do so seldom while nothing waits for it,
// and must not while something does.
func TestTickWaits(t *testing.T) {
	waits := func(f *fixture, want bool) {
		f.t.Helper()
		if got := f.Tick(f.now); got != want {
			f.t.Fatalf("something waits: %v, want %v", got, want)
		}
	}
	t.Run("override", func(t *testing.T) {
		f := newFixture(t, Options{}).confirmed(cms1)
		waits(f, false)
		f.send(callStart("c", "k"), join("a", "c", room))
		waits(f, false)
		f.override("k", Override{Kind: ForceLevel, Level: Level3, Until: f.now.Add(time.Minute), Who: "o"})
		waits(f, true)
		f.pass(2 * time.Minute)
		waits(f, false)
	})
	t.Run("unverified", func(t *testing.T) {
		f := newFixture(t, Options{}).confirmed(cms1)
		f.send(callStart("c", "k"), join("a", "c", room))
		f.lose()
		waits(f, true)
		f.pass(time.Hour) // it counts as level 3 by now
		f.shown("k", Level3)
		waits(f, false)
	})
	t.Run("hold", func(t *testing.T) {
		f := newFixture(t, Options{LowerAfter: 2 * time.Second}).confirmed(cms1)
		f.send(callStart("c", "k"), join("a", "c", staff), join("b", "c", room))
		f.send(legEnd("a"))
		waits(f, true)
		f.pass(3 * time.Second)
		f.shown("k", Level1)
		waits(f, false)
	})
	t.Run("duration", func(t *testing.T) {
		f := newFixture(t, Options{Duration: time.Minute}).confirmed(cms1)
		waits(f, false)
		f.send(callStart("c", "k"), join("a", "c", room))
		waits(f, true)
	})
	t.Run("sender that names no Call Bridge", func(t *testing.T) {
		f := newFixture(t, Options{}).other("s", "")
		f.send(callStart("c", "k"), join("a", "c", room))
		waits(f, true)
	})
}
