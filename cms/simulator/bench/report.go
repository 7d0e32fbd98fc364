package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// value is a figure with its unit.
type value struct {
	n    float64
	unit string
}

// series are the figures of one name and unit, in the order of their runs.
type series struct {
	name, unit string
	n          []float64
}

// report prints what one run came to, as a line of a Go benchmark, which
// benchstat reads, and keeps it for summary.
func (g *bench) report(name string, values ...value) {
	var line strings.Builder
	fmt.Fprintf(&line, "Benchmark%s-%d 1", name, runtime.GOMAXPROCS(0))
	for _, v := range values {
		fmt.Fprintf(&line, "\t%.6g %s", v.n, v.unit)
		i := slices.IndexFunc(g.all, func(s series) bool { return s.name == name && s.unit == v.unit })
		if i < 0 {
			i = len(g.all)
			g.all = append(g.all, series{name: name, unit: v.unit})
		}
		g.all[i].n = append(g.all[i].n, v.n)
	}
	fmt.Println(line.String())
}

// preamble says in benchstat's way what machine this is.
func preamble() {
	fmt.Printf("goos: %s\ngoarch: %s\npkg: callmark\n", runtime.GOOS, runtime.GOARCH)
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(text), "model name\t: "); found {
			name, _, _ := strings.Cut(rest, "\n")
			fmt.Printf("cpu: %s\n", name)
		}
	}
}

// summary tells each figure's median and range, to whoever looks on.
func (g *bench) summary() {
	for _, s := range g.all {
		if len(s.n) < 2 {
			continue
		}
		slices.Sort(s.n)
		fmt.Fprintf(os.Stderr, "%-24s %10.6g %-20s (%.6g to %.6g, %d runs)\n", s.name, quantile(s.n, 0.5), s.unit, s.n[0], s.n[len(s.n)-1], len(s.n))
	}
}

// quantile is the value below which that part of a sorted list lies.
func quantile(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
