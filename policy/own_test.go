package policy

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// The texts of a record are parts of one, as the decoder gives them. What the board
// keeps of them does not keep the rest: 2,000 records of 64 KiB each are 125 MiB.
func TestKeepsNoRecord(t *testing.T) {
	f := newFixture(t, Options{})
	const records, size = 2000, 64 << 10
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range records / 4 {
		part := func(fields ...string) []string { // of a text of their own, with as much that nobody keeps
			all := strings.Join(fields, "") + strings.Repeat("x", size)
			parts := make([]string, len(fields)+1)
			for j, field := range fields {
				parts[j], all = all[:len(field)], all[len(field):]
			}
			parts[len(fields)] = all
			return parts
		}
		leg, over, call := fmt.Sprint("leg", i), fmt.Sprint("over", i), fmt.Sprint("call", i/10)
		p := part(call, "Meeting", fmt.Sprint("correlator", i/10))
		f.send(Event{Kind: CallStarted, Call: CallFacts{ID: p[0], Name: p[1], Correlator: p[2]}, Leg: LegFacts{Reason: p[3]}})
		p = part(leg, "Ann", "ann@secure.example", "group", call)
		f.send(Event{Kind: LegStarted, Leg: LegFacts{ID: p[0], Name: p[1], RemoteParty: p[2], Group: p[3], Call: p[4], Connected: true, Reason: p[5]}})
		p = part(leg, "Ann B", "ann@internal.example")
		f.send(Event{Kind: LegUpdated, Leg: LegFacts{ID: p[0], Name: p[1], RemoteAddress: p[2], Reason: p[3]}})
		p = part(over, "gone")
		f.send(Event{Kind: LegEnded, Leg: LegFacts{ID: p[0], Reason: p[1], Name: p[2]}})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 8<<20 {
		t.Errorf("%d records of %d bytes keep %d bytes alive", records, size, kept)
	}
	runtime.KeepAlive(f)
}

// Of a leg that left with its call, and ended after that, nothing is counted twice
// when it is forgotten.
func TestForgottenOnce(t *testing.T) {
	f := newFixture(t, Options{Bounds: Bounds{DepartedPerSess: 4}})
	for i := range 20 {
		id, call := fmt.Sprint("leg", i), fmt.Sprint("call", i)
		f.send(callStart(call, "k"), legStart(id, in(call)), join(id, call, room), Event{Kind: CallEnded, Call: CallFacts{ID: call}})
		f.send(legEnd(id)) // which looks whether all is as it is counted
	}
}
