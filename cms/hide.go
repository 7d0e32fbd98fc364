package cms

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"callmark/policy"
)

// wordy is how many bytes a password must have to be looked for in what answers
// hold: a shorter one may well be part of a name or of an address.
const wordy = 8

// hiders make the functions that take the account's password out of a server's
// texts: all of one that is shown in an error, and within for what an answer
// holds. A server that means to give it away finds a way; these are against one
// that repeats what it got.
func hiders(user, password string) (all, within func(string) string) {
	packed := []string{
		base64.StdEncoding.EncodeToString([]byte(user + ":" + password)),
		base64.URLEncoding.EncodeToString([]byte(user + ":" + password)),
	}
	plain := []string{url.QueryEscape(password), url.PathEscape(password), password}
	if len(password) < wordy {
		return hider(append(packed, plain...)), hider(packed)
	}
	all = hider(append(packed, plain...))
	return all, all
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
