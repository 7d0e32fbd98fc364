package statefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"callmark/policy"
)

const (
	version = 1       // of the document
	maxSize = 4 << 20 // bytes of a document: several thousand overrides
)

// What can be wrong with a document.
var (
	errTooLarge = fmt.Errorf("it is larger than %d MiB", maxSize>>20)
	errNewer    = errors.New("it was written by a newer callmark")
	errInvalid  = errors.New("it is not a whole document of callmark's")
)

// document is the file's content.
type document struct {
	Version   *int       `json:"version"`
	Overrides []override `json:"overrides"`
}

// override is an override as the document has it. What is a pointer must be
// given.
type override struct {
	Meeting string     `json:"meeting"`
	Name    string     `json:"name,omitempty"`
	Calls   []string   `json:"calls,omitempty"`
	Kind    string     `json:"kind"`
	Level   int        `json:"level,omitempty"`
	Text    string     `json:"text,omitempty"`
	Who     string     `json:"who"`
	Reason  string     `json:"reason,omitempty"`
	At      *time.Time `json:"at"`
	Until   time.Time  `json:"until,omitzero"`
	Best    *int       `json:"best"`
}

// kinds are the words for what operators decide.
var kinds = map[string]policy.OverrideKind{
	"level": policy.ForceLevel,
	"text":  policy.ForceText,
	"clear": policy.ForceClear,
}

// encode makes a document of the overrides, which are sorted, oldest first. If
// they are too many for one, the oldest are left out; it says how many.
func encode(all []policy.SavedOverride) (data []byte, left int, err error) {
	v := version
	d := document{Version: &v, Overrides: make([]override, 0, len(all))}
	for _, s := range all {
		at, best := s.At.UTC(), int(s.Best)
		o := override{
			Meeting: string(s.Meeting), Name: s.Name, Calls: s.Calls, Level: int(s.Level), Text: s.Text,
			Who: s.Who, Reason: s.Reason, At: &at, Until: s.Until.UTC(), Best: &best,
		}
		for word, kind := range kinds {
			if kind == s.Kind {
				o.Kind = word
			}
		}
		d.Overrides = append(d.Overrides, o)
	}
	for {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			return nil, 0, err
		}
		over := b.Len() - maxSize
		if over <= 0 {
			return b.Bytes(), left, nil
		}
		n := min(len(d.Overrides), len(d.Overrides)*over/b.Len()+1)
		d.Overrides = d.Overrides[n:]
		left += n
	}
}

// decode reads a document: all of it or nothing.
func decode(data []byte) ([]policy.SavedOverride, error) {
	if len(data) > maxSize {
		return nil, errTooLarge
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: it holds bytes that are no UTF-8", errInvalid)
	}
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil { // also when something follows
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	switch {
	case head.Version == nil || *head.Version < 1:
		return nil, fmt.Errorf("%w: it has no version", errInvalid)
	case *head.Version > version:
		return nil, fmt.Errorf("%w: it is of version %d, and this one knows %d", errNewer, *head.Version, version)
	}
	var d document
	e := json.NewDecoder(bytes.NewReader(data))
	e.DisallowUnknownFields()
	if err := e.Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if d.Overrides == nil {
		return nil, fmt.Errorf("%w: it has no list of overrides", errInvalid)
	}
	all := make([]policy.SavedOverride, 0, len(d.Overrides))
	for i := range d.Overrides {
		s, err := d.Overrides[i].saved()
		if err != nil {
			return nil, fmt.Errorf("%w: override %d %w", errInvalid, i+1, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// saved is the override as the board has it.
func (o *override) saved() (policy.SavedOverride, error) {
	kind := kinds[o.Kind]
	switch {
	case o.Meeting == "":
		return policy.SavedOverride{}, errors.New("names no meeting")
	case kind == 0:
		return policy.SavedOverride{}, fmt.Errorf("is of kind %q: there are level, text and clear", policy.Clean(o.Kind, 32))
	case kind == policy.ForceLevel && (o.Level < 1 || o.Level > 3):
		return policy.SavedOverride{}, fmt.Errorf("has level %d: there are 1, 2 and 3", o.Level)
	case kind != policy.ForceLevel && o.Level != 0:
		return policy.SavedOverride{}, fmt.Errorf("has level %d, but is of kind %s", o.Level, o.Kind)
	case (kind == policy.ForceText) != (o.Text != ""):
		return policy.SavedOverride{}, fmt.Errorf("has the text %q, but is of kind %s", policy.Clean(o.Text, 32), o.Kind)
	case o.At == nil || !believable(*o.At):
		return policy.SavedOverride{}, errors.New("does not say when it was decided")
	case !o.Until.IsZero() && !believable(o.Until):
		return policy.SavedOverride{}, fmt.Errorf("holds until the year %d", o.Until.Year())
	case o.Best == nil || *o.Best < 0 || *o.Best > 3:
		return policy.SavedOverride{}, errors.New("does not say which level was the best since: 0 to 3")
	}
	return policy.SavedOverride{
		Meeting: policy.MeetingID(o.Meeting), Name: o.Name, Calls: o.Calls,
		Override: policy.Override{
			Kind: kind, Level: policy.Level(o.Level), Text: o.Text, Who: o.Who, Reason: o.Reason,
			At: *o.At, Until: o.Until, Best: policy.Level(*o.Best),
		},
	}, nil
}

// believable reports whether a time is one that a document can hold in any time
// zone, and that a clock may have shown.
func believable(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 9999 }
