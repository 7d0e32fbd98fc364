package cms

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// CallBridge is an entry of /callBridges: a node of the cluster.
type CallBridge struct {
	ID      string // GUID; the same that the CDRs of that Call Bridge carry
	Name    string // that node's uniqueName
	Address string // URL of its Web Admin; told by CallBridge only
}

// SystemStatus is what /system/status tells.
type SystemStatus struct {
	Version        string
	Uptime         time.Duration // whole seconds, or negative
	Clock          time.Time     // cdrTime, or zero
	Clustered      bool
	CDRCorrelator  int64 // cdrCorrelatorIndex: the index of the next record that it will send, or -1
	CallLegsActive int64 // or -1
}

// CallBridges lists the nodes of the cluster. It is empty when there is none.
func (c *Client) CallBridges(ctx context.Context) ([]CallBridge, error) {
	bridges, err := list(ctx, c, "/callBridges", collection{"callbridges", "callbridge", maxBridges}, readCallBridge, nil)
	return bridges, c.failed(err, "list the Call Bridges")
}

// CallBridge reads one node, with its address.
func (c *Client) CallBridge(ctx context.Context, id string) (CallBridge, error) {
	path, err := segment(id)
	if err != nil {
		return CallBridge{}, c.failed(err, "read Call Bridge %q", c.clean(id))
	}
	root, err := c.get(ctx, "/callBridges/"+path, nil)
	if err == nil {
		err = itself(c, root, "callbridge", id)
	}
	if err != nil {
		return CallBridge{}, c.failed(err, "read Call Bridge %s", id)
	}
	return readCallBridge(id, root), nil
}

func readCallBridge(id string, n *node) CallBridge {
	return CallBridge{ID: id, Name: plain(n.get("name")), Address: plain(n.get("address"))}
}

// ClusterConfiguration reads uniqueName: this node's name under /callBridges.
// It is empty when the node is in no cluster.
func (c *Client) ClusterConfiguration(ctx context.Context) (uniqueName string, err error) {
	root, err := c.get(ctx, "/system/configuration/cluster", nil)
	if err == nil && root != nil && root.name != "cluster" {
		err = errNotAPI
	}
	if err != nil {
		return "", c.failed(err, "read the cluster's configuration")
	}
	return plain(root.get("uniquename")), nil
}

// SystemStatus reads how the server is.
func (c *Client) SystemStatus(ctx context.Context) (SystemStatus, error) {
	root, err := c.get(ctx, "/system/status", nil)
	if err == nil && (root == nil || root.name != "status") {
		err = errNotAPI
	}
	if err != nil {
		return SystemStatus{}, c.failed(err, "read the status")
	}
	uptime := time.Duration(-1)
	if n := number(root.get("uptimeseconds")); n >= 0 {
		uptime = time.Duration(min(n, 1<<31)) * time.Second
	}
	clock, _ := time.Parse(time.RFC3339, root.get("cdrtime")) // zero if it is none
	return SystemStatus{
		Version:        plain(root.get("softwareversion")),
		Uptime:         uptime,
		Clock:          clock,
		Clustered:      strings.EqualFold(root.get("clusterenabled"), "true"),
		CDRCorrelator:  number(root.get("cdrcorrelatorindex")),
		CallLegsActive: number(root.get("calllegsactive")),
	}, nil
}

// probe asks for something small, to see whether a lane works again.
func (c *Client) probe(ctx context.Context, l lane) {
	_, _ = c.enter(ctx, l, http.MethodGet, "/system/status", nil) // the gate has the result
}
