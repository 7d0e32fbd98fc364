package cdr

import (
	"testing"

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
	return cmp.Diff(a, b, cmpopts.EquateEmpty())
}

func TestX(t *testing.T) {}
