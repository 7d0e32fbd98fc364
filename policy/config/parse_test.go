package config

import (
	"slices"
	"strings"
	"testing"
)

// good is a document without problems. What a test adds begins at line 5.
const good = `policy.secure_domains = ["rooms.example.com"]
cms.username = "u"
cms.password = "p"
cms.servers = ["a.test"]
`

// said is a problem that is expected.
type said struct {
	line int
	key  string
	text string // a part of it; a warning's begins with "warning: "
}

func TestProblems(t *testing.T) {
	w := func(line int, key, text string) said { return said{line, key, "warning: " + text} }
	for _, tc := range []struct {
		name, doc string
		want      []said
	}{
		{"good", good, nil},
		{"good with a mark and Windows lines", "\ufeff" + strings.ReplaceAll(good, "\n", "\r\n"), nil},
		{"empty", "", []said{
			{1, "cms.servers", "no server is given"},
			w(1, "policy.secure_domains", "everybody is level 3"),
			{1, "cms.username", "no user is given"},
			{1, "cms.password", "no password is given"},
		}},
		{"only a header", "\n\n[cms]\n", []said{
			w(1, "policy.secure_domains", "everybody is level 3"),
			{3, "cms.servers", "list the Web Admin address"},
			{3, "cms.username", "role api"},
			{3, "cms.password", "CALLMARK_CMS_PASSWORD"},
		}},

		// Syntax.
		{"no equals sign", good + "[log]\nfile\n", []said{{6, "", "not TOML"}}},
		{"no quotes", good + "[log]\nfile = app.log\n", []said{{6, "", `expected value`}}},
		{"open text", good + "[log]\nfile = \"app.log\nkeep = 3\n", []said{{6, "", "not TOML"}}},
		{"open table", good + "[log\n", []said{{6, "", "not TOML"}}},
		{"no comma", good + "[policy]\ninternal_domains = [\n \"a.example\"\n \"b.example\" ]", []said{{8, "", "comma"}}},
		{"key twice", "[ui]\nascii = true\nascii = false", []said{{3, "", "write each key and each table once"}}},
		{"table twice", "[ui]\n[ui]", []said{{2, "", "write each key and each table once"}}},
		{"Windows path", "[log]\nfile = \"c:\\logs\"", []said{{2, "", "single quotes"}}},
		{"Latin-1", "[log]\nfile = \"\xe4\"", []said{{2, "", "save the file as UTF-8"}}},
		{"UTF-16", "\xff\xfe[\x00l\x00", []said{{1, "", "UTF-8"}}},
		{"too deep", good + "a = " + strings.Repeat("[", 100_000), []said{{5, "", "nested deeper"}}},
		{"too deep in keys", good + strings.Repeat("a.", 100_000) + "a = 1", []said{{5, "", "nested deeper"}}},
		{"too deep in tables", good + "a = " + strings.Repeat("{a = ", 40_000), []said{{5, "", "nested deeper"}}},
		{"too large", strings.Repeat("#", maxDocument+1), []said{{1, "", "no configuration is so large"}}},

		// Unknown keys.
		{"misspelt keys", "[cms]\nusrename = \"u\"\npassword = \"p\"\nusername = \"u\"\nservers = [\"a.test\"]\n[policy]\nsecure_domain = []\ninternal_domains = [\"a.example\"]\n[markings]\n[policy.levels.1]", []said{
			{2, "cms.usrename", "did you mean username?"},
			{7, "policy.secure_domain", "did you mean secure_domains?"},
			{9, "markings", "did you mean marking?"},
			{10, "policy.levels", "did you mean level?"},
		}},
		{"part of a key", good + "cms.skip_verify = true", []said{{5, "cms.skip_verify", "did you mean insecure_skip_verify?"}}},
		{"capitals", good + "[Log]\n[ui]\nASCII = true", []said{
			{5, "Log", "did you mean log?"},
			{7, "ui.ASCII", "did you mean ascii?"},
		}},
		{"no header", good + "listen = \":1\"", []said{{5, "listen", "move it below [receiver]"}}},
		{"wrong header", good + "[ui]\nposition = \"top\"\nname = \"x\"", []said{
			{6, "ui.position", "move it below [marking]"},
			{7, "ui.name", "move it below [policy.level.1] or [policy.level.2]"},
		}},
		{"fourth level", good + "[policy.level.4]\nname = \"x\"", []said{{5, "policy.level.4", "write one of 1, 2, 3"}}},
		{"strange key", good + "[ui]\n\"a.b\\u001b\" = 1\n'' = 2", []said{
			{6, `ui."a.b\x1b"`, "remove it, or write one of read_only, ascii"},
			{7, `ui.""`, "remove it"},
		}},

		// Wrong types.
		{"wrong types", `
cms = 3
[receiver]
listen = 5000
max_body_mb = "4"
[[policy]]
[marking]
duration = 90
ascii = "true"
max_length = 1.5
[log]
file = 2026-02-28
keep = [1]
[ui]
read_only = 1
`, []said{
			{2, "cms", "it is a whole number: write it as a table, which begins with [cms]"},
			{4, "receiver.listen", `it is a whole number: write a text between "quotes", like ":5000"`},
			{5, "receiver.max_body_mb", "it is a text: write a whole number without quotes, like 4"},
			{6, "policy", "it is a list of tables"},
			{8, "marking.duration", `write "permanent", or a time with its unit`},
			{9, "marking.ascii", "it is a text: write true or false"},
			{10, "marking.max_length", "whole number"},
			{12, "log.file", "it is a date or time"},
			{13, "log.keep", "it is a list"},
			{15, "ui.read_only", "it is a whole number: write true or false"},
		}},
		{"wrong types of credentials", "[cms]\nusername = true\npassword = 12345\nservers = \"a.test\"\nreads_per_second = \"1\"\n[policy]\nsecure_domains = \"x.example\"\ninternal_domains = [\n 'y.example', 3,\n\n ['z'] ]", []said{
			{2, "cms.username", "it is true or false"},
			{3, "cms.password", "it is a whole number: write a text between 'single quotes'"},
			{4, "cms.servers", "it is a text: write a list"},
			{5, "cms.reads_per_second", "write a number without quotes, like 100"},
			{7, "policy.secure_domains", "write a list of texts"},
			{9, "policy.internal_domains[2]", "it is a whole number"},
			{11, "policy.internal_domains[3]", "it is a list"},
		}},
		{"level is no table", good + "[policy.level]\n1 = \"Secure\"", []said{{6, "policy.level.1", "begins with [policy.level.1]"}}},

		// Domains.
		{"domains", `cms = { username = "u", password = "p", servers = ["a.test"] }
[policy]
secure_domains = [ # the rooms: "]" is no end
  "rooms.example.com",
  "",   # as the prototype shipped
  '*.example.org', "a@example.net",
]
internal_domains = ["example.com", "com", "Rooms.Example.com."]
`, []said{
			{5, "policy.secure_domains[2]", "the entry is empty: remove it"},
			{6, "policy.secure_domains[3]", `"*.example.org": wildcards`},
			{6, "policy.secure_domains[4]", `"a@example.net": it is an address`},
			{8, "policy.internal_domains[2]", "write a whole domain"},
			{8, "policy.internal_domains[3]", `in secure_domains too`},
		}},
		{"no domains", "[cms]\nusername = \"u\"\npassword = \"p\"\nservers = [\"a.test\"]\n[policy]\ninternal_domains = []\nsecure_domains = []", []said{
			w(7, "policy.secure_domains", "everybody is level 3"),
		}},

		// Servers.
		{"servers", `[policy]
internal_domains = ["example.com"]
[cms]
username = "u"
password = "p"
port = 8443
servers = [
  "", "a.test/api", "https://u:hunter2@a.test",
  "https://a.test?x", "ftp://a.test", "a test",
  "a.test:x", "a.test:0", "2001:db8::1", "[2001:db8::g]", "1.2.3", "-a.test",
  "a.test", "A.test.:8443", "https://a.test:8443/",
  "http://b.test", "b.test:80", "bücher.example",
]
`, []said{
			{8, "cms.servers[1]", "the entry is empty"},
			{8, "cms.servers[2]", "it holds a path"},
			{8, "cms.servers[3]", "it holds a user or a password"},
			{9, "cms.servers[4]", "it holds a query"},
			{9, "cms.servers[5]", `"ftp" is not how`},
			{9, "cms.servers[6]", "blanks"},
			{10, "cms.servers[7]", "its port is not a number"},
			{10, "cms.servers[8]", "its port is not a number"},
			{10, "cms.servers[9]", "write [2001:db8::1]"},
			{10, "cms.servers[10]", "no IPv6 address"},
			{10, "cms.servers[11]", "is no host"},
			{10, "cms.servers[12]", "is no host"},
			{11, "cms.servers[14]", `"A.test.:8443" is a.test:8443, which entry 13 is too`},
			{11, "cms.servers[15]", "list each server once"},
			w(12, "cms.servers[16]", "unprotected"),
			{12, "cms.servers[17]", "which entry 16 is too"},
			{12, "cms.servers[18]", "xn--"},
		}},
		{"no servers", "[cms]\nservers = []\nusername=\"u\"\npassword=\"p\"\n[policy]\nsecure_domains=[\"a.example\"]", []said{{2, "cms.servers", "no server is given"}}},
		{"unverified certificates, but pinned", good + "cms.insecure_skip_verify = true\ncms.pins = [\"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"]", nil},
		{"unverified certificates", good + "cms.insecure_skip_verify = true", []said{w(5, "cms.insecure_skip_verify", "ca_file")}},

		// Credentials.
		{"two passwords", good + "cms.password_file = \"f\"", []said{{5, "cms.password_file", "remove one of them"}}},
		{"user with a colon", "[policy]\nsecure_domains=[\"a.example\"]\n[cms]\nservers=[\"a\"]\npassword='p'\nusername='a:b'", []said{{6, "cms.username", "colon"}}},
		{"password with a tab", "[policy]\nsecure_domains=[\"a.example\"]\n[cms]\nservers=[\"a\"]\npassword=\"c:\\temp\"\nusername='a'", []said{{5, "cms.password", "single quotes"}}},

		// The rest.
		{"receiver", good + "[receiver]\nlisten = \"5000\"\npath = \"cdr\"\nmax_body_mb = 0\nrefused_dir = \"a\\tb\"", []said{
			{6, "receiver.listen", "no address with a port"},
			{7, "receiver.path", "does not begin with a slash"},
			{8, "receiver.max_body_mb", "from 1 to 64"},
			{9, "receiver.refused_dir", "control characters"},
		}},
		{"listen 1", good + "receiver.listen = \":65536\"", []said{{5, "receiver.listen", "no port from 1 to 65535"}}},
		{"listen 2", good + "receiver.listen = \"a b:1\"", []said{{5, "receiver.listen", "names no host"}}},
		{"listen 3", good + "receiver.listen = \":http\"", []said{{5, "receiver.listen", "no port"}}},
		{"listen 4", good + "receiver.listen = \":0\"", []said{w(5, "receiver.listen", "another port")}},
		{"path 1", good + "receiver.path = \"/healthz\"", []said{{5, "receiver.path", "write another path"}}},
		{"path 2", good + "receiver.path = \"/cdr?token=x\"", []said{{5, "receiver.path", "query"}}},
		{"path 3", good + "receiver.path = \"/a/../cdr/\"", []said{{5, "receiver.path", `write "/cdr"`}}},
		{"path 4", good + "receiver.path = \"/c dr\"", []said{{5, "receiver.path", "letters, digits"}}},
		{"numbers", good + "cms.port = 65536\ncms.reads_per_second = 0\ncms.writes_per_second = nan\n[log]\nmax_size_mb = 0\nkeep = -1", []said{
			{5, "cms.port", "from 1 to 65535"},
			{6, "cms.reads_per_second", "above 0, up to 1000"},
			{7, "cms.writes_per_second", "NaN is out of range"},
			{9, "log.max_size_mb", "from 1 to 10000"},
			{10, "log.keep", "from 1 to 1000"},
		}},
		{"infinite rate", good + "cms.writes_per_second = inf", []said{{5, "cms.writes_per_second", "out of range"}}},
		{"words", good + "policy.unverified = \"best\"\npolicy.override_on_worse = \"\"\n[marking]\nposition = \"Bottom\"\non_exit = \"stay\"\n[log]\nformat = \"xml\"\nfile = \"\"", []said{
			{5, "policy.unverified", `"best" is not known: write "worst" or "keep"`},
			{6, "policy.override_on_worse", `write "fall" or "keep"`},
			{8, "marking.position", `write "top", "middle" or "bottom"`},
			{9, "marking.on_exit", `write "clear" or "keep"`},
			{11, "log.format", `write "text" or "json"`},
			{12, "log.file", "no file is given"},
		}},
		{"duration 1", good + "marking.duration = \"90\"", []said{{5, "marking.duration", "is no time"}}},
		{"duration 2", good + "marking.duration = \"9s\"", []said{{5, "marking.duration", `from "10s" to "24h"`}}},
		{"duration 3", good + "marking.duration = \"25h\"", []said{{5, "marking.duration", "out of range"}}},
		{"duration 4", good + "marking.duration = \"10.5s\"", []said{{5, "marking.duration", "whole seconds"}}},
		{"resync 1", good + "cms.resync = 60", []said{{5, "cms.resync", "write a time with its unit"}}},
		{"resync 2", good + "cms.resync = \"10ms\"", []said{{5, "cms.resync", `from "1s" to "1h0m0s"`}}},
		{"status_every", good + "cms.status_every = \"soon\"", []said{{5, "cms.status_every", "is no time"}}},
		{"uri", good + "receiver.uri = \"host:5000/cdr\"", []said{{5, "receiver.uri", "http:// or https://"}}},
		{"lower_after", good + "policy.lower_after = \"-1s\"", []said{{5, "policy.lower_after", "out of range"}}},
		{"duration 5", good + "marking.duration = \"-1m\"", []said{{5, "marking.duration", "out of range"}}},
		{"levels", good + `
[policy.level]
1.message = ""
1.name = ""
2.message = "größer"
3.message = "Security Level 3: this text is longer than sixty characters are"
3.name = "a name that is too long"
`, []said{
			{7, "policy.level.1.message", "nobody would see the level"},
			{8, "policy.level.1.name", `like "Secure"`},
			{9, "policy.level.2.message", "plain ASCII"},
			{10, "policy.level.3.message", "has 63 characters, the site allows 60"},
			{11, "policy.level.3.name", "20"},
		}},
		{"same levels", good + "policy.level.1.message = \"x\"\npolicy.level.3.message = \"X\"", []said{w(6, "policy.level.3.message", "level 1 says the same")}},
		{"short limit", good + "marking.max_length = 10", []said{
			{1, "policy.level.1.message", "the site allows 10"},
			{1, "policy.level.2.message", "max_length"},
			{1, "policy.level.3.message", "shorten it"},
		}},
		{"no limit", good + "marking.max_length = 0", []said{{5, "marking.max_length", "from 1 to 255"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Parse("config.toml", []byte(tc.doc), Outside{})
			expect(t, problems, tc.want)
		})
	}
}

// expect compares problems with those that are expected, in their order.
// Few documents of these tests say who may send records; TestOpen does.
func expect(t *testing.T, problems Problems, want []said) {
	t.Helper()
	problems = slices.DeleteFunc(slices.Clone(problems), isOpen)
	for i, p := range problems {
		if i >= len(want) {
			break
		}
		w := want[i]
		text, warning := strings.CutPrefix(w.text, "warning: ")
		if p.Line != w.line || p.Key != w.key || p.Warning != warning || !strings.Contains(p.Text, text) {
			t.Errorf("problem %d:\n got %s\nwant line %d, key %q, %q", i+1, p, w.line, w.key, w.text)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d:\n%s", len(problems), len(want), problems)
	}
}

func TestProblemsSayNoSecrets(t *testing.T) {
	for _, doc := range []string{
		`password = hunter2`, `password = 12.34.hunter2`, `password hunter2`, `password = "hunter2`,
		"password = \"\"\"a\nhunter2", `password = ["hunter2"]`, `passwd = "hunter2"`,
		`password = 'a' hunter2`, `passwrod = "hunter2"`, `password = "\hunter2"`, `password = "hunter2\u0001"`,
		`servers = ["https://admin:hunter2@cms1"]`, `servers = ["admin:hunter2@cms1:443"]`,
		`servers = []` + "\n[receiver]\ntoken = hunter2", `servers = []` + "\n[receiver]\ntoken = 'hunter2 hunter2'",
	} {
		_, problems := Parse("f", []byte("[cms]\n"+doc+"\n"), Outside{})
		if problems.Err() == nil {
			t.Errorf("%s is taken", doc)
		}
		if s := problems.String(); strings.Contains(s, "hunter2") {
			t.Errorf("%s: the secret is in\n%s", doc, s)
		}
	}
}

func TestProblemString(t *testing.T) {
	for _, tc := range []struct {
		p    Problem
		want string
	}{
		{Problem{"c.toml", 12, "cms.port", "bad: mend it", false}, "c.toml:12: cms.port: bad: mend it"},
		{Problem{"c.toml", 12, "", "bad: mend it", true}, "c.toml:12: warning: bad: mend it"},
		{Problem{File: "c.toml", Text: "bad: mend it"}, "c.toml: bad: mend it"},
	} {
		if got := tc.p.String(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	ps := Problems{{Text: "a", Warning: true}, {File: "f", Text: "b"}}
	if len(ps.Errors()) != 1 || len(ps.Warnings()) != 1 || ps.Err().Error() != "f: b" || ps.Warnings().Err() != nil {
		t.Errorf("%v", ps)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("[cms]\nservers = [\"a\", 'b', \"\"\"c\n\"\"\", '''d''''', [1, {x = 1}]] # x\n\"a\\u0041.b\".c = 2\n[[x]]\na = {b = {c = 1}, d = [\n1,\n2]}")
	f.Add("[policy]\nlevel.1 = {name = \"x\"}\nsecure_domains = [\n# a\n\"\",\n]\nx = 1979-05-27 07:32:00Z")
	f.Add("\ufeffa = \"\\\"]\"\r\nb = [[[[]]]]")
	f.Fuzz(func(t *testing.T, doc string) {
		c, problems := Parse("f", []byte(doc), Outside{})
		n := strings.Count(doc, "\n") + 1
		last := 0
		for _, p := range problems {
			if p.Line < max(last, 1) || p.Line > n {
				t.Errorf("line %d after %d of %d: %s", p.Line, last, n, p)
			}
			last = p.Line
			if p.Text == "" || strings.ContainsAny(p.String(), "\n\r\x1b\x00") {
				t.Errorf("bad problem %q", p)
			}
		}
		if problems.Err() != nil {
			return
		}
		o, err := c.PolicyOptions()
		if err != nil {
			t.Errorf("accepted, but %v", err)
		}
		if c.CMS.Username == "" || len(c.CMS.Servers) == 0 || o.MaxText < 1 {
			t.Errorf("accepted %+v", c)
		}
		for _, s := range append(c.Policy.SecureDomains, c.Policy.InternalDomains...) {
			if s == "" {
				t.Error("accepted an empty domain")
			}
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add(good)
	f.Add("a.[b\n[[c]\n= \"\n''' ]]}{{{\n[x")
	f.Fuzz(func(t *testing.T, doc string) {
		n := strings.Count(doc, "\n") + 1
		found, _ := findLines(doc)
		for key, line := range found {
			if line < 1 || line > n {
				t.Errorf("%q is at line %d of %d", key, line, n)
			}
		}
	})
}
