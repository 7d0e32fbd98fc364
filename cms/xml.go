package cms

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of an answer.
const (
	maxAnswer = 4 << 20 // bytes, unpacked
	maxDepth  = 16      // nested elements; the API uses five
	maxNodes  = 100_000
	maxField  = 4096 // bytes of one text that are kept
)

// node is an element of an answer. Names are lower case, since Cisco's API
// guide calls them case-insensitive and its tables do not agree on the case.
type node struct {
	name     string
	attrs    map[string]string
	text     string
	children []*node
}

var errTooLong = fmt.Errorf("the answer has more than %d bytes", maxAnswer)

// parse reads an answer. An empty one gives nil: the API answers so to a PUT.
func parse(r io.Reader) (*node, error) {
	limited := &io.LimitedReader{R: r, N: maxAnswer + 1}
	d := xml.NewDecoder(limited)
	var root *node
	var open []*node
	count := 0
	for {
		token, err := d.Token()
		if limited.N <= 0 {
			return nil, errTooLong
		}
		if err == io.EOF {
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
			n := &node{name: strings.ToLower(t.Name.Local)}
			for _, a := range t.Attr {
				if n.attrs == nil {
					n.attrs = make(map[string]string, len(t.Attr))
				}
				n.attrs[strings.ToLower(a.Name.Local)] = a.Value
			}
			switch {
			case len(open) > 0:
				top := open[len(open)-1]
				top.children = append(top.children, n)
			case root != nil:
				return nil, errors.New("the answer has two roots")
			default:
				root = n
			}
			open = append(open, n)
		case xml.EndElement:
			n := open[len(open)-1]
			n.text = strings.TrimSpace(n.text)
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				if n := open[len(open)-1]; len(n.text) < maxField {
					n.text += string(t[:min(len(t), maxField)])
				}
			} else if strings.TrimSpace(string(t)) != "" {
				return nil, errors.New("the answer is not XML")
			}
		case xml.Directive: // a DOCTYPE; the API sends none
			return nil, errors.New("the answer has a DOCTYPE")
		}
	}
}

// child is the first child of that name (lower case), or nil. It may be called
// on nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
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
	return n.attrs[name]
}

// number reads a count. What is none gives -1.
func number(s string) int64 {
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || v < 0 {
		return -1
	}
	return v
}
