package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/vt"
)

// A cell in pixels, and what stands around all of them.
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin                = 14.0
	fontSize              = 14
)

// The colours of a terminal: its sixteen, its paper and its ink.
var (
	paper, ink = "#12161d", "#d7dae0"
	sixteen    = [16]string{
		"#12161d", "#e0525c", "#6cc070", "#d9b44a", "#5c9ded", "#b07fd8", "#4fb8c4", "#c8ccd4",
		"#5f6673", "#ff6b74", "#8ad98e", "#f0cf6b", "#82b7ff", "#cfa3f2", "#77d6e0", "#ffffff",
	}
)

// look is how a cell is painted.
type look struct {
	fg, bg      string // empty: ink, paper
	bold, faint bool
	reverse     bool
	underline   bool
}

// lookOf reads a style, which the terminal says as the sequence that sets it.
func lookOf(sgr string) look {
	var l look
	for _, seq := range strings.Split(sgr, "m") {
		params := strings.FieldsFunc(strings.TrimPrefix(seq, "\x1b["), func(r rune) bool { return r == ';' || r == ':' })
		for i := 0; i < len(params); i++ {
			n, _ := strconv.Atoi(params[i])
			switch {
			case n == 0:
				l = look{}
			case n == 1:
				l.bold = true
			case n == 2:
				l.faint = true
			case n == 4:
				l.underline = true
			case n == 7:
				l.reverse = true
			case n >= 30 && n <= 37:
				l.fg = sixteen[n-30]
			case n >= 90 && n <= 97:
				l.fg = sixteen[n-90+8]
			case n >= 40 && n <= 47:
				l.bg = sixteen[n-40]
			case n >= 100 && n <= 107:
				l.bg = sixteen[n-100+8]
			case n == 38 || n == 48:
				colour, used := extended(params[i+1:])
				if i += used; n == 38 {
					l.fg = colour
				} else {
					l.bg = colour
				}
			}
		}
	}
	return l
}

// extended reads a colour of 256 or of all, and how many parameters it took.
func extended(params []string) (colour string, used int) {
	at := func(i int) int {
		if i >= len(params) {
			return 0
		}
		n, _ := strconv.Atoi(params[i])
		return n
	}
	switch at(0) {
	case 2:
		return fmt.Sprintf("#%02x%02x%02x", at(1), at(2), at(3)), 4
	case 5:
		switch n := at(1); {
		case n < 16:
			return sixteen[n], 2
		case n >= 232:
			grey := 8 + 10*(n-232)
			return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey), 2
		default:
			step := func(v int) int {
				if v == 0 {
					return 0
				}
				return 55 + 40*v
			}
			n -= 16
			return fmt.Sprintf("#%02x%02x%02x", step(n/36), step(n/6%6), step(n%6)), 2
		}
	}
	return "", len(params)
}

// run is cells of one look beside each other.
type run struct {
	from, cells int
	text        string
	look        look
	wide        bool
}

// runs splits a line of the terminal.
func runs(emu *vt.Emulator, y int) []run {
	var out []run
	for x := 0; x < emu.Width(); {
		cell := emu.CellAt(x, y)
		text, wide := " ", 1
		var l look
		if cell != nil {
			l = lookOf(cell.Style.String())
			if cell.Content != "" {
				text, wide = cell.Content, max(1, cell.Width)
			}
		}
		// Wide cells apart: no font has them exactly twice as wide as the others.
		if n := len(out) - 1; n >= 0 && out[n].look == l && out[n].wide == (wide > 1) {
			out[n].text += text
			out[n].cells += wide
		} else {
			out = append(out, run{x, wide, text, l, wide > 1})
		}
		x += wide
	}
	return out
}

// svg draws the terminal's cells. Texts are stretched to their cells, so that
// columns stay columns in whatever font there is.
func svg(emu *vt.Emulator, alt string) []byte {
	var b bytes.Buffer
	w, h := float64(emu.Width())*cellWidth+2*margin, float64(emu.Height())*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", escaped(alt))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d" xml:space="preserve">`+"\n", fontSize)
	for y := range emu.Height() {
		for _, r := range runs(emu, y) {
			fg, bg := r.look.fg, r.look.bg
			if r.look.reverse {
				fg, bg = or(bg, paper), or(fg, ink)
			}
			x, top := margin+float64(r.from)*cellWidth, margin+float64(y)*cellHeight
			if bg != "" {
				fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, float64(r.cells)*cellWidth, cellHeight, bg)
			}
			text := strings.TrimRight(r.text, " ")
			cells := r.cells - (len(r.text) - len(text))
			if n := len(text) - len(strings.TrimLeft(text, " ")); n > 0 {
				text, cells, x = text[n:], cells-n, x+float64(n)*cellWidth
			}
			if text == "" {
				continue
			}
			style := ""
			if r.look.bold {
				style += ` font-weight="bold"`
			}
			if r.look.faint {
				style += ` opacity="0.65"`
			}
			if r.look.underline {
				style += ` text-decoration="underline"`
			}
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`+"\n",
				x, top+13.5, float64(cells)*cellWidth, or(fg, ink), style, escaped(text))
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// escaped makes a text safe in XML. Blanks in a row must not become one.
func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(strings.ReplaceAll(s, " ", "\u00a0")))
	return b.String()
}
