package receiver

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callmark/policy"
)

// guarded is everything on that protects the receiver, at the defaults of the
// configuration; unguarded has it off, or so high that it is never met.
var (
	guarded = Options{
		MaxConnsPerSource: 256, MaxRequestsPerSource: 100_000,
		Token: policy.NewSecret("0123456789abcdef0123456789abcdef"), Allow: networks("10.1.2.0/24", "10.1.3.0/24", "127.0.0.0/8"),
	}
	unguarded = Options{
		MaxBody: 64 << 20, MaxDepth: 1 << 20, MaxRecords: 1 << 30, MaxValue: 64 << 20, MaxConns: 1 << 20,
		ReadTimeout: 24 * time.Hour, WriteTimeout: 24 * time.Hour, IdleTimeout: 24 * time.Hour,
	}
)

// BenchmarkLimits compares the throughput with all limits on with that with
// them off: eight connections of the loopback post records that differ, to a
// real board. One run is 41 short pairs, in turns, so that what else the machine
// does falls on both:
//
//	go test -run '^$' -bench Limits -benchtime 1x ./receiver
//
// on/off is the ratio of the medians. cpu-on/off is the same of the documents
// for a second of this process's own computing, senders included, and steadier
// where the machine has other work.
func BenchmarkLimits(b *testing.B) {
	const senders, posts, pairs = 8, 1000, 41
	requests := make([][]string, senders)
	for i := range requests {
		session := fmt.Sprintf("5e55105e-0000-4000-8000-%012d", i)
		withToken := func(doc string) string {
			return strings.Replace(posting(doc), "/cdr", "/cdr?token=0123456789abcdef0123456789abcdef", 1)
		}
		requests[i] = append(requests[i], withToken(callStart(session, i)))
		for j := range posts {
			requests[i] = append(requests[i], withToken(visit(session, i, j)))
		}
	}
	for b.Loop() {
		var on, off, onCPU, offCPU []float64
		for i := range 2 * pairs {
			if k := i % 4; k == 0 || k == 3 { // whoever comes second has it harder, or easier
				wall, cpu := throughput(b, guarded, requests)
				on, onCPU = append(on, wall), append(onCPU, cpu)
			} else {
				wall, cpu := throughput(b, unguarded, requests)
				off, offCPU = append(off, wall), append(offCPU, cpu)
			}
		}
		b.ReportMetric(median(on), "on-docs/s")
		b.ReportMetric(median(off), "off-docs/s")
		b.ReportMetric(median(on)/median(off), "on/off")
		b.ReportMetric(median(onCPU)/median(offCPU), "cpu-on/off")
	}
}

// visit is a document of somebody who comes and goes.
func visit(session string, call, n int) string {
	var doc strings.Builder
	fmt.Fprintf(&doc, `<records session="%s" callBridge="%s">`, session, session)
	for k, body := range []string{
		fmt.Sprintf(`<call>%08d-0000-4000-8000-000000000000</call><displayName>Ann Example</displayName><remoteParty>ann%d@corp.example</remoteParty><type>sip</type>`, call, n),
		`<state>connected</state>`,
		`<reason>remoteTeardown</reason>`,
	} {
		kind := []string{"callLegStart", "callLegUpdate", "callLegEnd"}[k]
		fmt.Fprintf(&doc, `<record type="%s" time="2026-03-02T09:00:00Z" recordIndex="%d" correlatorIndex="%d"><callLeg id="%08d-0000-4000-8000-%012d">%s</callLeg></record>`,
			kind, 3*n+k+1, 3*n+k+1, call, n, body)
	}
	doc.WriteString("</records>")
	return doc.String()
}

// throughput posts all requests, each list on a connection, and returns the
// documents taken in a second, and in one of computing.
func throughput(b *testing.B, o Options, requests [][]string) (wall, cpu float64) {
	board := policy.NewBoard(policy.Options{})
	s := start(b, board, o)
	defer stop(b, s)
	var wires []*wire
	for range requests {
		wires = append(wires, dial(b, s))
	}
	runtime.GC() // of what was before
	var wg sync.WaitGroup
	begin, computed := time.Now(), processorTime(b)
	for i, w := range wires {
		wg.Go(func() {
			answer := make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			for _, request := range requests[i] {
				if _, err := io.WriteString(w, request); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(w.r, answer); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	took, computed := time.Since(begin), processorTime(b)-computed
	stats := s.Stats()
	if want := len(requests) * len(requests[0]); stats.Documents != uint64(want) || stats.Refused != 0 {
		b.Fatalf("%+v, %d were sent", stats, want)
	}
	for _, w := range wires {
		w.Close()
	}
	n := float64(stats.Documents)
	return n / took.Seconds(), n / computed.Seconds()
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
