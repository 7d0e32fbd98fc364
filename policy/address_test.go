package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func testRules(t testing.TB) *Rules {
	return mustRules(t,
		[]string{"secure.example", "bücher.example", "10.83.0.0/16"},
		[]string{"corp.example", "guests.secure.example", "2001:db8::/32"})
}

func TestClassify(t *testing.T) {
	const (
		ok     = RuleSecureEntry
		inside = RuleInternalEntry
		other  = RuleNoEntry
		nohost = RuleNoHost
		bad    = RuleUnparsable
	)
	label63 := strings.Repeat("a", 63)
	host253 := strings.Repeat(strings.Repeat("a", 58)+".", 4) + "aa.secure.example"
	if len(host253) != 253 {
		t.Fatal(len(host253))
	}
	for _, tc := range []struct {
		address string
		rule    Rule
		host    string
	}{
		// The usual.
		{"ROOM@Secure.EXAMPLE", ok, "secure.example"},
		{"sip:room@secure.example:5061;transport=tls", ok, "secure.example"},
		{"room@emea.secure.example", ok, "emea.secure.example"},
		{"room@secure.example.", ok, "secure.example"},
		{"room@secure.example.:5060", ok, "secure.example"},
		{"SIPS:room@secure.example", ok, "secure.example"},
		{"  room@secure.example ", ok, "secure.example"},
		{"0386949045@10.83.154.150;user=phone", ok, "10.83.154.150"},
		{"ann@corp.example", inside, "corp.example"},
		{"ann@x.guests.secure.example", inside, "x.guests.secure.example"},
		{"0701234567@node01.example", other, "node01.example"},
		{"ann@localhost", other, "localhost"},
		{"ann@x--y.secure.example", ok, "x--y.secure.example"},
		{"ann@room_1.secure.example", ok, "room_1.secure.example"},
		{"sip:ann@corp.example;gruu;opaque=app:conf:focus:id:8X2K", inside, "corp.example"},
		{"sip:ann@corp.example?subject=a", inside, "corp.example"},
		{"ann@corp.example;", inside, "corp.example"},
		{"ann.o'neil+1@corp.example", inside, "corp.example"},
		{"müller@corp.example", inside, "corp.example"},
		{"m%C3%BCller@corp.example", inside, "corp.example"},
		{"a%6en@corp.example", inside, "corp.example"},

		// A SIP URI needs no user; a number is no host for all that.
		{"sip:secure.example", ok, "secure.example"},
		{"sips:secure.example:5061;transport=tls", ok, "secure.example"},
		{"sip:10.83.1.1", ok, "10.83.1.1"},
		{"sip:[2001:db8::1]", inside, "2001:db8::1"},
		{"sip:0386949045", nohost, ""},
		{"sip:0386949045;user=phone", nohost, ""},
		{"sip:", nohost, ""},
		{"sip:@secure.example", bad, ""},
		{"sip:sip:room@secure.example", bad, ""},
		{"sip://room@secure.example", bad, ""},
		{"sip:evil.test;x=a@secure.example", bad, ""},
		{"sip:evil.test?x=a@secure.example", bad, ""},
		{"sip:evil.test:5060@secure.example", bad, ""},

		// No host.
		{"", nohost, ""},
		{"   ", nohost, ""},
		{"0386949045", nohost, ""},
		{"+46701234567", nohost, ""},
		{"*72#", nohost, ""},
		{"secure.example", nohost, ""},
		{"room.secure.example", nohost, ""},
		{"Room secure.example", nohost, ""},
		{"10.83.1.1", nohost, ""},
		{"10.83.1.1:5060", nohost, ""},
		{"tel:+46701234567", nohost, ""},
		{"TEL:123;phone-context=secure.example", nohost, ""},
		{"tel:123@secure.example", bad, ""},
		{"secure.example:5060", bad, ""},

		// Schemes.
		{"xmpp:room@secure.example", bad, ""},
		{"h323:room@secure.example", bad, ""},
		{"https://secure.example/", bad, ""},
		{"mailto:room@secure.example", bad, ""},
		{"room:pass@secure.example", bad, ""},
		{"sip room@secure.example", bad, ""},
		{"sip: room@secure.example", bad, ""},
		{":room@secure.example", bad, ""},

		// Hosts that only look like ours.
		{"mallory@secure.example.evil.test", other, "secure.example.evil.test"},
		{"mallory@notsecure.example", other, "notsecure.example"},
		{"mallory@not-secure.example", other, "not-secure.example"},
		{"secure.example@evil.test", other, "evil.test"},
		{"mallory@secure.examp1e", other, "secure.examp1e"},
		{"mallory@s\u0435cure.example", other, "xn--scure-zwe.example"}, // Cyrillic
		{"mallory@secure.example.com", other, "secure.example.com"},
		{"mallory@xn--secure-.example", bad, ""},
		{"mallory@example", other, "example"},

		// More than one @.
		{"a@b@evil.test", bad, ""},
		{"mallory@evil.test@secure.example", bad, ""},
		{"mallory@secure.example@evil.test", bad, ""},
		{"mallory@secure.example:5061@evil.test", bad, ""},
		{"sip:mallory@evil.test?to=a@secure.example", bad, ""},
		{"sip:room@secure.example?to=a@evil.test", bad, ""},
		{"mallory@evil.test#@secure.example", bad, ""},
		{"mallory@evil.test;maddr=@secure.example", bad, ""},
		{"mallory@evil.test;x=secure.example", other, "evil.test"},
		{"mallory%40evil.test@secure.example", bad, ""},
		{"mallory%2540evil.test@secure.example", bad, ""},
		{"room@secure.example;x=%40evil.test", bad, ""},
		{"mallory@@secure.example", bad, ""},
		{"@secure.example", bad, ""},
		{"mallory\uff20evil.test@secure.example", bad, ""},
		{"mallory@evil.test\uff20secure.example", bad, ""},

		// What other parsers take for the end of the user or of the host.
		{"mallory@evil.test/secure.example", bad, ""},
		{"mallory@evil.test%40secure.example", bad, ""},
		{"mallory@evil.test%2esecure.example", bad, ""},
		{"evil.test\\@secure.example", bad, ""},
		{"evil.test/@secure.example", bad, ""},
		{"evil.test;x=@secure.example", bad, ""},
		{"evil.test?x=@secure.example", bad, ""},
		{"evil.test#@secure.example", bad, ""},
		{"evil.test%2f@secure.example", bad, ""},
		{"evil.test%3bx@secure.example", bad, ""},
		{"evil.test%@secure.example", bad, ""},
		{"evil.test%4@secure.example", bad, ""},
		{"evil.test%00@secure.example", bad, ""},
		{"evil.test%c3@secure.example", bad, ""},
		{"evil.test,room@secure.example", bad, ""},
		{"room@secure.example,mallory", bad, ""},
		{"room@secure.example/x", bad, ""},
		{"room@secure.example#x", bad, ""},
		{"room@secure.example>", bad, ""},
		{"room@secure.example;maddr=evil.test", bad, ""},
		{"room@secure.example;MAddr=evil.test", bad, ""},
		{"room@secure.example;%6daddr=evil.test", bad, ""},
		{"room@secure.example;x=\u00e9", bad, ""},
		{"room@secure.example;x=%", bad, ""},
		{"[evil.test]@secure.example", bad, ""},

		// Ports.
		{"room@secure.example:", bad, ""},
		{"room@secure.example:0", bad, ""},
		{"room@secure.example:65535", ok, "secure.example"},
		{"room@secure.example:65536", bad, ""},
		{"room@secure.example:123456", bad, ""},
		{"room@secure.example:5061:1", bad, ""},
		{"room@secure.example:+1", bad, ""},
		{"room@evil.test:secure.example", bad, ""},

		// Labels.
		{"room@", bad, ""},
		{"room@.", bad, ""},
		{"room@.secure.example", bad, ""},
		{"room@a..secure.example", bad, ""},
		{"room@secure.example..", bad, ""},
		{"room@-.secure.example", bad, ""},
		{"room@a-.secure.example", bad, ""},
		{"room@" + label63 + ".secure.example", ok, label63 + ".secure.example"},
		{"room@a" + label63 + ".secure.example", bad, ""},
		{"room@" + host253, ok, host253},
		{"room@" + host253 + ".", ok, host253},
		{"room@a" + host253, bad, ""},
		{strings.Repeat("a", maxAddress-len("@secure.example")) + "@secure.example", ok, "secure.example"},
		{strings.Repeat("a", maxAddress-len("@secure.example")+1) + "@secure.example", bad, ""},
		{"room@" + strings.Repeat("é", 300) + ".secure.example", bad, ""},

		// Characters.
		{"room@secure.example\x00", bad, ""},
		{"room@secure.example\x00.evil.test", bad, ""},
		{"room@secure.example\n", bad, ""},
		{"mallory@evil.test\r\n@secure.example", bad, ""},
		{"\tx@secure.example", bad, ""},
		{"x@secure.example\x7f", bad, ""},
		{"ro om@secure.example", bad, ""},
		{"room@ secure.example", bad, ""},
		{"room@secure.example x", bad, ""},
		{"room@secure\xff.example", bad, ""},
		{"room\xc3@secure.example", bad, ""},
		{"ro\u00a0om@secure.example", bad, ""},
		{"room@\u00a0secure.example", bad, ""},
		{"ro\u200bom@secure.example", bad, ""},
		{"room@secu\u200bre.example", bad, ""},
		{"room@secu\u200dre.example", bad, ""},
		{"room@secu\u00adre.example", bad, ""},
		{"room@\ufeffsecure.example", bad, ""},
		{"room@\u202eelpmaxe.eruces", bad, ""},
		{"room@secure\u3002example", bad, ""},
		{"room@secure\uff0eexample", bad, ""},
		{"room@secure\uff61example", bad, ""},
		{"room@evil.test\u3002secure.example", bad, ""},
		{"room@\uff53ecure.example", bad, ""},
		{"room@secure.examp\u212ae", bad, ""},
		{"room@secu\u017fre.example", bad, ""},
		{"room@b\u00fc\u00b7cher.example", bad, ""},

		// International names.
		{"x@bücher.example", ok, "xn--bcher-kva.example"},
		{"x@BÜCHER.EXAMPLE", ok, "xn--bcher-kva.example"},
		{"x@xn--bcher-kva.example", ok, "xn--bcher-kva.example"},
		{"x@Xn--Bcher-KVA.example.", ok, "xn--bcher-kva.example"},
		{"x@é.bücher.example", ok, "xn--9ca.xn--bcher-kva.example"},
		{"x@bu\u0308cher.example", bad, ""}, // not composed
		{"x@xn--bcher-kvaa.example", other, "xn--bcher-kvaa.example"},
		{"x@xn--.example", bad, ""},
		{"x@xn--a.secure.example", bad, ""},
		{"x@xn--SECURE.example", bad, ""},
		{"x@\u0130.secure.example", bad, ""}, // its small letter is a plain i
		{"x@\u212a.secure.example", bad, ""}, // Kelvin
		{"x@\u3164.secure.example", bad, ""}, // invisible letter

		// IP addresses.
		{"x@10.83.0.0", ok, "10.83.0.0"},
		{"x@10.84.0.0", other, "10.84.0.0"},
		{"x@[2001:DB8:0:0::1]:5060;transport=tcp", inside, "2001:db8::1"},
		{"x@[2001:db9::1]", other, "2001:db9::1"},
		{"x@[::ffff:10.83.1.1]", ok, "10.83.1.1"},
		{"x@[2001:db8::1%eth0]", bad, ""},
		{"x@[2001:db8::1%25eth0]", bad, ""},
		{"x@[2001:db8::1", bad, ""},
		{"x@[2001:db8::1]x", bad, ""},
		{"x@[2001:db8::1].secure.example", bad, ""},
		{"x@[2001:db8::1]:", bad, ""},
		{"x@[]", bad, ""},
		{"x@[10.83.1.1]", bad, ""},
		{"x@[secure.example]", bad, ""},
		{"x@2001:db8::1", bad, ""},
		{"x@::1", bad, ""},
		{"x@10.83.1.1.", bad, ""},
		{"x@10.83.1", bad, ""},
		{"x@10.83.1.256", bad, ""},
		{"x@010.83.1.1", bad, ""},
		{"x@0x7f.1", bad, ""},
		{"x@0xA.0x53.1.0x1", bad, ""},
		{"x@10.83.1.0x", bad, ""},
		{"x@2130706433", bad, ""},
		{"x@0x0a530101", bad, ""},
		{"x@secure.example.1", bad, ""},
		{"x@10.83.1.1.secure.example", ok, "10.83.1.1.secure.example"},
		{"x@\u0661\u0660.83.1.1", bad, ""},

		// With a name.
		{`"Ann" <sip:ann@corp.example>`, inside, "corp.example"},
		{`"Doe, Ann: x" <ann@corp.example;transport=tls>`, inside, "corp.example"},
		{`Ann Doe <ann@corp.example>`, inside, "corp.example"},
		{`"Ännchen" <sip:ann@corp.example>`, inside, "corp.example"},
		{`<sip:ann@corp.example>`, inside, "corp.example"},
		{`"" <sip:ann@corp.example>`, inside, "corp.example"},
		{`"Ann" <+4670>`, nohost, ""},
		{`<>`, nohost, ""},
		{`"room@secure.example" <sip:mallory@evil.test>`, bad, ""},
		{`"mallory@evil.test" <sip:room@secure.example>`, bad, ""},
		{`mallory@evil.test <secure.example>`, bad, ""},
		{`mallory@evil.test <sip:secure.example>`, bad, ""},
		{`"mallory@evil.test" <sip:secure.example>`, bad, ""},
		{`Doe, Ann <sip:room@secure.example>`, bad, ""},
		{`sip:evil.test <sip:room@secure.example>`, bad, ""},
		{`"<sip:mallory@evil.test>" <sip:room@secure.example>`, bad, ""},
		{`"x" <sip:room@secure.example> <sip:evil.test>`, bad, ""},
		{`"x" <sip:room@secure.example>;tag=1`, bad, ""},
		{`"x <sip:room@secure.example>`, bad, ""},
		{`"x\" <sip:room@secure.example>`, bad, ""},
		{`"x" "y" <sip:room@secure.example>`, bad, ""},
		{`<sip:room@secure.example`, bad, ""},
		{`sip:room@secure.example>`, bad, ""},
		{`<sip:room@secure.example>x`, bad, ""},
		{`< sip:room@secure.example>`, bad, ""},
		{`"room"@secure.example`, bad, ""},
		{`<<sip:room@secure.example>>`, bad, ""},
		{`>sip:room@secure.example<`, bad, ""},
	} {
		t.Run(fmt.Sprintf("%.60q", tc.address), func(t *testing.T) {
			got := testRules(t).Classify(tc.address)
			if got.Rule != tc.rule || got.Host != tc.host {
				t.Errorf("rule %d, host %q (%v); want rule %d, host %q", got.Rule, got.Host, got, tc.rule, tc.host)
			}
			want := Level3
			if tc.rule == ok {
				want = Level1
			} else if tc.rule == inside {
				want = Level2
			}
			if got.Level != want {
				t.Errorf("level %v, want %v", got.Level, want)
			}
			if h := Host(tc.address); h != tc.host {
				t.Errorf("Host is %q, want %q", h, tc.host)
			}
			if (got.Detail != "") != (tc.rule == bad || tc.rule == nohost) {
				t.Errorf("detail %q with rule %d", got.Detail, tc.rule)
			}
			if (got.Entry != "") != (tc.rule == ok || tc.rule == inside) {
				t.Errorf("entry %q with rule %d", got.Entry, tc.rule)
			}
		})
	}
}

// Whatever single byte or notable rune stands anywhere in an address of an
// outsider, it does not become one of ours; and one of ours keeps its host or
// loses its level.
func TestClassifyWithOneCharacterMore(t *testing.T) {
	r := testRules(t)
	var more []string
	for c := range 256 {
		more = append(more, string([]byte{byte(c)}))
	}
	for _, c := range "\u00a0\u00ad\u0130\u017f\u034f\u0660\u115f\u1680\u2000\u200b\u200c\u200d\u200e\u2024\u2028\u202e\u2044\u2060\u212a\u2215\u3000\u3002\ufe52\ufe6b\ufeff\uff05\uff0e\uff0f\uff1a\uff20\uff61\ufffd" {
		more = append(more, string(c))
	}
	more = append(more, "%40", "%00", "%2e", "%2F", "%3a", "..", "//", ":@", "@:")
	for _, m := range more {
		for _, outsider := range []string{"mallory@evil.test", "secure.example@evil.test", "secure.example", "sip:evil.test",
			"evil.test secure.example", "notsecure.example", "x@notsecure.example", "sip:notsecure.example"} {
			for i := range len(outsider) + 1 {
				a := outsider[:i] + m + outsider[i:]
				e := r.Classify(a)
				if e.Level == Level3 {
					continue
				}
				// x@not.secure.example and its like are ours.
				if h := strings.ToLower(a[strings.LastIndexAny(a, "@:")+1:]); strings.HasSuffix(h, "@secure.example") || !endsIn(h, "secure.example") {
					t.Errorf("%q: %v", a, e)
				}
			}
		}
		const ours = "room@a.secure.example"
		for i := range len(ours) + 1 {
			a := ours[:i] + m + ours[i:]
			if e := r.Classify(a); e.Level != Level3 && !endsIn(e.Host, "secure.example") {
				t.Errorf("%q: %v", a, e)
			}
		}
	}
}

func TestEvidenceIsSafeToShow(t *testing.T) {
	e := testRules(t).Classify("\x1b[31mroom\u202e@secure.example\n" + strings.Repeat("x", 900))
	if !strings.HasPrefix(e.Address, "[31mroom@secure.example x") || utf8.RuneCountInString(e.Address) != maxShown {
		t.Errorf("address %q", e.Address)
	}
}

func TestEvidenceString(t *testing.T) {
	r := testRules(t)
	for address, want := range map[string]string{
		"room@a.secure.example": "host a.secure.example matches secure.example in secure_domains",
		"038@10.83.1.1":         "host 10.83.1.1 matches 10.83.0.0/16 in secure_domains",
		"ann@corp.example":      "host corp.example matches corp.example in internal_domains",
		"ann@evil.test":         "host evil.test matches no entry",
		"123":                   "the address names no host: it is a bare number",
		"a@b@c":                 "the address cannot be read: it holds more than one @",
	} {
		if got := r.Classify(address).String(); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	r := testRules(t)
	for _, a := range []string{"sip:room@emea.secure.example:5061;transport=tls", "038@10.83.154.150;user=phone", "x@evil.test", "123", "a@b@c"} {
		if n := testing.AllocsPerRun(100, func() { r.Classify(a) }); n != 0 {
			t.Errorf("%s: %v allocations", a, n)
		}
	}
}

func endsIn(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

// What an address that is trusted may look like at the very most, and the host
// in it. Written apart from the parser, to hold it to account.
var (
	trustedName    = regexp.MustCompile(`^(?:[^<>"@,;:?\\]*|"[^<>"@\\]*" *)<([^<> ]*)>$`)
	trustedAddress = regexp.MustCompile(`^(?i:(sips?:)?)(?:([^@:;?/#\\\s,\[\]"<>]+)@)?(\[[0-9A-Fa-f:.]+\]|[^@:;?/#\\\s,\[\]"<>%]+)(?::[0-9]{1,5})?(?:[;?][^@\\\s"<>,#]*)?$`)
)

// trustedHost is the host of an address that may be trusted, or fails.
func trustedHost(address string) (string, bool) {
	s := strings.Trim(address, " ")
	if strings.ContainsAny(s, "<>") {
		m := trustedName.FindStringSubmatch(s)
		if m == nil {
			return "", false
		}
		s = m[1]
	}
	m := trustedAddress.FindStringSubmatch(s)
	if m == nil || m[1] == "" && m[2] == "" {
		return "", false
	}
	return strings.TrimSuffix(m[3], "."), true
}

// flipCase changes the case of ASCII letters.
func flipCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if isLetter(c) {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{
		"ROOM@Secure.EXAMPLE", "sip:room@secure.example:5061;transport=tls", "room@emea.secure.example.", "sip:secure.example",
		"mallory@secure.example.evil.test", "sip:mallory@evil.test?to=a@secure.example", "a@b@evil.test", "123", "", "tel:123",
		"mallory@evil.test%40secure.example", "x@bücher.example", "x@XN--bcher-kva.example", "x@[2001:db8::1]:5060", "x@[::ffff:10.83.1.1]",
		"0386949045@10.83.154.150;user=phone", "x@0x0a530101", "x@010.83.1.1", `"Ann, B" <sip:ann@corp.example;a=b>`, "m%C3%BCller@corp.example",
		"room@secu\u00adre.example", "room@secure\u3002example", "room@\u212a.secure.example", "room@secure.example;maddr=x", "x@x.guests.secure.example",
	} {
		f.Add(s)
	}
	r := testRules(f)
	f.Fuzz(func(t *testing.T, a string) { checkClassify(t, r, a) })
}

// TestClassifyMixtures puts addresses together from the pieces that matter, in
// any order: the fuzzer comes by few of these.
func TestClassifyMixtures(t *testing.T) {
	pieces := []string{
		"secure.example", "secure.example", "corp.example", "evil.test", "bücher.example", "xn--bcher-kva.example", "10.83.1.1", "[2001:db8::1]",
		"[::ffff:10.83.1.1]", "x", "ann", "123", "+", "@", "@", "@", ".", ":", ":5060", ";", "?", "=", "&", "/", "#", "\\", "%", "%40", "%2e", "%00",
		"sip:", "SIPS:", "tel:", "<", ">", "\"", "\"Ann\" <", " ", ",", "-", "_", "[", "]", "maddr", ";transport=tls", "\u00ad", "\u3002", "\uff20", "\u212a", "\x00", "\xff",
	}
	r := testRules(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	trusted := 0
	for range 100_000 {
		var a strings.Builder
		for range 1 + rnd.IntN(7) {
			a.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		if checkClassify(t, r, a.String()) != Level3 {
			trusted++
		}
	}
	if trusted < 200 {
		t.Errorf("only %d were trusted: the pieces no longer test much", trusted)
	}
}

// checkClassify holds what Classify says of an address, by testRules, to a
// second opinion, and returns the level.
func checkClassify(t *testing.T, r *Rules, a string) Level {
	t.Helper()
	level1 := []string{"secure.example", "bücher.example", "xn--bcher-kva.example"}
	level2 := []string{"corp.example", "guests.secure.example"}
	e := r.Classify(a)
	if e.Level < Level1 || e.Level > Level3 || e.Rule == 0 {
		t.Fatalf("%q: %+v", a, e)
	}
	if e.Host != Host(a) || e.Address != Clean(e.Address, maxShown) {
		t.Fatalf("%q: %+v", a, e)
	}
	if x := r.Classify(flipCase(a)); x.Level != e.Level || x.Rule != e.Rule || x.Host != e.Host || x.Entry != e.Entry || x.Detail != e.Detail {
		t.Fatalf("%q: %+v, in the other case: %+v", a, e, x)
	}
	for _, c := range e.Host {
		if c >= utf8.RuneSelf || unicode.IsUpper(c) || c <= ' ' {
			t.Fatalf("%q: host %q", a, e.Host)
		}
	}
	// A normalised host stands for itself.
	if e.Host != "" {
		h := e.Host
		if strings.Contains(h, ":") {
			h = "[" + h + "]"
		}
		if x := r.Classify("x@" + h); x.Host != e.Host || x.Level != e.Level {
			t.Fatalf("%q: %+v, its host alone: %+v", a, e, x)
		}
	}
	if e.Level == Level3 {
		return e.Level
	}

	if strings.Count(a, "@") > 1 || len(a) > 1024 {
		t.Fatalf("%q: %v", a, e)
	}
	h, ok := trustedHost(a)
	if !ok {
		t.Fatalf("%q is trusted: %v", a, e)
	}
	if ip, err := netip.ParseAddr(strings.Trim(h, "[]")); err == nil {
		in1 := netip.MustParsePrefix("10.83.0.0/16").Contains(ip.Unmap())
		in2 := netip.MustParsePrefix("2001:db8::/32").Contains(ip)
		if !(e.Level == Level1 && in1 || e.Level == Level2 && in2) {
			t.Fatalf("%q: %v", a, e)
		}
		return e.Level
	}
	if strings.ContainsAny(h, "\u0130\u212a") {
		t.Fatalf("%q folds into ASCII: %v", a, e)
	}
	h = strings.ToLower(h)
	ends := func(domains []string) bool {
		for _, d := range domains {
			if endsIn(h, d) {
				return true
			}
		}
		return false
	}
	want := Level3
	if ends(level2) {
		want = Level2
	} else if ends(level1) {
		want = Level1
	}
	if e.Level != want {
		t.Fatalf("%q: %v, want level %v", a, e, want)
	}
	return e.Level
}

func BenchmarkClassify(b *testing.B) {
	secure, internal := []string{"secure.example", "10.83.0.0/16"}, []string{"corp.example"}
	for i := range 100 {
		secure = append(secure, fmt.Sprintf("rooms%d.corp.example", i))
		internal = append(internal, fmt.Sprintf("site%d.test", i), fmt.Sprintf("10.%d.0.0/16", i+100))
	}
	r := mustRules(b, secure, internal)
	for _, bc := range []struct{ name, address string }{
		{"internal", "ann.doe@corp.example"},
		{"uri", "sip:room@emea.secure.example:5061;transport=tls"},
		{"upper", "ROOM@Secure.EXAMPLE"},
		{"external", "somebody@video.customer.test"},
		{"ipv4", "0386949045@10.83.154.150;user=phone"},
		{"ipv6", "x@[2001:db8::1]"},
		{"number", "+46701234567"},
		{"named", `"Doe, Ann" <sip:ann@corp.example>`},
		{"international", "x@bücher.example"},
		{"hostile", strings.Repeat("a.", 400) + "@" + strings.Repeat("a.", 126) + "a"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Classify(bc.address)
			}
		})
	}
}
