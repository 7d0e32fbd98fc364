package cms

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that prints as [redacted], whatever prints it. To use it,
// convert it to a string.
type Secret string

const redacted = "[redacted]"

// Format prints [redacted] for every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns [redacted].
func (Secret) String() string { return redacted }

// LogValue returns [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns [redacted]; it also serves JSON and TOML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
