package ui

import (
	"context"
	"sync"
	"time"

	"callmark/policy"
)

const (
	frameEvery = 100 * time.Millisecond // a storm of records makes no more frames than this
	clockEvery = time.Second            // ages and the clock move without any change
	logKept    = 5000                   // entries of the event log
	logAtOnce  = 1000                   // entries that are asked for at a time
)

// frame is what the pump brings to the program: what changed on the board, and
// what the open view needs besides. All of it is the receiver's own.
type frame struct {
	at      time.Time
	update  policy.Update
	entries []policy.Entry
	lost    uint64 // entries that were gone before they could be read

	open   policy.MeetingID // the meeting that legs are of
	legs   []policy.LegView
	legsOK bool // legs were read
}

// focus tells the pump which meeting is open. The program writes it, the pump
// reads it.
type focus struct {
	mu      sync.Mutex
	meeting policy.MeetingID
	opened  int           // how often one was opened or closed
	nudge   chan struct{} // one slot: something is to be read at once
}

func newFocus() *focus { return &focus{nudge: make(chan struct{}, 1)} }

// set opens a meeting, or with "" none. It does not block.
func (f *focus) set(id policy.MeetingID) {
	f.mu.Lock()
	f.meeting = id
	f.opened++
	f.mu.Unlock()
	f.now()
}

// now asks for a frame without waiting for a change.
func (f *focus) now() {
	select {
	case f.nudge <- struct{}{}:
	default:
	}
}

func (f *focus) get() (id policy.MeetingID, opened int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.meeting, f.opened
}

// pump carries the board's changes to the program. It is the only one that
// sends to it: a send waits for the program, and the program for the terminal,
// so nobody else may be made to wait there.
type pump struct {
	board Board
	focus *focus
	now   func() time.Time
	send  func(frame)

	version uint64
	seq     uint64 // last journal entry that was read
	opened  int    // as of which opening the legs were read
}

// run sends frames until the context ends: at once when an operator opens
// something, within frameEvery of a change, and every clockEvery in any case.
func (p *pump) run(ctx context.Context) {
	dirty, stop := p.board.Watch()
	defer stop()
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()

	var due <-chan time.Time // set while a change waits for its frame
	last := time.Time{}
	frame := func() {
		due = nil
		last = time.Now()
		p.send(p.collect())
	}
	frame()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.focus.nudge:
			frame()
		case <-clock.C:
			frame()
		case <-due:
			frame()
		case <-dirty:
			if due == nil {
				due = time.After(max(0, frameEvery-time.Since(last)))
			}
		}
	}
}

// collect reads from the board what the program does not have yet.
func (p *pump) collect() frame {
	f := frame{at: p.now(), update: p.board.Since(p.version)}
	p.version = f.update.Version
	for {
		entries, lost := p.board.Journal(p.seq, logAtOnce)
		f.lost += lost
		if len(entries) == 0 {
			break
		}
		p.seq = entries[len(entries)-1].Seq
		f.entries = append(f.entries, entries...)
		if extra := len(f.entries) - logKept; extra > 0 {
			f.entries = append(f.entries[:0:0], f.entries[extra:]...)
		}
		if len(entries) < logAtOnce {
			break
		}
	}
	// A meeting that is closed and opened again has no legs, though it is the same.
	var opened int
	f.open, opened = p.focus.get()
	if f.open != "" && (opened != p.opened || f.update.Full || changed(f.update.Meetings, f.open)) {
		f.legs, f.legsOK = p.board.Legs(f.open), true
	}
	p.opened = opened
	return f
}

func changed(meetings []*policy.MeetingView, id policy.MeetingID) bool {
	for _, m := range meetings {
		if m.ID == id {
			return true
		}
	}
	return false
}
