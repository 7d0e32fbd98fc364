package receiver

import (
	"cmp"
	"slices"
)

// Refusal is how often something was refused, since the receiver was made.
type Refusal struct {
	Cause  string // one of those in the package's documentation
	Source string // an address; "others" for those beyond the first 256 causes and sources
	Count  uint64
}

// refusals counts by cause and source. Nothing is forgotten and not much is
// kept: whoever comes with ever new addresses is counted as others.
type refusals map[line]uint64

func (r refusals) add(source string, why cause) {
	key := line{source, why}
	if _, ok := r[key]; !ok && len(r) >= maxSources {
		key.source = otherSources
	}
	r[key]++
}

func (r refusals) list() []Refusal {
	all := make([]Refusal, 0, len(r))
	for key, n := range r {
		all = append(all, Refusal{string(key.cause), key.source, n})
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Source, b.Source))
	})
	return all
}

// ByCause sums the refusals up, whoever was refused.
func (s Stats) ByCause() map[string]uint64 {
	sums := map[string]uint64{}
	for _, r := range s.Refusals {
		sums[r.Cause] += r.Count
	}
	return sums
}
