package receiver

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what is kept of refused documents.
const (
	maxFiles      = 100
	maxFilesBytes = 64 << 20
)

// folder keeps refused documents for somebody to look at, the newest of them
// within its bounds. It is read anew at each write, so that what an operator
// removes makes room.
type folder struct {
	dir      string
	maxFiles int
	maxBytes int64

	mu sync.Mutex
}

// ours matches the names that keep gives, and those of files whose writing was
// interrupted. No other file is ever removed: the folder may be shared.
var ours = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{16}\.(xml|tmp)$`)

// keep writes a document and returns its path. It is there as a whole or not at
// all, readable by its owner only: records name people.
func (f *folder) keep(now time.Time, id identity, body []byte) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if int64(len(body)) > f.maxBytes {
		return "", fmt.Errorf("a document of %d bytes is more than %s is to hold", len(body), f.dir)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", err
	}
	if err := f.makeRoom(int64(len(body))); err != nil {
		return "", err
	}
	name := now.UTC().Format("20060102T150405.000Z") + "-" + hex.EncodeToString(id[:8])
	path := filepath.Join(f.dir, name+".xml")
	temp := filepath.Join(f.dir, name+".tmp")
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- the configured folder and a hash
	if err != nil {
		return "", err
	}
	_, err = file.Write(body)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return "", err
	}
	return path, nil
}

// makeRoom removes the oldest documents until there is room for another.
func (f *folder) makeRoom(size int64) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !ours.MatchString(e.Name()) || !e.Type().IsRegular() })
	total := size
	sizes := make([]int64, len(entries))
	for i, e := range entries {
		if info, err := e.Info(); err == nil {
			sizes[i] = info.Size()
			total += sizes[i]
		}
	}
	// ReadDir sorts by name, and the names begin with the time.
	count := len(entries) + 1
	for i, e := range entries {
		full := count > f.maxFiles || total > f.maxBytes
		if !full && !strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		if err := os.Remove(filepath.Join(f.dir, e.Name())); err != nil && !os.IsNotExist(err) {
			return err
		}
		count--
		total -= sizes[i]
	}
	return nil
}
