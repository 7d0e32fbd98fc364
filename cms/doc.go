// Package cms speaks HTTP to the API of Cisco Meeting Servers: it finds out
// which server is which Call Bridge, and makes the message on every call's
// screens what the board wants it to be.
//
// # Parts
//
// A Client sends requests to one server. Every request passes the server's
// gate, so a server that has refused the account, is busy or is away is left
// alone no matter who asks. The Cluster owns the clients, keeps their state on
// the board, and tells which server a session's calls are on. The Notifier
// takes the calls to look at from the board and writes their markings. The
// Synchroniser reads from the servers what the board wants to know: their status
// every few seconds, all in the same moments, their lists when something may be
// missing and once a minute, and the calls and legs that the board has questions
// about. Own knows our receiver among those of a Call Bridge, and Diagnose says why
// records do not come from one.
//
// # Ordering
//
// The notifier is level-triggered: what it holds is calls to look at, never
// markings to write. What is written is what the board wants at the moment of
// writing, so a burst of changes costs one write, and a write that is lost is
// found at the next look. There is never more than one request under way for a
// call. On one server rises go before all else, among them the less trusted
// level first; then what has waited longest. Between servers there is no order.
//
// The synchroniser is level-triggered as well: it asks the board what to read and
// keeps no plan of its own. A list is handed to the board whole or not at all; a
// question that got no answer goes back to the board, which asks again. The board
// says which answers are older than what it knows.
//
// # What is believed
//
// An answer is input like a record: its size, depth, elements, attributes and
// texts are bounded, and so are the pages, entries and bytes of a list. What is
// beyond a bound, or cannot be what was asked for, is an error and gives nothing.
// Texts are cleaned and cut, an address so that it stays too long to be read; an
// id is as it came or the list is none. The account's password is taken out of
// all of it. No redirect is followed, no proxy asked, no cookie kept, and nothing
// a server says sets how long it is left alone.
//
// # Blocking
//
// Nothing here runs in the path of a record. Servers have queues, limits,
// connections and goroutines of their own, so one that is slow or dead delays
// no other. Reads and writes of one server have separate limits, connections
// and backoffs; only a refused account (401) stops both.
//
// # Ownership
//
// Every goroutine belongs to a Cluster, a Notifier or a Synchroniser and is gone
// when its Stop returns. The order at the end is Synchroniser.Stop, Notifier.Stop,
// Notifier.ClearAll if the markings shall go, Cluster.Stop. All methods may be
// called from several goroutines. Nothing is called with a lock held except the
// board, which calls nobody.
package cms
