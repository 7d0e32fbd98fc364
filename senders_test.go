package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy/config"
)

// postFrom posts a document from an address of this host.
func postFrom(t testing.TB, address, to, document string) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		},
		DisableKeepAlives: true,
	}}
	res, err := client.Post("http://"+to+"/cdr", "text/xml", bytes.NewBufferString(document))
	if err != nil {
		t.Skip("no second address on this host: ", err)
	}
	res.Body.Close()
	return res.StatusCode
}

// Somebody else forges the end of a call in the name of a Call Bridge: with
// senders = "bound" he is refused, and the marking stays.
func TestForgedRecords(t *testing.T) {
	p := launch(t, simulator.Options{Bridges: 1, Seed: 5}, func(c *config.Config) { c.Receiver.Senders = "bound" })
	bridge := p.cluster.Bridge(0)
	call := bridge.StartCall(simulator.CallSpec{Name: "Board", KeepEmpty: true})
	call.Join(simulator.Guest("Eve"))
	p.eventually(t, "level 3", func() bool { return shows(call, 3) })
	p.eventually(t, "its server confirms it", func() bool { v, ok := p.bridge(bridge); return ok && v.Session != "" })
	for _, guid := range []string{bridge.GUID(), ""} {
		document := fmt.Sprintf(`<records session="%s" callBridge="%s"><record type="callEnd" time="2026-03-02T09:00:00Z" recordIndex="9000" correlatorIndex="8999"><call id="%s"/></record></records>`,
			bridge.Session(), guid, call.ID())
		if status := postFrom(t, "127.0.0.2", p.receiver.Addr(), document); status != http.StatusForbidden {
			t.Errorf("answered %d", status)
		}
	}
	if m := p.meeting(call); m.ID == "" || m.Unverified != "" {
		t.Errorf("the meeting is %+v", m)
	}
	a, ok := p.alarm("senders/" + name(bridge))
	if !ok || !strings.Contains(a.Text, "127.0.0.1") || !strings.Contains(a.Text, "127.0.0.2") {
		t.Errorf("alarm %t %+v", ok, a)
	}
	call.Join(simulator.SIP("Ann", "ann@ministry.example")) // the true one goes on
	p.eventually(t, "two people", func() bool { m := p.meeting(call); return m.People[2] == 1 && m.People[3] == 1 })
}
