package simulator

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (b *Bridge) getCalls(r request) answer {
	calls := b.order
	if space := r.form.Get("coSpaceFilter"); space != "" {
		calls = matching(calls, func(call *Call) bool { return strings.EqualFold(call.spec.CoSpace, space) })
	}
	if tenant := r.form.Get("tenantFilter"); tenant != "" {
		calls = matching(calls, func(call *Call) bool { return strings.EqualFold(call.spec.Tenant, tenant) })
	}
	if b.latestFirst {
		calls = latest(calls, func(call *Call) uint64 { return call.changed })
	}
	return list(b, r, "calls", calls, func(d *document, call *Call) {
		d.begin("call", "id", call.id)
		d.text("name", call.spec.Name)
		d.text("coSpace", call.spec.CoSpace)
		d.text("callCorrelator", call.correlator)
		d.text("tenant", call.spec.Tenant)
		d.end()
	})
}

func (b *Bridge) getCall(r request) answer {
	call := b.calls[r.id]
	if call == nil {
		return notFound("callDoesNotExist")
	}
	now := b.cluster.now()
	remote, others := 0, 0
	for _, other := range call.meeting() {
		if other.bridge == b {
			continue
		}
		if n := len(localParticipants(other)); n > 0 {
			// Cisco's guide: other Call Bridges that host participants.
			remote += n
			others++
		}
	}
	d := newDocument().begin("call", "id", call.id)
	d.text("name", call.spec.Name)
	d.text("ownerName", call.spec.OwnerName)
	d.text("callType", call.spec.Type)
	d.text("coSpace", call.spec.CoSpace)
	d.text("callCorrelator", call.correlator)
	d.text("tenant", call.spec.Tenant)
	d.number("durationSeconds", seconds(now.Sub(call.started)))
	d.number("numCallLegs", len(call.legs))
	d.number("maxCallLegs", int(call.maxLegs))
	d.number("numParticipantsLocal", len(localParticipants(call)))
	d.number("numParticipantsRemote", remote)
	d.number("numDistributedInstances", others)
	d.flag("locked", false)
	d.flag("recording", call.recordings > 0)
	d.flag("streaming", call.streams > 0)
	d.always("messageText", call.screen.text)
	d.text("messagePosition", call.screen.position)
	d.text("messageDuration", call.screen.duration)
	if left := call.screen.remaining(now); left > 0 {
		d.number("messageTimeRemaining", left)
	}
	return xmlAnswer(d)
}

// callParameters are the parameters of PUT /calls/ID, and what is wrong with a
// value. Those about anything but the message are accepted and do nothing.
var callParameters = map[string]func(string) bool{
	"messageText":                      func(string) bool { return true },
	"messagePosition":                  func(v string) bool { return v == "top" || v == "middle" || v == "bottom" },
	"messageDuration":                  func(v string) bool { return v == permanent || isNumber(v) },
	"locked":                           isBool,
	"recording":                        isBool,
	"streaming":                        isBool,
	"allowAllMuteSelf":                 isBool,
	"allowAllPresentationContribution": isBool,
	"joinAudioMuteOverride":            isBool,
}

func isBool(v string) bool { return v == "true" || v == "false" }

func isNumber(v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n >= 0
}

// putCall changes a call's message: all parameters or, if one is wrong, none.
func (b *Bridge) putCall(r request) answer {
	call := b.calls[r.id]
	if call == nil {
		return notFound("callDoesNotExist")
	}
	names := make([]string, 0, len(r.form))
	for name := range r.form {
		names = append(names, name)
	}
	slices.Sort(names)
	message := false
	for _, name := range names {
		valid := callParameters[name]
		switch {
		case valid == nil:
			return parameterError(name, "unknown")
		case !valid(r.form.Get(name)):
			return parameterError(name, "valueError")
		}
		message = message || strings.HasPrefix(name, "message")
	}
	if !message {
		return answer{}
	}
	m := &call.screen
	if r.form.Has("messageText") {
		m.text = r.form.Get("messageText")
	}
	if r.form.Has("messagePosition") {
		m.position = r.form.Get("messagePosition")
	}
	m.setDuration(cmp.Or(r.form.Get("messageDuration"), m.duration), b.cluster.now())
	call.put()
	return answer{}
}

// matching returns the elements that match.
func matching[T any](list []T, match func(T) bool) []T {
	var out []T
	for _, v := range list {
		if match(v) {
			out = append(out, v)
		}
	}
	return out
}

func seconds(d time.Duration) int { return int(d / time.Second) }
