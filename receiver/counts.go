package receiver

import (
	"errors"
	"sync"

	"callmark/policy"
	"callmark/receiver/cdr"
)

// causes are all that a request is refused for: every constant of the type but
// causeAside, which is an answer of 200.
var causes = []cause{
	causeMalformed, causeTooLarge, causeEncoded, causePanic, causeSlow, causeCut,
	causeBusy, causeCrowded, causeRequest, causeMethod, causePath, causeOften,
	causeAddress, causeSender, causeNoToken, causeToken, causeNoClient, causeClient, causePlain, causeHandshake,
}

// undecodable are what documents that cannot be decoded are counted under, the
// first that fits.
var undecodable = []struct {
	err  error
	name string
}{
	{cdr.ErrTooLarge, "document too large"},
	{cdr.ErrTooDeep, "too deep"},
	{cdr.ErrTooManyRecords, "too many records"},
	{cdr.ErrTooManyAttributes, "too many attributes"},
	{cdr.ErrSyntax, "not well-formed"},
	{cdr.ErrEncoding, "encoding"},
	{cdr.ErrDoctype, "DOCTYPE"},
	{cdr.ErrEntity, "entity"},
	{cdr.ErrNotRecords, "not records"},
	{cdr.ErrNoSession, "no session"},
}

// otherError is counted for an error that is none of undecodable.
const otherError = "other"

// counts is what is counted of documents that cannot be decoded.
type counts struct {
	mu        sync.Mutex
	undecoded map[string]uint64
}

func (c *counts) undecodable(err error) {
	name := otherError
	for _, u := range undecodable {
		if errors.Is(err, u.err) {
			name = u.name
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.undecoded == nil {
		c.undecoded = map[string]uint64{}
	}
	c.undecoded[name]++
}

// Counts returns the counters as they are now, those that are zero included.
func (s *Server) Counts() policy.ReceiverCounts {
	stats := s.Stats()
	n := policy.ReceiverCounts{
		Documents: stats.Documents, SetAside: stats.SetAside, Panics: stats.Panics, Connections: stats.Connections,
		Refused: map[string]uint64{}, Undecoded: map[string]uint64{otherError: 0},
	}
	c := &s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, why := range causes {
		n.Refused[string(why)] = 0
	}
	for why, times := range stats.ByCause() {
		n.Refused[why] = times
	}
	for _, u := range undecodable {
		n.Undecoded[u.name] = 0
	}
	for name, times := range c.undecoded {
		n.Undecoded[name] = times
	}
	return n
}
