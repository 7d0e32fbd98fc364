package main

import "time"

// begin measures how long it takes from the start of the process until callmark
// is ready, with nothing to read.
type begin struct {
	Rounds  int `default:"20" help:"Starts."`
	Bridges int `default:"8" help:"Call Bridges."`
}

// Run implements the command.
func (t *begin) Run(g *bench) error {
	for range t.Rounds {
		took, err := t.one(g)
		if err != nil {
			return err
		}
		g.report("Start", value{float64(took.Microseconds()) / 1000, "ms-until-ready"})
	}
	return nil
}

func (t *begin) one(g *bench) (time.Duration, error) {
	s, err := g.open(t.Bridges)
	if err != nil {
		return 0, err
	}
	defer s.close()
	begun := time.Now()
	if err := s.callmark(g); err != nil {
		return 0, err
	}
	if err := s.process.answers(g.ctx, "/readyz", startWithin, often); err != nil {
		return 0, err
	}
	return time.Since(begun), nil
}
