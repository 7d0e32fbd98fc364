// Command callmark keeps a marking of each call's security level on the screens
// of a Cisco Meeting Server's meetings, and shows operators what it shows.
//
// This file holds the command line, the wiring, and the order of starting and
// stopping. One value, app, owns every part: parts are started in the order of
// the flow of records reversed, so that nobody is told anything before he can
// act on it, and stopped in the reverse of that. Every goroutine of the program
// runs under app.run, which restores the terminal when one panics.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"callmark/cms"
	"callmark/cms/simulator"
	"callmark/policy"
	"callmark/policy/config"
	"callmark/policy/statefile"
	"callmark/receiver"
	"callmark/receiver/metrics"
	"callmark/ui"
)

// version is set by the linker: go build -ldflags "-X main.version=1.2.3".
var version = "dev"

const (
	tickEvery    = 200 * time.Millisecond // of what time does on the board
	quietTick    = 5 * time.Second        // likewise, while nothing changes and nothing waits for that
	lookAtMemory = 5                      // ticks
	finishWithin = 2 * time.Second        // for writes that are under way at the end
	clearWithin  = 10 * time.Second       // for on_exit = "clear"
)

// commandLine is what callmark understands.
type commandLine struct {
	Config   string           `short:"c" default:"config.toml" placeholder:"FILE" help:"The configuration (${default})."`
	NoTUI    bool             `name:"no-tui" help:"Without the console: logs to standard error. The default where there is no terminal."`
	ReadOnly bool             `help:"The console without the keys that act."`
	ASCII    bool             `name:"ascii" help:"The console without line drawing characters, arrows and ellipses."`
	Demo     bool             `help:"Against a built-in simulated cluster: no configuration and no server needed."`
	Version  kong.VersionFlag `help:"Print the version."`

	Warnings config.Problems `kong:"-"` // of the configuration, for the log

	Run      struct{} `cmd:"" default:"1" hidden:"" help:"Watch and mark (the default)."`
	Check    struct{} `cmd:"" help:"Validate the configuration and say what is wrong, with line numbers."`
	Classify struct {
		Address []string `arg:"" help:"Addresses, as calls come from them."`
	} `cmd:"" help:"Say which level an address gets, and why."`
	Receivers receiversLine `cmd:"" help:"List where each Call Bridge posts its records to; add and remove."`
}

func main() {
	os.Exit(realMain(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// realMain is main with its surroundings as parameters. It returns the exit
// code: 0 for a stop in order, 1 for what could not be done, 2 for a command
// line that could not be understood.
func realMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cl commandLine
	code := -1
	parser := kong.Must(&cl,
		kong.Name("callmark"),
		kong.Description("Marks the meetings of a Cisco Meeting Server with their security level."),
		kong.Vars{"version": "callmark " + version},
		kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code = c }),
	)
	command, err := parser.Parse(args)
	if code >= 0 { // --help and --version have been answered
		return code
	}
	if err != nil {
		fmt.Fprintf(stderr, "callmark: %v; callmark --help lists what there is\n", err)
		return 2
	}
	name, _, _ := strings.Cut(command.Command(), " ")
	if name == "run" && cl.Demo {
		return fail(stderr, runDemo(ctx, cl, stderr))
	}
	c, problems := config.Load(cl.Config, os.Getenv)
	broken := false
	for _, p := range problems {
		// To classify by, the domains are enough; but a level from half of them
		// could be better than the truth.
		if name == "classify" && (p.Warning || p.Key != "" && !strings.HasPrefix(p.Key, "policy")) {
			continue
		}
		fmt.Fprintln(stderr, p)
		broken = broken || !p.Warning
	}
	switch {
	case name == "classify" && !broken:
		return fail(stderr, classify(c, cl.Classify.Address, stdout))
	case broken:
		fmt.Fprintln(stderr, "callmark: not started: mend the above, then try callmark check")
		return 1
	case name == "check":
		fmt.Fprintf(stdout, "%s is in order\n", cl.Config)
		return 0
	case name == "receivers":
		return receivers(ctx, command.Command(), cl.Receivers, c, stdout, stderr)
	}
	cl.Warnings = problems.Warnings()
	return fail(stderr, run(ctx, cl, c, nil, stderr))
}

// fail turns an error into an exit code, and says it.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "callmark:", err)
	return 1
}

// classify prints the level of each address, and why.
func classify(c config.Config, addresses []string, w io.Writer) error {
	o, err := c.PolicyOptions()
	if err != nil {
		return err
	}
	for _, a := range addresses {
		e := o.Rules.Classify(a)
		fmt.Fprintf(w, "%s\tlevel %s\t%s\n", policy.Clean(a, 256), e.Level, e)
	}
	return nil
}

var errOperatorQuit = errors.New("the operator quit")

// app is the running program.
type app struct {
	log      *slog.Logger
	lines    *lines // what log writes to
	board    *policy.Board
	state    *statefile.Keeper
	receiver *receiver.Server
	metrics  *metrics.Metrics
	told     *metrics.Server // nil when metrics are told on the receiver's port
	cluster  *cms.Cluster
	notifier *cms.Notifier
	sync     *cms.Synchroniser
	console  *ui.Console // nil when headless
	stderr   io.Writer

	ctx     context.Context // ends when the program is to stop
	stop    context.CancelCauseFunc
	wg      sync.WaitGroup
	exit    func(code int) // os.Exit, after a panic
	onExit  string
	logFile string
}

// run is the life of the program, from the start to the end in order. ready, if
// given, is called once everything runs.
func run(ctx context.Context, cl commandLine, c config.Config, ready func(*app), stderr io.Writer) error {
	headless := cl.NoTUI || !hasTerminal()
	logger, lines, closeLog := openLog(c.Log, headless, stderr)
	defer closeLog()
	defer takeLibraryLog(logger)()

	a := &app{log: logger, lines: lines, stderr: stderr, exit: os.Exit, onExit: c.Marking.OnExit, logFile: c.Log.File}
	a.ctx, a.stop = context.WithCancelCause(ctx)
	defer a.stop(nil)
	stopSignals := a.signals()
	defer stopSignals()

	o, err := c.PolicyOptions()
	if err != nil {
		return err
	}
	a.board = policy.NewBoard(o)
	a.state = statefile.New(a.board, c.State.File)
	if a.cluster, err = cms.NewCluster(cmsOptions(c, a), a.board); err != nil {
		return err
	}
	a.notifier = cms.NewNotifier(a.cluster)
	a.sync = cms.NewSynchroniser(a.cluster, a.board)
	if a.metrics, err = metrics.New(a.metricsOptions()); err != nil {
		return err
	}
	if c.Metrics.Listen != "" {
		a.told = metrics.NewServer(metrics.ServerOptions{
			Listen: c.Metrics.Listen, Metrics: a.metrics, Unready: a.unready, Log: a.log, Go: a.spawn,
		})
	}
	if a.receiver, err = receiver.New(a.board, receiverOptions(c, a)); err != nil {
		return err
	}
	if !headless {
		if a.console, err = ui.New(uiOptions(c, cl, a, o)); err != nil {
			return err
		}
	}
	logger.Info("callmark starts", "version", version, "listen", c.Receiver.Listen, "path", c.Receiver.Path,
		"servers", strings.Join(c.CMS.Servers, " "), "user", whoAmI())
	for _, p := range cl.Warnings {
		logger.Warn("configuration", "file", p.File, "line", p.Line, "key", p.Key, "problem", p.Text)
	}
	for _, s := range a.cluster.Clients() {
		if problem, remedy := s.Insecure(); problem != "" {
			logger.Warn("server is INSECURE", "server", s.Name(), "problem", problem, "remedy", remedy)
		}
	}

	a.state.Load(time.Now())
	keepers, stopKeepers := context.WithCancel(context.Background()) // outlive the stop, to log it
	a.start("journal", func() { a.logJournal(keepers) })
	a.start("tick", func() { a.tick(keepers) })
	defer a.wg.Wait()
	defer stopKeepers()

	a.cluster.Start(context.Background())
	a.notifier.Start(context.Background())
	a.sync.Start(context.Background())
	defer a.finish()
	if a.told != nil {
		if err := a.told.Start(); err != nil {
			return err
		}
	}
	if err := a.receiver.Start(); err != nil {
		return err
	}
	// Who has the port has the file: one that could not start leaves it alone.
	a.start("state", func() { a.state.Run(keepers) })
	if ready != nil {
		ready(a)
	}
	if a.console == nil {
		<-a.ctx.Done()
		return nil
	}
	err = a.console.Run(a.ctx)
	a.stop(errOperatorQuit) // unless something else has stopped it
	return err
}

// finish stops what speaks to others: no more records, then the writes that are
// under way, then what on_exit asks for.
func (a *app) finish() {
	a.stop(errors.New("it could not start")) // unless something else has stopped it
	a.log.Info("callmark stops", "reason", context.Cause(a.ctx))
	within, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	if err := a.receiver.Stop(within); err != nil {
		a.log.Warn("receiver did not stop in order", "problem", err.Error())
	}
	a.sync.Stop()
	a.notifier.Stop(within)
	if a.onExit == "clear" {
		within, cancel := context.WithTimeout(context.Background(), clearWithin)
		defer cancel()
		cleared, left := a.notifier.ClearAll(within)
		a.log.Info("markings cleared", "cleared", cleared, "left", left)
		if left > 0 {
			fmt.Fprintf(a.stderr, "callmark: %d markings could not be cleared in time and still show\n", left)
		}
	}
	a.cluster.Stop()
	if a.told != nil {
		within, cancel := context.WithTimeout(context.Background(), finishWithin)
		defer cancel()
		if err := a.told.Stop(within); err != nil {
			a.log.Warn("metrics did not stop in order", "problem", err.Error())
		}
	}
	if err := a.state.Save(time.Now()); err != nil {
		a.log.Warn("overrides were not saved", "problem", err.Error())
		fmt.Fprintln(a.stderr, "callmark: overrides were not saved:", err)
	}
	a.log.Info("callmark has stopped")
}

// signals stops the program at the first INT, TERM or HUP, and leaves it at
// once at the second.
func (a *app) signals() (stop func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	over, done := make(chan struct{}), make(chan struct{})
	a.spawn("signals", func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			case s := <-ch:
				if n > 0 {
					a.exit(1)
				}
				a.stop(errors.New("signal: " + s.String()))
			}
		}
	})
	return func() {
		signal.Stop(ch)
		close(over)
		<-done
	}
}

// start runs a goroutine of the program's own and waits for it at the end.
func (a *app) start(name string, f func()) {
	a.wg.Add(1)
	a.spawn(name, func() {
		defer a.wg.Done()
		f()
	})
}

// spawn runs a goroutine of any part. A panic in one leaves the terminal as it
// was, is logged with its stack, and ends the process with exit code 1: what
// runs on without one of its parts would show what is no longer true.
func (a *app) spawn(name string, f func()) {
	go func() {
		defer func() {
			problem := recover()
			if problem == nil {
				return
			}
			stack := debug.Stack()
			if a.console != nil {
				a.console.Restore()
			}
			a.log.Error("panic", "goroutine", name, "problem", fmt.Sprint(problem), "stack", string(stack))
			a.lines.release()
			fmt.Fprintf(a.stderr, "callmark: %s failed: %v\n%s", name, problem, stack)
			a.exit(1)
		}()
		f()
	}()
}

// refresh is what the operator's r does: what waits after a failure is tried at
// once, and everything is read anew.
func (a *app) refresh() {
	a.notifier.Retry()
	a.sync.Resync()
}

// tick tells the board the time: after a change and for as long as something waits
// for it, else seldom, when the servers are asked for their status too.
func (a *app) tick(ctx context.Context) {
	changed, stop := a.board.Watch()
	defer stop()
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	memory := newCollector()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if n%lookAtMemory == 0 {
			memory.look()
		}
		now := time.Now()
		if a.board.Tick(now) {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(cms.UntilTurn(now, quietTick)):
		}
	}
}

// hasTerminal reports whether a console can be shown.
func hasTerminal() bool {
	return term.IsTerminal(int(os.Stdout.Fd())) && term.IsTerminal(int(os.Stdin.Fd())) && os.Getenv("TERM") != "dumb"
}

// whoAmI is the operator's name, for overrides and the log.
func whoAmI() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "operator"
}

func cmsOptions(c config.Config, a *app) cms.Options {
	return cms.Options{
		Servers: c.CMS.Servers, Port: c.CMS.Port,
		Username: c.CMS.Username, Password: c.CMS.Password,
		CAFile: c.CMS.CAFile, InsecureSkipVerify: c.CMS.InsecureSkipVerify, Pins: c.CMS.Pins,
		ReadsPerSecond: c.CMS.ReadsPerSecond, WritesPerSecond: c.CMS.WritesPerSecond,
		Resync: c.CMS.Resync, StatusEvery: c.CMS.StatusEvery,
		Own: own(c),
		Log: a.log, Go: a.spawn,
	}
}

// own is how our receiver is known among those of a Call Bridge.
func own(c config.Config) cms.Own {
	return cms.Own{
		URI: c.Receiver.URI, Listen: c.Receiver.Listen, Path: c.Receiver.Path,
		TLS: c.Receiver.TLSCert != "", Token: c.Receiver.Token, Guarded: !c.Receiver.Open(),
	}
}

func receiverOptions(c config.Config, a *app) receiver.Options {
	o := receiver.Options{
		Listen: c.Receiver.Listen, Path: c.Receiver.Path,
		RefusedDir: c.Receiver.RefusedDir,
		MaxBody:    c.Receiver.MaxBodyMB << 20, MaxHeader: c.Receiver.MaxHeaderKB << 10,
		MaxDepth: c.Receiver.MaxDepth, MaxRecords: c.Receiver.MaxRecords, MaxValue: c.Receiver.MaxValue,
		MaxConns: c.Receiver.MaxConnections, MaxConnsPerSource: c.Receiver.MaxConnectionsPerSource,
		MaxRequestsPerSource: c.Receiver.MaxRequestsPerSource,
		ReadTimeout:          c.Receiver.ReadTimeout, IdleTimeout: c.Receiver.IdleTimeout,
		Allow: c.Receiver.Networks(), Token: c.Receiver.Token,
		TLSCert: c.Receiver.TLSCert, TLSKey: c.Receiver.TLSKey, ClientCA: c.Receiver.ClientCA,
		Log: a.log, Go: a.spawn,
	}
	if a.told == nil { // else they are told on a port of their own
		o.Unready, o.Metrics = a.unready, a.metrics.Write
	}
	return o
}

func (a *app) metricsOptions() metrics.Options {
	return metrics.Options{
		Board: a.board, Servers: a.cluster.Counts,
		Receiver: func() policy.ReceiverCounts { return a.receiver.Counts() },
	}
}

// unready says why callmark is not ready, a line each.
func (a *app) unready() []string {
	if a.ctx.Err() != nil {
		return []string{"callmark stops"}
	}
	return a.board.Unready()
}

func uiOptions(c config.Config, cl commandLine, a *app, o policy.Options) ui.Options {
	options := ui.Options{
		Board: a.board, Version: version, Who: whoAmI(), Demo: cl.Demo,
		ReadOnly: cl.ReadOnly || c.UI.ReadOnly, ASCII: cl.ASCII || c.UI.ASCII,
		Theme: c.UI.Theme, Bell: c.UI.Bell, Keys: c.UI.Keys.ByAction(),
		Levels: o.Levels, MaxText: c.Marking.MaxLength, AnyText: o.AnyText, QuitWarning: quitWarning(c.Marking.OnExit),
		Save:    func() error { return a.state.Save(time.Now()) },
		Refresh: a.refresh, Go: a.spawn,
	}
	if file := c.UI.State; file != "" {
		var err error
		if options.View, err = statefile.ReadFile(file); err != nil {
			a.log.Warn("view was not read", "file", file, "problem", err.Error())
		}
		options.KeepView = func(data []byte) error {
			if err := statefile.WriteFile(file, data); err != nil {
				return fmt.Errorf("%s could not be written: %w", file, err)
			}
			return nil
		}
	}
	return options
}

// quitWarning is what the operator is told before he quits.
func quitWarning(onExit string) string {
	if onExit == "clear" {
		return "Records are no longer taken, and all markings are taken off the screens."
	}
	return "Records are no longer taken, and the markings stay on the screens as they are."
}

// runDemo runs callmark against a simulated cluster in the same process: the
// real receiver, notifier and console, over real HTTP on the loopback.
func runDemo(ctx context.Context, cl commandLine, stderr io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cluster, err := simulator.New(simulator.Options{Seed: uint64(time.Now().UnixNano())})
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := cluster.Start(ctx); err != nil {
		return err
	}
	c := config.Default()
	c.Receiver.Listen, c.Receiver.RefusedDir = "127.0.0.1:0", ""
	c.CMS.Username, c.CMS.Password = cluster.Username(), policy.NewSecret(cluster.Password())
	c.CMS.Servers = cluster.URLs()
	c.Policy.SecureDomains, c.Policy.InternalDomains = simulator.DemoSecureDomains(), simulator.DemoInternalDomains()
	c.Log.File, c.State.File, c.UI.State = "", "", "" // a demo leaves nothing behind
	return run(ctx, cl, c, func(a *app) {
		if err := cluster.SetReceivers("http://" + a.receiver.Addr() + c.Receiver.Path); err != nil {
			a.stop(err)
			return
		}
		script := simulator.NewScript(cluster, simulator.ScriptOptions{})
		a.start("demo", func() { _ = script.Play(a.ctx) })
	}, stderr)
}
