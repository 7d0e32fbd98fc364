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

// sortItem is a row with what it goes by, as digits of one long number.
type sortItem struct {
	words [2]uint64 // eight letters of a text, and the number that goes before it
	row   int32     // where it was
	open  bool      // against one alike, the order has more to say than the key
}

// fewRows are compared sooner than they are sorted by digits.
const fewRows = 32

// resort puts all rows into order anew. Comparing ten thousand rows with each
// other takes several milliseconds, most of it waiting for memory. So rows are
// sorted by the digits of their leads, then those of equal leads by the digits
// of their keys, and only those are compared that this leaves open. Each loop
// reads one thing of a row, so that the processor waits for many at a time.
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
	leads := make([]lead, len(t.all))
	for i, x := range t.all {
		leads[i] = get(x.val)
	}
	// What all texts begin with tells nothing: the eight letters after it do.
	same := len(leads[0].text)
	for i := range leads {
		same = sameLetters(leads[0].text, leads[i].text, same, lower)
	}
	items, spare := make([]sortItem, len(leads)), make([]sortItem, len(leads))
	for i := range items {
		l := &leads[i]
		words := [2]uint64{eightLetters(l.text, same, lower), l.n}
		if down {
			words[0], words[1] = ^words[0], ^words[1]
		}
		items[i] = sortItem{words, int32(i), !l.whole || len(l.text) > same+8}
	}
	before := slices.Clone(t.all)
	radix(items, spare)
	for i := range items {
		t.all[i] = before[items[i].row]
	}
	ties(items, func(from, to int) {
		rows, tied := t.all[from:to], items[from:to]
		if len(rows) < fewRows || t.keyText == nil || slices.ContainsFunc(tied, func(x sortItem) bool { return x.open }) {
			slices.SortFunc(rows, t.compare)
			return
		}
		same := len(t.keyText(rows[0].key))
		for _, x := range rows {
			same = sameLetters(t.keyText(rows[0].key), t.keyText(x.key), same, exactly)
		}
		for i, x := range rows {
			tied[i].words[0] = eightLetters(t.keyText(x.key), same, exactly)
		}
		radix(tied, spare[from:to])
		for i := range tied {
			rows[i] = before[tied[i].row]
		}
		ties(tied, func(from, to int) { slices.SortFunc(rows[from:to], t.compare) })
	})
}

// ties calls f for each run of items that are alike.
func ties(items []sortItem, f func(from, to int)) {
	for from, to := 0, 0; from < len(items); from = to {
		for to = from + 1; to < len(items) && items[to].words == items[from].words; to++ {
		}
		if to-from > 1 {
			f(from, to)
		}
	}
}

// radix sorts by the words, byte by byte from the least. Bytes that are all the
// same, as most are, cost nothing.
func radix(items, spare []sortItem) {
	var differ [2]uint64 // bits
	for i := range items {
		differ[0] |= items[i].words[0] ^ items[0].words[0]
		differ[1] |= items[i].words[1] ^ items[0].words[1]
	}
	from, to := items, spare
	for w := range differ {
		for shift := 0; shift < 64; shift += 8 {
			if byte(differ[w]>>shift) == 0 {
				continue
			}
			var at [256]int32
			for i := range from {
				at[byte(from[i].words[w]>>shift)]++
			}
			next := int32(0)
			for d, count := range at {
				at[d], next = next, next+count
			}
			for i := range from {
				d := byte(from[i].words[w] >> shift)
				to[at[d]] = from[i]
				at[d]++
			}
			from, to = to, from
		}
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
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
