package ui

import (
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

// cluster puts on a board what Call Bridges can be like.
func cluster(b *fakeBoard) {
	scene(b)
	b.rest.Bridges = []policy.BridgeView{
		{
			Key: "1", Name: "cms1", Server: "cms1.example.com:443", Address: "192.0.2.1", Session: "s1", CallBridge: "guid-1", Sureness: policy.Proven,
			Records: 1882, Duplicates: 3, LastRecord: start.Add(-2 * time.Second), LastIndex: 1881, Polled: start.Add(-4 * time.Second), Next: 1885,
			Calls: 12, Legs: 80, Read: start.Add(-30 * time.Second),
			Bound: policy.ServerStatus{
				State: policy.ServerUp, Since: start.Add(-time.Hour), Version: "3.9.2", Latency: 12 * time.Millisecond, Requests: 5120, Failures: 7, Queue: 3,
				ReadRate: 12, ReadBudget: 100, WriteRate: 4, WriteBudget: 20,
			},
		},
		{Key: "2", Name: "cms2", Server: "cms2.example.com:443", Session: "s2", LastIndex: policy.NoIndex, Next: policy.NoIndex, Bound: policy.ServerStatus{
			State: policy.ServerDown, Since: start.Add(-2 * time.Minute), Problem: "connection refused", Remedy: "check that webadmin listens there", NextTry: start.Add(8 * time.Second),
		}},
		{
			Key: "3", Name: "cms3", Server: "cms3.example.com:443", LastIndex: policy.NoIndex, Polled: start, Next: 40,
			Silent: "it made 40 records and none came", SilentRemedy: "set its CDR receiver to this host", SilentSince: start.Add(-3 * time.Minute),
			Bound: policy.ServerStatus{State: policy.ServerUp, Insecure: true, Version: "3.8.1"},
		},
		{
			Key: "4", Name: "cms4", Server: "cms4.example.com:443", Session: "s4", LastIndex: 10, LastRecord: start, Next: 11, Polled: start,
			Unverified: "records 4 to 9 were lost", UnverifiedSince: start.Add(-5 * time.Second), Unread: 14, Bound: policy.ServerStatus{State: policy.ServerUp},
		},
	}
}

func TestCallBridges(t *testing.T) {
	b := newBench(t, 200, 40)
	cluster(b.board)
	b.frame().keys("b")
	// Worst first.
	s := b.screen()
	s = s[strings.Index(s, "State "):]
	last := -1
	for _, name := range []string{"[!] DOWN", "[?] unverified", "[!] NO RECORDS", "[+] up"} {
		at := strings.Index(s, name)
		if at <= last {
			t.Errorf("%s is not in its place:\n%s", name, s)
		}
		last = at
	}
	if got := b.line("[+] up"); !strings.Contains(got, "1881/1884") || !strings.Contains(got, "12ms") || !strings.Contains(got, "12/100") || !strings.Contains(got, "4/20") || !strings.Contains(got, "3.9.2") {
		t.Errorf("row %q", got)
	}
	b.shows("connection refused", "check that webadmin listens there", "next try in 8s")
	b.keys("G").shows("last record 1881; cdrCorrelatorIndex 1885 4s ago (14:03:18): 3 records had not come", "12 calls, 80 legs; read 30s ago",
		"latency 12ms; 5,120 requests, 7 failed", "reads 12/100 a second, writes 4/20 a second; 3 markings waiting", "guid-1", "(proven)")
	b.keys("g", "down").shows("14 calls and legs are still to be read")
	b.keys("down").shows("Alarm", "cms3 sends its records elsewhere", "INSECURE")
	// Keys that act on meetings do not here, and say so.
	b.keys("f").shows("This is about Call Bridges")
	b.keys("c", "y", "a", "y")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
	b.keys("/").typed("is:down").keys("enter").shows("1 of 1 (of 4)", "cms2").keys("esc", "esc").shows("7 meetings", "Cabinet briefing")
}

func TestCallBridgeInFull(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 24}, {40, 10}} {
		b := newBench(t, size.w, size.h)
		cluster(b.board)
		b.frame().keys("b", "G", "enter").shows("cms1  [+] up")
		// All of it can be read, a line at a time.
		var seen strings.Builder
		for range 40 {
			seen.WriteString(strings.Join(strings.Fields(b.screen()), " "))
			b.keys("down")
		}
		for _, want := range []string{"Records", "last 2s ago", "cdrCorrelatorIndex", "latency", "reads 12/100", "cms1.example.com:443", "3.9.2", "192.0.2.1", "s1", "guid-1"} {
			if !strings.Contains(seen.String(), want) {
				t.Errorf("%dx%d: %q is nowhere in %s", size.w, size.h, want, seen.String())
			}
		}
		b.keys("s").shows("no rows to").keys("/").shows("no rows to")
		// It is the same Call Bridge whatever the order becomes, also when it is gone.
		b.board.rest.Bridges = b.board.rest.Bridges[1:]
		b.keys("g").frame().shows("GONE", "cms1")
		b.keys("esc").shows("3").hides("GONE").keys("esc").shows("Cabinet")
	}
}

// A Call Bridge that is selected stays so when its first record comes, and when
// it begins anew.
func TestCallBridgeStaysTheSame(t *testing.T) {
	b := newBench(t, 100, 24)
	b.board.rest.Bridges = []policy.BridgeView{
		{Key: "server/a:443", Name: "a", Server: "a:443", Bound: policy.ServerStatus{State: policy.ServerUp}},
		{Key: "server/b:443", Name: "b", Server: "b:443", Bound: policy.ServerStatus{State: policy.ServerUp}},
	}
	b.frame().keys("b", "down")
	for _, session := range []string{"s1", "s2"} {
		now := b.board.rest.Bridges[1]
		now.Key, now.Session = "session/"+session, session
		b.board.rest.Bridges = []policy.BridgeView{b.board.rest.Bridges[0], now}
		b.frame()
		if v, ok := b.m.callBridges.table.selected(); !ok || v.Name != "b" || v.Session != session {
			t.Errorf("selected %q in %q", v.Name, v.Session)
		}
	}
}

func TestNoCallBridges(t *testing.T) {
	b := newBench(t, 80, 24)
	b.frame().keys("b").shows("No Call Bridge yet").keys("enter").shows("No Call Bridge is selected").keys("e").shows("nothing to export")
}

// TestWayBack goes through the views in a circle: the way back is never longer
// than there are views.
func TestWayBack(t *testing.T) {
	b := newBench(t, 120, 30)
	cluster(b.board)
	b.frame().keys("enter").frame()
	for range 20 {
		b.keys("b", "enter", "l")
	}
	b.keys("esc").shows("Budget").keys("esc", "esc").shows("Level by").keys("h").shows("call started").keys("i").shows("Meeting").keys("esc", "esc", "esc")
	if len(b.m.trail) != 0 || b.m.view != viewMeetings || b.m.open.id != "" {
		t.Errorf("view %d, trail %v, open %q", b.m.view, b.m.trail, b.m.open.id)
	}
	b.keys("l", "l").shows("Cabinet briefing").keys("b", "b")
	if len(b.m.trail) != 0 || b.m.view != viewMeetings {
		t.Errorf("view %d, trail %v", b.m.view, b.m.trail)
	}
}

func TestHasWord(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{"cms1 is down", "cms1", true}, {"cms10 is down", "cms1", false}, {"cms10 and cms1", "cms1", true}, {"records/cms1:443", "cms1", true}, {"", "cms1", false}, {"xcms1", "cms1", false},
	} {
		if got := hasWord(c.text, c.name); got != c.want {
			t.Errorf("%q in %q: %v", c.name, c.text, got)
		}
	}
}
