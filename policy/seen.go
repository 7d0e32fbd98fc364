package policy

import "slices"

// maxSpans bounds a seen set. Real sessions hold one span, or a few while
// records are under way; only a hostile sender makes thousands.
const maxSpans = 4096

// span is a range of indexes, both ends included.
type span struct{ lo, hi int64 }

// seen is a set of record indexes, kept as ascending spans that do not touch.
// Membership is exact: one bogus index far ahead makes no other record a
// duplicate. Beyond maxSpans the lowest span is forgotten, so that at worst an
// old record is applied twice, which can only make a level worse.
type seen struct{ spans []span }

// add puts i into the set and reports whether it was new.
func (s *seen) add(i int64) bool {
	n := len(s.spans)
	if n > 0 && s.spans[n-1].hi+1 == i { // the usual case: the next one
		s.spans[n-1].hi = i
		return true
	}
	// The first span that ends at i-1 or later is the only one i can touch from above.
	at, _ := slices.BinarySearchFunc(s.spans, i, func(sp span, i int64) int {
		if sp.hi < i-1 {
			return -1
		}
		return 1
	})
	if at == n {
		s.spans = append(s.spans, span{i, i})
		if len(s.spans) > maxSpans {
			s.spans = slices.Delete(s.spans, 0, 1)
		}
		return true
	}
	sp := &s.spans[at]
	switch {
	case i >= sp.lo && i <= sp.hi:
		return false
	case i == sp.hi+1:
		sp.hi = i
		if at+1 < n && s.spans[at+1].lo == i+1 {
			sp.hi = s.spans[at+1].hi
			s.spans = slices.Delete(s.spans, at+1, at+2)
		}
	case i == sp.lo-1:
		sp.lo = i
	default:
		s.spans = slices.Insert(s.spans, at, span{i, i})
		if len(s.spans) > maxSpans {
			s.spans = slices.Delete(s.spans, 0, 1)
		}
	}
	return true
}

// cut takes out whatever is at an index or above, and reports whether there was
// anything.
func (s *seen) cut(at int64) bool {
	n := len(s.spans)
	if n == 0 || s.spans[n-1].hi < at {
		return false
	}
	for n > 0 && s.spans[n-1].lo >= at {
		n--
	}
	s.spans = s.spans[:n]
	if n > 0 && s.spans[n-1].hi >= at {
		s.spans[n-1].hi = at - 1
	}
	return true
}

// gap is the first index of the last span: below it something is missing, above
// it nothing is. It is 0 when nothing is missing at all.
func (s *seen) gap() int64 {
	if n := len(s.spans); n > 0 {
		return s.spans[n-1].lo
	}
	return 0
}

// high is the highest index seen, or -1.
func (s *seen) high() int64 {
	if n := len(s.spans); n > 0 {
		return s.spans[n-1].hi
	}
	return -1
}

// hole is the last run of missing indexes; ok is false when nothing is missing.
func (s *seen) hole() (sp span, ok bool) {
	n := len(s.spans)
	switch {
	case n == 0 || s.spans[n-1].lo == 0:
		return span{}, false
	case n == 1:
		return span{0, s.spans[0].lo - 1}, true
	}
	return span{s.spans[n-2].hi + 1, s.spans[n-1].lo - 1}, true
}
