package cms

import (
	"context"
	"strings"

	"callmark/policy"
)

var legList = collection{"calllegs", "callleg", maxItems}

// CallLegs lists the call legs of this Call Bridge: name, address and call of
// each. page, if given, is called after every page, with what it has; it may mark
// these.
func (c *Client) CallLegs(ctx context.Context, page func([]policy.ListedLeg)) ([]policy.ListedLeg, error) {
	legs, err := list(ctx, c, "/callLegs", legList, listedLegs(), eachPage(page))
	return legs, c.failed(err, "list the call legs")
}

// CallLegsOf lists those of one call. An error for which IsNotExist holds says
// that the call does not run on this Call Bridge.
func (c *Client) CallLegsOf(ctx context.Context, call string) ([]policy.ListedLeg, error) {
	path, err := segment(call)
	if err != nil {
		return nil, c.failed(err, "list the legs of call %q", policy.Clean(call, maxText))
	}
	legs, err := list(ctx, c, "/calls/"+path+"/callLegs", legList, listedLegs(), nil)
	return legs, c.failed(err, "list the legs of call %s", call)
}

// listedLegs reads what a list tells of each leg. The legs of a call share its id,
// of which else there would be a copy for each.
func listedLegs() func(id string, n *node) policy.ListedLeg {
	calls := map[string]string{}
	return func(id string, n *node) policy.ListedLeg {
		l := readListedLeg(id, n)
		if call, ok := calls[l.Call]; ok {
			l.Call = call
		} else {
			calls[l.Call] = l.Call
		}
		return l
	}
}

// readListedLeg reads what a list tells and a leg's own page as well. remoteParty
// is where the leg is now, originalRemoteParty where it began (Cisco's API guide,
// "Retrieving call legs"). A list that names no call does not say that there is
// none.
func readListedLeg(id string, n *node) policy.ListedLeg {
	return policy.ListedLeg{
		ID: id, Name: plain(n.get("name")), RemoteAddress: address(n.get("remoteparty")), Call: plain(n.get("call")),
	}
}

// address is an address as the board takes it: of a longer one, one byte more
// than the 1,024 that it reads, so that it stays too long and is level 3.
func address(s string) string { return cut(s, 1025) }

// CallLeg reads one leg in full. An error for which IsNotExist holds says that
// it is not on this Call Bridge.
//
// The recording and streaming of its status are not read: Cisco's own example
// has them true on an endpoint that is recorded, so they do not tell a recorder
// from a person. Only a record does.
func (c *Client) CallLeg(ctx context.Context, id string) (policy.LegFacts, error) {
	path, err := segment(id)
	if err != nil {
		return policy.LegFacts{}, c.failed(err, "read call leg %q", policy.Clean(id, maxText))
	}
	root, err := c.get(ctx, "/callLegs/"+path, nil)
	if err == nil {
		err = itself(c, root, "callleg", id)
	}
	if err != nil {
		return policy.LegFacts{}, c.failed(err, "read call leg %s", id)
	}
	f := readListedLeg(id, root).Facts()
	f.RemoteParty = address(root.get("originalremoteparty"))
	f.Type, f.SubType = plain(strings.ToLower(root.get("type"))), subType(root.get("subtype"))
	status := root.child("status")
	f.Group = plain(status.get("groupid"))
	f.IVR = f.Call == ""
	switch strings.ToLower(status.get("state")) {
	case "connected", "onhold":
		f.Connected = f.Call != ""
	}
	switch { // both can be true: then it is not encrypted
	case strings.EqualFold(status.get("unencryptedmedia"), "true"):
		f.Encryption = policy.Unencrypted
	case strings.EqualFold(status.get("encryptedmedia"), "true"):
		f.Encryption = policy.Encrypted
	}
	switch strings.ToLower(status.get("deactivated")) {
	case "true":
		f.Deactivated = policy.Yes
	case "false":
		f.Deactivated = policy.No
	}
	return f, nil
}

// subType is a subType in the records' spelling, whatever its case.
func subType(s string) string {
	for _, known := range []string{"lync", "avaya", "distributionLink", "lyncDistribution", "webApp"} {
		if strings.EqualFold(s, known) {
			return known
		}
	}
	return plain(s)
}

// itself reports what is wrong with an answer that should be one object.
func itself(c *Client, root *node, name, id string) error {
	if root == nil || root.name != name {
		return errNotAPI
	}
	if said := root.attr("id"); said != "" && !strings.EqualFold(said, id) {
		return ill("it told of %s instead", c.clean(said))
	}
	return nil
}
