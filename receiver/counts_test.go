package receiver

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"callmark/receiver/cdr"
)

// constants returns the names of a package's constants, or variables, that begin
// so.
func constants(t *testing.T, folder, prefix string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), folder+"/"+e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for _, n := range v.Names {
					if strings.HasPrefix(n.Name, prefix) && len(n.Name) > len(prefix) && n.Name[len(prefix)] <= 'Z' {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func asking(method, path string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: callmark\r\nContent-Length: 0\r\n\r\n"
}

// Everything that a request can be refused for, and a document cannot be decoded
// for, is counted from 0 on: what has never happened must not look like what is
// not measured.
func TestCausesAreComplete(t *testing.T) {
	if names := constants(t, ".", "cause"); len(names)-1 != len(causes) { // causeAside
		t.Errorf("there are %d causes, add what is new to causes: %q", len(names), names)
	}
	if names := constants(t, "cdr", "Err"); len(names) != len(undecodable) {
		t.Errorf("the decoder has %d errors, add what is new to undecodable: %q", len(names), names)
	}
	n := start(t, &fakeBoard{}, Options{}).Counts()
	if len(n.Refused) != len(causes) || len(n.Undecoded) != len(undecodable)+1 {
		t.Errorf("refused %v, undecoded %v", n.Refused, n.Undecoded)
	}
	for name, times := range n.Refused {
		if times != 0 {
			t.Errorf("%q: %d", name, times)
		}
	}
}

func TestCounts(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{RefusedDir: t.TempDir()})
	for _, body := range []string{
		"<records session='s'>", "<records session='s'>", "<!DOCTYPE x><records session='s'/>", "<call/>", "<records/>",
		`<records session="s"/>`,
	} {
		post(t, s, body)
	}
	w := dial(t, s)
	w.send(asking("GET", "/somewhere"))
	w.answer()
	until(t, "the others have ended", func() bool { return s.Counts().Connections == 1 })
	n := s.Counts()
	nonzero := func(m map[string]uint64) map[string]uint64 {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(_ string, n uint64) bool { return n == 0 })
		return m
	}
	if want := map[string]uint64{"malformed document": 4, "wrong path": 1}; !maps.Equal(nonzero(n.Refused), want) {
		t.Errorf("refused %v, want %v", nonzero(n.Refused), want)
	}
	want := map[string]uint64{"not well-formed": 2, "DOCTYPE": 1, "not records": 1, "no session": 1}
	if !maps.Equal(nonzero(n.Undecoded), want) {
		t.Errorf("undecoded %v, want %v", nonzero(n.Undecoded), want)
	}
	if n.Documents != 1 || n.SetAside != 1 || n.Connections != 1 {
		t.Errorf("%+v", n)
	}
}

func TestUndecodable(t *testing.T) {
	var c counts
	for _, u := range undecodable {
		c.undecodable(fmt.Errorf("%w: at byte 3", u.err))
	}
	c.undecodable(errors.New("something new"))
	c.undecodable(cdr.ErrDoctype)
	for name, n := range c.undecoded {
		if want := map[bool]uint64{true: 2, false: 1}[name == "DOCTYPE"]; n != want {
			t.Errorf("%s: %d", name, n)
		}
	}
	if len(c.undecoded) != len(undecodable)+1 || !slices.Contains(slices.Collect(maps.Keys(c.undecoded)), otherError) {
		t.Errorf("%v", c.undecoded)
	}
}

func TestMetrics(t *testing.T) {
	log := &logged{}
	var next func(io.Writer) error
	s := start(t, &fakeBoard{}, Options{Log: log.logger(), Metrics: func(w io.Writer) error { return next(w) }})
	ask := func(method string) (int, string, string) {
		w := dial(t, s)
		defer w.Close()
		w.send(asking(method, "/metrics"))
		status, body, header := w.answer()
		return status, body, header.Get("Content-Type")
	}
	next = func(w io.Writer) error { _, err := io.WriteString(w, "a 1\n"); return err }
	if status, body, kind := ask("GET"); status != 200 || body != "a 1\n" || kind != metricsType {
		t.Errorf("%d %q %q", status, body, kind)
	}
	if status, _, _ := ask("POST"); status != 405 {
		t.Errorf("%d to POST", status)
	}
	next = func(w io.Writer) error { io.WriteString(w, "half"); return errors.New("no file descriptors") }
	for range 3 {
		if status, body, _ := ask("GET"); status != 500 || strings.Contains(body, "half") || strings.Contains(body, "descriptors") {
			t.Errorf("%d %q", status, body)
		}
	}
	if got := log.lines("no file descriptors"); len(got) != 1 {
		t.Errorf("it is logged %d times", len(got))
	}
	next = func(io.Writer) error { panic("in a collector") }
	if status, _, _ := ask("GET"); status != 500 {
		t.Errorf("%d after a panic", status)
	}
	if status, _ := post(t, s, `<records session="s"/>`); status != 200 {
		t.Errorf("%d to a document after all that", status)
	}
}

// On a port of their own, two of the three paths are not here any more;
// /healthz stays, by which the receiver is known to be reached.
func TestToldElsewhere(t *testing.T) {
	s := start(t, &fakeBoard{}, Options{})
	for path, want := range map[string]int{"/metrics": 404, "/readyz": 404, "/healthz": 200} {
		w := dial(t, s)
		w.send(asking("GET", path))
		if status, _, _ := w.answer(); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
