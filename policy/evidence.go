package policy

// Rule names the rule by which a level was given.
type Rule uint8

// The rules, in no order of weight.
const (
	RuleSecureEntry   Rule = iota + 1 // an entry of secure_domains matches the host
	RuleInternalEntry                 // an entry of internal_domains matches the host
	RuleNoEntry                       // the host matches no entry
	RuleNoHost                        // the address names no host: a bare number, or nothing
	RuleUnparsable                    // the address cannot be read with certainty
	RuleWebApp                        // a WebRTC or app leg, whatever its address
	RuleUnwatchedLink                 // a link to a Call Bridge that is not watched
	RuleBound                         // a bound of callmark itself was reached
)

// Evidence is why something has the level that it has.
type Evidence struct {
	Level   Level
	Rule    Rule
	Address string // as received, made safe to show
	Host    string // the host of the address, normalised; empty when there is none
	Entry   string // the entry of the configuration that matched, as written there
	Detail  string // what RuleNoHost, RuleUnparsable, RuleWebApp, RuleUnwatchedLink and RuleBound found
}

// String says the evidence in plain words, without the level.
func (e Evidence) String() string {
	switch e.Rule {
	case RuleSecureEntry:
		return "host " + e.Host + " matches " + e.Entry + " in secure_domains"
	case RuleInternalEntry:
		return "host " + e.Host + " matches " + e.Entry + " in internal_domains"
	case RuleNoEntry:
		return "host " + e.Host + " matches no entry"
	case RuleNoHost:
		return "the address names no host: " + e.Detail
	case RuleUnparsable:
		return "the address cannot be read: " + e.Detail
	case RuleWebApp:
		return "joined by the web app or an app: " + e.Detail
	case RuleUnwatchedLink, RuleBound:
		return e.Detail
	}
	return "not classified"
}

// byApp is the evidence of somebody who came by the web app or an app, whatever
// the address says.
func (e Evidence) byApp(kind string) Evidence {
	return Evidence{Level: Level3, Rule: RuleWebApp, Address: e.Address, Host: e.Host, Detail: kind}
}

// finding is evidence as a leg keeps it, which has the address itself.
type finding struct {
	level Level
	rule  Rule
	host  string
	why   string // the entry, or the detail: a rule has one of them
}

func (e Evidence) finding() finding {
	return finding{level: e.Level, rule: e.Rule, host: e.Host, why: e.Entry + e.Detail}
}

// evidence is the finding in full.
func (f finding) evidence(address string) Evidence {
	e := Evidence{Level: f.level, Rule: f.rule, Address: Clean(address, maxShown), Host: f.host}
	switch f.rule {
	case RuleSecureEntry, RuleInternalEntry:
		e.Entry = f.why
	default:
		e.Detail = f.why
	}
	return e
}
