package main

import (
	"reflect"
	"testing"
	"time"

	"callmark/policy"
	"callmark/policy/config"
	"callmark/receiver"
)

// TestReceiverLimits has every limit of the configuration reach the receiver.
func TestReceiverLimits(t *testing.T) {
	c := config.Default()
	c.Receiver.MaxBodyMB, c.Receiver.MaxHeaderKB = 2, 3
	c.Receiver.MaxDepth, c.Receiver.MaxRecords, c.Receiver.MaxValue = 4, 5, 6
	c.Receiver.MaxConnections, c.Receiver.MaxConnectionsPerSource, c.Receiver.MaxRequestsPerSource = 7, 8, 9
	c.Receiver.ReadTimeout, c.Receiver.IdleTimeout = 10*time.Second, 11*time.Second
	o := receiverOptions(c, &app{board: policy.NewBoard(policy.Options{})})
	got := receiver.Options{
		MaxBody: o.MaxBody, MaxHeader: o.MaxHeader, MaxDepth: o.MaxDepth, MaxRecords: o.MaxRecords, MaxValue: o.MaxValue,
		MaxConns: o.MaxConns, MaxConnsPerSource: o.MaxConnsPerSource, MaxRequestsPerSource: o.MaxRequestsPerSource,
		ReadTimeout: o.ReadTimeout, IdleTimeout: o.IdleTimeout,
	}
	want := receiver.Options{
		MaxBody: 2 << 20, MaxHeader: 3 << 10, MaxDepth: 4, MaxRecords: 5, MaxValue: 6,
		MaxConns: 7, MaxConnsPerSource: 8, MaxRequestsPerSource: 9,
		ReadTimeout: 10 * time.Second, IdleTimeout: 11 * time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("limits of the receiver: got  %+v\nwant %+v", got, want)
	}
}
