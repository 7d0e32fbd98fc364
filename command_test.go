package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain makes the test binary be callmark itself when it is told so, for
// what only a process of its own can show.
func TestMain(m *testing.M) {
	if os.Getenv("CALLMARK_BE_MAIN") != "" {
		main()
	}
	if os.Getenv("CALLMARK_BE_IDLE") != "" {
		for range time.Tick(wakeEvery) { // for ever
		}
	}
	// Tests in parallel wait most of the time, so more may run than there are
	// processors; -parallel says otherwise.
	if err := flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	// The log's rotation keeps a goroutine for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}

// command runs a command line and returns its code and what it wrote.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out bytes.Buffer
	err := &output{}
	code = realMain(context.Background(), args, &out, err)
	return code, out.String(), err.String()
}

// write writes a configuration and returns its name.
func write(t testing.TB, mode os.FileMode, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

const goodConfig = `[cms]
username = "api"
password = "secret"
servers = ["cms1.corp.example"]
[policy]
secure_domains = ["secure.example"]
internal_domains = ["corp.example"]
`

func TestCommands(t *testing.T) {
	good := write(t, 0o600, goodConfig)
	for _, tt := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // parts
	}{
		{"version", []string{"--version"}, 0, "callmark dev", ""},
		{"help", []string{"--help"}, 0, "--read-only", ""},
		{"unknown flag", []string{"--frobnicate"}, 2, "", "callmark --help"},
		{"check", []string{"check", "--config", good}, 0, "is in order", ""},
		{"check the example", []string{"check", "--config", "config.toml"}, 1, "", "config.toml:30: cms.username"},
		{"no file", []string{"check", "--config", "none.toml"}, 1, "", "callmark --demo needs none"},
		{"run without a file", []string{"--no-tui", "--config", "none.toml"}, 1, "", "not started"},
		{"secure", []string{"classify", "--config", good, "ROOM@Secure.EXAMPLE"}, 0, "level 1", ""},
		{"look-alike", []string{"classify", "--config", good, "mallory@secure.example.evil.test"}, 0, "level 3\thost secure.example.evil.test matches no entry", ""},
		{"classify by half a policy", []string{"classify", "--config", write(t, 0o600, strings.Replace(goodConfig, "internal_domains", "internal_domain", 1)), "a@corp.example"}, 1, "", "did you mean internal_domains"},
		{"world-readable password", []string{"check", "--config", write(t, 0o644, goodConfig)}, 0, "is in order", "warning: cms.password"},
		{"both lists", []string{"check", "--config", write(t, 0o600, strings.Replace(goodConfig, "corp.example\"]\n", "secure.example\"]\n", 2))}, 1, "", ":7: policy.internal_domains[1]"},
		{"empty entry", []string{"check", "--config", write(t, 0o600, strings.Replace(goodConfig, `"corp.example"]`, `""]`, 1))}, 1, "", "the entry is empty"},
		{"no server", []string{"check", "--config", write(t, 0o600, strings.Replace(goodConfig, `"cms1.corp.example"`, ``, 1))}, 1, "", "cms.servers"},
		{"no credentials", []string{"check", "--config", write(t, 0o600, strings.Replace(goodConfig, `password = "secret"`, ``, 1))}, 1, "", "cms.password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := command(t, tt.args...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("code %d, want %d\nstdout: %s\nstderr: %s", code, tt.code, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "secret\"") {
				t.Errorf("the password is told:\n%s%s", stdout, stderr)
			}
		})
	}
}

// The demo, as a process: meetings appear and are marked, and each of the
// signals ends it in order, with code 0.
func TestDemoAndSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "--demo", "--no-tui")
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "CALLMARK_BE_MAIN=1")
			out := &watched{want: "marking sent", seen: make(chan struct{})}
			cmd.Stderr = out
			start := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-out.seen:
				t.Logf("first marking after %v", time.Since(start))
			case <-time.After(20 * time.Second):
				t.Errorf("no marking in time")
			}
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("ended with %v:\n%s", err, out)
			}
			for _, part := range []string{"callmark stops", "left=0", "callmark has stopped"} {
				if !strings.Contains(out.String(), part) {
					t.Errorf("the log lacks %q:\n%s", part, out)
				}
			}
			if left, _ := os.ReadDir(cmd.Dir); len(left) > 0 {
				t.Errorf("the demo left %v behind", left)
			}
		})
	}
}

// watched closes seen once a text has been written.
type watched struct {
	output
	want string
	seen chan struct{}
	done bool
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.output.Write(p)
	if !w.done && strings.Contains(w.String(), w.want) {
		w.done = true
		close(w.seen)
	}
	return n, err
}
