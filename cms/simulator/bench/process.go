package main

import (
	"bytes"
	"context"
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

	"github.com/prometheus/procfs"

	"callmark/cms/simulator"
)

const (
	startWithin = 20 * time.Second // until a process answers
	often       = time.Millisecond // to ask where the time until it does is measured
)

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

// answers waits until a GET of path is answered 200, and asks every so often.
func (p *process) answers(ctx context.Context, path string, within, every time.Duration) error {
	client := &http.Client{}
	defer client.CloseIdleConnections()
	return p.until(ctx, within, every, func(ctx context.Context) error {
		_, err := get(ctx, client, "http://"+p.addr+path)
		return err
	})
}

// listens waits until it takes connections.
func (p *process) listens(ctx context.Context) error {
	return p.until(ctx, startWithin, often, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// until tries something every so often until it succeeds.
func (p *process) until(ctx context.Context, within, every time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(every)
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
		err = fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(body))
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

// start makes a configuration for callmark, which lies in dir, and starts it. keys
// are more lines of [cms]; all other keys are at their defaults.
func (g *bench) start(ctx context.Context, cluster *simulator.Cluster, dir string, keys []string) (*process, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	var servers []string
	for _, url := range cluster.URLs() {
		servers = append(servers, strconv.Quote(url))
	}
	text := fmt.Sprintf(`[receiver]
listen = %q
[cms]
username = %q
password = %q
servers = [%s]
%s
[policy]
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
`, addr, cluster.Username(), cluster.Password(), strings.Join(servers, ", "), strings.Join(keys, "\n"),
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
	if err := p.answers(ctx, "/healthz", startWithin, often); err != nil {
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

// statOf is what the kernel tells of a process: the processor time that it has
// used, and its resident memory.
func statOf(pid int) (procfs.ProcStat, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return procfs.ProcStat{}, err
	}
	return p.Stat()
}

// residentBytes is what the process holds of the machine's memory.
func (p *process) residentBytes() (float64, error) {
	stat, err := statOf(p.cmd.Process.Pid)
	return float64(stat.ResidentMemory()), err
}
