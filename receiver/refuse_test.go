package receiver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"callmark/policy"
)

const (
	session = "7d0c2b1e-4f4a-4a53-9c11-2f0f6b1f7a01"
	bridge  = "c1a5f0de-0d0e-4c43-8e4c-7f0f5b6f0b01"
)

// broken is a document whose session can be made out all the same.
const broken = `<?xml version="1.0"?><records session="` + session + `" callBridge='` + bridge + `'><record type="callLegStart"><callLeg id="x"></record></records>`

func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestRefusedTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "refused")
	b, log := &fakeBoard{}, &logged{}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := start(t, b, Options{RefusedDir: dir, Log: log.logger(), Now: func() time.Time { return now }})
	w := dial(t, s)

	w.send(posting(broken))
	if status, body, _ := w.answer(); status != 400 || !strings.Contains(body, "end tag") {
		t.Fatalf("the first time: %d %q", status, body)
	}
	if b.setAside() != 0 || len(files(t, dir)) != 0 {
		t.Fatal("set aside the first time")
	}
	w.send(posting(broken))
	if status, body, _ := w.answer(); status != 200 || body != "" {
		t.Fatalf("the second time: %d %q", status, body)
	}
	want := []policy.Source{{Session: session, CallBridge: bridge, Address: "127.0.0.1"}}
	if diff := cmp.Diff(want, b.asideOf); diff != "" {
		t.Errorf("set aside (-want +got):\n%s", diff)
	}
	kept := files(t, dir)
	if len(kept) != 1 || !strings.HasPrefix(kept[0], "20260302T090000.000Z-") {
		t.Fatalf("kept %v", kept)
	}
	if !strings.Contains(b.aside[0], "not well-formed XML: ") || !strings.HasSuffix(b.aside[0], "; kept as "+filepath.Join(dir, kept[0])) {
		t.Errorf("reason %q", b.aside[0])
	}
	if got := read(t, filepath.Join(dir, kept[0])); got != broken {
		t.Errorf("kept %q", got)
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, kept[0]): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}

	// Should it come again (the answer was lost), it is acknowledged, and not
	// written again.
	w.send(posting(broken))
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("the third time: %d", status)
	}
	if len(files(t, dir)) != 1 || b.setAside() != 2 || b.aside[1] != b.aside[0] {
		t.Errorf("the third time: %v, %v", files(t, dir), b.aside)
	}
	if b.applied() != 0 {
		t.Error("something was applied")
	}
	if got := s.Stats(); got.Refused != 1 || got.SetAside != 2 {
		t.Errorf("stats %+v", got)
	}
	if n := len(log.lines("document set aside")); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// TestSetAside goes through what else must not stall the sender.
func TestSetAside(t *testing.T) {
	large := broken + strings.Repeat(" ", 200_000)
	encoded := "POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, request string
		dir           string
		first         int
		reason        string // at its end
		session       string
		alarm         bool
	}{
		{"no folder", posting(broken), "", 400, "not kept, receiver.refused_dir is not set", session, false},
		{"no way to write", posting(broken), filepath.Join(file, "x"), 400, "not a directory", session, true},
		{"too large", posting(large), t.TempDir(), 413, "larger than 100000 bytes; not kept, it is too large", session, false},
		{"too large, chunked", chunked(large, 4096), t.TempDir(), 413, "not kept, it is too large", session, false},
		{"too large, no session", posting(strings.Repeat("x", 200_000)), t.TempDir(), 413, "not kept, it is too large", "", false},
		{"encoded", encoded, "", 415, "", "", false},
		{"empty", posting(""), "", 400, "", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &fakeBoard{}
			s := start(t, b, Options{RefusedDir: test.dir, MaxBody: 100_000})
			w := dial(t, s)
			for i, want := range []int{test.first, 200, 200} {
				w.send(test.request)
				if status, body, _ := w.answer(); status != want {
					t.Fatalf("time %d: %d %q, want %d", i+1, status, body, want)
				}
				if b.setAside() != i {
					t.Fatalf("time %d: set aside %d times", i+1, b.setAside())
				}
			}
			if got := b.aside[0]; !strings.HasSuffix(got, test.reason) {
				t.Errorf("reason %q", got)
			}
			if got := b.asideOf[0]; got.Session != test.session || got.Address != "127.0.0.1" {
				t.Errorf("of %+v", got)
			}
			if b.alarm(keepAlarm) != test.alarm {
				t.Errorf("alarm: %v", !test.alarm)
			}
		})
	}
}

// TestKeepAgain has the folder mended after it could not be written to.
func TestKeepAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "refused")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := &fakeBoard{}
	s := start(t, b, Options{RefusedDir: dir})
	post(t, s, broken)
	if status, _ := post(t, s, broken); status != 200 || !b.alarm(keepAlarm) {
		t.Fatalf("got %d, alarm %v", status, b.alarm(keepAlarm))
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if status, _ := post(t, s, broken); status != 200 || b.alarm(keepAlarm) || len(files(t, dir)) != 1 {
		t.Errorf("got %d, alarm %v, %v", status, b.alarm(keepAlarm), files(t, dir))
	}
}

// TestTooLargeIsKnownByItsBeginning has one large document differ from another of its length.
func TestTooLargeIsKnownByItsBeginning(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{MaxBody: 1000})
	for i := range 3 {
		if status, _ := post(t, s, fmt.Sprintf("%d%2000s", i, "x")); status != 413 {
			t.Errorf("document %d: %d", i, status)
		}
	}
}

func TestPanic(t *testing.T) {
	b, log := &fakeBoard{}, &logged{}
	b.onApply = func() { panic("the board is broken") }
	s := start(t, b, Options{Log: log.logger()})
	w := dial(t, s)
	join := read(t, "testdata/join.xml")
	w.send(posting(join))
	if status, body, _ := w.answer(); status != 500 || strings.Contains(body, "broken") {
		t.Errorf("got %d %q", status, body)
	}
	// What the board had of it is in doubt already: its records may be known to
	// it, and be skipped when they come again.
	if b.setAside() != 1 || b.asideOf[0] != (policy.Source{Session: session, CallBridge: bridge, Address: "127.0.0.1"}) {
		t.Errorf("in doubt: %+v", b.asideOf)
	}
	// The connection goes on, and the second time the document is set aside.
	w.send(posting(join))
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("got %d the second time", status)
	}
	if b.setAside() != 3 || b.asideOf[2].Session != session || !strings.Contains(b.aside[2], "not kept") {
		t.Errorf("set aside %+v", b.asideOf)
	}
	if lines := log.lines("the board is broken"); len(lines) != 1 || !strings.Contains(lines[0], "refuse_test.go") {
		t.Errorf("the log has %d lines, or no stack", len(lines))
	}
	if got := s.Stats(); got.Panics != 2 || got.Refused != 1 {
		t.Errorf("stats %+v", got)
	}
	b.onSetAside = func() { panic("all of it") }
	w.send(posting(join))
	if status, _, _ := w.answer(); status != 200 {
		t.Errorf("got %d when nothing works", status)
	}
	// It is tried before it is set aside again.
	b.onApply = nil
	w.send(posting(join))
	if status, _, _ := w.answer(); status != 200 || b.applied() != 1 {
		t.Errorf("got %d, %d applied", status, b.applied())
	}
}

// TestPanicInRequest panics beside a document.
func TestPanicInRequest(t *testing.T) {
	log := &logged{}
	s := start(t, &fakeBoard{}, Options{Log: log.logger()})
	s.works.New = func() any { panic("no work") }
	if status, body := post(t, s, broken); status != 500 || body != "internal error\n" {
		t.Errorf("got %d %q", status, body)
	}
	if len(log.lines("no work")) != 1 {
		t.Error("it is not logged")
	}
}

// TestPanicGivesMemoryBack panics while a large document is answered.
func TestPanicGivesMemoryBack(t *testing.T) {
	var broke atomic.Bool
	b := &fakeBoard{onApply: func() { broke.Store(true) }}
	s := start(t, b, Options{Now: func() time.Time {
		if broke.CompareAndSwap(true, false) {
			panic("no time")
		}
		return time.Now()
	}})
	b.refuses = "it is not believed" // so that its refusal asks for the time
	if status, _ := post(t, s, `<records session="s"/>`+strings.Repeat(" ", 150_000)); status != 500 {
		t.Errorf("got %d", status)
	}
	until(t, "the memory is free again", func() bool { return s.large.Load() == 0 })
}

func TestPanicInConnection(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	s.http.ConnState = func(net.Conn, fasthttp.ConnState) { panic("no state") }
	w := dial(t, s)
	w.send(posting(broken))
	if !w.ended() {
		t.Error("the connection goes on")
	}
	until(t, "it is counted", func() bool { return s.Stats().Panics > 0 && s.Stats().Connections == 0 })
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	f := folder{dir: dir, maxFiles: 3, maxBytes: 100}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, name := range []string{"letter.txt", "20260101T000000.000Z-0011223344556677.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	for i, size := range []int{10, 10, 10, 10, 75, 60, 100} {
		path, err := f.keep(at.Add(time.Duration(i)*time.Second), identity{byte(i)}, make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Base(path))
		var want []string
		for _, j := range [][]int{{0}, {0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {5}, {6}}[i] {
			want = append(want, paths[j])
		}
		want = append(want, "letter.txt") // not ours
		if diff := cmp.Diff(want, files(t, dir)); diff != "" {
			t.Errorf("after %d (-want +got):\n%s", i, diff)
		}
	}
	if _, err := f.keep(at, identity{9}, make([]byte, 101)); err == nil {
		t.Error("more than the folder is to hold was kept")
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("it holds %v", got)
	}
}

// TestFolderIsBounded sends different garbage for as long as it likes.
func TestFolderIsBounded(t *testing.T) {
	dir := t.TempDir()
	b := &fakeBoard{}
	s := start(t, b, Options{RefusedDir: dir})
	w := dial(t, s)
	for i := range maxFiles + 20 {
		for range 2 {
			w.send(posting(fmt.Sprintf("<garbage%d>", i)))
			w.answer()
		}
	}
	if n := len(files(t, dir)); n != maxFiles {
		t.Errorf("%d files", n)
	}
	if b.setAside() != maxFiles+20 {
		t.Errorf("%d set aside", b.setAside())
	}
}

func TestMemory(t *testing.T) {
	m := memory{max: 3}
	seen := func(n byte) bool { ok, _ := m.seen(identity{n}); return ok }
	var got []bool
	for _, n := range []byte{1, 2, 3, 1, 4, 1, 2, 3} { // 4 drives out 2, 2 drives out 3
		got = append(got, seen(n))
	}
	if want := []bool{false, false, false, true, false, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(m.known) != 3 || m.recent.Len() != 3 {
		t.Errorf("%d, %d remembered", len(m.known), m.recent.Len())
	}
	m.note(identity{3}, "here")
	if ok, kept := m.seen(identity{3}); !ok || kept != "here" {
		t.Errorf("got %v %q", ok, kept)
	}
}

func TestHeadOf(t *testing.T) {
	for body, want := range map[string]policy.Source{
		broken: {Session: session, CallBridge: bridge},
		`<records callBridge = "` + bridge + `" session=' ` + session + `'`:   {Session: session, CallBridge: bridge},
		`<records xsession="` + session + `"/>`:                               {},
		`<records session="not a guid"/>`:                                     {},
		`<records session="` + session:                                        {},
		strings.Repeat(" ", maxHead) + `<records session="` + session + `"/>`: {},
		"": {},
		`<records session="` + strings.Repeat("a", 65) + `" callBridge="` + bridge + `"`: {CallBridge: bridge},
	} {
		if got := headOf([]byte(body)); got != want {
			t.Errorf("%.60q: got %+v", body, got)
		}
	}
}
