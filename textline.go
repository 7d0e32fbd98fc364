package main

import (
	"log/slog"
	"strconv"

	"callmark/policy"
)

// textTime is how slog's TextHandler writes a time.
const textTime = "2006-01-02T15:04:05.000Z07:00"

// appendLine appends the line that slog's TextHandler would write of a journal
// entry, or reports false when it is to do so itself: a text holds something else
// than printable ASCII. It takes a quarter of the handler's time, which was a
// sixth of all that callmark did when records came as fast as they were taken.
func appendLine(dst []byte, e *policy.Entry, attrs []slog.Attr) (line []byte, ok bool) {
	dst = append(dst, "time="...)
	dst = e.Time.Round(0).AppendFormat(dst, textTime)
	dst = append(dst, " level="...)
	dst = append(dst, e.Weight.SlogLevel().String()...)
	dst = append(dst, " msg="...)
	if dst, ok = appendText(dst, e.Kind.String()); !ok {
		return dst, false
	}
	for i := range attrs {
		dst = append(dst, ' ')
		dst = append(dst, attrs[i].Key...)
		dst = append(dst, '=')
		if dst, ok = appendText(dst, attrs[i].Value.String()); !ok {
			return dst, false
		}
	}
	return append(dst, '\n'), true
}

// appendText appends a text, in quotes where TextHandler has them.
func appendText(dst []byte, s string) ([]byte, bool) {
	bare, escaped := s != "", false
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return dst, false
		case c == '"':
			bare, escaped = false, true
		case c == '\\':
			escaped = true
		case c == ' ' || c == '=':
			bare = false
		}
	}
	switch {
	case bare:
		return append(dst, s...), true
	case escaped:
		return strconv.AppendQuote(dst, s), true
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"'), true
}
