package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"callmark/policy"
	"callmark/policy/config"
)

const (
	journalEvery = 10 * time.Millisecond // at most, that the journal is looked at
	journalMost  = 4096                  // entries that are logged at a time
	linesMost    = 64 << 10              // bytes that are written at a time
)

// lines passes what is logged on, each line by a write of its own or, between
// gather and release, many by one: at tens of thousands of entries a second two
// writes for each, of the file and of standard error, cost a tenth of the
// processor. It is safe for concurrent use; whoever logs meanwhile is gathered
// as well.
type lines struct {
	mu        sync.Mutex
	w         io.Writer
	held      []byte
	gathering bool
	text      bool // the format is that of slog's TextHandler
}

// Write implements io.Writer. It reports no error of what is written later.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gathering {
		return l.w.Write(b)
	}
	if len(l.held)+len(b) > linesMost {
		l.flush()
	}
	l.held = append(l.held, b...)
	return len(b), nil
}

func (l *lines) flush() {
	if len(l.held) > 0 {
		_, _ = l.w.Write(l.held) // nobody could be told
	}
	l.held = l.held[:0]
}

// gather keeps lines until release, or until they are many.
func (l *lines) gather() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gathering = true
}

// release writes what was gathered.
func (l *lines) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	l.gathering = false
}

// openLog opens the rotating log and, headless, standard error beside it.
func openLog(c config.Log, headless bool, stderr io.Writer) (*slog.Logger, *lines, func()) {
	l := &lines{w: io.Discard}
	closeLog := func() {}
	if c.File != "" {
		// The file is made readable by its owner alone; it names people. One that
		// was there is taken from all others, its group excepted: that is a site's
		// own choice. Those that it is rotated to have its mode.
		if f, err := os.OpenFile(c.File, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			fmt.Fprintf(stderr, "callmark: no log is kept: %v: set log.file\n", err)
		} else {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 {
				if err := f.Chmod(info.Mode().Perm() &^ 0o007); err != nil {
					fmt.Fprintf(stderr, "callmark: everybody on this machine can read the log: %v: chmod o-rwx %s\n", err, c.File)
				}
			}
			_ = f.Close()
			file := &lumberjack.Logger{Filename: c.File, MaxSize: c.MaxSizeMB, MaxBackups: c.Keep}
			l.w, closeLog = file, func() { _ = file.Close() }
		}
	}
	if headless {
		l.w = io.MultiWriter(l.w, stderr)
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(l, nil)), l, closeLog
	}
	l.text = true
	return slog.New(slog.NewTextHandler(l, nil)), l, closeLog
}

// logJournal writes the board's journal to the log until ctx ends, and what is
// left then. The lines have the times of the entries.
func (a *app) logJournal(ctx context.Context) {
	changed, cancel := a.board.Watch()
	defer cancel()
	tick := time.NewTicker(journalEvery)
	defer tick.Stop()
	var w journalWriter
	for ctx.Err() == nil {
		select {
		case <-changed:
		case <-ctx.Done():
		}
		a.logEntries(&w)
		select {
		case <-tick.C: // not for every record that comes
		case <-ctx.Done():
		}
	}
	a.logEntries(&w)
}

// journalWriter is how far the journal is logged, and memory to be used again.
type journalWriter struct {
	after   uint64
	entries []policy.Entry
	attrs   []slog.Attr
	line    []byte
}

// logEntries logs what is new in the journal.
func (a *app) logEntries(w *journalWriter) {
	a.lines.gather()
	defer a.lines.release()
	for {
		entries, lost := a.board.AppendJournal(w.entries[:0], w.after, journalMost)
		if lost > 0 {
			a.log.Warn("log fell behind", "entries_lost", lost)
			w.after += lost
		}
		for i := range entries {
			a.logEntry(w, &entries[i])
			w.after = entries[i].Seq
		}
		n := len(entries)
		clear(entries) // the texts are not to be kept
		w.entries = entries
		if n < journalMost {
			return
		}
	}
}

func (a *app) logEntry(w *journalWriter, e *policy.Entry) {
	w.attrs = e.AppendAttrs(w.attrs[:0])
	if a.lines.text {
		var ok bool
		if w.line, ok = appendLine(w.line[:0], e, w.attrs); ok {
			_, _ = a.lines.Write(w.line) // as slog does
			return
		}
	}
	r := slog.NewRecord(e.Time, e.Weight.SlogLevel(), e.Kind.String(), 0)
	r.AddAttrs(w.attrs...)
	_ = a.log.Handler().Handle(context.Background(), r) // likewise
}
