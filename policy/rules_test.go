package policy

import (
	"errors"
	"strings"
	"testing"
)

func mustRules(t testing.TB, secure, internal []string) *Rules {
	t.Helper()
	r, err := NewRules(secure, internal)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEntriesMatch(t *testing.T) {
	type list = []string
	for _, tc := range []struct {
		name             string
		secure, internal list
		address          string
		level            Level
		entry            string
	}{
		{"itself", list{"secure.example"}, nil, "room@secure.example", Level1, "secure.example"},
		{"subdomain", list{"secure.example"}, nil, "room@a.b.secure.example", Level1, "secure.example"},
		{"internal", nil, list{"corp.example"}, "ann@corp.example", Level2, "corp.example"},
		{"parent", list{"rooms.corp.example"}, nil, "ann@corp.example", Level3, ""},
		{"by label", list{"secure.example"}, nil, "ann@notsecure.example", Level3, ""},
		{"longer", list{"secure.example"}, nil, "ann@secure.example.test", Level3, ""},
		{"entry case", list{"Secure.EXAMPLE"}, nil, "room@secure.example", Level1, "Secure.EXAMPLE"},
		{"entry with final dot", list{"secure.example."}, nil, "room@secure.example", Level1, "secure.example."},
		{"own top-level name", nil, list{"corp.local", "a.internal"}, "x@y.a.internal", Level2, "a.internal"},
		{"entry with underscore", list{"my_rooms.example"}, nil, "x@my_rooms.example", Level1, "my_rooms.example"},

		{"secure within internal", list{"rooms.corp.example"}, list{"corp.example"}, "r@a.rooms.corp.example", Level1, "rooms.corp.example"},
		{"internal around secure", list{"rooms.corp.example"}, list{"corp.example"}, "r@corp.example", Level2, "corp.example"},
		{"beside secure", list{"rooms.corp.example"}, list{"corp.example"}, "r@mushrooms.corp.example", Level2, "corp.example"},
		{"internal within secure", list{"corp.example"}, list{"guests.corp.example"}, "r@x.guests.corp.example", Level2, "guests.corp.example"},
		{"secure around internal", list{"corp.example"}, list{"guests.corp.example"}, "r@x.corp.example", Level1, "corp.example"},
		{"three deep", list{"a.example", "c.b.a.example"}, list{"b.a.example"}, "r@c.b.a.example", Level1, "c.b.a.example"},
		{"three deep, in the middle", list{"a.example", "c.b.a.example"}, list{"b.a.example"}, "r@d.b.a.example", Level2, "b.a.example"},

		{"international", list{"bücher.example"}, nil, "x@a.BÜCHER.example", Level1, "bücher.example"},
		{"international, xn-- host", list{"bücher.example"}, nil, "x@XN--BCHER-kva.example", Level1, "bücher.example"},
		{"international, xn-- entry", list{"xn--bcher-kva.example"}, nil, "x@bücher.example", Level1, "xn--bcher-kva.example"},
		{"sharp s is not ss", list{"strasse.example"}, nil, "x@straße.example", Level3, ""},
		{"umlaut is not plain", list{"bucher.example"}, nil, "x@bücher.example", Level3, ""},

		{"IPv4", list{"10.83.154.150"}, nil, "038@10.83.154.150;user=phone", Level1, "10.83.154.150"},
		{"IPv4, another", list{"10.83.154.150"}, nil, "038@10.83.154.15", Level3, ""},
		{"IPv4 network", nil, list{"10.83.0.0/16"}, "038@10.83.154.150", Level2, "10.83.0.0/16"},
		{"IPv4 outside", nil, list{"10.83.0.0/16"}, "038@10.84.0.0", Level3, ""},
		{"IPv4 address in a network", list{"10.83.154.150"}, list{"10.83.0.0/16"}, "038@10.83.154.150", Level1, "10.83.154.150"},
		{"IPv4 network in a network", list{"10.0.0.0/8"}, list{"10.83.0.0/16"}, "038@10.83.154.150", Level2, "10.83.0.0/16"},
		{"IPv4 around a network", list{"10.0.0.0/8"}, list{"10.83.0.0/16"}, "038@10.82.154.150", Level1, "10.0.0.0/8"},
		{"IPv6", list{"2001:DB8::1"}, nil, "x@[2001:db8:0::1]:5060", Level1, "2001:DB8::1"},
		{"IPv6 entry in brackets", list{"[2001:db8::1]"}, nil, "x@[2001:db8::1]", Level1, "[2001:db8::1]"},
		{"IPv6 network", nil, list{"2001:db8::/32"}, "x@[2001:db8:ffff::1]", Level2, "2001:db8::/32"},
		{"IPv6 outside", nil, list{"2001:db8::/32"}, "x@[2001:db9::1]", Level3, ""},
		{"mapped host", list{"10.83.0.0/16"}, nil, "x@[::ffff:10.83.1.1]", Level1, "10.83.0.0/16"},
		{"mapped host, in hex", list{"10.83.0.0/16"}, nil, "x@[::FFFF:0a53:0101]", Level1, "10.83.0.0/16"},
		{"mapped entry", list{"::ffff:10.83.1.1"}, nil, "x@10.83.1.1", Level1, "::ffff:10.83.1.1"},
		{"mapped network", list{"::ffff:10.83.0.0/112"}, nil, "x@10.83.1.1", Level1, "::ffff:10.83.0.0/112"},
		{"compatible host is not mapped", list{"10.83.0.0/16"}, nil, "x@[::10.83.1.1]", Level3, ""},
		{"a domain is no address", list{"10.83.0.0/16"}, nil, "x@10.83.1.1.example", Level3, ""},
		{"an address is no domain", list{"secure.example"}, nil, "x@10.83.1.1", Level3, ""},

		{"twice in one list", list{"secure.example", "SECURE.example."}, nil, "x@secure.example", Level1, "secure.example"},
		{"no entries", nil, nil, "x@secure.example", Level3, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := mustRules(t, tc.secure, tc.internal).Classify(tc.address)
			if got.Level != tc.level || got.Entry != tc.entry {
				t.Errorf("%s: level %v by %q (%v), want level %v by %q", tc.address, got.Level, got.Entry, got, tc.level, tc.entry)
			}
			rule := map[Level]Rule{Level1: RuleSecureEntry, Level2: RuleInternalEntry, Level3: RuleNoEntry}[tc.level]
			if got.Rule != rule {
				t.Errorf("%s: rule %d, want %d", tc.address, got.Rule, rule)
			}
		})
	}
}

func TestNilRulesMatchNobody(t *testing.T) {
	var r *Rules
	for _, a := range []string{"x@secure.example", "x@10.1.1.1", "x@[::1]", "123", ""} {
		if got := r.Classify(a); got.Level != Level3 {
			t.Errorf("%q: level %v", a, got.Level)
		}
	}
	if got := new(Rules).Classify("x@secure.example"); got.Level != Level3 {
		t.Errorf("zero rules: level %v", got.Level)
	}
}

// NewRules refuses a tie; add decides it all the same.
func TestTieGoesToTheLessTrusted(t *testing.T) {
	secure, internal := entry{Level1, "s"}, entry{Level2, "i"}
	for _, order := range [][2]entry{{secure, internal}, {internal, secure}} {
		m := make(map[string]entry)
		if problem := add(m, "k", order[0]); problem != "" {
			t.Errorf("the first is refused: %s", problem)
		}
		if problem := add(m, "k", order[1]); problem == "" {
			t.Error("the second is not refused")
		}
		if m["k"] != internal {
			t.Errorf("%v wins", m["k"])
		}
	}
}

func TestEntriesRefused(t *testing.T) {
	long := strings.Repeat("a", 60)
	for _, tc := range []struct{ entry, says string }{
		{"", "empty"},
		{" ", "blanks"},
		{" secure.example", "blanks"},
		{"secure.example\n", "blanks"},
		{"secure .example", "blanks"},
		{"a.example,b.example", "no domain"},
		{"secure\u00a0room.example", "blanks"},
		{"secure\x00.example", "control"},
		{"secure\xff.example", "UTF-8"},
		{"ann@corp.example", "after the @"},
		{"@corp.example", "after the @"},
		{"*", "wildcards"},
		{"*.", "wildcards"},
		{"*.corp.example", "write corp.example,"},
		{"room*.corp.example", "wildcards"},
		{"*.*.corp.example", "wildcards"},
		{".corp.example", "without"},
		{"https://corp.example", "URL"},
		{"sip:corp.example", "scheme"},
		{"corp.example:5060", "port"},
		{"corp.example/path", "path"},
		{".", "dot"},
		{"..", "dot"},
		{"corp..example", "empty label"},
		{"corp.example..", "empty label"},
		{"-corp.example", "hyphen"},
		{"corp-.example", "hyphen"},
		{"co%72p.example", "characters"},
		{"corp.example;x", "characters"},
		{"corp\\.example", "characters"},
		{long + "aaaa.example", "63"},
		{strings.Repeat(long+".", 4) + "aaaaa.example", "too long"},

		{"localhost", "corp.localhost"},
		{"corp", "single label"},
		{"corp.", "single label"},
		{"com", "single label"},
		{"bücher", "single label"},
		{"co.uk", "public suffix"},
		{"CO.UK.", "public suffix"},
		{"github.io", "public suffix"},
		{"anything.ck", "public suffix"},
		{"kawasaki.jp", "public suffix"},

		{"secu\u00adre.example", "international"},
		{"secu\u200bre.example", "international"},
		{"secure\u3002example", "international"},
		{"ｓecure.example", "international"},
		{"xn--a.example", "international"},

		{"0.0.0.0/0", "every address"},
		{"::/0", "every address"},
		{"::ffff:0:0/96", "every address"},
		{"::ffff:10.0.0.0/90", "mixes"},
		{"::/8", "all of IPv4"},
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"2001:db8::1/32", "2001:db8::/32"},
		{"10.0.0.0/33", "network"},
		{"10.0.0/8", "network"},
		{"fe80::1%eth0", "zone"},
		{"[fe80::1%eth0]", "zone"},
		{"fe80::%eth0/64", "zone"},
		{"[2001:db8::1]:5060", "without a port"},
		{"[10.1.1.1]", "IPv6"},
		{"[2001:db8::1", "IPv6"},
		{"10.1.1.1:5060", "port"},
		{"10.1", "no IPv4"},
		{"010.1.1.1", "no IPv4"},
		{"0x7f.1", "no IPv4"},
		{"2130706433", "no IPv4"},
		{"256.1.1.1", "no IPv4"},
		{"10.1.1.1.", "no IPv4"},
	} {
		r, err := NewRules(nil, []string{"corp.example", tc.entry})
		var e *EntryError
		if r != nil || !errors.As(err, &e) {
			t.Errorf("%q: taken (%v)", tc.entry, err)
			continue
		}
		if !strings.Contains(e.Problem, tc.says) {
			t.Errorf("%q: says %q, not %q", tc.entry, e.Problem, tc.says)
		}
		if e.List != "internal_domains" || e.Index != 1 || e.Entry != tc.entry {
			t.Errorf("%q: reported as %+v", tc.entry, e)
		}
	}
}

func TestEntriesTaken(t *testing.T) {
	for _, s := range []string{
		"corp.local", "secure.example", "a.internal", "corp.lan", "example.com", "example.co.uk", "me.github.io",
		"city.kawasaki.jp", "www.ck", "a.anything.ck", "xn--bcher-kva.example", "3com.example", "r3---sn.example",
		"παράδειγμα.example", "例え.example", "10.0.0.0/8", "10.1.1.1/32", "::1", "2001:db8::1/128", "fe80::/10",
	} {
		if _, err := NewRules([]string{s}, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestEntryErrorsReportAll(t *testing.T) {
	r, err := NewRules(
		[]string{"", "corp.example", "co.uk", "bücher.example", "10.1.0.0/16"},
		[]string{"fine.example", "Corp.Example.", "x@y.example", "XN--bcher-kva.example", "::ffff:10.1.0.0/112"})
	if r != nil {
		t.Error("rules in spite of errors")
	}
	var all EntryErrors
	if !errors.As(err, &all) {
		t.Fatalf("error is a %T", err)
	}
	want := []struct {
		list  string
		index int
		says  string
	}{
		{"secure_domains", 0, "empty"},
		{"secure_domains", 2, "public suffix"},
		{"internal_domains", 1, `it is in secure_domains too, as "corp.example"`},
		{"internal_domains", 2, "address"},
		{"internal_domains", 3, `as "bücher.example"`},
		{"internal_domains", 4, `as "10.1.0.0/16"`},
	}
	if len(all) != len(want) {
		t.Fatalf("%d errors, want %d:\n%v", len(all), len(want), err)
	}
	for i, w := range want {
		if e := all[i]; e.List != w.list || e.Index != w.index || !strings.Contains(e.Problem, w.says) {
			t.Errorf("error %d: %v, want %v", i, e, w)
		}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	if first != `secure_domains, entry 1, "": the entry is empty: remove it, or write a domain like example.com` {
		t.Errorf("first line: %s", first)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("%d lines", lines)
	}
}

// Only the same key in both lists conflicts; one within another does not.
func TestOverlapIsNoConflict(t *testing.T) {
	mustRules(t, []string{"a.example", "10.1.1.1"}, []string{"b.a.example", "example.org", "10.1.1.0/24"})
}
