package simulator

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkRecords measures how fast records reach a receiver that does
// nothing: 2,000 legs in 200 meetings on 3 Call Bridges.
func BenchmarkRecords(b *testing.B) {
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
	}))
	defer r.Close()
	records := 0
	for b.Loop() {
		c, err := New(Options{Receivers: []string{r.URL}})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		c.Populate(200, 10)
		if err := c.WaitDelivered(context.Background()); err != nil {
			b.Fatal(err)
		}
		c.Close()
		records += 200 * 21
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
