// Package receiver takes the call detail records of Call Bridges over HTTP and
// hands them to the board.
//
// # Ordering
//
// The documents of one connection are applied in the order in which they come;
// a Call Bridge uses one connection and sends one document at a time. The board
// needs no more, since it orders records by their indexes.
//
// # Blocking
//
// A document is answered as soon as the board has taken its records: nothing
// that speaks to another machine runs before the answer. A disk is touched only
// for a document that is refused for the second time.
//
// # Refusals
//
// A document is applied whole or not at all. What cannot be read is answered
// 400 (413 when it is too large), and counted. A Call Bridge sends it again for
// ever, and everything behind it waits; so the second time the same document is
// written aside, acknowledged with 200, and the board told that whatever ran on
// its session is unverified. A document whose application panics is treated
// alike, with 500.
//
// # Ownership
//
// Every goroutine belongs to the Server and is gone when Stop returns.
package receiver
