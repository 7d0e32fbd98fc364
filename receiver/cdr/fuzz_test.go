package cdr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// FuzzDecode holds the Decoder against encoding/xml: what we accept is
// well-formed by it and says the same. What we refuse it may well accept.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"testdata/*.xml", "testdata/usual/*", "testdata/hostile/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			f.Add(mustRead(f, file))
		}
	}
	var d Decoder // kept from one input to the next, as in a server
	var doc Document
	f.Fuzz(func(t *testing.T, body []byte) {
		checkAgainstOracle(t, &d, &doc, bytes.Clone(body)) // it overwrites its input
	})
}

// TestDecodeFragments does the same with documents that are put together from
// pieces of documents, of which many more are well-formed.
func TestDecodeFragments(t *testing.T) {
	pieces := []string{
		`<a>`, `</a>`, `<a/>`, `<a b="c"/>`, `<x:a>`, `</x:a>`, `<ivr/>`, `<ivr>0</ivr>`,
		`<call>`, `</call>`, `<callLeg id=" l&#9;">`, `</callLeg>`, `<callLeg/>`, `<name>`, `</name>`, `<type>`, `</type>`,
		`<path>`, `</path>`, `<recorderUrl>r</recorderUrl>`, `<streamUrl>s</streamUrl>`, `<recording id="m">`, `</recording>`,
		`<canMove>`, `</canMove>`, `<durationSeconds>`, `</durationSeconds>`, `<callLegsCompleted>`, `</callLegsCompleted>`,
		`<record>`, `</record>`, `<record type="callStart">`, `<record type='callLegUpdate' recordIndex=" 7 ">`,
		`<record type="recordingStart" time="2026-02-28T16:03:25Z">`, `</record><record type="callEnd">`, `</records>`, `<records>`,
		`<!---->`, `<!-- <a> & -->`, `<!-- -- -->`, `<![CDATA[`, `]]>`, `<![CDATA[ a]]&b ]]>`, `<?p?>`, `<?p q?>`, `<?xml version="1.0"?>`,
		` `, "\n", "\r\n", "\r", "\t", "\u0085", "\u009b", "\x7f", "é", "山", "😀", "\ufffd", "\ufeff", "\xff", "\x00",
		`&amp;`, `&#x41;`, `&#13;`, `&#10;`, `&#x85;`, `&#0;`, `&nbsp;`, `&`, `<`, `>`, `]]`, `"`, `'`, `=`, `/`, `-`,
		`sip`, `connected`, `true`, `FALSE`, `1`, `0`, `12`, `9223372036854775807`, `some longer text`,
	}
	var d Decoder
	var doc Document
	rapid.Check(t, func(t *rapid.T) {
		open := rapid.SampledFrom([]string{
			"", `<records session="s">`, `<records session="s"><record type="callStart"><call id="c">`,
			`<records session="s"><record type="callLegEnd"><callLeg id="l">`, `<records session="s"><record type="callLegStart"><callLeg id="l"><type>`,
			`<records session="s"><record type="recordingEnd"><recording id="m"><path>`,
		}).Draw(t, "open")
		middle := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		// Closes what is open, the innermost first.
		var end string
		for _, tag := range regexp.MustCompile(`<(\w+)`).FindAllStringSubmatch(open, -1) {
			end = "</" + tag[1] + ">" + end
		}
		checkAgainstOracle(t, &d, &doc, []byte(open+middle+end))
	})
}

// checkAgainstOracle decodes body with a Decoder and into a Document that have
// been used before. It overwrites body.
func checkAgainstOracle(t checker, d *Decoder, doc *Document, body []byte) {
	t.Helper()
	original := bytes.Clone(body)
	err := d.Decode(body, doc)
	if !bytes.Equal(body, original) {
		t.Fatalf("the body was changed")
	}
	if err != nil {
		checkError(t, err)
		if doc.Session != "" || doc.CallBridge != "" || len(doc.Records) != 0 {
			t.Fatalf("not empty after an error: %+v", doc)
		}
		if _, again := decodeNew(body); again == nil || again.Error() != err.Error() {
			t.Fatalf("first %v, then %v", err, again)
		}
		return
	}
	want, oracleErr := oracle(body, DefaultMaxValue)
	if oracleErr != nil {
		t.Fatalf("encoding/xml refuses it: %v", oracleErr)
	}
	// The strings must not be part of the body.
	clear(body)
	if diff := diffDocuments(want, doc); diff != "" {
		t.Fatalf("(-encoding/xml +ours):\n%s", diff)
	}
	again, err := decodeNew(original)
	if err != nil {
		t.Fatalf("a new decoder refuses it: %v", err)
	}
	if diff := diffDocuments(again, doc); diff != "" {
		t.Fatalf("(-new decoder +used decoder):\n%s", diff)
	}
	encoded, err := decodeNew(Append(nil, doc))
	if err != nil {
		t.Fatalf("encoded again: %v", err)
	}
	if diff := diffDocuments(encoded, doc); diff != "" {
		t.Fatalf("(-encoded again +ours):\n%s", diff)
	}
	short := Decoder{Brief: true}
	if err := short.Decode(bytes.Clone(original), doc); err != nil {
		t.Fatalf("brief: %v", err)
	}
	if diff := diffDocuments(briefly(again), doc); diff != "" {
		t.Fatalf("brief (-full +ours):\n%s", diff)
	}
	narrow := Decoder{Limits: Limits{MaxValue: 7}}
	if err := narrow.Decode(original, doc); err != nil {
		t.Fatalf("narrow values: %v", err)
	}
	if want, err = oracle(original, 7); err != nil {
		t.Fatalf("%v", err)
	}
	if diff := diffDocuments(want, doc); diff != "" {
		t.Fatalf("narrow values (-encoding/xml +ours):\n%s", diff)
	}
}

// briefly is a document with what a brief Decoder reads of it.
func briefly(doc *Document) *Document {
	short := &Document{Session: doc.Session, CallBridge: doc.CallBridge}
	for _, r := range doc.Records {
		c, l := r.Call, r.Leg
		r.Call = Call{ID: c.ID, Name: c.Name, Correlator: c.Correlator}
		r.Leg = Leg{
			ID: l.ID, DisplayName: l.DisplayName, RemoteParty: l.RemoteParty, RemoteAddress: l.RemoteAddress,
			Type: l.Type, SubType: l.SubType, Call: l.Call, IVR: l.IVR, State: l.State, Deactivated: l.Deactivated,
			GuestConnection: l.GuestConnection, Recording: l.Recording, Streaming: l.Streaming, GroupID: l.GroupID, Reason: l.Reason,
		}
		r.Media = Media{ID: r.Media.ID}
		short.Records = append(short.Records, r)
	}
	return short
}

// node is an element as encoding/xml reads it.
type node struct {
	name     string // with its prefix
	attrs    map[string]string
	text     string // its own, without that of its children
	children []*node
}

// oracle reads a document with encoding/xml, in the slowest and most obvious
// way, by the rules that doc.go states.
func oracle(body []byte, maxValue int) (*Document, error) {
	strict := xml.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := strict.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	root, err := parseTree(body)
	if err != nil {
		return nil, err
	}
	if root.name != "records" {
		return nil, errors.New("root is " + root.name)
	}
	value := func(s string) string { return oracleValue(s, maxValue) }
	doc := &Document{Session: value(root.attrs["session"]), CallBridge: value(root.attrs["callBridge"])}
	for _, n := range root.children {
		if n.name != "record" {
			continue
		}
		index := func(name string, bad int64) int64 { return oracleNumber(value(n.attrs[name]), bad) }
		r := Record{
			RecordIndex:     index("recordIndex", NoIndex),
			CorrelatorIndex: index("correlatorIndex", NoIndex),
			Missing:         index("numPreceedingRecordsMissing", 0),
		}
		// The layout alone is laxer than RFC 3339: it takes hours of one digit.
		if s := value(n.attrs["time"]); len(s) > 10 && s[10] == 'T' && len(s) >= 20 && !strings.Contains(s, ",") {
			if at, err := time.Parse(time.RFC3339, s); err == nil && s[13] == ':' {
				if at = at.UTC(); at.Year() >= 0 && at.Year() <= 9999 {
					r.Time = at
				}
			}
		}
		object := ""
		switch value(n.attrs["type"]) {
		case "callStart":
			r.Type, object = CallStart, "call"
		case "callEnd":
			r.Type, object = CallEnd, "call"
		case "callLegStart":
			r.Type, object = CallLegStart, "callLeg"
		case "callLegUpdate":
			r.Type, object = CallLegUpdate, "callLeg"
		case "callLegEnd":
			r.Type, object = CallLegEnd, "callLeg"
		case "recordingStart":
			r.Type, object = RecordingStart, "recording"
		case "recordingEnd":
			r.Type, object = RecordingEnd, "recording"
		case "streamingStart":
			r.Type, object = StreamingStart, "streaming"
		case "streamingEnd":
			r.Type, object = StreamingEnd, "streaming"
		}
		var o *node
		for _, child := range n.children {
			if child.name == object {
				o = child
			}
		}
		if o != nil {
			id := value(o.attrs["id"])
			fields := map[string]string{}
			for _, child := range o.children {
				fields[child.name] = value(child.text)
			}
			switch object {
			case "call":
				r.Call = oracleCall(id, fields)
			case "callLeg":
				r.Leg = oracleLeg(id, fields)
			case "recording":
				r.Media = Media{ID: id, URL: fields["path"], Call: fields["call"], Leg: fields["callLeg"]}
				if r.Media.URL == "" {
					r.Media.URL = fields["recorderUrl"]
				}
			case "streaming":
				r.Media = Media{ID: id, URL: fields["streamUrl"], Call: fields["call"], Leg: fields["callLeg"]}
				if r.Media.URL == "" {
					r.Media.URL = fields["streamerUrl"]
				}
			}
		}
		doc.Records = append(doc.Records, r)
	}
	return doc, nil
}

func oracleCall(id string, f map[string]string) Call {
	return Call{
		ID:            id,
		Name:          f["name"],
		OwnerName:     f["ownerName"],
		Type:          f["callType"],
		CoSpace:       f["coSpace"],
		Tenant:        f["tenant"],
		CdrTag:        f["cdrTag"],
		Correlator:    f["callCorrelator"],
		LegsCompleted: oracleNumber(f["callLegsCompleted"], 0),
		LegsMaxActive: oracleNumber(f["callLegsMaxActive"], 0),
		Duration:      oracleSeconds(f["durationSeconds"]),
	}
}

func oracleLeg(id string, f map[string]string) Leg {
	ivr, hasIVR := f["ivr"]
	return Leg{
		ID:                 id,
		DisplayName:        f["displayName"],
		RemoteParty:        f["remoteParty"],
		RemoteAddress:      f["remoteAddress"],
		LocalAddress:       f["localAddress"],
		Type:               f["type"],
		SubType:            f["subType"],
		LyncSubType:        f["lyncSubType"],
		Direction:          f["direction"],
		Call:               f["call"],
		IVR:                hasIVR && oracleFlag(ivr) != False,
		State:              f["state"],
		Deactivated:        oracleFlag(f["deactivated"]),
		GuestConnection:    oracleFlag(f["guestConnection"]),
		Recording:          oracleFlag(f["recording"]),
		Streaming:          oracleFlag(f["streaming"]),
		CanMove:            oracleFlag(f["canMove"]),
		OwnerID:            f["ownerId"],
		SipCallID:          f["sipCallId"],
		GroupID:            f["groupId"],
		MovedCallLeg:       f["movedCallLeg"],
		MovedCallLegBridge: f["movedCallLegCallBridge"],
		ReplacesSipCallID:  f["replacesSipCallId"],
		CdrTag:             f["cdrTag"],
		ConfirmationStatus: f["confirmationStatus"],
		Reason:             f["reason"],
		RemoteTeardown:     oracleFlag(f["remoteTeardown"]),
		Duration:           oracleSeconds(f["durationSeconds"]),
		ActivatedDuration:  oracleSeconds(f["activatedDuration"]),
		EncryptedMedia:     oracleFlag(f["encryptedMedia"]),
		UnencryptedMedia:   oracleFlag(f["unencryptedMedia"]),
	}
}

// parseTree reads the elements with their names as written, and checks what
// encoding/xml does not: one root, no text beside it, no repeated attributes, no
// DOCTYPE.
func parseTree(body []byte) (*node, error) {
	name := func(n xml.Name) string {
		if n.Space != "" {
			return n.Space + ":" + n.Local
		}
		return n.Local
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &node{}
	open := []*node{top}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		parent := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: name(token.Name), attrs: map[string]string{}}
			for _, a := range token.Attr {
				if _, ok := n.attrs[name(a.Name)]; ok {
					return nil, errors.New("repeated attribute")
				}
				n.attrs[name(a.Name)] = a.Value
			}
			parent.children = append(parent.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			parent.text += string(token)
		case xml.Directive:
			return nil, errors.New("directive")
		}
	}
	if len(top.children) != 1 {
		return nil, errors.New("not one root")
	}
	if strings.Trim(strings.TrimPrefix(top.text, "\ufeff"), " \t\r\n") != "" {
		return nil, errors.New("text beside the root")
	}
	return top.children[0], nil
}

func oracleValue(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == 0x85:
			return ' '
		case r >= 0x7f && r <= 0x9f:
			return utf8.RuneError
		}
		return r
	}, s)
	s = strings.Trim(s, " ")
	if len(s) > limit {
		n := limit
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = strings.TrimRight(s[:n], " ")
	}
	return s
}

func oracleNumber(s string, bad int64) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strings.ContainsAny(s, "+-_") {
		return bad
	}
	return n
}

func oracleSeconds(s string) time.Duration {
	n := oracleNumber(s, 0)
	if n > math.MaxInt64/1_000_000_000 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func oracleFlag(s string) Flag {
	switch strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s) {
	case "true", "1":
		return True
	case "false", "0":
		return False
	}
	return Absent
}
