package receiver

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callmark/policy"
)

// TestReportsToTheBoard lets refusals come faster than they are reported.
func TestReportsToTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		r := newReporter(log.logger())
		r.listening("here", true)
		quit, done := make(chan struct{}), make(chan struct{})
		var got []policy.ReceiverStatus
		var at []time.Duration
		began := time.Now()
		go func() {
			defer close(done)
			r.run(quit, time.Now, func(s policy.ReceiverStatus) {
				got = append(got, s)
				at = append(at, time.Since(began))
			})
		}()
		for range 30 {
			r.refused(time.Now(), "192.0.2.1", causeMalformed, "garbage")
			time.Sleep(90 * time.Millisecond) // 2.7 s in all
		}
		r.setAside(time.Now(), "192.0.2.1", "rubbish")
		close(quit)
		<-done
		if len(got) != 4 || at[1]-at[0] < reportEvery || at[2]-at[1] < reportEvery {
			t.Fatalf("reported at %v", at)
		}
		want := policy.ReceiverStatus{Listen: "here", Open: true, Refused: 30, SetAside: 1, LastCause: "192.0.2.1: rubbish"}
		if got[3] != want || got[0].Refused != 1 {
			t.Errorf("reported %+v", got)
		}
	})
}

// TestLog sends refusals for an hour.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		r := newReporter(log.logger())
		quit, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			r.run(quit, time.Now, func(policy.ReceiverStatus) {})
		}()
		logs := 0
		for range 3600 {
			if r.refused(time.Now(), "192.0.2.1", causeMalformed, "garbage") {
				logs++
			}
			if r.refused(time.Now(), "192.0.2.1", causePath, "nothing here") {
				logs++
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if logs != 2 {
			t.Errorf("%d lines at once, want one for each cause", logs)
		}
		if n := len(log.lines("refused again")); n < 100 || n > 120 {
			t.Errorf("%d lines in an hour of two causes", n)
		}
		time.Sleep(3 * time.Minute) // silence: forgotten
		synctest.Wait()
		if !r.refused(time.Now(), "192.0.2.1", causeMalformed, "garbage") {
			t.Error("it is not news again")
		}
		r.refused(time.Now(), "192.0.2.1", causeMalformed, "garbage")
		close(quit)
		<-done
		times := 0
		for _, l := range log.lines("refused again") {
			var n int
			if _, err := fmt.Sscanf(l[strings.Index(l, "times="):], "times=%d", &n); err != nil {
				t.Fatal(err)
			}
			times += n
		}
		if want := 2*3599 + 1; times != want {
			t.Errorf("%d counted, want %d", times, want)
		}
	})
}

func TestLogOfManySources(t *testing.T) {
	r := newReporter((&logged{}).logger())
	logs := 0
	for i := range 100_000 {
		if r.refused(time.Time{}, fmt.Sprint("2001:db8::", i), causeMalformed, "garbage") {
			logs++
		}
	}
	if logs != maxSources+1 || len(r.lines) != maxSources+1 {
		t.Errorf("%d lines, %d kept", logs, len(r.lines))
	}
}

// TestStatus looks at what the board was told at the start and at the end.
func TestStatus(t *testing.T) {
	b := &fakeBoard{}
	s := start(t, b, Options{})
	if want := (policy.ReceiverStatus{Listen: s.Addr(), Open: true}); len(b.status) != 1 || b.status[0] != want {
		t.Errorf("at the start: %+v", b.status)
	}
	for range 2 {
		post(t, s, broken)
	}
	stop(t, s)
	last := b.status[len(b.status)-1]
	if last.Refused != 1 || last.SetAside != 1 || !strings.HasPrefix(last.LastCause, "127.0.0.1: not well-formed XML") {
		t.Errorf("at the end: %+v", last)
	}
}
