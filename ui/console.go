package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// ErrStalled is returned by Run when the terminal took no more output, so that
// it could be put back into its mode but not cleaned up.
var ErrStalled = errors.New("console: the terminal takes no output: its screen could not be restored, try the command reset in it")

// Console is the operators' view of a board. It is made by New, and run once.
type Console struct {
	o       Options
	model   *model
	program *tea.Program
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed when Run has restored the terminal

	patience time.Duration // how long an ending in order may take, twice
	tty      uintptr
	before   *term.State // of the terminal, nil where there is none
}

// Run shows a console until the operator quits or ctx ends. See Console.Run.
func Run(ctx context.Context, o Options) error {
	c, err := New(o)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// New makes a console. It touches the terminal in Run only.
func New(o Options) (*Console, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Console{o: o, model: newModel(&o), done: make(chan struct{}), patience: time.Second}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	settings := []tea.ProgramOption{
		tea.WithContext(c.ctx),
		tea.WithoutSignalHandler(), // the wiring owns the signals
		tea.WithEnvironment(o.Environ),
		tea.WithFPS(30),
	}
	if o.Input != nil {
		settings = append(settings, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		settings = append(settings, tea.WithOutput(o.Output))
	}
	if o.Width > 0 && o.Height > 0 {
		settings = append(settings, tea.WithWindowSize(o.Width, o.Height))
	}
	if o.NoColor {
		// Bold and reverse stay, as no-color.org has it.
		settings = append(settings, tea.WithColorProfile(colorprofile.ASCII))
	} else if o.Output != nil {
		// What is not a terminal of the process cannot be asked for its colours.
		settings = append(settings, tea.WithColorProfile(colorprofile.Env(o.Environ)))
	}
	c.program = tea.NewProgram(c.model, settings...)
	return c, nil
}

// Run shows the console until the operator quits, which is nil, or ctx ends,
// which is nil too. When it returns the terminal is as it was, and no goroutine
// of the console's runs any more. It may be called once.
//
// A terminal that takes no output, over a dead line or stopped with ctrl+s,
// cannot be drawn on and cannot be cleaned up. Run then returns ErrStalled two
// seconds after the end of ctx, so that it keeps nobody from ending, and leaves
// the goroutine behind that hangs in writing.
func (c *Console) Run(ctx context.Context) error {
	defer close(c.done)
	defer c.cancel()
	stop := context.AfterFunc(ctx, c.cancel)
	defer stop()
	c.remember()

	p := &pump{
		board: c.o.Board,
		focus: c.model.focus,
		now:   c.o.Now,
		send:  func(f frame) { c.program.Send(f) },
	}
	pumped := make(chan struct{})
	c.o.Go("console pump", func() {
		defer close(pumped)
		p.run(c.ctx)
	})
	var err error
	ran := make(chan struct{})
	c.o.Go("console", func() {
		defer close(ran)
		_, err = c.program.Run()
	})
	select {
	case <-ran:
	case <-c.ctx.Done():
		select {
		case <-ran:
		case <-time.After(c.patience):
			if !c.force(ran) {
				<-pumped
				return ErrStalled
			}
		}
	}
	ended := c.ctx.Err() != nil
	c.cancel()
	<-pumped
	if c.o.KeepView != nil {
		// A command of the last moment may not have come to it. What fails now
		// costs a sort or a filter: nobody is left to be told.
		_ = c.model.keeper.write()
	}
	if err == nil || ended && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return fmt.Errorf("console: %w", err)
}

// Restore gives the terminal back, from any goroutine, and returns within three
// seconds: for a recovered panic, before the process says what happened and
// exits. Run returns at the same time. It does nothing where Run has ended, and
// waits in vain where it has not begun.
func (c *Console) Restore() {
	c.cancel()
	select {
	case <-c.done:
	case <-time.After(3 * c.patience):
	}
}

// remember keeps the terminal's mode, for a program that hangs.
func (c *Console) remember() {
	in := c.o.Input
	if in == nil {
		in = os.Stdin
	}
	if f, ok := in.(term.File); ok && term.IsTerminal(f.Fd()) {
		if before, err := term.GetState(f.Fd()); err == nil {
			c.tty, c.before = f.Fd(), before
		}
	}
}

// force takes the terminal back from a program that hangs: in what a panic left
// locked, or in writing. It reports whether the program has ended after all.
func (c *Console) force(ran <-chan struct{}) bool {
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		c.program.Kill()
	}()
	select {
	case <-ran:
		return true
	case <-killed:
	case <-time.After(c.patience):
	}
	if c.before != nil {
		_ = term.Restore(c.tty, c.before)
	}
	return false
}
