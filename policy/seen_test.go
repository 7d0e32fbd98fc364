package policy

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSeen(t *testing.T) {
	for _, tc := range []struct {
		name  string
		add   []int64
		again []int64 // of these, which are not new
		gap   int64
		high  int64
		hole  span
		ok    bool
	}{
		{"nothing", nil, nil, 0, -1, span{}, false},
		{"from 0", []int64{0, 1, 2}, []int64{0, 2}, 0, 2, span{}, false},
		{"backwards", []int64{2, 1, 0}, []int64{0, 1, 2}, 0, 2, span{}, false},
		{"from 5", []int64{5, 6}, []int64{5}, 5, 6, span{0, 4}, true},
		{"a hole", []int64{0, 1, 4}, []int64{1, 4}, 4, 4, span{2, 3}, true},
		{"a hole filled", []int64{0, 1, 4, 2, 3}, []int64{2, 3, 4}, 0, 4, span{}, false},
		{"a hole filled backwards", []int64{0, 1, 4, 3, 2}, []int64{2, 3, 4}, 0, 4, span{}, false},
		{"two holes", []int64{0, 2, 4}, []int64{2}, 4, 4, span{3, 3}, true},
		{"the upper of two filled", []int64{0, 2, 4, 3}, []int64{3}, 2, 4, span{1, 1}, true},
		{"below all", []int64{7, 3}, []int64{3, 7}, 7, 7, span{4, 6}, true},
		{"far ahead", []int64{0, 1 << 61, 1}, []int64{1}, 1 << 61, 1 << 61, span{2, 1<<61 - 1}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s seen
			for _, i := range tc.add {
				if !s.add(i) {
					t.Errorf("%d is not new", i)
				}
			}
			for _, i := range tc.again {
				if s.add(i) {
					t.Errorf("%d is new again", i)
				}
			}
			if hole, ok := s.hole(); s.gap() != tc.gap || s.high() != tc.high || hole != tc.hole || ok != tc.ok {
				t.Errorf("gap %d, high %d, hole %v %t", s.gap(), s.high(), hole, ok)
			}
		})
	}
}

// TestSeenIsASet compares with a map.
func TestSeenIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s seen
		model := map[int64]bool{}
		high := int64(-1)
		for _, i := range rapid.SliceOf(rapid.Int64Range(0, 60)).Draw(t, "indexes") {
			if fresh := s.add(i); fresh == model[i] {
				t.Fatalf("%d: new %t", i, fresh)
			}
			model[i], high = true, max(high, i)
			gap := int64(0)
			for j := high; j >= 0 && gap == 0; j-- {
				if !model[j] {
					gap = j + 1
				}
			}
			if s.high() != high || s.gap() != gap {
				t.Fatalf("high %d and gap %d, want %d and %d", s.high(), s.gap(), high, gap)
			}
			if _, ok := s.hole(); ok != (gap > 0) {
				t.Fatalf("a hole %t with gap %d", ok, gap)
			}
			for k, sp := range s.spans {
				if sp.lo > sp.hi || k > 0 && s.spans[k-1].hi+1 >= sp.lo {
					t.Fatalf("spans %v", s.spans)
				}
			}
		}
	})
}

// TestSeenIsBounded: what is forgotten is the lowest, and may come twice.
func TestSeenIsBounded(t *testing.T) {
	for _, back := range []bool{false, true} {
		var s seen
		const n = maxSpans + 1000
		for k := range int64(n) {
			i := 2 * k
			if back {
				i = 2 * (n - k)
			}
			if !s.add(i) {
				t.Fatalf("%d is not new", i)
			}
		}
		if len(s.spans) > maxSpans {
			t.Errorf("%d spans", len(s.spans))
		}
		if s.add(s.high()) {
			t.Error("the highest is new again")
		}
	}
}
