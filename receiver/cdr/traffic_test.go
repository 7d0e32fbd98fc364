package cdr

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDecodeSharedTraffic decodes recorded posts that are kept outside of the
// repository, where they are.
func TestDecodeSharedTraffic(t *testing.T) {
	files, err := filepath.Glob("../../../shared/traffic/*/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no recorded traffic beside the repository")
	}
	var d Decoder
	var doc Document
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(body, &doc); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if doc.Session == "" || len(doc.Records) == 0 {
			t.Errorf("%s: got session %q and %d records", file, doc.Session, len(doc.Records))
		}
		for _, r := range doc.Records {
			if r.Type == Unknown || r.Time.IsZero() || r.RecordIndex < 1 || r.CorrelatorIndex < 0 || r.Call.ID+r.Leg.ID == "" {
				t.Errorf("%s: incomplete record %+v", file, r)
			}
		}
		again, err := decodeNew(Append(nil, &doc))
		if err != nil {
			t.Errorf("%s: encoded again: %v", file, err)
		} else if diff := diffDocuments(&doc, again); diff != "" {
			t.Errorf("%s: encoded again (-first +second):\n%s", file, diff)
		}
	}
}
