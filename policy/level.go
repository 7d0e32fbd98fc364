package policy

import "strconv"

// Level says how trusted somebody, or a whole meeting, is: the higher, the
// less trusted. LevelNone is the absence of a level: nobody counts.
type Level uint8

// The levels.
const (
	LevelNone Level = iota
	Level1          // only secure on-premises rooms
	Level2          // internal people too
	Level3          // somebody external or unknown
)

// String returns "1", "2", "3", or "none".
func (l Level) String() string {
	if l == LevelNone {
		return "none"
	}
	return strconv.Itoa(int(l))
}
