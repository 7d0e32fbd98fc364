package simulator

import (
	"cmp"
	"slices"
)

// Person is somebody who sees and hears a meeting, as the simulator knows.
type Person struct {
	Leg     string // id of the leg
	Bridge  string // unique name of the Call Bridge
	Name    string
	Address string
	Level   int // 1, 2 or 3
}

// Meeting is the truth about one meeting.
type Meeting struct {
	Correlator string // empty for a call without one
	Name       string
	Level      int      // of the least trusted person; 0: nobody is there
	People     []Person // by name of the Call Bridge and age of the leg
	Calls      []*Call
}

// Truth returns what really goes on: every meeting with running calls, by
// correlator, or by call id for a call without one. Those who count are the
// connected, on hold included, who are neither in the lobby nor in the IVR;
// recorders, streamers and links are nobody. It is in step with the records:
// once WaitDelivered has returned, and nothing was lost, they say the same.
func (c *Cluster) Truth() map[string]Meeting {
	c.mu.Lock()
	defer c.mu.Unlock()
	truth := make(map[string]Meeting)
	for _, b := range c.bridges {
		for _, call := range b.order {
			key := cmp.Or(call.correlator, call.id)
			m, ok := truth[key]
			if !ok {
				m = Meeting{Correlator: call.correlator, Name: call.spec.Name}
			}
			m.Calls = append(m.Calls, call)
			for _, leg := range call.legs {
				if leg.counts() {
					m.People = append(m.People, Person{leg.id, b.name, leg.name, leg.address, leg.level})
					m.Level = max(m.Level, leg.level)
				}
			}
			truth[key] = m
		}
	}
	return truth
}

// LegTruth is the truth about one leg that is in a call.
type LegTruth struct {
	ID          string
	Bridge      string // unique name of the Call Bridge
	Group       string // id of the participant
	Name        string // as it is now
	Address     string // remoteAddress, as it is now
	Level       int    // 1, 2 or 3; 0: no person
	Counts      bool   // somebody who sees and hears the meeting, see Cluster.Truth
	Connected   bool   // has been connected in this call, as it still is on hold
	Deactivated bool   // in the lobby
	State       string // as the API writes it
	Peer        string // of a distribution link: GUID of the Call Bridge at its far end
}

// LegTruth returns all legs of every running call, by call id and oldest first:
// also those that do not count. A call without legs has an empty list, and legs
// that are in no call are in none.
func (c *Cluster) LegTruth() map[string][]LegTruth {
	c.mu.Lock()
	defer c.mu.Unlock()
	truth := make(map[string][]LegTruth)
	for _, b := range c.bridges {
		for _, call := range b.order {
			legs := make([]LegTruth, len(call.legs))
			for i, leg := range call.legs {
				legs[i] = leg.truth()
			}
			truth[call.id] = legs
		}
	}
	return truth
}

func (leg *Leg) truth() LegTruth {
	t := LegTruth{
		ID: leg.id, Bridge: leg.bridge.name, Group: leg.groupID, Name: leg.name, Address: leg.address,
		Level: leg.level, Counts: leg.counts(), Connected: leg.joined, Deactivated: leg.deactivated,
		State: leg.state.String(),
	}
	if leg.link != nil {
		t.Peer = leg.link.guid
	}
	return t
}

// counts tells whether the leg is somebody who sees and hears the meeting.
func (leg *Leg) counts() bool { return leg.level > 0 && leg.joined && !leg.deactivated }

// truthLevel is the level of the call's meeting.
func (call *Call) truthLevel() int {
	calls := call.bridge.cluster.meetings[call.correlator]
	if call.correlator == "" {
		calls = []*Call{call}
	}
	level := 0
	for _, other := range calls {
		for _, leg := range other.legs {
			if leg.counts() {
				level = max(level, leg.level)
			}
		}
	}
	return level
}

// Level returns the level of the call's meeting: see Truth.
func (call *Call) Level() int {
	defer call.bridge.lock()()
	return call.truthLevel()
}

// CallScreen is a running call, what its screens show, and what is true.
type CallScreen struct {
	Bridge     string // unique name
	CallID     string
	Correlator string
	Name       string
	Level      int // of the call's meeting, see Truth
	Legs       int
	Screen     Screen
}

// Screens returns every running call with its screen and its meeting's level,
// all of one moment: oldest first, Call Bridge by Call Bridge. An end-to-end
// test waits, with Wait, until no screen differs from its level.
func (c *Cluster) Screens() []CallScreen {
	c.mu.Lock()
	defer c.mu.Unlock()
	levels := make(map[string]int)
	var screens []CallScreen
	for _, b := range c.bridges {
		for _, call := range b.order {
			key := cmp.Or(call.correlator, call.id)
			level, ok := levels[key]
			if !ok {
				level = call.truthLevel()
				levels[key] = level
			}
			screens = append(screens, CallScreen{b.name, call.id, call.correlator, call.spec.Name, level, len(call.legs), call.show()})
		}
	}
	return screens
}

// Calls returns every running call, oldest first, Call Bridge by Call Bridge.
func (c *Cluster) Calls() []*Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var calls []*Call
	for _, b := range c.bridges {
		calls = append(calls, b.order...)
	}
	return slices.Clip(calls)
}
