package policy

import (
	"testing"
	"time"
)

// A worse level is shown at once, a better one when it has lasted.
func TestHold(t *testing.T) {
	type step struct {
		after time.Duration // since the step before
		leg   Level         // what the computed level becomes
		want  Level         // shown
	}
	const s = time.Second
	for _, tc := range []struct {
		name  string
		after time.Duration
		steps []step
	}{
		{"off", 0, []step{{0, 3, 3}, {0, 1, 1}, {0, 0, 0}}},
		{"worse at once", 10 * s, []step{{0, 1, 1}, {s, 2, 2}, {0, 3, 3}}},
		{"better after a while", 10 * s, []step{{0, 3, 3}, {s, 1, 3}, {9 * s, 1, 3}, {s, 1, 1}}},
		{"a flapping line", 10 * s, []step{{0, 3, 3}, {s, 1, 3}, {9 * s, 3, 3}, {s, 1, 3}, {9 * s, 1, 3}, {s, 1, 1}}},
		{"step by step", 10 * s, []step{{0, 3, 3}, {s, 2, 3}, {5 * s, 1, 3}, {5 * s, 1, 2}, {5 * s, 1, 1}}},
		{"worse than what it fell to, not than what is shown", 10 * s, []step{{0, 3, 3}, {s, 1, 3}, {5 * s, 2, 3}, {5 * s, 2, 2}}},
		{"nobody is better than anybody", 10 * s, []step{{0, 2, 2}, {s, 0, 2}, {10 * s, 0, 0}, {0, 2, 2}}},
	} {
		f := newFixture(t, Options{LowerAfter: tc.after})
		f.send(callStart("c", ""))
		was := LevelNone
		for i, st := range tc.steps {
			f.pass(st.after)
			if st.leg != was {
				f.level(st.leg)
				was = st.leg
			}
			if v := f.meeting("call:c"); v.Shown != st.want {
				t.Errorf("%s, step %d: computed %s, shown %s, want %s", tc.name, i, v.Computed, v.Shown, st.want)
			}
		}
	}
}

// Holding is no falling while unverified, and no overdue one is held back.
func TestHoldUnverified(t *testing.T) {
	f := newFixture(t, Options{LowerAfter: 2 * time.Second})
	f.send(callStart("c", "k"), join("a", "c", staff), join("b", "c", room))
	f.index++
	f.send(legEnd("a"))
	f.computed("k", Level1)
	f.pass(3 * time.Second)
	f.shown("k", Level2)
	f.pass(2 * time.Second)
	f.shown("k", Level3)
}
