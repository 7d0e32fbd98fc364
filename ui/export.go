package ui

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"callmark/policy"
)

// sheet is what a view exports: its rows as they are shown, filtered and in
// order, with every column in full. Cells are strings, numbers or booleans.
type sheet struct {
	columns []string
	rows    [][]any
}

// exported is what came of an export.
type exported struct {
	path string
	rows int
	err  error
}

// exportDialog asks for the form and the name of the file. It acts on nothing,
// so that it works in a read-only console, too.
type exportDialog struct {
	json  bool
	named bool // the form was chosen
	input textinput.Model
}

func (m *model) pressExport() {
	if _, n := m.exportable(); n == 0 {
		m.tell("There is nothing to export here.")
		return
	}
	m.ask(&exportDialog{})
}

func (d *exportDialog) press(m *model, msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	if !d.named {
		switch k {
		case "c", "j":
			d.json, d.named = k == "j", true
			d.input = newInput()
			name, _ := m.exportable()
			ext := ".csv"
			if d.json {
				ext = ".json"
			}
			// With the time: none takes another's place.
			d.input.SetValue("callmark-" + name + "-" + m.words.zone(m.now).Format("20060102-150405") + ext)
			d.input.CursorEnd()
		case "esc", "q", "n", "enter":
			m.dialog = nil
			m.tell("Nothing was exported.")
		}
		return nil
	}
	switch k {
	case "esc":
		d.named = false
	case "enter":
		path := strings.TrimSpace(d.input.Value())
		if path == "" {
			return nil
		}
		m.dialog = nil
		s := m.sheet()
		asJSON := d.json
		m.tell("Exporting " + plural(len(s.rows), "row") + " to " + path)
		return func() tea.Msg {
			path, err := s.save(path, asJSON)
			return exported{path, len(s.rows), err}
		}
	default:
		d.input, _ = d.input.Update(msg)
	}
	return nil
}

func (d *exportDialog) paste(_ *model, msg tea.PasteMsg) {
	if d.named {
		d.input, _ = d.input.Update(msg)
	}
}

func (d *exportDialog) lines(m *model, w int) []dialogLine {
	name, n := m.exportable()
	what := "Export " + plural(n, "row") + " of " + name + " as"
	if !d.named {
		return []dialogLine{
			{text: what + "?", style: m.palette.bold},
			{text: "c CSV   j JSON   esc back", style: m.palette.selected},
		}
	}
	form := " CSV"
	if d.json {
		form = " JSON"
	}
	widen(&d.input, w-3)
	var lines []dialogLine
	for _, s := range wrap(what+form+" to the file:", w) {
		lines = append(lines, dialogLine{text: s, style: m.palette.bold})
	}
	lines = append(lines, dialogLine{text: "> " + d.input.View(), raw: true})
	for _, s := range wrap("enter writes it, for your eyes only; an older file stays as it is   esc back", w) {
		lines = append(lines, dialogLine{text: s})
	}
	return lines
}

// exported tells where the file is.
func (m *model) exported(e exported) {
	if e.err != nil {
		m.fail("Not exported: " + e.err.Error())
		return
	}
	m.tell("Exported " + plural(e.rows, "row") + " to " + e.path)
}

// save writes the sheet to a new file that its owner alone can read, and
// returns its whole path. It never writes over another file, nor through a link.
func (s *sheet) save(path string, asJSON bool) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(full, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- the operator names it, and it must not exist
	switch {
	case errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("%s is there already: choose another name", full)
	case err != nil:
		return "", fmt.Errorf("%w: choose another place", err)
	}
	w := bufio.NewWriter(f)
	write := s.csv
	if asJSON {
		write = s.json
	}
	err = errors.Join(write(w), w.Flush(), f.Close())
	if err != nil {
		// Half a table looks like a whole one.
		return "", errors.Join(fmt.Errorf("%w: make room, or choose another place", err), os.Remove(full))
	}
	return full, nil
}

func (s *sheet) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(s.columns); err != nil {
		return err
	}
	record := make([]string, len(s.columns))
	for _, row := range s.rows {
		for i, cell := range row {
			if text, ok := cell.(string); ok {
				record[i] = harmless(text)
			} else {
				record[i] = fmt.Sprint(cell)
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking a text from outside as a formula,
// which could call programs or send what stands beside it. An apostrophe makes
// it a text, as OWASP advises; wide forms of the signs count where Japanese is
// set.
func harmless(s string) string {
	s = safe(s)
	switch first := strings.TrimLeft(s, " \u00a0\u3000"); {
	case first == "":
	case strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(first)[0]):
		// A lone dash stands for nothing.
		if first != "-" {
			return "'" + s
		}
	}
	return s
}

// json writes a list of objects, their fields in the order of the columns.
func (s *sheet) json(w io.Writer) error {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = strconv.Quote(c) // columns are plain
	}
	if _, err := io.WriteString(w, "["); err != nil {
		return err
	}
	for n, row := range s.rows {
		line := "\n  {"
		if n > 0 {
			line = ",\n  {"
		}
		for i, cell := range row {
			if text, ok := cell.(string); ok {
				cell = safe(text)
			}
			value, err := json.Marshal(cell)
			if err != nil {
				return err
			}
			if i > 0 {
				line += ", "
			}
			line += names[i] + ": " + string(value)
		}
		if _, err := io.WriteString(w, line+"}"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

// exportable names what the view that is shown exports, and how many rows that
// is.
func (m *model) exportable() (name string, rows int) {
	switch m.view {
	case viewMeeting, viewInFull:
		return "participants", len(m.open.table.shown)
	case viewLog, viewEntry:
		return "log", len(m.log.table.shown)
	case viewHistory:
		return "history", len(m.history.table.shown)
	case viewBridges, viewBridge:
		return "bridges", len(m.callBridges.table.shown)
	}
	return "meetings", len(m.meetings.shown)
}

// sheet is what the view that is shown exports. The views are immutable, so
// that it can be written while the table goes on.
func (m *model) sheet() *sheet {
	switch m.view {
	case viewMeeting, viewInFull:
		return m.legSheet()
	case viewLog, viewEntry:
		return m.logSheet(&m.log)
	case viewHistory:
		return m.logSheet(&m.history)
	case viewBridges, viewBridge:
		return m.bridgeSheet()
	}
	return m.meetingSheet()
}

// stamp is a moment as machines read it, empty where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (m *model) meetingSheet() *sheet {
	s := &sheet{columns: []string{
		"meeting", "name", "level", "level_unverified", "unverified", "screen", "marking_state", "failure", "level_1", "level_2", "level_3",
		"waiting", "others", "started", "changed", "bridges", "domains", "level_by", "override", "override_by", "override_at", "override_until", "override_reason", "fallen",
	}}
	s.rows = make([][]any, 0, len(m.meetings.shown))
	for _, x := range m.meetings.shown {
		v := x.val
		var override, by, at, until, reason, fell, level string
		if o := v.Override; o != nil {
			override, by, at, until, reason = o.String(), o.Who, stamp(o.At), stamp(o.Until), o.Reason
		} else if f := v.Fallen; f != nil {
			fell = f.Override.String() + " by " + who(f.Override.Who) + " at " + stamp(f.At)
		}
		if v.Holder.Evidence.Rule != 0 {
			level = holder(&v.Holder)
		}
		s.rows = append(s.rows, []any{
			string(v.ID), v.Name, int(v.Computed), v.Unverified != "", v.Unverified, m.words.meetingScreen(v), v.State.String(), v.Failure,
			v.People[1], v.People[2], v.People[3], v.Waiting, v.Others, stamp(v.Started), stamp(v.Changed), bridgesOf(v),
			strings.Join(v.Domains, " "), level, override, by, at, until, reason, fell,
		})
	}
	return s
}

func (m *model) legSheet() *sheet {
	s := &sheet{columns: []string{
		"meeting", "leg", "name", "level", "evidence", "counts", "holds_the_level", "presence", "address", "domain", "type", "media", "joined", "call", "bridge", "participant",
	}}
	for _, x := range m.open.table.shown {
		v := &x.val
		s.rows = append(s.rows, []any{
			string(m.open.id), v.ID, v.Name, int(v.Level), v.Evidence.String(), v.Counts, m.open.holds(v), v.Presence.String(),
			v.Address, v.Domain, v.Type, v.Media.String(), stamp(v.Joined), v.Call, v.Bridge, v.Group,
		})
	}
	return s
}

func (m *model) logSheet(l *eventLog) *sheet {
	s := &sheet{columns: []string{
		"time", "weight", "event", "meeting", "name", "call", "bridge", "leg", "person", "address", "level", "before", "text", "who",
	}}
	for _, x := range l.table.shown {
		e := &x.val.entry
		s.rows = append(s.rows, []any{
			stamp(e.Time), strings.ToLower(weight(e.Weight)), x.val.kind, string(e.Meeting), e.Name, e.Call, e.Bridge, e.Leg,
			e.Person, e.Address, int(e.Level), int(e.Before), e.Text, e.Who,
		})
	}
	return s
}

func (m *model) bridgeSheet() *sheet {
	s := &sheet{columns: []string{
		"name", "state", "problem", "remedy", "server", "sends_from", "version", "guid", "session", "records", "duplicates", "last_record", "last_index",
		"cdr_correlator_index", "asked", "calls", "legs", "read", "unread", "api", "latency_ms", "requests", "failures", "queue",
		"read_rate", "read_budget", "write_rate", "write_budget",
	}}
	for _, x := range m.callBridges.table.shown {
		v := &x.val
		p, _ := m.bridgeProblem(v)
		index := func(n int64) any {
			if n == policy.NoIndex {
				return ""
			}
			return n
		}
		s.rows = append(s.rows, []any{
			v.Name, healthWords[bridgeHealth(v)].word, p.text, strings.TrimSpace(p.remedy), v.Server, v.Address, v.Bound.Version, v.CallBridge, v.Session,
			v.Records, v.Duplicates, stamp(v.LastRecord), index(v.LastIndex), index(v.Next), stamp(v.Polled), v.Calls, v.Legs, stamp(v.Read), v.Unread,
			v.Bound.State.String(), float64(v.Bound.Latency.Microseconds()) / 1000, v.Bound.Requests, v.Bound.Failures, v.Bound.Queue,
			v.Bound.ReadRate, v.Bound.ReadBudget, v.Bound.WriteRate, v.Bound.WriteBudget,
		})
	}
	return s
}
