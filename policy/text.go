package policy

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks in a row Clean leaves on one character:
// as many as scripts in use need, too few to paint over the lines around it.
const maxMarks = 4

// Clean makes a text from outside (a display name, an address, a server's
// error) safe to show in a terminal and to log. The result is valid UTF-8 on
// one line, at most max characters long; a longer text ends in an ellipsis
// (U+2026), which is one of them.
//
//   - Controls, escape, line breaks and white space of every kind become one
//     space for each run, and none at the ends.
//   - What does not show is dropped: bidirectional controls, zero-width and
//     formatting characters, joiners, soft hyphens, fillers, tags, variation
//     selectors.
//   - Invalid UTF-8, private-use and unassigned characters become U+FFFD.
//   - Combining marks are dropped where they have nothing to stand on, and
//     beyond the fourth in a row.
//
// Letters of all scripts are kept. Clean of a clean text is that text, and of
// clean ASCII costs no allocation.
func Clean(s string, max int) string {
	if max <= 0 {
		return ""
	}
	if len(s) <= max && isClean(s) {
		return s
	}

	out := make([]byte, 0, min(len(s), utf8.UTFMax*max)+utf8.UTFMax)
	n := 0       // characters in out
	kept := 0    // bytes of out that an ellipsis would leave
	marks := 0   // combining marks at the end of out
	gap := false // a space is due before the next character
	put := func(r rune) (full bool) {
		if n < max {
			out = utf8.AppendRune(out, r)
			n++
			if n < max {
				kept = len(out)
			}
			return false
		}
		out = append(bytes.TrimRight(out[:kept], " "), "…"...)
		return true
	}
	for _, r := range s {
		switch {
		case r >= utf8.RuneSelf && isIgnorable(r):
			continue
		case isBlank(r):
			gap = n > 0
			continue
		case unicode.IsMark(r):
			if n == 0 || gap || marks == maxMarks {
				continue
			}
			marks++
		default:
			marks = 0
			if !unicode.IsGraphic(r) {
				r = utf8.RuneError
			}
		}
		if gap {
			gap = false
			if put(' ') {
				return string(out)
			}
		}
		if put(r) {
			return string(out)
		}
	}
	return string(out)
}

// isClean reports whether s is printable ASCII without blanks at its ends or
// two in a row.
func isClean(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return s == "" || before != ' '
}

// isBlank reports whether r shows as nothing but takes room or moves the
// cursor. Braille's blank pattern is a symbol by its category.
func isBlank(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Z, unicode.Cc) || r == 0x2800
}

// isIgnorable reports whether r takes no room on the screen: what Unicode calls
// formats and default ignorables.
func isIgnorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
