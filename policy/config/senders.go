package config

import "net/netip"

// Networks is Allow as networks, an address as that of itself. It leaves out
// what cannot be read, which Parse has refused; none is left for none given.
func (r Receiver) Networks() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range r.Allow {
		if p, problem := readNetwork(text); problem == "" {
			all = append(all, p)
		}
	}
	return all
}

// Open reports whether anybody who reaches the port may send records.
func (r Receiver) Open() bool {
	return len(r.Allow) == 0 && r.Token.Reveal() == "" && r.ClientCA == ""
}
