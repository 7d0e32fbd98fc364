package cdr

import (
	"bytes"
	"math"
	"time"
	"unicode/utf8"
)

// Classes of bytes inside a value.
const (
	plain   = iota
	blank   // tab, newline, carriage return: become a space
	ampersd // begins a reference, except in CDATA
	wide    // DEL, which becomes U+FFFD, and all that is not ASCII
)

var valueClass = func() (t [256]uint8) {
	t['\t'], t['\n'], t['\r'] = blank, blank, blank
	t['&'] = ampersd
	for c := 0x7f; c < 256; c++ {
		t[c] = wide
	}
	return t
}()

// value collects one value at the end of a buffer that it shares with the other
// values of its record. It applies the rules that doc.go states.
type value struct {
	buf   []byte
	start int  // where the value begins in buf
	max   int  // longest value in bytes
	full  bool // the value has been cut
}

// begin starts a new value.
func (v *value) begin() {
	v.start = len(v.buf)
	v.full = false
}

// add appends character data. Its references have been checked; refs is false
// in CDATA, where an ampersand is itself.
func (v *value) add(b []byte, refs bool) {
	for i := 0; i < len(b) && !v.full; {
		n := i
		for n < len(b) && valueClass[b[n]] == plain {
			n++
		}
		if n > i {
			v.addPlain(b[i:n])
			i = n
			continue
		}
		switch valueClass[b[i]] {
		case blank:
			// XML reads \r\n as one newline.
			if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
				i++
			}
			i++
			v.addPlain(space)
		case ampersd:
			if !refs {
				v.addPlain(b[i : i+1])
				i++
				break
			}
			r, size := reference(b[i:])
			v.addRune(r)
			i += size
		default:
			r, size := utf8.DecodeRune(b[i:])
			v.addRune(r)
			i += size
		}
	}
}

var space = []byte{' '}

// addPlain appends printable ASCII, without the white space that leads a value.
func (v *value) addPlain(b []byte) {
	if len(v.buf) == v.start {
		for len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
	}
	if room := v.max - (len(v.buf) - v.start); len(b) > room {
		b = b[:room]
		v.full = true
	}
	v.buf = append(v.buf, b...)
}

// addRune appends a character that may be a control character.
func (v *value) addRune(r rune) {
	switch {
	case r == '\t', r == '\n', r == '\r', r == ' ', r == 0x85:
		v.addPlain(space)
		return
	case r == 0x7f, 0x80 <= r && r < 0xa0:
		r = utf8.RuneError
	}
	if len(v.buf)-v.start+utf8.RuneLen(r) > v.max {
		v.full = true
		return
	}
	v.buf = utf8.AppendRune(v.buf, r)
}

// end closes the value and returns it. It is valid until the buffer is reused.
func (v *value) end() []byte {
	n := len(v.buf)
	for n > v.start && v.buf[n-1] == ' ' {
		n--
	}
	v.buf = v.buf[:n]
	return v.buf[v.start:]
}

// drop closes the value and takes it back out of the buffer.
func (v *value) drop() { v.buf = v.buf[:v.start] }

// parseFlag reads a boolean; what is neither true nor false is Absent.
func parseFlag(b []byte) Flag {
	switch {
	case equalFold(b, "true"), string(b) == "1":
		return True
	case equalFold(b, "false"), string(b) == "0":
		return False
	}
	return Absent
}

// equalFold compares with a lower-case ASCII word, without case.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// parseNumber reads a decimal number of at most limit; bad stands for all else,
// signs included.
func parseNumber(b []byte, limit, bad int64) int64 {
	if len(b) == 0 {
		return bad
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return bad
		}
		digit := int64(c - '0')
		if n > (limit-digit)/10 {
			return bad
		}
		n = n*10 + digit
	}
	return n
}

// parseSeconds reads a whole number of seconds; what is none, or too large for
// a Duration, is 0.
func parseSeconds(b []byte) time.Duration {
	return time.Duration(parseNumber(b, math.MaxInt64/int64(time.Second), 0)) * time.Second
}

// parseTime reads an RFC 3339 time; what is none is the zero time.
func parseTime(b []byte) time.Time {
	// Package time alone also takes hours of one digit and a decimal comma.
	if len(b) < len("2006-01-02T15:04:05Z") || b[len("2006-01-02T15")] != ':' || bytes.IndexByte(b, ',') >= 0 {
		return time.Time{}
	}
	var t time.Time
	if t.UnmarshalText(b) != nil {
		return time.Time{}
	}
	// An offset can move the first and the last year out of what can be written.
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// constant returns the program's own copy of a word that Cisco's guides list,
// so that a leg kept for hours does not hold its record's other values for it.
func constant(b []byte) (string, bool) {
	switch string(b) {
	case "sip":
		return "sip", true
	case "acano":
		return "acano", true
	case "connected":
		return "connected", true
	case "incoming":
		return "incoming", true
	case "outgoing":
		return "outgoing", true
	case "webApp":
		return "webApp", true
	case "distributionLink":
		return "distributionLink", true
	case "lync":
		return "lync", true
	case "lyncDistribution":
		return "lyncDistribution", true
	case "avaya":
		return "avaya", true
	case "audioVideo":
		return "audioVideo", true
	case "applicationSharing":
		return "applicationSharing", true
	case "instantMessaging":
		return "instantMessaging", true
	case "coSpace":
		return "coSpace", true
	case "adHoc":
		return "adHoc", true
	case "forwarding":
		return "forwarding", true
	case "lyncConferencing":
		return "lyncConferencing", true
	case "remoteTeardown":
		return "remoteTeardown", true
	case "localTeardown":
		return "localTeardown", true
	}
	return "", false
}
