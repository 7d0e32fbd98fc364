package ui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// restoreWithin is how long Restore waits for the program to end in order
// before it takes the terminal back over its head.
const restoreWithin = time.Second

// Console is the operators' view of a board. It is made by New, and run once.
type Console struct {
	o       Options
	model   *model
	program *tea.Program
	cancel  context.CancelFunc
	ctx     context.Context
	done    chan struct{} // closed when Run has restored the terminal
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
	c := &Console{o: o, model: newModel(&o), done: make(chan struct{})}
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
// which is nil too. When it returns the terminal is as it was and no goroutine
// of the console's runs any more. It may be called once.
func (c *Console) Run(ctx context.Context) error {
	defer close(c.done)
	defer c.cancel()
	stop := context.AfterFunc(ctx, c.cancel)
	defer stop()

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
	_, err := c.program.Run()
	ended := c.ctx.Err() != nil
	c.cancel()
	<-pumped
	if err == nil || ended && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	return fmt.Errorf("console: %w", err)
}

// Restore gives the terminal back, from any goroutine, and returns within two
// seconds: for a recovered panic, before the process says what happened and
// exits. Run returns soon after. It does nothing where Run has ended, and must
// not be called before Run.
func (c *Console) Restore() {
	c.cancel()
	select {
	case <-c.done:
		return
	case <-time.After(restoreWithin):
	}
	// The program hangs, perhaps on what the panic left locked.
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		c.program.Kill()
	}()
	select {
	case <-killed:
	case <-time.After(restoreWithin):
	}
}
