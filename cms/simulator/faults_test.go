package simulator

import (
	"encoding/xml"
	"net/http"
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
