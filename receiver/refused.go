package receiver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Bounds of what is kept of refused documents.
const (
	maxFingerprints = 1024
	maxFiles        = 100
	maxFilesBytes   = 64 << 20
)

// fingerprint names a refused document: its hash, or for one that was too large
// to be read its sender and length.
type fingerprint [sha256.Size]byte

// refused remembers documents that were refused, and writes aside those that
// come a second time. It is safe for concurrent use.
type refused struct {
	dir string

	mu    sync.Mutex
	seen  map[fingerprint]struct{}
	order []fingerprint
	files int
	bytes int64
	read  bool // the folder has been counted
}

// again reports whether a document was refused before, and remembers it.
func (r *refused) again(f fingerprint) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[f]; ok {
		return true
	}
	if r.seen == nil {
		r.seen = map[fingerprint]struct{}{}
	}
	r.seen[f] = struct{}{}
	r.order = append(r.order, f)
	if len(r.order) > maxFingerprints {
		delete(r.seen, r.order[0])
		r.order = r.order[1:]
	}
	return false
}

// keep writes a document aside and says where, or why not. The folder is
// bounded: when it is full nothing more is kept, since what came first shows
// best what went wrong.
func (r *refused) keep(now time.Time, f fingerprint, body []byte) string {
	if r.dir == "" {
		return "not kept: no folder is set for it"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return "not kept: " + err.Error()
	}
	if !r.read {
		entries, err := os.ReadDir(r.dir)
		if err != nil {
			return "not kept: " + err.Error()
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				r.files++
				r.bytes += info.Size()
			}
		}
		r.read = true
	}
	if r.files >= maxFiles || r.bytes+int64(len(body)) > maxFilesBytes {
		return fmt.Sprintf("not kept: %s is full: empty it", r.dir)
	}
	name := now.UTC().Format("20060102T150405.000Z") + "-" + hex.EncodeToString(f[:6]) + ".xml"
	path := filepath.Join(r.dir, name)
	if err := writeFile(path, body); err != nil {
		return "not kept: " + err.Error()
	}
	r.files++
	r.bytes += int64(len(body))
	return "kept as " + path
}

// writeFile writes a file as a whole or not at all, readable by its owner only.
func writeFile(path string, body []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(body)
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}
