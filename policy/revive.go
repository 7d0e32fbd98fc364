package policy

import (
	"fmt"
	"time"
)

// falseEnd is how long a server may still show a leg after it has sent the record
// of its end. Ids of legs are never used again.
const falseEnd = 5 * time.Second

// belied reports whether an answer that was asked for at a time shows a leg in a
// call although a record has said, well before, that it is over.
func (l *leg) belied(asked time.Time, f LegFacts) bool {
	return l.ended && f.Call != "" && asked.Sub(l.met.time()) >= falseEnd
}

// revive takes back the end of a leg that its own server shows in a call: asked
// for by its id, after a list had named it, so that a stale page is not believed.
// Its Call Bridge did not send that record. Who it is, is read anew.
func (b *Board) revive(now time.Time, s *session, l *leg, asOf int64) {
	departures := l.departures
	*l = *newLeg(l.id, now, observed(asOf))
	l.departures = departures + 1 // it is not to be forgotten as departed
	l.finding = b.o.Rules.Classify("").finding()
	b.raise(now, Alarm{
		Key:    "false/" + s.label(),
		Text:   fmt.Sprintf("a record in the name of %s said that somebody had left who is still there: %s", b.bridgeName(s), l.id),
		Remedy: "somebody else sends records: set allow, token or client_ca under [receiver]",
	})
}
