// Package receiver takes the Call Detail Records of Call Bridges over HTTP and
// hands them to the board.
//
// A Call Bridge posts a document of records and keeps it until it is answered
// with 200; whatever comes after it waits so long. So an answer must be quick,
// must have a length (without one a keep-alive client waits for more), and must
// be given at last even for what cannot be read.
//
// # Ordering
//
// The documents of one connection are applied and answered in the order in
// which they come, also when they are sent without waiting for the answers.
// Those of several connections are applied in any order, one at a time: the
// board orders records by their session and index.
//
// A document is applied as a whole, or not at all; 200 means that the board has
// it. When an answer is lost its document comes again, and the board knows its
// records.
//
// # Blocking
//
// Between a document's last byte and its answer the board's Apply runs, and
// nothing else that could wait: no other machine, no disk, no report. The one
// exception is a document that is refused for the second time, which is written
// to a local folder first.
//
// A request has ReadTimeout to come as a whole; a connection may be silent for
// IdleTimeout between two. When MaxConns are open, the one silent longest makes
// room. Memory for documents above 64 KiB is bounded over all connections; who
// finds none is answered 503 and comes again.
//
// # Answers
//
//	200  the board has the records; or the document was set aside, see below
//	400  the document cannot be read, for the reason in the body; or its body
//	     or its request cannot
//	403  the board does not believe the sender: its Call Bridge is bound to
//	     another address. Nothing of it was applied, nor is it ever set aside
//	404, 405  another path, another method
//	408  the request did not come in time
//	413  the document is larger than MaxBody
//	415  the document has a Content-Encoding, which Call Bridges never use
//	431  the header is too large
//	500  taking it has panicked
//	503  too many connections, or too many large documents, at once
//
// GET /healthz answers 200. GET /readyz answers 200, or 503 with the reasons, a
// line each, while a Call Bridge is down, unverified, or sends no records. No answer names the software, nor has a Date.
//
// # Refused documents
//
// A document that was refused and comes a second time, with 400, 413, 415 or
// 500 as the answer to give again, is set aside: written to RefusedDir,
// acknowledged, and the board told that whatever runs on its session is
// unverified. It is known by its hash; one that is too large by the hash of its
// beginning and its Content-Length, is read to its end so that its sender gets
// the answer, and is not kept. When it cannot be kept it is acknowledged all the
// same, and an alarm raised. A document that panicked is tried again before.
//
// A document that was cut off or came too slowly is not set aside: it was not
// seen as a whole, and may arrive yet.
//
// # Ownership
//
// Every goroutine runs under Options.Go, belongs to the Server, and is gone when
// Stop returns without an error. A document's memory is used for the next one as
// soon as it is answered: the board must not keep the slice of events.
package receiver
