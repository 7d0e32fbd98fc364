package ui

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// run runs a command and the commands of a batch, and gives back what came.
func run(cmd tea.Cmd) (all []tea.Msg) {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			all = append(all, run(c)...)
		}
	default:
		all = append(all, msg)
	}
	return all
}

// TestViewIsKept leaves a view and finds it again.
func TestViewIsKept(t *testing.T) {
	var file []byte
	writes := 0
	keep := func(o *Options) {
		o.View = file
		o.KeepView = func(data []byte) error { file = data; writes++; return nil }
	}
	b := newBench(t, 160, 30, keep)
	scene(b.board)
	b.frame()
	// Nothing is written in Update, and nothing for a key that changes no view.
	b.keys("down", "up", "l", "esc")
	run(b.cmd)
	if writes != 0 {
		t.Errorf("written %d times", writes)
	}
	b.keys("s", "s")
	if writes != 0 {
		t.Error("written in Update")
	}
	sorted := b.cmd
	b.keys("S", "u", "T", "m", "/").typed("level:3")
	if b.cmd != nil {
		t.Error("a filter that is being typed is written")
	}
	b.keys("enter")
	// Commands may run in any order: the newest is written, once.
	run(b.cmd)
	run(sorted)
	if writes != 1 {
		t.Errorf("written %d times, want once", writes)
	}
	was := b.m.viewNow()

	b = newBench(t, 160, 30, keep)
	scene(b.board)
	b.frame()
	if got := b.m.viewNow(); got != was || got.Sort != "Meeting" || !got.Reverse || got.Filter != "level:3" || got.UTC || !got.Mouse || got.Theme != "dark" {
		t.Errorf("the view is %+v, was left as %+v", got, was)
	}
	b.shows("filter: level:3", "of 2 (of 7), by meeting", "Cabinet briefing").hides("Budget")
	if !b.m.words.utc && b.m.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("the mouse is not on")
	}
	// Another theme in the configuration holds.
	b = newBench(t, 160, 30, keep, func(o *Options) { o.Theme = "mono" })
	if b.m.theme.name != "mono" {
		t.Errorf("the theme is %s", b.m.theme.name)
	}
}

func TestTornViewIsLeftAside(t *testing.T) {
	good := `{"version":1,"sort":"Age","filter":"cabinet"}`
	for _, view := range []string{good[:20], "\x00\x00", "null", "{}", good + "{", `{"version":2}`, `{"version":1,"x":1}`, `[]`, `{"version":1,"filter":"` + strings.Repeat("x", 2000) + `"}`} {
		b := newBench(t, 160, 30, func(o *Options) { o.View = []byte(view) })
		scene(b.board)
		b.frame().shows("The view starts afresh", "7 meetings", "Budget")
		b.later(time.Minute).hides("filter:")
	}
	// A column that is no more, hostile text, an unknown theme: the rest holds.
	b := newBench(t, 160, 30, func(o *Options) {
		o.View = []byte(`{"version":1,"sort":"Nothing","filter":"\u001b[31mx\u202e","utc":true,"theme":"pink","theme_over":"auto"}`)
	})
	scene(b.board)
	b.frame().shows("filter: [31mx", "14:03:22 UTC").hides("starts afresh")
}

func TestViewThatCannotBeKept(t *testing.T) {
	b := newBench(t, 160, 30, func(o *Options) {
		o.KeepView = func([]byte) error { return errors.New("console.json could not be written: no space left") }
	})
	scene(b.board)
	b.frame().keys("u")
	for _, msg := range run(b.cmd) {
		b.m.Update(msg)
	}
	b.shows("The view will not be as it is at the next start: console.json could not be written")
	b.later(time.Minute).keys("u")
	for _, msg := range run(b.cmd) {
		b.m.Update(msg)
	}
	b.hides("The view will not be") // once is enough
}

// The view is there when Run has returned, however soon after the key.
func TestViewIsKeptAtTheEnd(t *testing.T) {
	name := t.TempDir() + "/console.json"
	inTerminal(t, 80, 24, func(x *terminal) {
		x.settle()
		x.press("s")
		fmt.Fprint(x.keys, "m\x03\x03")
		<-x.done
		data, err := os.ReadFile(name)
		if s, _ := decodeView(data); err != nil || s.Sort != "Level" || !s.Mouse {
			t.Errorf("%q, %v", data, err)
		}
	}, func(o *Options) { o.KeepView = func(data []byte) error { return os.WriteFile(name, data, 0o600) } })
}

func FuzzDecodeView(f *testing.F) {
	f.Add([]byte(`{"version":1,"sort":"Age","filter":"cabinet"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := decodeView(data); err == nil && (s.Version != viewStateVersion || len(s.Filter) > 1000) {
			t.Errorf("%q is taken as %+v", data, s)
		}
	})
}

func TestMouse(t *testing.T) {
	b := newBench(t, 120, 20)
	for i := range 40 {
		b.board.put(mtg(fmt.Sprintf("m%02d", i), fmt.Sprintf("Meeting %02d", i), policy.Level3))
	}
	b.frame()
	wheel := func() { b.m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown}); b.screen() }
	click := func(x, y int) { b.m.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: x, Y: y}); b.screen() }
	on := func(want string) {
		t.Helper()
		if v, _ := b.m.meetings.selected(); v.Name != want {
			t.Errorf("selected %q, want %q", v.Name, want)
		}
	}
	// Off at first: the terminal has it.
	if b.m.View().MouseMode != tea.MouseModeNone {
		t.Error("the mouse is on at the start")
	}
	wheel()
	on("Meeting 00")
	b.keys("m").shows("Mouse on")
	if b.m.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("the mouse is not on")
	}
	wheel()
	on("Meeting 03")
	row := func(text string) int {
		for y, l := range strings.Split(b.screen(), "\n") {
			if strings.Contains(l, text) {
				return y
			}
		}
		t.Fatalf("no row %q\n%s", text, b.screen())
		return 0
	}
	click(30, row("Meeting 05"))
	on("Meeting 05")
	for range 8 {
		wheel()
	}
	click(30, row("Meeting 28"))
	on("Meeting 28")
	click(30, 19) // the help
	click(30, 0)  // the title
	on("Meeting 28")
	heading := row("On screen")
	click(strings.Index(b.line("On screen"), "Meeting")+1, heading)
	b.later(time.Minute).shows("by meeting")
	click(strings.Index(b.line("On screen"), "Meeting")+1, heading)
	if !b.m.meetings.reverse {
		t.Error("a second click does not reverse")
	}
	// A dialog is answered by keys alone.
	was, _ := b.m.meetings.selected()
	b.keys("c")
	click(30, heading+2)
	wheel()
	on(was.Name)
	b.keys("esc", "m").shows("Mouse off")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
}

func TestBell(t *testing.T) {
	level := func(name string, before, now policy.Level) policy.Entry {
		return policy.Entry{Kind: policy.EntryLevel, Name: name, Before: before, Level: now}
	}
	for kind, want := range map[string]string{
		"off": "", "bell": "\x07",
		"osc9":   "\x1b]9;callmark: \"Cabinet]9,x\" is [3] EXTERNAL\x07",
		"osc777": "\x1b]777;notify;callmark;\"Cabinet]9,x\" is [3] EXTERNAL\x07",
	} {
		b := newBench(t, 120, 30, func(o *Options) { o.Bell = kind })
		frame := func(all ...policy.Entry) string {
			b.at = b.at.Add(time.Second)
			for _, e := range all {
				e.Time = b.at
				b.board.note(e)
			}
			_, cmd := b.m.Update(b.pump.collect())
			if cmd == nil {
				return ""
			}
			return fmt.Sprint(cmd().(tea.RawMsg).Msg)
		}
		if got := frame(level("before the console", 1, 3)); got != "" {
			t.Errorf("%s: the first frame rings: %q", kind, got)
		}
		if got := frame(level("better", 3, 1), level("the first to come", 0, 3)); got != "" {
			t.Errorf("%s: rings for what is no rise: %q", kind, got)
		}
		if got := frame(level("Cabinet\x1b]9;x\x07", 1, 3)); got != want {
			t.Errorf("%s: rings %q, want %q", kind, got, want)
		}
		// A storm rings once, and once more for all of it.
		rings := ""
		for i := range 9 {
			rings += frame(level(fmt.Sprint("storm ", i), 1, 2))
		}
		if rings != "" {
			t.Errorf("%s: rings %q in a storm", kind, rings)
		}
		got := frame()
		if kind == "osc9" && !strings.Contains(got, `"storm 0" is [2] INTERNAL`) || kind == "osc9" && !strings.Contains(got, "and 6 more") || (got == "") != (kind == "off") {
			t.Errorf("%s: after a storm %q", kind, got)
		}
	}
}
