package cms

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"callmark/policy"
)

// pins are hashes of public keys, of which a server must have one.
type pins [][sha256.Size]byte

// parsePins reads texts like "sha256/BASE64".
func parsePins(texts []string) (pins, error) {
	var all pins
	for _, text := range texts {
		hash, ok := strings.CutPrefix(text, "sha256/")
		sum, err := base64.StdEncoding.DecodeString(hash)
		if !ok || err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%q is no pin", policy.Clean(text, maxText))
		}
		all = append(all, [sha256.Size]byte(sum))
	}
	return all, nil
}

// pinError is a server whose public key is not pinned.
type pinError struct{ has string }

// Error says which key it has, as a pin.
func (e *pinError) Error() string { return "the public key is not pinned: " + e.has }

// verify is for tls.Config.VerifyConnection: it looks at the server's own
// certificate, after the chain was verified if that is asked for. The handshake
// has proven by then that the server holds the key. The hash is that of the
// SubjectPublicKeyInfo, as RFC 7469 has it, so a certificate that is renewed with
// its old key keeps its pin.
func (p pins) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if slices.Contains(p, sum) {
		return nil
	}
	return &pinError{has: "sha256/" + base64.StdEncoding.EncodeToString(sum[:])}
}

// insecure reports whether somebody on the way could pose as a server. A pin
// makes up for a certificate that is not verified: nobody else has its key.
func insecure(a Address, o Options) bool {
	return a.Scheme == "http" || o.InsecureSkipVerify && len(o.Pins) == 0
}

// Insecure says why the server may be another than it seems, and what to do;
// "" when it may not.
func (c *Client) Insecure() (problem, remedy string) {
	switch {
	case !c.insecure:
		return "", ""
	case c.address.Scheme == "http":
		return "the password and all else is sent to it unprotected", "give it as https:// in servers under [cms]"
	}
	return "its certificate is not verified: anybody on the way can pose as it and take the password",
		"set insecure_skip_verify to false, and ca_file or pins, under [cms]"
}
