package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"callmark/cms"
	"callmark/policy"
	"callmark/policy/config"
)

// receiversLine is what follows callmark receivers.
type receiversLine struct {
	List struct{} `cmd:"" default:"1" help:"List the receivers of every Call Bridge, and whether ours is among them (the default)."`
	Add  struct {
		URI string `arg:"" name:"uri" help:"As the Call Bridges shall post to it, like http://callmark.example.com:5000/cdr."`
	} `cmd:"" help:"Register a receiver on every server that does not have it."`
	Remove struct {
		URI string `arg:"" name:"uri" help:"As the list shows it."`
	} `cmd:"" help:"Take a receiver out on every server that has it."`
}

// registry is what the commands about receivers share. Standard output gets a
// line for every server, or several, in the configured order; standard error
// gets what is wrong, and what to do about it.
type registry struct {
	app     *app // runs the goroutines
	servers []*cms.Client
	own     cms.Own
	stdout  io.Writer
	stderr  io.Writer
}

// receivers runs one of the commands about receivers and returns the exit code.
func receivers(ctx context.Context, command string, line receiversLine, c config.Config, stdout, stderr io.Writer) int {
	a := &app{log: slog.New(slog.DiscardHandler), stderr: stderr, exit: os.Exit}
	o, err := c.PolicyOptions()
	if err != nil {
		return fail(stderr, err)
	}
	cluster, err := cms.NewCluster(cmsOptions(c, a), policy.NewBoard(o)) // not started: nobody else asks the servers
	if err != nil {
		return fail(stderr, err)
	}
	defer cluster.Stop()
	defer takeLibraryLog(a.log)()
	r := &registry{
		app: a, servers: cluster.Clients(), own: own(c), stdout: stdout, stderr: stderr,
	}
	switch _, what, _ := strings.Cut(command, " "); {
	case strings.HasPrefix(what, "add"):
		return r.add(ctx, line.Add.URI)
	case strings.HasPrefix(what, "remove"):
		return r.remove(ctx, line.Remove.URI)
	}
	return r.list(ctx)
}

// answer is what a server said of its receivers.
type answer struct {
	receivers []cms.Receiver
	places    int64
	alarms    []cms.Alarm
	alarmsErr error
	err       error
}

// report is what became of a server, or of a URI of it.
type report struct {
	word    string // for standard output
	problem string // for standard error, if any
	failed  bool
}

// list shows the receivers of every server. The code is 0 if all could be asked
// and all have ours.
func (r *registry) list(ctx context.Context) (code int) {
	answers := make([]answer, len(r.servers))
	r.each(len(r.servers), func(i int) {
		a, s := &answers[i], r.servers[i]
		if a.receivers, a.places, a.err = s.Receivers(ctx); a.err == nil {
			a.alarms, a.alarmsErr = s.Alarms(ctx)
		}
	})
	facts := r.lookAt(ctx, answers)

	table := tabwriter.NewWriter(r.stdout, 0, 0, 2, ' ', 0)
	var problems []string
	for i, s := range r.servers {
		a := answers[i]
		if a.err != nil {
			fmt.Fprintf(table, "%s\t-\t-\t-\tnot asked\n", s.Name())
			problems, code = append(problems, describe(a.err)), 1
			continue
		}
		places := "?"
		if a.places >= 0 {
			places = fmt.Sprint(a.places)
		}
		used := fmt.Sprintf("%d of %s", len(a.receivers), places)
		if len(a.receivers) == 0 {
			fmt.Fprintf(table, "%s\t%s\t-\t-\tno receiver\n", s.Name(), used)
		}
		failing := ""
		for _, alarm := range a.alarms {
			if strings.EqualFold(alarm.Type, cms.AlarmCDR) {
				failing = fmt.Sprintf("alarm %s for %s", cms.AlarmCDR, alarm.Active)
				break
			}
		}
		registered := false
		for _, receiver := range a.receivers {
			f := facts[receiver.URI]
			registered = registered || f.ours
			notes := slices.DeleteFunc([]string{f.near, f.problem, failing}, func(s string) bool { return s == "" })
			fmt.Fprintln(table, strings.TrimRight(strings.Join([]string{
				s.Name(), used, receiver.String(), f.whose(), f.reached(), strings.Join(notes, "; ")}, "\t"), "\t"))
		}
		switch {
		case !registered, failing != "" && len(a.receivers) == 1:
			cause, remedy := cms.Diagnose(ctx, a.receivers, a.places, a.alarms, r.own)
			problems = append(problems, fmt.Sprintf("%s: %s: %s", s.Name(), cause, remedy))
		case failing != "": // it may well be another than ours
			problems = append(problems, fmt.Sprintf("%s: it cannot reach one of its receivers and does not tell which: check firewall, route, port and certificate, first to those that are unreachable from here", s.Name()))
		}
		if !registered {
			code = 1
		}
		if a.alarmsErr != nil {
			problems = append(problems, describe(a.alarmsErr))
		}
	}
	_ = table.Flush()
	r.say(problems)
	return code
}

// fact is what is known of a URI, whichever server has it.
type fact struct {
	ours    bool
	near    string // in what it differs from ours, if hardly
	problem string // why it is not reached from here, or empty
	guarded bool   // somebody is there, who lets in only whom he knows
}

func (f fact) whose() string {
	switch {
	case f.ours:
		return "ours"
	case f.near != "":
		return "nearly" // not to be found by the word ours
	}
	return "other"
}

func (f fact) reached() string {
	if f.problem == "" || f.guarded {
		return "reachable"
	}
	return "unreachable"
}

// lookAt finds out about every URI, each once.
func (r *registry) lookAt(ctx context.Context, answers []answer) map[string]fact {
	var uris []string
	for _, a := range answers {
		for _, receiver := range a.receivers {
			uris = append(uris, receiver.URI)
		}
	}
	slices.Sort(uris)
	uris = slices.Compact(uris)
	found := make([]fact, len(uris))
	r.each(len(uris), func(i int) {
		f := &found[i]
		if f.ours = r.own.Matches(ctx, uris[i]); !f.ours {
			f.near = r.own.Near(ctx, uris[i])
		}
		if err := cms.Reach(ctx, uris[i]); err != nil {
			f.problem, f.guarded = err.Error(), cms.IsGuarded(err)
		}
	})
	facts := make(map[string]fact, len(uris))
	for i, uri := range uris {
		facts[uri] = found[i]
	}
	return facts
}

// add registers a URI where it is not yet.
func (r *registry) add(ctx context.Context, uri string) int {
	if err := cms.CheckURI(uri); err != nil {
		return fail(r.stderr, err)
	}
	if doubt := r.own.Doubt(ctx, uri); doubt != "" {
		r.say([]string{"warning: " + doubt})
	}
	return r.onAll(uri, func(s *cms.Client) report {
		receivers, places, err := s.Receivers(ctx)
		if err != nil {
			return report{"not added", describe(err), true}
		}
		if len(match(uri, receivers)) > 0 {
			return report{word: "registered already"}
		}
		err = s.AddReceiver(ctx, uri)
		switch {
		case cms.IsFull(err):
			cause, remedy := cms.Full(receivers, places, cms.ShowURI(uri))
			return report{"not added", fmt.Sprintf("%s: %s: %s", s.Name(), cause, remedy), true}
		case cms.IsUncertain(err): // a second one would take a place
			if now, _, again := s.Receivers(ctx); again == nil && len(match(uri, now)) > 0 {
				err = nil
			}
		}
		if err != nil {
			return report{"not added", describe(err), true}
		}
		return report{word: "added", problem: r.twice(ctx, s, uri, receivers)}
	})
}

// twice says that a server now has our receiver under two URIs.
func (r *registry) twice(ctx context.Context, s *cms.Client, uri string, before []cms.Receiver) string {
	if !r.own.Matches(ctx, uri) {
		return ""
	}
	for _, receiver := range before {
		if r.own.Matches(ctx, receiver.URI) {
			return fmt.Sprintf("%s: warning: %s is ours too, so every record comes twice: callmark receivers remove %s", s.Name(), receiver, receiver)
		}
	}
	return ""
}

// remove takes a URI out where it is.
func (r *registry) remove(ctx context.Context, uri string) int {
	return r.onAll(uri, func(s *cms.Client) report {
		receivers, _, err := s.Receivers(ctx)
		if err != nil {
			return report{"not removed", describe(err), true}
		}
		found := match(uri, receivers)
		if len(found) == 0 {
			return report{word: "not registered"}
		}
		for _, receiver := range found {
			if receiver.URI != found[0].URI {
				return report{"not removed", fmt.Sprintf("%s: %d receivers differ in their queries alone: name the one with its query, as the Web Admin shows it under Configuration > CDR settings",
					s.Name(), len(found)), true}
			}
		}
		for _, receiver := range found {
			if err := s.RemoveReceiver(ctx, receiver.ID); err != nil && !cms.IsNotExist(err) {
				return report{"not removed", describe(err), true}
			}
		}
		return report{word: "removed"}
	})
}

// match finds the receivers that a URI means: those that are written so, or
// else those that are the same.
func match(uri string, receivers []cms.Receiver) []cms.Receiver {
	var exact, same []cms.Receiver
	for _, receiver := range receivers {
		if receiver.URI == uri {
			exact = append(exact, receiver)
		}
		if cms.SameURI(uri, receiver.URI) {
			same = append(same, receiver)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return same
}

// onAll changes every server and tells what became of each. The code is 0 if
// none failed.
func (r *registry) onAll(uri string, change func(*cms.Client) report) (code int) {
	reports := make([]report, len(r.servers))
	r.each(len(r.servers), func(i int) { reports[i] = change(r.servers[i]) })
	table := tabwriter.NewWriter(r.stdout, 0, 0, 2, ' ', 0)
	var problems []string
	for i, s := range r.servers {
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name(), cms.ShowURI(uri), reports[i].word)
		problems = append(problems, reports[i].problem)
		if reports[i].failed {
			code = 1
		}
	}
	_ = table.Flush()
	r.say(problems)
	return code
}

// atOnce bounds how many servers and receivers are asked at a time.
const atOnce = 16

// each does n things at once, so that one that is away delays no other, and
// waits for them.
func (r *registry) each(n int, do func(i int)) {
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		r.app.start("receivers", func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	r.app.wg.Wait()
}

// say writes what is wrong to standard error.
func (r *registry) say(problems []string) {
	for _, p := range problems {
		if p != "" {
			fmt.Fprintln(r.stderr, "callmark:", p)
		}
	}
}

// describe says an error of a server and what to do about it. Nobody can press
// a key here, or waits for another try.
func describe(err error) string {
	remedy := cms.Remedy(err)
	switch {
	case cms.IsUnauthorized(err):
		remedy = "check username and password, and whether the account is locked"
	case cms.IsBusy(err):
		remedy = "wait, and try again"
	case strings.HasSuffix(err.Error(), remedy): // said already
		remedy = ""
	default:
		remedy = cmp.Or(remedy, "try again; if it lasts, look at the server's log")
	}
	if remedy == "" {
		return err.Error()
	}
	return err.Error() + ": " + remedy
}
