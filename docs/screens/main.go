// Command screens draws the pictures of the console that the README shows: the
// console itself runs in a virtual terminal, over a board that stands still, is
// driven by keys, and what the terminal's cells hold then becomes an SVG. The
// clock stands still as well, so that the same console gives the same pictures.
//
// Run it in the top folder: go run ./docs/screens
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/vt"

	"callmark/ui"
)

const (
	columns, lines = 120, 30
	patience       = 10 * time.Second // for a text to appear
)

// picture is a screen, the keys that lead to it, and a text by which it is known
// to have been drawn.
type picture struct {
	name, alt string
	keys      []string
	ready     string
}

var pictures = []picture{
	{"meetings", "The list of meetings, worst first", nil, "Treaty negotiation"},
	{"meeting", "One meeting: its participants with the evidence for their level", []string{"\r"}, "Piet de Wit"},
	{"bridges", "The Call Bridges, worst first", []string{"b"}, "cdrCorrelatorIndex"},
}

func main() {
	folder := "docs"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	for _, p := range pictures {
		svg, err := p.draw()
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, p.name+".svg"), svg, 0o644) // #nosec G306 G703 -- pictures for the README
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "screens:", p.name+":", err)
			os.Exit(1)
		}
	}
}

// screen is a virtual terminal that says when something was written to it.
type screen struct {
	mu    sync.Mutex
	emu   *vt.Emulator
	wrote chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.emu.Write(p)
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return n, err
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.String()
}

// until waits for a text on the screen.
func (s *screen) until(text string) error {
	late := time.After(patience)
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.wrote:
		case <-late:
			return fmt.Errorf("never on the screen: %q\n%s", text, s.text())
		}
	}
	return nil
}

// draw runs the console up to the screen of the picture.
func (p picture) draw() ([]byte, error) {
	s := &screen{emu: vt.NewEmulator(columns, lines), wrote: make(chan struct{}, 1)}
	_, _ = s.emu.WriteString("\x1b[20h")
	// What it answers nobody reads. Its own Close would race with that.
	go io.Copy(io.Discard, s.emu)
	if answers, ok := s.emu.InputPipe().(io.Closer); ok {
		defer answers.Close()
	}
	in, keys := io.Pipe()
	defer keys.Close()
	c, err := ui.New(ui.Options{
		Board: newStage(), Version: "0.1.0", Who: "anna", UTC: true, Theme: "dark", Now: func() time.Time { return now },
		Input: in, Output: s, Width: columns, Height: lines, Environ: []string{"TERM=xterm-256color"}, Refresh: func() {},
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	defer func() { stop(); <-ended }()

	if err := s.until("Cabinet briefing"); err != nil {
		return nil, err
	}
	for _, k := range p.keys {
		_, _ = io.WriteString(keys, k)
	}
	if err := s.until(p.ready); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return svg(s.emu, p.alt), nil
}
