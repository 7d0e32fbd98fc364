package cms

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"callmark/policy"
)

// wordy is how many bytes a secret must have to be looked for in what answers
// hold: a shorter one may well be part of a name or of an address.
const wordy = 8

// hiders take our secrets out of a server's texts. A server that means to give
// them away finds a way; these are against one that repeats what it got.
type hiders struct {
	all    func(string) string // of what is shown in an error
	within func(string) string // of what an answer holds
	uris   func(string) string // of an answer with receivers, whose tokens are compared
}

// newHiders makes the hiders of the account's password and of the tokens of our
// receiver, which a server gets with its URI.
func newHiders(user, password string, tokens ...string) hiders {
	packed := []string{ // without the = at the end, which may be cut off
		base64.RawStdEncoding.EncodeToString([]byte(user + ":" + password)),
		base64.RawURLEncoding.EncodeToString([]byte(user + ":" + password)),
	}
	all := slices.Concat(packed, forms(password))
	uris, within := all, all
	if len(password) < wordy {
		uris, within = packed, packed
	}
	for _, token := range tokens {
		all = slices.Concat(all, forms(token))
		if len(token) >= wordy {
			within = slices.Concat(within, forms(token))
		}
	}
	return hiders{hider(all), hider(within), hider(uris)}
}

// forms are a secret as it may stand in a text.
func forms(secret string) []string {
	return []string{url.QueryEscape(secret), url.PathEscape(secret), secret}
}

func hider(forms []string) func(string) string {
	var unique, pairs []string
	for _, form := range forms {
		if form != "" && !slices.Contains(unique, form) {
			unique = append(unique, form)
			pairs = append(pairs, form, policy.Redacted)
		}
	}
	replace := strings.NewReplacer(pairs...).Replace
	return func(s string) string {
		for _, form := range unique {
			if strings.Contains(s, form) {
				return replace(s)
			}
		}
		return s
	}
}
