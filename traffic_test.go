package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"callmark/policy"
	"callmark/policy/config"
)

// screens is the API of a server that has every call, and keeps what was last
// written to each.
type screens struct {
	mu    sync.Mutex
	texts map[string]string
}

func (s *screens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.Path, "/api/v1/")
	id, isCall := strings.CutPrefix(path, "calls/")
	switch {
	case !ours:
		http.NotFound(w, r)
	case isCall && r.Method == http.MethodPut:
		s.mu.Lock()
		s.texts[id] = r.FormValue("messageText")
		s.mu.Unlock()
	default: // one server, in no cluster
		fmt.Fprint(w, `<?xml version="1.0"?><callBridges total="0"></callBridges>`)
	}
}

func (s *screens) text(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[id]
}

// posts runs callmark and posts the documents of a folder, in order, until one
// that is to be checked before it is sent. It is skipped where there is no such
// folder.
type posts struct {
	*program
	screens *screens
	files   []string
}

func playback(t *testing.T, folder string, internal ...string) *posts {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*.xml"))
	if len(files) == 0 {
		t.Skip("no traffic in " + folder)
	}
	p := &posts{screens: &screens{texts: map[string]string{}}, files: files}
	api := httptest.NewServer(p.screens)
	t.Cleanup(api.Close)
	p.program = start(t, func(c *config.Config) {
		c.CMS.Username, c.CMS.Password, c.CMS.Servers = "api", policy.NewSecret("secret"), []string{api.URL}
		c.Policy.InternalDomains = internal
	})
	return p
}

// post sends the next n documents.
func (p *posts) post(t *testing.T, n int) {
	t.Helper()
	for _, name := range p.files[:n] {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.Post("http://"+p.receiver.Addr()+"/cdr", "", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.ContentLength != 0 {
			t.Fatalf("%s: answered %s with length %d", name, res.Status, res.ContentLength)
		}
	}
	p.files = p.files[n:]
}

// only returns the one meeting that there is.
func (p *posts) only(t *testing.T) *policy.MeetingView {
	t.Helper()
	u := p.board.Since(0)
	if len(u.Meetings) != 1 {
		t.Fatalf("%d meetings, not one", len(u.Meetings))
	}
	return u.Meetings[0]
}

// Two SIP legs join one space: level 2 when their domain is internal, else 3.
func TestTrafficSpace(t *testing.T) {
	for folder, name := range map[string]string{"../shared/traffic/guide": "test564_1", "receiver/testdata/traffic/space": "quarterly_7"} {
		for level, internal := range map[policy.Level][]string{policy.Level2: {"example.com"}, policy.Level3: nil} {
			t.Run(fmt.Sprintf("%s level %s", name, level), func(t *testing.T) {
				p := playback(t, folder, internal...)
				p.post(t, len(p.files))
				m := p.only(t)
				if m.Name != name || m.Computed != level || m.People[level] != 2 || m.Unverified != "" {
					t.Errorf("meeting is %+v", m)
				}
				want := policy.DefaultLevels()[level].Message
				p.eventually(t, "marked "+want, func() bool { return p.screens.text(m.Calls[0].ID) == want })
			})
		}
	}
}

// App legs, and a SIP leg that is known by an update alone; records are missing
// in between.
func TestTrafficApps(t *testing.T) {
	for _, folder := range []string{"../shared/traffic/captured", "receiver/testdata/traffic/apps"} {
		t.Run(folder, func(t *testing.T) {
			p := playback(t, folder, "example.org")
			p.post(t, 3)
			call := p.only(t).Calls[0].ID
			p.eventually(t, "level 3 at the first app leg", func() bool {
				return p.screens.text(call) == policy.DefaultLevels()[policy.Level3].Message
			})
			p.post(t, 3)
			if m := p.only(t); m.Computed != policy.Level3 || m.People != [4]int{0, 0, 1, 2} || m.Unverified == "" {
				t.Errorf("with all in it the meeting is %+v", m)
			}
			p.post(t, 2) // an app leg has ended; the update without state proves nothing
			if m := p.only(t); m.Computed != policy.Level3 || m.People != [4]int{0, 0, 1, 1} {
				t.Errorf("before the end the meeting is %+v", m)
			}
			p.post(t, 1)
			if u := p.board.Since(0); len(u.Meetings) != 0 {
				t.Errorf("after the end there is %+v", u.Meetings[0])
			}
		})
	}
}

// An answer to a record does not wait for the API: while every request there
// hangs, a hundred records are taken and answered.
func TestAnswersDoNotWaitForTheAPI(t *testing.T) {
	p := playback(t, "receiver/testdata/traffic/space", "example.com")
	p.screens.mu.Lock() // the API now hangs
	start := time.Now()
	p.post(t, len(p.files))
	took := time.Since(start)
	p.screens.mu.Unlock()
	t.Logf("%d records answered in %v while the API hung", 4, took)
	m := p.only(t)
	p.eventually(t, "marked once the API is back", func() bool { return p.screens.text(m.Calls[0].ID) != "" })
}
