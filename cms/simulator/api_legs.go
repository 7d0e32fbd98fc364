package simulator

import "strings"

func (b *Bridge) getCallLegs(r request) answer { return b.listLegs(r, b.legOrder) }

func (b *Bridge) getCallLegsOfCall(r request) answer {
	call := b.calls[r.id]
	if call == nil {
		return notFound("callDoesNotExist")
	}
	return b.listLegs(r, call.legs)
}

func (b *Bridge) listLegs(r request, legs []*Leg) answer {
	if filter := strings.ToLower(r.form.Get("filter")); filter != "" {
		legs = matching(legs, func(leg *Leg) bool {
			return strings.Contains(strings.ToLower(leg.name), filter) ||
				strings.Contains(strings.ToLower(leg.address), filter)
		})
	}
	if b.latestFirst {
		legs = latest(legs, func(leg *Leg) uint64 { return leg.changed })
	}
	return list(b, r, "callLegs", legs, func(d *document, leg *Leg) {
		d.begin("callLeg", "id", leg.id)
		leg.summary(d)
		d.end()
	})
}

// summary writes what lists and details have in common.
func (leg *Leg) summary(d *document) {
	d.text("name", leg.name)
	d.text("remoteParty", leg.address)
	d.text("originalRemoteParty", leg.spec.Address)
	if leg.call != nil {
		d.text("call", leg.call.id)
	}
}

func (b *Bridge) getCallLeg(r request) answer {
	leg := b.legs[r.id]
	if leg == nil {
		return notFound("callLegDoesNotExist")
	}
	d := newDocument().begin("callLeg", "id", leg.id)
	leg.summary(d)
	d.text("localAddress", leg.spec.Local)
	d.text("type", leg.spec.Type)
	d.text("subType", leg.spec.SubType)
	d.text("lyncSubType", leg.spec.LyncSubType)
	if leg.spec.Outgoing {
		d.text("direction", "outgoing")
	} else {
		d.text("direction", "incoming")
	}
	d.text("movedCallLeg", leg.movedLeg)
	d.text("movedCallLegCallBridge", leg.movedBridge)
	d.begin("status")
	d.text("state", leg.state.String())
	d.number("durationSeconds", seconds(b.cluster.now().Sub(leg.started)))
	d.text("sipCallId", leg.sipCallID)
	d.text("groupId", leg.groupID)
	d.flag("deactivated", leg.deactivated)
	d.flag("recording", leg.spec.Recording)
	d.flag("streaming", leg.spec.Streaming)
	if !leg.active.IsZero() {
		d.flag("encryptedMedia", leg.spec.Encrypted)
		d.flag("unencryptedMedia", !leg.spec.Encrypted)
	}
	d.end()
	return xmlAnswer(d)
}
