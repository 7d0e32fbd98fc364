package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/receiver/cdr"
)

// demo is the simulated cluster inside a process that runs the demo, as its APIs
// tell it: what they say of a call's message is what its screens show.
type demo struct {
	t       testing.TB
	servers []string // of the APIs
}

// cluster reads from the screen of the Call Bridges where their APIs are.
func (tm *terminal) cluster() *demo {
	tm.t.Helper()
	d := &demo{t: tm.t}
	// They change places while they come up.
	until(tm.t, "every API is told", 10*time.Second, func() bool {
		screen := tm.screen()
		if m := serverLine.FindStringSubmatch(screen); m != nil && !slices.Contains(d.servers, m[1]) {
			d.servers = append(d.servers, m[1])
		}
		if strings.Contains(screen, " 3 of 3") {
			tm.keys("g")
		} else {
			tm.keys("Down")
		}
		return len(d.servers) == 3
	}, tm.screen)
	return d
}

// get reads a document from an API; what is no more is empty.
func (d *demo) get(server, path string, document any) {
	d.t.Helper()
	r, err := http.NewRequest("GET", "http://"+server+"/api/v1"+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	r.SetBasicAuth(simulator.DemoUsername, simulator.DemoPassword)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return
	}
	if err := xml.NewDecoder(res.Body).Decode(document); err != nil {
		d.t.Fatal(err)
	}
}

// message is what the screens of a call show.
func (d *demo) message(server, id string) (message string, running bool) {
	d.t.Helper()
	var call struct {
		ID          string `xml:"id,attr"`
		MessageText string `xml:"messageText"`
	}
	d.get(server, "/calls/"+id, &call)
	return call.MessageText, call.ID != ""
}

// showing are the calls whose screens show a text, each with its server.
func (d *demo) showing(text string) (calls []string) {
	d.t.Helper()
	for _, server := range d.servers {
		var list struct {
			Calls []struct {
				ID string `xml:"id,attr"`
			} `xml:"call"`
		}
		d.get(server, "/calls", &list)
		for _, c := range list.Calls {
			if message, _ := d.message(server, c.ID); message == text {
				calls = append(calls, server+" "+c.ID)
			}
		}
	}
	return calls
}

// allShow reports whether each of some calls shows one of some texts, or has
// ended, as calls of the demo do.
func (d *demo) allShow(calls []string, texts ...string) bool {
	d.t.Helper()
	for _, c := range calls {
		var server, id string
		fmt.Sscan(c, &server, &id)
		if message, running := d.message(server, id); running && !slices.Contains(texts, message) {
			return false
		}
	}
	return true
}

// storm starts or ends n calls on a Call Bridge that nobody knows, all at once.
func (d *demo) storm(n int, what cdr.Type) {
	d.t.Helper()
	var receivers struct {
		URI []string `xml:"cdrReceiver>uri"`
	}
	d.get(d.servers[0], "/system/cdrReceivers", &receivers)
	if len(receivers.URI) == 0 {
		d.t.Fatal("the demo posts its records to nobody")
	}
	doc := &cdr.Document{Session: "7f3c2a6e-0000-4000-8000-000000000009"}
	for i := range n {
		at := i
		if what == cdr.CallEnd {
			at += n
		}
		id := fmt.Sprintf("7f3c2a6e-0000-4000-8001-%012d", i)
		doc.Records = append(doc.Records, cdr.Record{
			Type: what, Time: time.Now().UTC(), RecordIndex: int64(at + 1), CorrelatorIndex: int64(at),
			Call: cdr.Call{ID: id, Correlator: id, Name: fmt.Sprint("Storm ", i), Type: "coSpace"},
		})
	}
	res, err := http.Post(receivers.URI[0], "text/xml", bytes.NewReader(cdr.Append(nil, doc)))
	if err != nil {
		d.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("the receiver answers %s", res.Status)
	}
}
