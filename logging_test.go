package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

// writes keeps each write apart.
type writes []string

func (w *writes) Write(b []byte) (int, error) {
	*w = append(*w, string(b))
	return len(b), nil
}

// Lines go out as they come, gathered ones together, none is lost and none is
// cut, however much is gathered.
func TestLines(t *testing.T) {
	var out writes
	l := &lines{w: &out}
	fmt.Fprintln(l, "one")
	l.gather()
	fmt.Fprintln(l, "two")
	fmt.Fprintln(l, "three")
	if len(out) != 1 {
		t.Errorf("written: %q", out)
	}
	l.release()
	fmt.Fprintln(l, "four")
	if want := []string{"one\n", "two\nthree\n", "four\n"}; fmt.Sprint(out) != fmt.Sprint(writes(want)) {
		t.Errorf("written: %q, want %q", out, want)
	}
	out = nil
	l.gather()
	long := strings.Repeat("x", 999) + "\n"
	for range 200 {
		fmt.Fprint(l, long)
	}
	l.release()
	for _, w := range out {
		if len(w) > linesMost || len(w)%1000 != 0 {
			t.Errorf("%d bytes were written", len(w))
		}
	}
	if all := strings.Join(out, ""); len(out) < 2 || all != strings.Repeat(long, 200) {
		t.Errorf("%d bytes by %d writes", len(all), len(out))
	}
}

// What the journal has is logged to the end, with the times of what happened.
func TestLogJournal(t *testing.T) {
	var out bytes.Buffer
	l := &lines{w: &out}
	a := &app{log: slog.New(slog.NewTextHandler(l, nil)), lines: l, board: policy.NewBoard(policy.Options{})}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 3 {
		a.board.Apply(at.Add(time.Duration(i)*time.Second), policy.Source{Session: "s"}, []policy.Event{
			{Kind: policy.CallStarted, Index: int64(i), Call: policy.CallFacts{ID: fmt.Sprint("c", i), Name: "Meeting"}},
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a.logJournal(ctx)
	for i := range 3 {
		if want := fmt.Sprintf("time=2026-03-02T09:00:0%d.000Z level=INFO msg=\"call started\" meeting=Meeting", i); strings.Count(out.String(), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, out.String())
		}
	}
}
