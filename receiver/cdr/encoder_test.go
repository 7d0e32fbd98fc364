package cdr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checkFields checks that each field of an object has the value that
// testdata/all-fields.xml gives it: the one that names the field.
func checkFields(t *testing.T, object any) {
	t.Helper()
	// Fields whose Cisco name is not their own in lower case.
	names := map[string]string{
		"Call.Type": "callType", "Call.Correlator": "callCorrelator", "Leg.MovedCallLegBridge": "movedCallLegCallBridge",
		"Media.URL": "path", "Media.Leg": "callLeg",
	}
	v := reflect.ValueOf(object)
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		want := names[v.Type().Name()+"."+field]
		if want == "" {
			want = field
		}
		switch got := v.Field(i).Interface().(type) {
		case string:
			if !strings.EqualFold(got, "the "+want) {
				t.Errorf("%T.%s is %q", object, field, got)
			}
		case Flag:
			if got != True {
				t.Errorf("%T.%s is %v", object, field, got)
			}
		case bool:
			if !got {
				t.Errorf("%T.%s is %v", object, field, got)
			}
		case int64:
			if got != 7 {
				t.Errorf("%T.%s is %v", object, field, got)
			}
		case time.Duration:
			if got != 7*time.Second {
				t.Errorf("%T.%s is %v", object, field, got)
			}
		default:
			t.Errorf("%T.%s: no rule for a %T", object, field, got)
		}
	}
}

// Values that Decode leaves as they are.
var (
	texts = rapid.Map(rapid.OneOf(
		rapid.SampledFrom([]string{"", "sip", "acano", "connected", "coSpace", testCall, testLeg}),
		rapid.StringN(0, 60, 200),
		rapid.StringOf(rapid.RuneFrom([]rune(` &<>"';]=/ab山é😀`))),
	), func(s string) string { return oracleValue(strings.Map(dropIllegal, s), DefaultMaxValue) })
	flags     = rapid.SampledFrom([]Flag{Absent, False, True})
	counts    = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Min(0))
	durations = rapid.Map(rapid.Int64Range(0, 9_223_372_036), func(n int64) time.Duration { return time.Duration(n) * time.Second })
)

func dropIllegal(r rune) rune {
	if !legalChar(r) {
		return -1
	}
	return r
}

// fill draws every field of the struct that v points to.
func fill(t *rapid.T, v any) {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		name := s.Type().Field(i).Name
		switch p := s.Field(i).Addr().Interface().(type) {
		case *string:
			*p = texts.Draw(t, name)
		case *Flag:
			*p = flags.Draw(t, name)
		case *bool:
			*p = rapid.Bool().Draw(t, name)
		case *int64:
			*p = counts.Draw(t, name)
		case *time.Duration:
			*p = durations.Draw(t, name)
		default:
			t.Fatalf("no rule for %s", name)
		}
	}
}

var records = rapid.Custom(func(t *rapid.T) Record {
	r := Record{
		Type:            Type(rapid.IntRange(int(Unknown), int(StreamingEnd)).Draw(t, "type")),
		RecordIndex:     rapid.Int64Min(NoIndex).Draw(t, "recordIndex"),
		CorrelatorIndex: rapid.Int64Min(NoIndex).Draw(t, "correlatorIndex"),
		Missing:         counts.Draw(t, "missing"),
	}
	if rapid.Bool().Draw(t, "timed") {
		r.Time = time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "time"), rapid.SampledFrom([]int64{0, 0, 1, 250_000_000}).Draw(t, "nanoseconds")).UTC()
	}
	switch r.Type {
	case CallStart, CallEnd:
		fill(t, &r.Call)
	case CallLegStart, CallLegUpdate, CallLegEnd:
		fill(t, &r.Leg)
	case RecordingStart, RecordingEnd, StreamingStart, StreamingEnd:
		fill(t, &r.Media)
	}
	return r
})

// TestRoundTrip encodes and decodes random documents: nothing changes.
func TestRoundTrip(t *testing.T) {
	var d Decoder
	var got Document
	rapid.Check(t, func(t *rapid.T) {
		want := Document{
			Session:    texts.Filter(func(s string) bool { return s != "" }).Draw(t, "session"),
			CallBridge: texts.Draw(t, "callBridge"),
			Records:    rapid.SliceOfN(records, 0, 5).Draw(t, "records"),
		}
		body := Append(nil, &want)
		if err := d.Decode(body, &got); err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		if diff := diffDocuments(&want, &got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestAppendOdd encodes values that no document can hold: what comes out is
// well-formed all the same.
func TestAppendOdd(t *testing.T) {
	doc := Document{
		Session: "s\x00\"<&\xff",
		Records: []Record{{
			Type: CallStart, RecordIndex: -7, CorrelatorIndex: NoIndex, Missing: -1,
			Call: Call{ID: "\x1b", Name: "a\x00\ufffe\x80]]>\tb", LegsCompleted: -1, Duration: -time.Second},
		}, {
			Type: Type(77), RecordIndex: 1, CorrelatorIndex: 2,
		}},
	}
	got, err := decodeNew(Append(nil, &doc))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Session: "s\ufffd\"<&\ufffd",
		Records: []Record{{
			Type: CallStart, RecordIndex: NoIndex, CorrelatorIndex: NoIndex,
			Call: Call{ID: "\ufffd", Name: "a\ufffd\ufffd\ufffd]]> b"},
		}, {
			RecordIndex: 1, CorrelatorIndex: 2,
		}},
	}
	if diff := diffDocuments(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAppendShape compares with what a server sends, byte for byte where the
// order of the elements is the same.
func TestAppendShape(t *testing.T) {
	doc, err := decodeNew(mustRead(t, "testdata/usual/sip-leg-start.xml"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/usual/sip-leg-start.xml")
	if err != nil {
		t.Fatal(err)
	}
	if got := Append(nil, doc); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	prefix := []byte("kept")
	if got := Append(prefix, doc); !bytes.HasPrefix(got, prefix) || len(got) != len(want)+len(prefix) {
		t.Error("Append does not append")
	}
	r := xml.NewDecoder(bytes.NewReader(want))
	for err == nil {
		_, err = r.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
