package receiver

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen opens the port. What the operating system says of a port that cannot
// be had is turned into what to do about it.
func listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err == nil {
		return ln, nil
	}
	host, port, _ := net.SplitHostPort(address)
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %s is in use by another program: stop it or set receiver.listen: %w", port, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %s may not be opened by this user: set receiver.listen to a port above 1023: %w", port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("no interface of this machine has the address %s: set receiver.listen to one of its own, or to \":%s\" for all: %w", host, port, err)
	case errors.As(err, &dns):
		return nil, fmt.Errorf("%q cannot be looked up: set receiver.listen to an address of this machine, or to \":%s\" for all: %w", host, port, err)
	}
	return nil, fmt.Errorf("listening on %s: set receiver.listen: %w", address, err)
}
