package receiver

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"callmark/policy"
)

// nowhere takes everything and keeps nothing, so that the receiver alone is
// measured.
type nowhere struct{ Board }

func (nowhere) Apply(_ time.Time, _ policy.Source, events []policy.Event) policy.Applied {
	return policy.Applied{Taken: len(events)}
}
func (nowhere) ReportReceiver(policy.ReceiverStatus) {}

func BenchmarkHandler(b *testing.B) {
	for _, bench := range []struct{ name, file string }{
		{"three records", "testdata/join.xml"},
		{"eight records", "testdata/others.xml"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			request := []byte(posting(read(b, bench.file)))
			s, err := New(nowhere{}, Options{})
			if err != nil {
				b.Fatal(err)
			}
			ln := fasthttputil.NewInmemoryListener()
			if err := s.Serve(ln); err != nil {
				b.Fatal(err)
			}
			defer stop(b, s)
			c, err := ln.Dial()
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			answer := make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			b.SetBytes(int64(len(request)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSockets posts over the loopback to a real board, from several
// connections at a time.
func BenchmarkSockets(b *testing.B) {
	board := policy.NewBoard(policy.Options{})
	s := start(b, board, Options{})
	request := posting(read(b, "testdata/join.xml"))
	b.ReportAllocs()
	var mu sync.Mutex
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		w := dial(b, s)
		mu.Unlock()
		answer := make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		for pb.Next() {
			w.send(request)
			if _, err := io.ReadFull(w.r, answer); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
