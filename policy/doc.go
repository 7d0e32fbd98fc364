// Package policy is the core of callmark: levels, the rules that give them, the
// board of meetings, calls and legs, operators' overrides, and the markings
// that follow from all these. It is pure: no I/O, no goroutine of its own, no
// clock; every method that needs the time is given it, and the callers see to
// it that it does not run backwards.
//
// # Ordering
//
// What the board holds of a session is a function of the set of records that it
// was given, not of the order in which they came: of two records that name the
// same fact the one with the higher index counts, having been connected once
// counts for ever, and an explicit end outlives every other record of its leg.
// Records are applied once, known by session and index. A record without an
// index counts as newer than all before it.
//
// A document is applied as a whole: readers and the notifier see the board
// before it or after it. Within it the computed level is followed record by
// record, since an override falls by what was computed at any moment.
//
// # Blocking
//
// A Board is safe for concurrent use. Its one mutex is held for short times
// only, and never while anything outside the package runs: no callback, no
// channel send that could block. Since copies in slices of a bounded size, so
// that a reader who catches up with ten thousand meetings does not hold up a
// record.
//
// # Ownership
//
// Views, entries and updates are values of their own: the board never changes
// them after it has given them out. Texts that come from outside pass through
// Clean at the entrance, so whatever is read from the board is safe to show.
package policy
