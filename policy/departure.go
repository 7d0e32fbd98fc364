package policy

// departure is a leg or a call that left. It is remembered for a while, since
// records of it may still come late.
type departure struct {
	leg  *leg
	call *call
	nth  int32 // which of its departures this is; an older one is no longer true
}

// departures is a queue of them, in the order of leaving.
type departures struct {
	all  []departure
	gone int // at the beginning of all, which have been taken
}

func (q *departures) len() int { return len(q.all) - q.gone }

// add makes room by moving all down, where there is enough of it: a full queue, of
// which one is taken for each that is added, would be copied to a new place a few
// times a second.
func (q *departures) add(d departure) {
	if len(q.all) == cap(q.all) && q.gone > len(q.all)/8 {
		n := copy(q.all, q.all[q.gone:])
		clear(q.all[n:])
		q.all, q.gone = q.all[:n], 0
	}
	q.all = append(q.all, d)
}

// take takes the oldest.
func (q *departures) take() departure {
	d := q.all[q.gone]
	q.all[q.gone] = departure{}
	q.gone++
	return d
}

// follow puts those of another queue before its own.
func (q *departures) follow(other *departures) {
	q.all, q.gone = append(other.all[other.gone:], q.all[q.gone:]...), 0
	*other = departures{}
}
