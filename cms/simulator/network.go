package simulator

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// Network is a network within the process, for tests in a bubble of
// testing/synctest, where sockets hang. Give its methods to Options.Listen and
// Options.Dial, to an http.Transport's DialContext, and to a receiver's server.
// The zero value is ready.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	ports     int
}

// Listen opens an address; empty: a free one, of the form 127.0.0.1:PORT.
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = make(map[string]*listener)
	}
	if address == "" {
		n.ports++
		address = fmt.Sprintf("127.0.0.1:%d", 40000+n.ports)
	}
	if n.listeners[address] != nil {
		return nil, fmt.Errorf("simulator: listen on %s: %w", address, syscall.EADDRINUSE)
	}
	l := &listener{network: n, address: address, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// DialContext connects to an address that Listen opened.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: memoryAddr(address), Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	near, far := net.Pipe()
	here := memoryAddr("127.0.0.1:39999")
	select {
	case l.conns <- conn{far, memoryAddr(address), here}:
		return conn{near, here, memoryAddr(address)}, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listener is an open address of a Network.
type listener struct {
	network *Network
	address string
	conns   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.listeners, l.address)
		close(l.closed)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return memoryAddr(l.address) }

// conn is one end of a connection, with addresses that look like TCP's.
type conn struct {
	net.Conn
	local, remote memoryAddr
}

func (c conn) LocalAddr() net.Addr  { return c.local }
func (c conn) RemoteAddr() net.Addr { return c.remote }

type memoryAddr string

func (memoryAddr) Network() string  { return "tcp" }
func (a memoryAddr) String() string { return string(a) }
