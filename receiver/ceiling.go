package receiver

import (
	"reflect"

	"callmark/policy"
	"callmark/receiver/cdr"
)

const (
	// headerCost is what one byte of a header can come to. A header line of four
	// bytes takes some 70 once it is read, and the buffer that it is read into.
	headerCost = 26

	// connCost is what a connection has beside its header and its document: the
	// beginning of a body, an answer, stacks.
	connCost = 40 << 10

	// documentCost is what one byte of a document can come to while it is
	// decoded: a value in a buffer that has just grown, and its copy; or all of
	// it in the tokenizer's buffer.
	documentCost = 4

	// otherCost is for what has bounds of its own: refused documents that are
	// known again, sources, causes.
	otherCost = 16 << 20
)

// Ceiling is the most memory that the receiver itself needs, in bytes, whatever
// is sent to it: what is reachable at one time, to which Go's collector adds up
// to as much again. The board is not in it.
func (o Options) Ceiling() int64 {
	o = o.withDefaults()
	record := int64(reflect.TypeFor[cdr.Record]().Size())
	event := int64(reflect.TypeFor[policy.Event]().Size())
	conn := headerCost*int64(o.MaxHeader) + keptBody + connCost
	document := documentCost*int64(o.MaxBody) + int64(o.MaxRecords)*(record*9/4+event) // a slice that grows is there twice
	large := largeBodies * int64(o.MaxBody+keptBody) * 3 / 2                           // likewise
	return int64(o.MaxConns)*conn + large + maxAppliers*document + otherCost
}
