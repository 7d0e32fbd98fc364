package cms

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Bounds of an answer.
const (
	maxAnswer = 4 << 20 // bytes, unpacked
	maxDepth  = 16      // nested elements; the API uses five
	maxNodes  = 100_000
	maxEquals = 100_000 // equals signs, so at most as many attributes; the API has about one an element
	maxAttrs  = 32      // attributes of one element; the API uses two
	maxField  = 4096    // bytes of one text that are kept
)

// node is an element of an answer. Names are lower case, since Cisco's API
// guide calls them case-insensitive and its tables do not agree on the case.
type node struct {
	name        string
	attrs       []attr
	text        string // of one that was cut, the blanks at its end are part: it stays too long
	first, last *node  // of its children
	next        *node  // of its parent's
	bytes       int    // of the whole answer, unpacked; of the root only
}

// attr is an attribute, its name in lower case.
type attr struct{ name, value string }

var (
	errTooLong   = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	errAttribute = fmt.Errorf("the answer has more than %d attributes", maxEquals)
)

// bounded reads an answer up to its bounds.
type bounded struct {
	r      io.Reader
	bytes  int
	equals int // encoding/xml makes something of every attribute before we see it
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(len(p), maxAnswer+1-b.bytes)])
	b.bytes += n
	if b.bytes > maxAnswer {
		return n, errTooLong
	}
	if b.equals += bytes.Count(p[:n], []byte("=")); b.equals > maxEquals {
		return n, errAttribute
	}
	return n, err
}

var buffers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// parse reads an answer. An empty one gives nil: the API answers so to a PUT.
// Every text passes hide, which takes out what a server must not tell back.
func parse(r io.Reader, hide func(string) string) (*node, error) {
	limited := &bounded{r: r}
	buffer := buffers.Get().(*bufio.Reader)
	defer func() { buffer.Reset(nil); buffers.Put(buffer) }()
	buffer.Reset(limited)
	d := xml.NewDecoder(buffer)
	var root *node
	var open []*node
	var names [maxDepth]xml.Name // of the open ones, as they came
	var texts [maxDepth][]byte   // of the open ones; one byte more than is kept says that there was more
	count := 0
	for {
		// RawToken leaves namespaces alone, of which the API has none, and makes one
		// copy less than Token; that every element ends is looked at here.
		token, err := d.RawToken()
		if limited.bytes > maxAnswer {
			return nil, errTooLong
		}
		if err == io.EOF {
			if len(open) > 0 {
				return nil, fmt.Errorf("the answer ends within %s", open[len(open)-1].name)
			}
			if root != nil {
				root.bytes = limited.bytes
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxNodes {
				return nil, fmt.Errorf("the answer has more than %d elements", maxNodes)
			}
			if len(open) == maxDepth {
				return nil, fmt.Errorf("the answer is nested deeper than %d elements", maxDepth)
			}
			if len(t.Attr) > maxAttrs {
				return nil, fmt.Errorf("an element of the answer has more than %d attributes", maxAttrs)
			}
			n := &node{name: strings.ToLower(t.Name.Local)}
			if len(t.Attr) > 0 {
				n.attrs = make([]attr, 0, len(t.Attr))
			}
			for _, a := range t.Attr {
				name := strings.ToLower(a.Name.Local)
				if slices.ContainsFunc(n.attrs, func(a attr) bool { return a.name == name }) {
					return nil, errors.New("the answer gives an attribute twice")
				}
				n.attrs = append(n.attrs, attr{name, hide(cut(a.Value, maxField))})
			}
			switch {
			case len(open) > 0:
				top := open[len(open)-1]
				if top.last == nil {
					top.first = n
				} else {
					top.last.next = n
				}
				top.last = n
			case root != nil:
				return nil, errors.New("the answer has two roots")
			default:
				root = n
			}
			names[len(open)], texts[len(open)] = t.Name, texts[len(open)][:0]
			open = append(open, n)
		case xml.EndElement:
			last := len(open) - 1
			if last < 0 || names[last] != t.Name {
				return nil, fmt.Errorf("the answer ends %q where it has not begun", cut(t.Name.Local, maxText))
			}
			text := texts[last]
			if len(text) <= maxField {
				text = bytes.TrimSpace(text)
			}
			open[last].text = hide(string(text[:min(len(text), maxField)]))
			open = open[:last]
		case xml.CharData:
			if len(open) > 0 {
				text := &texts[len(open)-1]
				*text = append(*text, t[:min(len(t), maxField+1-len(*text))]...)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("the answer is not XML")
			}
		case xml.Directive: // a DOCTYPE; the API sends none
			return nil, errors.New("the answer has a DOCTYPE")
		}
	}
}

// cut is at most the first bytes of a text, and keeps no more of it.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.Clone(s[:most])
}

// child is the first child of that name (lower case), or nil. It may be called
// on nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for c := n.first; c != nil; c = c.next {
		if c.name == name {
			return c
		}
	}
	return nil
}

// get is the text of the first child of that name, or "".
func (n *node) get(name string) string {
	if c := n.child(name); c != nil {
		return c.text
	}
	return ""
}

// attr is an attribute, or "". It may be called on nil.
func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// number reads a count. What is none gives -1.
func number(s string) int64 {
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || v < 0 {
		return -1
	}
	return v
}
