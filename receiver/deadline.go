package receiver

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// timed is a connection whose deadlines are set for every request and hardly ever
// met. Its timer moves only when it would come too late: when it comes too early,
// it is moved then. Moving it three times a request took 2 % of the processor at
// full speed.
type timed struct {
	net.Conn
	read, write deadline
}

func newTimed(nc net.Conn) *timed {
	t := &timed{Conn: nc}
	t.read.set, t.write.set = nc.SetReadDeadline, nc.SetWriteDeadline
	return t
}

// SetDeadline implements net.Conn, as do the others.
func (t *timed) SetDeadline(at time.Time) error {
	return errors.Join(t.read.move(at), t.write.move(at))
}

func (t *timed) SetReadDeadline(at time.Time) error  { return t.read.move(at) }
func (t *timed) SetWriteDeadline(at time.Time) error { return t.write.move(at) }

func (t *timed) Read(p []byte) (int, error) {
	for {
		n, err := t.Conn.Read(p)
		if n > 0 || err == nil || !t.read.early(err) {
			return n, err
		}
	}
}

func (t *timed) Write(p []byte) (n int, err error) {
	for {
		m, err := t.Conn.Write(p[n:])
		if n += m; err == nil || !t.write.early(err) {
			return n, err
		}
	}
}

// CloseWrite ends what we send, where that can be.
func (t *timed) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// deadline is one of a connection's two. It is safe for concurrent use.
type deadline struct {
	set func(time.Time) error

	mu     sync.Mutex
	wanted time.Time // zero: none
	timer  time.Time // what was set; never later than wanted
}

// move sets a deadline.
func (d *deadline) move(at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = at
	if d.timer.IsZero() == at.IsZero() && !at.Before(d.timer) {
		return nil
	}
	return d.setTimer()
}

// early reports whether an error came of a timer that was not moved on, and moves
// it to the deadline that is wanted: then what met it is to be tried again.
func (d *deadline) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.timer.Equal(d.wanted) && d.setTimer() == nil
}

func (d *deadline) setTimer() error {
	d.timer = d.wanted
	return d.set(d.wanted)
}
