package cms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"callmark/policy"
)

// APIError is an answer of the API that says no.
type APIError struct {
	Status    int      // of HTTP
	Reasons   []string // as under failureDetails, e.g. callDoesNotExist; often empty
	Parameter string   // the one that a parameterError names
}

// Error says the reasons, or the status where there are none.
func (e *APIError) Error() string {
	said := fmt.Sprintf("it answered %d", e.Status)
	if text := http.StatusText(e.Status); text != "" {
		said += " (" + text + ")"
	}
	if len(e.Reasons) > 0 {
		said += ": " + strings.Join(e.Reasons, ", ")
	}
	if e.Parameter != "" {
		said += " (parameter " + e.Parameter + ")"
	}
	return said
}

// TransportError is a request that got no answer of an API.
type TransportError struct {
	Sent    bool   // the server may have received the request
	Problem string // without ports and times, so that the same problem reads the same
	Remedy  string // what to do, or empty
	Err     error
}

// Error says what happened and what to do.
func (e *TransportError) Error() string {
	if e.Remedy == "" {
		return e.Problem
	}
	return e.Problem + ": " + e.Remedy
}

// Unwrap returns what net/http said.
func (e *TransportError) Unwrap() error { return e.Err }

// GateError is a request that was not sent, since the server is to be left
// alone for now.
type GateError struct {
	State policy.ServerState
	Until time.Time // when the server is tried again; zero: as soon as a probe that is under way has been answered
}

// Error says the state.
func (e *GateError) Error() string {
	return "it is left alone for now, its state is " + e.State.String()
}

// askWebAdmin is what to do about a server that answers what the API does not.
const askWebAdmin = "check that the address and port are those of the Web Admin"

// errIll is under the error of an answer that could be read and cannot be.
var errIll = errors.New("the answer cannot be right")

// ill makes the error of such an answer.
func ill(format string, args ...any) error {
	return &TransportError{Sent: true, Problem: fmt.Sprintf(format, args...), Remedy: askWebAdmin, Err: errIll}
}

// errBadID is an id that no server gives: it would change the request's path.
var errBadID = errors.New("the id holds characters that no id of a server has")

// IsNotExist reports whether the API says that there is no such object. The
// status is 404 by Cisco's guide and 400 on some servers, so the reason counts;
// a 404 without one may be another program's, and proves nothing.
func IsNotExist(err error) bool {
	var e *APIError
	if !errors.As(err, &e) || e.Status != http.StatusNotFound && e.Status != http.StatusBadRequest {
		return false
	}
	for _, r := range e.Reasons {
		if strings.HasSuffix(strings.ToLower(r), "doesnotexist") {
			return true
		}
	}
	return false
}

// IsUnauthorized reports whether the account was refused (401).
func IsUnauthorized(err error) bool { return status(err) == http.StatusUnauthorized }

// IsBusy reports whether the server asks to be tried later (503).
func IsBusy(err error) bool { return status(err) == http.StatusServiceUnavailable }

// IsFull reports whether all places for receivers of records are taken
// (tooManyCdrReceivers in Cisco's API guide; there are four).
func IsFull(err error) bool {
	var e *APIError
	return errors.As(err, &e) && slices.Contains(e.Reasons, "tooManyCdrReceivers")
}

// IsUncertain reports whether a write that failed so may have worked all the
// same: no answer came to a request that was sent, or the answer was a fault in
// the middle of the work. A 503 is a refusal.
func IsUncertain(err error) bool {
	var t *TransportError
	if errors.As(err, &t) {
		return t.Sent
	}
	s := status(err)
	return s >= 500 && s != http.StatusServiceUnavailable
}

// Remedy is what to do about an error, or "".
func Remedy(err error) string {
	var t *TransportError
	if errors.As(err, &t) {
		return t.Remedy
	}
	switch s := status(err); {
	case IsFull(err):
		return "take a receiver out that is needed no more: callmark receivers remove URI"
	case s == http.StatusUnauthorized:
		return "check username and password, and whether the account is locked; then press r, or wait for the next try"
	case s == http.StatusForbidden:
		return "give the account the role api"
	case s == http.StatusNotFound && !IsNotExist(err):
		return "check that the address and port are those of the Web Admin"
	case s == http.StatusServiceUnavailable, s == http.StatusTooManyRequests:
		return "wait: it is tried again; if it lasts, look at the server's load"
	case s >= 500:
		return "look at the server's log, and at what stands between: a proxy may have answered"
	}
	return ""
}

func status(err error) int {
	var e *APIError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// transportError says in the user's words what net/http reports.
func transportError(err error, sent bool, a Address, timeout time.Duration) *TransportError {
	e := &TransportError{Sent: sent, Err: err}
	var (
		pin      *pinError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		dns      *net.DNSError
		op       *net.OpError
		net_     net.Error
	)
	text := err.Error()
	switch {
	case errors.As(err, &pin):
		e.Problem = "its public key is not among those pinned: it has " + pin.has
		e.Remedy = "if its certificate was renewed with a new key, add that to pins under [cms]; if not, somebody may stand between"
	case errors.As(err, &unknown):
		e.Problem = "its certificate is signed by an authority that is not known"
		e.Remedy = "set ca_file to the certificate of that authority"
	case errors.As(err, &hostname):
		e.Problem = fmt.Sprintf("its certificate is not for the name %s", a.Host)
		e.Remedy = "configure the server by a name that its certificate has"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Problem = "its certificate has expired or is not valid yet"
		e.Remedy = "renew the certificate, and check the clocks of both machines"
	case errors.As(err, &invalid):
		e.Problem = "its certificate is not valid: " + policy.Clean(invalid.Error(), 120)
		e.Remedy = "renew the certificate"
	case errors.As(err, &record), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		e.Problem = "it speaks plain HTTP on this port"
		e.Remedy = "configure the port of the Web Admin, or http:// if it shall be plain"
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		e.Problem = "it speaks TLS on this port"
		e.Remedy = "configure it with https://"
	case errors.As(err, &alert), strings.Contains(text, "tls: "):
		e.Problem = "TLS could not be agreed: " + policy.Clean(tail(text, "tls: "), 120)
		e.Remedy = "check that the Web Admin takes TLS 1.2 or newer"
	case errors.As(err, &dns):
		e.Problem = fmt.Sprintf("the name %s could not be resolved", a.Host)
		e.Remedy = "check the name and the DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Problem = "the connection was refused"
		e.Remedy = "check that the Web Admin runs and listens on port " + fmt.Sprint(a.Port)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		e.Problem = "there is no route to it"
		e.Remedy = "check the address and the network"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &net_) && net_.Timeout():
		e.Problem = fmt.Sprintf("no answer within %s", timeout)
		e.Remedy = "check the network, the firewall, and the server's load"
	case errors.Is(err, context.Canceled):
		e.Problem = "the request was given up, since callmark stops"
	case errors.As(err, &op) && op.Op == "dial":
		e.Problem = "no connection: " + policy.Clean(op.Err.Error(), 120)
		e.Remedy = "check the address, the port and the network"
	case strings.Contains(text, "response headers exceeded"), strings.Contains(text, "too many 1xx"):
		e.Problem = fmt.Sprintf("its answer's header has more than %d KiB", maxHeader>>10)
		e.Remedy = askWebAdmin
	case strings.Contains(text, "transport connection broken") && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		e.Problem = "what it answers cannot be understood as HTTP"
		e.Remedy = askWebAdmin
	default:
		e.Problem = "the connection was lost before the answer"
		e.Remedy = "check the network, and the server's log"
		if !sent {
			e.Problem = "no connection"
			e.Remedy = "check the address, the port and the network"
		}
	}
	return e
}

// tail is s from the last occurrence of mark on.
func tail(s, mark string) string {
	if i := strings.LastIndex(s, mark); i >= 0 {
		return s[i:]
	}
	return s
}
