package simulator

import (
	"context"
	"testing"
)

// A fed Call Bridge is never more than one step ahead of what its receiver has,
// and its feed ends once.
func TestFeed(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Batch: 1, Receivers: []string{r.URL}})
	b := c.Bridge(0)
	var call *Call
	steps := 0
	b.Feed(func() bool {
		if taken := len(r.records()); int64(taken) != b.Next() {
			t.Errorf("step %d after %d of %d records", steps, taken, b.Next())
		}
		switch steps++; steps {
		case 1:
			call = b.StartCall(CallSpec{KeepEmpty: true})
		case 2:
			call.Join(Guest("x")) // two records
		case 3: // nothing is a step too
		case 4:
			call.End()
			return false
		}
		return true
	})
	if err := c.Wait(testContext(t), b.Fed); err != nil {
		t.Fatal(err)
	}
	delivered(t, c)
	if got := len(r.records()); got != 5 || steps != 4 {
		t.Errorf("%d records after %d steps", got, steps)
	}
}

// countingPoster posts as usual and counts.
type countingPoster struct {
	Poster
	posts, closed *int
}

func (p countingPoster) Post(ctx context.Context, uri string, body []byte) (int, error) {
	*p.posts++
	return p.Poster.Post(ctx, uri, body)
}

func (p countingPoster) Close() {
	*p.closed++
	p.Poster.Close()
}

func TestPosterOfOnesOwn(t *testing.T) {
	r := newReceiver(t)
	var posts, closed int
	c := startCluster(t, Options{Bridges: 1, Batch: 1, Receivers: []string{r.URL}, NewPoster: func() Poster {
		o := Options{}.withDefaults()
		return countingPoster{newHTTPPoster(&o), &posts, &closed}
	}})
	c.Populate(1, 2)
	delivered(t, c)
	c.Close()
	if posts != 5 || closed != 1 {
		t.Errorf("%d posts, closed %d times", posts, closed)
	}
}
