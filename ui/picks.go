package ui

// Rows can be picked, for one action on all of them. Picks are kept by key, as
// the cursor is: they survive another order and a filter, and go with the row.

// pick picks the row under the cursor, or takes that back, and moves on. It
// reports whether there was one.
func (t *table[K, R]) pick() bool {
	if t.cursor == nil {
		return false
	}
	k := t.cursor.key
	if _, on := t.picked[k]; on {
		delete(t.picked, k)
	} else {
		if t.picked == nil {
			t.picked = map[K]struct{}{}
		}
		t.picked[k] = struct{}{}
	}
	t.move(1)
	return true
}

// picks returns the keys of the rows that are picked, in order.
func (t *table[K, R]) picks() []K {
	if len(t.picked) == 0 {
		return nil
	}
	out := make([]K, 0, len(t.picked))
	for _, x := range t.all {
		if _, on := t.picked[x.key]; on {
			out = append(out, x.key)
		}
	}
	return out
}

// unpick takes picks back; without keys, all.
func (t *table[K, R]) unpick(keys ...K) {
	if len(keys) == 0 {
		clear(t.picked)
	}
	for _, k := range keys {
		delete(t.picked, k)
	}
}

// pickedLen is how many rows are picked.
func (t *table[K, R]) pickedLen() int { return len(t.picked) }

// hiddenPicks is how many of them the filter hides.
func (t *table[K, R]) hiddenPicks() int {
	if len(t.picked) == 0 || len(t.filter.terms) == 0 {
		return 0
	}
	n := 0
	for k := range t.picked {
		if x := t.rows[k]; x != nil && !t.isShown(x) {
			n++
		}
	}
	return n
}
