package ui

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callmark/policy"
)

// exports writes what is shown and returns the file and what is in it.
func (b *bench) exports(form string) (path, text string) {
	b.t.Helper()
	path = filepath.Join(b.t.TempDir(), "out")
	b.keys("e").shows("c CSV   j JSON").keys(form)
	b.m.dialog.(*exportDialog).input.SetValue(path)
	b.keys("enter")
	if b.cmd == nil {
		b.t.Fatalf("nothing is written:\n%s", b.screen())
	}
	b.m.Update(b.cmd())
	got, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return path, string(got)
}

func TestExportCSV(t *testing.T) {
	b := newBench(t, 200, 24)
	scene(b.board)
	evil := mtg("m-evil", `=HYPERLINK("http://evil.test","x")`, policy.Level3)
	b.board.put(evil)
	b.frame().keys("/").typed("level:3").keys("enter")
	path, text := b.exports("c")
	b.shows("Exported 3 rows to " + path)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "meeting" {
		t.Fatalf("%v, %q", err, text)
	}
	if got := rows[1][1]; got != `'=HYPERLINK("http://evil.test","x")` {
		t.Errorf("a formula got through: %q", got)
	}
	if rows[2][1] != "Cabinet briefing" || rows[2][2] != "3" || rows[2][5] != "[3] confirmed" {
		t.Errorf("row %q", rows[2])
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestExportJSON(t *testing.T) {
	b := newBench(t, 120, 24, func(o *Options) { o.ReadOnly = true })
	party(b.board)
	b.board.legs["m-cabinet"][1].Name = "\x1b[31m\"Mallory\u202e"
	b.frame().keys("enter").frame()
	_, text := b.exports("j")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(text), &rows); err != nil || len(rows) != 8 {
		t.Fatalf("%v: %s", err, text)
	}
	if r := rows[0]; r["name"] != `[31m"Mallory` || r["level"] != 3.0 || r["holds_the_level"] != true || r["evidence"] != "host evil.test matches no entry" || r["media"] != "unknown" {
		t.Errorf("%v", r)
	}
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
}

func TestExportOfEveryView(t *testing.T) {
	for keys, columns := range map[string]string{"": "meeting,name,level", "l": "time,weight", "b": "name,state,problem", "enter h": "time,weight", "enter": "meeting,leg", "b enter": "name,state", "enter enter": "meeting,leg"} {
		b := newBench(t, 120, 30)
		cluster(b.board)
		b.frame()
		for _, k := range strings.Fields(keys) {
			b.keys(k).frame()
		}
		_, text := b.exports("c")
		if !strings.HasPrefix(text, columns) {
			t.Errorf("%q: %s", keys, text)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%q: %v, %d rows", keys, err, len(rows))
		}
		_, text = b.exports("j")
		if !json.Valid([]byte(text)) {
			t.Errorf("%q: %s", keys, text)
		}
	}
}

func TestExportOverwritesNothing(t *testing.T) {
	b := newBench(t, 200, 24)
	scene(b.board)
	path := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link, filepath.Join(path, "below")} {
		b.frame().keys("e", "c")
		b.m.dialog.(*exportDialog).input.SetValue(p)
		b.keys("enter")
		b.m.Update(b.cmd())
		b.shows("Not exported: ", "choose another").keys("esc")
	}
	if got, _ := os.ReadFile(path); string(got) != "precious" {
		t.Errorf("now %q", got)
	}
	// The name that is offered lies in the working directory.
	b.keys("e", "j").shows("> callmark-meetings-20261124-140322.json").keys("esc").shows("c CSV").keys("esc").shows("Nothing was exported")
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": "", "-": "-", "=1+1": "'=1+1", "+49 30 1": "'+49 30 1", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1",
		"\t=1": "'=1", "\r\n=1": "'=1", "＝1": "'＝1", "a=b": "a=b", "|calc": "'|calc", "日本語": "日本語", "\u202e=1": "'=1", "3: host": "3: host",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
