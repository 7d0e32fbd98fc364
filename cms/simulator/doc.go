// Package simulator is a Cisco Meeting Server cluster that speaks both of its
// protocols over real HTTP: it posts Call Detail Records to receivers and
// answers the REST API that markings are written through. It serves the demo,
// the tests and load.
//
// A test drives it through calls and legs (Bridge.StartCall, Call.Join,
// Leg.Hold, ...), makes it misbehave (see below) and compares what the screens
// show (Call.Screen) with what really goes on (Cluster.Truth, Cluster.LegTruth).
// A Script plays meetings by itself. Cluster.Populate fills the servers with
// load, before Start too: who is started in the middle of running calls sees
// them through the API alone.
//
// # Misbehaving
//
// The API: Faults, for delays and for answers that are missing, refused, wrong
// or broken, all the time, a number of times or by chance;
// Bridge.StopListening. Its lists: Bridge.SetPageCap, Bridge.VaryPageCap,
// Bridge.ShuffleLists, Bridge.LatestFirst, and Bridge.OnRequest to do something
// between two pages. An element that ends while a list is read moves all behind
// it up by one, as on real servers.
//
// The records: Bridge.LoseRecords, Bridge.DiscardRecords, Bridge.DuplicatePosts,
// Bridge.ReorderPosts, Bridge.HoldRecords, Bridge.DropReceivers with
// Bridge.SetQueue, Leg.EndSilently and Call.EndSilently, Bridge.SetClockSkew.
//
// A Call Bridge that the tested program is not configured with needs nothing of
// its own: it posts and is linked to as the others are, who list its
// participants.
//
// # Load
//
// Bridge.Feed drives a Call Bridge at the pace of its posts, for as many records
// as are taken, or a set number a second; Options.NewPoster posts in a leaner way
// than net/http. The command in the folder bench measures with both.
//
// # Seeds
//
// The GUIDs of calls and legs follow from Options.Seed and from how the cluster
// is driven, and from nothing else. What faults and lists do by chance follows from the seed, the
// Call Bridge, and the requests and posts that it has had. A Script has a seed
// of its own.
//
// # Ordering
//
// Every change of a call or leg and the records that tell of it are one step:
// the API shows the change before any receiver gets the record. A Call Bridge
// posts its records to each receiver in the order of their correlatorIndex, one
// post at a time, over one connection; a post that was not answered with 200 is
// tried again after Options.ResendPause, for ever, and everything behind it
// waits. The records of one change wait together and share a post unless
// Options.Batch divides them; Cluster.Together does the same for several
// changes. Between Call Bridges, and between receivers, there is no order.
//
// A restart forgets what was waiting. A post that is under way then still ends,
// before the first one of the new session.
//
// # Blocking
//
// All methods may be called from any goroutine, except those of a Script, which
// belongs to one. Driving never waits for the network: records are queued, at
// most Options.Queue or what Bridge.SetQueue says per receiver, and above that
// the oldest are discarded and reported as missing. Only these wait: Cluster.Wait and Cluster.WaitDelivered
// for what their names say, Cluster.SetReceivers and Cluster.Close for the
// goroutines that they end, Bridge.SendRaw for the answer, Script.Play for the
// end of its context. What Bridge.Feed was given may wait for its time: the posts of its Call Bridge wait with it.
//
// # Ownership
//
// Cluster.Start starts all goroutines: one per Call Bridge that serves its API,
// those of net/http for its connections, which also call what Bridge.OnRequest
// set, and one per Call Bridge and receiver that posts. Close ends them all and
// waits for them. One mutex of the cluster guards everything that changes; no
// method holds it while it waits. Calls and legs are handles: what is over stays readable, and driving it does nothing.
//
// Time is Options.Now, which durations and the expiry of messages follow; the
// pauses of posts and the latency of the API are real time. In a bubble of
// testing/synctest both are the bubble's; use a Network there, since sockets
// hang.
package simulator
