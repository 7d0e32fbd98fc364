package config

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/BurntSushi/toml"
)

// PasswordVariable and TokenVariable are the environment variables that win over
// the password and the token of the document.
const (
	PasswordVariable = "CALLMARK_CMS_PASSWORD" // #nosec G101 -- a variable's name
	TokenVariable    = "CALLMARK_RECEIVER_TOKEN"
)

// The same as credentials of systemd (LoadCredential=), which come as files.
const (
	passwordCredential = "cms_password"
	tokenCredential    = "receiver_token"
)

// maxDocument is how many bytes of a document are read: room for some ten
// thousand domains.
const maxDocument = 256 << 10

// Outside is what a document refers to. Whatever is nil is not looked at; a
// password_file then counts as a password that nobody has read.
type Outside struct {
	Getenv   func(name string) string               // os.Getenv
	ReadFile func(name string) ([]byte, error)      // of password_file, credentials and certificates
	Mode     func(name string) (fs.FileMode, error) // of the document and password_file
}

// Parse reads a document. The name of the file is for the problems, and for its
// mode. With errors among the problems the configuration is not to be used.
func Parse(file string, document []byte, out Outside) (Config, Problems) {
	r := &reading{file: file, spoiled: map[string]bool{}}
	c := Default()
	if len(document) > maxDocument {
		r.refuse("", "it has more than %d KiB: no configuration is so large; name the right file", maxDocument>>10)
		return c, r.sorted()
	}
	text := string(document)
	found, deep := findLines(text)
	if deep > 0 {
		// The library would take minutes for some such documents.
		r.lines = lines{"": deep}
		r.refuse("", "it is nested deeper than any configuration: name the right file, or remove what is nested")
		return c, r.sorted()
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		r.syntax(text, err)
		return c, r.sorted()
	}
	r.lines = found
	r.bind(&c, tree)
	r.check(&c)
	r.checkOutside(&c, out)
	return c, r.sorted()
}

// syntax reports what is no TOML. The library stops at the first such place.
func (r *reading) syntax(document string, err error) {
	line := 1
	message, key := err.Error(), ""
	if pe, ok := errors.AsType[toml.ParseError](err); ok {
		message, key = pe.Message, pe.LastKey
		line = min(max(pe.Position.Line, 1), strings.Count(document, "\n")+1)
	}
	around := document
	for range line - 1 {
		_, around, _ = strings.Cut(around, "\n")
	}
	around, _, _ = strings.Cut(around, "\n")
	switch {
	case strings.HasPrefix(message, "Key '") && strings.Contains(message, "already been"):
		message = "not TOML: " + lowerFirst(message) + ": write each key and each table once"
	case strings.Contains(strings.ToLower(around+key), "pass"):
		// The library quotes what it cannot read.
		message = `the password is not written as TOML has it: write it between 'single quotes', or into a file that password_file names`
	case strings.Contains(strings.ToLower(around+key), "token"):
		message = `the token is not written as TOML has it: write it between 'single quotes'`
	case strings.HasPrefix(message, "invalid escape"):
		message = "not TOML: " + lowerFirst(message) + `: write \\ for each \, or put the text between 'single quotes'`
	case strings.Contains(message, "UTF-8"), strings.Contains(message, "UTF-16"):
		message = "not TOML: " + lowerFirst(message) + ": save the file as UTF-8"
	default:
		message = "not TOML: " + lowerFirst(message) + `: write key = value, a text between "quotes", a list between [ and ]`
	}
	r.lines = lines{"": line}
	r.refuse("", "%s", message)
}

// lowerFirst makes a message begin as ours do.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + strings.TrimRight(s[1:], ".")
}
