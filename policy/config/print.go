package config

import (
	"fmt"
	"strings"

	"callmark/policy"
)

// Format prints the section without the query of its URI, which may hold the
// token.
func (r Receiver) Format(f fmt.State, verb rune) {
	type plain Receiver // without this method
	if base, _, asks := strings.Cut(r.URI, "?"); asks {
		r.URI = base + "?" + policy.Redacted
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(r))
}
