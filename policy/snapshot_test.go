package policy

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// reader follows a board by increments: what is gone first, then what changed.
type reader struct {
	version  uint64
	meetings map[MeetingID]*MeetingView
}

func (r *reader) read(b *Board) Update {
	u := b.Since(r.version)
	r.version = u.Version
	if u.Full || r.meetings == nil {
		r.meetings = map[MeetingID]*MeetingView{}
	}
	for _, id := range u.Gone {
		delete(r.meetings, id)
	}
	for _, v := range u.Meetings {
		r.meetings[v.ID] = v
	}
	return u
}

// same fails unless the reader has what one has who reads everything.
func (r *reader) same(t interface {
	Helper()
	Fatalf(string, ...any)
}, b *Board) {
	t.Helper()
	all := map[MeetingID]*MeetingView{}
	for _, v := range b.Since(0).Meetings {
		all[v.ID] = v
	}
	if diff := cmp.Diff(all, r.meetings); diff != "" {
		t.Fatalf("the reader has something else (-all +reader):\n%s", diff)
	}
}

func TestSince(t *testing.T) {
	f := newFixture(t, Options{})
	var r reader
	if u := r.read(f.Board); !u.Full || len(u.Meetings) != 0 {
		t.Errorf("of an empty board: %+v", u)
	}
	f.send(callStart("a", ""), callStart("b", ""), callStart("c", ""))
	r.read(f.Board)
	if u := r.read(f.Board); u.Full || len(u.Meetings) != 0 || len(u.Gone) != 0 {
		t.Errorf("nothing has changed: %+v", u)
	}
	old := r.meetings["call:b"]
	f.send(join("l", "b", alien))
	if u := r.read(f.Board); u.Full || len(u.Meetings) != 1 || u.Meetings[0].ID != "call:b" || u.Meetings[0].Computed != Level3 {
		t.Errorf("one has changed: %+v", u)
	}
	if old.Computed != LevelNone || len(old.Calls) != 1 || old.Calls[0].Wanted != (Marking{}) {
		t.Errorf("a view changed after it was given out: %+v", old)
	}
	f.send(callEnd("a"))
	if u := r.read(f.Board); !slices.Equal(u.Gone, []MeetingID{"call:a"}) || len(u.Meetings) != 0 {
		t.Errorf("one has gone: %+v", u)
	}
	f.send(callEnd("c"), callStart("c", ""), callEnd("b"), callStart("b", ""), callEnd("b"))
	u := r.read(f.Board)
	slices.Sort(u.Gone)
	if !slices.Equal(u.Gone, []MeetingID{"call:b", "call:c"}) || len(u.Meetings) != 1 || u.Meetings[0].ID != "call:c" {
		t.Errorf("one has come back: %+v", u)
	}
	r.same(t, f.Board)
	if u := f.Since(u.Version + 1000); !u.Full || len(u.Meetings) != 1 {
		t.Errorf("from another board's version: %+v", u)
	}
}

// TestSinceInSlices: more meetings than are copied under one hold of the lock,
// and more that ended than are remembered.
func TestSinceInSlices(t *testing.T) {
	f := newFixture(t, Options{})
	const n = 3*chunk + 7
	var events []Event
	for i := range n {
		events = append(events, callStart(fmt.Sprint(i), ""))
	}
	f.raw(f.number(events...)...)
	var r reader
	if u := r.read(f.Board); len(u.Meetings) != n {
		t.Errorf("%d meetings, want %d", len(u.Meetings), n)
	}
	for i := range 2 * chunk {
		f.Apply(f.now, f.src, f.number(legStart(fmt.Sprint(i), in(fmt.Sprint(i)))))
	}
	if u := r.read(f.Board); len(u.Meetings) != 2*chunk || u.Full {
		t.Errorf("%d meetings, want %d", len(u.Meetings), 2*chunk)
	}
	r.same(t, f.Board)
	behind := r
	behind.meetings = maps.Clone(r.meetings)
	for i := range 2 * maxGone {
		id := fmt.Sprint("x", i)
		f.Apply(f.now, f.src, f.number(callStart(id, ""), callEnd(id)))
		if i%1000 == 0 {
			r.read(f.Board)
		}
	}
	f.send(callEnd("5"))
	if u := r.read(f.Board); u.Full {
		t.Error("who keeps up is given everything")
	}
	if u := behind.read(f.Board); !u.Full {
		t.Error("who is too far behind is given a part")
	}
	r.same(t, f.Board)
	behind.same(t, f.Board)
	if len(f.Board.gone) > maxGone {
		t.Errorf("%d ended meetings are remembered", len(f.Board.gone))
	}
}

// TestSinceWhileRecordsCome has readers follow a board that is written to. What
// they have in the end is what there is.
func TestSinceWhileRecordsCome(t *testing.T) {
	f := newFixture(t, Options{})
	readers := make([]reader, 3)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range readers {
		changes, stop := f.Watch()
		wg.Go(func() {
			defer stop()
			for {
				select {
				case <-changes:
					readers[i].read(f.Board)
				case <-done:
					return
				}
			}
		})
	}
	for i := range 3000 {
		id := fmt.Sprint(i % 700)
		f.Apply(f.now, f.src, f.number(callStart(id, ""), join("l"+id, id, alien), callEnd(fmt.Sprint(i%311))))
	}
	close(done)
	wg.Wait()
	for i := range readers {
		readers[i].read(f.Board)
		readers[i].same(t, f.Board)
	}
	checkBoard(t, f.Board)
}

// TestSinceFollowsEverything draws whatever may happen to a board, the
// operators', the notifier's and the API's doings included.
func TestSinceFollowsEverything(t *testing.T) {
	changed, fell, failed := 0, 0, 0
	history := func(t *rapid.T) {
		rules, err := NewRules([]string{"secure.example"}, []string{"corp.example"})
		if err != nil {
			t.Fatal(err)
		}
		b := NewBoard(Options{Rules: rules, Duration: 20 * time.Second, Bounds: Bounds{
			Sessions: 3, Calls: 12, Legs: 20, LegsPerCall: 6, DepartedPerSess: 4, Journal: 16, Alarms: 3}})
		now := t0
		var r reader
		var refs []CallRef
		index := map[string]int64{}
		meeting := func() MeetingID {
			ids := slices.Sorted(maps.Keys(r.meetings))
			if len(ids) == 0 {
				return "none"
			}
			return rapid.SampledFrom(ids).Draw(t, "meeting")
		}
		call := func() CallRef {
			if len(refs) == 0 {
				return 1
			}
			return rapid.SampledFrom(refs).Draw(t, "ref")
		}
		server := func() string { return rapid.SampledFrom([]string{"cms1", "cms2"}).Draw(t, "server") }
		session := func() string { return rapid.SampledFrom([]string{"s1", "s2", "s3", "s4", "s5"}).Draw(t, "session") }
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			switch rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 8, 9, 10, 11}).Draw(t, "what") {
			case 0:
				src := Source{Session: session(), CallBridge: rapid.SampledFrom([]string{"", "", "A"}).Draw(t, "guid"), Address: "192.0.2.1"}
				var doc []Event
				for range rapid.IntRange(1, 3).Draw(t, "records") {
					e := drawEvent(t, rapid.SampledFrom([]string{"", src.Session}).Draw(t, "prefix"), index[src.Session])
					if rapid.IntRange(0, 15).Draw(t, "bare") == 0 {
						e.Index = NoIndex
					} else {
						index[src.Session] += int64(1 + rapid.IntRange(0, 1).Draw(t, "jump")/1)
					}
					e.Time = now
					doc = append(doc, e)
				}
				b.Apply(now, src, doc)
			case 1:
				b.SetAside(now, Source{Session: session()}, "bad")
			case 2:
				b.SetHosts(now, rapid.SampledFrom([][]string{nil, {"cms1.example"}}).Draw(t, "watched"), rapid.SampledFrom([][]string{nil, {"cms9.example"}}).Draw(t, "unwatched"))
			case 3:
				o := rapid.SampledFrom([]Override{force1, force2, force3, text, off}).Draw(t, "override")
				if rapid.Bool().Draw(t, "expires") {
					o.Until = now.Add(5 * time.Second)
				}
				_ = b.Override(now, meeting(), o)
			case 4:
				refs = b.TakeLooks(refs)
				ref := call()
				if w := b.Want(now, ref); w.Write && b.Sending(now, ref, w.Marking) {
					switch rapid.IntRange(0, 3).Draw(t, "outcome") {
					case 0:
						b.Failed(now, ref, w.Marking, "busy", false)
						failed++
					case 1:
						b.Failed(now, ref, w.Marking, "time-out", true)
					case 2:
						b.Sent(now, ref, w.Marking, "cms1")
					}
				} else if w.Why == WhySending {
					b.Sent(now, ref, w.Marking, "cms1")
				}
			case 5:
				b.Absent(now, call(), "cms1")
			case 6:
				b.Bind(now, session(), server(), rapid.SampledFrom([]Sureness{Guessed, Guessed, Proven}).Draw(t, "how"))
			case 7:
				b.Unbind(now, session(), server())
			case 8:
				b.ReportServer(now, ServerStatus{Server: server(), Name: rapid.SampledFrom([]string{"", "north", "south"}).Draw(t, "name")})
			case 9:
				_ = b.Release(now, meeting(), "ann")
			case 10:
				b.Raise(now, Alarm{Key: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "alarm"), Text: "x"})
			case 11:
				b.Dismiss(now, rapid.SampledFrom([]string{"a", "b", "bound"}).Draw(t, "alarm"), "ann")
			}
			if rapid.Bool().Draw(t, "tick") {
				b.Tick(now)
			}
			checkBoard(t, b)
			if rapid.Bool().Draw(t, "read") {
				u := r.read(b)
				changed += len(u.Meetings)
				for _, v := range u.Meetings {
					if v.Fallen != nil {
						fell++
					}
				}
				r.same(t, b)
				if len(u.Alarms) > 3 {
					t.Fatalf("%d alarms", len(u.Alarms))
				}
			}
		}
	}
	for try := 0; try < 5 && (changed == 0 || failed == 0); try++ { // what is rare shall be met at all
		rapid.Check(t, history)
	}
	t.Logf("%d changes read, %d of meetings with a fallen override; %d writes failed", changed, fell, failed)
	if changed == 0 || failed == 0 {
		t.Error("something was never met")
	}
}

func TestWatch(t *testing.T) {
	f := newFixture(t, Options{})
	one, stop := f.Watch()
	holds := func(want bool) {
		t.Helper()
		select {
		case <-one:
			if !want {
				t.Fatal("a value without a change")
			}
		default:
			if want {
				t.Fatal("no value after a change")
			}
		}
	}
	holds(true) // whoever begins has something to read
	holds(false)
	f.send(callStart("a", ""), callStart("b", "")) // nobody waits for the watcher
	holds(true)
	holds(false)
	f.Tick(f.now)
	holds(false)
	f.ReportReceiver(ReceiverStatus{})
	holds(false)
	f.ReportReceiver(ReceiverStatus{Refused: 1})
	holds(true)

	// A server that is asked again and again is no change, however many count it.
	f.Follow(f.now, cms1)
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp})
	f.Polled(f.now, cms1, Poll{Began: f.now, Next: 1, Uptime: -1, Clock: f.now})
	holds(true)
	f.pass(5 * time.Second)
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerUp, Requests: 7, Failures: 1, Queue: 2, Latency: time.Second, ReadRate: 3, WriteRate: 4})
	f.Polled(f.now, cms1, Poll{Began: f.now, Next: 2, Uptime: -1, Clock: f.now})
	holds(false)
	all := f.Since(0).Bridges
	if v := all[slices.IndexFunc(all, func(v BridgeView) bool { return v.Server == cms1 })]; v.Next != 2 || v.Bound.Requests != 7 {
		t.Errorf("who reads all the same has %d and %d", v.Next, v.Bound.Requests)
	}
	f.Polled(f.now, cms1, Poll{Began: f.now, Next: 3, Uptime: -1, Clock: f.now.Add(time.Hour)}) // an alarm
	holds(true)
	f.ReportServer(f.now, ServerStatus{Server: cms1, State: ServerDown})
	holds(true)
	holds(false)
	stop()
	f.send(callStart("c", ""))
	holds(false)
	stop()
}

func TestJournal(t *testing.T) {
	f := newFixture(t, Options{Bounds: Bounds{Journal: 8}})
	if entries, lost := f.Journal(0, 10); len(entries) != 0 || lost != 0 {
		t.Errorf("%v, %d of an empty one", entries, lost)
	}
	for i := range 5 {
		f.Raise(f.now, Alarm{Key: fmt.Sprint(i)})
	}
	check := func(after uint64, max int, first, last, wantLost uint64) {
		t.Helper()
		entries, lost := f.Journal(after, max)
		if lost != wantLost {
			t.Errorf("after %d: %d lost, want %d", after, lost, wantLost)
		}
		if want := int(last - first + 1); len(entries) != want {
			t.Fatalf("after %d: %d entries, want %d", after, len(entries), want)
		}
		for i, e := range entries {
			if e.Seq != first+uint64(i) || e.Name != fmt.Sprint(e.Seq-1) {
				t.Errorf("entry %d is %d: %s", i, e.Seq, e.Name)
			}
		}
	}
	check(0, 10, 1, 5, 0)
	check(0, 2, 1, 2, 0)
	check(3, 10, 4, 5, 0)
	check(5, 10, 1, 0, 0)
	check(99, 10, 1, 0, 0)
	check(0, 0, 1, 0, 0)
	check(0, -1, 1, 0, 0)
	for i := range 15 {
		f.Raise(f.now, Alarm{Key: fmt.Sprint(i + 5)})
	}
	check(0, 100, 13, 20, 12)
	check(11, 100, 13, 20, 1)
	check(12, 100, 13, 20, 0)
	check(12, 3, 13, 15, 0)
	check(19, 100, 20, 20, 0)
}

// TestJournalTells has a meeting's life in the journal, in its order.
func TestJournalTells(t *testing.T) {
	f := newFixture(t, Options{})
	f.src.CallBridge = "G"
	f.send(callStart("c", "k"), join("a", "c", room, named("Room")), join("b", "c", alien, named("Eve")))
	f.write("k")
	f.send(join("b", "c", staff), legEnd("b", func(l *LegFacts) { l.Reason = "remote teardown" }))
	f.override("k", off)
	if err := f.Release(f.now, "k", "ann"); err != nil {
		t.Fatal(err)
	}
	f.send(callEnd("c"))
	var got []string
	entries, _ := f.Journal(0, 100)
	for _, e := range entries {
		s := e.Kind.String()
		if e.Person != "" {
			s += " " + e.Person
		}
		switch e.Kind {
		case EntryLevel:
			s += fmt.Sprintf(" %s to %s", e.Before, e.Level)
		case EntryLeft, EntryWanted, EntrySent:
			s += ": " + e.Text
		}
		got = append(got, s)
		if e.Kind != EntrySessionNew && (e.Meeting != "k" || e.Bridge == "" && e.Call != "") {
			t.Errorf("%+v", e)
		}
	}
	one, two := "marking wanted: Security Level 1: secure endpoints only", "marking wanted: Security Level 2: internal participants"
	want := []string{
		"session began", "call started", "joined Room", "level changed none to 1", one,
		"joined Eve", "level changed 1 to 3", "marking wanted: Security Level 3: external participants",
		"marking sent: Security Level 3: external participants; Eve: host evil.test matches no entry",
		"address changed Eve", "level changed 3 to 2", two,
		"left Eve: remote teardown", "level changed 2 to 1", one,
		"override set", "marking wanted: cleared", "override released", one,
		"left Room: call ended", "level changed 1 to none", "call ended",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAlarms(t *testing.T) {
	f := newFixture(t, Options{Bounds: Bounds{Alarms: 2}})
	f.Raise(f.now, Alarm{Key: "a", Text: "one"})
	given := f.Since(0).Alarms
	f.Raise(f.now, Alarm{Key: "a", Text: "two"})
	if given[0].Text != "one" || given[0].Count != 1 {
		t.Errorf("an alarm changed after it was given out: %+v", given[0])
	}
	if a := f.Since(0).Alarms; len(a) != 1 || a[0].Count != 2 || a[0].Text != "two" {
		t.Errorf("%+v", a)
	}
	f.Raise(f.now, Alarm{Key: "b"})
	f.Raise(f.now, Alarm{Key: "c"})
	if a := f.Since(0).Alarms; len(a) != 2 || a[0].Key != "b" || a[1].Key != "c" {
		t.Errorf("%+v", a)
	}
	f.Lower(f.now, "b")
	f.Lower(f.now, "nothing")
	f.Dismiss(f.now, "c", "ann")
	if a := f.Since(0).Alarms; len(a) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestBridges(t *testing.T) {
	f := newFixture(t, Options{})
	f.send(callStart("c", ""), join("a", "c", room))
	f.raw(Event{Index: 0})
	f.ReportServer(f.now, ServerStatus{Server: "cms1:443", Name: "north", State: ServerUp})
	f.ReportServer(f.now, ServerStatus{Server: "cms2:443", State: ServerDown, Problem: "no route"})
	f.Bind(f.now, "s1", "cms1:443", Guessed)
	views := f.Since(0).Bridges
	if len(views) != 2 || views[0].Name != "cms2:443" || views[1].Name != "north" {
		t.Fatalf("%+v", views)
	}
	v := views[1]
	if v.Session != "s1" || v.Bound.State != ServerUp || v.Sureness != Guessed || v.Records != 2 || v.Duplicates != 1 || v.Calls != 1 || v.Legs != 1 || v.LastIndex != 1 {
		t.Errorf("%+v", v)
	}
	if c := f.meeting("call:c").Calls[0]; c.Bridge != "north" || c.Server != "cms1:443" {
		t.Errorf("%+v", c)
	}
	f.ReportServer(f.now, ServerStatus{Server: "cms1:443", Name: "south", State: ServerUp})
	if c := f.meeting("call:c").Calls[0]; c.Bridge != "south" {
		t.Errorf("%+v", c)
	}
	f.lose()
	if v := f.Since(0).Bridges[1]; v.Unverified == "" || !v.UnverifiedSince.Equal(f.now) {
		t.Errorf("%+v", v)
	}
}
