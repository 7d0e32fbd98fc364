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
// # What the API tells
//
// Besides records the board takes what is read from the servers, and asks for it:
// a synchroniser polls each server's status (Polled), reads its lists when they
// are due (ListsDue, BeginRound, Listed), and answers Questions about single
// calls and legs. Both sources merge by one rule:
//
//   - An observation is ordered like a record just below the index that the
//     server was known to send next when the observation was asked for: the API
//     shows a change before its record goes out. So every record that was sent
//     later wins over it, whenever it comes, and it wins over every earlier one.
//   - Being listed proves that a leg or call ran at that index. Being absent from
//     a list proves nothing, since lists move while one reads them: what is known
//     and absent is asked for by its id, and goes when its own server says that
//     there is none, unless a record came that is newer than the question.
//   - An explicit end stays, whatever is read after it. Of a leg that was read
//     and not yet heard of nothing counts before its details are known.
//   - A call is complete as of an index once it has said how many legs and remote
//     people it has, and all of these are known. A gap below that index no longer
//     concerns it. A session's gap closes when all that its lists made necessary
//     has been read.
//   - Until a record of it comes, what runs on a server is kept in a session that
//     the API has opened. The session that its records name takes it over once
//     they share an id, or a later status shows that nothing restarted between.
//   - A status that lies before an earlier one, and one that tells of records that
//     have not come, are believed at the second time in a row.
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
