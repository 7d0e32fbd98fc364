package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a real one, by tmux, in which callmark runs its demo.
type terminal struct {
	t      *testing.T
	socket string
	dir    string // holds the terminal's settings before and after
}

func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", tm.socket}, args...)...).CombinedOutput()
	if err != nil {
		tm.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// until waits for a text on the screen.
func (tm *terminal) until(text string) {
	tm.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(15 * time.Second)
	for {
		screen := tm.tmux("capture-pane", "-p")
		if strings.Contains(screen, text) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			tm.t.Fatalf("never on the screen: %q\n%s", text, screen)
		}
	}
}

func (tm *terminal) keys(keys ...string) {
	tm.t.Helper()
	tm.tmux(append([]string{"send-keys"}, keys...)...)
}

// openTerminal starts the demo in a terminal of its own.
func openTerminal(t *testing.T, name string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	tm := &terminal{t: t, dir: t.TempDir(), socket: fmt.Sprintf("callmark-test-%s-%d", name, os.Getpid())}
	t.Cleanup(func() { _ = exec.Command("tmux", "-L", tm.socket, "kill-server").Run() })
	tm.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "30",
		fmt.Sprintf("stty -a > %[1]s/before; CALLMARK_BE_MAIN=1 %[2]s --demo; echo EXIT $?; stty -a > %[1]s/after; echo OVER; cat", tm.dir, os.Args[0]))
	tm.until("meetings")
	tm.until("> [") // the first row is selected
	return tm
}

// An operator forces a marking, sees it hold, and quits; the terminal
// is as it was.
func TestOperatorInATerminal(t *testing.T) {
	t.Parallel()
	tm := openTerminal(t, "operator")
	tm.keys("f")
	tm.until("1 SECURE")
	tm.keys("1")
	tm.until("y yes")
	tm.keys("y")
	tm.until("forced [1]")
	tm.keys("q")
	tm.until("taken off the screens")
	tm.keys("y")
	tm.until("EXIT 0")
	tm.until("OVER")
	before, err1 := os.ReadFile(filepath.Join(tm.dir, "before"))
	after, err2 := os.ReadFile(filepath.Join(tm.dir, "after"))
	if err1 != nil || err2 != nil || !bytes.Equal(before, after) {
		t.Errorf("the terminal was %s and is %s (%v, %v)", before, after, err1, err2)
	}
}

func TestInterruptTwiceInATerminal(t *testing.T) {
	t.Parallel()
	tm := openTerminal(t, "interrupt")
	tm.keys("C-c")
	tm.until("once more")
	tm.keys("C-c")
	tm.until("EXIT 0")
}
