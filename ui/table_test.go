package ui

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

type item struct {
	id, name string
	n        int
}

func newItems(all ...item) *table[string, item] {
	t := &table[string, item]{
		key:   func(x item) string { return x.id },
		same:  func(a, b item) bool { return a == b },
		order: func(a, b item) int { return cmp.Compare(b.n, a.n) },
		text:  func(x item) string { return x.name },
		fields: map[string]func(item, string) bool{
			"n": func(x item, s string) bool { return fmt.Sprint(x.n) == s },
		},
		columns: []column[item]{
			{title: "Name", min: 6, want: 8, text: func(x item, _ int) string { return x.name }, order: func(a, b item) int { return cmp.Compare(a.name, b.name) }},
			{title: "N", min: 3, max: 3, rank: 2, right: true, text: func(x item, _ int) string { return fmt.Sprint(x.n) }, order: func(a, b item) int { return cmp.Compare(a.n, b.n) }, desc: true},
			{title: "ID", min: 4, max: 6, rank: 6, text: func(x item, _ int) string { return x.id }},
		},
	}
	t.init()
	t.update(all, nil)
	return t
}

func (t *table[K, R]) keys() []K {
	var out []K
	for _, x := range t.shown {
		out = append(out, x.key)
	}
	return out
}

func drawn[R any](t *table[string, R], w, h int) string {
	c := &canvas{}
	c.reset(w, h)
	p, g := newPalette(true), newGlyphs(true)
	t.draw(c, h, &p, &g)
	return ansi.Strip(string(c.buf))
}

func wantKeys(t *testing.T, got []string, want string) {
	t.Helper()
	if s := strings.Join(got, " "); s != want {
		t.Errorf("rows %q, want %q", s, want)
	}
}

func TestTableOrder(t *testing.T) {
	x := newItems(item{"c", "one", 1}, item{"a", "two", 1}, item{"b", "three", 9})
	wantKeys(t, x.keys(), "b a c") // ties by key
	x.turnAround()
	wantKeys(t, x.keys(), "a c b") // ties by key still
	drawn(x, 40, 5)
	x.sortNext()
	wantKeys(t, x.keys(), "c b a")
	x.turnAround()
	wantKeys(t, x.keys(), "a b c")
	x.sortNext()
	if x.sorting() != "n" {
		t.Errorf("sorted by %q", x.sorting())
	}
	wantKeys(t, x.keys(), "b a c")
	x.sortNext() // ID has no order
	if x.sorting() != "" {
		t.Errorf("sorted by %q", x.sorting())
	}
}

// TestTableAgainstModel compares a table that changes by and by with one that
// is sorted anew.
func TestTableAgainstModel(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		x := newItems()
		have := map[string]item{}
		for range 60 {
			var changed []item
			var gone []string
			for range r.IntN(20) {
				id := fmt.Sprint(r.IntN(60))
				it := item{id, fmt.Sprint("name", r.IntN(9)), r.IntN(5)}
				changed = append(changed, it)
			}
			for range r.IntN(6) {
				gone = append(gone, fmt.Sprint(r.IntN(60)))
			}
			gone = slices.DeleteFunc(gone, func(id string) bool {
				return slices.ContainsFunc(changed, func(c item) bool { return c.id == id })
			})
			for _, c := range changed {
				have[c.id] = c
			}
			for _, id := range gone {
				delete(have, id)
			}
			before, hadBefore := x.selected()
			switch r.IntN(4) {
			case 0:
				var all []item
				for _, it := range have {
					all = append(all, it)
				}
				x.replace(all)
			default:
				x.update(changed, gone)
			}
			if after, ok := x.selected(); ok && hadBefore && after.id != before.id {
				t.Fatalf("seed %d: a refresh moved the cursor from %q to %q", seed, before.id, after.id)
			}
			switch r.IntN(8) {
			case 0:
				x.sortBy(r.IntN(3)-1, r.IntN(2) == 0)
				if x.by == 2 {
					x.sortBy(-1, false)
				}
			case 1:
				x.setFilter([]string{"", "name1", "!name2", "n:3"}[r.IntN(4)])
			case 2:
				x.move(r.IntN(9) - 4)
			}
			var want []*row[string, item]
			for _, it := range have {
				w := &row[string, item]{key: it.id, val: it}
				if x.passes(w) {
					want = append(want, w)
				}
			}
			slices.SortFunc(want, x.compare)
			if len(want) != len(x.shown) || len(have) != len(x.all) || len(have) != len(x.rows) {
				t.Fatalf("seed %d: %d rows of %d, want %d of %d", seed, len(x.shown), len(x.all), len(want), len(have))
			}
			for i := range want {
				if want[i].val != x.shown[i].val {
					t.Fatalf("seed %d: row %d is %v, want %v", seed, i, x.shown[i].val, want[i].val)
				}
			}
			if x.cursor != nil && x.shown[x.at] != x.cursor {
				t.Fatalf("seed %d: the cursor is not where it is drawn", seed)
			}
			drawn(x, 10+r.IntN(40), r.IntN(12))
		}
	}
}

func TestTableCursorStaysByKey(t *testing.T) {
	x := newItems(item{"a", "a", 3}, item{"b", "b", 2}, item{"c", "c", 1})
	x.move(1)
	x.update([]item{{"x", "x", 9}, {"y", "y", 8}}, nil)
	if r, _ := x.selected(); r.id != "b" {
		t.Errorf("selected %q", r.id)
	}
	// The row under the cursor goes: none is selected until a move.
	x.update(nil, []string{"b"})
	if r, ok := x.selected(); ok {
		t.Errorf("selected %q after its row went", r.id)
	}
	if s := drawn(x, 30, 6); strings.Contains(s, ">") {
		t.Errorf("a cursor is drawn:\n%s", s)
	}
	x.update([]item{{"z", "z", 2}}, nil)
	if _, ok := x.selected(); ok {
		t.Error("a new row was selected by itself")
	}
	x.move(1)
	if r, _ := x.selected(); r.id != "z" {
		t.Errorf("down selects %q, want what took the place", r.id)
	}
	x.update(nil, []string{"a", "c", "x", "y", "z"})
	x.update([]item{{"n", "n", 1}}, nil)
	if r, _ := x.selected(); r.id != "n" {
		t.Errorf("selected %q in a table that was empty", r.id)
	}
}

func TestTableScroll(t *testing.T) {
	var all []item
	for i := range 100 {
		all = append(all, item{fmt.Sprintf("%03d", i), fmt.Sprint("row ", i), -i})
	}
	x := newItems(all...)
	if s := drawn(x, 30, 11); !strings.Contains(s, "> row 0 ") || strings.Contains(s, "row 10") {
		t.Errorf("top:\n%s", s)
	}
	x.turn(1)
	x.turn(1)
	if s := drawn(x, 30, 11); !strings.Contains(s, "> row 20") {
		t.Errorf("two pages down:\n%s", s)
	}
	x.jump(true)
	if s := drawn(x, 30, 11); !strings.Contains(s, "> row 99") || !strings.Contains(s, "row 90") {
		t.Errorf("end:\n%s", s)
	}
	// Rows that come in above leave the cursor's line where it is.
	x.move(-5)
	before := drawn(x, 30, 11)
	x.update([]item{{"new1", "new", 5}, {"new2", "new", 6}}, nil)
	if after := drawn(x, 30, 11); after != before {
		t.Errorf("the view moved:\n%s\n%s", before, after)
	}
	x.jump(false)
	if s := drawn(x, 30, 4); !strings.Contains(s, "> new") {
		t.Errorf("home:\n%s", s)
	}
}

func TestTableColumns(t *testing.T) {
	x := newItems(item{"id-1", "日本語の会議室", 7}, item{"id-2", "short", 12345})
	for w, want := range map[int]string{
		40: "  Name                          N ID",
		19: "  Name       N ID",
		12: "  Name     N",
		9:  "  Name", // the last resort
	} {
		s := drawn(x, w, 3)
		if line, _, _ := strings.Cut(s, "\n"); strings.TrimRight(line, " ") != want {
			t.Errorf("at %d: %q, want %q", w, line, want)
		}
		for l := range strings.Lines(s) {
			if n := ansi.StringWidth(strings.TrimRight(l, "\n")); n > w {
				t.Errorf("at %d: %d cells in %q", w, n, l)
			}
		}
	}
	if s := drawn(x, 12, 3); !strings.Contains(s, "日本..") || !strings.Contains(s, "1..") {
		t.Errorf("cut:\n%s", s)
	}
}

func TestFilter(t *testing.T) {
	fields := func(name string) bool { return name == "level" }
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"", true},
		{"cabinet", true},
		{"CABINET brief", true},
		{"cabinet budget", false},
		{"!budget", true},
		{"!cabinet", false},
		{"level:3", true},
		{"!level:3", false},
		{"level:1", false},
		{"sip:anna", true}, // no field: a word
		{"!", true},        // still being typed
		{"level:", true},
	} {
		f := parseFilter(c.filter, fields)
		got := f.matches("cabinet briefing\nsip:anna@corp.example", func(_, v string) bool { return v == "3" })
		if got != c.want {
			t.Errorf("%q: %v, want %v", c.filter, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"\x1b[31mred\x1b[m":        "[31mred[m",
		"a\u202eb\u200fc\r\nd":     "abcd",
		"zero\u200bwidth\ufe0f":    "zerowidth",
		"Ünïcode 日本":               "Ünïcode 日本",
		"\u009b31mC1":              "31mC1",
		"tag\U000E0041":            "tag",
		"\x1b]8;;http://x\x07link": "]8;;http://xlink",
	} {
		if got := safe(in); got != want {
			t.Errorf("safe(%q) = %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"abcdef", 4, "abc…"}, {"abcdef", 6, "abcdef"}, {"日本語", 4, "日…"}, {"日本語", 5, "日本…"}, {"abc", 1, "…"}, {"abc", 0, ""},
	} {
		if got := cut(c.in, c.w, "…"); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
		if n := width(string(appendFit(nil, c.in, c.w, false, "…"))); n != c.w {
			t.Errorf("appendFit(%q, %d) is %d wide", c.in, c.w, n)
		}
	}
	if got := cut("abcdef", 1, ".."); len(got) > 1 {
		t.Errorf("cut to one cell: %q", got)
	}
}

// TestRefreshKeepsOrder: a change of a few rows of many compares those few with
// some of the others, and sorts nothing.
func TestRefreshKeepsOrder(t *testing.T) {
	x := newItems()
	compared, led := 0, 0
	x.order = func(a, b item) int { compared++; return cmp.Compare(b.n, a.n) }
	x.lead = func(r item) lead { led++; return lead{n: uint64(1e6 - r.n), whole: true} }
	var all []item
	for i := range 10000 {
		all = append(all, item{fmt.Sprintf("%05d", i), "row", i * 7919 % 10000})
	}
	x.update(all, nil)
	if led != len(all) {
		t.Errorf("%d leads were looked at for the first order of %d", led, len(all))
	}
	compared, led = 0, 0
	var changed []item
	for i := range 100 {
		changed = append(changed, item{all[i*97].id, "row", i * 31 % 10000})
	}
	x.update(changed, nil)
	// Each is looked up in 10,000, 14 steps, and sorted among 100, 7 steps.
	if most := len(changed) * (14 + 2*7); compared > most || led > 0 {
		t.Errorf("%d comparisons for %d changes, want at most %d, and %d leads", compared, len(changed), most, led)
	}
	for i := 1; i < len(x.all); i++ {
		if x.compare(x.all[i-1], x.all[i]) >= 0 {
			t.Fatalf("row %d is out of order", i)
		}
	}
	// A filter needs no order either.
	compared = 0
	x.setFilter("row")
	if compared+led > 0 {
		t.Errorf("%d comparisons and %d leads for a filter", compared, led)
	}
}
