// Package metrics tells whoever watches over callmark how it is: in Prometheus'
// format, and by the three paths /metrics, /healthz and /readyz on a port of
// their own, where a site wants that.
//
// # What is told
//
// Families are declared in families.go and nowhere else. All of them are told
// from the start, with their zeros: what has not happened yet must not look like
// what is not measured. The values of labels come from fixed sets, or are servers
// as they are configured; nothing that came from outside, no name, address, id or
// text of a record or an answer, is ever a label. There is no version of callmark
// or Go among them: /metrics may be on a port that strangers reach.
//
// # Ordering
//
// Nothing is counted here. Metrics reads the snapshots of those who count when it
// is asked, each of them consistent in itself; between two of them time may pass.
//
// # Blocking
//
// One answer is gathered at a time; others wait for it, and those who ask within a
// second get the same. It holds the board's lock
// for as long as Board.Measure does. A collector that panics, or an error, costs
// the answer and nothing else.
//
// # Limits
//
// A Server has 64 connections at most, and eight of one address; one beyond these
// is closed at once. What is silent is closed after a while, by net/http.
//
// # Ownership
//
// A Server owns its listener and its connections. Its goroutine runs under
// ServerOptions.Go, those of its connections belong to net/http, and none is left
// when Stop returns without an error.
package metrics
