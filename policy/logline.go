package policy

import "log/slog"

// SlogLevel is the weight as the log has it.
func (w Weight) SlogLevel() slog.Level {
	if w == Warning {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// AppendAttrs appends the facts of an entry for the log, always in the same order
// and under the same keys, so that lines can be searched and read aloud. The time
// and the kind are not among them: a log line has places of its own for these.
func (e *Entry) AppendAttrs(attrs []slog.Attr) []slog.Attr {
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	name := "meeting"
	switch e.Kind {
	case EntryServer:
		name = "server"
	case EntryAlarm, EntryAlarmOver:
		name = "alarm"
	}
	text(name, e.Name)
	text("person", e.Person)
	text("domain", e.Domain)
	if e.levelled() {
		attrs = append(attrs, slog.String("level", e.Level.String()))
	}
	if e.Kind == EntryLevel || e.Kind == EntryMoved {
		attrs = append(attrs, slog.String("before", e.Before.String()))
	}
	text("who", e.Who)
	text("reason", e.Text)
	text("address", e.Address)
	text("bridge", e.Bridge)
	text("meeting_id", string(e.Meeting))
	text("call_id", e.Call)
	text("leg_id", e.Leg)
	return attrs
}

// levelled reports whether the level is a fact of the entry's kind.
func (e *Entry) levelled() bool {
	switch e.Kind {
	case EntryJoined, EntryLeft, EntryMoved, EntryLevel, EntryWanted, EntrySent, EntryConfirmed, EntryFailed, EntryForced, EntryReleased, EntryFell, EntryHolds, EntryVerified, EntryUnverified:
		return e.Meeting != ""
	}
	return false
}
