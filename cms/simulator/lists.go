package simulator

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
)

// SetPageCap sets the most elements in one page of a list from now on; 0: what
// Options says. It ends what VaryPageCap began.
func (b *Bridge) SetPageCap(n int) {
	defer b.lock()()
	b.pageCap = cmp.Or(max(0, n), b.defaultCap)
	b.varyCap = false
}

// VaryPageCap gives each page another cap, from 1 to most. SetPageCap ends it.
func (b *Bridge) VaryPageCap(most int) {
	defer b.lock()()
	b.pageCap = max(1, most)
	b.varyCap = true
}

// ShuffleLists with on turns every list by a random amount at each request: its
// first elements come last. Who reads a list page by page gets some elements
// twice and others never, although nothing changed.
func (b *Bridge) ShuffleLists(on bool) {
	defer b.lock()()
	b.shuffle = on
}

// LatestFirst with on lists the calls and legs that changed last first, instead
// of the oldest: one that changes between two pages moves to the front, and who
// has read the front misses it, although total stays. A call changes when it
// starts, gets a leg, loses one or is written; a leg with each of its records.
func (b *Bridge) LatestFirst(on bool) {
	defer b.lock()()
	b.latestFirst = on
}

// OnRequest has f called before each request is performed, past the faults that
// keep it from being performed, with the path in lower case; nil: nothing is. f
// may do anything to the cluster but Close it: end a leg between two pages, say.
// It is called from many goroutines.
func (b *Bridge) OnRequest(f func(method, path string, query url.Values)) {
	defer b.lock()()
	b.onRequest = f
}

// list answers with one page of a list whose elements item writes.
func list[T any](b *Bridge, r request, name string, items []T, item func(*document, T), attrs ...string) answer {
	most := b.pageCap
	if b.varyCap {
		most = 1 + b.rng.IntN(most)
	}
	offset, problem := number(r.form, "offset", 0)
	if problem != "" {
		return parameterError("offset", problem)
	}
	limit, problem := number(r.form, "limit", most)
	if problem != "" {
		return parameterError("limit", problem)
	}
	n, turn := len(items), 0
	if b.shuffle && n > 1 {
		turn = b.rng.IntN(n)
	}
	d := newDocument().begin(name, append([]string{"total", strconv.Itoa(n)}, attrs...)...)
	from := min(offset, n)
	for i := from; i < min(from+min(limit, most), n); i++ {
		item(d, items[(i+turn)%n])
	}
	return xmlAnswer(d)
}

// number reads a parameter that is a number from 0 on.
func number(form url.Values, name string, def int) (n int, problem string) {
	if !form.Has(name) {
		return def, ""
	}
	n, err := strconv.Atoi(form.Get(name))
	if err != nil || n < 0 {
		return 0, "valueError"
	}
	return n, ""
}

// latest returns the elements in the order of LatestFirst; they come oldest
// first.
func latest[T any](items []T, changed func(T) uint64) []T {
	items = slices.Clone(items)
	slices.SortFunc(items, func(x, y T) int { return cmp.Compare(changed(y), changed(x)) })
	return items
}

// change is the number of the next change on the Call Bridge, for LatestFirst.
func (b *Bridge) change() uint64 {
	b.changes++
	return b.changes
}
