package policy

import "fmt"

// maxReasons bounds the lines of Unready. A cluster has up to 24 Call Bridges.
const maxReasons = 64

// Unready says why callmark is not ready, a line each: Call Bridges whose picture
// is not, or cannot be kept, complete, and those that take no markings. Of a Call
// Bridge that is several of these, each is said. Where there are more lines than
// anybody reads, those of configured servers stay and the last says how many are
// left out: sessions are opened by whoever sends records.
func (b *Board) Unready() []string {
	b.mu.Lock()
	views := b.bridges()
	full := b.full
	unfollowed := map[string]bool{}
	for name := range b.servers {
		unfollowed[name] = b.follows[name] == nil
	}
	b.mu.Unlock()

	var servers, sessions []string
	if full != "" {
		servers = append(servers, "every meeting counts as level 3: "+full)
	}
	for _, v := range views {
		lines := &sessions
		if v.Server != "" {
			lines = &servers
		}
		say := func(format string, args ...any) { *lines = append(*lines, fmt.Sprintf(format, args...)) }
		state := v.Bound.State
		switch {
		case state == ServerLocked || state == ServerDown || state == ServerBusy:
			say("%s is %s: %s", v.Name, state, v.Bound.Problem)
		case v.Server == "": // not known
		case state == ServerUnknown:
			say("%s has not answered yet", v.Name)
		case unfollowed[v.Server]:
			say("%s is unverified: its running calls are not read yet", v.Name)
		}
		if v.Unverified != "" {
			say("%s is unverified: %s", v.Name, v.Unverified)
		}
		if v.Silent != "" {
			say("%s: %s", v.Name, v.Silent)
		}
	}
	reasons := append(servers, sessions...)
	if left := len(reasons) - maxReasons + 1; left > 1 {
		reasons = append(reasons[:maxReasons-1], fmt.Sprintf("and %d more", left))
	}
	return reasons
}
