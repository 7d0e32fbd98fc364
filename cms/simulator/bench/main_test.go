package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "peer" { // started by startPeer
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// built is a bench that measures a callmark which is built for the test.
func built(t *testing.T) *bench {
	t.Helper()
	program := filepath.Join(t.TempDir(), "callmark")
	if out, err := exec.Command("go", "build", "-o", program, "callmark").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return &bench{Callmark: program, Seed: 1, ctx: ctx}
}

// of are the figures of a name and unit.
func (g *bench) of(t *testing.T, name, unit string) []float64 {
	t.Helper()
	for _, s := range g.all {
		if s.name == name && s.unit == unit {
			return s.n
		}
	}
	t.Fatalf("nothing is reported of %s in %s: %+v", name, unit, g.all)
	return nil
}

// Every command measures something that can be, with the real program and the
// peers. How fast they are is no matter here.
func TestCommands(t *testing.T) {
	g := built(t)
	t.Run("throughput", func(t *testing.T) {
		err := (&throughput{Rounds: 2, For: 200 * time.Millisecond, Bridges: 3, Calls: 9, Legs: 4}).Run(g)
		if err != nil {
			t.Fatal(err)
		}
		floor, mark := g.of(t, "Throughput/floor", "posts/s"), g.of(t, "Throughput/callmark", "posts/s")
		ratios := g.of(t, "Throughput/callmark", "of-floor")
		for i := range ratios {
			if got := mark[i] / floor[i]; got != ratios[i] || got <= 0 {
				t.Errorf("%g of %g posts a second are called %g", mark[i], floor[i], ratios[i])
			}
		}
	})
	t.Run("latency", func(t *testing.T) {
		if err := (&latency{For: time.Second, Rate: 400, Bridges: 2, Calls: 4, Legs: 3}).Run(g); err != nil {
			t.Fatal(err)
		}
		// 200 records a second and Call Bridge, one in ten a probe's, of which two in
		// three change a level.
		if n := g.of(t, "Latency", "markings")[0]; n < 20 || n > 28 {
			t.Errorf("%g changes of a level", n)
		}
		if p50, p99 := g.of(t, "Latency", "p50-ms")[0], g.of(t, "Latency", "p99-ms")[0]; p50 <= 0 || p99 < p50 {
			t.Errorf("half within %g ms, 99 in a hundred within %g ms", p50, p99)
		}
	})
	t.Run("storm", func(t *testing.T) {
		if err := (&storm{Rounds: 1, Legs: 120, Calls: 12, Bridges: 2, Writes: unlimited}).Run(g); err != nil {
			t.Fatal(err)
		}
		// Each call is written at least once, and not more often than it has levels.
		if n := g.of(t, "Storm/unlimited", "writes")[0]; n < 12 || n > 36 {
			t.Errorf("%g writes for 12 calls", n)
		}
	})
	t.Run("scale", func(t *testing.T) {
		err := (&scale{Legs: []int{40}, Bridges: 2, For: 200 * time.Millisecond, Latency: 500 * time.Millisecond, Rate: 250, Resync: time.Minute, Sync: true}).Run(g)
		if err != nil {
			t.Fatal(err)
		}
		if s := g.of(t, "Scale/legs=40", "s-sync")[0]; s <= 0 {
			t.Errorf("it was ready after %g s", s)
		}
	})
	t.Run("growth", func(t *testing.T) {
		if err := (&growth{Legs: []int{20, 40}, Bridges: 2, Rounds: 2, For: 200 * time.Millisecond, Resync: time.Hour}).Run(g); err != nil {
			t.Fatal(err)
		}
		few, many, ratios := g.of(t, "Growth/legs=20", "µs-cpu/record"), g.of(t, "Growth/legs=40", "µs-cpu/record"), g.of(t, "Growth/legs=40", "of-the-first")
		for i := range ratios {
			if got := many[i] / few[i]; got != ratios[i] || got <= 0 {
				t.Errorf("%g of %g µs a record are called %g", many[i], few[i], ratios[i])
			}
		}
	})
	t.Run("churn", func(t *testing.T) {
		if err := (&churn{Legs: 40, Pass: 400, Bridges: 2, Parts: 1}).Run(g); err != nil {
			t.Fatal(err)
		}
		for part := range 2 {
			if mb := g.of(t, fmt.Sprintf("Churn/legs=40/passed=%d", 400*part), "MB-live")[0]; mb <= 0 || mb > 1000 {
				t.Errorf("%g MB are alive", mb)
			}
		}
	})
	t.Run("start", func(t *testing.T) {
		if err := (&begin{Rounds: 1, Bridges: 2}).Run(g); err != nil {
			t.Fatal(err)
		}
		if ms := g.of(t, "Start", "ms-until-ready")[0]; ms <= 0 {
			t.Errorf("ready after %g ms", ms)
		}
	})
}

// A callmark that does not start is an error with its own words.
func TestDoesNotStart(t *testing.T) {
	g := built(t)
	err := (&storm{Rounds: 1, Legs: 4, Calls: 2, Bridges: 1, Writes: 1e9}).Run(g)
	if err == nil || !strings.Contains(err.Error(), "writes_per_second") {
		t.Errorf("error %v", err)
	}
}

func TestQuantile(t *testing.T) {
	var list []float64
	for i := range 1000 {
		list = append(list, float64(i))
	}
	for part, want := range map[float64]float64{0: 0, 0.5: 500, 0.99: 990, 0.999: 999, 1: 999} {
		if got := quantile(list, part); got != want {
			t.Errorf("quantile %g is %g, want %g", part, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing it is %g", got)
	}
	if !slices.IsSorted(list) {
		t.Error("the list was changed")
	}
}
