package cms

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callmark/policy"

	"github.com/google/go-cmp/cmp"
)

func TestAChangeIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, true, nil)
		r.servers[1].add("a")
		r.start(t)
		r.board.want(1, "a", on(2), level(3))
		pass(5 * time.Second)
		if got := r.servers[1].message("a"); got != "level 3" {
			t.Errorf("the call shows %q", got)
		}
		if s := r.board.session("session-2"); s.Server != "cms2.test:80" || s.Sureness != policy.Proven {
			t.Errorf("bound to %q, %s", s.Server, s.Sureness)
		}
		if puts := r.servers[0].got(http.MethodPut); len(puts) > 0 {
			t.Errorf("the other server got %v", puts)
		}
		if c := r.board.call(1); c.sent != level(3) || c.sending {
			t.Errorf("the board holds %+v", c)
		}
		st := r.board.server("cms2.test:80")
		if st.State != policy.ServerUp || st.Name != "node2" || st.CallBridge != "guid-2" || st.Version != "3.8" || !st.Insecure {
			t.Errorf("status %+v", st)
		}
		// A clear carries an empty text and a duration of 0.
		r.board.want(1, "a", on(2), policy.Marking{Kind: policy.MarkClear})
		pass(time.Second)
		if got := r.servers[1].message("a"); got != "" {
			t.Errorf("after the clear the call shows %q", got)
		}
	})
}

func TestABurstIsFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("a")
		r.servers[0].setFault(onPut(func(http.ResponseWriter, *http.Request) bool { <-time.After(300 * time.Millisecond); return false }))
		r.start(t)
		pass(time.Second)
		for i := range 20 {
			r.board.want(1, "a", on(1), policy.Marking{Kind: policy.MarkText, Text: fmt.Sprintf("text %d", i)})
			pass(10 * time.Millisecond)
		}
		pass(2 * time.Second)
		if n := len(r.servers[0].got(http.MethodPut)); n > 3 {
			t.Errorf("%d writes", n)
		}
		if got := r.servers[0].message("a"); got != "text 19" {
			t.Errorf("the call shows %q", got)
		}
	})
}

func TestNeverTwoAtOnceForACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("a")
		r.servers[0].setFault(onPut(func(http.ResponseWriter, *http.Request) bool { <-time.After(200 * time.Millisecond); return false }))
		r.start(t)
		pass(time.Second)
		for i := range 200 {
			r.board.want(1, "a", on(1), policy.Marking{Kind: policy.MarkText, Text: fmt.Sprint(i)})
			pass(7 * time.Millisecond)
		}
		pass(time.Second)
		if r.servers[0].most != 1 {
			t.Errorf("%d requests at once for one call", r.servers[0].most)
		}
	})
}

func TestADeadServerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, true, nil)
		r.start(t)
		pass(2 * time.Second)
		r.servers[0].setFault(hang)
		var ids []string
		for i := range 100 {
			ids = append(ids, fmt.Sprintf("a%d", i))
		}
		r.servers[1].add(ids...)
		for i, id := range ids {
			r.board.want(policy.CallRef(i), id, on(1), level(3))
			r.board.want(policy.CallRef(i+1000), id, on(2), level(3))
		}
		pass(6 * time.Second) // 100 at 20 a second
		for _, id := range ids {
			if r.servers[1].message(id) == "" {
				t.Fatalf("%s on the other server is not marked yet", id)
			}
		}
		pass(54 * time.Second)
		if n := len(r.servers[0].got(http.MethodPut)); n > 14 {
			t.Errorf("the dead server got %d requests in a minute", n)
		}
		if st := r.board.server("cms1.test:80"); st.State != policy.ServerDown || st.Problem == "" || st.Remedy == "" {
			t.Errorf("status %+v", st)
		}
		if !slices.Contains(r.board.alarmKeys(), "server/cms1.test:80") {
			t.Errorf("alarms %v", r.board.alarmKeys())
		}
		// When it is back all is made up for, at its rate.
		r.servers[0].add(ids...)
		r.servers[0].setFault(nil)
		pass(45 * time.Second)
		for _, id := range ids {
			if r.servers[0].message(id) == "" {
				t.Fatalf("%s is not marked after the server came back", id)
			}
		}
		if len(r.board.alarmKeys()) > 0 {
			t.Errorf("alarms after it came back: %v", r.board.alarmKeys())
		}
	})
}

func TestRefusedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].setFault(refuse(401, ""))
		for i := range 50 {
			r.board.want(policy.CallRef(i), fmt.Sprintf("a%d", i), on(1), level(3))
		}
		r.servers[0].add("a0")
		r.start(t)
		pass(time.Hour)
		// At 0, 5, 15 and 35 minutes.
		if got := r.servers[0].got(""); len(got) != 4 {
			t.Errorf("%d requests in an hour: %v", len(got), got)
		}
		if st := r.board.server("cms1.test:80"); st.State != policy.ServerLocked || st.NextTry.IsZero() || !strings.Contains(st.Remedy, "password") {
			t.Errorf("status %+v", st)
		}
		if !slices.Contains(r.board.alarmKeys(), "server/cms1.test:80") {
			t.Errorf("alarms %v", r.board.alarmKeys())
		}
		r.servers[0].setFault(nil)
		r.notifier.Retry()
		pass(5 * time.Second)
		if got := r.servers[0].message("a0"); got != "level 3" {
			t.Errorf("after the operator's retry the call shows %q", got)
		}
		if keys := r.board.alarmKeys(); slices.Contains(keys, "server/cms1.test:80") {
			t.Errorf("alarms %v", keys)
		}
	})
}

func TestRefusedInTheMiddleStopsReadsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("a")
		r.start(t)
		pass(time.Second)
		r.servers[0].setFault(refuse(401, ""))
		before := len(r.servers[0].got(""))
		r.board.want(1, "a", on(1), level(3))
		pass(time.Second)
		_, err := r.cluster.Clients()[0].Calls(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("a read gave %v", err)
		}
		if n := len(r.servers[0].got("")) - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestBusyServerIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.start(t)
		pass(2 * time.Second)
		r.servers[0].setFault(onPut(refuse(503, "")))
		for i := range 1000 {
			id := fmt.Sprintf("a%d", i)
			r.servers[0].add(id)
			r.board.want(policy.CallRef(i), id, on(1), level(2))
		}
		pass(10 * time.Minute)
		puts := r.servers[0].got(http.MethodPut)
		if len(puts) > 60 {
			t.Errorf("%d writes in ten minutes", len(puts))
		}
		if st := r.board.server("cms1.test:80"); st.State != policy.ServerBusy || st.Queue < 990 {
			t.Errorf("status %+v", st)
		}
		for ref := range r.board.calls {
			if r.board.call(ref).uncertainEver {
				t.Fatal("a 503 was taken for an uncertain outcome")
			}
		}
		r.servers[0].setFault(nil)
		pass(30*time.Second + 1000/20*time.Second + 5*time.Second)
		for i := range 1000 {
			if id := fmt.Sprintf("a%d", i); r.servers[0].message(id) == "" {
				t.Fatalf("%s is not marked", id)
			}
		}
	})
}

func TestUncertainOutcomeIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("a")
		r.start(t)
		pass(time.Second)
		var once atomic.Bool
		r.servers[0].setFault(onPut(func(w http.ResponseWriter, req *http.Request) bool {
			return once.CompareAndSwap(false, true) && hang(w, req)
		}))
		r.board.want(1, "a", on(1), level(3))
		pass(11 * time.Second)
		if c := r.board.call(1); !c.uncertainEver {
			t.Errorf("a lost answer is certain: %+v", c)
		}
		pass(5 * time.Second)
		if c := r.board.call(1); c.sent != level(3) || r.servers[0].message("a") != "level 3" {
			t.Errorf("not sent again: %+v", c)
		}
	})
}

func TestRefusedConnectionIsCertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, false, nil)
		r.net.mu.Lock()
		clear(r.net.hosts)
		r.net.mu.Unlock()
		r.start(t)
		r.board.want(1, "a", on(1), level(3))
		pass(20 * time.Second)
		c := r.board.call(1)
		if c.uncertainEver || len(c.failures) == 0 || !strings.Contains(c.failures[0], "refused") {
			t.Errorf("the board holds %+v", c)
		}
		r.servers[0].add("a")
		r.listen(r.servers[0])
		pass(31 * time.Second)
		if r.servers[0].message("a") == "" {
			t.Error("not marked after the server came up")
		}
	})
}

func TestCallGoneOnProvenServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.start(t)
		pass(time.Second)
		r.board.want(1, "gone", on(1), level(3))
		pass(time.Minute)
		if diff := cmp.Diff([]policy.CallRef{1}, r.board.absent); diff != "" {
			t.Error(diff)
		}
		if n := len(r.servers[0].got(http.MethodPut)); n != 1 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestCallGoneOnGuessedServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, false, nil)
		r.start(t)
		pass(time.Second)
		r.board.want(1, "gone", policy.SessionInfo{ID: "s"}, level(3))
		pass(10 * time.Minute)
		if len(r.board.absent) > 0 {
			t.Error("a guess ended a call")
		}
		if n := len(r.servers[0].got("")); n < 10 || n > 80 {
			t.Errorf("%d requests in ten minutes", n)
		}
		if !slices.Contains(r.board.alarmKeys(), "session/s") {
			t.Errorf("alarms %v", r.board.alarmKeys())
		}
		// Another call of the session is there: now the server is proven, and
		// what it says of the first call counts.
		r.servers[0].add("b")
		r.board.want(2, "b", policy.SessionInfo{ID: "s"}, level(3))
		pass(time.Minute)
		if r.servers[0].message("b") != "level 3" || !slices.Equal(r.board.absent, []policy.CallRef{1}) {
			t.Errorf("b shows %q, absent are %v", r.servers[0].message("b"), r.board.absent)
		}
		if len(r.board.alarmKeys()) > 0 || len(r.notifier.searches) > 0 {
			t.Errorf("alarms %v, searches %v", r.board.alarmKeys(), r.notifier.searches)
		}
	})
}

func TestWrongGuessIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, false, nil)
		r.servers[2].add("a")
		r.start(t)
		pass(time.Second)
		// The records come from the first server's address: a NAT, say.
		r.board.want(1, "a", policy.SessionInfo{ID: "s", Address: "10.0.0.1"}, level(3))
		pass(2 * time.Second)
		if got := r.servers[2].message("a"); got != "level 3" {
			t.Errorf("the call shows %q", got)
		}
		if len(r.servers[0].got(http.MethodPut)) != 1 {
			t.Error("the guess was not tried first")
		}
		if s := r.board.session("s"); s.Server != "cms3.test:80" || s.Sureness != policy.Proven {
			t.Errorf("bound to %q, %s", s.Server, s.Sureness)
		}
		if len(r.board.absent) > 0 {
			t.Error("a guess ended a call")
		}
	})
}

func TestSearchWithADeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, false, nil)
		r.servers[0].setFault(hang)
		r.servers[1].add("a")
		r.start(t)
		r.board.want(1, "a", policy.SessionInfo{ID: "s", Address: "192.0.2.1"}, level(3))
		pass(3 * time.Second)
		if got := r.servers[1].message("a"); got != "level 3" {
			t.Errorf("the call shows %q", got)
		}
	})
}

func TestCallBridgeThatIsNotConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, true, nil)
		for _, f := range r.servers {
			f.cluster = append(f.cluster, [3]string{"guid-3", "node3", "https://cms3.test/"})
		}
		r.start(t)
		pass(time.Second)
		r.board.want(1, "a", on(3), level(3))
		pass(30 * time.Second)
		keys := r.board.alarmKeys()
		if !slices.Equal(keys, []string{"bridge/guid-3", "session/session-3"}) {
			t.Errorf("alarms %v", keys)
		}
		if c := r.board.call(1); len(c.failures) != 1 {
			t.Errorf("failures %q", c.failures)
		}
		if text := r.board.alarms["bridge/guid-3"]; !strings.Contains(text, "node3") || !strings.Contains(text, "cms3.test") {
			t.Errorf("alarm %q", text)
		}
		if diff := cmp.Diff([]string{"cms3.test"}, r.board.unwatched); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"10.0.0.1", "10.0.0.2", "cms1.test", "cms2.test"}, r.board.watched); diff != "" {
			t.Error(diff)
		}
		if n := len(r.servers[0].got(http.MethodPut)); n > 0 {
			t.Errorf("%d writes for a call that cannot be there", n)
		}
		r.board.end(1)
		pass(time.Minute)
		if keys := r.board.alarmKeys(); !slices.Equal(keys, []string{"bridge/guid-3"}) {
			t.Errorf("alarms after the call's end: %v", keys)
		}
	})
}

func TestParameterErrorIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("a")
		r.start(t)
		pass(time.Second)
		r.servers[0].setFault(onPut(func(w http.ResponseWriter, req *http.Request) bool {
			if req.PostForm.Get("messageText") != "bad" {
				return false
			}
			return refuse(400, `<failureDetails><parameterError parameter="messageText" /></failureDetails>`)(w, req)
		}))
		r.board.want(1, "a", on(1), policy.Marking{Kind: policy.MarkText, Text: "bad"})
		pass(10 * time.Minute)
		if n := len(r.servers[0].got(http.MethodPut)); n > 10 {
			t.Errorf("%d writes in ten minutes", n)
		}
		c := r.board.call(1)
		if len(c.failures) == 0 || !strings.Contains(c.failures[0], "parameterError (parameter messageText)") {
			t.Errorf("failures %q", c.failures)
		}
		// Something else is written at once: it may be a rise.
		r.board.want(1, "a", on(1), level(3))
		pass(100 * time.Millisecond)
		if got := r.servers[0].message("a"); got != "level 3" {
			t.Errorf("the call shows %q", got)
		}
	})
}

func TestOrderAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, func(o *Options) { o.WritesPerSecond = 10 })
		r.servers[0].add("x")
		r.start(t)
		pass(2 * time.Second)
		// With the server away everything is queued; then the order shows.
		r.servers[0].setFault(onPut(refuse(503, "")))
		r.board.want(999, "x", on(1), level(1))
		pass(100 * time.Millisecond)
		r.board.end(999)
		for i := range 60 {
			l := policy.Level(1 + i%3)
			id := fmt.Sprintf("c%d-%d", l, i)
			r.servers[0].add(id)
			r.board.want(policy.CallRef(i), id, on(1), level(l))
			pass(time.Millisecond)
		}
		r.servers[0].setFault(nil)
		r.servers[0].mu.Lock()
		r.servers[0].requests = nil
		r.servers[0].mu.Unlock()
		pass(20 * time.Second)
		puts := r.servers[0].got(http.MethodPut)
		if len(puts) != 60 {
			t.Fatalf("%d writes", len(puts))
		}
		for i, p := range puts {
			// Those of one moment race each other to the server.
			if i > 0 && puts[i-1].text < p.text && !puts[i-1].at.Equal(p.at) {
				t.Fatalf("write %d is %q, after %q", i, p.text, puts[i-1].text)
			}
		}
		if puts[0].text != "level 3" || puts[59].text != "level 1" {
			t.Errorf("from %q to %q", puts[0].text, puts[59].text)
		}
		// Never more than the burst and ten a second.
		for i, p := range puts {
			n := 0
			for _, q := range puts[i:] {
				if q.at.Sub(p.at) <= time.Second {
					n++
				}
			}
			if n > 10+4+1 {
				t.Fatalf("%d writes within a second", n)
			}
		}
	})
}

func TestAWriterIsKeptForRises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.start(t)
		pass(time.Second)
		for i := range 10 {
			id := fmt.Sprintf("c%d", i)
			r.servers[0].add(id)
			r.board.want(policy.CallRef(i), id, on(1), level(3))
		}
		pass(2 * time.Second)
		// Falls that take for ever hold three of four writers.
		r.servers[0].setFault(onPut(func(w http.ResponseWriter, req *http.Request) bool {
			return req.PostForm.Get("messageText") == "level 1" && hang(w, req)
		}))
		for i := range 10 {
			r.board.want(policy.CallRef(i), fmt.Sprintf("c%d", i), on(1), level(1))
		}
		pass(time.Second)
		r.servers[0].add("rise")
		r.board.want(77, "rise", on(1), level(3))
		pass(200 * time.Millisecond)
		if got := r.servers[0].message("rise"); got != "level 3" {
			t.Errorf("the rise waits behind falls: it shows %q", got)
		}
	})
}

// TestOneCallThatHangs has a request that never gets an answer, and goes first.
func TestOneCallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.start(t)
		pass(time.Second)
		r.servers[0].setFault(onPut(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, "/poison") && hang(w, req)
		}))
		r.servers[0].add("poison")
		r.board.want(1, "poison", on(1), level(3))
		pass(25 * time.Second)
		for i := range 20 {
			id := fmt.Sprintf("c%d", i)
			r.servers[0].add(id)
			r.board.want(policy.CallRef(i+10), id, on(1), level(2))
		}
		pass(20 * time.Second)
		for i := range 20 {
			if id := fmt.Sprintf("c%d", i); r.servers[0].message(id) == "" {
				t.Errorf("%s is not marked", id)
			}
		}
		pass(10 * time.Minute)
		if n := len(r.servers[0].got(http.MethodPut)); n > 20+60 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestStopWaitsForWhatIsUnderWay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration
		sent  bool
	}{{"answered in time", time.Second, true}, {"cut off", 5 * time.Second, false}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1, true, nil)
				r.servers[0].add("a", "b")
				r.start(t)
				pass(time.Second)
				r.servers[0].setFault(onPut(func(_ http.ResponseWriter, req *http.Request) bool {
					select {
					case <-time.After(tt.takes):
						return false
					case <-req.Context().Done():
						return true
					}
				}))
				r.board.want(1, "a", on(1), level(3))
				pass(100 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				start := time.Now()
				r.notifier.Stop(ctx)
				if took := time.Since(start); took > 2100*time.Millisecond {
					t.Errorf("Stop took %s", took)
				}
				r.notifier.Stop(ctx)
				c := r.board.call(1)
				if (c.sent == level(3)) != tt.sent || c.uncertainEver == tt.sent || c.sending {
					t.Errorf("the board holds %+v", c)
				}
				r.board.want(2, "b", on(1), level(3))
				pass(10 * time.Second)
				if n := len(r.servers[0].got(http.MethodPut)); n != 1 {
					t.Errorf("%d writes", n)
				}
			})
		})
	}
}

func TestStopBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.notifier.Stop(t.Context())
		r.cluster.Stop()
		r.notifier.Start(t.Context())
		r.cluster.Start(t.Context())
		pass(time.Minute)
		if n := len(r.servers[0].got("")); n > 0 {
			t.Errorf("%d requests after Stop", n)
		}
	})
}

func TestClearAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, true, nil)
		r.start(t)
		pass(2 * time.Second)
		for i := range 60 {
			s := i%2 + 1
			id := fmt.Sprintf("c%d", i)
			r.servers[s-1].add(id)
			r.board.want(policy.CallRef(i), id, on(s), level(policy.Level(1+i/2%3)))
		}
		pass(5 * time.Second)
		// One call has ended meanwhile, and one cannot be cleared.
		r.servers[0].mu.Lock()
		delete(r.servers[0].calls, "c0")
		r.servers[0].requests = nil
		r.servers[0].mu.Unlock()
		r.servers[1].setFault(onPut(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, "/c1") && refuse(400, "<failureDetails><parameterError/></failureDetails>")(w, req)
		}))
		r.notifier.Stop(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cleared, left := r.notifier.ClearAll(ctx)
		if cleared != 59 || left != 1 {
			t.Errorf("cleared %d, left %d", cleared, left)
		}
		var order []policy.Level
		for _, p := range r.servers[0].got(http.MethodPut) {
			var n int
			fmt.Sscanf(p.path, "/calls/c%d", &n)
			order = append(order, policy.Level(1+n/2%3))
		}
		// Four at once: each place is at most three away from the order.
		sorted := slices.Sorted(slices.Values(order))
		for i := range order {
			if lo, hi := sorted[max(0, i-3)], sorted[min(len(sorted)-1, i+3)]; order[i] < lo || order[i] > hi {
				t.Fatalf("the order is %v", order)
			}
		}
	})
}

func TestClearAllEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, true, nil)
		r.servers[0].add("a")
		r.servers[1].add("b")
		r.start(t)
		pass(2 * time.Second)
		r.board.want(1, "a", on(1), level(1))
		r.board.want(2, "b", on(2), level(1))
		pass(time.Second)
		r.servers[0].setFault(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		cleared, left := r.notifier.ClearAll(ctx)
		if took := time.Since(start); cleared != 1 || left != 1 || took > 11*time.Second {
			t.Errorf("cleared %d, left %d in %s", cleared, left, took)
		}
		if r.servers[1].message("b") != "" {
			t.Error("b was not cleared")
		}
	})
}

// TestCountersAreReportedSparingly also counts what a quiet hour costs.
func TestCountersAreReportedSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.start(t)
		pass(time.Hour)
		if n := r.board.reports; n > 120 {
			t.Errorf("%d reports in a quiet hour", n)
		}
		if n := len(r.servers[0].got("")); n > 120 {
			t.Errorf("%d requests in a quiet hour", n)
		}
	})
}

func TestTheBoardItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, true, nil)
		r.servers[0].add("call-1")
		b := policy.NewBoard(policy.Options{})
		o := r.cluster.o
		o.Password = policy.NewSecret(testPassword)
		c, err := NewCluster(o, b)
		if err != nil {
			t.Fatal(err)
		}
		n := NewNotifier(c)
		c.Start(t.Context())
		n.Start(t.Context())
		defer c.Stop()
		src := policy.Source{Session: "s", CallBridge: "guid-1", Address: "10.0.0.1"}
		b.Apply(time.Now(), src, []policy.Event{
			{Kind: policy.CallStarted, Index: 0, Call: policy.CallFacts{ID: "call-1", Correlator: "m"}},
			{Kind: policy.LegStarted, Index: 1, Leg: policy.LegFacts{ID: "leg-1", Type: "acano"}},
			{Kind: policy.LegUpdated, Index: 2, Leg: policy.LegFacts{ID: "leg-1", Call: "call-1", Connected: true}},
		})
		pass(2 * time.Second)
		if got := r.servers[0].message("call-1"); !strings.HasPrefix(got, "Security Level 3") {
			t.Errorf("the call shows %q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if cleared, left := n.ClearAll(ctx); cleared != 1 || left != 0 || r.servers[0].message("call-1") != "" {
			t.Errorf("cleared %d, left %d", cleared, left)
		}
	})
}
