package metrics

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rulesFile is docs/alerts.yml, as far as it is looked at.
type rulesFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func readRules(t *testing.T) []rule {
	t.Helper()
	data, err := os.ReadFile("../../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f rulesFile
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// exposed is every metric that a program tells, as it can be asked for, with its
// labels. What Prometheus adds itself is among them.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	ours := []string{"job", "instance"}
	names := map[string][]string{"up": ours}
	for name, f := range newSite(t).scrape(t) {
		with := slices.Concat(ours, slices.Collect(maps.Keys(labels(f.GetMetric()[0]))))
		if f.GetMetric()[0].GetHistogram() != nil {
			names[name+"_bucket"] = append(slices.Clone(with), "le")
			names[name+"_sum"], names[name+"_count"] = with, with
			continue
		}
		names[name] = with
	}
	return names
}

// spoken are the words of the query language that our queries use.
var spoken = strings.Fields(`sum max min abs by on and or absent rate increase deriv histogram_quantile label_values`)

var (
	texts     = regexp.MustCompile(`"[^"]*"`)
	ranges    = regexp.MustCompile(`\[[^\]]*\]`)
	lists     = regexp.MustCompile(`\b(?:by|on)\s*\(([^)]*)\)`)
	selectors = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^}]*)\}`)
	matchers  = regexp.MustCompile(`([a-zA-Z_]+)\s*(?:=~|!~|!=|=)`)
	words     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	valued    = regexp.MustCompile(`label_values\((.*),\s*([a-zA-Z_]+)\)$`)
)

// problems checks a query's metrics and labels, and returns the metrics.
func problems(query string, known map[string][]string) (metrics []string, wrong []string) {
	if m := valued.FindStringSubmatch(query); m != nil {
		query = "sum by (" + m[2] + ") (" + m[1] + ")"
	}
	q := ranges.ReplaceAllString(texts.ReplaceAllString(query, `""`), "")
	for _, m := range selectors.FindAllStringSubmatch(q, -1) {
		for _, label := range matchers.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(known[m[1]], label[1]) {
				wrong = append(wrong, m[1]+" has no label "+label[1])
			}
		}
	}
	q = selectors.ReplaceAllString(q, "$1")
	grouped := lists.FindAllStringSubmatch(q, -1)
	for _, w := range words.FindAllString(lists.ReplaceAllString(q, ""), -1) {
		if slices.Contains(spoken, w) {
			continue
		}
		if known[w] == nil {
			wrong = append(wrong, "there is no metric "+w)
			continue
		}
		metrics = append(metrics, w)
	}
	for _, list := range grouped {
		for _, label := range words.FindAllString(list[1], -1) {
			for _, m := range metrics {
				if label != "le" && !slices.Contains(known[m], label) {
					wrong = append(wrong, m+" has no label "+label+", by which it is grouped")
				}
			}
		}
	}
	if len(metrics) == 0 {
		wrong = append(wrong, "it asks for no metric")
	}
	return metrics, wrong
}

// The check itself finds what is wrong.
func TestProblems(t *testing.T) {
	known := exposed(t)
	for query, want := range map[string]string{
		`callmark_meetings{level="3"} > 0`:                                              "",
		`sum by (instance, le) (rate(callmark_marking_latency_seconds_bucket[5m])) > 1`: "",
		`label_values(callmark_server_up{instance=~"$instance"}, server)`:               "",
		`callmark_meeting > 0`:                   "no metric callmark_meeting",
		`callmark_marking_latency_seconds > 1`:   "no metric callmark_marking_latency_seconds",
		`rate(callmark_meetings{cause="x"}[5m])`: "no label cause",
		`sum by (server) (callmark_meetings)`:    "no label server",
		`label_values(callmark_calls, server)`:   "no label server",
		`sums(callmark_meetings)`:                "no metric sums",
		`callmark_meetings{level="3"} and on (level) callmark_nothing{level="a, b{c=\"d\"}"}`: "no metric callmark_nothing",
		`1 > 0`: "no metric",
	} {
		_, wrong := problems(query, known)
		if got := strings.Join(wrong, "; "); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// placeholder is a label that a text names.
var placeholder = regexp.MustCompile(`\$labels\.([a-zA-Z_]+)`)

// Every alert asks for what the program tells, and says in words what has
// happened, why, and what to do.
func TestAlertRules(t *testing.T) {
	known := exposed(t)
	names := map[string]bool{}
	for _, r := range readRules(t) {
		if r.Alert == "" || names[r.Alert] {
			t.Errorf("an alert has no name of its own: %q", r.Alert)
		}
		names[r.Alert] = true
		metrics, wrong := problems(r.Expr, known)
		for _, w := range wrong {
			t.Errorf("%s: %s", r.Alert, w)
		}
		for _, key := range []string{"summary", "cause", "remedy"} {
			if len(r.Annotations[key]) < 20 {
				t.Errorf("%s: the %s is %q", r.Alert, key, r.Annotations[key])
			}
			for _, label := range placeholder.FindAllStringSubmatch(r.Annotations[key], -1) {
				if len(metrics) == 0 || !slices.Contains(known[metrics[0]], label[1]) {
					t.Errorf("%s: its %s names the label %s", r.Alert, key, label[1])
				}
			}
		}
		if len(r.Annotations) != 3 || !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: annotations %v, labels %v", r.Alert, r.Annotations, r.Labels)
		}
	}
	if len(names) < 10 {
		t.Errorf("%d alerts were read", len(names))
	}
}

// The dashboard asks for what the program tells, all of it, of a data source that
// whoever loads it chooses.
func TestDashboard(t *testing.T) {
	data, err := os.ReadFile("../../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	type source struct{ Type, UID string }
	var d struct {
		SchemaVersion int
		Panels        []struct {
			ID                       int
			Type, Title, Description string
			Datasource               *source
			GridPos                  struct{ H, W, X, Y int }
			Targets                  []struct {
				Expr       string
				Datasource source
			}
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	known, asked, ids := exposed(t), map[string]bool{}, map[int]bool{}
	ask := func(where, query string) {
		metrics, wrong := problems(query, known)
		for _, w := range wrong {
			t.Errorf("%s: %s", where, w)
		}
		for _, m := range metrics {
			asked[m] = true
		}
	}
	chosen := source{"prometheus", "${datasource}"}
	var rows []string
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("%s: no id of its own: %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x > 23 {
					t.Fatalf("%q lies on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if p.Datasource == nil || *p.Datasource != chosen || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("%q: data source %v, description %q, %d queries", p.Title, p.Datasource, p.Description, len(p.Targets))
		}
		for _, target := range p.Targets {
			if target.Datasource != chosen {
				t.Errorf("%q asks %v", p.Title, target.Datasource)
			}
			ask(p.Title, target.Expr)
		}
	}
	if want := []string{"Markings", "Call Bridges", "Receiver", "Board", "Process"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if d.SchemaVersion < 39 || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Name != "datasource" {
		t.Errorf("schema %d, variables %+v", d.SchemaVersion, d.Templating.List)
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			ask("variable "+v.Name, v.Definition)
		}
	}
	for name := range known {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if strings.HasPrefix(name, "callmark_") && !asked[name] && !asked[base+"_bucket"] && name != "callmark_server_state" {
			t.Errorf("%s is told and not shown", name)
		}
	}
}
