package cms

import "time"

// backoff is exponential with full jitter, so that many who failed together do
// not come back together.
type backoff struct {
	base, cap time.Duration
}

// How long to wait after a failure.
var (
	callBackoff   = backoff{500 * time.Millisecond, 30 * time.Second} // one call's write
	badBackoff    = backoff{time.Minute, 15 * time.Minute}            // a request that the server calls wrong
	serverBackoff = backoff{500 * time.Millisecond, 30 * time.Second} // a server that is busy or away
	searchBackoff = backoff{500 * time.Millisecond, 30 * time.Second} // a session whose server is not found
)

// within is the backoff with a longest wait.
func (b backoff) within(most time.Duration) backoff {
	if most > 0 {
		b.base, b.cap = min(b.base, most), min(b.cap, most)
	}
	return b
}

// after is the wait after so many failures in a row, from 1; random is in
// [0,1). A tenth of the base is always waited.
func (b backoff) after(failures int, random float64) time.Duration {
	d := b.cap
	if n := max(failures, 1) - 1; n < 32 && b.base<<n < b.cap {
		d = b.base << n
	}
	return max(b.base/10, time.Duration(random*float64(d)))
}
