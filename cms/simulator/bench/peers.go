package main

import (
	"encoding/xml"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// floor is the limit: fasthttp, as it comes, answers 200 to everything.
func floor(ln net.Listener) error {
	return fasthttp.Serve(ln, func(*fasthttp.RequestCtx) {})
}

// plain is the receiver that one would write first: net/http, encoding/xml, and
// a mutex around maps. It keeps who is in which call and works each call's level
// out anew when somebody comes or goes. It writes to no server, has no limits,
// and trusts every order of records.
type plain struct {
	mu     sync.Mutex
	calls  map[string]*plainCall
	legs   map[string]plainLeg // those started
	levels int                 // changes: each would be a write
}

type plainCall struct {
	level int
	legs  map[string]plainLeg // those connected
}

type plainLeg struct {
	call  string
	level int
}

func newPlain() *plain {
	return &plain{calls: map[string]*plainCall{}, legs: map[string]plainLeg{}}
}

// plainDocument is what of a document counts.
type plainDocument struct {
	Records []struct {
		Type string `xml:"type,attr"`
		Call struct {
			ID         string `xml:"id,attr"`
			Name       string `xml:"name"`
			Correlator string `xml:"callCorrelator"`
		} `xml:"call"`
		Leg struct {
			ID          string `xml:"id,attr"`
			Name        string `xml:"displayName"`
			RemoteParty string `xml:"remoteParty"`
			Type        string `xml:"type"`
			SubType     string `xml:"subType"`
			Guest       string `xml:"guestConnection"`
			Call        string `xml:"call"`
			State       string `xml:"state"`
		} `xml:"callLeg"`
	} `xml:"record"`
}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var doc plainDocument
	if err := xml.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&doc); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range doc.Records {
		r := &doc.Records[i]
		switch r.Type {
		case "callStart":
			p.calls[r.Call.ID] = &plainCall{legs: map[string]plainLeg{}}
		case "callEnd":
			delete(p.calls, r.Call.ID)
		case "callLegStart":
			p.legs[r.Leg.ID] = plainLeg{level: plainLevel(r.Leg.RemoteParty, r.Leg.Type, r.Leg.Guest)}
		case "callLegUpdate":
			leg, started := p.legs[r.Leg.ID]
			call := p.calls[r.Leg.Call]
			if started && call != nil && r.Leg.State == "connected" {
				leg.call = r.Leg.Call
				p.legs[r.Leg.ID], call.legs[r.Leg.ID] = leg, leg
				p.mark(call)
			}
		case "callLegEnd":
			if call := p.calls[p.legs[r.Leg.ID].call]; call != nil {
				delete(call.legs, r.Leg.ID)
				p.mark(call)
			}
			delete(p.legs, r.Leg.ID)
		}
	}
}

// mark works a call's level out.
func (p *plain) mark(call *plainCall) {
	level := 0
	for _, leg := range call.legs {
		level = max(level, leg.level)
	}
	if level != call.level {
		call.level = level
		p.levels++
	}
}

func plainLevel(address, kind, guest string) int {
	_, host, _ := strings.Cut(address, "@")
	switch {
	case kind == "acano" || guest == "true":
		return 3
	case strings.HasSuffix(host, secureDomain):
		return 1
	case strings.HasSuffix(host, internalDomain):
		return 2
	}
	return 3
}
