package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"callmark/cms/simulator"
)

// startWithin is how long a process has until it answers.
const startWithin = 20 * time.Second

// process is a receiver in a process of its own.
type process struct {
	cmd   *exec.Cmd
	addr  string        // host:port that it listens on
	said  string        // the file of its standard error
	ended chan struct{} // closed when it has
}

func (p *process) url() string { return "http://" + p.addr + "/cdr" }

// run starts a command that will listen on addr. What it says goes to a file in
// dir, as to a system's log: to read it would cost the generator.
func run(cmd *exec.Cmd, dir, addr string) (*process, error) {
	p := &process{cmd: cmd, addr: addr, said: filepath.Join(dir, "stderr"), ended: make(chan struct{})}
	stderr, err := os.Create(p.said)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is told by its words
	}()
	return p, nil
}

// words are the last that it said.
func (p *process) words() string {
	text, err := os.ReadFile(p.said)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4096):])
}

// kill ends it at once and waits until it has.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// answers waits until a GET of path is answered 200.
func (p *process) answers(ctx context.Context, path string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return p.until(ctx, func(ctx context.Context) error {
		_, err := get(ctx, client, "http://"+p.addr+path)
		return err
	})
}

// listens waits until it takes connections.
func (p *process) listens(ctx context.Context) error {
	return p.until(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// until tries something every millisecond until it succeeds.
func (p *process) until(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s has ended:\n%s", p.cmd.Path, p.words())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w\n%s", p.cmd.Path, err, p.words())
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) (body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return body, err
}

// startPeer starts this program again as one of the peers.
func startPeer(ctx context.Context, dir, kind string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := run(exec.Command(self, "peer", kind, addr), dir, addr) // #nosec G204 -- this program
	if err != nil {
		return nil, err
	}
	if err := p.listens(ctx); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// setting is what of callmark's configuration a run sets. The other keys are at
// their defaults.
type setting struct {
	writes, reads float64 // a second and server; 0: the default
	more          string  // lines of the section [cms]
}

// start makes a configuration for callmark, which lies in dir, and starts it.
func (g *bench) start(ctx context.Context, cluster *simulator.Cluster, dir string, s setting) (*process, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	var servers []string
	for _, url := range cluster.URLs() {
		servers = append(servers, strconv.Quote(url))
	}
	var more strings.Builder
	if s.reads > 0 {
		fmt.Fprintf(&more, "reads_per_second = %g\n", s.reads)
	}
	if s.writes > 0 {
		fmt.Fprintf(&more, "writes_per_second = %g\n", s.writes)
	}
	text := fmt.Sprintf(`[receiver]
listen = %q
[cms]
username = %q
password = %q
servers = [%s]
%s%s[policy]
secure_domains = [%q]
internal_domains = [%q]
[policy.level.1]
message = %q
[policy.level.2]
message = %q
[policy.level.3]
message = %q
[marking]
on_exit = "keep"
`, addr, cluster.Username(), cluster.Password(), strings.Join(servers, ", "), more.String(), s.more,
		secureDomain, internalDomain, message(1), message(2), message(3))
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(g.Callmark, "--no-tui", "--config", config) // #nosec G204 -- the program to be measured
	cmd.Dir = dir
	p, err := run(cmd, dir, addr)
	if err != nil {
		return nil, err
	}
	if err := p.answers(ctx, "/healthz"); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// freePort is an address at which nobody listens.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// processorTime is what a process has used so far, by the kernel's count in
// hundredths of a second.
func processorTime(pid int) (time.Duration, error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	stat, err := os.ReadFile(name) // #nosec G304 -- of the kernel
	if err != nil {
		return 0, err
	}
	// After the name, which may have spaces in it, the 12th and 13th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s: %s", name, stat)
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// residentBytes is what a process holds of the machine's memory.
func (p *process) residentBytes() (float64, error) {
	name := fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)
	status, err := os.ReadFile(name) // #nosec G304 -- of the kernel
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return kB * 1024, nil
}
