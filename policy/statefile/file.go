package statefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/moby/sys/atomicwriter"

	"callmark/policy"
)

// errNoFile is returned for a folder, a device or a pipe.
var errNoFile = errors.New("it is not a regular file")

// read returns the overrides of a file. None is as good as one without.
func read(name string) ([]policy.SavedOverride, error) {
	data, err := ReadFile(name)
	if err != nil || data == nil {
		return nil, err
	}
	return decode(data)
}

// ReadFile returns what a file of a reasonable size holds; nil, without an
// error, where there is none.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // to open a pipe could block for ever
		return nil, errNoFile
	}
	f, err := os.Open(name) // #nosec G304 -- the configured file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// WriteFile puts data in the place of a file, or of none, as a whole: whoever
// reads it finds the old or the new. Only its owner can read it.
func WriteFile(name string, data []byte) error { return replace(name, data) }

// replace puts data in the place of a file, or of none, as a whole. The library
// writes beside it, synchronises and renames, on every system that callmark is
// built for; that the renaming itself is on the disk is ours to see to.
func replace(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if err := atomicwriter.WriteFile(name, data, 0o600); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir synchronises a directory with the disk, where there is such a thing:
// Windows and some network file systems have none.
func syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name) // #nosec G304 -- the configured file
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// setAside renames a file to one that is not there yet, and returns that name.
func setAside(now time.Time, name string) (string, error) {
	stem := name + ".bad-" + now.UTC().Format("20060102T150405Z")
	to := stem
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, os.Rename(name, to)
		} else if err != nil {
			return "", err
		}
		to = fmt.Sprintf("%s-%d", stem, n)
	}
}
