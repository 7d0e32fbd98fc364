package policy

import "testing"

func TestSetAside(t *testing.T) {
	// k is on a server that tells how far it has got; m is on a Call Bridge that
	// no server confirms.
	begin := func(o Options) *fixture {
		f := followed(t, o)
		f.send(callStart("c", "k"), join("a", "c", room))
		f.polled(2, "k", true)
		g := f.other("s2", "")
		g.send(callStart("d", "m"))
		return f
	}
	for _, tc := range []struct {
		name string
		src  Source
		k, m bool // still verified
	}{
		{"its session", Source{Session: "s1", Address: "203.0.113.9"}, false, true},
		{"its Call Bridge, in another session", Source{Session: "new", CallBridge: "a", Address: "203.0.113.9"}, false, true},
		{"its address", Source{Address: "192.0.2.1"}, false, true},
		{"the other's address", Source{Session: "new", Address: "192.0.2.2"}, true, false},
		{"nobody's", Source{Session: "new", Address: "203.0.113.9"}, true, false},
		{"nobody's, without an address", Source{}, true, false},
		{"the session that the API opens", Source{Session: "api/" + cms1, Address: "203.0.113.9"}, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := begin(Options{})
			f.SetAside(f.now, tc.src, "no XML")
			checkBoard(t, f.Board)
			f.verified("k", tc.k)
			f.verified("m", tc.m)
			f.alarmed("aside/"+tc.src.Address, "no XML", "unverified")
		})
	}
	t.Run("nobody's, while the server is down", func(t *testing.T) {
		f := begin(Options{})
		f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerDown, CallBridge: "A"})
		f.SetAside(f.now, Source{Address: "203.0.113.9"}, "no XML")
		f.verified("k", false)
	})
	t.Run("nobody's, and nobody is in doubt", func(t *testing.T) {
		f := followed(t, Options{})
		f.send(callStart("c", "k"), join("a", "c", room))
		f.polled(2, "k", true)
		f.SetAside(f.now, Source{Address: "203.0.113.9"}, "no XML")
		f.alarmed("aside/203.0.113.9", "its status will tell")
		// It was of s1 all the same: an external joined by it.
		f.index++
		f.polled(3, "k", true)
		f.polled(3, "k", false)
	})
	t.Run("who is not believed puts nothing in doubt", func(t *testing.T) {
		f := begin(Options{BoundSenders: true})
		f.SetAside(f.now, Source{Session: "s1", Address: "203.0.113.9"}, "no XML")
		f.verified("k", true)
		f.verified("m", true)
	})
}
