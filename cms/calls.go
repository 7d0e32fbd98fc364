package cms

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callmark/policy"
)

// Call is a call as the API tells it.
type Call struct {
	ID         string
	Name       string
	Correlator string

	Legs    int64 // numCallLegs, or -1
	Remote  int64 // numParticipantsRemote, or -1
	Message Message
}

// Message is what a call shows on its screens.
type Message struct {
	Text      string
	Position  string        // top, middle or bottom; empty when not said
	Permanent bool          // until it is set anew
	Duration  time.Duration // when not permanent
	Remaining time.Duration // likewise
}

// Shown is what the participants see of the message.
func (m Message) Shown() policy.Shown {
	switch {
	case m.Text == "" || !m.Permanent && m.Duration == 0:
		return policy.Shown{}
	case m.Permanent:
		return policy.Shown{Text: m.Text, Position: m.Position}
	case m.Remaining == 0:
		return policy.Shown{} // its time is over
	}
	return policy.Shown{Text: m.Text, Position: m.Position, Duration: m.Duration}
}

// Calls lists the calls that run on this Call Bridge. page, if given, is called
// after every page, with what it has; it may mark these.
func (c *Client) Calls(ctx context.Context, page func([]policy.ListedCall)) ([]policy.ListedCall, error) {
	calls, err := list(ctx, c, "/calls", collection{"calls", "call", maxItems}, readListedCall, eachPage(page))
	return calls, c.failed(err, "list the calls")
}

// Call reads one call. An error for which IsNotExist holds says that it does not
// run on this Call Bridge.
func (c *Client) Call(ctx context.Context, id string) (Call, error) {
	path, err := segment(id)
	if err != nil {
		return Call{}, c.failed(err, "read call %q", policy.Clean(id, maxText))
	}
	root, err := c.get(ctx, "/calls/"+path, nil)
	if err != nil {
		return Call{}, c.failed(err, "read call %s", id)
	}
	if err := itself(c, root, "call", id); err != nil {
		return Call{}, c.failed(err, "read call %s", id)
	}
	return readCall(id, root), nil
}

// readListedCall reads what a list tells and a call's own page as well.
func readListedCall(id string, n *node) policy.ListedCall {
	return policy.ListedCall{ID: id, Name: plain(n.get("name")), Correlator: plain(n.get("callcorrelator"))}
}

var errNotAPI = ill("it answered what the API does not")

func readCall(id string, n *node) Call {
	listed := readListedCall(id, n)
	call := Call{
		ID: listed.ID, Name: listed.Name, Correlator: listed.Correlator,
		Legs: number(n.get("numcalllegs")), Remote: number(n.get("numparticipantsremote")),
		Message: Message{
			Text:     policy.Clean(n.get("messagetext"), 512),
			Position: plain(strings.ToLower(n.get("messageposition"))),
		},
	}
	switch d := n.get("messageduration"); {
	case strings.EqualFold(d, "permanent"):
		call.Message.Permanent = true
	default:
		call.Message.Duration = seconds(d)
		call.Message.Remaining = seconds(n.get("messagetimeremaining"))
	}
	return call
}

// seconds reads a time in seconds; what is none gives 0.
func seconds(s string) time.Duration {
	return time.Duration(min(max(number(s), 0), 1<<31)) * time.Second
}

// SetMessage sets what a call shows on its screens, or takes it off. It waits
// for no limit of writes: the Notifier keeps that.
func (c *Client) SetMessage(ctx context.Context, id string, m policy.Marking) error {
	path, form, err := messageRequest(id, m)
	if err == nil {
		_, err = c.enter(ctx, writes, http.MethodPut, path, form)
	}
	return c.failed(err, "set the message of call %s", policy.Clean(id, maxText))
}

// setMessage is SetMessage for a request that the gate has let in already.
func (c *Client) setMessage(ctx context.Context, t ticket, id string, m policy.Marking) error {
	path, form, err := messageRequest(id, m)
	if err != nil {
		c.gate.cancel(t)
	} else {
		_, err = c.do(ctx, t, http.MethodPut, path, form)
	}
	return c.failed(err, "set the message of call %s", policy.Clean(id, maxText))
}

// messageRequest says a marking in the API's words. Only the parameters to
// change are sent; a duration of 0 hides the message.
func messageRequest(id string, m policy.Marking) (path string, form url.Values, err error) {
	path, err = segment(id)
	if err != nil {
		return "", nil, err
	}
	path = "/calls/" + path
	switch {
	case m.Kind == policy.MarkClear:
		return path, url.Values{"messageText": {""}, "messageDuration": {"0"}}, nil
	case !m.Shows() || m.Text == "":
		return "", nil, fmt.Errorf("there is no message to set")
	}
	form = url.Values{"messageText": {m.Text}, "messageDuration": {"permanent"}}
	if m.Position != "" {
		form.Set("messagePosition", m.Position)
	}
	if m.Duration > 0 {
		form.Set("messageDuration", strconv.FormatInt(int64((m.Duration+time.Second-1)/time.Second), 10))
	}
	return path, form, nil
}
