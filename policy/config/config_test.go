package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

const example = "../../config.toml"

func TestExampleIsDefault(t *testing.T) {
	c, problems := parseFile(t, example)
	for _, p := range problems.Errors() {
		if p.Key != "cms.username" && p.Key != "cms.password" {
			t.Errorf("the example has more than its credentials to fill in: %s", p)
		}
	}
	if n := len(problems.Errors()); n != 2 {
		t.Errorf("%d problems, want those of username and password:\n%s", n, problems)
	}
	if !slices.Equal(c.CMS.Servers, []string{"cms1.example.com"}) {
		t.Errorf("servers are %q", c.CMS.Servers)
	}
	c.CMS.Servers = nil
	if want := Default(); !reflect.DeepEqual(c, want) {
		t.Errorf("the example differs from Default:\n got %+v\nwant %+v", c, want)
	}
}

func TestExampleHasEveryKey(t *testing.T) {
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	found, _ := findLines(string(data))
	all := strings.Split(string(data), "\n")
	eachKey(nil, reflect.ValueOf(new(Config)).Elem(), func(path []string, _ reflect.Value) {
		key := joinKey(path)
		line, ok := found[key]
		if !ok {
			t.Errorf("%s is not in the example", key)
			return
		}
		name, _, _ := strings.Cut(all[line-1], " =")
		if name != path[len(path)-1] {
			t.Errorf("%s is at line %d, which reads %q", key, line, all[line-1])
		}
		// What a name or a message is for is said at level 1.
		if !strings.Contains(all[line-1], " # ") && path[0] != "log" && len(path) != 4 {
			t.Errorf("%s has no comment", key)
		}
	})
}

func TestEveryFieldHasATag(t *testing.T) {
	seen := map[string]bool{}
	eachKey(nil, reflect.ValueOf(new(Config)).Elem(), func(path []string, _ reflect.Value) {
		key := joinKey(path)
		for _, part := range path {
			if !isBare(part) {
				t.Errorf("%s has a part without a name", key)
			}
		}
		if seen[key] {
			t.Errorf("%s comes twice", key)
		}
		seen[key] = true
	})
	// The contract's names, and those beyond it.
	for _, key := range strings.Fields(`
		receiver.listen receiver.path receiver.max_body_mb receiver.refused_dir receiver.uri
		receiver.allow receiver.token receiver.tls_cert receiver.tls_key receiver.client_ca receiver.senders
		receiver.max_depth receiver.max_records receiver.max_value receiver.max_header_kb receiver.max_connections
		receiver.max_connections_per_source receiver.max_requests_per_source receiver.read_timeout receiver.idle_timeout
		metrics.listen cms.pins
		cms.username cms.password cms.password_file cms.servers cms.port cms.ca_file cms.insecure_skip_verify
		cms.reads_per_second cms.writes_per_second cms.resync cms.status_every policy.lower_after state.file
		policy.secure_domains policy.internal_domains policy.unverified policy.override_on_worse
		policy.level.1.name policy.level.1.message policy.level.2.name policy.level.2.message
		policy.level.3.name policy.level.3.message
		marking.position marking.duration marking.on_exit marking.max_length marking.ascii
		log.file log.format log.max_size_mb log.keep ui.read_only ui.ascii ui.theme ui.bell ui.state
		ui.keys.up ui.keys.down ui.keys.page_up ui.keys.page_down ui.keys.first ui.keys.last ui.keys.open ui.keys.back
		ui.keys.filter ui.keys.sort ui.keys.reverse ui.keys.force ui.keys.clear ui.keys.auto ui.keys.select ui.keys.resync
		ui.keys.next ui.keys.dismiss ui.keys.pause ui.keys.log ui.keys.copy ui.keys.zone ui.keys.mouse ui.keys.theme
		ui.keys.bridges ui.keys.history ui.keys.in_full ui.keys.group ui.keys.ages ui.keys.export
		ui.keys.help ui.keys.quit`) {
		if !seen[key] {
			t.Errorf("%s is missing", key)
		}
		delete(seen, key)
	}
	for key := range seen {
		t.Errorf("%s is in no contract", key)
	}
}

func TestEveryValueIsTaken(t *testing.T) {
	c, problems := Parse("f", []byte(`
[receiver]
listen = "127.0.0.1:5001"
path = "/a/b"
max_body_mb = 1
refused_dir = ""
uri = "https://cm.test/a/b?x=1"
allow = ["10.0.0.0/8", "2001:db8::1"]
token = "0123456789abcdef"
tls_cert = "c.pem"
tls_key = "k.pem"
client_ca = "a.pem"
senders = "bound"
max_depth = 9
max_records = 101
max_value = 2048
max_header_kb = 3
max_connections = 10
max_connections_per_source = 5
max_requests_per_source = 200
read_timeout = "2s"
idle_timeout = "20s"
[metrics]
listen = "127.0.0.1:9100"
[cms]
username = "u"
password = 'p"\'
servers = ["a.test", "b.test:444", "https://[2001:db8::1]"]
port = 8443
ca_file = "ca.pem"
pins = ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
insecure_skip_verify = true
reads_per_second = 0.5
writes_per_second = 7
resync = "2m"
status_every = "250ms"
[policy]
secure_domains = ["rooms.example.com"]
internal_domains = ["example.com"]
unverified = "keep"
override_on_worse = "keep"
lower_after = "1.5s"
level.1 = { name = "Eins", message = "Stufe 1: größte Sicherheit" }
[policy.level.3]
name = "Drei"
[marking]
position = "top"
duration = "1m30s"
on_exit = "keep"
max_length = 100
ascii = false
[state]
file = "s.json"
[log]
file = "x.log"
format = "json"
max_size_mb = 1
keep = 2
[ui]
read_only = true
ascii = true
theme = "16"
bell = "osc9"
state = ""
[ui.keys]
pause = ["f5", "ctrl+p"]
help = "f1"
theme = []
`), Outside{})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	keys := defaultKeys()
	keys.Pause, keys.Help, keys.Theme = KeyList{"f5", "ctrl+p"}, KeyList{"f1"}, KeyList{}
	want := Config{
		Receiver: Receiver{"127.0.0.1:5001", "/a/b", 1, "", "https://cm.test/a/b?x=1",
			[]string{"10.0.0.0/8", "2001:db8::1"}, policy.NewSecret("0123456789abcdef"), "c.pem", "k.pem", "a.pem", "bound",
			9, 101, 2048, 3, 10, 5, 200, 2 * time.Second, 20 * time.Second},
		Metrics: Metrics{"127.0.0.1:9100"},
		CMS: CMS{"u", policy.NewSecret(`p"\`), "", []string{"a.test", "b.test:444", "https://[2001:db8::1]"},
			8443, "ca.pem", true, []string{"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, 0.5, 7, 2 * time.Minute, 250 * time.Millisecond},
		Policy: Policy{[]string{"rooms.example.com"}, []string{"example.com"}, "keep", "keep", 1500 * time.Millisecond, [4]Level{
			1: {"Eins", "Stufe 1: größte Sicherheit"},
			2: Default().Policy.Level[2],
			3: {"Drei", Default().Policy.Level[3].Message},
		}},
		Marking: Marking{"top", 90 * time.Second, "keep", 100, false},
		State:   State{"s.json"},
		Log:     Log{"x.log", "json", 1, 2},
		UI:      UI{true, true, "16", "osc9", "", keys},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}

	o, err := c.PolicyOptions()
	if err != nil {
		t.Fatal(err)
	}
	if o.Position != "top" || o.Duration != 90*time.Second || !o.KeepUnverified || !o.KeepOverrides ||
		o.MaxText != 100 || !o.AnyText || !o.BoundSenders || o.Levels[policy.Level3].Name != "Drei" ||
		o.Levels[policy.Level2] != policy.DefaultLevels()[policy.Level2] {
		t.Errorf("options are %+v", o)
	}
	if got := o.Rules.Classify("a@rooms.example.com").Level; got != policy.Level1 {
		t.Errorf("a room has level %v", got)
	}
}

// TestEmptyIsDefault is also the least that a site can get away with.
func TestEmptyIsDefault(t *testing.T) {
	c, _ := Parse("f", nil, Outside{})
	if want := Default(); !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	o, err := Default().PolicyOptions()
	if err != nil {
		t.Fatal(err)
	}
	if o.Duration != 0 || o.KeepUnverified || o.KeepOverrides || o.AnyText || o.BoundSenders || o.Position != "bottom" || o.Levels != policy.DefaultLevels() {
		t.Errorf("default options are %+v", o)
	}
}

func parseFile(t *testing.T, name string) (Config, Problems) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(name, data, Outside{})
}
