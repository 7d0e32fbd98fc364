package statefile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callmark/policy"
)

// site is a board on which the meeting m runs, and the keeper of its overrides.
type site struct {
	*Keeper
	t    testing.TB
	file string
}

func newSite(t testing.TB, file string) *site {
	b := policy.NewBoard(policy.Options{})
	b.Apply(t0, policy.Source{Session: "s"}, []policy.Event{
		{Kind: policy.CallStarted, Index: 0, Call: policy.CallFacts{ID: "c", Name: "Crisis room", Correlator: "m"}},
	})
	return &site{Keeper: New(b, file), t: t, file: file}
}

// force forces a level, and saves.
func (s *site) force(level policy.Level) error {
	s.t.Helper()
	if err := s.board.Override(t0, "m", policy.Override{Kind: policy.ForceLevel, Level: level, Who: "op"}); err != nil {
		s.t.Fatal(err)
	}
	return s.Save(t0)
}

// alarms are the board's, as lines.
func (s *site) alarms() string {
	var all []string
	for _, a := range s.board.Since(0).Alarms {
		all = append(all, a.Key+": "+a.Text+": "+a.Remedy)
	}
	return strings.Join(all, "\n")
}

// levels are those forced in the file, as it is.
func levels(t testing.TB, file string) (all []policy.Level) {
	t.Helper()
	overrides, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range overrides {
		all = append(all, o.Level)
	}
	return all
}

func mode(t testing.TB, file string) os.FileMode {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// files are the names in the folder of a file.
func files(t testing.TB, file string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSaveAndLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overrides.json")
	s := newSite(t, file)
	s.Load(t0) // there is none
	if err := s.Save(t0); err != nil || len(files(t, file)) != 0 {
		t.Fatalf("nothing was decided: %v, %v", err, files(t, file))
	}
	if err := s.force(policy.Level3); err != nil {
		t.Fatal(err)
	}
	if got := files(t, file); len(got) != 1 || mode(t, file) != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("files %v, of mode %o", got, mode(t, file))
	}
	if s.alarms() != "" {
		t.Error(s.alarms())
	}

	again := newSite(t, file)
	again.Load(t0)
	v, _ := again.board.Meeting("m")
	if v.Override == nil || v.Override.Level != policy.Level3 || v.Override.Who != "op" {
		t.Fatalf("override %v", v.Override)
	}
	if err := again.board.Release(t0, "m", "op"); err != nil {
		t.Fatal(err)
	}
	if err := again.Save(t0); err != nil || len(levels(t, file)) != 0 {
		t.Errorf("released: %v, %v", levels(t, file), err)
	}
}

func TestNothingIsKeptWithoutAFile(t *testing.T) {
	s := newSite(t, "")
	s.replace = func(string, []byte) error { t.Error("written"); return nil }
	s.Load(t0)
	if err := s.force(policy.Level1); err != nil {
		t.Error(err)
	}
	s.Run(context.Background()) // returns
}

// A file that others can read is read, and is the owner's alone from then on.
func TestWideModeIsNarrowed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overrides.json")
	if err := os.WriteFile(file, encoded(t, several()), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, file)
	s.Load(t0)
	if err := s.force(policy.Level1); err != nil || len(levels(t, file)) != 4 || mode(t, file) != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, levels %v, mode %o", err, levels(t, file), mode(t, file))
	}
}

// A file that cannot be used is kept under another name, and nothing of it
// holds.
func TestSetAside(t *testing.T) {
	whole := encoded(t, several())
	for name, data := range map[string][]byte{
		"torn":    whole[:len(whole)-9],
		"newer":   bytes.Replace(whole, []byte(`"version": 1`), []byte(`"version": 2`), 1),
		"empty":   {},
		"too big": append(bytes.Clone(whole), bytes.Repeat([]byte(" "), maxSize)...),
		"not it":  []byte("\x7fELF\x02"),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "overrides.json")
			for n, bad := range []string{"overrides.json.bad-20260301T090000Z", "overrides.json.bad-20260301T090000Z-2"} {
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				s := newSite(t, file)
				s.Load(t0)
				if alarms := s.alarms(); !strings.HasPrefix(alarms, "state/read: "+file+" could not be read: it ") || !strings.Contains(alarms, bad) {
					t.Errorf("alarms %s", alarms)
				}
				if all, _ := s.board.SavedOverrides(); len(all) != 0 {
					t.Errorf("restored %v", all)
				}
				if err := s.force(policy.Level2); err != nil {
					t.Error(err)
				}
				if got, err := os.ReadFile(filepath.Join(filepath.Dir(file), bad)); err != nil || !bytes.Equal(got, data) {
					t.Errorf("set aside are %d bytes, %v", len(got), err)
				}
				if got := files(t, file); len(got) != n+2 || len(levels(t, file)) != 1 {
					t.Errorf("files %v", got)
				}
			}
		})
	}
}

// What could not be set aside is left as it is, until somebody moves it.
func TestInTheWay(t *testing.T) {
	// Its own name fits, the one that it would get does not.
	file := filepath.Join(t.TempDir(), strings.Repeat("o", 250))
	if err := os.WriteFile(file, []byte("torn"), 0o600); err != nil {
		t.Skip(err)
	}
	s := newSite(t, file)
	s.replace = func(string, []byte) error { t.Error("overwritten"); return nil }
	s.Load(t0)
	if !strings.Contains(s.alarms(), "no override is saved") {
		t.Errorf("alarms %s", s.alarms())
	}
	if err := s.force(policy.Level2); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("error %v", err)
	}

	s = newSite(t, filepath.Join(t.TempDir(), "overrides.json"))
	s.inWay = errInvalid // and now it is gone
	if err := s.force(policy.Level2); err != nil || len(levels(t, s.file)) != 1 {
		t.Errorf("moved away: %v", err)
	}
}

func TestNotAFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "overrides.json")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, folder)
	s.Load(t0)
	if !strings.Contains(s.alarms(), "set state.file") {
		t.Errorf("alarms %s", s.alarms())
	}
	if err := s.force(policy.Level1); err == nil {
		t.Error("saved into a folder")
	}
	if v, _ := s.board.Meeting("m"); v.Override == nil {
		t.Error("the override does not hold")
	}
	if got := files(t, folder); len(got) != 1 || mode(t, folder) != 0o700 {
		t.Errorf("files %v", got)
	}
}

// The file may be somewhere else.
func TestSymbolicLink(t *testing.T) {
	real := filepath.Join(t.TempDir(), "real.json")
	if err := os.WriteFile(real, encoded(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "overrides.json")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	s := newSite(t, link)
	s.Load(t0)
	if err := s.force(policy.Level1); err != nil || len(levels(t, real)) != 1 {
		t.Errorf("%v, levels %v", err, levels(t, real))
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

// A writing that fails leaves the old file, tells the operator, and refuses
// nothing. Once it works the alarm is over.
func TestWriteFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overrides.json")
	s := newSite(t, file)
	if err := s.force(policy.Level1); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	s.replace = func(string, []byte) error {
		s.board.Tick(t0) // the board is free meanwhile
		return full
	}
	for range 2 { // it is tried again, though nothing has changed
		if err := s.force(policy.Level3); !errors.Is(err, full) || !strings.Contains(err.Error(), file+" could not be written") || !strings.Contains(err.Error(), "make room") {
			t.Errorf("error %v", err)
		}
		if err := s.Save(t0); !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
	}
	if v, _ := s.board.Meeting("m"); v.Override.Level != policy.Level3 {
		t.Errorf("holds %v", v.Override)
	}
	if got := levels(t, file); len(got) != 1 || got[0] != policy.Level1 {
		t.Errorf("the file has %v", got)
	}
	if !strings.Contains(s.alarms(), "state/write: overrides are not saved: ") {
		t.Errorf("alarms %s", s.alarms())
	}
	s.replace = replace
	if err := s.Save(t0); err != nil || s.alarms() != "" || levels(t, file)[0] != policy.Level3 {
		t.Errorf("%v, alarms %s, levels %v", err, s.alarms(), levels(t, file))
	}
	// A folder that is not there.
	s = newSite(t, filepath.Join(t.TempDir(), "none", "overrides.json"))
	s.Load(t0)
	if s.alarms() != "" {
		t.Error(s.alarms())
	}
	if err := s.force(policy.Level1); err == nil || s.alarms() == "" {
		t.Errorf("error %v, alarms %s", err, s.alarms())
	}
}

// Whoever reads while it is written reads the old or the new.
func TestReplaceIsAtomic(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overrides.json")
	s := newSite(t, file)
	if err := s.force(policy.Level1); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, level := range []policy.Level{policy.Level2, policy.Level3} {
		wg.Go(func() {
			for range 30 {
				if err := s.force(level); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		if got := levels(t, file); len(got) != 1 {
			t.Errorf("read %v", got)
		}
	}
	if got := files(t, file); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// Run writes at the start, then once for all that changes within a moment, and
// tries again what failed.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "overrides.json")
		var mu sync.Mutex
		var sizes []int // of what was written, in overrides
		var fail error
		s.replace = func(_ string, data []byte) error {
			all, err := decode(data)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(all))
			return fail
		}
		wrote := func(what string, want ...int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(sizes) != len(want) || len(want) > 0 && sizes[len(want)-1] != want[len(want)-1] {
				t.Fatalf("%s: wrote %v, want %v", what, sizes, want)
			}
			sizes = nil
		}
		force := func(until time.Time) {
			t.Helper()
			if err := s.board.Override(time.Now(), "m", policy.Override{Kind: policy.ForceClear, Until: until}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		wrote("at the start", 0)
		s.board.Raise(time.Now(), policy.Alarm{Key: "x"})
		time.Sleep(time.Hour)
		wrote("something else changes")

		for range 50 {
			force(time.Now().Add(time.Minute))
			synctest.Wait()
		}
		time.Sleep(gather)
		wrote("many changes", 1)
		time.Sleep(time.Minute)
		s.board.Tick(time.Now())
		time.Sleep(gather)
		wrote("it expires", 0)

		mu.Lock()
		fail = errors.New("no space left on device")
		mu.Unlock()
		force(time.Time{})
		time.Sleep(gather)
		wrote("the disk is full", 1)
		time.Sleep(tryNext - gather)
		wrote("too early to try again")
		time.Sleep(gather)
		wrote("it is tried again", 1)
		mu.Lock()
		fail = nil
		mu.Unlock()
		time.Sleep(tryNext)
		wrote("and works", 1)
		time.Sleep(time.Hour)
		wrote("so that is it")

		cancel()
		<-done
	})
}
