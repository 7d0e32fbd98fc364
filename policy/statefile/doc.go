// Package statefile keeps the overrides that hold on a board in a small file, so
// that they hold again after a restart of callmark.
//
// # The file
//
// It is one JSON document with a version, readable by its owner alone, since it
// names people. It is replaced as a whole: a temporary file beside it is
// written, synchronised with the disk and renamed over it, then the directory is
// synchronised. Whoever reads it, after whatever crash, finds the old document
// or the new one.
//
// A file that is not a whole document of a version that is known here is never
// read in part, never overwritten and never deleted: it is renamed to
// NAME.bad-TIME, and an alarm says so. If it cannot be renamed, nothing is
// written until it can. What the document says is untrusted nevertheless: the
// board has the last word on each override (policy.Board.Restore).
//
// # Ordering
//
// Load comes before the board's first record. After that the file follows the
// board: each writing holds what the board holds at that moment, so writings
// need no order among themselves. When Save has returned nil, all that was
// decided on the board before it was called will survive a crash. Run writes
// what nobody calls Save for: overrides that fall, expire, or end with their
// meeting.
//
// An override holds whether or not it could be written. A disk that is full
// refuses no operator: Save's error and an alarm tell him, and Run tries again
// until it works.
//
// # Blocking
//
// Load and Save block on the disk. No lock of the board's is held meanwhile, so
// records, markings and the console never wait for it. Writings wait for each
// other.
//
// # Ownership
//
// One process owns a file: two callmarks on one file would each take the other's
// overrides away. Run is the only goroutine, its caller's, and ends with its
// context.
package statefile
