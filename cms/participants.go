package cms

import (
	"context"
	"regexp"

	"callmark/policy"
)

// maxAway bounds how many participants of one call are asked for one by one.
const maxAway = 200

// guestURI is what the web app calls a guest: any domain may follow.
var guestURI = regexp.MustCompile(`(?i)^(sips?:)?guest\d+@`)

// Participants lists who is in the meeting of a call, on all Call Bridges. Of
// those who are hosted elsewhere, where watched reports false of that Call
// Bridge's GUID, it is read whether they came by an app.
func (c *Client) Participants(ctx context.Context, call string, watched func(guid string) bool) ([]policy.PersonFacts, error) {
	path, err := segment(call)
	if err != nil {
		return nil, c.failed(err, "list the participants of call %q", policy.Clean(call, maxText))
	}
	var ids []string
	people, err := list(ctx, c, "/calls/"+path+"/participants", collection{"participants", "participant", maxItems}, func(id string, n *node) policy.PersonFacts {
		ids = append(ids, id)
		uri := address(n.get("uri"))
		return policy.PersonFacts{
			Name: plain(n.get("name")), URI: uri, CallBridge: plain(n.get("callbridge")), App: guestURI.MatchString(uri),
		}
	}, nil)
	if err != nil {
		return nil, c.failed(err, "list the participants of call %s", call)
	}
	asked := 0
	for i := range people {
		p := &people[i]
		if p.CallBridge == "" || p.App || watched(p.CallBridge) {
			continue
		}
		if asked++; asked > maxAway {
			p.App = true // nobody knows
			continue
		}
		app, err := c.byApp(ctx, ids[i])
		if err != nil && !IsNotExist(err) {
			return nil, err
		}
		p.App = app
	}
	return people, nil
}

// byApp reports whether a participant is a signed-in user of an app: only these
// have a userJid (Cisco's API guide, "Retrieving information on a participant").
func (c *Client) byApp(ctx context.Context, id string) (bool, error) {
	path, err := segment(id)
	if err != nil {
		return true, nil
	}
	root, err := c.get(ctx, "/participants/"+path, nil)
	if err == nil {
		err = itself(c, root, "participant", id)
	}
	if err != nil {
		return false, c.failed(err, "read participant %s", id)
	}
	return root.get("userjid") != "", nil
}
