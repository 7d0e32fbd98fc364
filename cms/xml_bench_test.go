package cms

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkList reads a page of call legs as a server lists them.
func BenchmarkList(b *testing.B) {
	var page strings.Builder
	fmt.Fprintf(&page, `<?xml version="1.0"?><callLegs total="%d">`, pageSize)
	for i := range pageSize {
		fmt.Fprintf(&page, `<callLeg id="%08x-8d1c-4b0f-9f4e-0123456789ab"><name>Somebody %d</name><remoteParty>sip:%d@example.org</remoteParty><call>6a2b8f0e-8d1c-4b0f-9f4e-0123456789ab</call></callLeg>`, i, i, i)
	}
	page.WriteString(`</callLegs>`)
	b.SetBytes(int64(page.Len()))
	b.ReportAllocs()
	for b.Loop() {
		root, err := parse(strings.NewReader(page.String()), func(s string) string { return s })
		if err != nil || root.first == nil {
			b.Fatal(root, err)
		}
	}
}
