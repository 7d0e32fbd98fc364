package ui

import "slices"

// lead is what an order goes by first: a number, and among those of the same
// number a text, of which ASCII letters' case is ignored. The order itself
// decides what these leave open, and must agree with them.
type lead struct {
	n     uint64
	text  string
	whole bool // the order looks at nothing else, and so leaves the rest to the key
}

// sortItem is a row with its lead and its key, the beginnings of both texts in a
// word each, as digits of one long number.
type sortItem struct {
	words [3]uint64 // the last is the first to go by: key, text, number
	row   int32     // where it was
	done  bool      // the words say all
}

// resort puts all rows into order anew. Comparing ten thousand rows with each
// other takes several milliseconds, most of it waiting for memory. So rows are
// sorted by the digits of their leads, and only those are compared that these
// leave equal.
func (t *table[K, R]) resort() {
	get, down := t.lead, t.reverse
	if t.by >= 0 {
		col := &t.columns[t.by]
		get, down = col.lead, col.desc != t.reverse
	}
	if get == nil || t.grouping != nil || len(t.all) < 2 {
		slices.SortFunc(t.all, t.compare)
		return
	}
	keyText := t.keyText
	if keyText == nil {
		keyText = func(K) string { return "" }
	}
	// What all texts begin with tells nothing: the eight letters after it do.
	leads := make([]lead, len(t.all))
	keys := make([]string, len(t.all))
	same, sameKey := 0, 0
	for i, x := range t.all {
		leads[i], keys[i] = get(x.val), keyText(x.key)
		if i == 0 {
			same, sameKey = len(leads[0].text), len(keys[0])
		}
		same = sameLetters(leads[0].text, leads[i].text, same, lower)
		sameKey = sameLetters(keys[0], keys[i], sameKey, exactly)
	}
	items := make([]sortItem, len(t.all))
	for i := range items {
		n, text := leads[i].n, eightLetters(leads[i].text, same, lower)
		if down {
			n, text = ^n, ^text
		}
		items[i] = sortItem{
			words: [3]uint64{eightLetters(keys[i], sameKey, exactly), text, n}, row: int32(i),
			done: leads[i].whole && len(leads[i].text) <= same+8 && t.keyText != nil,
		}
	}
	items = radix(items)
	before := slices.Clone(t.all)
	for i := range items {
		t.all[i] = before[items[i].row]
	}
	t.settleTies(items)
}

// settleTies compares the rows of each run that the words leave open.
func (t *table[K, R]) settleTies(items []sortItem) {
	for from := 0; from < len(items); {
		open := !items[from].done
		to := from + 1
		for ; to < len(items) && items[to].words[1] == items[from].words[1] && items[to].words[2] == items[from].words[2]; to++ {
			open = open || !items[to].done || items[to].words[0] == items[to-1].words[0]
		}
		if open && to-from > 1 {
			slices.SortFunc(t.all[from:to], t.compare)
		}
		from = to
	}
}

// radix sorts by the words, byte by byte from the least, and leaves bytes out
// that are all the same.
func radix(items []sortItem) []sortItem {
	var counts [3][8][256]int32
	for i := range items {
		for w, word := range items[i].words {
			for b := range 8 {
				counts[w][b][byte(word>>(8*b))]++
			}
		}
	}
	other := make([]sortItem, len(items))
	for w := range counts {
		for b := range counts[w] {
			at := &counts[w][b]
			if at[byte(items[0].words[w]>>(8*b))] == int32(len(items)) {
				continue
			}
			next := int32(0)
			for d, n := range at {
				at[d], next = next, next+n
			}
			for i := range items {
				d := byte(items[i].words[w] >> (8 * b))
				other[at[d]] = items[i]
				at[d]++
			}
			items, other = other, items
		}
	}
	return items
}

// lower is an ASCII letter in lower case, any other byte as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func exactly(c byte) byte { return c }

// sameLetters is how many bytes, up to most, two texts begin alike.
func sameLetters(a, b string, most int, as func(byte) byte) int {
	most = min(most, len(a), len(b))
	for i := range most {
		if as(a[i]) != as(b[i]) {
			return i
		}
	}
	return most
}

// eightLetters packs eight bytes of a text, so that numbers are ordered as the
// texts are.
func eightLetters(s string, from int, as func(byte) byte) uint64 {
	var n uint64
	for i := from; i < from+8; i++ {
		n <<= 8
		if i < len(s) {
			n |= uint64(as(s[i]))
		}
	}
	return n
}
