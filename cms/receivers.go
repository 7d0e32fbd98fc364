package cms

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"callmark/policy"
)

// Receiver is an entry of /system/cdrReceivers: where a Call Bridge posts its
// records to. It prints as ShowURI shows it.
type Receiver struct {
	ID  string
	URI string // as the server has it: it may hold a secret, and is not clean
}

// String shows the URI.
func (r Receiver) String() string { return ShowURI(r.URI) }

// Format shows the URI, for every verb of fmt.
func (r Receiver) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue shows the URI.
func (r Receiver) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Alarm is an entry of /system/alarms: a fault that is there now.
type Alarm struct {
	ID     string
	Type   string        // as Cisco's API guide has it, e.g. cdrConnectionFailure
	Active time.Duration // for how long
}

const receiversPath = "/system/cdrReceivers"

// What a server may list of either. It has four receivers and a handful of alarms.
const (
	maxReceivers = 32
	maxAlarms    = 1000
)

// AlarmCDR is the type of the alarm that a Call Bridge raises when it cannot
// reach a receiver. It does not tell which.
const AlarmCDR = "cdrConnectionFailure"

// Receivers lists the receivers of this Call Bridge's records; each Call Bridge
// has its own. places is how many it takes, or -1 when it does not say; four by
// Cisco's API guide.
func (c *Client) Receivers(ctx context.Context) (receivers []Receiver, places int64, err error) {
	places = -1
	receivers, err = list(ctx, c, receiversPath, collection{"cdrreceivers", "cdrreceiver", maxReceivers}, readReceiver, func(root *node, _ []Receiver) {
		places = number(root.attr("maximum"))
	})
	if err != nil {
		return nil, -1, c.failed(err, "list the receivers of records")
	}
	return receivers, places, nil
}

func readReceiver(id string, n *node) Receiver {
	return Receiver{ID: id, URI: n.get("uri")}
}

// AddReceiver registers a receiver, from the next record on. An error for which
// IsFull holds says that there is no place for it; after one for which
// IsUncertain holds it may be registered all the same. It waits for the limit
// of writes.
func (c *Client) AddReceiver(ctx context.Context, uri string) error {
	return c.failed(c.write(ctx, http.MethodPost, receiversPath, url.Values{"uri": {uri}}),
		"add the receiver %s", ShowURI(uri))
}

// RemoveReceiver takes a receiver out. An error for which IsNotExist holds says
// that it is not there. It waits for the limit of writes.
func (c *Client) RemoveReceiver(ctx context.Context, id string) error {
	path, err := segment(id)
	if err == nil {
		err = c.write(ctx, http.MethodDelete, receiversPath+"/"+path, nil)
	}
	return c.failed(err, "remove receiver %s", policy.Clean(id, maxText))
}

// write changes one object, within the limit of writes.
func (c *Client) write(ctx context.Context, method, path string, form url.Values) error {
	if err := c.limits[writes].Wait(ctx); err != nil {
		return err
	}
	_, err := c.enter(ctx, writes, method, path, form)
	return err
}

// Alarms lists the faults that this Call Bridge says it has.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	alarms, err := list(ctx, c, "/system/alarms", collection{"alarms", "alarm", maxAlarms}, readAlarm, nil)
	return alarms, c.failed(err, "list the alarms")
}

func readAlarm(id string, n *node) Alarm {
	return Alarm{ID: id, Type: plain(n.get("type")), Active: seconds(n.get("activetimeseconds"))}
}
