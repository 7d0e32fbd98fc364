package ui

import (
	"errors"
	"io"
	"os"
	"time"

	"callmark/policy"
)

var _ Board = (*policy.Board)(nil)

// Board is what the console needs of the core; *policy.Board is one. All its
// methods may be called from any goroutine and block on a short mutex only.
type Board interface {
	// Watch returns a channel with one slot, in which something lies after
	// every change, and a function that ends the watch.
	Watch() (<-chan struct{}, func())
	// Since returns what changed after a version; all, after version 0.
	Since(version uint64) policy.Update
	// Meeting returns a meeting as it is now.
	Meeting(id policy.MeetingID) (*policy.MeetingView, bool)
	// Legs returns the legs of a meeting's calls.
	Legs(id policy.MeetingID) []policy.LegView
	// Journal returns up to max entries after a sequence number, oldest first,
	// and how many it no longer has.
	Journal(after uint64, max int) (entries []policy.Entry, lost uint64)

	// Override overrules a meeting's marking; Release returns it to automatic.
	Override(now time.Time, id policy.MeetingID, o policy.Override) error
	Release(now time.Time, id policy.MeetingID, who string) error
	// Dismiss takes an alarm off.
	Dismiss(now time.Time, key, who string)
	// CheckText says what is wrong with an operator's text, if anything.
	CheckText(text string) error
	// Preview returns what an override would put on the screens.
	Preview(o policy.Override) policy.Marking
}

// Options is how a console is to be. Board must be given, the rest has
// defaults.
type Options struct {
	Board Board

	Title    string // "callmark"
	Version  string
	Who      string // the operator, for the overrides; "operator"
	Demo     bool   // says so in the first line
	ReadOnly bool   // without the keys that act
	ASCII    bool   // borders, arrows and ellipses in ASCII
	NoColor  bool   // also set by NO_COLOR, whatever its value, in Environ
	UTC      bool   // times of day in UTC, not local
	Theme    string // one of Themes; "auto"

	Bell string // one of Bells, for a level that becomes less trusted; "off"

	// View is what KeepView was given last, for a view as it was left. What
	// cannot be read is told and left aside. KeepView is called in commands,
	// once more at the end of Run where needed, never twice at a time; nil:
	// nothing is kept.
	View     []byte
	KeepView func(data []byte) error

	// Keys gives actions other keys than DefaultKeys has; an empty list takes an
	// action's away. That no key has two actions is the caller's to see to.
	Keys map[string][]string

	Levels  [4]policy.LevelText // what the site calls the levels
	AnyText bool                // operators' texts need not be ASCII, for the dialog
	MaxText int                 // longest operator's text, for the dialog; 0: 60

	// QuitWarning says what stops when the program ends, for the question that
	// q asks. It has a default for a receiver in this process.
	QuitWarning string

	// Save makes what was decided outlive the program, or says why it will not.
	// It is called on a goroutine of its own, after an override or a release,
	// and the operator is told of these when it returns. Nil: nothing is kept.
	Save func() error

	// Refresh makes the wiring synchronise again and probe locked servers. It
	// is called on a goroutine of its own, by the key r. Nil: the key says that
	// there is nothing to refresh.
	Refresh func()

	// Now is the clock; nil: time.Now.
	Now func() time.Time

	// Go starts a goroutine of the console's; nil: go f(). The wiring recovers
	// panics in it.
	Go func(name string, f func())

	// Input, Output and Environ are the terminal and its environment; nil:
	// those of the process. Width and Height are the size of a terminal that
	// cannot be asked for it.
	Input         io.Reader
	Output        io.Writer
	Environ       []string
	Width, Height int
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() (Options, error) {
	if o.Board == nil {
		return o, errors.New("console: no board was given")
	}
	if o.Title == "" {
		o.Title = "callmark"
	}
	if o.Who == "" {
		o.Who = "operator"
	}
	if o.MaxText == 0 {
		o.MaxText = 60
	}
	if o.Theme == "" {
		o.Theme = Themes[0]
	}
	if o.Bell == "" {
		o.Bell = Bells[0]
	}
	if problem := bellProblem(o.Bell); problem != "" {
		return o, errors.New("console: " + problem)
	}
	if problem := themeProblem(o.Theme); problem != "" {
		return o, errors.New("console: " + problem)
	}
	if k := newKeymap(o.ASCII); o.Keys != nil {
		if err := k.remap(o.Keys, o.ASCII); err != nil {
			return o, err
		}
	}
	if o.QuitWarning == "" {
		o.QuitWarning = "The receiver runs in this process: records are no longer taken and markings no longer kept right."
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Go == nil {
		o.Go = func(_ string, f func()) { go f() }
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	for _, v := range o.Environ {
		// By no-color.org any value but the empty one counts; the library below
		// takes "1" and "true" only.
		if len(v) > len("NO_COLOR=") && v[:len("NO_COLOR=")] == "NO_COLOR=" {
			o.NoColor = true
		}
	}
	return o, nil
}
