package main

import (
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"

	"callmark/policy"
)

// What libraries say by the standard log goes to ours: on standard error it
// would be written across the console. net/http quotes there what a server sent
// without being asked, so nothing from the first quotation mark on is kept.
const (
	libraryTexts = 32          // that are told apart; the others count as one
	libraryEvery = time.Minute // for the same text
)

// libraryLog takes what libraries log.
type libraryLog struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	said map[string]*repeated
}

// repeated is a text that comes again and again.
type repeated struct {
	last   time.Time // that it was logged; zero: never
	silent int       // times that it was not, since
}

// takeLibraryLog has libraries log to a logger until restore is called.
func takeLibraryLog(logger *slog.Logger) (restore func()) {
	w, flags := log.Writer(), log.Flags()
	log.SetFlags(0)
	log.SetOutput(&libraryLog{logger: logger, now: time.Now, said: map[string]*repeated{}})
	return func() {
		log.SetOutput(w)
		log.SetFlags(flags)
	}
}

// Write takes one message.
func (l *libraryLog) Write(p []byte) (int, error) {
	text := string(p[:min(len(p), 512)])
	text, _, _ = strings.Cut(text, `"`)
	text = policy.Clean(text, 120)
	now := l.now()
	l.mu.Lock()
	r := l.said[text]
	if r == nil && len(l.said) >= libraryTexts {
		text = "other messages"
		r = l.said[text]
	}
	if r == nil {
		r = &repeated{}
		l.said[text] = r
	}
	if !r.last.IsZero() && now.Sub(r.last) < libraryEvery {
		r.silent++
		l.mu.Unlock()
		return len(p), nil
	}
	silent := r.silent
	r.last, r.silent = now, 0
	l.mu.Unlock()
	l.logger.Warn("a library says", "text", text, "repeated", silent)
	return len(p), nil
}
