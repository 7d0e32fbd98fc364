package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// churn measures whether memory stays as it is while people come and go.
type churn struct {
	Legs    int `default:"100000" help:"Legs that are present, ten in each call."`
	Pass    int `default:"1000000" help:"Legs that come, while as many go."`
	Bridges int `default:"8" help:"Call Bridges."`
}

// Run implements the command.
func (t *churn) Run(g *bench) error {
	s, err := g.open(t.Bridges)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.callmark(g, setting{}); err != nil {
		return err
	}
	crowd := fill(s, t.Legs/legsOfCall, legsOfCall, g.Seed)
	defer crowd.over.Store(true)
	if err := crowd.wait(g.ctx, 10*time.Minute); err != nil {
		return s.failed("the calls did not fill", err)
	}
	first := crowd.came.Load()
	for part := range 5 {
		goal := first + int64(t.Pass*part/4)
		if err := wait(g.ctx, 30*time.Minute, func() bool { return crowd.came.Load() >= goal }); err != nil {
			return s.failed("people stopped to come", err)
		}
		resident, err := s.process.residentBytes()
		if err != nil {
			return err
		}
		live, err := s.liveHeap(g)
		if err != nil {
			return err
		}
		g.report(fmt.Sprintf("Churn/legs=%d/passed=%d", t.Legs, t.Pass*part/4),
			value{resident / (1 << 20), "MB-resident"}, value{live / (1 << 20), "MB-live"}, value{live / float64(t.Legs), "B-live/leg"})
	}
	return nil
}

// liveHeap is what callmark's collector found alive when it last ran.
func (s *site) liveHeap(g *bench) (float64, error) {
	body, err := get(g.ctx, http.DefaultClient, "http://"+s.process.addr+"/metrics")
	if err != nil {
		return 0, s.failed("metrics", err)
	}
	for in := bufio.NewScanner(bytes.NewReader(body)); in.Scan(); {
		// The next collection comes when the heap is twice what is alive: GOGC is
		// at its default.
		if text, ok := strings.CutPrefix(in.Text(), "go_memstats_next_gc_bytes "); ok {
			next, err := strconv.ParseFloat(text, 64)
			return next / 2, err
		}
	}
	return 0, fmt.Errorf("callmark does not tell its next collection:\n%s", body)
}
