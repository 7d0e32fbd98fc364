package receiver

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// counting counts how often a timer is moved.
type counting struct {
	net.Conn
	moved int
}

func (c *counting) SetReadDeadline(at time.Time) error {
	c.moved++
	return c.Conn.SetReadDeadline(at)
}

// A read and a write fail at the deadline that was set last, whatever stood before.
func TestDeadlineSetLastCounts(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		name string
		set  []time.Duration // one after the other at the start; 0: none
		met  time.Duration
	}{
		{"once", []time.Duration{second}, second},
		{"later", []time.Duration{second, 3 * second, 5 * second}, 5 * second},
		{"earlier", []time.Duration{5 * second, second}, second},
		{"later, then earlier", []time.Duration{3 * second, 5 * second, 2 * second}, 2 * second},
		{"later, then between", []time.Duration{second, 5 * second, 2 * second}, 2 * second},
		{"taken away and back", []time.Duration{second, 0, 3 * second}, 3 * second},
		{"in the past", []time.Duration{second, -second}, 0},
	} {
		for _, write := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					near, far := net.Pipe()
					defer far.Close()
					defer near.Close()
					nc := newTimed(near)
					set, try := nc.SetReadDeadline, nc.Read
					if write {
						set, try = nc.SetWriteDeadline, nc.Write
					}
					began := time.Now()
					for _, d := range c.set {
						at := began.Add(d)
						if d == 0 {
							at = time.Time{}
						}
						if err := set(at); err != nil {
							t.Fatal(err)
						}
					}
					if _, err := try(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatalf("error %v, want that of a deadline", err)
					}
					if took := time.Since(began); took != c.met {
						t.Errorf("met after %v, want %v", took, c.met)
					}
				})
			})
		}
	}
}

// Where every request moves the deadline on, the timer moves once in its time; what
// is read and written in between is whole.
func TestDeadlinesMoveOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := &counting{Conn: near}
		nc := newTimed(c)
		go func() { // an echo that takes its time with every byte
			defer far.Close()
			b := make([]byte, 1)
			for {
				if _, err := far.Read(b); err != nil {
					return
				}
				time.Sleep(300 * time.Millisecond)
				if _, err := far.Write(b); err != nil {
					return
				}
			}
		}()
		for i := range 40 {
			if err := nc.SetDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			sent := []byte{byte(i)}
			if _, err := nc.Write(sent); err != nil {
				t.Fatalf("write %d: %v", i, err)
			}
			if _, err := io.ReadFull(nc, sent); err != nil || sent[0] != byte(i) {
				t.Fatalf("read %d: %v, %v", i, sent, err)
			}
		}
		// Twelve seconds have passed, in each of which the timer came too early once.
		if c.moved < 10 || c.moved > 20 {
			t.Errorf("the timer moved %d times in 40 requests", c.moved)
		}
		near.Close()
	})
}

// A write that its timer breaks off too early goes on where it stopped.
func TestWriteGoesOnAfterEarlyTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		nc := newTimed(near)
		got := make(chan string, 1)
		go func() {
			half := make([]byte, 4)
			_, _ = io.ReadFull(far, half)
			time.Sleep(2 * time.Second)
			rest, _ := io.ReadAll(far)
			got <- string(half) + string(rest)
		}()
		began := time.Now()
		_ = nc.SetWriteDeadline(began.Add(time.Second))
		_ = nc.SetWriteDeadline(began.Add(time.Minute))
		if n, err := nc.Write([]byte("whole text")); n != 10 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		near.Close()
		if s := <-got; s != "whole text" {
			t.Errorf("got %q", s)
		}
	})
}
