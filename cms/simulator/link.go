package simulator

// Link connects two calls of one meeting on two Call Bridges with a
// distribution link: a leg on both sides, which ends with the other. It returns
// the leg on a's side.
func Link(a, b *Call) *Leg {
	defer a.bridge.lock()()
	if a.over || b.over || a.bridge == b.bridge {
		return nil
	}
	near := a.bridge.newLeg(linkSpec(b.bridge, true))
	far := b.bridge.newLeg(linkSpec(a.bridge, false))
	near.link, near.twin = b.bridge, far
	far.link, far.twin = a.bridge, near
	a.bridge.emit(near.start())
	b.bridge.emit(far.start())
	near.join(a)
	far.join(b)
	return near
}

// linkSpec is a link as the Call Bridge at its one end sees the peer.
func linkSpec(peer *Bridge, outgoing bool) LegSpec {
	return LegSpec{
		Name: peer.name, Address: peer.name + "@" + peer.host(),
		SubType: "distributionLink", Outgoing: outgoing, Encrypted: true,
	}
}
