package metrics

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"callmark/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Unix(1_700_000_000, 0)

const cms1, cms2 = "cms1.example:445", "cms2.example:445"

// site is a board with two servers, which a test may change, and its metrics.
type site struct {
	*policy.Board
	*Metrics
	now      time.Time
	receiver policy.ReceiverCounts
	servers  []policy.APICounts
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{
		Board: policy.NewBoard(policy.Options{}), now: t0,
		receiver: policy.ReceiverCounts{Refused: map[string]uint64{"wrong path": 0}, Undecoded: map[string]uint64{"DOCTYPE": 0}},
	}
	for _, name := range []string{cms1, cms2} {
		lane := func() policy.LaneCounts {
			return policy.LaneCounts{Requests: map[string]uint64{"2xx": 0, "401": 0, "none": 0}}
		}
		s.servers = append(s.servers, policy.APICounts{Server: name, Reads: lane(), Writes: lane()})
		s.Follow(s.now, name)
		s.ReportServer(s.now, policy.ServerStatus{Server: name, State: policy.ServerUnknown, Since: s.now})
	}
	var err error
	s.Metrics, err = New(Options{
		Reuse: -1, Board: s.Board, Now: func() time.Time { return s.now },
		Receiver: func() policy.ReceiverCounts { return s.receiver },
		Servers:  func() []policy.APICounts { return s.servers },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is what a scrape gets.
func (s *site) text(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// scrape reads it as Prometheus would.
func (s *site) scrape(t testing.TB) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(strings.NewReader(s.text(t)))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// want checks samples: lines as in the text, without the prefix.
func (s *site) want(t testing.TB, lines ...string) {
	t.Helper()
	text := "\n" + s.text(t)
	for _, line := range lines {
		if !strings.Contains(text, "\ncallmark_"+line+"\n") {
			name, _, _ := strings.Cut(line, " ")
			name, _, _ = strings.Cut(name, "{")
			var have []string
			for _, l := range strings.Split(text, "\n") {
				if strings.HasPrefix(l, "callmark_"+name) {
					have = append(have, l)
				}
			}
			t.Errorf("no %q in\n%s", line, strings.Join(have, "\n"))
		}
	}
}

// labels returns the labels of a metric, each with its value.
func labels(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}

// fill puts meetings of ten legs on a board.
func fill(b *policy.Board, meetings int) {
	index := int64(0)
	src := policy.Source{Session: "s", CallBridge: "A", Address: "192.0.2.1"}
	for m := range meetings {
		call := fmt.Sprintf("c%d", m)
		events := []policy.Event{{Kind: policy.CallStarted, Call: policy.CallFacts{ID: call, Name: "Board meeting", Correlator: fmt.Sprintf("k%d", m)}}}
		for l := range 10 {
			events = append(events, policy.Event{Kind: policy.LegStarted, Leg: policy.LegFacts{
				ID: fmt.Sprintf("%s-%d", call, l), Call: call, Name: "Ann", RemoteParty: "ann@evil.test", Connected: true,
			}})
		}
		for i := range events {
			events[i].Index = index
			index++
		}
		b.Apply(t0, src, events)
	}
}
