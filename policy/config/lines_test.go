package config

import (
	"maps"
	"reflect"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestFindLines(t *testing.T) {
	const doc = `# [no] = 1
top = "a # b" # c
[ a . "b.c" ] # [x]
"d" = """
e = 1
\"""" # f = 1
'g"h' = '''
[i]
'''''
j.k = { l = 1, m.n = [ "x", { o = 2 } ], p = "}" }
q = 1979-05-27 07:32:00 # r
s = [
  # t = 1
  1, [ 2,
    3 ], # ]
  """
u""", { v = 1 },
]
[w]
"\u0061\t" = 1
`
	if _, err := toml.Decode(doc, &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	want := lines{
		"top": 2, "a": 3, `a."b.c"`: 3, `a."b.c".d`: 4, `a."b.c"."g\"h"`: 7,
		`a."b.c".j`: 10, `a."b.c".j.k`: 10, `a."b.c".j.k.l`: 10, `a."b.c".j.k.m`: 10, `a."b.c".j.k.m.n`: 10,
		`a."b.c".j.k.m.n[1]`: 10, `a."b.c".j.k.m.n[2]`: 10, `a."b.c".j.k.p`: 10,
		`a."b.c".q`: 11, `a."b.c".s`: 12, `a."b.c".s[1]`: 14, `a."b.c".s[2]`: 14, `a."b.c".s[2][1]`: 14, `a."b.c".s[2][2]`: 15,
		`a."b.c".s[3]`: 16, `a."b.c".s[4]`: 17, "w": 19, `w."a\t"`: 20,
		"o": 10, "v": 17, // keys of tables in lists, of which no problem speaks
	}
	got, deep := findLines(doc)
	if deep != 0 {
		t.Errorf("line %d is called deep", deep)
	}
	if !maps.Equal(got, want) {
		for key, line := range want {
			if got[key] != line {
				t.Errorf("%s: line %d, want %d", key, got[key], line)
			}
		}
		for key, line := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s: line %d, want none", key, line)
			}
		}
	}
}

func TestLinesFallBack(t *testing.T) {
	l := lines{"cms": 3, "cms.servers": 5}
	for key, want := range map[string]int{
		"cms.servers": 5, "cms.servers[7]": 5, "cms.username": 3, "policy.level.1.name": 1, "": 1,
	} {
		if got := l.of(key); got != want {
			t.Errorf("%s: line %d, want %d", key, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"listen", "path", "secure_domains", "internal_domains", "1", "2"}
	for given, want := range map[string]string{
		"lisetn": "listen", "LISTEN": "listen", "secure-domains": "secure_domains", "domains": "secure_domains",
		"paths": "path", "3": "", "xyz": "", "": "", "listening_address": "listen",
	} {
		if got := nearest(given, names); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	if d := distance("ab", "ba"); d != 1 {
		t.Errorf("a swap costs %d", d)
	}
	if !reflect.DeepEqual([]int{distance("", "abc"), distance("abc", ""), distance("kitten", "sitting")}, []int{3, 3, 3}) {
		t.Error("distances are wrong")
	}
}
