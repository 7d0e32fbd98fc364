package cms

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"callmark/policy"
)

func TestAnswerCode(t *testing.T) {
	for err, want := range map[error]string{
		nil:                                            "2xx",
		&APIError{Status: 400}:                         "400",
		&APIError{Status: 401}:                         "401",
		&APIError{Status: 418}:                         "4xx",
		&APIError{Status: 429}:                         "4xx",
		&APIError{Status: 503}:                         "503",
		&APIError{Status: 599}:                         "5xx",
		&APIError{Status: 100}:                         noAnswer,
		&APIError{Status: 999}:                         noAnswer,
		&TransportError{Problem: "no route"}:           noAnswer,
		fmt.Errorf("read: %w", &APIError{Status: 404}): "404",
		errors.New("anything else"):                    noAnswer,
	} {
		if got := answerCode(err); got != want || !slices.Contains(answerCodes, got) {
			t.Errorf("%v is counted as %s, want %s", err, got, want)
		}
	}
}

// Every request is counted once, by lane and by what came back, with those that
// have not happened yet; what we gave up ourselves is not.
func TestCounts(t *testing.T) {
	status := http.StatusOK
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `<call id="a"/>`)
			return
		}
		w.WriteHeader(status)
	})
	c := clientOf(t, s.URL, nil)
	clear := policy.Marking{Kind: policy.MarkClear}
	if _, err := c.Call(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for _, status = range []int{200, 404, 410, 503} {
		_ = c.SetMessage(t.Context(), "a", clear)
	}
	_ = c.SetMessage(t.Context(), "../a", clear)
	given, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = c.Call(given, "a")

	want := map[string]uint64{"2xx": 1, "404": 1, "4xx": 1, "503": 1, "400": 0, "401": 0, "403": 0, "5xx": 0, "none": 0}
	if got := c.counts.lane(writes); !maps.Equal(got.Requests, want) || got.Latency.Total() != 4 {
		t.Errorf("writes %v, %d latencies", got.Requests, got.Latency.Total())
	}
	want["404"], want["4xx"], want["503"] = 0, 0, 0
	got := c.counts.lane(reads)
	if !maps.Equal(got.Requests, want) || got.Latency.Total() != 1 {
		t.Errorf("reads %v, %d latencies", got.Requests, got.Latency.Total())
	}
	s.Close()
	_, _ = c.Call(t.Context(), "a")
	if got := c.counts.lane(reads); got.Requests[noAnswer] != 1 || got.Latency.Total() != 1 {
		t.Errorf("without an answer: %v, %d latencies", got.Requests, got.Latency.Total())
	}
}

// Nobody can ask how the servers are before the board knows that there are any.
func TestServersAreKnownFromTheStart(t *testing.T) {
	board := newFakeBoard()
	c, err := NewCluster(Options{
		Servers: []string{"one.example", "two.example:445"}, Username: "u", Password: policy.NewSecret("p"),
		Go: func(string, func()) {}, // nothing else runs
	}, board)
	if err != nil {
		t.Fatal(err)
	}
	c.Start(t.Context())
	for _, name := range []string{"one.example:443", "two.example:445"} {
		if st := board.server(name); st.Server != name || st.State != policy.ServerUnknown {
			t.Errorf("%s: %+v", name, st)
		}
	}
	counts := c.Counts()
	if len(counts) != 2 || counts[1].Server != "two.example:445" || len(counts[1].Writes.Requests) != len(answerCodes) {
		t.Errorf("%+v", counts)
	}
}
