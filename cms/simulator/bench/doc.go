// Command bench plays the Call Bridges of a cluster against callmark, or a peer
// of it, and measures.
//
//	go run ./cms/simulator/bench throughput
//
// The Call Bridges are simulated ones: keep-alive, one post at a time each, one
// record a post, no two alike, as fast as they are taken or so many a second,
// over the loopback. Their API is there too, is at most one record ahead of what
// the receiver has, and notes when each marking comes.
//
// callmark runs as a process of its own, built from this source unless told
// otherwise, with its log and its standard error in files; so do the peers. All
// share the machine with this process, which computes as well: the figures say
// how much.
//
// Each run prints a line in the form of Go's benchmarks on standard output, which
// benchstat compares, and the medians with their ranges on standard error.
//
// # Ordering
//
// The contestants of a round have their turns one after the other, never two at
// once, and each round begins with another of them. Whoever has no turn is
// stopped (on Unix); in growth nobody comes or goes at his calls.
//
// # Blocking and ownership
//
// A command runs in the goroutine of main and returns once what it measures is
// over or cannot go on; the simulated cluster and the measured process are its
// own, and are gone when it returns. Bridge.Feed calls the load, which may wait
// for its time, in the goroutine that posts.
package main
