package receiver

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

// heldBoard takes records when it is let, and keeps none.
type heldBoard struct {
	fakeBoard
	held, free chan struct{}
}

func (b *heldBoard) Apply(time.Time, policy.Source, []policy.Event) policy.Applied {
	b.held <- struct{}{}
	<-b.free
	return policy.Applied{}
}

// heavy are requests that take much memory for their length, each all but
// complete.
func heavy(o Options) []string {
	const post = "POST /cdr HTTP/1.1\r\nHost: x\r\n"
	records := fmt.Sprintf("Content-Length: %d\r\n\r\n<records session=\"s\">%s", keptBody-10, strings.Repeat("<record/>", keptBody/9-10))
	return []string{
		post + strings.Repeat("a:\r\n", o.MaxHeader/4-20), // the heaviest
		post + records,
		post + strings.Repeat("a:\r\n", maxHeaderLines-4) + records,
		post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("2000\r\n"+strings.Repeat(" ", 8192)+"\r\n", 7),
	}
}

// TestCeiling holds as much as the receiver takes at once: a heavy request on
// each connection, as many large documents as there is room for, and as many as
// are applied at once. The limits are the defaults.
func TestCeiling(t *testing.T) {
	o := Options{ReadTimeout: time.Minute}.withDefaults()
	ceiling := o.Ceiling()
	if mib := ceiling >> 20; mib < 500 || mib > 600 {
		t.Errorf("the ceiling is %d MiB: doc.go and the README say about 550", mib)
	}
	needFiles(t, 2*uint64(o.MaxConns)+200)
	before := reachable()
	b := &heldBoard{held: make(chan struct{}, maxAppliers), free: make(chan struct{})}
	s := start(t, b, o)
	full := `<records session="s">` + strings.Repeat(`<record type="callEnd"><call id="`+strings.Repeat("c", 300)+`"/></record>`, o.MaxRecords) + `</records>`
	full = posting(full + strings.Repeat(" ", o.MaxBody-len(full)))
	for range maxAppliers {
		w := dial(t, s)
		go func() { _, _ = io.WriteString(w, full) }()
	}
	for range maxAppliers {
		<-b.held
	}
	for i := range largeBodies {
		w := dialFrom(t, s, fmt.Sprintf("127.0.0.%d", 2+i/largeOfSource))
		go func() { _, _ = io.WriteString(w, full[:o.MaxBody]) }()
	}
	until(t, "there is no room for another large document", func() bool {
		return s.large.Load() > (largeBodies-2)*int64(o.MaxBody)
	})
	requests := heavy(o)
	for i := 0; s.Stats().Connections < o.MaxConns; i++ {
		dial(t, s).send(requests[i%len(requests)])
		if i%16 == 0 { // let it accept them
			until(t, "they are accepted", func() bool { return s.Stats().Connections >= min(i, o.MaxConns) })
		}
	}
	until(t, "all requests are under way", func() bool {
		s.conns.mu.Lock()
		defer s.conns.mu.Unlock()
		return mostSilent(s.conns.open) == nil
	})
	got := reachable() - before
	t.Logf("%d connections: %d MiB are reachable, at most %d are to be", s.Stats().Connections, got>>20, ceiling>>20)
	if got > ceiling {
		t.Errorf("%d MiB are above the ceiling of %d MiB", got>>20, ceiling>>20)
	}
	if got < ceiling/4 {
		t.Errorf("%d MiB are too few to show anything", got>>20)
	}
	close(b.free)
	s.conns.closeAll()
	until(t, "no connection is left", func() bool { return s.Stats().Connections == 0 && s.large.Load() == 0 })
	if left := reachable() - before; left > 24<<20 {
		t.Errorf("%d MiB are left", left>>20)
	}
}
