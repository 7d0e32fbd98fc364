package simulator

import (
	"slices"
	"strconv"
	"time"
)

func (b *Bridge) getCallBridges(r request) answer {
	return list(b, r, "callBridges", b.peers(), func(d *document, peer *Bridge) {
		d.begin("callBridge", "id", peer.guid).text("name", peer.name).end()
	})
}

// peers returns the Call Bridges that the API knows, itself included.
func (b *Bridge) peers() []*Bridge {
	if b.cluster.opts.Standalone {
		return nil
	}
	return b.cluster.bridges
}

func (b *Bridge) getCallBridge(r request) answer {
	for _, peer := range b.peers() {
		if peer.guid == r.id {
			return xmlAnswer(newDocument().begin("callBridge", "id", peer.guid).
				text("name", peer.name).text("address", peer.url()))
		}
	}
	return notFound("callBridgeDoesNotExist")
}

func (b *Bridge) getClusterConfiguration(request) answer {
	d := newDocument().begin("cluster")
	if !b.cluster.opts.Standalone {
		d.text("uniqueName", b.name)
	}
	return xmlAnswer(d)
}

func (b *Bridge) getStatus(request) answer {
	now := b.cluster.now()
	d := newDocument().begin("status")
	d.text("softwareVersion", "3.9")
	d.number("uptimeSeconds", seconds(now.Sub(b.booted)))
	d.text("cdrTime", b.clock().Format(time.RFC3339))
	d.flag("activated", true)
	d.flag("clusterEnabled", !b.cluster.opts.Standalone)
	d.text("cdrCorrelatorIndex", strconv.FormatInt(b.next, 10))
	d.number("callLegsActive", len(b.legOrder))
	return xmlAnswer(d)
}

func (b *Bridge) getAlarms(r request) answer {
	failing := matching(b.senders, func(s *sender) bool { return !s.failing.IsZero() })
	return list(b, r, "alarms", failing, func(d *document, s *sender) {
		d.begin("alarm", "id", s.id)
		d.text("type", "cdrConnectionFailure")
		d.number("activeTimeSeconds", seconds(b.cluster.now().Sub(s.failing)))
		d.end()
	})
}

func (b *Bridge) getReceivers(r request) answer {
	return list(b, r, "cdrReceivers", b.senders, func(d *document, s *sender) {
		d.begin("cdrReceiver", "id", s.id).text("uri", s.uri).end()
	}, "maximum", strconv.Itoa(maxReceivers))
}

func (b *Bridge) receiver(id string) *sender {
	for _, s := range b.senders {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (b *Bridge) getReceiver(r request) answer {
	s := b.receiver(r.id)
	if s == nil {
		return notFound("cdrReceiverDoesNotExist")
	}
	return xmlAnswer(newDocument().begin("cdrReceiver", "id", s.id).text("uri", s.uri))
}

func (b *Bridge) postReceiver(r request) answer {
	uri := r.form.Get("uri")
	switch {
	case len(b.senders) >= maxReceivers:
		return failure(400, "tooManyCdrReceivers")
	case uri == "":
		return parameterError("uri", "missing")
	case checkReceiver(uri) != nil:
		return parameterError("uri", "valueError")
	}
	s := b.addReceiver(uri)
	b.cluster.touch()
	return answer{location: root + "/system/cdrReceivers/" + s.id}
}

func (b *Bridge) putReceiver(r request) answer {
	s := b.receiver(r.id)
	if s == nil {
		return notFound("cdrReceiverDoesNotExist")
	}
	if !r.form.Has("uri") {
		return answer{}
	}
	if checkReceiver(r.form.Get("uri")) != nil {
		return parameterError("uri", "valueError")
	}
	s.uri = r.form.Get("uri")
	b.cluster.touch()
	return answer{}
}

func (b *Bridge) deleteReceiver(r request) answer {
	s := b.receiver(r.id)
	if s == nil {
		return notFound("cdrReceiverDoesNotExist")
	}
	s.stop()
	b.senders = slices.DeleteFunc(slices.Clone(b.senders), func(other *sender) bool { return other == s })
	b.cluster.touch()
	return answer{}
}
