package ui

import (
	"time"

	"callmark/policy"
)

// sign says what has just become of a row: a shape in front of it, for signFor.
// The greater one is not covered by a lesser.
type sign uint8

const (
	signNone    sign = iota
	signChanged      // something else than the level
	signNew          // it was not there before
	signFall         // the level has become more trusted
	signRise         // the level has become less trusted
)

// signFor is how long a sign stays.
const signFor = 2 * time.Second

// note gives a row its sign; a lesser one does not take the place of a greater
// that is still to be seen.
func (x *row[K, R]) note(s sign, now time.Time) {
	if s == signNone || s < x.sign && now.Before(x.signUntil) {
		return
	}
	x.sign, x.signUntil = s, now.Add(signFor)
}

// signNow is the sign that a row has at a moment.
func (x *row[K, R]) signNow(now time.Time) sign {
	if x.sign != signNone && now.Before(x.signUntil) {
		return x.sign
	}
	return signNone
}

// signGlyph is a sign's shape and colour.
func signGlyph(s sign, p *palette, g *glyphs) (string, style) {
	switch s {
	case signRise:
		return g.up, p.bad
	case signFall:
		return g.down, p.good
	case signNew:
		return "+", p.bold
	case signChanged:
		return "~", p.faint
	}
	return " ", ""
}

// meetingSign compares a meeting with what it was; nil: it was not there.
func meetingSign(old, now *policy.MeetingView) sign {
	switch {
	case old == nil:
		return signNew
	case now.Computed > old.Computed:
		return signRise
	case now.Computed < old.Computed:
		return signFall
	case badness(now) != badness(old), (now.Unverified == "") != (old.Unverified == ""), now.People != old.People, now.Name != old.Name,
		now.State != old.State && (now.State == policy.StateFailed || old.State == policy.StateFailed),
		(now.Override == nil) != (old.Override == nil), (now.Fallen == nil) != (old.Fallen == nil),
		now.Override != nil && *now.Override != *old.Override:
		return signChanged
	}
	return signNone
}
