package cdr

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// decodeNew decodes with a fresh Decoder into a fresh Document.
func decodeNew(body []byte) (*Document, error) {
	doc := new(Document)
	err := new(Decoder).Decode(body, doc)
	return doc, err
}

func diffDocuments(a, b *Document) string {
	if a != nil && b != nil && a.Session == b.Session && a.CallBridge == b.CallBridge &&
		slices.EqualFunc(a.Records, b.Records, func(x, y Record) bool { return reflect.DeepEqual(x, y) }) {
		return "" // cmp takes its time, which a fuzzer has not
	}
	return cmp.Diff(a, b, cmpopts.EquateEmpty())
}

func mustDecode(t *testing.T, body string) *Document {
	t.Helper()
	doc, err := decodeNew([]byte(body))
	if err != nil {
		t.Fatalf("%.200q: %v", body, err)
	}
	return doc
}

const (
	testSession = "0b7b1a52-6d0e-4c7a-9a43-51f0c2f6a101"
	testBridge  = "6d2c9a70-12ab-4a3e-8f5d-90b1c3d4e502"
	testCall    = "3e8f7a60-9b1c-4d2e-a5f6-07182930a406"
	testLeg     = "c1a7f0de-3b52-4c1f-9d84-2f6e8b7a9c03"
	testGroup   = "8e5d1c4b-7a90-4f2e-b3c6-d1e2f3a4b504"
	testSipCall = "5f9b2c81d3e64a7f8091a2b3c4d5e605"
)

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-02-28T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return t
}

// TestDecodeUsual reads documents in the shapes in which servers send them.
func TestDecodeUsual(t *testing.T) {
	want := map[string]*Document{
		"sip-leg-start.xml": {testSession, testBridge, []Record{{
			Type: CallLegStart, Time: at("16:03:25"), RecordIndex: 12, CorrelatorIndex: 40,
			Leg: Leg{
				ID: testLeg, RemoteParty: "meeting.room@north.example.com", LocalAddress: "board@meet.example.com",
				DisplayName: "Meeting Room North", Type: "sip", Direction: "incoming", GroupID: testGroup, SipCallID: testSipCall,
			},
		}}},
		"ivr-update.xml": {testSession, testBridge, []Record{{
			Type: CallLegUpdate, Time: at("16:03:26"), RecordIndex: 13, CorrelatorIndex: 41,
			Leg: Leg{
				ID: testLeg, State: "connected", IVR: true, Deactivated: False, GroupID: testGroup, SipCallID: testSipCall,
				DisplayName: "Meeting Room North", RemoteAddress: "meeting.room@north.example.com",
			},
		}}},
		"ivr-join.xml": {testSession, testBridge, []Record{{
			Type: CallStart, Time: at("16:03:41"), RecordIndex: 14, CorrelatorIndex: 42,
			Call: Call{
				ID: testCall, Name: "Board & guests", Type: "coSpace", CoSpace: "a94f1c20-77d3-4b8e-9c15-6b2d3e4f5a07",
				Correlator: "d7c6b5a4-9382-4716-8504-f3e2d1c0b908",
			},
		}, {
			Type: CallLegUpdate, Time: at("16:03:41"), RecordIndex: 15, CorrelatorIndex: 43,
			Leg: Leg{ID: testLeg, State: "connected", Call: testCall, GroupID: testGroup, SipCallID: testSipCall},
		}}},
		"web-guest.xml": {testSession, "", []Record{{
			Type: CallLegStart, Time: at("16:05:00"), RecordIndex: 16, CorrelatorIndex: 47, Missing: 3,
			Leg: Leg{
				ID: "71e0a9c8-5d4b-4f3e-8a2c-1b0f9e8d7c09", RemoteParty: "guest4052", DisplayName: "Zoë (visitor)", Type: "acano",
				SubType: "webApp", Direction: "incoming", Call: testCall, GuestConnection: True, CanMove: True,
				GroupID: "71e0a9c8-5d4b-4f3e-8a2c-1b0f9e8d7c09",
			},
		}}},
		"distribution-link.xml": {testSession, testBridge, []Record{{
			Type: CallLegStart, Time: at("16:05:02"), RecordIndex: 17, CorrelatorIndex: 48,
			Leg: Leg{
				ID: "0f1e2d3c-4b5a-4697-8879-6a5b4c3d2e10", RemoteParty: "sip:cb2@10.20.30.42:5061", LocalAddress: "cb1@10.20.30.41",
				Type: "sip", SubType: "distributionLink", Direction: "outgoing", Call: testCall, CanMove: False,
			},
		}}},
		"update-only.xml": {testSession, testBridge, []Record{{
			Type: CallLegUpdate, Time: at("16:11:30"), RecordIndex: 22, CorrelatorIndex: 53,
			Leg: Leg{
				ID: "b8a79685-7463-4251-8e3f-2d1c0b9a8f11", State: "connected", Call: testCall, Deactivated: True,
				GroupID: "e1d2c3b4-a596-4788-8697-a5b4c3d2e112", SipCallID: "9c8b7a695847463544332211ffeeddcc",
				DisplayName: "0701234567", RemoteAddress: "0701234567@gw.example.net;user=phone",
			},
		}}},
		"update-without-state.xml": {testSession, testBridge, []Record{{
			Type: CallLegUpdate, Time: at("16:48:01"), RecordIndex: 30, CorrelatorIndex: 58,
			Leg: Leg{ID: testLeg, Call: testCall, Deactivated: False, GroupID: testGroup, DisplayName: "Meeting Room North"},
		}}},
		"last-leg-end.xml": {testSession, testBridge, []Record{{
			Type: CallLegEnd, Time: at("16:48:02"), RecordIndex: 31, CorrelatorIndex: 59,
			Leg: Leg{
				ID: testLeg, Reason: "remoteTeardown", RemoteTeardown: True, Duration: 2677 * time.Second,
				ActivatedDuration: 2670 * time.Second, EncryptedMedia: True, UnencryptedMedia: False,
			},
		}, {
			Type: CallEnd, Time: at("16:48:02"), RecordIndex: 32, CorrelatorIndex: 60,
			Call: Call{ID: testCall, LegsCompleted: 4, LegsMaxActive: 3, Duration: 2681 * time.Second},
		}}},
		"media.xml": {testSession, testBridge, []Record{{
			Type: RecordingStart, Time: at("16:20:00"), RecordIndex: 23, CorrelatorIndex: 54,
			Media: Media{
				ID: "24681357-9bdf-4ace-8024-68acf1357913", URL: "spaces/board/20260228.mp4", Call: testCall,
				Leg: "35792468-ace0-4bdf-9135-79bdf0246814",
			},
		}, {
			Type: RecordingEnd, Time: at("16:30:00"), RecordIndex: 24, CorrelatorIndex: 55,
			Media: Media{ID: "24681357-9bdf-4ace-8024-68acf1357913"},
		}, {
			Type: StreamingStart, Time: at("16:31:00"), RecordIndex: 25, CorrelatorIndex: 56,
			Media: Media{ID: "46813579-bdf0-4ce1-a246-8ace02468015", URL: "rtmp://stream.example.com/live?a=1&b=2", Call: testCall},
		}, {
			Type: StreamingEnd, Time: at("16:32:00"), RecordIndex: 26, CorrelatorIndex: 57,
			Media: Media{ID: "46813579-bdf0-4ce1-a246-8ace02468015"},
		}}},
		"future.xml": {testSession, testBridge, []Record{{
			Type: Unknown, Time: at("15:33:00").Add(250 * time.Millisecond), RecordIndex: 27, CorrelatorIndex: 61,
		}, {
			Type: CallStart, Time: at("16:34:00"), RecordIndex: 28, CorrelatorIndex: 62,
			Call: Call{ID: "57924680-ace1-4df2-b357-9bdf13579116", Name: "Weekly <R&D>"},
		}}},
	}
	files, err := filepath.Glob("testdata/usual/*")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files (%v), %d expected documents", len(files), err, len(want))
	}
	var d Decoder // one for all, into one Document: nothing stale may stay
	var doc Document
	for _, file := range files {
		body := mustRead(t, file)
		if err := d.Decode(body, &doc); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for i := range body {
			body[i] = 'X'
		}
		if diff := diffDocuments(want[filepath.Base(file)], &doc); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestDecodeHostile refuses every document in testdata/hostile, for its reason.
func TestDecodeHostile(t *testing.T) {
	want := map[string]error{
		"angle-in-attribute.xml":  ErrSyntax,
		"bad-utf8.xml":            ErrEncoding,
		"bare-ampersand.xml":      ErrEntity,
		"bare-attribute.xml":      ErrSyntax,
		"billion-laughs.xml":      ErrDoctype,
		"blank-session.xml":       ErrNoSession,
		"blank.xml":               ErrSyntax,
		"cdata-end.xml":           ErrSyntax,
		"cdata-outside.xml":       ErrSyntax,
		"comment-dashes.xml":      ErrSyntax,
		"cut-tag.xml":             ErrSyntax,
		"doctype.xml":             ErrDoctype,
		"empty.xml":               ErrSyntax,
		"escape-char.xml":         ErrEncoding,
		"html-entity.xml":         ErrEntity,
		"html.html":               ErrDoctype,
		"json.json":               ErrSyntax,
		"late-declaration.xml":    ErrSyntax,
		"latin1.xml":              ErrEncoding,
		"mismatched.xml":          ErrSyntax,
		"no-session.xml":          ErrNoSession,
		"no-space.xml":            ErrSyntax,
		"no-value.xml":            ErrSyntax,
		"nul-reference.xml":       ErrEntity,
		"nul.xml":                 ErrEncoding,
		"other-root.xml":          ErrNotRecords,
		"prefixed-root.xml":       ErrNotRecords,
		"repeated-attribute.xml":  ErrSyntax,
		"short-comment.xml":       ErrSyntax,
		"surrogate-reference.xml": ErrEntity,
		"text-after-root.xml":     ErrSyntax,
		"text-before-root.xml":    ErrSyntax,
		"two-roots.xml":           ErrSyntax,
		"unclosed.xml":            ErrSyntax,
		"unquoted.xml":            ErrSyntax,
		"upper-case-root.xml":     ErrNotRecords,
		"utf16.xml":               ErrEncoding,
		"xml11.xml":               ErrEncoding,
	}
	files, err := filepath.Glob("testdata/hostile/*")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files (%v), %d expected errors", len(files), err, len(want))
	}
	var d Decoder
	doc := Document{Session: "old", CallBridge: "old", Records: []Record{{Type: CallEnd}}}
	for _, file := range files {
		err := d.Decode(mustRead(t, file), &doc)
		if !errors.Is(err, want[filepath.Base(file)]) || err == nil {
			t.Errorf("%s: got %v, want %v", file, err, want[filepath.Base(file)])
			continue
		}
		checkError(t, err)
		if diff := diffDocuments(&Document{}, &doc); diff != "" {
			t.Errorf("%s: not empty after the error:\n%s", file, diff)
		}
	}
}

// checker is what a test, a fuzz test and a property have in common.
type checker interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// checkError checks that an error is one of ours and fit for a log line.
func checkError(t checker, err error) {
	t.Helper()
	sentinel := false
	for _, s := range []error{
		ErrTooLarge, ErrTooDeep, ErrTooManyRecords, ErrTooManyAttributes, ErrSyntax,
		ErrEncoding, ErrDoctype, ErrEntity, ErrNotRecords, ErrNoSession,
	} {
		sentinel = sentinel || errors.Is(err, s)
	}
	if !sentinel || errors.Is(err, errPanic) {
		t.Errorf("not one of the errors to expect: %v", err)
	}
	text := err.Error()
	if len(text) > 600 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("not fit for a log line: %q", text)
	}
}

func TestDecodeSyntax(t *testing.T) {
	const open, end = `<records session="s">`, `</records>`
	tests := []struct {
		name string
		body string
		want error // nil: accepted
	}{
		{"no records", `<records session="s"/>`, nil},
		{"byte order mark", "\ufeff<?xml version=\"1.0\"?>" + open + end, nil},
		{"byte order mark twice", "\ufeff\ufeff" + open + end, ErrSyntax},
		{"white space around", " \t\r\n" + open + end + " \t\r\n", nil},
		{"no-break space around", "\u00a0" + open + end, ErrSyntax},
		{"space by reference around", "&#32;" + open + end, ErrSyntax},
		{"single quotes", `<records session='s"'></records>`, nil},
		{"spaces in tags", "<records\n\tsession = 's'\r\n></records\n>", nil},
		{"gt in attribute and text", `<records session="s>">></records>`, nil},
		{"slash in attribute", `<records session="s/" x="/"/>`, nil},
		{"space after slash", `<records session="s"/ >`, ErrSyntax},
		{"end tag with attribute", open + `<a></a b="">` + end, ErrSyntax},
		{"end tag with slash", open + `<a></a/>` + end, ErrSyntax},
		{"end tag with space before", open + `<a></ a>` + end, ErrSyntax},
		{"start tag with space before", open + `< a></a>` + end, ErrSyntax},
		{"no name", open + `<></>` + end, ErrSyntax},
		{"end without start", `</records>`, ErrSyntax},
		{"end after root", open + end + end, ErrSyntax},
		{"case of end tag", open + `</Records>`, ErrSyntax},
		{"number as name", open + `<1a/>` + end, ErrSyntax},
		{"name with a dot and a dash", open + `<_a-b.c/>` + end, nil},
		{"name not ASCII", open + `<é/>` + end, ErrSyntax},
		{"prefix", open + `<a:b c:d=""/>` + end, nil},
		{"two prefixes", open + `<a:b:c/>` + end, ErrSyntax},
		{"empty prefix", open + `<:b/>` + end, ErrSyntax},
		{"prefix alone", open + `<b:/>` + end, ErrSyntax},
		{"same attribute, other prefix", open + `<a b="" x:b=""/>` + end, nil},
		{"repeated attribute of an unknown element", open + `<a b="" b=""/>` + end, ErrSyntax},
		{"attribute that does not end", open + `<a b="></a>` + end, ErrSyntax},
		{"attribute with a wrong quote", open + `<a b="'/>` + end, ErrSyntax},
		{"quotes before the equals sign", open + `<a "b"="c"/>` + end, ErrSyntax},
		{"equals sign twice", open + `<a b=="c"/>` + end, ErrSyntax},
		{"reference in an attribute", open + `<a b="&#x41;&lt;"/>` + end, nil},
		{"bad reference in an attribute", open + `<a b="&x;"/>` + end, ErrEntity},
		{"five entities", open + `&amp;&lt;&gt;&quot;&apos;` + end, nil},
		{"entity without semicolon", open + `&amp` + end, ErrEntity},
		{"entity in upper case", open + `&AMP;` + end, ErrEntity},
		{"empty entity", open + `&;` + end, ErrEntity},
		{"empty reference", open + `&#;` + end, ErrEntity},
		{"empty hexadecimal reference", open + `&#x;` + end, ErrEntity},
		{"hexadecimal with X", open + `&#X41;` + end, ErrEntity},
		{"hexadecimal digit in a decimal reference", open + `&#4A;` + end, ErrEntity},
		{"many zeros", open + `&#` + strings.Repeat("0", 300) + `65;` + end, nil},
		{"last character", open + `&#x10FFFF;` + end, nil},
		{"above the last character", open + `&#x110000;` + end, ErrEntity},
		{"far above the last character", open + `&#99999999999999999999999;` + end, ErrEntity},
		{"above 32 bits", open + `&#x100000041;` + end, ErrEntity},
		{"U+FFFE by reference", open + `&#xFFFE;` + end, ErrEntity},
		{"U+FFFE", open + "\ufffe" + end, ErrEncoding},
		{"U+FFFD", open + "\ufffd" + end, nil},
		{"surrogate in UTF-8", open + "\xed\xa0\x80" + end, ErrEncoding},
		{"overlong UTF-8", open + "\xc0\xbc" + end, ErrEncoding},
		{"DEL and C1", open + "\x7f\u0085\u009f" + end, nil},
		{"bell", open + "<a b='\a'/>" + end, ErrEncoding},
		{"reference to bell", open + `&#7;` + end, ErrEntity},
		{"ampersand in CDATA", open + `<![CDATA[&x;<a>]]>` + end, nil},
		{"empty CDATA", open + `<![CDATA[]]>` + end, nil},
		{"brackets in CDATA", open + `<![CDATA[]]]]>` + end, nil},
		{"CDATA that does not end", open + `<![CDATA[]]` + end, ErrSyntax},
		{"CDATA in lower case", open + `<![cdata[]]>` + end, ErrSyntax},
		{"CDATA too short", open + `<![CDATA]]>` + end, ErrSyntax},
		{"CDATA before the root", `<![CDATA[]]>` + open + end, ErrSyntax},
		{"comments", `<!----><!-- - -->` + open + `<!--<a>&x;-->` + end + `<!---->`, nil},
		{"comment that ends with three dashes", open + `<!-- --->` + end, ErrSyntax},
		{"comment with one dash", open + `<!- -->` + end, ErrSyntax},
		{"comment that does not end", open + `<!--` + end, ErrSyntax},
		{"instruction", `<?a?>` + open + `<?b c?d>?>` + end + `<?e ?>`, nil},
		{"instruction without a name", open + `<? a?>` + end, ErrSyntax},
		{"instruction without a space", open + `<?a!?>` + end, ErrSyntax},
		{"instruction that does not end", open + `<?a>` + end, ErrSyntax},
		{"declaration within", open + `<?xml version="1.0"?>` + end, ErrSyntax},
		{"declaration after a comment", `<!----><?xml version="1.0"?>` + open + end, ErrSyntax},
		{"declaration in upper case", `<?XML version="1.0"?>` + open + end, ErrSyntax},
		{"declaration twice", `<?xml version="1.0"?><?xml version="1.0"?>` + open + end, ErrSyntax},
		{"declaration in full", `<?xml version='1.0' encoding = "utf-8" standalone="yes" ?>` + open + end, nil},
		{"declaration without a version", `<?xml encoding="UTF-8"?>` + open + end, ErrSyntax},
		{"declaration that is empty", `<?xml?>` + open + end, ErrSyntax},
		{"declaration with odd order", `<?xml version="1.0" standalone="no" encoding="UTF-8"?>` + open + end, ErrSyntax},
		{"declaration without a space", `<?xml version="1.0"encoding="UTF-8"?>` + open + end, ErrSyntax},
		{"declaration with an open quote", `<?xml version="1.0?>` + open + end, ErrSyntax},
		{"declaration without quotes", `<?xml version=1.0?>` + open + end, ErrSyntax},
		{"declaration without a value", `<?xml version?>` + open + end, ErrSyntax},
		{"declaration with standalone=maybe", `<?xml version="1.0" standalone="maybe"?>` + open + end, ErrSyntax},
		{"declaration with an unknown word", `<?xml version="1.0" a="b"?>` + open + end, ErrSyntax},
		{"other encoding, with spaces", `<?xml version="1.0" encoding = "latin1"?>` + open + end, ErrEncoding},
		{"other instruction that begins with xml", `<?xml-stylesheet href="x"?>` + open + end, nil},
		{"doctype within", open + `<!DOCTYPE a>` + end, ErrDoctype},
		{"entity declaration", `<!ENTITY a "b">` + open + end, ErrSyntax},
		{"lone lt", open + "<", ErrSyntax},
		{"lone lt and bang", open + "<!", ErrSyntax},
		{"brackets in text by reference", open + "]]&gt;" + end, nil},
		{"brackets in an attribute", `<records session="]]>"/>`, nil},
	}
	for _, test := range tests {
		doc, err := decodeNew([]byte(test.body))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if err != nil {
			checkError(t, err)
		} else if doc.Session == "" {
			t.Errorf("%s: no session", test.name)
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	depth := func(n int) string {
		return `<records session="s">` + strings.Repeat("<a>", n-1) + strings.Repeat("</a>", n-1) + `</records>`
	}
	records := func(n int) string {
		return `<records session="s">` + strings.Repeat("<record/>", n) + `</records>`
	}
	attributes := func(n int) string {
		s := `<records session="s"`
		for i := range n - 1 {
			s += fmt.Sprintf(` a%d=""`, i)
		}
		return s + `/>`
	}
	size := func(n int) string {
		const doc = `<records session="s"/>`
		return doc + strings.Repeat(" ", n-len(doc))
	}
	small := Limits{MaxBytes: 100, MaxDepth: 3, MaxRecords: 2}
	tests := []struct {
		name   string
		limits Limits
		body   string
		want   error
	}{
		{"depth", Limits{}, depth(DefaultMaxDepth), nil},
		{"too deep", Limits{}, depth(DefaultMaxDepth + 1), ErrTooDeep},
		{"own depth", small, depth(3), nil},
		{"own depth, too deep", small, depth(4), ErrTooDeep},
		{"records", Limits{}, records(DefaultMaxRecords), nil},
		{"too many records", Limits{}, records(DefaultMaxRecords + 1), ErrTooManyRecords},
		{"own records", small, records(2), nil},
		{"own records, too many", small, records(3), ErrTooManyRecords},
		{"attributes", Limits{}, attributes(maxAttributes), nil},
		{"too many attributes", Limits{}, attributes(maxAttributes + 1), ErrTooManyAttributes},
		{"size", Limits{}, size(DefaultMaxBytes), nil},
		{"too large", Limits{}, size(DefaultMaxBytes + 1), ErrTooLarge},
		{"own size", small, size(100), nil},
		{"own size, too large", small, size(101), ErrTooLarge},
		{"negative is the default", Limits{-1, -1, -1, -1}, records(100), nil},
	}
	for _, test := range tests {
		d := Decoder{Limits: test.limits}
		var doc Document
		err := d.Decode([]byte(test.body), &doc)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if err != nil {
			checkError(t, err)
		}
	}
}

// legWith decodes a leg update with these children.
func legWith(t *testing.T, children string) Leg {
	t.Helper()
	doc := mustDecode(t, `<records session="s"><record type="callLegUpdate"><callLeg id="l">`+children+`</callLeg></record></records>`)
	return doc.Records[0].Leg
}

func TestDecodeText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"blank", " \n\t ", ""},
		{"trimmed", "\r\n  Ann Lee\t\n", "Ann Lee"},
		{"space within is kept", "Ann   Lee", "Ann   Lee"},
		{"entities", "&lt;b&gt; &amp;amp; &quot;&apos;", `<b> &amp; "'`},
		{"references", "&#65;&#x42;&#x1F600;", "AB\U0001f600"},
		{"space by reference is space", "&#32;&#9;A&#10;", "A"},
		{"no-break space is not", "\u00a0A\u00a0", "\u00a0A\u00a0"},
		{"newline, tab", "a\nb\tc", "a b c"},
		{"CRLF is one newline", "a\r\nb\rc\r\rd", "a b c  d"},
		{"CR by reference is not", "a&#13;\nb", "a  b"},
		{"DEL and C1", "a\x7fb\u0080c\u009fd&#x9b;e&#127;f", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"},
		{"NEL", "\u0085a\u0085b&#x85;", "a b"},
		{"other scripts", "Žofie 山田", "Žofie 山田"},
		{"CDATA", "<![CDATA[ a&amp;<b> ]]>", "a&amp;<b>"},
		{"text, comment, CDATA, instruction", "a<!--x-->b<![CDATA[c]]>&#100;<?x y?>e", "abcde"},
		{"CR and LF in two pieces are two", "a\r<![CDATA[\n]]>b", "a  b"},
		{"children are not text", "a<b>no<c>no</c></b>d", "ad"},
		{"at the limit", strings.Repeat("x", 1024), strings.Repeat("x", 1024)},
		{"above the limit", strings.Repeat("x", 1025), strings.Repeat("x", 1024)},
		{"cut before a long character", strings.Repeat("x", 1022) + "山y", strings.Repeat("x", 1022)},
		{"cut behind a long character", strings.Repeat("x", 1021) + "山y", strings.Repeat("x", 1021) + "山"},
		{"cut in pieces", strings.Repeat("x", 1023) + "é<!-- -->y", strings.Repeat("x", 1023)},
		{"cut and trimmed", strings.Repeat("x", 1020) + "      y", strings.Repeat("x", 1020)},
		{"space does not count", strings.Repeat(" ", 3000) + "y" + strings.Repeat("\n", 3000), "y"},
		{"constant", " connected ", "connected"},
	}
	for _, test := range tests {
		if got := legWith(t, "<displayName>"+test.text+"</displayName>").DisplayName; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if strings.Contains(test.text, "<") {
			continue
		}
		// The same rules hold for attributes.
		doc := mustDecode(t, `<records session="s" callBridge='`+strings.ReplaceAll(test.text, "'", "&apos;")+`'/>`)
		if doc.CallBridge != test.want {
			t.Errorf("%s, as an attribute: got %q, want %q", test.name, doc.CallBridge, test.want)
		}
	}
	d := Decoder{Limits: Limits{MaxValue: 3}}
	var doc Document
	if err := d.Decode([]byte(`<records session="abcdef"/>`), &doc); err != nil || doc.Session != "abc" {
		t.Errorf("MaxValue 3: got %q, %v", doc.Session, err)
	}
}

func TestDecodeFlags(t *testing.T) {
	for text, want := range map[string]Flag{
		"true": True, "TRUE": True, "True": True, "1": True, "\n true ": True,
		"false": False, "FALSE": False, "0": False, "t<!---->rue": True, "&#116;rue": True,
		"": Absent, "yes": Absent, "2": Absent, "truetrue": Absent, "01": Absent, "true false": Absent,
	} {
		if got := legWith(t, "<deactivated>"+text+"</deactivated>").Deactivated; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if got := legWith(t, "").Deactivated; got != Absent {
		t.Errorf("no element: got %v", got)
	}
	for children, want := range map[string]bool{
		"": false, "<ivr/>": true, "<ivr></ivr>": true, "<ivr>\n</ivr>": true, "<ivr><menu>false</menu></ivr>": true,
		"<ivr>true</ivr>": true, "<ivr>false</ivr>": false, "<ivr>0</ivr>": false, "<x><ivr/></x>": false, "<x:ivr/>": false,
	} {
		if got := legWith(t, children).IVR; got != want {
			t.Errorf("%q: got IVR %v, want %v", children, got, want)
		}
	}
}

func TestDecodeNumbers(t *testing.T) {
	tests := []struct {
		text  string
		index int64
		count int64
	}{
		{"0", 0, 0},
		{" 12 ", 12, 12},
		{"&#49;2", 12, 12},
		{"007", 7, 7},
		{"9223372036854775807", math.MaxInt64, math.MaxInt64},
		{"9223372036854775808", NoIndex, 0},
		{"99999999999999999999999999", NoIndex, 0},
		{"", NoIndex, 0},
		{"-1", NoIndex, 0},
		{"-0", NoIndex, 0},
		{"+1", NoIndex, 0},
		{"1.0", NoIndex, 0},
		{"1e3", NoIndex, 0},
		{"0x10", NoIndex, 0},
		{"1 2", NoIndex, 0},
		{"1_000", NoIndex, 0},
		{"١", NoIndex, 0},
	}
	for _, test := range tests {
		r := mustDecode(t, fmt.Sprintf(`<records session="s"><record type="callEnd" recordIndex="%[1]s" correlatorIndex="%[1]s"
			numPreceedingRecordsMissing="%[1]s"><call><callLegsCompleted>%[1]s</callLegsCompleted></call></record></records>`, test.text)).Records[0]
		want := Record{
			Type: CallEnd, RecordIndex: test.index, CorrelatorIndex: test.index, Missing: test.count,
			Call: Call{LegsCompleted: test.count},
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
	for text, want := range map[string]time.Duration{
		"61": 61 * time.Second, "": 0, "-5": 0, "1.5": 0,
		"9223372036": 9223372036 * time.Second, "9223372037": 0, "9223372036854775807": 0,
	} {
		if got := legWith(t, "<durationSeconds>"+text+"</durationSeconds>").Duration; got != want {
			t.Errorf("duration %q: got %v, want %v", text, got, want)
		}
	}
}

func TestDecodeTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-02-28T16:03:25Z":          at("16:03:25"),
		" 2026-02-28T16:03:25Z\n":       at("16:03:25"),
		"2026-02-28T16:03:25.5Z":        at("16:03:25").Add(time.Second / 2),
		"2026-02-28T18:03:25+02:00":     at("16:03:25"),
		"":                              {},
		"now":                           {},
		"2026-02-28":                    {},
		"2026-02-28 16:03:25":           {},
		"2026-02-30T16:03:25Z":          {},
		"2026-02-28T24:03:25Z":          {},
		"2026-02-28T1:03:25Z":           {},
		"2026-02-28T1:03:25.55Z":        {},
		"2026-02-28T16:03:25,5Z":        {},
		"9999-12-31T23:59:59-01:00":     {},
		"0000-01-01T00:00:00+01:00":     {},
		"1772294605":                    {},
		strings.Repeat("2026-02-28", 9): {},
	} {
		got := mustDecode(t, `<records session="s"><record time="`+text+`"/></records>`).Records[0].Time
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestDecodeShape(t *testing.T) {
	record := func(records ...Record) *Document { return &Document{Session: "s", Records: records} }
	base := Record{RecordIndex: NoIndex, CorrelatorIndex: NoIndex}
	with := func(change func(*Record)) Record {
		r := base
		change(&r)
		return r
	}
	tests := []struct {
		name, records string
		want          *Document
	}{
		{"bare record", `<record/>`, record(base)},
		{"unknown type", `<record type="callMoved" recordIndex="3"><call id="c"/></record>`, record(with(func(r *Record) { r.RecordIndex = 3 }))},
		{"case of the type", `<record type="CallStart"><call id="c"/></record>`, record(base)},
		{"type with spaces", `<record type=" callStart "><call id=" c "/></record>`, record(with(func(r *Record) { r.Type, r.Call.ID = CallStart, "c" }))},
		{"no object", `<record type="callStart"/>`, record(with(func(r *Record) { r.Type = CallStart }))},
		{"object of another type", `<record type="callStart"><callLeg id="l"><call>c</call></callLeg></record>`, record(with(func(r *Record) { r.Type = CallStart }))},
		{"no id", `<record type="callStart"><call><name>n</name></call></record>`, record(with(func(r *Record) { r.Type, r.Call.Name = CallStart, "n" }))},
		{"id as an element", `<record type="callStart"><call><id>c</id></call></record>`, record(with(func(r *Record) { r.Type = CallStart }))},
		{"text beside elements", `text<record type="callStart">text<call id="c">text<name>n</name>text</call>text</record>text`, record(with(func(r *Record) {
			r.Type, r.Call.ID, r.Call.Name = CallStart, "c", "n"
		}))},
		{"record that is no child of the root", `<group><record type="callStart"/></group>`, record()},
		{"record within a record", `<record type="callStart"><record type="callEnd"/><call id="c"/></record>`, record(with(func(r *Record) {
			r.Type, r.Call.ID = CallStart, "c"
		}))},
		{"object outside of a record", `<call id="c"><name>n</name></call><x><call id="c"><name>n</name></call></x>`, record()},
		{"object that is nested", `<record type="callStart"><x><call id="no"><name>no</name></call></x><call id="c"/></record>`, record(with(func(r *Record) {
			r.Type, r.Call.ID = CallStart, "c"
		}))},
		{"field that is nested", `<record type="callLegEnd"><callLeg id="l"><rxAudio><type>no</type><reason>no</reason></rxAudio></callLeg></record>`, record(with(func(r *Record) {
			r.Type, r.Leg.ID = CallLegEnd, "l"
		}))},
		{"field within a field", `<record type="callLegEnd"><callLeg id="l"><reason>a<reason>no</reason>b</reason></callLeg></record>`, record(with(func(r *Record) {
			r.Type, r.Leg.ID, r.Leg.Reason = CallLegEnd, "l", "ab"
		}))},
		{"fields after nested ones", `<record type="callLegEnd"><callLeg id="l"><x><y/></x><reason>a</reason></callLeg></record>`, record(with(func(r *Record) {
			r.Type, r.Leg.ID, r.Leg.Reason = CallLegEnd, "l", "a"
		}))},
		{"repeated field: the last", `<record type="callLegStart"><callLeg id="l"><type>sip</type><type>x</type><call>a</call><call/><canMove>true</canMove><canMove/></callLeg></record>`,
			record(with(func(r *Record) { r.Type, r.Leg.ID, r.Leg.Type = CallLegStart, "l", "x" }))},
		{"fields repeated without end: the last", `<record type="callLegStart"><callLeg id="l">` +
			strings.Repeat("<type>a</type><call>b</call><remoteParty>p</remoteParty>", 500) + `<call>c</call><type>sip</type></callLeg></record>`,
			record(with(func(r *Record) {
				r.Type, r.Leg.ID, r.Leg.Type, r.Leg.Call, r.Leg.RemoteParty = CallLegStart, "l", "sip", "c", "p"
			}))},
		{"repeated object: the last alone", `<record type="callLegStart"><callLeg id="l"><type>x</type><canMove>true</canMove></callLeg><callLeg><call>c</call></callLeg></record>`,
			record(with(func(r *Record) { r.Type, r.Leg.Call = CallLegStart, "c" }))},
		{"repeated call", `<record type="callEnd"><call id="c"><name>n</name><durationSeconds>5</durationSeconds></call><call id="d"/></record>`,
			record(with(func(r *Record) { r.Type, r.Call.ID = CallEnd, "d" }))},
		{"repeated recording", `<record type="recordingEnd"><recording id="m"><path>p</path><call>c</call></recording><recording id="n"/></record>`,
			record(with(func(r *Record) { r.Type, r.Media.ID = RecordingEnd, "n" }))},
		{"fields behind the object", `<record type="callEnd"><call id="c"/><x><name>no</name><durationSeconds>5</durationSeconds></x></record>`,
			record(with(func(r *Record) { r.Type, r.Call.ID = CallEnd, "c" }))},
		{"prefixed names", `<x:record type="callStart"/><record type="callStart" x:recordIndex="1"><call x:id="no"><x:name>no</x:name></call></record>`,
			record(with(func(r *Record) { r.Type = CallStart }))},
		{"recorder without a path", `<record type="recordingStart"><recording id="m"><path/><recorderUrl>u</recorderUrl></recording></record>`,
			record(with(func(r *Record) { r.Type, r.Media.ID, r.Media.URL = RecordingStart, "m", "u" }))},
		{"streamer and stream", `<record type="streamingEnd"><streaming id="m"><streamerUrl>u</streamerUrl><streamUrl>v</streamUrl></streaming></record>`,
			record(with(func(r *Record) { r.Type, r.Media.ID, r.Media.URL = StreamingEnd, "m", "v" }))},
		{"media of the other kind", `<record type="streamingStart"><recording id="m"/></record>`, record(with(func(r *Record) { r.Type = StreamingStart }))},
		{"path of an earlier record", `<record type="recordingStart"><recording><path>p</path></recording></record><record type="recordingStart"><recording/></record>`,
			record(with(func(r *Record) { r.Type, r.Media.URL = RecordingStart, "p" }), with(func(r *Record) { r.Type = RecordingStart }))},
	}
	for _, test := range tests {
		got := mustDecode(t, `<records session="s">`+test.records+`</records>`)
		if diff := diffDocuments(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestDecodeAllFields sets every field of every object, so that a name that is
// misspelt on one side or missing is found.
func TestDecodeAllFields(t *testing.T) {
	body := mustRead(t, "testdata/all-fields.xml")
	doc, err := decodeNew(body)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(doc.Records); n != 3 {
		t.Fatalf("%d records", n)
	}
	for _, object := range []any{doc.Records[0].Call, doc.Records[1].Leg, doc.Records[2].Media} {
		checkFields(t, object)
	}
}

func TestDecodeReuse(t *testing.T) {
	var d Decoder
	var doc Document
	many := Append(nil, &Document{Session: "a", CallBridge: "b", Records: slices.Repeat([]Record{{Type: CallEnd, Call: Call{ID: "c"}}}, 50)})
	if err := d.Decode(many, &doc); err != nil {
		t.Fatal(err)
	}
	records := &doc.Records[0]
	body := mustRead(t, "testdata/usual/web-guest.xml")
	if err := d.Decode(body, &doc); err != nil {
		t.Fatal(err)
	}
	if &doc.Records[0] != records {
		t.Error("the records' memory was not reused")
	}
	fresh, err := decodeNew(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := diffDocuments(fresh, &doc); diff != "" {
		t.Errorf("stale data (-fresh +reused):\n%s", diff)
	}
	for i, r := range doc.Records[:cap(doc.Records)] {
		if i >= len(doc.Records) && r != (Record{}) {
			t.Errorf("record %d holds on to an old document: %+v", i, r)
		}
	}
}

func TestDecodeLargeThenSmall(t *testing.T) {
	var d Decoder
	var doc Document
	huge := `<records session="s"><record type="callStart"><call><name>` + strings.Repeat("x", 1<<20) +
		`</name></call></record><!--` + strings.Repeat("y", 1<<20) + `--></records>`
	if err := d.Decode([]byte(huge), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Records[0].Call.Name) != DefaultMaxValue {
		t.Errorf("name of %d bytes", len(doc.Records[0].Call.Name))
	}
	if d.tokens != nil {
		t.Error("the buffer of a large document is kept")
	}
	if err := d.Decode(mustRead(t, "testdata/usual/media.xml"), &doc); err != nil || len(doc.Records) != 4 {
		t.Errorf("%d records, %v", len(doc.Records), err)
	}
}

func TestDecodeAllocations(t *testing.T) {
	body := mustRead(t, "testdata/usual/sip-leg-start.xml")
	var d Decoder
	var doc Document
	got := testing.AllocsPerRun(100, func() {
		if err := d.Decode(body, &doc); err != nil {
			t.Error(err)
		}
	})
	if got > 1 {
		t.Errorf("%v allocations, want one for the values", got)
	}
}

// TestDecodePanic has the tokenizer panic: an error, and the next document is
// read as ever.
func TestDecodePanic(t *testing.T) {
	var d Decoder
	doc := Document{Session: "s", Records: make([]Record, 1)}
	err := func() (err error) {
		defer d.finish(&doc, &err)
		panic("index out of range")
	}()
	if !errors.Is(err, ErrSyntax) || !errors.Is(err, errPanic) || doc.Session != "" || len(doc.Records) != 0 {
		t.Errorf("got %v, %+v", err, doc)
	}
	if err := d.Decode(mustRead(t, "testdata/usual/media.xml"), &doc); err != nil {
		t.Error(err)
	}
}

// TestDecodeTruncated cuts a document at every byte: never accepted, never a
// panic.
func TestDecodeTruncated(t *testing.T) {
	for _, file := range []string{"testdata/usual/future.xml", "testdata/usual/last-leg-end.xml"} {
		body := bytes.TrimSpace(mustRead(t, file))
		var d Decoder
		var doc Document
		for n := range body {
			if err := d.Decode(body[:n], &doc); err == nil {
				t.Errorf("%s: accepted its first %d bytes", file, n)
			} else {
				checkError(t, err)
			}
		}
	}
}

// TestConstants checks the words of which the program has its own copy.
func TestConstants(t *testing.T) {
	for _, word := range []string{
		"sip", "acano", "connected", "incoming", "outgoing", "webApp", "distributionLink", "lync", "lyncDistribution", "avaya",
		"audioVideo", "applicationSharing", "instantMessaging", "coSpace", "adHoc", "forwarding", "lyncConferencing",
		"remoteTeardown", "localTeardown",
	} {
		if got, ok := constant([]byte(word)); !ok || got != word {
			t.Errorf("%s: got %q, %v", word, got, ok)
		}
	}
	if got, ok := constant([]byte("SIP")); ok {
		t.Errorf("SIP: got %q", got)
	}
}

func TestTypeString(t *testing.T) {
	for typ := Unknown; typ <= StreamingEnd; typ++ {
		if got := parseType([]byte(typ.String())); got != typ {
			t.Errorf("%v is read as %v", typ, got)
		}
	}
	if got := Type(200).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
}

func mustRead(tb testing.TB, file string) []byte {
	tb.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return body
}
