package ui

import (
	"maps"
	"slices"
	"strings"
)

// filter is what an operator typed after /: words that all must occur, "!"
// before a word that must not, and field:value for one field only. Letters'
// case does not matter.
type filter struct {
	text  string
	terms []filterTerm
	odd   []filterTerm // terms whose field is not known; they are looked for as words
}

type filterTerm struct {
	not   bool
	field string // empty: any
	word  string
}

// schemes stand before a colon in addresses: no field is meant by them.
var schemes = []string{"sip", "sips", "tel", "h323", "http", "https", "mailto"}

// parseFilter reads a filter. fields are the names that may stand before a
// colon; anything else with a colon in it is a word, as addresses have them.
func parseFilter(text string, fields func(name string) bool) filter {
	f := filter{text: text}
	for _, word := range strings.Fields(strings.ToLower(text)) {
		t := filterTerm{word: word}
		if rest, ok := strings.CutPrefix(word, "!"); ok {
			t.not, t.word = true, rest
		}
		if name, value, ok := strings.Cut(t.word, ":"); ok && fields(name) {
			t.field, t.word = name, value
		} else if ok && value != "" && isWord(name) && !slices.Contains(schemes, name) {
			f.odd = append(f.odd, filterTerm{t.not, name, value})
		}
		// A term that is still being typed keeps nothing out.
		if t.word != "" {
			f.terms = append(f.terms, t)
		}
	}
	return f
}

// isWord reports whether a text is letters alone, as the names of fields are.
func isWord(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return s != ""
}

// lowered is a text in lower case. Most texts are ASCII, for which one copy will
// do.
func lowered(b []byte) string {
	for i, c := range b {
		if c >= 0x80 {
			return strings.ToLower(string(b))
		}
		b[i] = lower(c)
	}
	return string(b)
}

// complaint says what in a table's filter cannot mean what was meant, if
// anything: a field that there is not, or a value that a field never has.
func (t *table[K, R]) complaint() string {
	for _, x := range t.filter.odd {
		return "there is no field " + x.field + " here: " + strings.Join(slices.Sorted(maps.Keys(t.fields)), ", ")
	}
	for _, x := range t.filter.terms {
		known := t.values[x.field]
		if known == nil || slices.ContainsFunc(known, func(v string) bool { return strings.HasPrefix(v, x.word) }) {
			continue
		}
		return x.field + " is never " + x.word + ": " + strings.Join(known, ", ")
	}
	return ""
}

// matches reports whether a row passes. text is the row in lower case; field
// answers whether the row has a value in a field.
func (f filter) matches(text string, field func(name, value string) bool) bool {
	for _, t := range f.terms {
		var has bool
		if t.field != "" {
			has = field(t.field, t.word)
		} else {
			has = strings.Contains(text, t.word)
		}
		if has == t.not {
			return false
		}
	}
	return true
}
