package simulator

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// BenchmarkAPI measures, without the network, what one request costs a Call
// Bridge that is one of four with 1,000 meetings of 10 legs together.
func BenchmarkAPI(b *testing.B) {
	c, err := New(Options{Bridges: 4})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	calls := c.Populate(1000, 10)
	call := "/calls/" + calls[996].ID()
	leg := calls[996].Legs()[9]
	for _, bm := range []struct{ name, path string }{
		{"status", "/system/status"},
		{"first page of calls", "/calls?limit=10"},
		{"last page of legs", "/callLegs?offset=2490&limit=10"},
		{"call", call},
		{"legs of a call", call + "/callLegs"},
		{"participants of a call", call + "/participants"},
		{"leg", "/callLegs/" + leg.ID()},
		{"last participant", "/participants/" + leg.Group()},
		{"last page of participants", "/participants?offset=2490&limit=10"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				req := httptest.NewRequest("GET", root+bm.path, nil)
				req.SetBasicAuth(DemoUsername, DemoPassword)
				w := httptest.NewRecorder()
				c.Bridge(0).ServeHTTP(w, req)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkSync measures over HTTP how long it takes to read all legs of a Call
// Bridge with 2,500 of them, page by page, over one connection.
func BenchmarkSync(b *testing.B) {
	for _, latestFirst := range []bool{false, true} {
		b.Run("latest first "+strconv.FormatBool(latestFirst), func(b *testing.B) {
			c, err := New(Options{Bridges: 1, PerConn: 10_000_000})
			if err != nil {
				b.Fatal(err)
			}
			c.Populate(250, 10)
			if err := c.Start(context.Background()); err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			c.Bridge(0).LatestFirst(latestFirst)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				for offset := 0; offset < 2500; offset += 10 {
					req, _ := http.NewRequest("GET", c.Bridge(0).URL()+root+"/callLegs?offset="+strconv.Itoa(offset), nil)
					req.SetBasicAuth(DemoUsername, DemoPassword)
					res, err := client.Do(req)
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
			}
		})
	}
}
