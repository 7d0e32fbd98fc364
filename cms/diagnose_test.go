package cms

import (
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

func TestDiagnose(t *testing.T) {
	const (
		ours = "http://callmark.example:5000/cdr"
		a, b = "http://a.example/cdr?token=hush", "https://b.example/cdr"
		path = "http://callmark.example:5000/"
		self = "http://127.0.0.1:5000/cdr"
		add  = "callmark receivers add http://THIS-HOST:5000/cdr"
	)
	failing := []Alarm{{"x", "other", time.Hour}, {"y", "CdrConnectionFailure", 90 * time.Second}}
	for _, tt := range []struct {
		name          string
		receivers     []string
		places        int64
		alarms        []Alarm
		cause, remedy string // parts
	}{
		{"none", nil, 4, nil, "our URI is not among its receivers", add},
		{"others", []string{a, b, a}, 4, failing, "our URI is not among its receivers", add},
		{"full", []string{a, b, a, b}, 4, nil, "its 4 places for receivers are taken by http://a.example/cdr?token=[redacted], https://b.example/cdr, ",
			"remove one: callmark receivers remove URI, then " + add},
		{"places not known", []string{a, b, a, b}, -1, nil, "our URI is not among its receivers", add},
		{"no place at all", nil, 0, nil, "it has no place for receivers", "Web Admin"},
		{"nearly", []string{a, path}, 4, nil, "only " + path + " is nearly ours: same host, other path", "callmark receivers remove " + path + ", then " + add},
		{"nearly, full", []string{a, path}, 2, nil, "nearly ours", "callmark receivers remove " + path + ", then " + add},
		{"nearly, but also", []string{path, ours}, 4, nil, "it posts to us, it says, and nothing arrives", "check the host of " + ours},
		{"alarm", []string{ours}, 4, failing, "it cannot reach our receiver for 1m30s (alarm cdrConnectionFailure)", "firewall, route, port and certificate between that server and " + ours},
		{"alarm of whom", []string{a, ours}, 4, failing, "one of its receivers, most likely ours for 1m30s", "firewall"},
		{"no alarm", []string{a, ours, a, b}, 4, failing[:1], "it posts to us, it says, and nothing arrives", "another program may listen there"},
		{"itself", []string{self}, 4, nil, "it posts to us", self + " leads it to itself: register http://THIS-HOST:5000/cdr"},
		{"itself, alarm", []string{self}, 4, failing, "it cannot reach our receiver", "leads it to itself"},
		{"itself, but also", []string{self, ours}, 4, nil, "it posts to us", "check the host of " + ours},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var receivers []Receiver
			for _, uri := range tt.receivers {
				receivers = append(receivers, Receiver{ID: "x", URI: uri})
			}
			cause, remedy := Diagnose(t.Context(), receivers, tt.places, tt.alarms, machine(Own{Listen: ":5000", Path: "/cdr"}))
			if !strings.Contains(cause, tt.cause) || !strings.Contains(remedy, tt.remedy) || strings.Contains(cause+remedy, "hush") {
				t.Errorf("%s: %s", cause, remedy)
			}
		})
	}
	cause, remedy := Diagnose(t.Context(), []Receiver{{"x", ours}}, 4, nil, machine(Own{URI: "http://proxy.example/?token=hush"}))
	if cause != "our URI is not among its receivers" || remedy != "callmark receivers add http://proxy.example/?token=[redacted], with the secret itself in the place of [redacted]" {
		t.Errorf("%s: %s", cause, remedy)
	}
	guarded := machine(Own{Listen: ":5000", Path: "/cdr", TLS: true, Token: policy.NewSecret("hush"), Guarded: true})
	cause, remedy = Diagnose(t.Context(), []Receiver{{"x", ours}}, 4, nil, guarded)
	if !strings.Contains(cause, "nearly ours: same host, http in the place of https, and same host and path, without the token") ||
		!strings.HasSuffix(remedy, "callmark receivers add https://THIS-HOST:5000/cdr?token=[redacted], with the secret itself in the place of [redacted]") {
		t.Errorf("%s: %s", cause, remedy)
	}
	cause, remedy = Diagnose(t.Context(), []Receiver{{"x", "https://callmark.example:5000/cdr?token=hush"}}, 4, nil, guarded)
	if !strings.Contains(remedy, "whether that server is refused") || strings.Contains(cause+remedy, "hush") {
		t.Errorf("%s: %s", cause, remedy)
	}
}
