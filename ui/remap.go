package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
)

// actions are the bindings that a site may give other keys, by the names that
// its configuration has for them. The keys of dialogs are fixed, as what they
// ask says them.
func (k *keymap) actions() map[string]*key.Binding {
	return map[string]*key.Binding{
		"up": &k.Up, "down": &k.Down, "page_up": &k.PageUp, "page_down": &k.PageDown, "first": &k.Home, "last": &k.End,
		"open": &k.Open, "back": &k.Back, "filter": &k.Filter, "sort": &k.Sort, "reverse": &k.Reverse,
		"force": &k.Force, "clear": &k.Clear, "auto": &k.Auto, "select": &k.Pick,
		"resync": &k.Refresh, "next": &k.Next, "dismiss": &k.Dismiss, "pause": &k.Pause, "log": &k.Log, "copy": &k.Copy,
		"zone": &k.Zone, "mouse": &k.Mouse, "theme": &k.Theme, "help": &k.Help, "quit": &k.Quit,
		"bridges": &k.Bridges, "history": &k.History, "in_full": &k.InFull, "group": &k.Group, "ages": &k.Ages, "export": &k.Export,
	}
}

// DefaultKeys returns the keys of each action, by its name.
func DefaultKeys() map[string][]string {
	k := newKeymap(false)
	all := map[string][]string{}
	for name, b := range k.actions() {
		all[name] = b.Keys()
	}
	return all
}

// remap gives actions other keys. Those that keep theirs keep how help shows
// them, too.
func (k *keymap) remap(keys map[string][]string, ascii bool) error {
	all := k.actions()
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		b := all[name]
		if b == nil {
			return fmt.Errorf("console: there is no action %q to give keys to", name)
		}
		if slices.Equal(b.Keys(), keys[name]) {
			continue
		}
		if len(keys[name]) == 0 {
			b.Unbind()
			continue
		}
		b.SetKeys(keys[name]...)
		b.SetHelp(shownKeys(keys[name], ascii), b.Help().Desc)
	}
	return nil
}

// shownKeys is how help shows keys: at most two, arrows as such.
func shownKeys(keys []string, ascii bool) string {
	arrows := strings.NewReplacer("up", "↑", "down", "↓", "left", "←", "right", "→")
	var all []string
	for _, s := range keys[:min(len(keys), 2)] {
		switch s {
		case "pgdown":
			s = "pgdn"
		case "up", "down", "left", "right":
			if !ascii {
				s = arrows.Replace(s)
			}
		}
		all = append(all, safe(s))
	}
	return strings.Join(all, "/")
}

// keyName is how a message names the key of an action; empty if it has none.
func keyName(b *key.Binding) string {
	if keys := b.Keys(); len(keys) > 0 {
		return shownKeys(keys[:1], true)
	}
	return ""
}

// hint is a message's last words about a key; without one they are left out.
func hint(b *key.Binding, words string) string {
	if name := keyName(b); name != "" {
		return name + " " + words
	}
	return ""
}

// semicolon puts one before a text, if there is any.
func semicolon(s string) string {
	if s == "" {
		return ""
	}
	return "; " + s
}
