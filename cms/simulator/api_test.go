package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCallAnswers(t *testing.T) {
	c := startCluster(t, Options{})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{Name: "Budget <review> & more", OwnerName: "Anna"})
	leg := call.Join(SIP("Jürgen", "j@ministry.example"))
	call.Join(Recorder())
	a := newAPI(t, b)

	got := a.get("/calls/" + call.ID())
	want := map[string]string{
		"name": "Budget <review> & more", "callType": "coSpace", "coSpace": call.CoSpace(), "callCorrelator": call.Correlator(),
		"ownerName": "Anna", "numCallLegs": "2", "numParticipantsLocal": "1", "numParticipantsRemote": "0",
		"numDistributedInstances": "0", "messageText": "", "messagePosition": "middle", "messageDuration": "0",
	}
	for name, value := range want {
		if got.at(name) != value {
			t.Errorf("%s = %q, want %q", name, got.at(name), value)
		}
	}
	legs := a.get("/calls/" + call.ID() + "/callLegs")
	if legs.attr("total") != "2" || len(legs.Children) != 2 {
		t.Errorf("callLegs: %+v", legs)
	}
	one := a.get("/CALLLEGS/" + leg.ID())
	if one.at("status", "state") != "connected" || one.at("remoteParty") != "j@ministry.example" || one.at("call") != call.ID() {
		t.Errorf("callLeg: %+v", one)
	}
	if got := a.get("/callLegs?filter=recorder").attr("total"); got != "1" {
		t.Errorf("filtered legs: %s", got)
	}
	if got := a.get("/calls?coSpaceFilter=" + call.CoSpace()).attr("total"); got != "1" {
		t.Errorf("calls of the space: %s", got)
	}
	if got := a.get("/calls?coSpaceFilter=x").attr("total"); got != "0" {
		t.Errorf("calls of no space: %s", got)
	}
}

func TestMissingObjects(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	elsewhere := c.Bridge(1).StartCall(CallSpec{})
	leg := elsewhere.Join(Guest("x"))
	a := newAPI(t, c.Bridge(0))
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/calls/" + elsewhere.ID(), "404 callDoesNotExist"},
		{"PUT", "/calls/" + elsewhere.ID(), "404 callDoesNotExist"},
		{"GET", "/calls/x/callLegs", "404 callDoesNotExist"},
		{"GET", "/calls/x/participants", "404 callDoesNotExist"},
		{"GET", "/callLegs/" + leg.ID(), "404 callLegDoesNotExist"},
		{"GET", "/participants/" + leg.Group(), "404 participantDoesNotExist"},
		{"GET", "/callBridges/x", "404 callBridgeDoesNotExist"},
		{"GET", "/system/cdrReceivers/x", "404 cdrReceiverDoesNotExist"},
		{"DELETE", "/system/cdrReceivers/x", "404 cdrReceiverDoesNotExist"},
		{"GET", "/nothing", "404 unrecognisedObject"},
		{"DELETE", "/calls/x", "404 unrecognisedObject"},
		{"GET", "/calls?limit=x", "400 parameterError"},
		{"GET", "/calls?offset=-1", "400 parameterError"},
	} {
		res, body := a.do(tt.method, "/api/v1"+tt.path, nil)
		if got := outcome(res, body); got != tt.want || res.Header.Get("Content-Type") != "text/xml" {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.path, got, tt.want)
		}
	}
}

func TestPutCall(t *testing.T) {
	now := time.Date(2026, 2, 28, 16, 0, 0, 0, time.UTC)
	c := startCluster(t, Options{Now: func() time.Time { return now }})
	call := c.Bridge(0).StartCall(CallSpec{})
	call.Join(SIP("Room", "r@rooms.ministry.example"))
	a := newAPI(t, c.Bridge(0))
	path := "/calls/" + call.ID()
	for _, tt := range []struct {
		pairs []string
		want  string
		shown Screen
	}{
		{[]string{"messageText", "Level 1"}, "200", Screen{"Level 1", "middle", "0", false}},
		{[]string{"messagePosition", "bottom", "messageDuration", "permanent"}, "200", Screen{"Level 1", "bottom", "permanent", true}},
		{[]string{"messageText", "no", "messagePosition", "left"}, "400 parameterError", Screen{"Level 1", "bottom", "permanent", true}},
		{[]string{"messageText", "no", "messageDuration", "-1"}, "400 parameterError", Screen{"Level 1", "bottom", "permanent", true}},
		{[]string{"messageTxt", "no"}, "400 parameterError", Screen{"Level 1", "bottom", "permanent", true}},
		{[]string{"locked", "true"}, "200", Screen{"Level 1", "bottom", "permanent", true}},
		{[]string{"messageText", "", "messageDuration", "0"}, "200", Screen{"", "bottom", "0", false}},
		{[]string{"messageText", "レベル 3", "messageDuration", "30"}, "200", Screen{"レベル 3", "bottom", "30", true}},
	} {
		if got := a.put(path, tt.pairs...); got != tt.want {
			t.Errorf("PUT %v: %s, want %s", tt.pairs, got, tt.want)
		}
		if diff := cmp.Diff(tt.shown, call.Screen()); diff != "" {
			t.Errorf("PUT %v: screen (-want +got)\n%s", tt.pairs, diff)
		}
	}
	if got := a.get(path).at("messageTimeRemaining"); got != "30" {
		t.Errorf("messageTimeRemaining = %s", got)
	}
	puts := call.Puts()
	if len(puts) != 4 || puts[1].Duration != "permanent" || puts[1].Truth != 1 || !puts[1].Time.Equal(now) {
		t.Errorf("puts: %+v", puts)
	}
	now = now.Add(29 * time.Second)
	if !call.Screen().Visible {
		t.Error("the message went too early")
	}
	now = now.Add(time.Second)
	if call.Screen().Visible {
		t.Error("the message stayed")
	}
	call.Overwrite("Lunch", "top", permanent)
	if got, _ := c.Bridge(0).Screen(call.ID()); got != (Screen{"Lunch", "top", "permanent", true}) {
		t.Errorf("overwritten: %+v", got)
	}
	call.End()
	if got := a.put(path, "messageText", "late"); got != "404 callDoesNotExist" {
		t.Errorf("PUT after the end: %s", got)
	}
	if call.Screen().Visible || len(call.Puts()) != 4 {
		t.Error("an ended call shows something, or forgot its writes")
	}
}

func TestPaging(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	calls := c.Populate(25, 0)
	a := newAPI(t, c.Bridge(0))
	for _, tt := range []struct {
		query    string
		from, to int
	}{
		{"", 0, 10}, {"?limit=100", 0, 10}, {"?limit=3", 0, 3}, {"?offset=10", 10, 20}, {"?offset=20&limit=10", 20, 25},
		{"?offset=25", 25, 25}, {"?offset=99", 25, 25}, {"?limit=0", 0, 0},
	} {
		page := a.get("/calls" + tt.query)
		var got []string
		for _, n := range page.Children {
			got = append(got, n.attr("id"))
		}
		var want []string
		for _, call := range calls[tt.from:tt.to] {
			want = append(want, call.ID())
		}
		if diff := cmp.Diff(want, got); diff != "" || page.attr("total") != "25" {
			t.Errorf("%q: total %s (-want +got)\n%s", tt.query, page.attr("total"), diff)
		}
	}
}

func TestDistributedMeeting(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	one, two := c.Bridge(0), c.Bridge(1)
	near := one.StartCall(CallSpec{Name: "Crisis room"})
	far := two.StartCall(CallSpec{Name: "Crisis room", CoSpace: near.CoSpace(), Correlator: near.Correlator()})
	near.Join(SIP("Room", "r@rooms.ministry.example"))
	guest := far.Join(Guest("Eve"))
	link := Link(near, far)
	a := newAPI(t, one)

	if got := a.get("/callLegs/" + link.ID()); got.at("subType") != "distributionLink" || got.at("remoteParty") != "cms2@127.0.0.1" {
		t.Errorf("link: %+v", got)
	}
	call := a.get("/calls/" + near.ID())
	got := []string{call.at("numCallLegs"), call.at("numParticipantsLocal"), call.at("numParticipantsRemote"), call.at("numDistributedInstances")}
	if diff := cmp.Diff([]string{"2", "1", "1", "1"}, got); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
	list := a.get("/calls/" + near.ID() + "/participants")
	if len(list.Children) != 2 || list.Children[0].at("callBridge") != "" || list.Children[1].at("callBridge") != two.GUID() ||
		list.Children[1].at("call") != near.ID() {
		t.Errorf("participants: %+v", list)
	}
	if got := a.get("/participants?callBridgeFilter=" + two.GUID()); got.attr("total") != "1" || got.Children[0].attr("id") != guest.Group() {
		t.Errorf("remote participants: %+v", got)
	}
	if got := a.get("/participants/" + guest.Group()); got.at("name") != "Eve" || got.at("callBridge") != two.GUID() || got.at("status", "state") != "connected" {
		t.Errorf("participant: %+v", got)
	}
	m := c.Truth()[near.Correlator()]
	if m.Level != 3 || len(m.People) != 2 || len(m.Calls) != 2 {
		t.Errorf("truth: %+v", m)
	}
	guest.End()
	if !far.Running() || near.Level() != 1 {
		t.Error("the link keeps the far call; the level is 1 again")
	}
	link.End()
	if far.Running() || !near.Running() {
		t.Error("both ends of the link are gone, and the empty call with them")
	}
}

func TestSystemAnswers(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2, Names: []string{"london"}})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{})
	call.Join(Guest("x"))
	a := newAPI(t, b)
	if got := a.get("/system/configuration/cluster").at("uniqueName"); got != "london" {
		t.Errorf("uniqueName = %q", got)
	}
	bridges := a.get("/callBridges")
	if bridges.attr("total") != "2" || bridges.Children[0].attr("id") != b.GUID() || bridges.Children[1].at("name") != "cms2" {
		t.Errorf("callBridges: %+v", bridges)
	}
	if got := a.get("/callBridges/" + c.Bridge(1).GUID()).at("address"); got != c.Bridge(1).URL() {
		t.Errorf("address = %q", got)
	}
	status := a.get("/system/status")
	if status.at("cdrCorrelatorIndex") != "3" || status.at("callLegsActive") != "1" || status.at("clusterEnabled") != "true" {
		t.Errorf("status: %+v", status)
	}
	if got := a.get("/system/alarms").attr("total"); got != "0" {
		t.Errorf("alarms: %s", got)
	}
}

func TestStandalone(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1, Standalone: true, Receivers: []string{r.URL}})
	c.Bridge(0).StartCall(CallSpec{})
	delivered(t, c)
	if got := r.documents()[0].CallBridge; got != "" {
		t.Errorf("callBridge = %q", got)
	}
	a := newAPI(t, c.Bridge(0))
	if got := a.get("/callBridges").attr("total"); got != "0" {
		t.Errorf("callBridges: %s", got)
	}
	if got := a.get("/system/configuration/cluster").at("uniqueName"); got != "" {
		t.Errorf("uniqueName = %q", got)
	}
}

func TestReceiversByAPI(t *testing.T) {
	r := newReceiver(t)
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	a := newAPI(t, b)
	b.StartCall(CallSpec{}) // nobody hears of it
	var last string
	for i := range 5 {
		res, body := a.do("POST", "/api/v1/system/cdrReceivers", url.Values{"uri": {fmt.Sprintf("%s/%d", r.URL, i)}})
		want := "200"
		if i == 4 {
			want = "400 tooManyCdrReceivers"
		} else {
			last = res.Header.Get("Location")
		}
		if got := outcome(res, body); got != want {
			t.Fatalf("POST %d: %s, want %s", i, got, want)
		}
	}
	list := a.get("/system/cdrReceivers")
	if list.attr("total") != "4" || list.attr("maximum") != "4" || list.Children[0].at("uri") != r.URL+"/0" {
		t.Errorf("receivers: %+v", list)
	}
	if got := a.put(last[len("/api/v1"):], "uri", "nonsense"); got != "400 parameterError" {
		t.Errorf("PUT: %s", got)
	}
	if got := a.put(last[len("/api/v1"):], "uri", r.URL+"/new"); got != "200" {
		t.Errorf("PUT: %s", got)
	}
	if got := a.get(last[len("/api/v1"):]).at("uri"); got != r.URL+"/new" {
		t.Errorf("uri = %s", got)
	}
	res, body := a.do("DELETE", last, nil)
	if got := outcome(res, body); got != "200" || a.get("/system/cdrReceivers").attr("total") != "3" {
		t.Errorf("DELETE: %s", got)
	}
	b.StartCall(CallSpec{})
	delivered(t, c)
	records := r.records()
	if len(records) != 3 {
		t.Fatalf("%d records", len(records))
	}
	for _, rec := range records {
		if rec.CorrelatorIndex != 1 || rec.RecordIndex != 1 {
			t.Errorf("indexes %d, %d", rec.CorrelatorIndex, rec.RecordIndex)
		}
	}
}

func TestAuthorization(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1, Username: "admin", Password: "secret"})
	a := newAPI(t, c.Bridge(0))
	for _, tt := range []struct {
		user, pass string
		status     int
	}{{"admin", "wrong", 401}, {"", "", 401}, {"admin", "secret", 200}} {
		a.user, a.pass = tt.user, tt.pass
		res, _ := a.do("GET", "/api/v1/calls", nil)
		if res.StatusCode != tt.status || (tt.status == 401 && res.Header.Get("WWW-Authenticate") != `Basic realm="acano"`) {
			t.Errorf("%s:%s: %s %v", tt.user, tt.pass, res.Status, res.Header)
		}
	}
	if got := c.Bridge(0).Requests(); got.Unauthorized != 2 || got.Gets != 3 || got.Total != 3 || got.PeakActive != 1 {
		t.Errorf("requests: %+v", got)
	}
	c.Bridge(0).ResetRequests()
	if got := c.Bridge(0).Requests(); got.Total != 0 || got.PeakRate != 0 {
		t.Errorf("requests after reset: %+v", got)
	}
}

func TestTLSAndGzip(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1, TLS: true, Gzip: true})
	a := newAPI(t, c.Bridge(0))
	a.client.Transport.(*http.Transport).TLSClientConfig = trust(c)
	if got := a.get("/calls").attr("total"); got != "0" {
		t.Errorf("total = %s", got)
	}
}

func TestConnectionServesSoManyRequests(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1, PerConn: 3})
	a := newAPI(t, c.Bridge(0))
	for range 7 {
		a.get("/calls")
	}
	if got := c.Bridge(0).Requests().Connections; got != 3 {
		t.Errorf("%d connections", got)
	}
}

// TestWaitForScreens is how an end-to-end test waits for the markings.
func TestWaitForScreens(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	c.Populate(6, 2)
	apis := map[string]*api{"cms1": newAPI(t, c.Bridge(0)), "cms2": newAPI(t, c.Bridge(1))}
	done := make(chan error)
	go func() {
		done <- c.Wait(t.Context(), func() bool {
			for _, s := range c.Screens() {
				if !s.Screen.Visible || s.Screen.Text != fmt.Sprint("Level ", s.Level) {
					return false
				}
			}
			return true
		})
	}()
	for _, s := range c.Screens() {
		if got := apis[s.Bridge].put("/calls/"+s.CallID, "messageText", fmt.Sprint("Level ", s.Level), "messageDuration", "permanent"); got != "200" {
			t.Fatal(got)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestAnsweredAndRates(t *testing.T) {
	now := time.Unix(0, 0)
	c := startCluster(t, Options{Bridges: 1, Now: func() time.Time { return now }})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{})
	leg := call.Join(Guest("Eve"))
	a := newAPI(t, b)
	path := "/calls/" + call.ID()
	for i, p := range []string{
		"/system/status", "/system/alarms", "/system/cdrReceivers", "/calls", "/CALLS", "/callLegs", path, path + "/callLegs",
		path + "/participants", "/participants", "/callLegs/" + leg.ID(), "/participants/" + leg.Group(),
	} {
		if i == 8 {
			now = now.Add(time.Second)
		}
		a.get(p)
	}
	a.do("GET", "/api/v1/calls/none", nil)
	a.put(path, "messageText", "x")
	for _, f := range []Faults{{Unavailable: 1}, {Garbage: 1}, {Wrong: 1}, {Truncate: 1}, {Denied: 1}, {Unauthorized: true}} {
		b.SetFaults(f)
		a.do("GET", "/api/v1/system/status", nil)
	}
	b.SetFaults(Faults{Cut: 1})
	if _, _, err := newAPI(t, b).try("GET", "/api/v1/system/status", nil); err == nil {
		t.Error("an answer came")
	}
	got := b.Requests()
	want := Requests{
		StatusAnswered: 1, AlarmsAnswered: 1, ReceiversAnswered: 1, CallPagesAnswered: 2, LegPagesAnswered: 1,
		LegPagesOfCallAnswered: 1, ParticipantPagesAnswered: 2, CallDetailsAnswered: 1, LegDetailsAnswered: 1,
		ParticipantDetailsAnswered: 1, Faulted: 7,
		PeakGetRate: 12, PeakPutRate: 1, PeakRate: 13, PeakActive: 1, Total: 21, Gets: 20, Puts: 1,
		Unauthorized: 2, Unavailable: 1,
	}
	got.Open, got.Connections, got.Active = 0, 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	b.ResetRequests()
	if got := b.Requests(); got.StatusAnswered != 0 || got.PeakGetRate != 0 || got.Faulted != 0 {
		t.Errorf("requests after reset: %+v", got)
	}
}

// TestCallBridgeThatNobodyConfigured: a third Call Bridge of the meeting, which
// the program that is tested never asks, shows through the other two.
func TestCallBridgeThatNobodyConfigured(t *testing.T) {
	c := startCluster(t, Options{Bridges: 3})
	hidden := c.Bridge(2)
	near := c.Bridge(0).StartCall(CallSpec{Name: "Crisis room"})
	spec := CallSpec{Name: "Crisis room", CoSpace: near.CoSpace(), Correlator: near.Correlator(), KeepEmpty: true}
	middle, far := c.Bridge(1).StartCall(spec), hidden.StartCall(spec)
	near.Join(SIP("Room", "r@rooms.ministry.example"))
	middle.Join(SIP("Desk", "d@ministry.example"))
	Link(near, middle)
	link := Link(near, far)
	Link(middle, far)
	a := newAPI(t, c.Bridge(0))
	counts := func(want ...string) {
		t.Helper()
		call := a.get("/calls/" + near.ID())
		got := []string{call.at("numParticipantsLocal"), call.at("numParticipantsRemote"), call.at("numDistributedInstances")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("local, remote, other instances (-want +got)\n%s", diff)
		}
	}
	remote := func() node {
		t.Helper()
		return a.get("/calls/" + near.ID() + "/participants?callBridgeFilter=" + hidden.GUID())
	}

	counts("1", "1", "1") // the hidden call hosts nobody yet
	app := App("Anna", "anna@ministry.example")
	eve := far.Join(app)
	far.Join(Guest("Eve"))
	far.Join(Recorder())
	counts("1", "3", "2")
	list := remote()
	if list.attr("total") != "2" || list.Children[0].attr("id") != eve.Group() || list.Children[0].at("callBridge") != hidden.GUID() ||
		list.Children[0].at("call") != near.ID() || list.Children[0].at("uri") != "anna@ministry.example" {
		t.Errorf("participants: %+v", list)
	}
	for _, b := range c.Bridges()[:2] {
		got := newAPI(t, b).get("/participants/" + eve.Group())
		if got.at("callBridge") != hidden.GUID() || got.at("userJid") != "anna@ministry.example" || got.at("status", "state") != "connected" {
			t.Errorf("participant by %s: %+v", b.Name(), got)
		}
		res, body := newAPI(t, b).do("GET", "/api/v1/callLegs/"+eve.ID(), nil)
		if got := outcome(res, body); got != "404 callLegDoesNotExist" {
			t.Errorf("its leg by %s: %s", b.Name(), got)
		}
	}
	if got := c.LegTruth()[near.ID()]; len(got) != 3 || got[2].ID != link.ID() || got[2].Peer != hidden.GUID() || got[2].Counts {
		t.Errorf("legs: %+v", got)
	}
	if got := near.Level(); got != 3 {
		t.Errorf("level %d", got)
	}
	hidden.Restart()
	counts("1", "1", "1")
	if got := remote().attr("total"); got != "0" {
		t.Errorf("%s participants after the restart", got)
	}
}
