package cms

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"callmark/policy"
)

// noAnswer is counted for a request that got no answer of an API: no
// connection, none in time, a redirect, or another program's.
const noAnswer = "none"

// answerCodes are what answers are counted under: an HTTP status that somebody
// can do something about, or else the class of it.
var answerCodes = []string{"2xx", "400", "401", "403", "404", "4xx", "503", "5xx", noAnswer}

// answerCode is what a request that ended so is counted under.
func answerCode(err error) string {
	var t *TransportError
	code := status(err)
	switch {
	case err == nil:
		return "2xx"
	case errors.As(err, &t):
		return noAnswer
	case code == http.StatusBadRequest, code == http.StatusUnauthorized, code == http.StatusForbidden,
		code == http.StatusNotFound, code == http.StatusServiceUnavailable:
		return fmt.Sprint(code)
	case code >= 400 && code < 500:
		return "4xx"
	case code >= 500 && code < 600:
		return "5xx"
	}
	return noAnswer
}

// counts is what became of a client's requests, by lane.
type counts struct {
	mu      sync.Mutex
	answers [2]map[string]uint64
	latency [2]policy.Latencies
}

// add counts one request. Those that we gave up tell nothing, as in the gate.
func (c *counts) add(l lane, result outcome, err error, took time.Duration) {
	if result == outcomeGivenUp {
		return
	}
	code := answerCode(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[l] == nil {
		c.answers[l] = map[string]uint64{}
	}
	c.answers[l][code]++
	if code != noAnswer {
		c.latency[l].Add(took)
	}
}

// lane returns the counts of one lane, with those that are still zero.
func (c *counts) lane(l lane) policy.LaneCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests := make(map[string]uint64, len(answerCodes))
	for _, code := range answerCodes {
		requests[code] = c.answers[l][code]
	}
	return policy.LaneCounts{Requests: requests, Latency: c.latency[l]}
}

// Counts returns what has been asked of every server, in the configured order.
func (c *Cluster) Counts() []policy.APICounts {
	all := make([]policy.APICounts, len(c.servers))
	for i, s := range c.servers {
		all[i] = policy.APICounts{Server: s.Name(), Reads: s.counts.lane(reads), Writes: s.counts.lane(writes)}
	}
	return all
}
