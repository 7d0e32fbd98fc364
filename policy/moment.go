package policy

import "time"

// moment is a time in a third of the memory: nanoseconds since 1970, or 0 for
// never. It follows the wall clock.
type moment int64

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return 0
	}
	return moment(t.UnixNano())
}

// time is zero for never.
func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(m))
}
