package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestPicturesAreCurrent draws the pictures anew: those that the README shows
// are of this console.
func TestPicturesAreCurrent(t *testing.T) {
	for _, p := range pictures {
		got, err := p.draw()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", p.name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s.svg shows another console: run  go run ./docs/screens  in the top folder, and look at the picture", p.name)
		}
	}
}
