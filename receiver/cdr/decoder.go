package cdr

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/orisano/gosax"
)

const (
	// bufferSize is the tokenizer's buffer: most documents are far smaller.
	bufferSize = 16 << 10

	// maxScratch is the most scratch memory, in bytes, that a Decoder keeps for
	// the next document after a large one.
	maxScratch = 64 << 10

	// maxSenders is how many ids of senders a Decoder keeps, maxSender how long
	// these may be, in bytes: a GUID has 36.
	maxSenders = 64
	maxSender  = 64

	// manyPending is more values than a record has that does not repeat its
	// elements.
	manyPending = 32
)

// Decoder reads CDR documents. Its zero value is ready, with the default
// limits. It keeps its buffers from one document to the next, so use one often;
// it must not be used by two goroutines at a time.
type Decoder struct {
	Limits Limits // applies to the documents that are decoded from now on

	// Brief leaves out what callmark does not use: of a Call all but ID, Name and
	// Correlator; of a Leg LocalAddress, LyncSubType, Direction, CanMove, all ids but
	// its own and those of its call and group, CdrTag, ConfirmationStatus, and what
	// only its end tells but for Reason; of a Media all but ID. All that is kept of a
	// record is one piece of memory, less than half as large without.
	Brief bool

	// Kept from one document to the next.
	tokens  *gosax.Reader
	senders map[string]string // ids of sessions and Call Bridges, to be shared by documents
	reader  bytes.Reader
	stack   [][]byte    // names of the open elements
	attrs   []attribute // of the tag that was read last
	pending []pending   // values of the open record
	value   value

	// The document being read.
	limits       Limits
	size         int
	pos          int // where the token that is being read begins
	hasAmpersand bool
	hasCDATAEnd  bool
	rooted       bool      // the root element has been seen
	record       *Record   // the open record element
	object       bool      // the open element of level 3 is the one that the record's type names
	field        any       // pointer to the field of the record that the open element of level 4 is for, or nil
	urls         [2]string // the two elements that can give Media.URL, the preferred one first
}

// pending is a value of the open record: its place in the value buffer, and the
// field that it is for.
type pending struct {
	field      *string
	text       string // the value itself, if it is one of our constants
	start, end int
}

// Decode reads one document into doc, whose Records it reuses. After an error
// doc is empty. The strings in doc own their memory: body may be reused at once.
func (d *Decoder) Decode(body []byte, doc *Document) (err error) {
	clear(doc.Records)
	*doc = Document{Records: doc.Records[:0]}
	defer d.finish(doc, &err)
	d.size = len(body)
	d.limits = d.Limits.orDefaults()
	if len(body) > d.limits.MaxBytes {
		return fail(ErrTooLarge, d.limits.MaxBytes, "it has %d bytes, at most %d are taken", len(body), d.limits.MaxBytes)
	}
	if i := badChar(body); i >= 0 {
		return fail(ErrEncoding, i, "found %s", quote(body[i:min(len(body), i+4)]))
	}
	d.value.max = d.limits.MaxValue
	d.hasAmpersand = bytes.IndexByte(body, '&') >= 0
	d.hasCDATAEnd = bytes.Contains(body, cdataEnd)
	return d.read(body, doc)
}

// finish ends every Decode: it makes an error of a panic, empties doc after an
// error, and lets go of the document's memory.
func (d *Decoder) finish(doc *Document, err *error) {
	if p := recover(); p != nil {
		d.tokens = nil
		*err = fmt.Errorf("%w: at byte %d: %w", ErrSyntax, d.pos, errPanic)
	}
	if *err != nil {
		clear(doc.Records)
		*doc = Document{Records: doc.Records[:0]}
	}
	if d.size > maxScratch {
		// A long token makes the tokenizer's buffer grow, for good.
		d.tokens = nil
	}
	d.reader.Reset(nil)
	d.record, d.field = nil, nil
	clear(d.stack[:cap(d.stack)])
	clear(d.attrs[:cap(d.attrs)])
	if cap(d.value.buf) > maxScratch {
		d.value.buf = nil
	}
	clear(d.pending[:cap(d.pending)])
}

// read reads the document's tokens. They lie end to end in body, so that the
// position alone finds the next one there, in memory that stays as it is.
func (d *Decoder) read(body []byte, doc *Document) error {
	d.pos = len(body) - len(bytes.TrimPrefix(body, byteOrderMark))
	first := d.pos
	d.stack = d.stack[:0]
	d.rooted, d.object, d.record, d.field = false, false, nil, nil
	d.value.buf = d.value.buf[:0]
	d.reader.Reset(body[first:])
	if d.tokens == nil {
		d.tokens = gosax.NewReaderSize(&d.reader, bufferSize)
	} else {
		d.tokens.Reset(&d.reader)
	}
	for {
		event, err := d.tokens.Event()
		if err == io.EOF {
			return d.syntax(0, "the document ends in the middle of %s", quote(body[d.pos:]))
		}
		if err != nil {
			return d.syntax(0, "bad markup %s", quote(body[d.pos:]))
		}
		token := body[d.pos : d.pos+len(event.Bytes)]
		switch event.Type() {
		case gosax.EventStart:
			err = d.start(token, doc)
		case gosax.EventEnd:
			err = d.end(token)
		case gosax.EventText:
			err = d.characters(token)
		case gosax.EventCData:
			err = d.section(token)
		case gosax.EventComment:
			err = d.comment(token)
		case gosax.EventProcessingInstruction:
			err = d.instruction(token, d.pos == first)
		case gosax.EventDocType:
			err = fail(ErrDoctype, d.pos, "found %s", quote(token))
		case gosax.EventEOF:
			return d.complete()
		default:
			err = d.syntax(0, "bad markup %s", quote(token))
		}
		if err != nil {
			return err
		}
		d.pos += len(token)
	}
}

var byteOrderMark = []byte("\ufeff")

// syntax is an ErrSyntax at an offset into the token that is being read.
func (d *Decoder) syntax(offset int, format string, args ...any) error {
	return fail(ErrSyntax, d.pos+offset, format, args...)
}

// start takes a start tag, or an empty-element tag with its end.
func (d *Decoder) start(token []byte, doc *Document) error {
	name, empty, err := d.startTag(token)
	if err != nil {
		return err
	}
	if len(d.stack) >= d.limits.MaxDepth {
		return fail(ErrTooDeep, d.pos, "%s, at most %d are taken", quote(token), d.limits.MaxDepth)
	}
	d.stack = append(d.stack, name)
	switch len(d.stack) {
	case 1:
		err = d.startRecords(name, doc)
	case 2:
		if string(name) == "record" {
			err = d.startRecord(doc)
		}
	case 3:
		if d.record != nil {
			d.startObject(name)
		}
	case fieldLevel:
		if d.object {
			d.field = d.fieldFor(name)
			d.value.begin()
		}
	}
	if err == nil && empty {
		d.leave()
	}
	return err
}

// fieldLevel is the level of the elements that hold values: records, record,
// callLeg, displayName.
const fieldLevel = 4

// end takes an end tag.
func (d *Decoder) end(token []byte) error {
	name, err := d.endTag(token)
	if err != nil {
		return err
	}
	if len(d.stack) == 0 {
		return d.syntax(0, "end tag %s without a start", quote(name))
	}
	if open := d.stack[len(d.stack)-1]; !bytes.Equal(open, name) {
		return d.syntax(0, "end tag %s where %s is open", quote(name), quote(open))
	}
	d.leave()
	return nil
}

// leave closes the innermost element.
func (d *Decoder) leave() {
	switch len(d.stack) {
	case 2:
		d.endRecord()
	case 3:
		d.object = false
	case fieldLevel:
		d.endField()
	}
	d.stack = d.stack[:len(d.stack)-1]
}

// characters takes text between tags.
func (d *Decoder) characters(token []byte) error {
	if len(d.stack) == 0 {
		if p := skipSpace(token, 0); p < len(token) {
			return d.syntax(p, "text outside of the root element: %s", quote(token[p:]))
		}
		return nil
	}
	if err := d.text(token); err != nil {
		return err
	}
	if d.field != nil && len(d.stack) == fieldLevel {
		d.value.add(token, true)
	}
	return nil
}

// section takes a CDATA section.
func (d *Decoder) section(token []byte) error {
	text, err := d.cdata(token)
	if err != nil {
		return err
	}
	if len(d.stack) == 0 {
		return d.syntax(0, "CDATA outside of the root element")
	}
	if d.field != nil && len(d.stack) == fieldLevel {
		d.value.add(text, false)
	}
	return nil
}

// complete checks that the document was all there.
func (d *Decoder) complete() error {
	if !d.rooted {
		return d.syntax(0, "no root element: send a <records> document")
	}
	if n := len(d.stack); n > 0 {
		return d.syntax(0, "the document ends within element %s", quote(d.stack[n-1]))
	}
	return nil
}

// startRecords takes the root element.
func (d *Decoder) startRecords(name []byte, doc *Document) error {
	if d.rooted {
		return d.syntax(0, "a second root element %s", quote(name))
	}
	d.rooted = true
	if string(name) != "records" {
		return fail(ErrNotRecords, d.pos, "found %s", quote(name))
	}
	doc.Session, doc.CallBridge = d.sender(d.attrValue("session")), d.sender(d.attrValue("callBridge"))
	if doc.Session == "" {
		return fail(ErrNoSession, d.pos, "attribute session is missing or empty")
	}
	return nil
}

// sender returns an id as documents before had it: nearly all come from the same
// few sessions.
func (d *Decoder) sender(id []byte) string {
	if s, ok := d.senders[string(id)]; ok {
		return s
	}
	if len(id) > maxSender {
		return string(id)
	}
	if len(d.senders) >= maxSenders || d.senders == nil {
		d.senders = make(map[string]string, maxSenders)
	}
	s := string(id)
	d.senders[s] = s
	return s
}

// attrValue returns an attribute of the tag that was read last, as a value. It
// is valid until the next value.
func (d *Decoder) attrValue(name string) []byte {
	d.value.begin()
	d.value.add(d.attr(name), true)
	v := d.value.end()
	d.value.drop()
	return v
}

// startRecord takes a record element and its attributes.
func (d *Decoder) startRecord(doc *Document) error {
	if len(doc.Records) >= d.limits.MaxRecords {
		return fail(ErrTooManyRecords, d.pos, "at most %d are taken", d.limits.MaxRecords)
	}
	doc.Records = append(doc.Records, Record{})
	d.record = &doc.Records[len(doc.Records)-1]
	d.record.Type = parseType(d.attrValue("type"))
	d.record.Time = parseTime(d.attrValue("time"))
	d.record.RecordIndex = parseNumber(d.attrValue("recordIndex"), math.MaxInt64, NoIndex)
	d.record.CorrelatorIndex = parseNumber(d.attrValue("correlatorIndex"), math.MaxInt64, NoIndex)
	d.record.Missing = parseNumber(d.attrValue("numPreceedingRecordsMissing"), math.MaxInt64, 0)
	d.value.buf = d.value.buf[:0]
	d.pending = d.pending[:0]
	return nil
}

// startObject takes an element within a record: call, callLeg, recording or
// streaming. If it is repeated, the last one counts, and it alone.
func (d *Decoder) startObject(name []byte) {
	var id *string
	r := d.record
	switch string(name) {
	case "call":
		if r.Type == CallStart || r.Type == CallEnd {
			r.Call = Call{}
			id = &r.Call.ID
		}
	case "callLeg":
		if r.Type == CallLegStart || r.Type == CallLegUpdate || r.Type == CallLegEnd {
			r.Leg = Leg{}
			id = &r.Leg.ID
		}
	case "recording":
		if r.Type == RecordingStart || r.Type == RecordingEnd {
			r.Media = Media{}
			id = &r.Media.ID
		}
	case "streaming":
		if r.Type == StreamingStart || r.Type == StreamingEnd {
			r.Media = Media{}
			id = &r.Media.ID
		}
	}
	if id == nil {
		return
	}
	d.object = true
	d.pending = d.pending[:0]
	d.value.buf = d.value.buf[:0]
	d.value.begin()
	d.value.add(d.attr("id"), true)
	d.keep(id)
}

// keep closes the open value and sets it aside for a field of the record.
func (d *Decoder) keep(field *string) {
	p := pending{field: field}
	if c, ok := constant(d.value.end()); ok {
		p.text = c
		d.value.drop()
	} else {
		p.start, p.end = d.value.start, len(d.value.buf)
	}
	if len(d.pending) >= manyPending {
		// The last one counts, so it can stand for those before: or a document
		// of one record would take many times its length.
		for i := len(d.pending) - 1; i >= 0; i-- {
			if d.pending[i].field == field {
				d.pending[i] = p
				return
			}
		}
	}
	d.pending = append(d.pending, p)
}

// endField gives the value of the open field to its record.
func (d *Decoder) endField() {
	switch f := d.field.(type) {
	case *string:
		d.keep(f)
	case *Flag:
		*f = parseFlag(d.value.end())
		d.value.drop()
	case *int64:
		*f = parseNumber(d.value.end(), math.MaxInt64, 0)
		d.value.drop()
	case *time.Duration:
		*f = parseSeconds(d.value.end())
		d.value.drop()
	case *bool:
		// Its presence says it, unless its content says the contrary.
		*f = parseFlag(d.value.end()) != False
		d.value.drop()
	}
	d.field = nil
}

// endRecord closes the element of level 2. It copies the record's values out of
// the buffer, all into one string.
func (d *Decoder) endRecord() {
	if d.record == nil {
		return
	}
	all := string(d.value.buf)
	for _, p := range d.pending {
		if p.start < p.end {
			p.text = all[p.start:p.end]
		}
		*p.field = p.text
	}
	d.record.Media.URL = cmp.Or(d.urls[0], d.urls[1])
	d.urls = [2]string{}
	d.pending = d.pending[:0]
	d.record = nil
}
