package policy

import (
	"fmt"
	"time"
)

// over is what is remembered of a session that has ended, against late records.
type over struct {
	at      time.Time // our clock
	next    time.Time // of its Call Bridge's clock: when the run began that came after it; zero: that is proven
	server  string    // on which it ran, or on which it was not believed
	called  string    // its Call Bridge
	refused string    // why its records are refused, if it was not believed
}

// lateRecords is how long documents of a run that is over may still be under way.
const lateRecords = 5 * time.Second

// succeeded ends a session since records of another run of its Call Bridge have
// come, which began at a time of its clock.
func (b *Board) succeeded(now time.Time, s *session, began time.Time) {
	last := s.clock
	b.endSession(now, s, "its Call Bridge has restarted")
	o := b.ended[s.id]
	if o.next = began; began.Sub(now) > maxSkew {
		o.next = last // nobody's clock is so far ahead
	}
	b.ended[s.id] = o
}

// speaks reports whether records cannot be late ones of a session that is over:
// they were made after the next run began, and come well after that.
func (o over) speaks(now time.Time, events []Event) bool {
	return !o.next.IsZero() && now.Sub(o.at) >= lateRecords && len(events) > 0 && events[0].Time.After(o.next)
}

// goesOn tells that a session goes on which is over, since records of another run
// of its Call Bridge came: one of the two is made up. Its records are dropped, and
// its server is followed by the API alone, until the Call Bridge or callmark is
// started again.
func (b *Board) goesOn(now time.Time, o over) {
	key := "restart/" + o.called
	if b.alarms.find(key) >= 0 {
		return // it must not be moved by every document
	}
	b.raise(now, Alarm{
		Key:  key,
		Text: fmt.Sprintf("%s was said to have restarted, and records of the run before go on: they are not believed", o.called),
		Remedy: "somebody else sends records in its name: set allow, token or client_ca under [receiver], then restart callmark; " +
			"until then its server's API tells what runs on it",
	})
}
