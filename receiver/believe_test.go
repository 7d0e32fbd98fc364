package receiver

import (
	"strings"
	"testing"
)

// A sender whom the board does not believe is told so each time that he comes:
// his documents can be read, so none is set aside and acknowledged.
func TestSenderNotBelieved(t *testing.T) {
	b, log := &fakeBoard{refuses: "this Call Bridge is believed from another address alone"}, &logged{}
	s := start(t, b, Options{RefusedDir: t.TempDir(), Log: log.logger()})
	w := dial(t, s)
	for range 3 {
		w.send(posting(`<records session="` + session + `"><record type="callStart" time="2026-03-02T09:00:00Z" recordIndex="1" correlatorIndex="0"><call id="c"/></record></records>`))
		if status, body, _ := w.answer(); status != 403 || !strings.Contains(body, "another address alone") {
			t.Fatalf("%d %q", status, body)
		}
	}
	if got := s.Stats(); got.Refused != 3 || got.Documents != 0 || got.Records != 0 || b.setAside() != 0 {
		t.Errorf("stats %+v, %d set aside", got, b.setAside())
	}
	if lines := log.lines("sender not believed"); len(lines) != 1 || !strings.Contains(lines[0], "127.0.0.1") {
		t.Errorf("logged %q", lines)
	}
}
