package simulator

import "strings"

// participant is somebody in a call, with all legs of theirs there.
type participant struct {
	id     string
	bridge *Bridge // that hosts the legs
	call   *Call   // there
	legs   []*Leg
}

// localParticipants returns those whom the call itself hosts. Recorders,
// streamers and links are none.
func localParticipants(call *Call) []*participant {
	var list []*participant
	byGroup := make(map[string]*participant)
	for _, leg := range call.legs {
		if !leg.spec.isPerson() {
			continue
		}
		p := byGroup[leg.groupID]
		if p == nil {
			p = &participant{id: leg.groupID, bridge: call.bridge, call: call}
			byGroup[leg.groupID] = p
			list = append(list, p)
		}
		p.legs = append(p.legs, leg)
	}
	return list
}

// participants returns those in the call, and then those in the meeting's calls
// on other Call Bridges.
func (call *Call) participants() []*participant {
	list := localParticipants(call)
	for _, other := range call.meeting() {
		if other != call {
			list = append(list, localParticipants(other)...)
		}
	}
	return list
}

// entry is a participant as one call's Call Bridge sees it.
type entry struct {
	*participant
	seenFrom *Call
}

func (b *Bridge) getParticipantsOfCall(r request) answer {
	call := b.calls[r.id]
	if call == nil {
		return notFound("callDoesNotExist")
	}
	return b.listParticipants(r, call.entries())
}

func (b *Bridge) getParticipants(r request) answer {
	var entries []entry
	for _, call := range b.order {
		entries = append(entries, call.entries()...)
	}
	return b.listParticipants(r, entries)
}

func (call *Call) entries() []entry {
	var entries []entry
	for _, p := range call.participants() {
		entries = append(entries, entry{p, call})
	}
	return entries
}

func (b *Bridge) listParticipants(r request, entries []entry) answer {
	if filter := r.form.Get("callBridgeFilter"); filter != "" {
		entries = matching(entries, func(e entry) bool { return strings.EqualFold(e.bridge.guid, filter) })
	}
	return list(b, r, "participants", entries, func(d *document, e entry) {
		d.begin("participant", "id", e.id)
		b.summary(d, e)
		d.end()
	})
}

// summary writes what lists and details have in common. callBridge is only on
// those who are hosted elsewhere.
func (b *Bridge) summary(d *document, e entry) {
	leg := e.legs[0]
	d.text("name", leg.name)
	d.text("call", e.seenFrom.id)
	d.text("uri", leg.address)
	d.text("originalUri", leg.spec.Address)
	if e.bridge != b {
		d.text("callBridge", e.bridge.guid)
	}
}

func (b *Bridge) getParticipant(r request) answer {
	leg, seenFrom := b.findParticipant(r.id)
	if leg == nil {
		return notFound("participantDoesNotExist")
	}
	p := &participant{id: r.id, bridge: leg.bridge, call: leg.call, legs: []*Leg{leg}}
	d := newDocument().begin("participant", "id", p.id)
	b.summary(d, entry{p, seenFrom})
	d.text("userJid", leg.spec.UserJID)
	d.flag("isActivator", leg.counts())
	d.begin("status").text("state", leg.state.String()).end()
	return xmlAnswer(d)
}

// findParticipant returns the first leg of a participant, and the call of this
// Call Bridge that shows it.
func (b *Bridge) findParticipant(id string) (*Leg, *Call) {
	for _, call := range b.order {
		for _, other := range call.meeting() {
			for _, leg := range other.legs {
				if leg.groupID == id && leg.spec.isPerson() {
					return leg, call
				}
			}
		}
	}
	return nil, nil
}
