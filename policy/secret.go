package policy

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that prints as [redacted], whatever prints it. Only Reveal
// gives it away. The zero value is empty.
type Secret struct {
	// A pointer, so that printers which go past the methods (into unexported
	// fields, by reflection) show an address.
	text *string
}

// Redacted is what a Secret prints as.
const Redacted = "[redacted]"

// NewSecret keeps a text secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format prints [redacted] for every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// String returns [redacted].
func (Secret) String() string { return Redacted }

// LogValue returns [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns [redacted]; it also serves JSON and TOML.
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
