package simulator

import (
	"fmt"
	"strconv"
)

// Populate starts meetings with the given number of legs each, for load: spread
// evenly over the Call Bridges, a third of the meetings of each level. It does
// not wait; WaitDelivered does. The records are at most 2*legs+1 per meeting:
// see Options.Queue.
func (c *Cluster) Populate(meetings, legs int) []*Call {
	calls := make([]*Call, 0, meetings)
	for i := range meetings {
		call := c.bridges[i%len(c.bridges)].StartCall(CallSpec{Name: fmt.Sprintf("Meeting %d", i+1), KeepEmpty: true})
		for j := range legs {
			// The first one gives the meeting its level.
			call.Join(loadPerson(1+max(0, i%3-j%3), i, j))
		}
		calls = append(calls, call)
	}
	return calls
}

func loadPerson(level, i, j int) LegSpec {
	user := "u" + strconv.Itoa(i) + "-" + strconv.Itoa(j)
	domain := []string{DemoSecureDomain, DemoInternalDomain, "partner.example"}[level-1]
	spec := SIP("Person "+user, user+"@"+domain)
	spec.Level = level
	return spec
}
