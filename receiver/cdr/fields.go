package cdr

// parseType reads a record's type attribute.
func parseType(b []byte) Type {
	for t := CallStart; t <= StreamingEnd; t++ {
		if string(b) == typeNames[t] {
			return t
		}
	}
	return Unknown
}

// fieldFor returns where the value of a child element of the open object goes:
// a pointer into the open record, or nil for an element that is not used.
func (d *Decoder) fieldFor(name []byte) any {
	switch r := d.record; r.Type {
	case CallStart, CallEnd:
		if f := r.Call.used(name); f != nil || d.Brief {
			return f
		}
		return r.Call.unused(name)
	case CallLegStart, CallLegUpdate, CallLegEnd:
		if f := r.Leg.used(name); f != nil || d.Brief {
			return f
		}
		return r.Leg.unused(name)
	}
	if d.Brief {
		return nil
	}
	switch r := d.record; r.Type {
	case RecordingStart, RecordingEnd:
		switch string(name) {
		case "path":
			return &d.urls[0]
		case "recorderUrl":
			return &d.urls[1]
		}
		return r.Media.field(name)
	case StreamingStart, StreamingEnd:
		switch string(name) {
		case "streamUrl":
			return &d.urls[0]
		case "streamerUrl":
			return &d.urls[1]
		}
		return r.Media.field(name)
	}
	return nil
}

// used are the fields that a brief Decoder reads, unused the others.
func (c *Call) used(name []byte) any {
	switch string(name) {
	case "name":
		return &c.Name
	case "callCorrelator":
		return &c.Correlator
	}
	return nil
}

func (c *Call) unused(name []byte) any {
	switch string(name) {
	case "ownerName":
		return &c.OwnerName
	case "callType":
		return &c.Type
	case "coSpace":
		return &c.CoSpace
	case "tenant":
		return &c.Tenant
	case "cdrTag":
		return &c.CdrTag
	case "callLegsCompleted":
		return &c.LegsCompleted
	case "callLegsMaxActive":
		return &c.LegsMaxActive
	case "durationSeconds":
		return &c.Duration
	}
	return nil
}

func (l *Leg) used(name []byte) any {
	switch string(name) {
	case "displayName":
		return &l.DisplayName
	case "remoteParty":
		return &l.RemoteParty
	case "remoteAddress":
		return &l.RemoteAddress
	case "type":
		return &l.Type
	case "subType":
		return &l.SubType
	case "call":
		return &l.Call
	case "ivr":
		return &l.IVR
	case "state":
		return &l.State
	case "deactivated":
		return &l.Deactivated
	case "guestConnection":
		return &l.GuestConnection
	case "recording":
		return &l.Recording
	case "streaming":
		return &l.Streaming
	case "groupId":
		return &l.GroupID
	case "reason":
		return &l.Reason
	}
	return nil
}

func (l *Leg) unused(name []byte) any {
	switch string(name) {
	case "localAddress":
		return &l.LocalAddress
	case "lyncSubType":
		return &l.LyncSubType
	case "direction":
		return &l.Direction
	case "canMove":
		return &l.CanMove
	case "ownerId":
		return &l.OwnerID
	case "sipCallId":
		return &l.SipCallID
	case "movedCallLeg":
		return &l.MovedCallLeg
	case "movedCallLegCallBridge":
		return &l.MovedCallLegBridge
	case "replacesSipCallId":
		return &l.ReplacesSipCallID
	case "cdrTag":
		return &l.CdrTag
	case "confirmationStatus":
		return &l.ConfirmationStatus
	case "remoteTeardown":
		return &l.RemoteTeardown
	case "durationSeconds":
		return &l.Duration
	case "activatedDuration":
		return &l.ActivatedDuration
	case "encryptedMedia":
		return &l.EncryptedMedia
	case "unencryptedMedia":
		return &l.UnencryptedMedia
	}
	return nil
}

func (m *Media) field(name []byte) any {
	switch string(name) {
	case "call":
		return &m.Call
	case "callLeg":
		return &m.Leg
	}
	return nil
}
