package cms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callmark/policy"

	"golang.org/x/time/rate"
)

// canned answers every request with the same status and body.
type canned struct {
	status int
	body   bytes.Reader
	header http.Header
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = c.body.Seek(0, io.SeekStart)
	return &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(&c.body), Request: r}, nil
}

const fuzzPassword = "hush&hush1"

// told are the texts of a value that an answer became.
type told struct {
	names     []string // at most maxText characters
	ids       []string // of the server
	addresses []string // at most 1,025 bytes; for policy to read
	texts     []string // at most 512 characters
	uris      []string // as they came; shown by ShowURI
}

// asks is every question that a client has, by number.
var asks = []func(ctx context.Context, c *Client) (told, error){
	func(ctx context.Context, c *Client) (t told, err error) {
		calls, err := c.Calls(ctx, func([]policy.ListedCall) {})
		for _, call := range calls {
			t.ids, t.names = append(t.ids, call.ID), append(t.names, call.Name, call.Correlator)
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		call, err := c.Call(ctx, "x1")
		t.call(call)
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		legs, err := c.CallLegs(ctx, nil)
		for _, l := range legs {
			t.leg(l.Facts())
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		legs, err := c.CallLegsOf(ctx, "x1")
		for _, l := range legs {
			t.leg(l.Facts())
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		l, err := c.CallLeg(ctx, "x1")
		t.leg(l)
		if l.Connected && l.IVR {
			err = errors.Join(err, errors.New("connected where nobody is"))
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		people, err := c.Participants(ctx, "x1", func(string) bool { return true })
		for _, p := range people {
			t.names = append(t.names, p.Name, p.CallBridge)
			t.addresses = append(t.addresses, p.URI)
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		_, err = c.byApp(ctx, "x1")
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		receivers, places, err := c.Receivers(ctx)
		for _, r := range receivers {
			t.ids, t.uris = append(t.ids, r.ID), append(t.uris, r.URI)
		}
		if err == nil {
			alarms := []Alarm{{Type: AlarmCDR}}
			cause, remedy := Diagnose(ctx, receivers, places, alarms, Own{URI: "http://callmark.example/cdr?token=t"})
			if !harmless(cause+remedy) || len(cause) > 16<<10 {
				err = errors.New("the diagnosis is not fit to be shown")
			}
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		alarms, err := c.Alarms(ctx)
		for _, a := range alarms {
			t.ids, t.names = append(t.ids, a.ID), append(t.names, a.Type)
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		s, err := c.SystemStatus(ctx)
		t.names = append(t.names, s.Version)
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		name, err := c.ClusterConfiguration(ctx)
		t.names = append(t.names, name)
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		bridges, err := c.CallBridges(ctx)
		for _, b := range bridges {
			t.bridge(b)
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		b, err := c.CallBridge(ctx, "x1")
		if err == nil {
			t.bridge(b)
		}
		return t, err
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		return t, c.SetMessage(ctx, "x1", policy.Marking{Kind: policy.MarkClear})
	},
	func(ctx context.Context, c *Client) (t told, err error) {
		return t, c.AddReceiver(ctx, "http://callmark.example/cdr?token=t")
	},
}

func (t *told) call(c Call) {
	if c.ID == "" {
		return
	}
	t.ids = append(t.ids, c.ID)
	t.names = append(t.names, c.Name, c.Correlator, c.Message.Position)
	t.texts = append(t.texts, c.Message.Text, c.Message.Shown().Text)
}

func (t *told) leg(l policy.LegFacts) {
	if l.ID == "" {
		return
	}
	t.ids = append(t.ids, l.ID)
	t.names = append(t.names, l.Name, l.Call, l.Type, l.SubType, l.Group)
	t.addresses = append(t.addresses, l.RemoteAddress, l.RemoteParty)
}

func (t *told) bridge(b CallBridge) {
	t.ids = append(t.ids, b.ID)
	t.names = append(t.names, b.Name, b.Address, hostOf(b.Address))
}

// FuzzAnswer puts every question of a client to a server that answers anything,
// and looks at what became of the answer: bounded, fit to be shown, without our
// password, and nothing at all if there is an error.
func FuzzAnswer(f *testing.F) {
	for kind, bodies := range [][]string{
		{`<?xml version="1.0"?><calls total="2"><call id="b2a0b6b1-2a5f-4d52"><name>Weekly &amp; more</name><callCorrelator>c1</callCorrelator></call><call id="x2"/></calls>`, `<calls total="0"/>`},
		{`<call id="x1"><name>n</name><coSpace>s</coSpace><callCorrelator>c</callCorrelator><tenant>t</tenant><numCallLegs>4</numCallLegs><numParticipantsRemote>1</numParticipantsRemote>` +
			`<messageText>Security Level 3: external participants</messageText><messagePosition>bottom</messagePosition><messageDuration>permanent</messageDuration></call>`,
			`<call id="x1"><messageText>x</messageText><messageDuration>90</messageDuration><messageTimeRemaining>-3</messageTimeRemaining></call>`},
		{`<callLegs total="1"><callLeg id="l1"><name>Ann</name><remoteParty>ann@corp.example</remoteParty><call>x1</call></callLeg></callLegs>`},
		{`<callLegs total="99"><callLeg id="l1"><remoteParty><![CDATA[sip:ann@corp.example;x=<y>]]></remoteParty></callLeg></callLegs>`},
		{`<callLeg id="x1"><name>Ann</name><remoteParty>ann@corp.example</remoteParty><originalRemoteParty>1@b</originalRemoteParty><call>x1</call><type>sip</type><subType>LYNC</subType>` +
			`<status><state>connected</state><groupId>g</groupId><encryptedMedia>true</encryptedMedia><unencryptedMedia>true</unencryptedMedia><deactivated>false</deactivated></status></callLeg>`},
		{`<participants total="1"><participant id="p1"><name>Bob</name><uri>guest123@corp.example</uri><callBridge>B1</callBridge></participant></participants>`},
		{`<participant id="x1"><userJid>bob@corp.example</userJid></participant>`},
		{`<cdrReceivers total="1" maximum="4"><cdrReceiver id="r1"><uri>http://u:p@callmark.example:5000/cdr?token=t&amp;x</uri></cdrReceiver></cdrReceivers>`},
		{`<alarms total="1"><alarm id="a1"><type>cdrConnectionFailure</type><activeTimeSeconds>99999999999</activeTimeSeconds></alarm></alarms>`},
		{`<status><softwareVersion>3.9</softwareVersion><uptimeSeconds>7</uptimeSeconds><cdrTime>2026-02-28T16:03:25Z</cdrTime><clusterEnabled>true</clusterEnabled><cdrCorrelatorIndex>7</cdrCorrelatorIndex><callLegsActive>-1</callLegsActive></status>`},
		{`<cluster><uniqueName>node1</uniqueName></cluster>`},
		{`<callBridges total="1"><callBridge id="b1"><name>node1</name></callBridge></callBridges>`},
		{`<callBridge id="x1"><name>node1</name><address>https://[2001:db8::1]:445/</address></callBridge>`},
		{``, `<failureDetails><callDoesNotExist/></failureDetails>`},
		{`<failureDetails><tooManyCdrReceivers/></failureDetails>`, `<failureDetails><parameterError parameter="uri" error="valueError"/></failureDetails>`},
	} {
		for _, body := range bodies {
			f.Add(uint8(kind), uint8(0), []byte(body))
		}
	}
	for status, body := range map[uint8]string{
		1: `<failureDetails><callLegDoesNotExist/></failureDetails>`, 2: `<html>no</html>`, 3: ``, 4: `busy`, 5: `<failureDetails><parameterError><parameter>p</parameter></parameterError></failureDetails>`,
	} {
		f.Add(uint8(1), status, []byte(body))
	}
	for _, body := range []string{
		`<calls><call id="` + fuzzPassword + `"/></calls>`, `<calls total="1"><call id="a"><name>YXBpOmh1c2gmaHVzaDE= hush&amp;hush1 hush%26hush1</name></call></calls>`,
		`<!DOCTYPE a [<!ENTITY a "b">]><calls total="0">&a;</calls>`, "\x1f\x8b\x08", "{}", `<calls total="1"><call id="a" id="b"/></calls>`, `<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>`,
		"<calls total=' +1 '><call id='a'><name>\u202e\u200b&#x9b;&#x85;A\u0301\u0301\u0301\u0301\u0301</name></call></calls>", `<a:CALLS xmlns:a="b" Total="1"><a:Call a:ID="x"/></a:CALLS>`,
		`<calls total="2"><!-- <call id="c"/> --><?call id="d"?><call id="a"/></calls>`, `<calls total="1"><call id="a"><name>` + strings.Repeat("long ", 200) + `</name></call></calls>`,
	} {
		f.Add(uint8(0), uint8(0), []byte(body))
	}
	o := Options{Servers: []string{"cms1.test"}, Username: "api", Password: policy.NewSecret(fuzzPassword)}
	cluster, err := NewCluster(o, newFakeBoard())
	if err != nil {
		f.Fatal(err)
	}
	c := cluster.Clients()[0]
	served := &canned{header: http.Header{"Location": {"https://elsewhere.example/?" + fuzzPassword}}}
	c.timeout = math.MaxInt64 // nothing here takes time
	for l := range c.http {
		c.http[l].Transport = served
		c.limits[l] = rate.NewLimiter(rate.Inf, 1)
	}
	rules, err := policy.NewRules([]string{"secure.example"}, []string{"corp.example"})
	if err != nil {
		f.Fatal(err)
	}
	statuses := []int{200, 404, 400, 401, 503, 500, 302, 204, 101, 999}
	f.Fuzz(func(t *testing.T, kind, status uint8, body []byte) {
		c.gate = newGate(c.gate.random, time.Second)
		served.status = statuses[int(status)%len(statuses)]
		served.body.Reset(body)
		got, err := asks[int(kind)%len(asks)](context.Background(), c)
		if err != nil {
			text := err.Error() + Remedy(err)
			if !strings.Contains(text, "cms1.test:443") || len(text) > 1000 || !harmless(text) || tells(text) {
				t.Errorf("the error says %q", text)
			}
			if len(got.ids)+len(got.addresses)+len(got.uris)+len(strings.Join(got.names, "")) > 0 {
				t.Errorf("an error, and %+v", got)
			}
			if g := c.gate.status(); !harmless(g.problem) || tells(g.problem) || len(g.problem) > 800 {
				t.Errorf("the gate says %q", g.problem)
			}
			return
		}
		if served.status < 200 || served.status > 299 {
			t.Errorf("%d was taken for an answer: %+v", served.status, got)
		}
		for _, s := range got.names {
			if utf8.RuneCountInString(s) > maxText || !harmless(s) || tells(s) {
				t.Errorf("the name %q", s)
			}
		}
		for _, s := range got.texts {
			if utf8.RuneCountInString(s) > 512 || !harmless(s) || tells(s) {
				t.Errorf("the text %q", s)
			}
		}
		for _, s := range got.ids {
			if _, err := segment(s); err != nil || tells(s) {
				t.Errorf("the id %q", s)
			}
		}
		for _, s := range got.addresses {
			if len(s) > 1025 || tells(s) || len(s) > 1024 && rules.Classify(s).Level != policy.Level3 {
				t.Errorf("the address %q", s)
			}
		}
		for _, s := range got.uris {
			if shown := ShowURI(s); len(s) > maxField+len(policy.Redacted) || !harmless(shown) || utf8.RuneCountInString(shown) > maxURI {
				t.Errorf("the URI %q", s)
			}
		}
	})
}

// tells reports whether a text holds the password in one of its looks.
func tells(s string) bool {
	return strings.Contains(s, fuzzPassword) || strings.Contains(s, "YXBpOmh1c2gmaHVzaDE") || strings.Contains(s, "hush%26hush1")
}
