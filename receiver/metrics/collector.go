package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callmark/policy"
)

// alarmKinds are what an alarm's key begins with, up to the first /.
var alarmKinds = []string{
	"aside", "bound", "bridge", "changed", "clock", "false", "index", "receiver", "records", "restart", "senders", "server", "session", "state", "twins",
}

// other stands for what is in no fixed set.
const other = "other"

// collector reads everything anew at each scrape.
type collector struct{ o Options }

// Describe names all families.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range families {
		ch <- f.desc
	}
}

// Collect reads the snapshots and gives every metric.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	now := c.o.Now()
	out := sink{ch}
	measures, servers := c.o.Board.Measure(now), c.o.Servers()
	board(out, measures)
	receiver(out, c.o.Receiver(), measures.Receiver)
	bridges(out, now, measures.Bridges, servers)
	for _, s := range servers {
		api(out, s.Server, "read", s.Reads)
		api(out, s.Server, "write", s.Writes)
	}
}

// sink takes metrics.
type sink struct{ ch chan<- prometheus.Metric }

func (s sink) put(f *family, value float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

func (s sink) flag(f *family, on bool, labels ...string) {
	value := 0.0
	if on {
		value = 1
	}
	s.put(f, value, labels...)
}

func (s sink) latencies(f *family, l policy.Latencies, labels ...string) {
	buckets := map[float64]uint64{}
	sum := uint64(0)
	for i, bound := range policy.LatencyBounds() {
		sum += l.Counts[i]
		buckets[bound.Seconds()] = sum
	}
	s.ch <- prometheus.MustNewConstHistogram(f.desc, l.Total(), l.Sum.Seconds(), buckets, labels...)
}

// board tells of meetings, markings and records.
func board(out sink, m policy.Measures) {
	out.latencies(markingLatency, m.Marking)
	for result, n := range map[string]uint64{
		"sent": m.Markings.Sent, "confirmed": m.Markings.Confirmed, "failed": m.Markings.Failed,
		"absent": m.Markings.Absent, "changed": m.Markings.Changed,
	} {
		out.put(markings, float64(n), result)
	}
	for level, n := range m.Totals.Levels {
		name := "none"
		if l := policy.Level(level); l != policy.LevelNone {
			name = l.String()
		}
		out.put(meetings, float64(n), name)
	}
	out.put(meetingsUnverified, float64(m.Totals.Unverified))
	out.put(meetingsFailing, float64(m.Totals.Failing))
	out.put(calls, float64(m.Totals.Calls))
	out.put(legs, float64(m.Totals.Legs))
	out.put(overrides, float64(m.Totals.Overridden))
	out.put(overrideOldest, m.Override.Seconds())
	out.flag(boardFull, m.Full)

	kinds := map[string]int{other: 0}
	for _, kind := range alarmKinds {
		kinds[kind] = 0
	}
	for _, a := range m.Alarms {
		kind, _, _ := strings.Cut(a.Key, "/")
		if !slices.Contains(alarmKinds, kind) {
			kind = other
		}
		kinds[kind]++
	}
	for kind, n := range kinds {
		out.put(alarms, float64(n), kind)
	}

	for kind, n := range m.Records {
		name := policy.EventKind(kind).String()
		out.put(records, float64(n.Taken), name, "taken")
		out.put(records, float64(n.Duplicates), name, "duplicate")
		out.put(records, float64(n.Dropped), name, "dropped")
	}
	out.put(gaps, float64(m.Gaps))
	out.put(gapsOpen, float64(m.OpenGaps))
}

// receiver tells of what came over HTTP.
func receiver(out sink, n policy.ReceiverCounts, status policy.ReceiverStatus) {
	out.put(documents, float64(n.Documents))
	out.put(setAside, float64(n.SetAside))
	out.put(panics, float64(n.Panics))
	out.put(connections, float64(n.Connections))
	out.flag(receiverOpen, status.Open)
	for cause, times := range n.Undecoded {
		out.put(decodeErrors, float64(times), cause)
	}
	for cause, times := range n.Refused {
		out.put(refusals, float64(times), cause)
	}
}

// bridge sums up what is known of one configured server: mostly one view, but
// several sessions may be thought to be on it.
type bridge struct {
	status                   policy.ServerStatus
	unverified, silent       bool
	since                    time.Duration
	unread, running, inCalls int
	clock                    time.Duration
}

// bridges tells of the configured servers and their Call Bridges.
func bridges(out sink, now time.Time, views []policy.BridgeView, servers []policy.APICounts) {
	known := map[string]*bridge{}
	for _, s := range servers {
		known[s.Server] = &bridge{}
	}
	sessions, unverified := 0, 0
	for _, v := range views {
		b := known[v.Server]
		if b == nil {
			sessions++
			if v.Unverified != "" {
				unverified++
			}
			continue
		}
		b.status, b.clock = v.Bound, v.Clock
		b.unread += v.Unread
		b.running += v.Calls
		b.inCalls += v.Legs
		b.silent = b.silent || v.Silent != ""
		if v.Unverified != "" {
			b.unverified = true
			b.since = max(b.since, age(now, v.UnverifiedSince))
		}
	}
	out.put(unbound, float64(sessions))
	out.put(unboundUnproven, float64(unverified))
	for name, b := range known {
		st := b.status
		out.flag(serverUp, st.State == policy.ServerUp, name)
		for state := policy.ServerUnknown; state <= policy.ServerLocked; state++ {
			out.flag(serverState, st.State == state, name, state.String())
		}
		out.put(serverSince, age(now, st.Since).Seconds(), name)
		out.flag(serverInsecure, st.Insecure, name)
		out.put(serverClock, b.clock.Seconds(), name)
		out.put(waiting, float64(st.Queue), name)
		out.put(rate, st.ReadRate, name, "read")
		out.put(rate, st.WriteRate, name, "write")
		out.put(budget, st.ReadBudget, name, "read")
		out.put(budget, st.WriteBudget, name, "write")
		out.flag(bridgeUnverified, b.unverified, name)
		out.put(bridgeSince, b.since.Seconds(), name)
		out.flag(bridgeSilent, b.silent, name)
		out.put(bridgeUnread, float64(b.unread), name)
		out.put(bridgeCalls, float64(b.running), name)
		out.put(bridgeLegs, float64(b.inCalls), name)
	}
}

// age is how long ago something was; 0 when it was not, or is still to come.
func age(now, at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(0, now.Sub(at))
}

// api tells of the requests of one kind to a server.
func api(out sink, server, kind string, n policy.LaneCounts) {
	for code, times := range n.Requests {
		out.put(requests, float64(times), server, kind, code)
	}
	out.latencies(latency, n.Latency, server, kind)
}
