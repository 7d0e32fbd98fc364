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
// A handshake has ReadTimeout as well, and is made by the goroutine of its
// connection, which until then counts as silent. Files of certificates are read
// by a goroutine of their own.
//
// A few documents are decoded and applied at once; the others wait for their
// turn, in the order in which they came to it.
//
// # Limits
//
// A request has ReadTimeout to come as a whole, from its first byte, however it
// drips; a connection may be silent for IdleTimeout between two. When MaxConns
// are open, or MaxConnsPerSource of one address, the one silent longest (of that
// address) makes room: a hoarder cannot keep out a Call Bridge, not even one
// behind the same address. Silent is a connection without a request under way;
// when there is none, the new one is turned away with 503. So who begins
// requests on all connections that an address may have, and drips, can keep
// others at that address out; an address of its own helps against it. By the
// defaults four addresses that drip on all of theirs take all connections there
// are: see that Allow, or a firewall, names who may connect.
//
// For limits an IPv6 address counts as its network of 64 bits, all of which is
// one host's for the taking; logs, Allow and the board have the whole address.
//
// Requests above MaxRequestsPerSource a second are answered 503 and their
// connection goes on; each connection takes a few ahead, see aheadOf. An address
// that hangs up does not start afresh. The addresses that are remembered are
// bounded; those beyond share one rate.
//
// A request that another HTTP implementation could read in another way is
// refused, and its connection closed: both Content-Length and Transfer-Encoding,
// another encoding than chunked, a folded header, a header line that ends in LF
// alone, a space in a header's name, a fragment, another version than 1.0 and
// 1.1. The request line itself may end in LF alone. A path counts as it is
// written, not as what it would be when decoded and tidied up.
//
// # Memory
//
// Options.Ceiling is what the receiver needs at most, whatever is sent: about
// 550 MiB by the default limits. It is the sum of
//
//	MaxConns            of each 26 x MaxHeader (a header of many short lines
//	                    takes that), 64 KiB of a document, and 40 KiB
//	16 large documents  MaxBody each, while they come: whoever needs memory
//	                    beyond its 64 KiB and finds none is answered 503; one
//	                    address may have a quarter of it
//	4 being applied     of each 4 x MaxBody, and MaxRecords records with their
//	                    events
//	16 MiB              refused documents that are known again, sources, causes
//
// This is what is reachable at one time; Go's collector lets a process grow to
// twice that unless GOMEMLIMIT is set. The board's memory has bounds of its own.
//
// # Who may send
//
// With Allow, a connection from another address is told so whatever it asks, and
// closed; nothing of what it sends is looked at. These connections have places
// of their own, few of them, so that they take none from those who may.
//
// With Token, documents must come with it; the other paths need none. What is
// shown is compared by hash, and is neither logged nor answered.
//
// With ClientCA, a sender without a certificate of one of these authorities does
// not get through the handshake. A connection that has is checked again at its
// next request when the authorities have changed, and when its certificate has
// run out. Sessions are never resumed.
//
// Certificates are read again every LookEvery, and taken when they have changed
// and are good; connections that are open keep theirs. An alarm says what is not
// good, and what runs out within two weeks.
//
// # Answers
//
//	200  the board has the records; or the document was set aside, see below
//	400  the document cannot be read, for the reason in the body; or its body
//	     or its request cannot; or it came in plain HTTP where HTTPS is expected
//	401  the token is missing or wrong
//	403  the address is not allowed, or the client certificate is no longer good;
//	     or the board does not believe the sender: its Call Bridge is bound to
//	     another address. Nothing of it was applied, nor is it ever set aside
//	404, 405  another path, another method
//	408  the request did not come in time
//	413  the document is larger than MaxBody
//	415  the document has a Content-Encoding, which Call Bridges never use
//	431  the header is too large, or has more than 64 lines
//	500  taking it has panicked
//	503  too many connections, too many large documents at once, or too many
//	     requests a second
//	505  another version than HTTP/1.0 and HTTP/1.1
//
// GET /healthz answers 200. GET /readyz answers 200, or 503 with the reasons, a
// line each, while a Call Bridge is down, unverified, or sends no records, and GET
// /metrics answers with what there is to measure, or 500. These two are here only
// if Options has them, else callmark tells them on another port. No answer names
// the software, nor has a Date.
//
// # Causes
//
// Refusals are counted by cause and source, see Stats, and logged once for each
// and then as a count, once a minute. These are the causes' names; they do not
// change.
//
//	address not allowed    403, see Allow
//	sender not believed    403, its Call Bridge is bound to another address
//	no token               401
//	wrong token            401
//	no client certificate  in the handshake
//	client certificate     in the handshake, or 403: of nobody we know, or run out
//	plain HTTP             400, where HTTPS is expected
//	handshake              TLS was not agreed, or the sender does not trust us
//	malformed document, document too large, encoded document
//	bad request, wrong path, wrong method, too slow, cut off
//	too many connections, busy, panic
//
// # Refused documents
//
// A document that was refused and comes a second time, with 400, 413, 415 or
// 500 as the answer to give again, is set aside: written to RefusedDir,
// acknowledged, and the board told that whatever runs on its session is
// unverified. It is known by its hash; one that is too large by the hash of its
// beginning and its Content-Length, is read to its end so that its sender gets
// the answer, and is not kept. When it cannot be kept it is acknowledged all the
// same, and an alarm raised. A document that panicked is tried again before; if
// the board had it, the board is told at once, as it may have a part of it.
//
// A document that was cut off, came too slowly or too soon is not set aside: it was not
// seen as a whole, and may arrive yet.
//
// # Ownership
//
// Every goroutine runs under Options.Go, belongs to the Server, and is gone when
// Stop returns without an error. A document's memory is used for the next one as
// soon as it is answered: the board must not keep the slice of events.
package receiver
