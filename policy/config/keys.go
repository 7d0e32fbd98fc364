package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Keys are the console's keys: for each action those that do it. The actions are
// fields, not names in a map, so that one that does not exist is refused as any
// other key is, with the name that was likely meant.
type Keys struct {
	Up       KeyList `toml:"up"`
	Down     KeyList `toml:"down"`
	PageUp   KeyList `toml:"page_up"`
	PageDown KeyList `toml:"page_down"`
	First    KeyList `toml:"first"`
	Last     KeyList `toml:"last"`
	Open     KeyList `toml:"open"`
	Back     KeyList `toml:"back"`
	Filter   KeyList `toml:"filter"`
	Sort     KeyList `toml:"sort"`
	Reverse  KeyList `toml:"reverse"`
	Force    KeyList `toml:"force"`
	Clear    KeyList `toml:"clear"`
	Auto     KeyList `toml:"auto"`
	Select   KeyList `toml:"select"`
	Resync   KeyList `toml:"resync"`
	Next     KeyList `toml:"next"`
	Dismiss  KeyList `toml:"dismiss"`
	Pause    KeyList `toml:"pause"`
	Log      KeyList `toml:"log"`
	Copy     KeyList `toml:"copy"`
	Zone     KeyList `toml:"zone"`
	Bridges  KeyList `toml:"bridges"`
	History  KeyList `toml:"history"`
	InFull   KeyList `toml:"in_full"`
	Group    KeyList `toml:"group"`
	Ages     KeyList `toml:"ages"`
	Export   KeyList `toml:"export"`
	Mouse    KeyList `toml:"mouse"`
	Theme    KeyList `toml:"theme"`
	Help     KeyList `toml:"help"`
	Quit     KeyList `toml:"quit"`
}

// KeyList is the keys of one action; the document may give one as a text. An
// empty list leaves the action without a key.
type KeyList []string

var keyListType = reflect.TypeFor[KeyList]()

func defaultKeys() Keys {
	return Keys{
		Up: KeyList{"up", "k"}, Down: KeyList{"down", "j"},
		PageUp: KeyList{"pgup", "ctrl+b", "ctrl+u"}, PageDown: KeyList{"pgdown", "ctrl+f", "ctrl+d"},
		First: KeyList{"g", "home"}, Last: KeyList{"G", "end"},
		Open: KeyList{"enter"}, Back: KeyList{"esc"},
		Filter: KeyList{"/"}, Sort: KeyList{"s"}, Reverse: KeyList{"S", "R"},
		Force: KeyList{"f"}, Clear: KeyList{"c"}, Auto: KeyList{"a"}, Select: KeyList{"space"},
		Resync: KeyList{"r"}, Next: KeyList{"n"}, Dismiss: KeyList{"x"},
		Pause: KeyList{"p"}, Log: KeyList{"l", "tab"}, Copy: KeyList{"y"}, Zone: KeyList{"u"},
		Bridges: KeyList{"b"}, History: KeyList{"h"}, InFull: KeyList{"i"},
		Group: KeyList{"v"}, Ages: KeyList{"w"}, Export: KeyList{"e"},
		Mouse: KeyList{"m"}, Theme: KeyList{"T"}, Help: KeyList{"?"}, Quit: KeyList{"q"},
	}
}

// ByAction returns the keys by the name of their action.
func (k Keys) ByAction() map[string][]string {
	all := map[string][]string{}
	for _, f := range fieldsOf(reflect.ValueOf(&k).Elem()) {
		all[f.name] = f.value.Interface().(KeyList)
	}
	return all
}

// bindKeys takes a key or a list of keys.
func (r *reading) bindKeys(key string, v reflect.Value, value any) {
	if s, ok := value.(string); ok {
		v.Set(reflect.ValueOf(KeyList{s}))
		return
	}
	list, ok := value.([]any)
	if tables, no := value.([]map[string]any); no && len(tables) == 0 {
		list, ok = nil, true
	}
	if !ok {
		r.spoil(key, `it is %s: write a key between "quotes", or a list of them, like ["p", "f5"]`, kind(value))
		return
	}
	keys := make(KeyList, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			r.spoil(element(key, i+1), `it is %s: write a key between "quotes"`, kind(e))
		}
		keys[i] = s
	}
	v.Set(reflect.ValueOf(keys))
}

// Names of the keys that are not written as what they type.
var namedKeys = strings.Fields("up down left right enter esc tab space backspace delete insert home end pgup pgdown" +
	" f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12")

// keyProblem says what is wrong with a key's name.
func keyProblem(name string) string {
	const like = `: write what it types, like "p" or "P", or one of up, down, enter, esc, tab, space, pgup, pgdown, home, end, f1 to f12, with ctrl+, alt+ or shift+ before it where needed`
	rest, ctrl, shift := name, false, false
	for {
		modifier, after, ok := strings.Cut(rest, "+")
		if !ok || after == "" || !slices.Contains([]string{"ctrl", "alt", "shift"}, modifier) {
			break
		}
		ctrl, shift = ctrl || modifier == "ctrl", shift || modifier == "shift"
		rest = after
	}
	typed, size := utf8.DecodeRuneInString(rest)
	one := rest != "" && size == len(rest) && unicode.IsGraphic(typed) && typed != ' '
	switch {
	case name == "ctrl+c" || name == "ctrl+z":
		return name + " cannot be given to an action: ctrl+c quits when pressed twice, and ctrl+z is refused, whatever else is set"
	case name == "ctrl+i" || name == "ctrl+m" || name == "ctrl+[":
		return "terminals do not tell " + name + " from " + map[string]string{"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "esc"}[name] + ": write that"
	case name == " ":
		return `the space bar is written "space"`
	case !one && !slices.Contains(namedKeys, rest):
		if near := nearest(rest, namedKeys); near != "" {
			return quote(name) + " is no key: did you mean " + strconv.Quote(strings.TrimSuffix(name, rest)+near) + "?"
		}
		return quote(name) + " is no key" + like
	case one && shift:
		return quote(name) + " is no key: write the letter as it is typed, like " + strconv.Quote(strings.ToUpper(rest))
	case one && ctrl && unicode.IsUpper(typed):
		return quote(name) + " is no key: write the letter small, like " + strconv.Quote(strings.ToLower(name))
	}
	return ""
}

// checkKeys refuses keys that do not exist, and those of two actions: nobody
// could tell which of them they would do.
func (r *reading) checkKeys(k *Keys) {
	type use struct{ action, at string }
	of := map[string]use{}
	for _, f := range fieldsOf(reflect.ValueOf(k).Elem()) {
		action := "ui.keys." + f.name
		list := f.value.Interface().(KeyList)
		for i, name := range list {
			at := element(action, i+1)
			if r.spoiled[at] {
				continue
			}
			if _, written := r.lines[at]; !written {
				at = action
			}
			if problem := keyProblem(name); problem != "" {
				r.refuse(at, "%s", problem)
				continue
			}
			now := use{f.name, at}
			before, taken := of[name]
			if !taken {
				of[name] = now
				continue
			}
			if before.action == now.action {
				r.refuse(at, "%s stands twice in the list: remove one", quote(name))
				continue
			}
			// What the document says is at fault, not what it leaves as it was.
			if _, written := r.lines[action]; !written {
				before, now = now, before
			}
			r.refuse(now.at, "%s is a key of %s too: choose another, or give %s another", quote(name), before.action, before.action)
		}
	}
}
