package statefile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callmark/policy"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// several are overrides of every kind, oldest first.
func several() []policy.SavedOverride {
	return []policy.SavedOverride{
		{Meeting: "2d5c", Name: "Crisis room", Calls: []string{"c1", "c2"}, Override: policy.Override{
			Kind: policy.ForceLevel, Level: policy.Level2, Who: "anna", Reason: "<the \"chair\" & co> asked", At: t0, Until: t0.Add(time.Hour), Best: policy.Level3}},
		{Meeting: "7f00", Name: "Präsidium 会議", Override: policy.Override{
			Kind: policy.ForceText, Text: "Recorded", Who: "bob", At: t0.Add(time.Nanosecond)}},
		{Meeting: "call:9", Override: policy.Override{Kind: policy.ForceClear, Who: "op", At: t0.Add(time.Second), Best: policy.Level1}},
	}
}

func encoded(t testing.TB, all []policy.SavedOverride) []byte {
	t.Helper()
	data, left, err := encode(all)
	if err != nil || left > 0 {
		t.Fatalf("%d left out, %v", left, err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	for _, all := range [][]policy.SavedOverride{{}, several()[:1], several()} {
		got, err := decode(encoded(t, all))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(all, got); d != "" {
			t.Error(d)
		}
	}
	// A time in another zone is the same time.
	all := several()[:1]
	all[0].At = t0.In(time.FixedZone("", 7200))
	if got, err := decode(encoded(t, all)); err != nil || !got[0].At.Equal(t0) {
		t.Errorf("%v, %v", got, err)
	}
}

// A document that was cut anywhere is refused, or lacks nothing but the line
// break at its end.
func TestTorn(t *testing.T) {
	data := encoded(t, several())
	for n := range data {
		all, err := decode(data[:n])
		if whole := n == len(data)-1; (err == nil) != whole || !whole && all != nil {
			t.Fatalf("cut after %d of %d bytes: %d overrides, %v", n, len(data), len(all), err)
		}
		if err != nil && !errors.Is(err, errInvalid) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		// Zeros in the place of the rest, as a file system leaves them.
		if _, err := decode(append(bytes.Clone(data[:n]), make([]byte, len(data)-n)...)); err == nil {
			t.Fatalf("zeros after %d bytes were read", n)
		}
	}
}

func TestRefused(t *testing.T) {
	const one = `{"version": 1, "overrides": [{"meeting": "m", "kind": "level", "level": 1, "who": "op", "at": "2026-03-01T09:00:00Z", "best": 0}]}`
	if _, err := decode([]byte(one)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		old, new string
		err      error
		text     string
	}{
		{one, "", errInvalid, "unexpected end"},
		{one, "null", errInvalid, "no version"},
		{one, "[]", errInvalid, ""},
		{one, one + one, errInvalid, "after top-level"},
		{one, one + "x", errInvalid, ""},
		{one, `{"version": 1}`, errInvalid, "no list"},
		{one, `{"version": 1, "overrides": null}`, errInvalid, "no list"},
		{one, `{"version": 1, "overrides": [null]}`, errInvalid, "override 1 names no meeting"},
		{one, strings.Repeat(`{"version":`, 20_000), errInvalid, ""},
		{`"version": 1`, `"version": 2`, errNewer, "version 2, and this one knows 1"},
		{`"version": 1`, `"version": 2, "more": {}`, errNewer, ""},
		{`"version": 1`, `"version": 0`, errInvalid, "no version"},
		{`"version": 1`, `"version": "1"`, errInvalid, ""},
		{`"version": 1`, `"version": 1e99`, errInvalid, ""},
		{`"version": 1, `, ``, errInvalid, "no version"},
		{`"who"`, `"whom"`, errInvalid, "unknown field"},
		{`"meeting": "m"`, `"meeting": ""`, errInvalid, "names no meeting"},
		{`"meeting": "m"`, `"meeting": ["m"]`, errInvalid, ""},
		{`"meeting": "m"`, "\"meeting\": \"m\xff\"", errInvalid, "UTF-8"},
		{`"kind": "level"`, `"kind": "lev\u001bel"`, errInvalid, `kind "lev el"`},
		{`"kind": "level"`, `"kind": ""`, errInvalid, "kind"},
		{`"kind": "level"`, `"kind": "clear"`, errInvalid, "has level 1"},
		{`"kind": "level", "level": 1`, `"kind": "text"`, errInvalid, `the text ""`},
		{`"level": 1`, `"level": 1, "text": "x"`, errInvalid, `the text "x"`},
		{`"level": 1`, `"level": 4`, errInvalid, "has level 4"},
		{`"level": 1`, `"level": -1`, errInvalid, "has level -1"},
		{`"level": 1`, `"level": 257`, errInvalid, "has level 257"},
		{`"level": 1`, `"level": 1.5`, errInvalid, ""},
		{`"best": 0`, `"best": 4`, errInvalid, "best"},
		{`"best": 0`, `"best": -1`, errInvalid, "best"},
		{`, "best": 0`, ``, errInvalid, "best"},
		{`"2026-03-01T09:00:00Z"`, `"yesterday"`, errInvalid, ""},
		{`"2026-03-01T09:00:00Z"`, `"0001-01-01T00:00:00Z"`, errInvalid, "when"},
		{`"2026-03-01T09:00:00Z"`, `"9999-12-31T23:59:59-01:00"`, errInvalid, "when"},
		{`"best": 0`, `"best": 0, "until": "0000-01-01T00:00:00+01:00"`, errInvalid, "until"},
		{one, one + strings.Repeat(" ", maxSize), errTooLarge, "4 MiB"},
	} {
		if !strings.Contains(one, tt.old) {
			t.Fatalf("no %s in the document", tt.old)
		}
		all, err := decode([]byte(strings.Replace(one, tt.old, tt.new, 1)))
		if !errors.Is(err, tt.err) || all != nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%.60s: %d overrides, %v", tt.new, len(all), err)
		}
	}
}

// What does not fit is the oldest, so that what is written can be read.
func TestTooMany(t *testing.T) {
	var all []policy.SavedOverride
	for i := range 20_000 {
		s := several()[1]
		s.Meeting, s.Reason = policy.MeetingID(fmt.Sprint(i)), strings.Repeat("世", 100)
		all = append(all, s)
	}
	data, left, err := encode(all)
	if err != nil || left == 0 || len(data) > maxSize || len(data) < maxSize/2 {
		t.Fatalf("%d left out of a document of %d bytes, %v", left, len(data), err)
	}
	got, err := decode(data)
	if err != nil || len(got) != len(all)-left || got[0].Meeting != all[left].Meeting {
		t.Errorf("read %d of %d, %d left out, %v", len(got), len(all), left, err)
	}
}

// FuzzDecode reads anything without a panic; what it reads is written and read
// again alike, and a board takes it.
func FuzzDecode(f *testing.F) {
	whole := encoded(f, several())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(encoded(f, nil))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"VERSION":1,"overrides":[{"meeting":"\ud800","kind":"text","text":"\u202e","who":"","at":"2026-03-01T09:00:00+23:59","best":3}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := decode(data)
		if err != nil {
			if all != nil {
				t.Fatalf("half of it: %v", all)
			}
			return
		}
		again, left, err := encode(all)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(again)
		if err != nil || len(got)+left != len(all) {
			t.Fatalf("%d of %d are read again, %v", len(got), len(all), err)
		}
		policy.NewBoard(policy.Options{}).Restore(t0, all)
	})
}
