package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// lines is where the keys of a document stand: by key as joinKey writes it,
// the n-th element of a list as key[n], from 1. The TOML library knows the
// positions of keys but keeps them to itself, and has none for elements.
type lines map[string]int

// of finds a key's line; of a key that is not there, that of its table, or 1.
func (l lines) of(key string) int {
	for ; key != ""; key = parent(key) {
		if n, ok := l[key]; ok {
			return n
		}
	}
	return max(l[""], 1) // the document's own, if it is known
}

// joinKey writes a key's path with dots, quoting what is no bare key.
func joinKey(path []string) string {
	parts := make([]string, len(path))
	for i, s := range path {
		if parts[i] = s; !isBare(s) {
			parts[i] = strconv.Quote(s)
		}
	}
	return strings.Join(parts, ".")
}

// element is the key of a list's n-th element, from 1.
func element(key string, n int) string { return key + "[" + strconv.Itoa(n) + "]" }

// parent is the key of what holds a key: the list of an element, the table of a
// key. A dot in a quoted part ends it early, where no key is.
func parent(key string) string { return key[:max(0, strings.LastIndexAny(key, ".["))] }

func isBare(s string) bool {
	for i := range len(s) {
		if !isBareByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isBareByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// maxDepth is how far into nested values and dotted keys findLines looks.
const maxDepth = 64

// findLines reads a document that the TOML library has accepted, only as far as
// to see where its keys are. Of any other document it makes what it can. deep is
// the line of what is nested deeper than maxDepth, or 0.
func findLines(document string) (found lines, deep int) {
	f := &finder{src: strings.TrimPrefix(document, "\ufeff"), line: 1, found: lines{}}
	var table []string
	for {
		f.blanks(true)
		before := f.pos
		switch c := f.peek(); {
		case f.pos >= len(f.src):
			return f.found, f.deep
		case c == '[':
			f.next()
			if f.peek() == '[' {
				f.next()
			}
			table = f.key(nil)
			f.toLineEnd()
		default:
			path := f.key(table)
			if f.peek() == '=' {
				f.next()
				f.blanks(false)
				f.value(joinKey(path), path, 0)
			}
			f.toLineEnd()
		}
		if f.pos == before {
			f.next()
		}
	}
}

// finder is a place in a document, and the keys found so far.
type finder struct {
	src   string
	pos   int
	line  int
	found lines
	deep  int
}

// peek is the byte at the place, 0 at the end.
func (f *finder) peek() byte {
	if f.pos < len(f.src) {
		return f.src[f.pos]
	}
	return 0
}

// next moves one byte on.
func (f *finder) next() {
	if f.pos < len(f.src) {
		if f.src[f.pos] == '\n' {
			f.line++
		}
		f.pos++
	}
}

// note remembers where a key is first met.
func (f *finder) note(key string) {
	if _, ok := f.found[key]; !ok {
		f.found[key] = f.line
	}
}

// blanks skips blanks, and line ends and comments with them.
func (f *finder) blanks(lineEnds bool) {
	for {
		switch c := f.peek(); {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' && lineEnds:
			f.next()
		case c == '#' && lineEnds:
			f.toLineEnd()
		default:
			return
		}
	}
}

// toLineEnd skips what is left of a line.
func (f *finder) toLineEnd() {
	for f.pos < len(f.src) && f.src[f.pos] != '\n' {
		f.pos++
	}
}

// key reads a dotted key below a table, and notes it and its parents.
func (f *finder) key(table []string) []string {
	path := append([]string(nil), table...)
	for {
		f.blanks(false)
		var part string
		switch c := f.peek(); {
		case c == '"' || c == '\'':
			part = f.text()
		case isBareByte(c) || c >= utf8.RuneSelf:
			start := f.pos
			for isBareByte(f.peek()) || f.peek() >= utf8.RuneSelf {
				f.next()
			}
			part = f.src[start:f.pos]
		default:
			return path
		}
		if len(path) > maxDepth {
			f.deep = f.line
			return path
		}
		path = append(path, part)
		f.note(joinKey(path))
		f.blanks(false)
		if f.peek() != '.' {
			return path
		}
		f.next()
	}
}

// value skips a value, and notes the elements and keys in it. It leaves the
// place where it was if there is no value.
func (f *finder) value(key string, path []string, depth int) {
	if depth > maxDepth {
		f.deep = f.line
		f.pos = len(f.src)
		return
	}
	switch f.peek() {
	case '"', '\'':
		f.text()
	case '[':
		f.next()
		for n := 1; ; n++ {
			f.blanks(true)
			if c := f.peek(); c == ']' || c == 0 {
				f.next()
				return
			}
			name := element(key, n)
			f.note(name)
			before := f.pos
			f.value(name, nil, depth+1)
			f.blanks(true)
			if f.peek() == ',' {
				f.next()
			}
			if f.pos == before {
				f.next()
			}
		}
	case '{':
		f.next()
		for {
			f.blanks(true)
			if c := f.peek(); c == '}' || c == 0 {
				f.next()
				return
			}
			before := f.pos
			inner := f.key(path)
			f.blanks(false)
			if f.peek() == '=' {
				f.next()
				f.blanks(true)
				f.value(joinKey(inner), inner, depth+1)
			}
			f.blanks(true)
			if f.peek() == ',' {
				f.next()
			}
			if f.pos == before {
				f.next()
			}
		}
	default:
		for f.pos < len(f.src) && strings.IndexByte(",]}#\n", f.src[f.pos]) < 0 {
			f.pos++
		}
	}
}

// text reads a string of any of the four kinds.
func (f *finder) text() string {
	quote := f.peek()
	f.next()
	long := strings.HasPrefix(f.src[f.pos:], strings.Repeat(string(quote), 2))
	if long {
		f.next()
		f.next()
	}
	start := f.pos
	for f.pos < len(f.src) {
		switch c := f.src[f.pos]; {
		case c == '\\' && quote == '"':
			f.next()
		case c == '\n' && !long:
			return f.src[start:f.pos] // not closed
		case c == quote && !long:
			s := f.src[start:f.pos]
			f.next()
			if quote == '"' {
				s = unescape(s)
			}
			return s
		case c == quote && strings.HasPrefix(f.src[f.pos:], strings.Repeat(string(quote), 3)):
			s := f.src[start:f.pos]
			// Two quotes more may belong to the text.
			for range 5 {
				if f.peek() == quote {
					f.next()
				}
			}
			return s
		}
		f.next()
	}
	return f.src[start:]
}

// unescape resolves the escapes of a basic string. Keys with them are rare, so
// that a wrong one only costs the line.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		digits := 0
		switch s[i] {
		case 'b':
			b.WriteByte('\b')
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'f':
			b.WriteByte('\f')
		case 'r':
			b.WriteByte('\r')
		case 'e':
			b.WriteByte(0x1b)
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			b.WriteByte(s[i])
		}
		if digits > 0 && i+digits < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32); err == nil {
				b.WriteRune(rune(n))
				i += digits
			}
		}
	}
	return b.String()
}
