package policy

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// wrapped is there since XML wants a name.
type wrapped struct{ S Secret }

func TestSecretIsNeverPrinted(t *testing.T) {
	const word = "hunter2"
	s := NewSecret(word)
	c := struct{ Password Secret }{s}
	hidden := struct{ inner struct{ s Secret } }{struct{ s Secret }{s}} // beyond the reach of methods

	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10s", "%c", "%!"} {
		for _, v := range []any{s, &s, c, &c, struct{ C any }{c}, []Secret{s}, map[string]Secret{"a": s}, hidden, &hidden} {
			fmt.Fprintf(&b, verb+"\n", v)
		}
	}
	fmt.Fprintln(&b, s, c, errors.New(s.String()), fmt.Errorf("x: %w", fmt.Errorf("%v", s)))
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("x", "s", s, "p", &s, "c", c, "any", slog.AnyValue(s), "h", hidden)
	}
	for _, v := range []any{s, &s, c, map[string]any{"s": s}} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		b.Write(data)
	}
	if err := toml.NewEncoder(&b).Encode(c); err != nil {
		t.Error(err)
	}
	if data, err := xml.Marshal(wrapped{s}); err != nil {
		t.Error(err)
	} else {
		b.Write(data)
	}
	fmt.Fprintln(&b, reflect.ValueOf(s), reflect.ValueOf(hidden))

	out := b.String()
	for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word), fmt.Sprintf("%v", []byte(word))} {
		if i := strings.Index(out, form); i >= 0 {
			t.Errorf("the secret is in %q", out[max(0, i-40):i+20])
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if data, _ := json.Marshal(s); string(data) != `"[redacted]"` {
		t.Errorf("JSON is %s", data)
	}
}

func TestSecretReveals(t *testing.T) {
	if got := NewSecret("x").Reveal(); got != "x" {
		t.Errorf("got %q", got)
	}
	if got := (Secret{}).Reveal(); got != "" || !reflect.DeepEqual(Secret{}, NewSecret("")) {
		t.Errorf("got %q", got)
	}
	if !reflect.DeepEqual(NewSecret("x"), NewSecret("x")) || reflect.DeepEqual(NewSecret("x"), NewSecret("y")) {
		t.Error("equal secrets must be deeply equal, and no others")
	}
}
