package policy

import "strings"

// shared is how many bytes of text a record may have for the board to keep parts of
// it as they are: decoders give a record's texts as parts of one, and whoever keeps
// a part keeps the whole. No text that the board keeps is bounded lower, so that
// it takes no more than if each were by itself. Real records have 150 to 220.
const shared = 256

// long reports whether a record has more text than that.
func (e *Event) long() bool {
	c, l := &e.Call, &e.Leg
	return len(c.ID)+len(c.Name)+len(c.Correlator)+
		len(l.ID)+len(l.Name)+len(l.RemoteParty)+len(l.RemoteAddress)+len(l.Type)+len(l.SubType)+
		len(l.Group)+len(l.Call)+len(l.Reason) > shared
}

// own is the record with each text that may be kept by itself. What is longer than
// the board keeps is copied when it is cut.
func (e *Event) own() *Event {
	o := *e
	for _, text := range []*string{
		&o.Call.ID, &o.Call.Name, &o.Call.Correlator,
		&o.Leg.ID, &o.Leg.Name, &o.Leg.RemoteParty, &o.Leg.RemoteAddress, &o.Leg.Group, &o.Leg.Call, &o.Leg.Reason,
	} {
		*text = strings.Clone(*text)
	}
	return &o
}
