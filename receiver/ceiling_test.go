package receiver

import (
	"fmt"
	"io"
	"net"
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
func heavy(o Options) map[string]string {
	headers := strings.Repeat("a:\r\n", o.MaxHeader/4-20)
	document := `<records session="s">` + strings.Repeat("<record/>", keptBody/9-10)
	return map[string]string{
		"a header of short lines":  "POST /cdr HTTP/1.1\r\nHost: x\r\n" + headers,
		"a document of 64 KiB":     fmt.Sprintf("POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", keptBody-10, document),
		"many headers, a document": fmt.Sprintf("POST /cdr HTTP/1.1\r\n%sHost: x\r\nContent-Length: %d\r\n\r\n%s", strings.Repeat("a:\r\n", 60), keptBody-10, document),
		"large chunks":             "POST /cdr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("2000\r\n"+strings.Repeat(" ", 8192)+"\r\n", 7),
	}
}

// TestCeiling holds as much as the receiver takes at once: a heavy request on
// each connection, as many large documents as there is room for, and as many
// that are being applied. The limits are those of the example.
func TestCeiling(t *testing.T) {
	o := Options{ReadTimeout: time.Minute}.withDefaults()
	needFiles(t, 2*uint64(o.MaxConns)+200)
	for name, request := range heavy(o) {
		t.Run(name, func(t *testing.T) {
			before := reachable()
			b := &heldBoard{held: make(chan struct{}, 100), free: make(chan struct{})}
			s := start(t, b, o)
			// Those that are being applied: as many records as may be, of long values.
			full := `<records session="s">` + strings.Repeat(`<record type="callEnd"><call id="`+strings.Repeat("c", 300)+`"/></record>`, o.MaxRecords) + `</records>`
			full += strings.Repeat(" ", o.MaxBody-len(full))
			for range maxAppliers {
				w := dial(t, s)
				go func() { _, _ = io.WriteString(w, posting(full)) }()
			}
			for range maxAppliers {
				<-b.held
			}
			// Those that are large and do not end.
			large := posting(full)[:o.MaxBody]
			for range largeBodies {
				w := dial(t, s)
				go func() { _, _ = io.WriteString(w, large) }()
			}
			until(t, "there is no room for more", func() bool { return s.large.Load() > (largeBodies-2)*int64(o.MaxBody) })
			conns := make([]net.Conn, 0, o.MaxConns)
			for s.Stats().Connections < o.MaxConns && len(conns) < o.MaxConns {
				w := dial(t, s)
				w.send(request)
				conns = append(conns, w)
			}
			until(t, "all has come", func() bool {
				s.conns.mu.Lock()
				defer s.conns.mu.Unlock()
				return mostSilent(s.conns.open) == nil
			})
			got := reachable() - before
			t.Logf("%d connections: %d MiB are reachable, at most %d are to be", len(s.conns.open), got>>20, o.Ceiling()>>20)
			if got > o.Ceiling() {
				t.Errorf("%d MiB are above the ceiling of %d MiB", got>>20, o.Ceiling()>>20)
			}
			if got < o.Ceiling()/5 {
				t.Errorf("%d MiB are too few to show anything", got>>20)
			}
			close(b.free)
			s.conns.closeAll()
			for _, c := range conns {
				c.Close()
			}
			until(t, "no connection is left", func() bool { return s.Stats().Connections == 0 && s.large.Load() == 0 })
			if left := reachable() - before; left > 24<<20 {
				t.Errorf("%d MiB are left", left>>20)
			}
		})
	}
}
