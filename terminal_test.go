package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"callmark/policy"
	"callmark/receiver/cdr"
)

// terminal is a real one, by tmux, in which callmark runs.
type terminal struct {
	t      testing.TB
	socket string
	dir    string // holds the terminal's settings before and after, and the process id
}

func (tm *terminal) tmux(args ...string) string {
	tm.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", tm.socket}, args...)...).CombinedOutput()
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
		screen := tm.screen()
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
func openTerminal(t testing.TB, args string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	tm := &terminal{t: t, dir: t.TempDir()}
	tm.socket = filepath.Join(tm.dir, "tmux")
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", tm.socket, "kill-server").Run() })
	tm.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "30",
		fmt.Sprintf("cd %[1]s; stty -a > before; CALLMARK_BE_MAIN=1 sh -c 'echo $$ > pid; exec %[2]s %[3]s'; echo EXIT $?; stty -a > after; echo OVER; cat", tm.dir, os.Args[0], args))
	return tm
}

// openDemo starts the demo in a terminal of its own.
func openDemo(t testing.TB) *terminal {
	t.Helper()
	tm := openTerminal(t, "--demo")
	tm.until("meetings")
	tm.until("> [") // the first row is selected
	return tm
}

// An operator does what there is to do, as a person would: he filters, drills
// down, forces a text with a reason and sees it on the simulator's screen, clears
// it, returns to automatic, pauses during a storm, exports, looks at the Call
// Bridges, and quits. The terminal is as it was.
func TestOperatorInATerminal(t *testing.T) {
	t.Parallel()
	tm := openDemo(t)
	tm.until("confirmed")
	tm.is("alternate screen", "#{alternate_on}", "1")

	tm.keys("b")
	tm.until("cdrCorrelatorIndex")
	cluster := tm.cluster()
	tm.keys("Escape")
	tm.until("Meeting ")

	tm.keys("/")
	tm.until("filter:")
	name := tm.selected()
	tm.keys("-l", name)
	tm.keys("Enter")
	tm.until("filter: "+strings.ToLower(name)[:3], "filter: "+name[:3])
	tm.keys("Enter")
	tm.until("in the meeting, counted")
	tm.until("On screen")

	const text = "The chair asks for silence"
	tm.keys("f")
	tm.until("1 SECURE")
	tm.keys("t")
	tm.until("Text for the screens")
	tm.keys("-l", text)
	tm.keys("Enter")
	tm.until("y yes")
	tm.keys("r")
	tm.until("Reason")
	tm.keys("-l", "the chair asked")
	tm.keys("Enter")
	tm.until("Reason: the chair asked")
	if held := cluster.showing(text); len(held) > 0 {
		t.Errorf("shown before it was decided: %q", held)
	}
	tm.keys("y")
	tm.until("by "+whoAmI(), "forced ")
	tm.until("confirmed on")
	var calls []string
	until(t, "the simulator shows the text", 10*time.Second, func() bool { calls = cluster.showing(text); return len(calls) > 0 }, tm.screen)

	tm.keys("c")
	tm.until("Clear the marking")
	tm.keys("y")
	tm.until("cleared by")
	until(t, "the simulator shows nothing", 10*time.Second, func() bool { return cluster.allShow(calls, "") }, tm.screen)
	tm.until("off confirmed on", "- on cms")
	tm.keys("a")
	tm.until("is automatic again")
	until(t, "the simulator shows a level", 10*time.Second, func() bool {
		l := policy.DefaultLevels()
		return cluster.allShow(calls, l[1].Message, l[2].Message, l[3].Message)
	}, tm.screen)
	tm.until("] confirmed on")

	tm.keys("Escape")
	tm.until("(of ")
	tm.keys("Escape")
	tm.untilGone("(of ")
	tm.keys("p")
	tm.until("PAUSED")
	cluster.storm(300, cdr.CallStart)
	until(t, "changes are counted", 10*time.Second, func() bool { return tm.waiting() >= 300 }, tm.screen)
	if screen := tm.screen(); strings.Contains(screen, "Storm") {
		t.Errorf("shown while it is paused:\n%s", screen)
	}
	tm.keys("p")
	tm.until("goes on")
	tm.keys("/")
	tm.keys("-l", "storm")
	tm.keys("Enter")
	tm.until("of 300 (of")
	cluster.storm(300, cdr.CallEnd)
	tm.until("0 of 0 (of")
	tm.keys("Escape")
	tm.untilGone("(of ")

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
	tm.is("alternate screen", "#{alternate_on}", "0")
	tm.is("cursor", "#{cursor_flag}", "1")
}

// untilGone waits until a text is no longer on the screen.
func (tm *terminal) untilGone(text string) {
	tm.t.Helper()
	until(tm.t, "no "+text, 15*time.Second, func() bool { return !strings.Contains(tm.screen(), text) }, tm.screen)
}

func (tm *terminal) screen() string {
	tm.t.Helper()
	return tm.tmux("capture-pane", "-p")
}

// is compares what tmux says of the terminal.
func (tm *terminal) is(what, format, want string) {
	tm.t.Helper()
	if got := strings.TrimSpace(tm.tmux("display-message", "-p", format)); got != want {
		tm.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

var (
	serverLine = regexp.MustCompile(`Server +(127\.0\.0\.1:\d+)`)
	pausedLine = regexp.MustCompile(`PAUSED, (\d+) changes? waiting`)
)

// waiting is how many changes wait while the view is paused.
func (tm *terminal) waiting() int {
	tm.t.Helper()
	m := pausedLine.FindStringSubmatch(tm.screen())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// selected is the name of the meeting under the cursor, as far as it is to be
// seen.
func (tm *terminal) selected() string {
	tm.t.Helper()
	for line := range strings.Lines(tm.screen()) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[0] == ">" {
			return fields[3]
		}
	}
	tm.t.Fatal("no meeting is selected")
	return ""
}

func TestInterruptTwiceInATerminal(t *testing.T) {
	t.Parallel()
	tm := openDemo(t)
	tm.keys("C-c")
	tm.until("once more")
	tm.keys("C-c")
	tm.until("EXIT 0")
}
