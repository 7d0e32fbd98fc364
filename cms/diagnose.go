package cms

import (
	"context"
	"fmt"
	"strings"

	"callmark/policy"
)

// Diagnose finds out why the records of a Call Bridge do not reach us, from its
// receivers, the places that it has for them (-1: not known) and its alarms, and
// says what to do. It has an answer for everything, also for a Call Bridge that
// is set up well, so it is to be asked only when records are known to be
// missing. Both texts are fit to be shown. Own may ask the DNS; otherwise it
// does nothing.
func Diagnose(ctx context.Context, receivers []Receiver, places int64, alarms []Alarm, own Own) (cause, remedy string) {
	var ours, near *Receiver
	differs := ""
	for i := range receivers {
		match, but := own.compare(ctx, receivers[i].URI)
		if match && (ours == nil || loops(ours.URI)) { // the one that is more likely to work
			ours = &receivers[i]
		}
		if but != "" && near == nil {
			near, differs = &receivers[i], but
		}
	}
	switch {
	case ours != nil:
		return unheard(*ours, len(receivers), alarms, own)
	case near != nil: // to be taken out first, so it does not matter whether there is a place
		return fmt.Sprintf("of its receivers only %s is nearly ours: %s", near, differs),
			fmt.Sprintf("if it was meant for callmark: callmark receivers remove %s, then %s", near, own.Add())
	case places >= 0 && int64(len(receivers)) >= places:
		return Full(receivers, places, own.Suggest())
	}
	return "our URI is not among its receivers", own.Add()
}

// unheard is the diagnosis of a Call Bridge that has our URI.
func unheard(ours Receiver, registered int, alarms []Alarm, own Own) (cause, remedy string) {
	itself := ""
	if loops(ours.URI) {
		itself = fmt.Sprintf("; unless it runs on this host, %s leads it to itself: register %s", ours, toAdd(own.direct().Suggest()))
	}
	if own.Guarded {
		itself = "; and see in callmark's log whether that server is refused: by allow, token or client_ca" + itself
	}
	for _, a := range alarms {
		if !strings.EqualFold(a.Type, AlarmCDR) {
			continue
		}
		cause = "it cannot reach our receiver"
		if registered > 1 { // the alarm does not tell which
			cause = "it cannot reach one of its receivers, most likely ours"
		}
		if a.Active > 0 {
			cause += " for " + a.Active.String()
		}
		return cause + " (alarm " + AlarmCDR + ")",
			fmt.Sprintf("check firewall, route, port and certificate between that server and %s%s", ours, itself)
	}
	return "it posts to us, it says, and nothing arrives",
		fmt.Sprintf("check the host of %s as that server sees it: another program may listen there, or a proxy may swallow the records%s", ours, itself)
}

// Full says that a Call Bridge has no place for a receiver, who has the places,
// and what to do. uri is the one to add, fit to be shown.
func Full(receivers []Receiver, places int64, uri string) (cause, remedy string) {
	remedy = "remove one: callmark receivers remove URI, then callmark receivers add " + toAdd(uri)
	who := make([]string, 0, len(receivers))
	for _, r := range receivers[:min(len(receivers), 8)] {
		who = append(who, policy.Clean(r.String(), maxText))
	}
	switch {
	case len(who) == 0:
		return "it has no place for receivers", "look at its CDR settings in the Web Admin"
	case places < 0:
		places = int64(len(receivers))
	}
	return fmt.Sprintf("its %d places for receivers are taken by %s", places, strings.Join(who, ", ")), remedy
}

func loops(uri string) bool {
	p, ok := placeOf(uri)
	return ok && p.loops()
}
