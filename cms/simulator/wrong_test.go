package simulator

import (
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
)

func TestWrongAnswers(t *testing.T) {
	c := startCluster(t, Options{Bridges: 2})
	b := c.Bridge(0)
	var first *Leg
	for range 3 {
		call := b.StartCall(CallSpec{})
		leg := call.Join(Guest("Eve"))
		if first == nil {
			first = leg
		}
	}
	a := newAPI(t, b)
	call := "/calls/" + first.Call().ID()
	logins, others := 0, 0
	for _, path := range []string{
		"/calls", "/callLegs", call, call + "/callLegs", call + "/participants", "/callLegs/" + first.ID(),
		"/participants/" + first.Group(), "/system/status", "/system/alarms", "/system/cdrReceivers",
	} {
		right := a.get(path)
		b.SetFaults(Faults{Wrong: 20})
		for range 20 {
			res, body := a.do("GET", "/api/v1"+path, nil)
			var got node
			if err := xml.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != 200 {
				t.Fatalf("GET %s: %s, %v", path, res.Status, err)
			}
			switch {
			case got.XMLName.Local == "html" && res.Header.Get("Content-Type") == "text/html":
				logins++
			case got.XMLName.Local != right.XMLName.Local || got.attr("id") != right.attr("id"):
				others++
			default:
				t.Errorf("GET %s: this could be right: %s", path, body)
			}
		}
		if got := a.get(path); got.XMLName.Local != right.XMLName.Local {
			t.Errorf("GET %s after the faults: %s", path, got.XMLName.Local)
		}
	}
	if logins < 50 || others < 50 {
		t.Errorf("%d login pages and %d others", logins, others)
	}

	b.SetFaults(Faults{Wrong: -1, Method: "PUT"})
	if _, body := a.do("PUT", "/api/v1"+call, map[string][]string{"messageText": {"x"}}); !strings.Contains(body, "Sign in") {
		t.Errorf("PUT: %s", body)
	}
	if got := first.Call().Screen().Text; got != "" {
		t.Errorf("the write was done: %q", got)
	}
}

func TestWrongAnswerWhenThereIsNoOther(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	b := c.Bridge(0)
	leg := b.StartCall(CallSpec{}).Join(Guest("Eve"))
	a := newAPI(t, b)
	b.SetFaults(Faults{Wrong: -1})
	for range 10 {
		_, body := a.do("GET", "/api/v1/callLegs/"+leg.ID(), nil)
		if !strings.Contains(body, "<html") {
			t.Fatalf("got %s", body)
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, gzip := range []bool{false, true} {
		c := startCluster(t, Options{Bridges: 1, PageCap: 100, Gzip: gzip})
		b := c.Bridge(0)
		call := c.Populate(40, 1)[0]
		a := newAPI(t, b)
		_, whole := a.do("GET", "/api/v1/calls", nil)
		b.SetFaults(Faults{Truncate: -1, Path: "/calls"})
		between := 0
		for range 30 {
			res, body := a.do("GET", "/api/v1/calls", nil)
			if res.StatusCode != 200 || body == "" || !strings.HasPrefix(whole, body) || xml.Unmarshal([]byte(body), new(node)) == nil {
				t.Fatalf("%s, %d bytes of %d", res.Status, len(body), len(whole))
			}
			if got := res.Header.Get("Content-Length"); !gzip && got != strconv.Itoa(len(body)) {
				t.Errorf("Content-Length %q for %d bytes", got, len(body))
			}
			if strings.HasSuffix(body, "</call>\n") {
				between++
			}
		}
		if between == 0 || between == 30 {
			t.Errorf("%d of 30 end between two calls", between)
		}
		// A write is done, and its empty answer stays.
		if got := a.put("/calls/"+call.ID(), "messageText", "x"); got != "200" || call.Screen().Text != "x" {
			t.Errorf("PUT: %s, %+v", got, call.Screen())
		}
	}
}
