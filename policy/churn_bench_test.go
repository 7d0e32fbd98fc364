package policy

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// site is a board that callers come to and leave, on several Call Bridges, with
// new meetings for those that end.
type site struct {
	board  *Board
	now    time.Time
	src    []Source
	index  []int64
	random *rand.Rand
	calls  int // met so far
	legs   int // likewise
	events int // likewise
}

// siteCall is a call with who is in it.
type siteCall struct {
	bridge int
	id     string
	legs   []string
}

func (x *site) put(bridge int, e Event) {
	e.Index, e.Time = x.index[bridge], x.now
	x.index[bridge]++
	if x.events++; x.events%100 == 0 { // 1,000 records a second
		x.now = x.now.Add(100 * time.Millisecond)
		x.board.Tick(x.now)
		x.read()
	}
	x.board.Apply(x.now, x.src[bridge], []Event{e})
}

// read does what those do who read the board: the notifier writes every marking.
func (x *site) read() {
	for _, ref := range x.board.TakeLooks(nil) {
		if w := x.board.Want(x.now, ref); w.Write && x.board.Sending(x.now, ref, w.Marking) {
			x.board.Sent(x.now, ref, w.Marking, "")
		}
	}
}

// open starts a meeting on a Call Bridge with ten people in it.
func (x *site) open() *siteCall {
	c := &siteCall{bridge: x.random.IntN(len(x.src)), id: fmt.Sprintf("c0ffee00-0000-4a4a-8b8b-%012d", x.calls)}
	x.put(c.bridge, Event{Kind: CallStarted, Call: CallFacts{ID: c.id, Name: fmt.Sprintf("Meeting %d", x.calls), Correlator: fmt.Sprintf("0ddba11f-0000-4c4c-9d9d-%012d", x.calls)}})
	x.calls++
	for range 10 {
		x.join(c)
	}
	return c
}

func (x *site) join(c *siteCall) {
	id := fmt.Sprintf("fc9c85ca-0000-4a1a-9252-%012d", x.legs)
	host := [3]string{"rooms.example.com", "example.com", "evil.test"}[x.random.IntN(3)]
	x.put(c.bridge, Event{Kind: LegStarted, Leg: LegFacts{ID: id, Name: fmt.Sprintf("Person %d", x.legs), RemoteParty: fmt.Sprintf("person%d@%s", x.legs, host), Type: "sip", Group: "g-" + id}})
	x.put(c.bridge, Event{Kind: LegUpdated, Leg: LegFacts{ID: id, Call: c.id, Connected: true, Group: "g-" + id}})
	x.legs++
	c.legs = append(c.legs, id)
}

func (x *site) leave(c *siteCall, i int) {
	x.put(c.bridge, Event{Kind: LegEnded, Leg: LegFacts{ID: c.legs[i], Reason: "remote teardown"}})
	c.legs[i] = c.legs[len(c.legs)-1]
	c.legs = c.legs[:len(c.legs)-1]
}

// What a board of 100,000 legs in meetings of ten keeps, and what the process
// holds, while a million legs come and go: half of them one by one, half with
// meetings that end and begin. Each Call Bridge remembers who left lately, so that
// many of them keep more. Run it alone, once: -bench Churn -benchtime 1x.
func BenchmarkChurn(b *testing.B) {
	for _, bridges := range []int{8, 24} {
		b.Run(fmt.Sprintf("bridges=%d", bridges), func(b *testing.B) {
			for b.Loop() {
				churn(b, bridges)
			}
		})
	}
}

func churn(b *testing.B, bridges int) {
	const present, passing = 100_000, 1_000_000
	rules, err := NewRules([]string{"rooms.example.com"}, []string{"example.com"})
	if err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory() // what ran before is not counted
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x := &site{board: NewBoard(Options{Rules: rules}), now: time.Unix(1_700_000_000, 0), random: rand.New(rand.NewPCG(1, 2))}
	for i := range bridges {
		x.src = append(x.src, Source{Session: fmt.Sprintf("3f1f6f0c-0000-4c1e-9a51-%012d", i), CallBridge: fmt.Sprintf("77aa6d53-0000-4d3c-8f60-%012d", i), Address: fmt.Sprintf("192.0.2.%d", i)})
		x.index = append(x.index, 0)
		x.board.ReportServer(x.now, ServerStatus{Server: fmt.Sprintf("cms%d.example.com", i), State: ServerUp, Identified: true, CallBridge: x.src[i].CallBridge})
	}
	calls := make([]*siteCall, present/10)
	for i := range calls {
		calls[i] = x.open()
	}
	report := func(passed int) {
		resident := residentMB(b) // garbage included
		runtime.GC()
		runtime.ReadMemStats(&after)
		at := fmt.Sprintf("at-%dk", passed/1000)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/present, "B/leg-"+at)
		b.ReportMetric(resident*(1<<20)/present, "resident-B/leg-"+at)
		if n := x.board.totals.Legs; n != present {
			b.Fatalf("%d legs are present", n)
		}
	}
	report(0)
	for quarter := range 4 {
		for x.legs < present+(quarter+1)*passing/4 {
			i := x.random.IntN(len(calls))
			c := calls[i]
			if x.random.IntN(11) > 0 { // ten times for each meeting, which has ten
				x.leave(c, x.random.IntN(len(c.legs)))
				x.join(c)
				continue
			}
			for len(c.legs) > 3 { // some go by themselves, the rest by the end of the call
				x.leave(c, len(c.legs)-1)
			}
			x.put(c.bridge, Event{Kind: CallEnded, Call: CallFacts{ID: c.id}})
			calls[i] = x.open()
		}
		report((quarter + 1) * passing / 4)
	}
	runtime.KeepAlive(x)
}
