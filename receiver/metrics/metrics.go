package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"callmark/policy"
)

// Board is what this package needs of *policy.Board.
type Board interface {
	Measure(now time.Time) policy.Measures
}

// Options is whom Metrics asks. Board is needed.
type Options struct {
	Board    Board
	Receiver func() policy.ReceiverCounts // nothing
	Servers  func() []policy.APICounts    // of all configured servers, in any state; none
	Now      func() time.Time             // time.Now

	// An answer is given again for so long: gathering one costs a few
	// milliseconds, and whoever asks a thousand times a second must not be able to
	// keep a processor busy. 1 s; negative: never.
	Reuse time.Duration
}

// Metrics gathers what there is to measure.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time
	reuse    time.Duration

	mu   sync.Mutex // one answer at a time
	text bytes.Buffer
	at   time.Time // when text was gathered; zero: there is none
}

// liveHeap is told beside the usual: what the collector found alive, which is what
// the board's memory is.
var liveHeap = regexp.MustCompile("^/gc/heap/live:bytes$")

// New makes Metrics with callmark's families, and those of the process and the
// Go runtime.
func New(o Options) (*Metrics, error) {
	if o.Receiver == nil {
		o.Receiver = func() policy.ReceiverCounts { return policy.ReceiverCounts{} }
	}
	if o.Servers == nil {
		o.Servers = func() []policy.APICounts { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reuse == 0 {
		o.Reuse = time.Second
	}
	m := &Metrics{registry: prometheus.NewRegistry(), now: o.Now, reuse: o.Reuse}
	for _, c := range []prometheus.Collector{
		collector{o}, collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: liveHeap})), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := m.registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// versions are families of the runtime that name a version.
var versions = map[string]bool{"go_info": true}

// Write writes all metrics in Prometheus' text format 0.0.4. w must not block. An
// error of w's apart, nothing is written after one.
func (m *Metrics) Write(w io.Writer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.now(); m.at.IsZero() || now.Sub(m.at) >= m.reuse {
		m.at = time.Time{}
		if err := m.gather(); err != nil {
			return err
		}
		m.at = now
	}
	_, err := w.Write(m.text.Bytes())
	return err
}

// gather makes the text anew.
func (m *Metrics) gather() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a panic: %v", p)
		}
	}()
	gathered, err := m.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	m.text.Reset()
	to := expfmt.NewEncoder(&m.text, expfmt.NewFormat(expfmt.TypeTextPlain))
	var errs []error
	for _, f := range gathered {
		if !versions[f.GetName()] {
			errs = append(errs, to.Encode(f))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write the metrics: %w", err)
	}
	return nil
}
