package cdr

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// The tokenizer is fast and takes much that is not XML. This file is the strict
// layer: each function checks one kind of token against XML's grammar. Since
// the tokens cover the whole document, a document of which each token is right
// is well-formed.

// Classes of bytes in tags. Names are ASCII here: Cisco's are.
const (
	nameStart = 1 << iota
	nameRest
	colon // of a name with a prefix
	whitespace
)

var tagClass = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c] = nameStart | nameRest
		t[c-'a'+'A'] = nameStart | nameRest
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = nameRest
	}
	t['_'] = nameStart | nameRest
	t[':'] = nameRest | colon
	t['-'], t['.'] = nameRest, nameRest
	t[' '], t['\t'], t['\n'], t['\r'] = whitespace, whitespace, whitespace, whitespace
	return t
}()

// attribute is one attribute of a tag, as the document has it: references in
// the value are checked and not replaced.
type attribute struct {
	name  []byte
	value []byte
}

// badChar returns the offset of the first byte that is not UTF-8 or of the
// first character that XML 1.0 forbids, or -1.
func badChar(b []byte) int {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	for i := 0; i < len(b); {
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			// No byte below 0x20, none above 0x7f: nothing to look at.
			if ((w-ones*0x20)|w)&high == 0 {
				i += 8
				continue
			}
		}
		for end := min(i+8, len(b)); i < end; {
			c := b[i]
			if c < utf8.RuneSelf {
				if c < 0x20 && tagClass[c] != whitespace {
					return i
				}
				i++
				continue
			}
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 || !legalChar(r) {
				return i
			}
			i += size
		}
	}
	return -1
}

// legalChar reports whether XML 1.0 allows a character.
func legalChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xd7ff:
		return true
	case r < 0xe000:
		return false
	case r <= 0xfffd:
		return true
	}
	return 0x10000 <= r && r <= utf8.MaxRune
}

// skipSpace returns the first offset from i on that is not white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && tagClass[b[i]]&whitespace != 0 {
		i++
	}
	return i
}

// scanName returns the end of the name that begins at i, or i if none does. A
// name may have one prefix.
func scanName(b []byte, i int) int {
	if i >= len(b) || tagClass[b[i]]&nameStart == 0 {
		return i
	}
	n, has := i+1, uint8(0)
	for n < len(b) && tagClass[b[n]]&nameRest != 0 {
		has |= tagClass[b[n]]
		n++
	}
	if has&colon != 0 {
		local := b[i+bytes.IndexByte(b[i:n], ':')+1 : n]
		if len(local) == 0 || tagClass[local[0]]&nameStart == 0 || bytes.IndexByte(local, ':') >= 0 {
			return i
		}
	}
	return n
}

// startTag checks a start tag or an empty-element tag and returns its name,
// with the attributes in d.attrs.
func (d *Decoder) startTag(tag []byte) (name []byte, empty bool, err error) {
	d.attrs = d.attrs[:0]
	i := scanName(tag, 1)
	if i == 1 {
		return nil, false, d.syntax(0, "no element name in %s", quote(tag))
	}
	name = tag[1:i]
	for {
		at := i
		i = skipSpace(tag, i)
		// The tokenizer ends a tag with its first > outside quotes: there is one.
		if tag[i] == '>' {
			break
		}
		if tag[i] == '/' {
			empty = true
			i++
			break
		}
		if i == at {
			return nil, false, d.syntax(i, "no space before an attribute: %s", quote(tag[i:]))
		}
		if i, err = d.attribute(tag, i); err != nil {
			return nil, false, err
		}
	}
	if i+1 != len(tag) || tag[i] != '>' {
		return nil, false, d.syntax(i, "no end of the tag: %s", quote(tag[i:]))
	}
	return name, empty, nil
}

// attribute checks the attribute of a tag that begins at i, adds it to d.attrs
// and returns the offset behind it.
func (d *Decoder) attribute(tag []byte, i int) (int, error) {
	n := scanName(tag, i)
	if n == i {
		return 0, d.syntax(i, "no attribute name: %s", quote(tag[i:]))
	}
	name := tag[i:n]
	i = skipSpace(tag, n)
	if tag[i] != '=' {
		return 0, d.syntax(i, "attribute %s has no value", quote(name))
	}
	i = skipSpace(tag, i+1)
	mark := tag[i]
	if mark != '"' && mark != '\'' {
		return 0, d.syntax(i, "value of attribute %s is not quoted", quote(name))
	}
	i++
	n = bytes.IndexByte(tag[i:], mark)
	if n < 0 {
		return 0, d.syntax(i, "value of attribute %s does not end", quote(name))
	}
	value := tag[i : i+n]
	if p := bytes.IndexByte(value, '<'); p >= 0 {
		return 0, d.syntax(i+p, "value of attribute %s has a bare <", quote(name))
	}
	if err := d.references(value, i); err != nil {
		return 0, err
	}
	for j := range d.attrs {
		if string(d.attrs[j].name) == string(name) {
			return 0, d.syntax(i, "attribute %s is repeated", quote(name))
		}
	}
	if len(d.attrs) == maxAttributes {
		return 0, fail(ErrTooManyAttributes, d.pos, "more than %d in %s", maxAttributes, quote(tag))
	}
	d.attrs = append(d.attrs, attribute{name, value})
	return i + n + 1, nil
}

// attr returns the value of an attribute of the tag that was read last.
func (d *Decoder) attr(name string) []byte {
	for i := range d.attrs {
		if string(d.attrs[i].name) == name {
			return d.attrs[i].value
		}
	}
	return nil
}

// endTag checks an end tag and returns its name. Nearly always it is the open
// element's, and right as that was.
func (d *Decoder) endTag(tag []byte) ([]byte, error) {
	if n := len(d.stack); n > 0 && len(tag) == len(d.stack[n-1])+len("</>") && string(tag[2:len(tag)-1]) == string(d.stack[n-1]) {
		return d.stack[n-1], nil
	}
	n := scanName(tag, 2)
	if n == 2 || skipSpace(tag, n) != len(tag)-1 {
		return nil, d.syntax(0, "bad end tag %s", quote(tag))
	}
	return tag[2:n], nil
}

// text checks character data.
func (d *Decoder) text(b []byte) error {
	if d.hasCDATAEnd {
		if p := bytes.Index(b, cdataEnd); p >= 0 {
			return d.syntax(p, "]]> outside of CDATA")
		}
	}
	return d.references(b, 0)
}

var (
	cdataStart   = []byte("<![CDATA[")
	cdataEnd     = []byte("]]>")
	commentStart = []byte("<!--")
	commentEnd   = []byte("-->")
)

// cdata checks a CDATA section and returns its text.
func (d *Decoder) cdata(b []byte) ([]byte, error) {
	if len(b) < len(cdataStart)+len(cdataEnd) || !bytes.HasPrefix(b, cdataStart) {
		return nil, d.syntax(0, "neither CDATA nor a comment: %s", quote(b))
	}
	return b[len(cdataStart) : len(b)-len(cdataEnd)], nil
}

// comment checks a comment.
func (d *Decoder) comment(b []byte) error {
	if len(b) < len(commentStart)+len(commentEnd) || !bytes.HasPrefix(b, commentStart) {
		return d.syntax(0, "bad comment %s", quote(b))
	}
	// Neither -- within it nor - at its end.
	if p := bytes.Index(b[len(commentStart):], []byte("--")); p != len(b)-len(commentStart)-len(commentEnd) {
		return d.syntax(len(commentStart)+p, "-- within a comment")
	}
	return nil
}

// instruction checks a processing instruction; first tells that nothing stands
// before it, where alone an XML declaration may be.
func (d *Decoder) instruction(b []byte, first bool) error {
	n := scanName(b, 2)
	if n == 2 || n != len(b)-2 && tagClass[b[n]]&whitespace == 0 {
		return d.syntax(0, "bad processing instruction %s", quote(b))
	}
	if !equalFold(b[2:n], "xml") {
		return nil
	}
	if !first || string(b[2:n]) != "xml" {
		return d.syntax(0, "XML declaration not at the start: %s", quote(b))
	}
	return d.declaration(b[n : len(b)-2])
}

// declaration checks the inside of an XML declaration: a version, perhaps an
// encoding, perhaps standalone, in this order.
func (d *Decoder) declaration(b []byte) error {
	const version, encoding, standalone = 1, 2, 3
	last := 0
	for i := 0; ; {
		at := i
		i = skipSpace(b, i)
		if i == len(b) {
			break
		}
		n := scanName(b, i)
		name := b[i:n]
		eq := skipSpace(b, n)
		if i == at || n == i || eq == len(b) || b[eq] != '=' {
			return d.syntax(0, "bad XML declaration at %s", quote(b[i:]))
		}
		open := skipSpace(b, eq+1)
		if open == len(b) || b[open] != '"' && b[open] != '\'' {
			return d.syntax(0, "bad XML declaration at %s", quote(b[i:]))
		}
		size := bytes.IndexByte(b[open+1:], b[open])
		if size < 0 {
			return d.syntax(0, "bad XML declaration at %s", quote(b[i:]))
		}
		value := b[open+1 : open+1+size]
		i = open + size + 2

		switch {
		case string(name) == "version" && last == 0:
			last = version
			if string(value) != "1.0" {
				return fail(ErrEncoding, d.pos, "XML version %s", quote(value))
			}
		case string(name) == "encoding" && last == version:
			last = encoding
			if !equalFold(value, "utf-8") {
				return fail(ErrEncoding, d.pos, "encoding %s", quote(value))
			}
		case string(name) == "standalone" && (last == version || last == encoding):
			last = standalone
			if string(value) != "yes" && string(value) != "no" {
				return d.syntax(0, "standalone is %s", quote(value))
			}
		default:
			return d.syntax(0, "%s not allowed here in the XML declaration", quote(name))
		}
	}
	if last == 0 {
		return d.syntax(0, "XML declaration without a version")
	}
	return nil
}

// references checks that each ampersand in b begins a reference that is
// allowed. offset is where b begins in its token.
func (d *Decoder) references(b []byte, offset int) error {
	if !d.hasAmpersand {
		return nil
	}
	for i := 0; ; {
		p := bytes.IndexByte(b[i:], '&')
		if p < 0 {
			return nil
		}
		i += p
		_, size := reference(b[i:])
		if size == 0 {
			return fail(ErrEntity, d.pos+offset+i, "%s", quote(b[i:min(len(b), i+12)]))
		}
		i += size
	}
}

// reference reads the reference at the start of b: one of XML's five entities,
// or the number of a character that XML allows. Its size is 0 if it is neither.
func reference(b []byte) (r rune, size int) {
	for _, e := range [...]struct {
		text string
		r    rune
	}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}} {
		if len(b) >= len(e.text) && string(b[:len(e.text)]) == e.text {
			return e.r, len(e.text)
		}
	}
	if len(b) < 2 || b[1] != '#' {
		return 0, 0
	}
	i, base := 2, rune(10)
	if len(b) > 2 && b[2] == 'x' {
		i, base = 3, 16
	}
	first := i
	for ; i < len(b); i++ {
		digit := rune(16)
		switch c := b[i]; {
		case '0' <= c && c <= '9':
			digit = rune(c - '0')
		case 'a' <= c && c <= 'f':
			digit = rune(c-'a') + 10
		case 'A' <= c && c <= 'F':
			digit = rune(c-'A') + 10
		}
		if digit >= base {
			break
		}
		if r = r*base + digit; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if i == first || i == len(b) || b[i] != ';' || !legalChar(r) {
		return 0, 0
	}
	return r, i + 1
}
