package ui

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// Terminals that reorder what is written from right to left do so over the whole
// line: after a Hebrew or Arabic name they draw the digits and brackets that
// follow, up to the next letter, on the wrong side of it: the next column within
// the name. Isolates (U+2068, U+2069) would say where a name ends, but have no
// width, and what has none no terminal keeps in a cell. So the blank behind such
// a name is one that counts as a letter from left to right: the empty Braille
// pattern, one cell wide and white. With ASCII alone there is none.

// seal closes the runs from right to left in a text, which go on at its start if
// open is set, and reports whether one goes on at its end. stop takes the place
// of the first blank between such a run and a number; empty, nothing is closed.
func seal(s string, open bool, stop string) (string, bool) {
	if stop == "" || !open && isPlain(s) {
		return s, false
	}
	blank := -1
	for i := 0; i < len(s); {
		class, size := classOf(s[i:])
		switch class {
		case bidi.R, bidi.AL:
			open, blank = true, -1
		case bidi.L:
			open = false
		case bidi.EN, bidi.AN:
			if open && blank >= 0 {
				s = s[:blank] + stop + s[blank+1:]
				i += len(stop) - 1
				open = false
			}
		case bidi.WS:
			if open && blank < 0 && s[i] == ' ' {
				blank = i
			}
		}
		i += size
	}
	return s, open
}

// beginsRight reports whether the first letter of a text is written from right
// to left. Some terminals write a whole line in the direction of its first
// letter: a stop before the text is one.
func beginsRight(s string) bool {
	if isPlain(s) {
		return false
	}
	for i := 0; i < len(s); {
		class, size := classOf(s[i:])
		switch class {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
		i += size
	}
	return false
}

func classOf(s string) (bidi.Class, int) {
	p, size := bidi.LookupString(s)
	if size == 0 { // not UTF-8 to its end
		_, size = utf8.DecodeRuneInString(s)
		return bidi.ON, size
	}
	return p.Class(), size
}
