package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// Load reads the configuration from a file, and what it refers to. Of the
// environment it asks getenv, which is os.Getenv; nil is an empty environment.
func Load(file string, getenv func(string) string) (Config, Problems) {
	document, err := readFile(file)
	if err != nil {
		return Default(), Problems{{File: file, Text: unreadable(err)}}
	}
	out := Outside{Getenv: getenv, ReadFile: readFile}
	// On Windows the mode says nothing about who may read a file.
	if runtime.GOOS != "windows" {
		out.Mode = func(name string) (fs.FileMode, error) {
			info, err := os.Stat(name)
			if err != nil {
				return 0, err
			}
			return info.Mode(), nil
		}
	}
	return Parse(file, document, out)
}

// unreadable says what to do about a configuration that cannot be read.
func unreadable(err error) string {
	const other = "or name another with --config; callmark --demo needs none"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file: create it, beginning with the annotated example config.toml, " + other
	case errors.Is(err, fs.ErrPermission):
		return "it may not be read: give this user the right to read it, " + other
	}
	return fmt.Sprintf("it cannot be read: %s: put a readable file there, %s", reason(err), other)
}

// readFile reads a file of reasonable size. A larger one is not read to its
// end; it may have none.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name) // #nosec G304 -- the administrator names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Room for the bundles of authorities that systems ship.
	const most = 4 << 20
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("it has more than %d MiB", most>>20)
	}
	return data, nil
}
