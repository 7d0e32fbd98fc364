package ui

// style is an SGR sequence around a text. The zero style leaves it as it is.
// Cells are painted thousands of times a second, so there is no more to it.
type style string

// of paints a text.
func (s style) of(text string) string {
	if s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[m"
}

// palette is the console's colours: the sixteen of the terminal, so that the
// site's own theme, dark or light, keeps them readable. Where a colour means
// something it comes as black or white on that colour, and what it means is
// said by a word or a shape beside it: without colours nothing is lost.
type palette struct {
	title, head, faint, bold, selected style

	level [4]style // badges
	warn  style    // not known, not complete
	bad   style    // somebody must act
	good  style
}

// newPalette returns the colours or, for mono, what there is besides them.
func newPalette(mono bool) palette {
	p := palette{title: "1", head: "1", faint: "2", bold: "1", selected: "7"}
	if mono {
		p.level = [4]style{1: "", 2: "", 3: "1"}
		p.warn, p.bad = "1", "1"
		return p
	}
	p.level = [4]style{1: "30;42", 2: "30;46", 3: "1;97;41"}
	p.warn, p.bad, p.good = "30;43", "1;97;41", "32"
	return p
}

// glyphs are the characters that are more than ASCII where that is allowed.
type glyphs struct {
	ellipsis, arrow, up, down, rule string
	stop                            string // see seal
}

func newGlyphs(ascii bool) glyphs {
	if ascii {
		return glyphs{ellipsis: "..", arrow: "->", up: "^", down: "v", rule: "-"}
	}
	return glyphs{ellipsis: "…", arrow: "→", up: "▲", down: "▼", rule: "─", stop: "\u2800"}
}
