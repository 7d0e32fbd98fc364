package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// churn measures whether memory stays as it is while people come and go. What the
// process takes without them is no part of what a leg takes.
type churn struct {
	Legs    int `default:"100000" help:"Legs that are present, ten in each call."`
	Pass    int `default:"1000000" help:"Legs that come, while as many go."`
	Parts   int `default:"4" help:"How often memory is looked at meanwhile."`
	Bridges int `default:"8" help:"Call Bridges."`
}

// Run implements the command.
func (t *churn) Run(g *bench) error {
	s, err := g.open(t.Bridges)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.callmark(g); err != nil {
		return err
	}
	empty, err := s.process.residentBytes()
	if err != nil {
		return err
	}
	bare, err := s.liveHeap(g)
	if err != nil {
		return err
	}
	crowd, err := fill(g, s, t.Legs/legsOfCall, legsOfCall)
	if err != nil {
		return err
	}
	defer crowd.over.Store(true)
	if err := crowd.settle(g, s); err != nil {
		return err
	}
	first := crowd.came.Load()
	for part := range t.Parts + 1 {
		goal := first + int64(t.Pass*part/t.Parts)
		if err := wait(g.ctx, 30*time.Minute, func() bool { return crowd.came.Load() >= goal }); err != nil {
			return s.failed("people stopped to come", err)
		}
		resident, err := s.process.residentBytes() // before the garbage that liveHeap makes
		if err != nil {
			return err
		}
		crowd.rests.Store(true)
		live, err := s.liveHeap(g)
		if err != nil {
			return err
		}
		crowd.rests.Store(false)
		g.report(fmt.Sprintf("Churn/legs=%d/passed=%d", t.Legs, t.Pass*part/t.Parts),
			value{resident / (1 << 20), "MB-resident"}, value{(resident - empty) / float64(t.Legs), "B-resident/leg"},
			value{live / (1 << 20), "MB-live"}, value{(live - bare) / float64(t.Legs), "B-live/leg"})
	}
	return nil
}

// liveHeap is what callmark's collector finds alive while nobody comes or goes. To
// have it run, twice so that what was in use meanwhile is not taken for alive, it
// is given garbage: answers with all there is to measure.
func (s *site) liveHeap(g *bench) (float64, error) {
	ctx, cancel := context.WithTimeout(g.ctx, 5*time.Minute)
	defer cancel()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	last, runs := "", 0
	for {
		body, err := get(ctx, client, "http://"+s.process.addr+"/metrics")
		if err != nil {
			return 0, s.failed("metrics", err)
		}
		if at := metric(body, "go_memstats_last_gc_time_seconds"); at != last {
			last = at
			runs++
		}
		if runs == 4 { // the first was before, the second may have begun before
			return strconv.ParseFloat(metric(body, "go_gc_heap_live_bytes"), 64)
		}
	}
}

// metric is the value of a family without labels.
func metric(body []byte, name string) string {
	for line := range bytes.Lines(body) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}
