package receiver

import (
	"callmark/policy"
	"callmark/receiver/cdr"
)

// appendEvents turns the records of a document into the core's events.
func appendEvents(dst []policy.Event, doc *cdr.Document) []policy.Event {
	for i := range doc.Records {
		r := &doc.Records[i]
		dst = append(dst, policy.Event{Kind: kindOf(r.Type), Time: r.Time, Index: r.CorrelatorIndex, Missing: r.Missing})
		e := &dst[len(dst)-1]
		switch r.Type {
		case cdr.CallStart, cdr.CallEnd:
			e.Call = policy.CallFacts{ID: r.Call.ID, Name: r.Call.Name, Correlator: r.Call.Correlator}
		case cdr.CallLegStart, cdr.CallLegUpdate, cdr.CallLegEnd:
			l := &r.Leg
			e.Leg = policy.LegFacts{
				ID: l.ID, Name: l.DisplayName, RemoteParty: l.RemoteParty, RemoteAddress: l.RemoteAddress,
				Type: l.Type, SubType: l.SubType, Group: l.GroupID, Call: l.Call, Reason: l.Reason,
				IVR: l.IVR, Connected: l.State == "connected",
				Deactivated: tri(l.Deactivated), Guest: tri(l.GuestConnection),
				Recorder: l.Recording == cdr.True || l.Streaming == cdr.True,
			}
		}
	}
	return dst
}

func kindOf(t cdr.Type) policy.EventKind {
	switch t {
	case cdr.CallStart:
		return policy.CallStarted
	case cdr.CallEnd:
		return policy.CallEnded
	case cdr.CallLegStart:
		return policy.LegStarted
	case cdr.CallLegUpdate:
		return policy.LegUpdated
	case cdr.CallLegEnd:
		return policy.LegEnded
	}
	return policy.Other
}

func tri(f cdr.Flag) policy.Tri {
	switch f {
	case cdr.True:
		return policy.Yes
	case cdr.False:
		return policy.No
	}
	return policy.Unsaid
}
