package ui

import (
	"reflect"
	"testing"

	"charm.land/bubbles/v2/key"
)

// Every binding has a name for the configuration, but for those that are fixed.
func TestEveryActionHasAName(t *testing.T) {
	k := newKeymap(false)
	named := map[*key.Binding]string{}
	for name, b := range k.actions() {
		if other := named[b]; other != "" {
			t.Errorf("%s and %s are one action", name, other)
		}
		named[b] = name
	}
	v := reflect.ValueOf(&k).Elem()
	taken := map[string]string{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		b, ok := v.Field(i).Addr().Interface().(*key.Binding)
		if !ok || name == "Interrupt" || name == "Suspend" {
			continue
		}
		if named[b] == "" {
			t.Errorf("%s has no name for the configuration", name)
		}
		for _, s := range b.Keys() {
			if taken[s] != "" {
				t.Errorf("%q is a key of %s and of %s", s, taken[s], name)
			}
			taken[s] = name
		}
	}
}

func TestOtherKeys(t *testing.T) {
	b := newBench(t, 160, 40, func(o *Options) {
		o.Keys = map[string][]string{"force": {"f2"}, "pause": {}, "back": {"h", "esc"}, "auto": {"o"}, "up": {"up"}, "down": {"down", "tab"}, "log": {"L"}}
	})
	scene(b.board)
	b.frame().shows("f2 force", "o auto", "L log").hides("f force", "p pause")
	b.keys("f").hides("Force a marking").keys("f2").shows("Force a marking").keys("esc")
	b.keys("p").hides("PAUSED")
	b.keys("?").shows("↓/tab", "o     auto").hides("pause").keys("x")
	b.keys("enter").shows("h/esc back").keys("h").shows("7 meetings")
	// What is typed into a filter stays text.
	b.keys("/").typed("hotel").shows("filter: hotel").keys("esc")
	b.keys("f2", "1", "y").shows("o returns to automatic")
	if _, err := (Options{Board: newFake(), Keys: map[string][]string{"forse": {"f"}}}).withDefaults(); err == nil {
		t.Error("an action that there is not is taken")
	}
}
