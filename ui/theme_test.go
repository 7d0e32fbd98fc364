package ui

import (
	"image/color"
	"math"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// TestThemesSayTheSame: colours are beside what is said, never in its place.
func TestThemesSayTheSame(t *testing.T) {
	var first string
	raw := map[string]bool{}
	for _, name := range Themes {
		b := newBench(t, 120, 30, func(o *Options) { o.Theme = name })
		scene(b.board)
		s := b.frame().screen()
		if first == "" {
			first = s
		}
		if s != first {
			t.Errorf("%s shows another screen:\n%s", name, s)
		}
		r := b.m.View().Content
		if coloured := strings.Contains(r, "[3") || strings.Contains(r, ";4") || strings.Contains(r, ";5;"); name == "mono" && coloured && strings.Contains(r, "41m") {
			t.Errorf("mono has colours: %q", r)
		}
		raw[r] = true
	}
	if len(raw) != 4 { // auto is 16 until the terminal says more
		t.Errorf("%d themes look different, want 4", len(raw))
	}
}

func TestAutoThemeFollowsTheTerminal(t *testing.T) {
	b := newBench(t, 100, 24)
	scene(b.board)
	b.frame()
	if b.m.Init() == nil {
		t.Error("the background is not asked for")
	}
	is := func(want style) {
		t.Helper()
		if got := b.m.palette.level[1]; got != want {
			t.Errorf("level 1 is %q, want %q", got, want)
		}
	}
	is("30;42")
	b.m.Update(tea.BackgroundColorMsg{Color: color.Black})
	is("38;5;16;48;5;114")
	b.m.Update(tea.BackgroundColorMsg{Color: color.White})
	is("38;5;231;48;5;28")
	b.m.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI})
	is("30;42")
	b.keys("T").shows("Theme: dark.")
	is("38;5;16;48;5;114")
	b.keys("T", "T", "T").shows("Theme: mono.")
	is("")
	b.keys("T").shows("Theme: auto.")

	b = newBench(t, 100, 24, func(o *Options) { o.NoColor, o.Theme = true, "dark" })
	scene(b.board)
	b.frame().keys("T").shows("NO_COLOR is set")
	if b.m.Init() != nil {
		t.Error("the background is asked for without colours")
	}
	b.m.Update(tea.BackgroundColorMsg{Color: color.Black})
	is("")
}

// TestContrast computes the contrast of every text that stands on a ground of
// the theme's own.
func TestContrast(t *testing.T) {
	for _, name := range []string{"dark", "light"} {
		p := (&theme{name: name}).palette(false)
		for _, s := range []style{p.level[1], p.level[2], p.level[3], p.warn, p.bad} {
			var fg, bg color.Color
			parts := strings.Split(string(s), ";")
			for i := range parts {
				if i+2 < len(parts) && parts[i+1] == "5" {
					var n int
					for _, c := range parts[i+2] {
						n = n*10 + int(c-'0')
					}
					switch parts[i] {
					case "38":
						fg = ansi.IndexedColor(n)
					case "48":
						bg = ansi.IndexedColor(n)
					}
				}
			}
			a, b := luminance(fg), luminance(bg)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %q has a contrast of %.1f", name, s, ratio)
			}
		}
	}
}

// luminance is that of the WCAG.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		x := float64(v) / 0xffff
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
