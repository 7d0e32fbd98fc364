package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callmark/policy"
	"callmark/policy/config"
)

// A line of our own is the one that slog would write, byte for byte, whatever
// the texts are.
func TestLineIsSlogs(t *testing.T) {
	plain := rapid.OneOf(rapid.StringMatching(`[ -~]{0,40}`), rapid.StringMatching(`[a-z0-9.@-]{0,40}`), rapid.SampledFrom([]string{
		"", " ", "=", `"`, `\`, "host a.example matches a.example in secure_domains",
	}))
	any := rapid.OneOf(plain, rapid.String(), rapid.SampledFrom([]string{"\t", "\x7f", "Ärger", "\u00a0", "\xff"}))
	own := 0
	rapid.Check(t, func(t *rapid.T) {
		text := any // of which one in many makes it slog's
		if rapid.Bool().Draw(t, "plain") {
			text = plain
		}
		e := policy.Entry{
			Time: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).In(rapid.SampledFrom([]*time.Location{
				time.UTC, time.FixedZone("", 3600*2+1800), time.FixedZone("", -5*3600),
			}).Draw(t, "zone")).Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns"))),
			Kind: policy.EntryKind(rapid.IntRange(0, int(policy.EntryAlarmOver)+1).Draw(t, "kind")), Weight: policy.Weight(rapid.IntRange(0, 2).Draw(t, "weight")),
			Meeting: policy.MeetingID(text.Draw(t, "meeting")), Name: text.Draw(t, "name"), Call: text.Draw(t, "call"), Bridge: text.Draw(t, "bridge"),
			Leg: text.Draw(t, "leg"), Person: text.Draw(t, "person"), Address: text.Draw(t, "address"), Domain: text.Draw(t, "domain"),
			Level: policy.Level(rapid.IntRange(0, 3).Draw(t, "level")), Text: text.Draw(t, "text"), Who: text.Draw(t, "who"),
		}
		attrs := e.AppendAttrs(nil)
		line, ok := appendLine(nil, &e, attrs)
		if !ok {
			return
		}
		own++
		var want bytes.Buffer
		r := slog.NewRecord(e.Time, e.Weight.SlogLevel(), e.Kind.String(), 0)
		r.AddAttrs(attrs...)
		if err := slog.NewTextHandler(&want, nil).Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if got := string(line); got != want.String() {
			t.Fatalf("got  %swant %s", got, want.String())
		}
	})
	if own < 10 {
		t.Errorf("only %d lines were our own", own)
	}
}

// BenchmarkLogEntry measures the log line of somebody who joins; umlaut is one
// that slog writes.
func BenchmarkLogEntry(b *testing.B) {
	for _, bench := range []struct{ name, format, person string }{
		{"text", "text", "Person 130"}, {"text/umlaut", "text", "Jörg"}, {"json", "json", "Person 130"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			logger, l, _ := openLog(config.Log{Format: bench.format}, false, io.Discard)
			a := &app{log: logger, lines: l}
			e := policy.Entry{
				Kind: policy.EntryJoined, Time: time.Now(), Name: "cms5 meeting 6", Meeting: "32055604-a2f9-4245-8e54-6af81ed98813",
				Person: bench.person, Domain: "rooms.ministry.example", Level: policy.Level1, Address: "person130@rooms.ministry.example",
				Text: "host rooms.ministry.example matches rooms.ministry.example in secure_domains", Bridge: "cms5",
				Call: "b3ee208d-e192-4ebf-9152-4bd057898350", Leg: "ed78cd17-1439-4006-bbcd-62903ff8360f",
			}
			var w journalWriter
			b.ReportAllocs()
			for b.Loop() {
				a.logEntry(&w, &e)
			}
		})
	}
}
