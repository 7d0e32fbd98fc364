package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/vt"
	"go.uber.org/goleak"

	"callmark/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// terminal is a virtual terminal with a console in it.
type terminal struct {
	t   testing.TB
	mu  sync.Mutex
	emu *vt.Emulator
	raw strings.Builder

	writes int
	wrote  chan struct{} // one slot: the screen may have changed

	board *fakeBoard
	keys  *io.PipeWriter
	c     *Console
	stop  context.CancelFunc
	err   error
	done  chan struct{}
}

func (x *terminal) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.raw.Write(p)
	x.writes++
	n, err := x.emu.Write(p)
	select {
	case x.wrote <- struct{}{}:
	default:
	}
	return n, err
}

func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	lines := strings.Split(x.emu.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.Join(lines, "\n")
}

func (x *terminal) alt() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.emu.IsAltScreen()
}

// settle lets the console draw what it has to.
func (x *terminal) settle() string {
	time.Sleep(300 * time.Millisecond) // of the bubble's clock
	synctest.Wait()
	return x.screen()
}

func (x *terminal) press(keys string) string {
	for _, k := range keys {
		fmt.Fprint(x.keys, string(k))
		time.Sleep(60 * time.Millisecond)
	}
	return x.settle()
}

func (x *terminal) shows(all ...string) {
	x.t.Helper()
	s := x.settle()
	for _, want := range all {
		if !strings.Contains(s, want) {
			x.t.Errorf("not on the screen: %q\n%s", want, s)
		}
	}
}

// end waits for Run.
func (x *terminal) end() {
	x.stop()
	<-x.done
	x.keys.Close()
	x.emu.Close()
}

// openTerminal runs a console in a terminal of its own.
func openTerminal(t testing.TB, w, h int, change ...func(*Options)) *terminal {
	t.Helper()
	r, keys := io.Pipe()
	x := &terminal{t: t, emu: vt.NewEmulator(w, h), wrote: make(chan struct{}, 1), board: newFake(), keys: keys, done: make(chan struct{})}
	x.emu.Write([]byte("\x1b[20h"))
	go io.Copy(io.Discard, x.emu) // what it answers
	scene(x.board)
	o := Options{
		Board: x.board, Who: "anna", UTC: true, Input: r, Output: x, Width: w, Height: h,
		Environ: []string{"TERM=xterm-256color", "SSH_TTY=/dev/pts/1"},
	}
	for _, c := range change {
		c(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	x.c = c
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	go func() {
		defer close(x.done)
		x.err = c.Run(ctx)
	}()
	return x
}

// inTerminal runs a console in a bubble of its own time.
func inTerminal(t *testing.T, w, h int, f func(x *terminal), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := openTerminal(t, w, h, change...)
		f(x)
		x.end()
		synctest.Wait()
	})
}

func TestConsoleInTerminal(t *testing.T) {
	for _, size := range []struct{ w, h int }{{160, 45}, {80, 24}, {40, 10}} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			inTerminal(t, size.w, size.h, func(x *terminal) {
				x.shows("callmark", "7 meetings", "Cabinet bri", "? help")
				if !x.alt() {
					t.Error("not on the alternate screen")
				}
				x.press("f1")
				x.shows("Force [1] SECURE")
				x.press("y")
				if got := x.board.acts(); got != "override m-cabinet level 1 by anna" {
					t.Errorf("did %q", got)
				}
				x.stop()
				<-x.done
				if x.err != nil {
					t.Errorf("Run: %v", x.err)
				}
				if x.alt() {
					t.Error("the terminal was not given back")
				}
			})
		})
	}
}

func TestConsoleShowsChanges(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		x.shows("7 meetings")
		x.board.put(mtg("m-new", "日本語の会議", policy.Level3))
		x.shows("8 meetings", "日本語の会議")
		x.board.end("m-new")
		x.shows("7 meetings")
		if s := x.screen(); strings.Contains(s, "日本語") {
			t.Errorf("still there:\n%s", s)
		}
		// Minutes without a change: the clock moves.
		before := x.screen()
		time.Sleep(3 * time.Minute)
		if x.settle() == before {
			t.Error("the screen stands still")
		}
	})
}

func TestQuitEndsRun(t *testing.T) {
	inTerminal(t, 80, 24, func(x *terminal) {
		x.settle()
		x.press("q")
		x.shows("Quit callmark?")
		x.press("y")
		<-x.done
		if x.err != nil || x.alt() {
			t.Errorf("Run: %v, alternate screen: %v", x.err, x.alt())
		}
	})
	inTerminal(t, 80, 24, func(x *terminal) {
		x.settle()
		x.press("\x1a")
		x.shows("ctrl+z does nothing")
		x.press("\x03")
		x.shows("once more")
		fmt.Fprint(x.keys, "\x03")
		<-x.done
		if x.err != nil || x.alt() {
			t.Errorf("Run: %v, alternate screen: %v", x.err, x.alt())
		}
	})
}

// TestStormMakesFewFrames changes the board much faster than anybody can look.
func TestStormMakesFewFrames(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		x.settle()
		var frames int
		var mu sync.Mutex
		p := &pump{board: x.board, focus: newFocus(), now: time.Now, send: func(frame) { mu.Lock(); frames++; mu.Unlock() }}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); p.run(ctx) }()
		for i := range 3000 {
			x.board.put(mtg(fmt.Sprint("m", i%50), "storm", policy.Level(1+i%3)))
			time.Sleep(time.Millisecond)
		}
		stop()
		<-ended
		if frames < 20 || frames > 36 {
			t.Errorf("%d frames in 3 s", frames)
		}
		x.shows("57 meetings")
	})
}

// stalling is an output that takes nothing more once it is told to.
type stalling struct {
	mu      sync.Mutex
	stall   bool
	wrote   chan struct{} // one slot
	stalled chan struct{} // closed when a write hangs
	release chan struct{}
	once    sync.Once
}

func (s *stalling) Write(p []byte) (int, error) {
	s.mu.Lock()
	stall := s.stall
	s.mu.Unlock()
	if stall {
		s.once.Do(func() { close(s.stalled) })
		<-s.release
	}
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return len(p), nil
}

// TestStalledTerminal stops the terminal: the board must not notice, and Run
// and Restore must return. It runs on the real clock, since what waits for a
// mutex does not let a bubble's go on.
func TestStalledTerminal(t *testing.T) {
	r, keys := io.Pipe()
	out := &stalling{wrote: make(chan struct{}, 1), stalled: make(chan struct{}), release: make(chan struct{})}
	board := newFake()
	scene(board)
	var wg sync.WaitGroup
	c, err := New(Options{
		Board: board, Input: r, Output: out, Width: 100, Height: 30, Environ: []string{"TERM=xterm-256color"},
		Go: func(_ string, f func()) { wg.Go(f) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.patience = 50 * time.Millisecond
	done := make(chan error)
	go func() { done <- c.Run(context.Background()) }()
	<-out.wrote
	out.mu.Lock()
	out.stall = true
	out.mu.Unlock()
	for i := 0; ; i++ {
		board.put(mtg(fmt.Sprint("m", i%100), fmt.Sprint("storm", i), policy.Level3))
		select {
		case <-out.stalled:
		default:
			continue
		}
		break
	}
	for i := range 1000 {
		board.put(mtg(fmt.Sprint("m", i), "storm", policy.Level3))
	}
	go c.Restore()
	if err := <-done; !errors.Is(err, ErrStalled) {
		t.Errorf("Run: %v", err)
	}
	c.Restore()
	close(out.release)
	keys.Close()
	wg.Wait()
}

func TestRestore(t *testing.T) {
	inTerminal(t, 80, 24, func(x *terminal) {
		x.settle()
		x.c.Restore() // as the recover of another goroutine does
		if x.alt() {
			t.Error("the terminal was not given back")
		}
		<-x.done
		if x.err != nil {
			t.Errorf("Run: %v", x.err)
		}
		x.c.Restore()
	})
}

func TestPanicInTheModelIsAnError(t *testing.T) {
	inTerminal(t, 80, 24, func(x *terminal) {
		x.settle()
		x.c.program.Send(frame{update: policy.Update{Meetings: []*policy.MeetingView{nil}}})
		<-x.done
		if x.err == nil || x.alt() {
			t.Errorf("Run: %v, alternate screen: %v", x.err, x.alt())
		}
	})
}

func TestNoColorInTerminal(t *testing.T) {
	for _, env := range []string{"A=b", "NO_COLOR=yes"} {
		inTerminal(t, 120, 30, func(x *terminal) {
			x.shows("[3] EXTERNAL")
			x.mu.Lock()
			coloured := strings.Contains(x.raw.String(), "41m") || strings.Contains(x.raw.String(), "41;")
			x.mu.Unlock()
			if coloured != (env == "A=b") {
				t.Errorf("%s: coloured is %v", env, coloured)
			}
		}, func(o *Options) { o.Environ = append(o.Environ, env) })
	}
}

func TestClipboard(t *testing.T) {
	inTerminal(t, 120, 30, func(x *terminal) {
		x.settle()
		x.press("y")
		x.mu.Lock()
		defer x.mu.Unlock()
		if !strings.Contains(x.raw.String(), "\x1b]52;c;") {
			t.Error("no OSC 52")
		}
	})
}

func TestNewNeedsABoard(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
	if err := Run(context.Background(), Options{}); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
