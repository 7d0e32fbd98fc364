package cdr

import (
	"errors"
	"fmt"
	"strconv"
)

// What a document can be refused for. Decode wraps one of these with the offset
// and with what was found there, in one line of plain ASCII that can go back to
// the sender and into a log.
var (
	ErrTooLarge          = errors.New("document too large")
	ErrTooDeep           = errors.New("elements nested too deep")
	ErrTooManyRecords    = errors.New("too many records in one document")
	ErrTooManyAttributes = errors.New("too many attributes in one tag")
	ErrSyntax            = errors.New("not well-formed XML")
	ErrEncoding          = errors.New("not XML 1.0 in UTF-8")
	ErrDoctype           = errors.New("a DOCTYPE is not allowed")
	ErrEntity            = errors.New("entity or character reference not allowed")
	ErrNotRecords        = errors.New("root element is not <records>: not a CDR document")
	ErrNoSession         = errors.New("<records> has no session: not from a Call Bridge")
)

// errPanic marks, within an ErrSyntax, a panic of the tokenizer.
var errPanic = errors.New("the tokenizer panicked")

// maxQuoted is the longest piece of a document that an error repeats, in bytes.
const maxQuoted = 40

// fail wraps a sentinel with a byte offset into the document and what was found
// there. The details come from us or through quote.
func fail(sentinel error, offset int, format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", sentinel, offset, fmt.Sprintf(format, args...))
}

// quote makes a piece of a document fit for a log line: short, escaped, ASCII.
func quote(b []byte) string {
	if len(b) > maxQuoted {
		return strconv.QuoteToASCII(string(b[:maxQuoted])) + "..."
	}
	return strconv.QuoteToASCII(string(b))
}
