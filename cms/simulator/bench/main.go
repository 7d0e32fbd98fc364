package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"
)

// bench is the command line.
type bench struct {
	Callmark string `placeholder:"PROGRAM" help:"The callmark to measure; by default it is built from this source."`
	Seed     uint64 `default:"1" help:"Of all that is random."`

	Throughput throughput `cmd:"" help:"Posts a second: callmark, fasthttp answering 200, and a plain receiver, in turns."`
	Latency    latency    `cmd:"" help:"From a record that changes a level to the right marking at the API."`
	Storm      storm      `cmd:"" help:"From the last record to the last right marking, when many people come at once."`
	Scale      scale      `cmd:"" help:"All of it with more and more legs present."`
	Growth     growth     `cmd:"" help:"What a record costs while few legs are present and while many are, in turns."`
	Churn      churn      `cmd:"" help:"Memory, while people come and go."`
	Start      begin      `cmd:"" help:"From the start of the process until it is ready."`
	Peer       peer       `cmd:"" hidden:""`

	ctx context.Context
	all []series
}

// peer is this program as one of callmark's peers.
type peer struct {
	Kind   string `arg:"" enum:"floor,plain"`
	Listen string `arg:""`
}

// Run implements the command. A peer collects its garbage as it would by itself.
func (p *peer) Run() error {
	debug.SetGCPercent(100)
	ln, err := net.Listen("tcp", p.Listen)
	if err != nil {
		return err
	}
	if p.Kind == "floor" {
		return floor(ln)
	}
	return (&http.Server{Handler: newPlain(), ReadHeaderTimeout: 10 * time.Second}).Serve(ln)
}

func main() {
	var g bench
	command := kong.Parse(&g, kong.Name("bench"), kong.Description("Plays Call Bridges against callmark and its peers, and measures."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	g.ctx = ctx
	debug.SetGCPercent(400) // the generator's garbage is not what is measured
	if err := g.do(command); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (g *bench) do(command *kong.Context) error {
	if command.Command() != "peer <kind> <listen>" {
		preamble()
		if g.Callmark == "" {
			dir, err := os.MkdirTemp("", "callmark-bench")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			g.Callmark = filepath.Join(dir, "callmark")
			build := exec.Command("go", "build", "-o", g.Callmark, "callmark") // #nosec G204 -- a path of our own
			build.Stderr = os.Stderr
			if err := build.Run(); err != nil {
				return fmt.Errorf("building callmark: %w: run this inside its source, or give --callmark", err)
			}
		}
	}
	if err := command.Run(g); err != nil {
		return err
	}
	g.summary()
	return nil
}
