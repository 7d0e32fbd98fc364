// Package ui is the operators' console: it shows what the core knows and hands
// it their decisions. It has no rules of its own about levels and markings: it
// reads the board's views and sends overrides.
//
// # Ordering
//
// One goroutine, the pump, reads the board and sends frames to the program, in
// the order of the board's versions; a frame brings a meeting, its legs and the
// journal as they were at that moment or a little later. What an operator
// decides goes to the board from the program's own goroutine, so the next key
// finds it done. A dialog holds the id of its meeting, and asks for the meeting
// anew for every frame: rows that come, go and move change nothing about whom
// a key is for.
//
// # Blocking
//
// Nothing outside waits for the console. The board marks a one-slot channel;
// the pump makes at most ten frames a second of that, and one a second in any
// case, so that a clock which stands still means a console which does. The
// pump, and nobody else, waits while the terminal stalls. The program calls the
// board's methods, which block on a short mutex only; what may take longer
// (Options.Refresh, Options.Save, Options.KeepView) runs on a goroutine of its own. An override holds
// from its key on; the operator is told so once it is saved.
//
// # Ownership
//
// Frames are handed over whole. The model is touched by bubbletea's goroutine
// only; the meeting that is open is told to the pump through a small lock. The
// views that the board gives out are immutable and shared. Console.Run waits
// for the pump and the program before it returns, unless the terminal hangs
// (ErrStalled). Signals belong to the wiring: it ends the
// context of Run, and the terminal is restored before Run returns.
// Console.Restore gives the terminal back from any other goroutine, for the
// recover of a panic.
//
// # Drawing
//
// Only rows that are to be seen are drawn. Every text is made safe once more
// when it is drawn, and its width is that of its graphemes.
package ui
