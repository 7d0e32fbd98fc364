package simulator

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPIFaults(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	call := b.StartCall(CallSpec{})
	a := newAPI(t, b)
	status := func() int {
		t.Helper()
		res, _ := a.do("GET", "/api/v1/calls", nil)
		return res.StatusCode
	}

	b.SetFaults(Faults{Unavailable: 2})
	for i, want := range []int{503, 503, 200} {
		if got := status(); got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	b.SetFaults(Faults{Unavailable: -1, Method: "PUT"})
	if got := status(); got != 200 {
		t.Errorf("GET: %d", got)
	}
	if got := a.put("/calls/"+call.ID(), "messageText", "x"); got != "503" {
		t.Errorf("PUT: %s", got)
	}
	b.SetFaults(Faults{Unauthorized: true, Path: "/calls"})
	if got := status(); got != 401 {
		t.Errorf("calls: %d", got)
	}
	a.get("/system/status")

	b.SetFaults(Faults{Garbage: 1})
	_, body := a.do("GET", "/api/v1/calls", nil)
	if xml.Unmarshal([]byte(body), new(node)) == nil {
		t.Errorf("%q is no garbage", body)
	}

	// The write is done, and its answer is lost.
	b.SetFaults(Faults{Cut: -1, Method: "PUT"})
	if _, _, err := a.try("PUT", "/api/v1/calls/"+call.ID(), map[string][]string{"messageText": {"cut"}, "messageDuration": {"permanent"}}); err == nil {
		t.Error("an answer came")
	}
	if got := call.Screen(); got.Text != "cut" || !got.Visible {
		t.Errorf("screen: %+v", got)
	}
}

func TestHang(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	b.SetFaults(Faults{Hang: true})
	failed := make(chan error)
	go func() {
		_, _, err := newAPI(t, b).try("GET", "/api/v1/calls", nil)
		failed <- err
	}()
	if err := c.Wait(testContext(t), func() bool { return b.Requests().Active == 1 }); err != nil {
		t.Fatal(err)
	}
	b.StopListening()
	if err := <-failed; err == nil {
		t.Error("an answer came")
	}
}

func TestRefusedAndBack(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	a := newAPI(t, b)
	a.get("/calls")
	b.StopListening()
	b.StopListening()
	if _, _, err := a.try("GET", "/api/v1/calls", nil); err == nil {
		t.Error("an answer came")
	}
	if err := b.ResumeListening(); err != nil {
		t.Fatal(err)
	}
	a.get("/calls")
	if a.base != b.URL() {
		t.Errorf("it moved from %s to %s", a.base, b.URL())
	}
}

func TestTimePassesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		c := startCluster(t, Options{Bridges: 1, Listen: n.Listen, Dial: n.DialContext})
		defer c.Close()
		b := c.Bridge(0)
		call := b.StartCall(CallSpec{})
		call.Join(Guest("x"))
		transport := &http.Transport{DialContext: n.DialContext}
		defer transport.CloseIdleConnections()
		a := &api{t, b.URL(), DemoUsername, DemoPassword, &http.Client{Transport: transport}}

		b.SetFaults(Faults{Latency: time.Minute})
		start := time.Now()
		if got := a.put("/calls/"+call.ID(), "messageText", "x", "messageDuration", "7200"); got != "200" {
			t.Fatal(got)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		time.Sleep(2*time.Hour - time.Second)
		if !call.Screen().Visible {
			t.Error("the message went too early")
		}
		time.Sleep(time.Second)
		if call.Screen().Visible {
			t.Error("the message stayed")
		}
		b.SetFaults(Faults{})
		if got := a.get("/calls/" + call.ID()).at("durationSeconds"); got != "7260" {
			t.Errorf("durationSeconds = %s", got)
		}
	})
}

func TestReset(t *testing.T) {
	for _, tls := range []bool{false, true} {
		c := startCluster(t, Options{Bridges: 1, TLS: tls})
		b := c.Bridge(0)
		call := b.StartCall(CallSpec{})
		client := func() *api {
			a := newAPI(t, b)
			a.client.Transport.(*http.Transport).TLSClientConfig = trust(c)
			return a
		}
		b.SetFaults(Faults{Reset: 2})
		for _, method := range []string{"GET", "PUT"} {
			_, _, err := client().try(method, "/api/v1/calls/"+call.ID(), url.Values{"messageText": {"x"}})
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v", method, err)
			}
		}
		if got := call.Screen().Text; got != "" {
			t.Errorf("the write was done: %q", got)
		}
		client().get("/calls")
		if got := b.Requests(); got.Faulted != 2 || got.CallPagesAnswered != 1 {
			t.Errorf("requests: %+v", got)
		}
	}
}

func TestDenied(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	a := newAPI(t, b)
	b.SetFaults(Faults{Denied: 2})
	for i, want := range []int{401, 401, 200} {
		res, _ := a.do("GET", "/api/v1/calls", nil)
		if res.StatusCode != want || (want == 401) != (res.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("request %d: %s", i, res.Status)
		}
	}
	if got := b.Requests().Unauthorized; got != 2 {
		t.Errorf("%d unauthorized", got)
	}
}

// sprinkled tells in a letter per request what 300 of them got.
func sprinkled(t *testing.T, seed uint64, f Faults) string {
	t.Helper()
	c := startCluster(t, Options{Bridges: 1, Seed: seed})
	b := c.Bridge(0)
	a := newAPI(t, b)
	b.SetFaults(f)
	var out strings.Builder
	for range 300 {
		res, body := a.do("GET", "/api/v1/calls", nil)
		switch {
		case res.StatusCode == 503:
			out.WriteByte('u')
		case xml.Unmarshal([]byte(body), new(node)) != nil:
			out.WriteByte('g')
		default:
			out.WriteByte('.')
		}
	}
	return out.String()
}

func TestChance(t *testing.T) {
	f := Faults{Chance: 0.2, Unavailable: -1, Garbage: -1}
	got := sprinkled(t, 1, f)
	if u, g := strings.Count(got, "u"), strings.Count(got, "g"); u < 15 || g < 15 || u+g > 100 {
		t.Errorf("%d and %d faults in %s", u, g, got)
	}
	if sprinkled(t, 1, f) != got {
		t.Error("the same seed gives other faults")
	}
	if sprinkled(t, 2, f) == got {
		t.Error("another seed gives the same faults")
	}
	got = sprinkled(t, 1, Faults{Chance: 0.5, Unavailable: 3, Garbage: 4})
	if strings.Count(got, "u") != 3 || strings.Count(got, "g") != 4 {
		t.Errorf("counted down: %s", got)
	}
}

// TestChanceLeavesTheGUIDs: what requests come does not change what the calls of
// a seed are.
func TestChanceLeavesTheGUIDs(t *testing.T) {
	var ids []string
	for _, requests := range []int{0, 5} {
		c := startCluster(t, Options{Bridges: 1, Seed: 9})
		c.Bridge(0).SetFaults(Faults{Chance: 0.5, Unavailable: -1})
		a := newAPI(t, c.Bridge(0))
		for range requests {
			a.do("GET", "/api/v1/calls", nil)
		}
		ids = append(ids, c.Bridge(0).StartCall(CallSpec{}).ID())
	}
	if ids[0] != ids[1] {
		t.Errorf("ids %v", ids)
	}
}

func TestJitterAndDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		c := startCluster(t, Options{Bridges: 1, Listen: n.Listen, Dial: n.DialContext})
		defer c.Close()
		b := c.Bridge(0)
		b.StartCall(CallSpec{Name: "Budget review"})
		transport := &http.Transport{DialContext: n.DialContext}
		defer transport.CloseIdleConnections()
		a := &api{t, b.URL(), DemoUsername, DemoPassword, &http.Client{Transport: transport}}

		b.SetFaults(Faults{Latency: time.Second, Jitter: time.Minute})
		took := map[time.Duration]bool{}
		for range 10 {
			start := time.Now()
			a.get("/calls")
			d := time.Since(start)
			if d < time.Second || d >= time.Minute+time.Second {
				t.Errorf("it took %s", d)
			}
			took[d] = true
		}
		if len(took) < 5 {
			t.Errorf("it took %v", took)
		}

		b.SetFaults(Faults{Drip: time.Second})
		start := time.Now()
		got := a.get("/calls")
		if d := time.Since(start); d < (dripPieces-2)*time.Second || d > dripPieces*time.Second {
			t.Errorf("it took %s", d)
		}
		if len(got.Children) != 1 || got.Children[0].at("name") != "Budget review" {
			t.Errorf("got %+v", got)
		}
	})
}
