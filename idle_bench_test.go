package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"callmark/cms/simulator"
)

// BenchmarkIdle measures what callmark costs while nothing happens, as a process
// of its own, with the console in a real terminal and without it. The Call
// Bridges are in the benchmark's process and do not count. Between two readings
// of all lists, which includes what is on every screen, callmark is idle; what
// one reading a minute costs is told apart. To wake up costs ten times more on
// some virtual machines than on others, so there is a process as well that does
// that and nothing else. Use -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	b.Run("wake-ups="+wakeEvery.String(), func(b *testing.B) {
		for b.Loop() {
			p := &process{exec.Command(os.Args[0]), &output{}}
			p.cmd.Env = append(os.Environ(), "CALLMARK_BE_IDLE=1")
			if err := p.cmd.Start(); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(p.kill)
			time.Sleep(time.Second) // what its start takes does not count
			watch(b, p.cmd.Process.Pid, time.Minute)
		}
	})
	for _, c := range []struct {
		meetings int
		resync   string
		watched  time.Duration
	}{
		{0, "1m", time.Minute},
		{10000, "1h", 30 * time.Second},
		{10000, "1m", time.Minute},
	} {
		for _, console := range []bool{true, false} {
			b.Run(fmt.Sprintf("%dmeetings/resync=%s/console=%v", c.meetings, c.resync, console), func(b *testing.B) {
				for b.Loop() {
					pid := idle(b, c.meetings, c.resync, console)
					watch(b, pid, c.watched)
				}
			})
		}
	}
}

// wakeEvery is how often the process wakes up that does nothing else.
const wakeEvery = 200 * time.Millisecond

// watch reports what a process takes within a time.
func watch(b *testing.B, pid int, d time.Duration) {
	from, before := time.Now(), statOf(b, pid)
	time.Sleep(d)
	after, took := statOf(b, pid), time.Since(from)
	b.ReportMetric(100*(after.CPUTime()-before.CPUTime())/took.Seconds(), "%core")
	b.ReportMetric(float64(after.ResidentMemory())/(1<<20), "MB-resident")
}

// idle starts callmark beside a cluster on which so many meetings go on quietly,
// and returns its process once every marking is on its screen and was read back.
func idle(b *testing.B, meetings int, resync string, console bool) (pid int) {
	cluster := running(b, simulator.Options{Bridges: 4, Seed: 3})
	cluster.Populate(meetings, 2)
	listen := freePort(b)
	config := configuration(b, cluster, listen, "reads_per_second = 1000\nwrites_per_second = 1000\nresync = \""+resync+"\"", "")
	if console {
		tm := openTerminal(b, "--config "+config)
		tm.until(" meetings")
		pid = tm.pid()
	} else {
		pid = fork(b, config, listen).cmd.Process.Pid
	}
	if err := cluster.SetReceivers("http://" + listen + "/cdr"); err != nil {
		b.Fatal(err)
	}
	// Markings are read back for as long as there are any to be read.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	late := time.After(3 * time.Minute)
	for before, quiet := -1, 0; quiet < 4 || !allRight(cluster); {
		reads := 0
		for _, bridge := range cluster.Bridges() {
			reads += bridge.Requests().CallDetailsAnswered
		}
		if quiet++; reads != before {
			before, quiet = reads, 0
		}
		select {
		case <-tick.C:
		case <-late:
			b.Fatalf("not every screen is right, after %d calls were read", reads)
		}
	}
	return pid
}

// statOf is what the kernel tells of a process: the processor time that it has
// used, and its resident memory.
func statOf(b *testing.B, pid int) procfs.ProcStat {
	p, err := procfs.NewProc(pid)
	if err != nil {
		b.Skipf("processor time is not to be had here: %v", err)
	}
	stat, err := p.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return stat
}

// pid is the process in the terminal.
func (tm *terminal) pid() int {
	tm.t.Helper()
	text, err := os.ReadFile(filepath.Join(tm.dir, "pid"))
	if err != nil {
		tm.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		tm.t.Fatal(err)
	}
	return pid
}
