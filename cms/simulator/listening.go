package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// connKey finds the apiConn of a request in its context.
type connKey struct{}

// apiConn is a connection to the API.
type apiConn struct {
	net.Conn
	requests atomic.Int64
}

// reset makes the connection's closing a TCP reset, if it is one of TCP: what
// has not been sent is dropped.
func (c *apiConn) reset() {
	conn := c.Conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // below TLS
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it may be closed already
	}
	_ = conn.Close()
}

// StopListening closes the API and its connections: new ones are refused.
// Records still go out.
func (b *Bridge) StopListening() {
	unlock := b.lock()
	closeIt := b.takeServer()
	b.cluster.touch()
	unlock()
	if closeIt != nil {
		closeIt()
	}
}

// ResumeListening opens the API again, at the address it had.
func (b *Bridge) ResumeListening() error {
	defer b.lock()()
	if b.cluster.closed || !b.cluster.running {
		return errors.New("simulator: resume: the cluster does not run")
	}
	if b.server != nil {
		return nil
	}
	defer b.cluster.touch()
	return b.listen()
}

// listen opens the API and serves it.
func (b *Bridge) listen() error {
	c := b.cluster
	l, err := c.opts.Listen(b.address)
	if err != nil {
		return fmt.Errorf("simulator: open the API of %s: %w", b.name, err)
	}
	b.address = l.Addr().String()
	var http1 http.Protocols
	http1.SetHTTP1(true)
	ctx, cancel := context.WithCancel(c.ctx)
	server := &http.Server{
		Handler:           b,
		TLSConfig:         c.serverTLS(),
		Protocols:         &http1,
		IdleTimeout:       c.opts.IdleTimeout,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, &apiConn{Conn: conn})
		},
		ConnState: b.connState,
		ErrorLog:  discardLog,
	}
	b.server, b.listener = server, l
	c.wg.Go(func() {
		defer cancel()
		if server.TLSConfig != nil {
			_ = server.ServeTLS(l, "", "")
			return
		}
		_ = server.Serve(l)
	})
	return nil
}

// takeServer returns what closes the API, or nil when it is closed. It is to be
// called without the cluster's lock: closing waits for connState, which wants it.
func (b *Bridge) takeServer() (close func()) {
	server, listener := b.server, b.listener
	if server == nil {
		return nil
	}
	b.server, b.listener = nil, nil
	return func() {
		_ = server.Close()
		_ = listener.Close() // the server may not have got to it yet
	}
}
