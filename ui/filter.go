package ui

import "strings"

// filter is what an operator typed after /: words that all must occur, "!"
// before a word that must not, and field:value for one field only. Letters'
// case does not matter.
type filter struct {
	text  string
	terms []filterTerm
}

type filterTerm struct {
	not   bool
	field string // empty: any
	word  string
}

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
		}
		// A term that is still being typed keeps nothing out.
		if t.word != "" {
			f.terms = append(f.terms, t)
		}
	}
	return f
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
