package cms

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callmark/policy"
)

// counted is a connection that is counted while it is open.
type counted struct {
	net.Conn
	open *atomic.Int64
	once atomic.Bool
}

func (c *counted) Close() error {
	if !c.once.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// While nothing happens all servers are asked for their status in the same
// moments, and nothing stays open between these that a timer would have to close.
func TestPollsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int64
		r := newRig(t, 3, true, func(o *Options) {
			dial := o.DialContext
			o.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				open.Add(1)
				return &counted{Conn: nc, open: &open}, nil
			}
			o.StatusEvery = 5 * time.Second
			o.Resync = time.Hour
		})
		for _, s := range r.servers {
			s.setFault(func(w http.ResponseWriter, r *http.Request) bool {
				list := strings.TrimPrefix(r.URL.Path, "/api/v1/")
				if list == "calls" || list == "callLegs" {
					_, _ = fmt.Fprintf(w, `<%s total="0"></%[1]s>`, list)
					return true
				}
				return false
			})
		}
		pass(1700 * time.Millisecond) // what it begins with is not in their turn
		y := NewSynchroniser(r.cluster, policy.NewBoard(policy.Options{}))
		y.Start(t.Context())
		defer y.Stop()
		pass(13800 * time.Millisecond) // the lists are read
		began := time.Now()
		for range 4 {
			pass(5 * time.Second)
			if n := open.Load(); n != 0 {
				t.Errorf("%d connections are open, and nothing is asked", n)
			}
		}
		for _, s := range r.servers {
			polls := 0
			for _, q := range s.got("GET") {
				if !strings.HasSuffix(q.path, "/system/status") || q.at.Before(began) {
					continue
				}
				polls++
				if off := q.at.Sub(q.at.Truncate(5 * time.Second)); off != 0 {
					t.Errorf("%s was asked %v after its turn", s.address, off)
				}
			}
			if polls != 4 {
				t.Errorf("%s was asked %d times in four turns", s.address, polls)
			}
		}
	})
}
