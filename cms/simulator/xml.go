package simulator

import (
	"bytes"
	"encoding/xml"
	"strconv"
)

// document writes an XML answer.
type document struct {
	buf  bytes.Buffer
	open []string
}

func newDocument() *document {
	d := new(document)
	d.buf.WriteString("<?xml version=\"1.0\"?>\n")
	return d
}

// begin opens an element; attrs are names and values in turn.
func (d *document) begin(name string, attrs ...string) *document {
	d.tag(name, attrs)
	d.buf.WriteString(">")
	d.open = append(d.open, name)
	return d
}

func (d *document) tag(name string, attrs []string) {
	d.buf.WriteString("<" + name)
	for i := 0; i < len(attrs); i += 2 {
		d.buf.WriteString(" " + attrs[i] + `="`)
		_ = xml.EscapeText(&d.buf, []byte(attrs[i+1])) // a Buffer does not fail
		d.buf.WriteString(`"`)
	}
}

// end closes the innermost element.
func (d *document) end() *document {
	last := len(d.open) - 1
	d.buf.WriteString("</" + d.open[last] + ">\n")
	d.open = d.open[:last]
	return d
}

// empty writes an empty element, as <name />.
func (d *document) empty(name string, attrs ...string) *document {
	d.tag(name, attrs)
	d.buf.WriteString(" />")
	return d
}

// text writes an element, if it has a value.
func (d *document) text(name, value string) *document {
	if value == "" {
		return d
	}
	return d.always(name, value)
}

// always writes an element, even an empty one.
func (d *document) always(name, value string) *document {
	d.buf.WriteString("<" + name + ">")
	_ = xml.EscapeText(&d.buf, []byte(value))
	d.buf.WriteString("</" + name + ">")
	return d
}

func (d *document) number(name string, n int) *document { return d.always(name, strconv.Itoa(n)) }

func (d *document) flag(name string, b bool) *document { return d.always(name, strconv.FormatBool(b)) }

// bytes closes what is open and returns the document.
func (d *document) bytes() []byte {
	for len(d.open) > 0 {
		d.end()
	}
	return d.buf.Bytes()
}
