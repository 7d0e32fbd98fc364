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
//   - Being listed proves that a leg or call ran at that index. What ran when its
//     page came (Paged), and ended before the whole list did, stays ended, also when
//     it is remembered no more. Being absent from a list proves nothing, since lists move while one reads them: what is known
//     and absent is asked for by its id, and goes when its own server says that
//     there is none, unless a record came that is newer than the question.
//   - An explicit end stays, unless its own server, asked for that leg by its id
//     at least five seconds later, still shows it in a call: then no Call Bridge
//     sent that record. Of a leg that was read and not yet heard of nothing counts
//     before its details are known.
//   - A call is complete as of an index once it has said how many legs and remote
//     people it has, and all of these are known. A gap below that index no longer
//     concerns it. A session's gap closes when all that its lists made necessary
//     has been read.
//   - Until a record of it comes, what runs on a server is kept in a session that
//     the API has opened. The session that its records name takes it over once
//     they share an id, or a later status shows that nothing restarted between.
//     Records that a status told of until then, and that have not come, open a gap.
//   - A status that lies before an earlier one, and one that tells of records that
//     have not come, are believed at the second time in a row. One by which its
//     Call Bridge has run for less time than has passed only opens a gap. When a
//     session proves to be over, what was told since the next one was heard of holds.
//
// # Who is believed
//
// A configured server confirms a session once it is proven to run there, by the
// GUID of its Call Bridge, or by a call or leg of it that was found there. With
// Options.BoundSenders the Call Bridge of a server is believed, from then on and
// in all its sessions, from the address alone that the session's records came
// from when it was proven; a guess binds nothing. What comes in its name from
// elsewhere is not applied, and Applied says so. If it was true all the same, the
// index that its server's status tells goes on without it, so that a gap opens
// and its lists are read. Who was first may be a forger: an alarm names both
// addresses, and an address that is a server's own (SetHosts) takes the place of
// one that is not; what the other has told is in doubt from then on.
//
// Without it nothing is refused, and a second address raises an alarm once.
//
// Once all servers have told which Call Bridge they are, a session with another
// GUID is unverified, with an alarm: nobody can be asked about it. So is one that
// names none and has had calls for Options.Grace without one being found on a
// server, until one is.
//
// Only calls of confirmed sessions are where a link may lead to, or host who is
// said to be elsewhere: what anybody makes up hides nobody. Until the servers have
// answered after a start, links may so count as level 3 for a moment.
//
// # Bounds
//
// All that grows by what is sent is bounded by Options.Bounds, or by a constant:
//
//   - Sessions that no server confirms may have half of the sessions, calls and
//     legs together; those that are confirmed may have all. When there is no room
//     the unconfirmed session that has been silent longest is forgotten as a
//     whole, then another, until there is. One stays that has a call in a meeting
//     with a confirmed session, with an override, or on whose screens anything of
//     ours may show: forgetting may make no level on a screen more trusted. Nobody
//     who bears on a level is ever forgotten otherwise.
//   - Where none can go, whoever is left out counts as level 3: a leg in the call
//     that its record names, a leg without one and a call in all meetings of their
//     session, a session in all meetings; one more of a Call Bridge that has
//     SessionsPerBridge already in those of that Call Bridge.
//   - It ends by itself. A session's place is free again when another ends. Legs
//     and calls that were left out are found by the next reading of the server's
//     lists that finds room for all that it names.
//   - Of what left or ended, of entries, alarms and other addresses the latest are
//     kept. An alarm makes room for another of the kind that has most.
//
// Decoders give the texts of a record as parts of one; what the board keeps of a
// long one it copies, so that a part does not keep the whole.
//
// With the default bounds a board keeps less than 1 GiB alive, whatever is sent,
// by Call Bridges and by servers (BenchmarkCeiling). Overrides that wait for their
// meeting are from our own file; the calls to look at are as few as the notifier
// leaves there.
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
