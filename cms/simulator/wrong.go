package simulator

import (
	"bytes"
	"net/http"
	"strings"
)

// loginPage is what a proxy or a web interface in the way answers: well-formed,
// and nothing of the API.
const loginPage = `<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="user" /><input name="password" type="password" /></form></body></html>
`

// wrongAnswer answers a request with what was not asked: a login page, or
// instead of an object another one of its kind, or instead of a list one of
// another kind. It never is an answer that could be right, as an empty list of
// the right kind could. A write is not done.
func (b *Bridge) wrongAnswer(r *http.Request) answer {
	if path := b.wrongPath(r); path != "" {
		other := r.Clone(r.Context())
		other.URL.Path = path
		if a, _ := b.ask(other); a.status == 0 {
			return a
		}
	}
	return answer{body: []byte(loginPage), contentType: "text/html"}
}

// wrongPath is the path of the object or list that is given instead of the one
// that is asked for; empty: the login page.
func (b *Bridge) wrongPath(r *http.Request) string {
	defer b.lock()()
	path, ok := strings.CutPrefix(r.URL.Path, root)
	if !ok || r.Method != http.MethodGet || b.rng.IntN(2) == 0 {
		return ""
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case len(parts) == 2 && parts[0] == "calls":
		return b.otherPath(path, len(b.order), func(i int) string { return "/calls/" + b.order[i].id })
	case len(parts) == 2 && parts[0] == "calllegs":
		return b.otherPath(path, len(b.legOrder), func(i int) string { return "/calllegs/" + b.legOrder[i].id })
	case len(parts) == 2 && parts[0] == "participants":
		return b.otherPath(path, len(b.legOrder), func(i int) string { return "/participants/" + b.legOrder[i].groupID })
	case path == "/calllegs":
		return root + "/calls"
	case path == "/calls":
		return root + "/calllegs"
	case len(parts) == 3 && parts[2] == "calllegs":
		return root + strings.TrimSuffix(path, "calllegs") + "participants"
	case len(parts) == 3 && parts[2] == "participants":
		return root + strings.TrimSuffix(path, "participants") + "calllegs"
	case path == "/system/alarms":
		return root + "/system/status"
	}
	return root + "/system/alarms"
}

// otherPath picks one of n paths that is not the one asked for.
func (b *Bridge) otherPath(asked string, n int, path func(int) string) string {
	if n == 0 {
		return ""
	}
	start := b.rng.IntN(n)
	for i := range n {
		if p := path((start + i) % n); p != asked {
			return root + p
		}
	}
	return ""
}

// truncated returns an answer whose document breaks off: anywhere in a line,
// or between two elements, where it looks like a whole that is shorter. Its
// Content-Length is that of what is left.
func (b *Bridge) truncated(a answer) answer {
	last := bytes.LastIndex(a.body, []byte("</")) // of the root
	if last < 1 {
		return a
	}
	defer b.lock()()
	end := 1 + b.rng.IntN(last)
	if line := bytes.LastIndexByte(a.body[:end], '\n') + 1; line > 0 && b.rng.IntN(2) == 0 {
		end = line
	}
	a.body, a.sized = a.body[:end], true
	return a
}
