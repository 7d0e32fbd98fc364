package simulator

import (
	"slices"
	"strings"
)

// The domains of the demo.
const (
	DemoSecureDomain   = "rooms.ministry.example" // on-premises rooms: level 1
	DemoInternalDomain = "ministry.example"       // employees: level 2
)

// DemoSecureDomains and DemoInternalDomains are what the demo's configuration
// lists as secure_domains and internal_domains.
func DemoSecureDomains() []string { return []string{DemoSecureDomain} }

// DemoInternalDomains: see DemoSecureDomains.
func DemoInternalDomains() []string { return []string{DemoInternalDomain} }

// demoExternalDomains are those of level 3 who come by SIP. The last ones look
// like ours and are not.
var demoExternalDomains = []string{
	"partner.example", "consulting.example", "embassy.example", "evil.test",
	"notministry.example", "rooms.ministry.example.evil.test",
}

// SIP is somebody at a SIP address.
func SIP(name, address string) LegSpec { return LegSpec{Name: name, Address: address, Encrypted: true} }

// Guest is somebody who came by a web link, without an account. The address is
// made up when the leg starts.
func Guest(name string) LegSpec {
	return LegSpec{Name: name, Type: "acano", SubType: "webApp", Guest: true, Encrypted: true}
}

// App is somebody who signed in to the web app.
func App(name, jid string) LegSpec {
	return LegSpec{Name: name, Address: jid, Type: "acano", SubType: "webApp", UserJID: jid, Encrypted: true}
}

// OldApp is somebody with a client that sends no subType.
func OldApp(name, jid string) LegSpec {
	return LegSpec{Name: name, Address: jid, Type: "acano", UserJID: jid, Encrypted: true}
}

// Phone is somebody who dialled in: a bare number at a gateway's IP address.
func Phone(number, gateway string) LegSpec {
	return LegSpec{Name: number, Address: number + "@" + gateway + ";user=phone"}
}

// Recorder is a recorder that joined as a leg: no person.
func Recorder() LegSpec {
	return LegSpec{Name: "Recorder", Address: "recorder@recorder1.ministry.example", Outgoing: true, Recording: true, Encrypted: true}
}

// Streamer is a streamer that joined as a leg: no person.
func Streamer() LegSpec {
	return LegSpec{Name: "Streamer", Address: "streamer@streamer1.ministry.example", Outgoing: true, Streaming: true, Encrypted: true}
}

// isPerson tells whether there is somebody at the far end.
func (spec *LegSpec) isPerson() bool {
	return !spec.Recording && !spec.Streaming && spec.SubType != "distributionLink"
}

// intendedLevel is the level of a leg: the one given, or worked out from the
// demo's domains. It is written for the addresses of the demo, apart from the
// policy that it is compared with.
func intendedLevel(spec *LegSpec, address string, level int) int {
	switch {
	case !spec.isPerson():
		return 0
	case level != 0:
		return level
	case spec.Type == "acano" || spec.SubType == "webApp" || spec.Guest:
		return 3
	}
	_, host, ok := strings.Cut(address, "@")
	if !ok {
		return 3
	}
	if end := strings.IndexAny(host, ":;?>"); end >= 0 {
		host = host[:end]
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	under := func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }
	switch {
	case slices.ContainsFunc(DemoSecureDomains(), under):
		return 1
	case slices.ContainsFunc(DemoInternalDomains(), under):
		return 2
	}
	return 3
}
