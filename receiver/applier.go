package receiver

import (
	"callmark/policy"
	"callmark/receiver/cdr"
)

const (
	// maxAppliers is how many documents are decoded and applied at once; those
	// beyond wait for their turn. The board takes one at a time anyway. Without
	// it every connection could hold the records of one: a document of 64 KiB
	// can have thousands.
	maxAppliers = 4

	// keptRecords is the most records and events that an applier keeps room for.
	keptRecords = 256
)

// applier is what it takes to turn a document into events, kept for the next.
type applier struct {
	decoder cdr.Decoder
	doc     cdr.Document
	events  []policy.Event
}

func newApplier(o Options) *applier {
	return &applier{decoder: cdr.Decoder{Brief: true, Limits: cdr.Limits{
		MaxBytes: o.MaxBody, MaxDepth: o.MaxDepth, MaxRecords: o.MaxRecords, MaxValue: o.MaxValue,
	}}}
}

// forget lets go of what it knows of the last document, and of memory that only
// a large one needs.
func (a *applier) forget() {
	clear(a.events)
	clear(a.doc.Records)
	a.doc = cdr.Document{Records: a.doc.Records[:0]}
	a.events = a.events[:0]
	if cap(a.events) > keptRecords {
		a.events = nil
	}
	if cap(a.doc.Records) > keptRecords {
		a.doc.Records = nil
	}
}
