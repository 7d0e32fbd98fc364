package policy

import (
	"fmt"
	"testing"
	"time"
)

func TestUnknownCallBridge(t *testing.T) {
	up := func(server, guid string) ServerStatus {
		return ServerStatus{Server: server, State: ServerUp, Identified: true, CallBridge: guid}
	}
	f := newFixture(t, Options{})
	f.Follow(f.now, cms1)
	f.Follow(f.now, "cms2")
	f.src.CallBridge = "X-1"
	f.send(callStart("c", "k"), join("a", "c", room))
	f.verified("k", true)
	f.ReportServer(f.now, ServerStatus{Server: "cms2", State: ServerDown})
	f.ReportServer(f.now, up(cms1, "A"))
	f.verified("k", true) // cms2 may be it
	f.alarmed("unknown/x-1")
	f.ReportServer(f.now, up("cms2", "B"))
	checkBoard(t, f.Board)
	f.verified("k", false)
	f.alarmed("unknown/x-1", "X-1", "192.0.2.1", "servers under [cms]", "allow")
	f.computed("k", Level1) // who is in it counts all the same
	f.pass(10 * time.Second)
	f.shown("k", Level3)
	f.ReportServer(f.now, up("cms2", "x-1")) // the cluster was set up anew
	checkBoard(t, f.Board)
	f.verified("k", true)
	f.alarmed("unknown/x-1")

	// One that comes when all are known is told of at once, and as long as it lasts.
	g := f.other("s2", "Y")
	g.send(callStart("d", ""))
	f.verified("call:d", false)
	f.alarmed("unknown/y", "192.0.2.2")
	g.send(callEnd("d"))
	h := f.other("s3", "Y")
	h.now = h.now.Add(time.Minute)
	h.send(nothing()) // it has restarted
	f.alarmed("unknown/y", "192.0.2.2")
	f.Bind(f.now, "s3", cms1, Proven) // a call of it was found there
	f.alarmed("unknown/y")

	for i := range 100 {
		f.other(fmt.Sprint("z", i), fmt.Sprint("Z", i)).send(nothing())
	}
	if n := len(f.Since(0).Alarms); n > maxUnknown+2 {
		t.Errorf("%d alarms", n)
	}
	f.alarmed("unknown/", "more than")
	for i := range 99 { // those with an alarm of their own among them
		f.over(fmt.Sprint("z", i))
		f.alarmed("unknown/", "more than")
	}
	f.over("z99")
	f.alarmed("unknown/")
}

// over ends a session as if its Call Bridge had restarted.
func (f *fixture) over(id string) {
	f.t.Helper()
	f.mu.Lock()
	f.endSession(f.now, f.sessions[id], "test")
	f.settle(f.now)
	f.mu.Unlock()
	checkBoard(f.t, f.Board)
}

// Who leaves the GUID out is not trusted more than who names a wrong one. A Call
// Bridge of ours that leaves it out is found by its calls; without any it is left
// alone.
func TestUnnamedCallBridge(t *testing.T) {
	up := ServerStatus{Server: cms1, State: ServerUp, Identified: true, CallBridge: "A"}
	f := newFixture(t, Options{})
	f.send(callStart("c", "k"), join("a", "c", room))
	f.pass(time.Minute)
	f.verified("k", true) // nobody could tell yet
	f.ReportServer(f.now, up)
	f.pass(4 * time.Second)
	f.verified("k", true)
	f.alarmed("unnamed")
	f.pass(time.Second)
	f.verified("k", false)
	f.alarmed("unnamed", "192.0.2.1", "servers under [cms]", "allow")
	f.pass(10 * time.Second)
	f.shown("k", Level3)
	f.send(callEnd("c"), callStart("d", "l"), join("b", "d", room))
	f.verified("l", false) // it does not begin anew
	f.Bind(f.now, "s1", cms1, Proven)
	checkBoard(t, f.Board)
	f.verified("l", true)
	f.alarmed("unnamed")

	g := f.other("s2", "")
	g.send(nothing())
	f.pass(time.Hour)
	f.alarmed("unnamed") // it may only be idle
	g.now = f.now
	g.send(callStart("e", "m"))
	f.verified("m", true)
	f.pass(5 * time.Second)
	f.verified("m", false)
	f.alarmed("unnamed", "192.0.2.2")
	g.src.CallBridge = "Z" // now it names one
	g.send(nothing())
	f.alarmed("unnamed")
	f.alarmed("unknown/z", "192.0.2.2")
}

// A server without a GUID, outside any cluster, may be any Call Bridge.
func TestServerWithoutGUID(t *testing.T) {
	f := newFixture(t, Options{})
	f.src.CallBridge = "X"
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, Identified: true})
	f.send(callStart("c", ""))
	f.verified("call:c", true)
	f.alarmed("unknown/x")
}
