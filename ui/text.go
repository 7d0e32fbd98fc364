package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// isPlain reports whether s is printable ASCII, which is as wide as it is long.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// safe drops from a text whatever moves the cursor, changes colours or the
// direction of writing, or takes no room of its own. The core has done so at
// its entrance; drawing does not rely on that.
func safe(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029:
			return -1
		case r < 0x300:
			if r == 0xad {
				return -1
			}
			return r
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		}
		return r
	}, s)
}

// width is how many cells a text takes.
func width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// cut shortens a text to w cells, ending in tail where something was cut off.
func cut(s string, w int, tail string) string {
	if w <= 0 {
		return ""
	}
	s = safe(s)
	if width(s) <= w {
		return s
	}
	if len(tail) >= w && isPlain(tail) {
		tail = tail[:w-1]
	}
	if isPlain(s) {
		return s[:w-width(tail)] + tail
	}
	return ansi.Truncate(s, w, tail)
}

// appendFit appends a text in exactly w cells.
func appendFit(buf []byte, s string, w int, right bool, tail string) []byte {
	if w <= 0 {
		return buf
	}
	n := len(s)
	if n > w || !isPlain(s) {
		s = cut(s, w, tail)
		n = width(s)
	}
	if right {
		buf = appendBlanks(buf, w-n)
		return append(buf, s...)
	}
	buf = append(buf, s...)
	return appendBlanks(buf, w-n)
}

func appendBlanks(buf []byte, n int) []byte {
	const blanks = "                                                                "
	for n > len(blanks) {
		buf = append(buf, blanks...)
		n -= len(blanks)
	}
	if n > 0 {
		buf = append(buf, blanks[:n]...)
	}
	return buf
}

// wrap breaks a text at blanks into lines of w cells, a word that is longer
// than a line included. It returns at least one line.
func wrap(s string, w int) []string {
	return strings.Split(ansi.Wrap(safe(s), max(w, 1), ""), "\n")
}

// age says how long ago something was, in four characters or less where it can:
// 12s, 3m, 2h05, 4d.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "-"
	}
	return span(now.Sub(then))
}

// span says a duration as age does. Clocks of two machines differ: what lies
// ahead is now.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02d", d/time.Hour, d%time.Hour/time.Minute)
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + "d"
}

// number groups digits by thousands.
func number[N int | uint64](n N) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is "1 meeting", "2 meetings".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// quoted puts a name from outside between quotation marks, shortened to n
// cells so that what follows it on the line stays to be seen.
func quoted(name string, n int, tail string) string {
	if name == "" {
		return "the meeting without a name"
	}
	return `"` + cut(name, n, tail) + `"`
}

// length is how many characters a text has, as the servers count them.
func length(s string) int { return utf8.RuneCountInString(s) }
