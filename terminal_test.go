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

// terminal is a real one, by tmux, in which callmark runs.
type terminal struct {
	t      testing.TB
	socket string
	dir    string // holds the terminal's settings before and after, and the process id
}

func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", tm.socket}, args...)...).CombinedOutput()
	if err != nil {
		tm.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// until waits for one of some texts on the screen.
func (tm *terminal) until(texts ...string) {
	tm.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(15 * time.Second)
	for {
		screen := tm.tmux("capture-pane", "-p")
		for _, text := range texts {
			if strings.Contains(screen, text) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-late:
			tm.t.Fatalf("never on the screen: %q\n%s", texts, screen)
		}
	}
}

func (tm *terminal) keys(keys ...string) {
	tm.t.Helper()
	tm.tmux(append([]string{"send-keys"}, keys...)...)
}

// openTerminal starts callmark in a terminal of its own.
func openTerminal(t testing.TB, name, args string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	tm := &terminal{t: t, dir: t.TempDir(), socket: fmt.Sprintf("callmark-test-%s-%d", name, os.Getpid())}
	t.Cleanup(func() { _ = exec.Command("tmux", "-L", tm.socket, "kill-server").Run() })
	tm.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "30",
		fmt.Sprintf("cd %[1]s; stty -a > before; CALLMARK_BE_MAIN=1 sh -c 'echo $$ > pid; exec %[2]s %[3]s'; echo EXIT $?; stty -a > after; echo OVER; cat", tm.dir, os.Args[0], args))
	return tm
}

// openDemo starts the demo in a terminal of its own.
func openDemo(t testing.TB, name string) *terminal {
	t.Helper()
	tm := openTerminal(t, name, "--demo")
	tm.until("meetings")
	tm.until("> [") // the first row is selected
	return tm
}

// An operator does what there is to do, as a person would: he filters, drills
// down, forces a marking with a reason and sees it on the simulator's screen (a
// marking is confirmed once it was read back from there), clears it, returns to
// automatic, pauses, exports, looks at the Call Bridges, and quits. The terminal
// is as it was.
func TestOperatorInATerminal(t *testing.T) {
	t.Parallel()
	tm := openDemo(t, "operator")
	tm.until("confirmed")

	tm.keys("/")
	tm.until("filter:")
	name := tm.selected()
	tm.keys("-l", name)
	tm.keys("Enter")
	tm.until("filter: "+strings.ToLower(name)[:3], "filter: "+name[:3])
	tm.keys("Enter")
	tm.until("in the meeting, counted")
	tm.until("On screen")

	tm.keys("f")
	tm.until("1 SECURE")
	tm.keys("2")
	tm.until("y yes")
	tm.keys("r")
	tm.until("Reason")
	tm.keys("-l", "the chair asked")
	tm.keys("Enter")
	tm.until("Reason: the chair asked")
	tm.keys("y")
	tm.until("forced [2] by")
	tm.until("[2] confirmed on")

	tm.keys("c")
	tm.until("Clear the marking")
	tm.keys("y")
	tm.until("cleared by")
	tm.until("off confirmed on", "- on cms")
	tm.keys("a")
	tm.until("is automatic again")
	tm.until("] confirmed on")

	tm.keys("Escape")
	tm.until("Meeting ")
	tm.keys("p")
	tm.until("PAUSED")
	tm.keys("p")
	tm.until("goes on")

	path := filepath.Join(tm.dir, "out.csv")
	tm.keys("e")
	tm.until("c CSV")
	tm.keys("c")
	tm.until("> callmark-meetings-")
	tm.keys("C-u")
	tm.keys("-l", path)
	tm.keys("Enter")
	tm.until("Exported")
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), name) {
		t.Errorf("exported %q, %v", text, err)
	}

	tm.keys("b")
	tm.until("cdrCorrelatorIndex")
	tm.keys("Escape")
	tm.until("Meeting ")
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

// selected is the name of the meeting under the cursor, as far as it is to be
// seen.
func (tm *terminal) selected() string {
	tm.t.Helper()
	for line := range strings.Lines(tm.tmux("capture-pane", "-p")) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[0] == ">" {
			return fields[3]
		}
	}
	tm.t.Fatal("no meeting is selected")
	return ""
}

func TestInterruptTwiceInATerminal(t *testing.T) {
	t.Parallel()
	tm := openDemo(t, "interrupt")
	tm.keys("C-c")
	tm.until("once more")
	tm.keys("C-c")
	tm.until("EXIT 0")
}
