package cdr

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Append appends a document in the shape in which Call Bridges send it, and
// returns the extended buffer. A field at its zero value is left out, and so is
// an index that is NoIndex; an end always carries its counts and durations,
// which are whole seconds. Characters that XML cannot hold become U+FFFD.
//
// Decode reads back an equal document if its values are what Decode makes of
// values: trimmed, short, without control characters, each record with the one
// object that its type names.
func Append(dst []byte, doc *Document) []byte {
	dst = append(dst, `<?xml version="1.0"?><records`...)
	dst = appendAttr(dst, "session", doc.Session)
	if doc.CallBridge != "" {
		dst = appendAttr(dst, "callBridge", doc.CallBridge)
	}
	dst = append(dst, '>')
	for i := range doc.Records {
		dst = appendRecord(dst, &doc.Records[i])
	}
	return append(dst, "</records>\n"...)
}

func appendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, "<record"...)
	dst = appendAttr(dst, "type", r.Type.String())
	if !r.Time.IsZero() {
		dst = append(dst, ` time="`...)
		dst = r.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	if r.RecordIndex >= 0 {
		dst = appendNumberAttr(dst, "recordIndex", r.RecordIndex)
	}
	if r.CorrelatorIndex >= 0 {
		dst = appendNumberAttr(dst, "correlatorIndex", r.CorrelatorIndex)
	}
	if r.Missing > 0 {
		dst = appendNumberAttr(dst, "numPreceedingRecordsMissing", r.Missing)
	}
	dst = append(dst, ">\n"...)
	switch r.Type {
	case CallStart, CallEnd:
		dst = appendCall(dst, &r.Call, r.Type == CallEnd)
	case CallLegStart, CallLegUpdate, CallLegEnd:
		dst = appendLeg(dst, &r.Leg, r.Type == CallLegEnd)
	case RecordingStart, RecordingEnd:
		dst = appendMedia(dst, &r.Media, "recording", "path")
	case StreamingStart, StreamingEnd:
		dst = appendMedia(dst, &r.Media, "streaming", "streamUrl")
	}
	return append(dst, "</record>\n"...)
}

func appendCall(dst []byte, c *Call, end bool) []byte {
	dst = appendOpen(dst, "call", c.ID)
	dst = appendText(dst, "name", c.Name)
	dst = appendText(dst, "ownerName", c.OwnerName)
	dst = appendText(dst, "callType", c.Type)
	dst = appendText(dst, "coSpace", c.CoSpace)
	dst = appendText(dst, "tenant", c.Tenant)
	dst = appendText(dst, "cdrTag", c.CdrTag)
	dst = appendText(dst, "callCorrelator", c.Correlator)
	dst = appendCount(dst, "callLegsCompleted", c.LegsCompleted, end)
	dst = appendCount(dst, "callLegsMaxActive", c.LegsMaxActive, end)
	dst = appendCount(dst, "durationSeconds", seconds(c.Duration), end)
	return append(dst, "</call>"...)
}

func appendLeg(dst []byte, l *Leg, end bool) []byte {
	dst = appendOpen(dst, "callLeg", l.ID)
	dst = appendText(dst, "state", l.State)
	dst = appendText(dst, "reason", l.Reason)
	dst = appendFlag(dst, "remoteTeardown", l.RemoteTeardown)
	dst = appendCount(dst, "durationSeconds", seconds(l.Duration), end)
	dst = appendCount(dst, "activatedDuration", seconds(l.ActivatedDuration), end)
	dst = appendFlag(dst, "encryptedMedia", l.EncryptedMedia)
	dst = appendFlag(dst, "unencryptedMedia", l.UnencryptedMedia)
	dst = appendText(dst, "remoteParty", l.RemoteParty)
	dst = appendText(dst, "localAddress", l.LocalAddress)
	dst = appendText(dst, "displayName", l.DisplayName)
	dst = appendText(dst, "type", l.Type)
	dst = appendText(dst, "subType", l.SubType)
	dst = appendText(dst, "lyncSubType", l.LyncSubType)
	dst = appendText(dst, "direction", l.Direction)
	if l.IVR {
		dst = append(dst, "<ivr/>"...)
	}
	dst = appendText(dst, "call", l.Call)
	dst = appendFlag(dst, "deactivated", l.Deactivated)
	dst = appendFlag(dst, "guestConnection", l.GuestConnection)
	dst = appendFlag(dst, "recording", l.Recording)
	dst = appendFlag(dst, "streaming", l.Streaming)
	dst = appendFlag(dst, "canMove", l.CanMove)
	dst = appendText(dst, "ownerId", l.OwnerID)
	dst = appendText(dst, "groupId", l.GroupID)
	dst = appendText(dst, "sipCallId", l.SipCallID)
	dst = appendText(dst, "movedCallLeg", l.MovedCallLeg)
	dst = appendText(dst, "movedCallLegCallBridge", l.MovedCallLegBridge)
	dst = appendText(dst, "replacesSipCallId", l.ReplacesSipCallID)
	dst = appendText(dst, "cdrTag", l.CdrTag)
	dst = appendText(dst, "confirmationStatus", l.ConfirmationStatus)
	dst = appendText(dst, "remoteAddress", l.RemoteAddress)
	return append(dst, "</callLeg>"...)
}

func appendMedia(dst []byte, m *Media, element, url string) []byte {
	dst = appendOpen(dst, element, m.ID)
	dst = appendText(dst, url, m.URL)
	dst = appendText(dst, "call", m.Call)
	dst = appendText(dst, "callLeg", m.Leg)
	return appendClose(dst, element)
}

// seconds rounds a duration down to what a CDR can say.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func appendOpen(dst []byte, element, id string) []byte {
	dst = append(dst, '<')
	dst = append(dst, element...)
	if id != "" {
		dst = appendAttr(dst, "id", id)
	}
	return append(dst, '>')
}

func appendClose(dst []byte, element string) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, element...)
	return append(dst, '>')
}

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, `="`...)
	dst = appendEscaped(dst, value)
	return append(dst, '"')
}

func appendNumberAttr(dst []byte, name string, n int64) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, `="`...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '"')
}

func appendText(dst []byte, element, value string) []byte {
	if value == "" {
		return dst
	}
	dst = appendOpen(dst, element, "")
	dst = appendEscaped(dst, value)
	return appendClose(dst, element)
}

func appendFlag(dst []byte, element string, f Flag) []byte {
	switch f {
	case True:
		return appendText(dst, element, "true")
	case False:
		return appendText(dst, element, "false")
	}
	return dst
}

// appendCount writes a number that is not zero, or any if always is set.
func appendCount(dst []byte, element string, n int64, always bool) []byte {
	if n <= 0 && !always {
		return dst
	}
	dst = appendOpen(dst, element, "")
	dst = strconv.AppendInt(dst, max(n, 0), 10)
	return appendClose(dst, element)
}

// appendEscaped writes a value for text and for attributes alike.
func appendEscaped(dst []byte, value string) []byte {
	for _, r := range value {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\'':
			dst = append(dst, "&apos;"...)
		case r == '\t', r == '\n', r == '\r':
			dst = append(dst, "&#"...)
			dst = strconv.AppendInt(dst, int64(r), 10)
			dst = append(dst, ';')
		case !legalChar(r):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
