package statefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"callmark/policy"
)

const (
	gather  = 250 * time.Millisecond // what changes within it costs one writing
	look    = 20 * time.Millisecond  // at most so often, whether it has: the board changes with every record
	tryNext = 10 * time.Second       // after a writing that failed
)

// The keys of its alarms.
const (
	alarmRead  = "state/read"
	alarmWrite = "state/write"
)

// Keeper keeps a board's overrides in a file. The three methods may be called
// from any goroutine.
type Keeper struct {
	board   *policy.Board
	file    string
	replace func(name string, data []byte) error

	mu      sync.Mutex // held while the file is read or written
	written uint64     // the version of the overrides in the file
	stale   bool       // the file is to be written whatever the version
	inWay   error      // what is wrong with a file that could not be set aside
}

// New returns the keeper of a file. Without a name nothing is kept, which is no
// error.
func New(board *policy.Board, file string) *Keeper {
	return &Keeper{board: board, file: file, replace: replace}
}

// Load restores what the file holds on the board. A file that cannot be used is
// set aside, with an alarm: that is no reason not to mark.
func (k *Keeper) Load(now time.Time) {
	if k.file == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	all, err := read(k.file)
	switch {
	case err == nil:
		k.board.Restore(now, all)
	case errors.Is(err, errNoFile):
		k.board.Raise(now, policy.Alarm{
			Key:    alarmRead,
			Text:   fmt.Sprintf("%s cannot keep overrides: %v", k.file, err),
			Remedy: "set state.file to the name of a file",
		})
	default:
		k.inWay = err
		_ = k.clearWay(now) // an alarm tells
	}
	k.written = k.board.OverridesVersion()
}

// clearWay sets a file aside that cannot be used.
func (k *Keeper) clearWay(now time.Time) error {
	if k.inWay == nil {
		return nil
	}
	alarm := policy.Alarm{Key: alarmRead, Text: fmt.Sprintf("%s could not be read: %v", k.file, k.inWay)}
	to, err := setAside(now, k.file)
	if errors.Is(err, fs.ErrNotExist) {
		k.inWay = nil // somebody has moved it away
		return nil
	}
	if err != nil {
		err = fmt.Errorf("%s could not be read (%w) nor set aside: %w: let callmark write in its folder, or move it away", k.file, k.inWay, err)
		alarm.Remedy = "it could not be set aside, so no override is saved: let callmark write in its folder, or move it away"
	} else {
		k.inWay = nil
		alarm.Remedy = "it is now " + to + "; overrides from before the start no longer hold: force them anew if need be"
	}
	k.board.Raise(now, alarm)
	return err
}

// Save brings the file up to what is decided on the board. It writes only if
// that has changed. An error says that it is not saved and what to do; the
// overrides hold nevertheless.
func (k *Keeper) Save(now time.Time) error {
	if k.file == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stale && k.written == k.board.OverridesVersion() {
		return nil
	}
	all, version := k.board.SavedOverrides()
	if err := k.write(now, all); err != nil {
		k.stale = true
		k.board.Raise(now, policy.Alarm{
			Key:    alarmWrite,
			Text:   "overrides are not saved: " + err.Error(),
			Remedy: "until it works, a restart of callmark brings the last saved ones back",
		})
		return err
	}
	k.written, k.stale = version, false
	k.board.Lower(now, alarmWrite)
	return nil
}

// write puts overrides into the file.
func (k *Keeper) write(now time.Time, all []policy.SavedOverride) error {
	if err := k.clearWay(now); err != nil {
		return err
	}
	data, left, err := encode(all)
	if err != nil {
		return fmt.Errorf("%s: %w", k.file, err)
	}
	if err := k.replace(k.file, data); err != nil {
		return fmt.Errorf("%s could not be written: %w: make room, or let callmark write in its folder", k.file, err)
	}
	if left > 0 {
		return fmt.Errorf("%s has no room for the oldest %d of %d overrides: release some", k.file, left, len(all))
	}
	return nil
}

// Run keeps the file up to date until ctx ends: with what falls, expires or ends
// with its meeting, and with what could not be written before. It writes once at
// the start, so that a folder that cannot be written to is known before
// something depends on it.
func (k *Keeper) Run(ctx context.Context) {
	if k.file == "" {
		return
	}
	k.mu.Lock()
	k.stale = true
	k.mu.Unlock()
	changed, stop := k.board.Watch()
	defer stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		wait := gather
		if k.Save(time.Now()) != nil {
			wait = tryNext
		}
		for wait == gather && !k.due() {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			if !k.due() {
				pause.Reset(look)
				select {
				case <-ctx.Done():
					return
				case <-pause.C:
				}
			}
		}
		pause.Reset(wait)
	}
}

// due reports whether there is something to write.
func (k *Keeper) due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stale || k.written != k.board.OverridesVersion()
}
