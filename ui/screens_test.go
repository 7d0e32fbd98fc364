package ui

import (
	"fmt"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
)

// TestScreens compares what matters most with testdata. Run with -update after
// a change that is meant, and read the difference.
func TestScreens(t *testing.T) {
	for _, size := range []struct{ w, h int }{{160, 45}, {80, 24}, {40, 10}} {
		for i, c := range []struct {
			name string
			keys []string
			opt  func(*Options)
		}{
			{name: "meetings"},
			{name: "meeting", keys: []string{"enter"}},
			{name: "log", keys: []string{"l"}},
			{name: "force", keys: []string{"f"}},
			{name: "confirm", keys: []string{"f", "1"}},
			{name: "clear", keys: []string{"c"}},
			{name: "bridges", keys: []string{"b"}},
			{name: "history", keys: []string{"enter", "h"}},
			{name: "help", keys: []string{"?"}},
			{name: "ascii", keys: []string{"enter"}, opt: func(o *Options) { o.ASCII, o.ReadOnly, o.Demo = true, true, true }},
		} {
			if size.w == 160 && i > 1 || size.w == 40 && i != 0 && i != 1 && i != 4 {
				continue
			}
			t.Run(fmt.Sprintf("%s_%dx%d", c.name, size.w, size.h), func(t *testing.T) {
				b := newBench(t, size.w, size.h, func(o *Options) {
					if c.opt != nil {
						c.opt(o)
					}
				})
				scene(b.board)
				b.frame()
				for i, k := range b.m.meetings.shown {
					if k.key == "m-cabinet" {
						b.m.meetings.select_(i)
					}
				}
				b.keys(c.keys...).frame()
				golden.RequireEqual(t, b.screen()+"\n")
			})
		}
	}
}
