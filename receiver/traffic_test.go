package receiver

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"callmark/policy"
)

// meetings are those on a board.
func meetings(b *policy.Board) []*policy.MeetingView { return b.Since(0).Meetings }

func people(m *policy.MeetingView) int { return m.People[1] + m.People[2] + m.People[3] }

func TestBoard(t *testing.T) {
	rules, err := policy.NewRules([]string{"corp.example"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := policy.NewBoard(policy.Options{Rules: rules})
	s := start(t, b, Options{})
	join := read(t, "testdata/join.xml")
	for range 2 { // what comes again changes nothing
		if status, text := post(t, s, join); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
	}
	got := meetings(b)
	if len(got) != 1 || got[0].Name != "Board room" || got[0].Computed != policy.Level1 || people(got[0]) != 1 || got[0].Unverified != "" {
		t.Fatalf("got %+v", got)
	}
	// A document that is set aside makes it unverified.
	for range 2 {
		post(t, s, broken)
	}
	if got := meetings(b); got[0].Unverified == "" || len(b.Since(0).Alarms) != 1 {
		t.Errorf("got %+v", got[0])
	}
	if u := b.Since(0); u.Totals.Duplicates != 3 || u.Bridges[0].Address != "127.0.0.1" {
		t.Errorf("got %+v", u)
	}
}

// TestTraffic posts what real Call Bridges sent, where that is at hand.
func TestTraffic(t *testing.T) {
	internal, err := policy.NewRules(nil, []string{"example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for name, rules := range map[string]*policy.Rules{"rules": internal, "no rules": nil} {
		t.Run("guide, "+name, func(t *testing.T) {
			b := policy.NewBoard(policy.Options{Rules: rules})
			replay(t, b, "guide", func(int) {})
			want := policy.Level3
			if rules != nil {
				want = policy.Level2
			}
			got := meetings(b)
			if len(got) != 1 || got[0].Name != "test564_1" || people(got[0]) != 2 || got[0].Computed != want {
				t.Errorf("got %+v", got)
			}
		})
		t.Run("captured, "+name, func(t *testing.T) {
			b := policy.NewBoard(policy.Options{Rules: rules})
			replay(t, b, "captured", func(n int) {
				got := meetings(b)
				if n == 9 {
					if len(got) != 0 {
						t.Errorf("after its end: %+v", got)
					}
					return
				}
				if len(got) != 1 || got[0].Name != "techsupport" {
					t.Fatalf("after post %d: %+v", n, got)
				}
				if n >= 3 && got[0].Computed != policy.Level3 {
					t.Errorf("after post %d: level %v", n, got[0].Computed)
				}
				if n >= 4 && got[0].Unverified == "" { // the index has jumped since the call began
					t.Errorf("after post %d: verified", n)
				}
			})
		})
	}
}

// replay posts the documents of a folder, in their order, on one connection.
func replay(t *testing.T, b *policy.Board, folder string, after func(n int)) {
	t.Helper()
	paths, err := filepath.Glob("../../shared/traffic/" + folder + "/*.xml")
	if err != nil || len(paths) == 0 {
		t.Skip("the traffic is not at hand")
	}
	slices.Sort(paths)
	s := start(t, b, Options{RefusedDir: t.TempDir()})
	w := dial(t, s)
	for i, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		w.send(posting(string(body)))
		if status, text, _ := w.answer(); status != 200 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		after(i + 1)
	}
}
