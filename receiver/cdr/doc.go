// Package cdr turns one Call Detail Record document of a Cisco Meeting Server
// into Go values, and such values into a document.
//
// The facts come from Cisco's CDR guides (2.0 to 2.9) and from recorded posts
// of real servers. The package is pure: no I/O, no clock, no goroutine.
//
// # What is refused
//
// A document is taken whole or not at all. It must be one well-formed XML 1.0
// document in UTF-8, with the root <records> and in it a session, which Call
// Bridges always send. Refused, each with a sentinel error, are in particular:
// tags that do not match, repeated or unquoted attributes, a second root or text
// beside it, any DOCTYPE, any entity but XML's own five, references to
// characters that XML forbids, another version or encoding in the declaration,
// an XML declaration that is not at the start, and names of elements and
// attributes that are not ASCII (Cisco's are). Limits bounds the size, the
// depth, the records; the attributes of one tag are bounded too.
//
// An error's text is one line of printable ASCII with the offset of what was
// found. It can go back to the sender and into a log.
//
// # What is accepted
//
// Comments and processing instructions are skipped, CDATA is text, a byte order
// mark at the start is skipped. Record types, elements and attributes that are
// not known are skipped, names with a prefix among them; a record of an unknown
// type is kept for its indexes. So is a record without its object or without
// the object's id. The order of elements does not matter. Only children of
// the object count as its fields, not what is nested deeper. Of a repeated
// element the last counts: of a repeated field its last value, of a repeated
// object in a record the last object alone.
//
// # Values
//
// No value is a reason to refuse a document, but for an empty session:
//
//   - Tab, newline, carriage return and U+0085 become a space, other control
//     characters (DEL, U+0080 to U+009F) become U+FFFD.
//   - Spaces at both ends are cut off. Values longer than Limits.MaxValue are cut
//     at the end of a character.
//   - A number is decimal digits that fit an int64. All else is NoIndex for an
//     index, and 0 for a count or a duration (whole seconds).
//   - A boolean is true or false in any case, 1 or 0. All else is Absent.
//   - A time that is not RFC 3339 is the zero time. All times are UTC.
//   - An <ivr> element counts by its presence, unless it says false or 0.
//
// # Ownership
//
// The strings of a Document own their memory: nothing points into the body that
// was decoded, which the caller may reuse at once. The values of one record
// share one allocation; words that Cisco's guide lists, such as "sip", are
// constants. A Decoder reuses the Records of the Document that it is given, so
// copy a Record out before the next Decode into the same Document. A Decoder is
// for one goroutine at a time; Append is for any number.
package cdr
