package config

import (
	"strings"
	"testing"
)

func TestKeyProblems(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{"forse = \"f\"", "f:2: ui.keys.forse: this key is not known: did you mean force?"},
		{"pause = 3", "f:2: ui.keys.pause: it is a whole number: write a key between \"quotes\""},
		{"pause = [\"p\",\n3]", "f:3: ui.keys.pause[2]: it is a whole number"},
		{"pause = \"pgdwn\"", `f:2: ui.keys.pause: "pgdwn" is no key: did you mean "pgdown"?`},
		{"pause = \"ctrl+spce\"", `f:2: ui.keys.pause: "ctrl+spce" is no key: did you mean "ctrl+space"?`},
		{"pause = \"\"", `f:2: ui.keys.pause: "" is no key: write what it types`},
		{"pause = \"pp\"", `f:2: ui.keys.pause: "pp" is no key`},
		{"pause = \" \"", `f:2: ui.keys.pause: the space bar is written "space"`},
		{"pause = \"shift+p\"", `f:2: ui.keys.pause: "shift+p" is no key: write the letter as it is typed, like "P"`},
		{"pause = \"ctrl+P\"", `f:2: ui.keys.pause: "ctrl+P" is no key: write the letter small, like "ctrl+p"`},
		{"pause = \"ctrl+c\"", "f:2: ui.keys.pause: ctrl+c cannot be given to an action"},
		{"pause = \"ctrl+m\"", "f:2: ui.keys.pause: terminals do not tell ctrl+m from enter"},
		{"pause = [\"p\",\n\"p\"]", `f:3: ui.keys.pause[2]: "p" stands twice in the list`},
		{"# the first is not at fault\nquit = \"f\"", `f:3: ui.keys.quit: "f" is a key of force too`},
		{"force = \"q\"", `f:2: ui.keys.force: "q" is a key of quit too: choose another, or give quit another`},
		{"quit = \"z\"\n\nforce = [\"F\", \"z\"]", `f:2: ui.keys.quit: "z" is a key of force too`},
	} {
		_, problems := Parse("f", []byte("[ui.keys]\n"+c.document), Outside{})
		var got []string
		for _, p := range problems {
			if strings.HasPrefix(p.Key, "ui") {
				got = append(got, p.String())
			}
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%q:\n got %q\nwant %q", c.document, got, c.want)
		}
	}
	for _, document := range []string{
		`pause = ["P", "ä", "+", "ctrl++", "alt+p", "shift+tab", "ctrl+left", "f12", "ctrl+space", "é"]`,
		"pause = []", "force = \"q\"\nquit = \"f\"",
	} {
		_, problems := Parse("f", []byte("[ui.keys]\n"+document), Outside{})
		for _, p := range problems {
			if strings.HasPrefix(p.Key, "ui") {
				t.Errorf("%q: %s", document, p)
			}
		}
	}
}

func TestUIProblems(t *testing.T) {
	_, problems := Parse("f", []byte("[ui]\ntheme = \"drak\"\nbell = \"loud\"\nstate = \"overrides.json\"\n"), Outside{})
	for _, want := range []string{
		`f:2: ui.theme: "drak" is not known: write "auto", "dark"`, `f:3: ui.bell: "loud" is not known: write "off"`, "f:4: ui.state: it is the file of state.file",
	} {
		if !strings.Contains(problems.String(), want) {
			t.Errorf("not said: %s\n%s", want, problems)
		}
	}
}
