package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"callmark/policy"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	File    string // as it was named
	Line    int    // from 1; 0: the file as a whole
	Key     string // like cms.servers[2], the second server; empty: no key is known
	Text    string // what is wrong, and what to do
	Warning bool   // it does not refuse the start
}

// String gives the problem a line, like
//
//	config.toml:12: policy.secure_domains[2]: the entry is empty: remove it
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems are all that was found, by line.
type Problems []Problem

// Errors are those that refuse the start.
func (ps Problems) Errors() Problems { return ps.only(false) }

// Warnings are those that do not.
func (ps Problems) Warnings() Problems { return ps.only(true) }

func (ps Problems) only(warning bool) (some Problems) {
	for _, p := range ps {
		if p.Warning == warning {
			some = append(some, p)
		}
	}
	return some
}

// Err is an error with a line for each problem that refuses the start, or nil.
func (ps Problems) Err() error {
	bad := ps.Errors()
	if len(bad) == 0 {
		return nil
	}
	return errors.New(bad.String())
}

// String gives each problem a line.
func (ps Problems) String() string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = p.String()
	}
	return strings.Join(all, "\n")
}

// reading is one Parse under way: it collects the problems.
type reading struct {
	file     string
	lines    lines
	problems Problems
	spoiled  map[string]bool // keys whose value could not be taken
}

// spoil refuses a key whose value could not be taken. What is said later about
// this key, or one below it, is only a consequence and is left out.
func (r *reading) spoil(key, format string, args ...any) {
	r.add(false, key, format, args...)
	r.spoiled[key] = true
}

// refuse reports what refuses the start.
func (r *reading) refuse(key, format string, args ...any) { r.add(false, key, format, args...) }

// warn reports what does not.
func (r *reading) warn(key, format string, args ...any) { r.add(true, key, format, args...) }

func (r *reading) add(warning bool, key, format string, args ...any) {
	for k := key; k != ""; k = parent(k) {
		if r.spoiled[k] {
			return
		}
	}
	r.problems = append(r.problems, Problem{
		File: r.file, Line: r.lines.of(key), Key: cut(key),
		// Whatever the document holds, a problem is one harmless line.
		Text: policy.Clean(fmt.Sprintf(format, args...), 1000), Warning: warning,
	})
}

// sorted are the problems by line; of one line, as they were found.
func (r *reading) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.problems
}

// quote shows a value from the document, not all of it if it is long.
func quote(s string) string { return fmt.Sprintf("%q", cut(s)) }

// cut shortens what is only shown.
func cut(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
