package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy/config"
)

// TestForgedEnd: an end that no Call Bridge has sent, from an address that may
// send, is found out when the server is read again, whatever index it has.
func TestForgedEnd(t *testing.T) {
	for _, ahead := range []int64{0, 5, 1 << 40} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			t.Parallel()
			p := launch(t, simulator.Options{Bridges: 1, Seed: 5}, func(c *config.Config) { c.CMS.Resync = time.Second })
			bridge := p.cluster.Bridge(0)
			call := bridge.StartCall(simulator.CallSpec{Name: "Board", KeepEmpty: true})
			call.Join(simulator.SIP("Ann", "ann@ministry.example"))
			eve := call.Join(simulator.Guest("Eve"))
			p.eventually(t, "level 3", func() bool { m := p.meeting(call); return shows(call, 3) && m.Unverified == "" })
			v, _ := p.bridge(bridge)
			document := fmt.Sprintf(`<records session="%s" callBridge="%s"><record type="callLegEnd" time="2026-03-02T09:00:00Z" recordIndex="9" correlatorIndex="%d"><callLeg id="%s"><reason>remoteTeardown</reason></callLeg></record></records>`,
				bridge.Session(), bridge.GUID(), v.LastIndex+1+ahead, eve.ID())
			if status := postFrom(t, "127.0.0.1", p.receiver.Addr(), document); status != http.StatusOK {
				t.Fatalf("answered %d", status)
			}
			p.eventually(t, "it is believed", func() bool { return p.meeting(call).People[3] == 0 })
			p.eventually(t, "it is found out", func() bool {
				m := p.meeting(call)
				return m.People[3] == 1 && m.Computed == 3 && shows(call, 3)
			})
			p.eventually(t, "all is read again", func() bool { return p.meeting(call).Unverified == "" })
			if a, ok := p.alarm("false/" + v.Server); !ok || !strings.Contains(a.Remedy, "allow") {
				t.Errorf("alarm %t %+v", ok, a)
			}
			call.End()
			p.eventually(t, "the true end", func() bool { return len(p.board.Since(0).Meetings) == 0 })
		})
	}
}
