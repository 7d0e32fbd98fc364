package metrics

import "github.com/prometheus/client_golang/prometheus"

// family is one metric with its labels.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	name string
}

// families are all that were declared, in order.
var families []*family

func declare(kind prometheus.ValueType, name, help string, labels []string) *family {
	name = "callmark_" + name
	f := &family{prometheus.NewDesc(name, help, labels, nil), kind, name}
	families = append(families, f)
	return f
}

func counter(name, help string, labels ...string) *family {
	return declare(prometheus.CounterValue, name, help, labels)
}

func gauge(name, help string, labels ...string) *family {
	return declare(prometheus.GaugeValue, name, help, labels)
}

func histogram(name, help string, labels ...string) *family {
	return declare(prometheus.UntypedValue, name, help, labels)
}

// Markings.
var (
	markingLatency = histogram("marking_latency_seconds", "From when a marking became wanted, by a record or otherwise, until the server accepted it. Renewals are left out.")
	markings       = counter("markings_total", "Markings by what became of them: sent (accepted by the server), confirmed (read back), failed, absent (its call had ended), changed (found changed by another program).", "result")
	waiting        = gauge("markings_waiting", "Markings that wait to be written.", "server")
)

// The board.
var (
	meetings           = gauge("meetings", "Meetings by computed level; none: nobody counts.", "level")
	meetingsUnverified = gauge("meetings_unverified", "Meetings whose picture may lack somebody.")
	meetingsFailing    = gauge("meetings_failing", "Meetings with a marking that could not be written at the last attempt.")
	calls              = gauge("calls", "Calls that run.")
	legs               = gauge("legs", "Call legs that count.")
	overrides          = gauge("overrides", "Meetings under an operator's override.")
	overrideOldest     = gauge("override_oldest_seconds", "For how long the oldest override has been in force; 0: there is none.")
	alarms             = gauge("alarms", "Alarms that somebody must do something about, by kind.", "kind")
	boardFull          = gauge("board_full", "1 when a bound of the whole board is reached: every meeting counts as level 3.")
)

// Records.
var (
	records  = counter("records_total", "Records by type and by what became of them: taken, duplicate (seen before), dropped (of a session that has ended, or without an id).", "type", "result")
	gaps     = counter("gaps_total", "Times that records of a session were found missing.")
	gapsOpen = gauge("gaps_open", "Sessions whose records are missing and not read from the server yet.")
)

// The receiver.
var (
	documents    = counter("receiver_documents_total", "Documents of records that were applied.")
	setAside     = counter("receiver_documents_set_aside_total", "Documents that could not be read twice, and were acknowledged unread.")
	decodeErrors = counter("receiver_decode_errors_total", "Documents that could not be decoded, by cause.", "cause")
	refusals     = counter("receiver_refusals_total", "Documents and requests that were refused, by cause.", "cause")
	panics       = counter("receiver_panics_total", "Panics that cost a request or a connection.")
	connections  = gauge("receiver_connections", "Connections that are open.")
	receiverOpen = gauge("receiver_open", "1 when anybody who reaches the receiver may send records.")
)

// Servers and Call Bridges.
var (
	serverUp         = gauge("server_up", "1 when the API of a server answers, with a yes or a no.", "server")
	serverState      = gauge("server_state", "1 for the state that the API of a server is in: unknown (not asked yet), up, busy (answers 503), down, locked (refuses the account).", "server", "state")
	serverSince      = gauge("server_state_seconds", "For how long the API of a server has been in its state.", "server")
	serverInsecure   = gauge("server_insecure", "1 when a server is asked over plain HTTP, or its certificate is not verified.", "server")
	serverClock      = gauge("server_clock_offset_seconds", "How far the clock of a server is ahead of this host's; negative: behind.", "server")
	requests         = counter("api_requests_total", "Requests to the API of a server, by kind (read, write) and by the answer's HTTP status, or its class; none: no answer of an API.", "server", "kind", "code")
	latency          = histogram("api_latency_seconds", "How long the API of a server took to answer.", "server", "kind")
	rate             = gauge("api_requests_per_second", "Requests to the API of a server in the last second.", "server", "kind")
	budget           = gauge("api_budget_per_second", "Requests a second that may go to the API of a server.", "server", "kind")
	bridgeUnverified = gauge("bridge_unverified", "1 while the picture of a Call Bridge is not complete.", "server")
	bridgeSince      = gauge("bridge_unverified_seconds", "For how long the picture of a Call Bridge has not been complete; 0: it is.", "server")
	bridgeSilent     = gauge("bridge_records_missing", "1 while a Call Bridge makes records that do not come: it is followed by its API alone.", "server")
	bridgeUnread     = gauge("bridge_unread", "Calls and legs of a Call Bridge that are still to be read from its API.", "server")
	bridgeCalls      = gauge("bridge_calls", "Calls that run on a Call Bridge.", "server")
	bridgeLegs       = gauge("bridge_legs", "Legs in the calls of a Call Bridge, those that do not count included.", "server")
	unbound          = gauge("unbound_sessions", "Sessions of Call Bridges that no configured server is known to be.")
	unboundUnproven  = gauge("unbound_sessions_unverified", "Those of them whose picture is not complete.")
)
