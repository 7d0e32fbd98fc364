package simulator

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	permanent = "permanent"
	// longestText is the most characters that a screen shows; above, nothing.
	longestText = 255
)

// Screen is what the participants of a call see of its message.
type Screen struct {
	Text     string
	Position string // top, middle or bottom
	Duration string // as set: seconds, or permanent
	Visible  bool   // there is a text, its time is not over, and the call runs
}

// Put is one write of a call's message through the API.
type Put struct {
	Time     time.Time
	CallID   string
	Text     string // the message after the write
	Position string
	Duration string
	Truth    int // the level of the call's meeting at that moment, see Cluster.Truth
}

// message is a call's message with its expiry.
type message struct {
	text     string
	position string
	duration string
	until    time.Time // when the duration is a number of seconds
}

func newMessage() message { return message{position: "middle", duration: "0"} }

// setDuration sets a valid duration, which runs from now on.
func (m *message) setDuration(duration string, now time.Time) {
	m.duration = duration
	m.until = time.Time{}
	if n, err := strconv.Atoi(duration); err == nil {
		m.until = now.Add(time.Duration(n) * time.Second)
	}
}

// visible tells whether the message shows.
func (m *message) visible(now time.Time) bool {
	return m.text != "" && utf8.RuneCountInString(m.text) <= longestText &&
		(m.duration == permanent || now.Before(m.until))
}

// remaining is the time in whole seconds for which the message still shows.
func (m *message) remaining(now time.Time) int {
	if m.duration == permanent || !now.Before(m.until) {
		return 0
	}
	return int((m.until.Sub(now) + time.Second - 1) / time.Second)
}

// Screen returns what the screens of a call show now; ok is false for a call
// that is not known.
func (b *Bridge) Screen(callID string) (screen Screen, ok bool) {
	defer b.lock()()
	call := b.call(callID)
	if call == nil {
		return Screen{}, false
	}
	return call.show(), true
}

// Screen returns what the screens of the call show now.
func (call *Call) Screen() Screen {
	defer call.bridge.lock()()
	return call.show()
}

func (call *Call) show() Screen {
	m := &call.screen
	visible := !call.over && m.visible(call.bridge.cluster.now())
	return Screen{Text: m.text, Position: m.position, Duration: m.duration, Visible: visible}
}

// Puts returns the writes of a call's message through the API, oldest first.
// The last 1000 writes of each call are kept, and of each Call Bridge the last
// 1000 ended calls.
func (b *Bridge) Puts(callID string) []Put {
	defer b.lock()()
	call := b.call(callID)
	if call == nil {
		return nil
	}
	return append([]Put(nil), call.puts...)
}

// Puts: see Bridge.Puts.
func (call *Call) Puts() []Put { return call.bridge.Puts(call.id) }

// Overwrite changes the message as another tool would. It is no Put.
func (call *Call) Overwrite(text, position, duration string) {
	defer call.bridge.lock()()
	call.screen.text = text
	call.screen.position = position
	call.screen.setDuration(duration, call.bridge.cluster.now())
	call.bridge.cluster.touch()
}

// put notes a write.
func (call *Call) put() {
	call.changed = call.bridge.change()
	call.puts = append(call.puts, Put{
		Time: call.bridge.cluster.now(), CallID: call.id,
		Text: call.screen.text, Position: call.screen.position, Duration: call.screen.duration,
		Truth: call.truthLevel(),
	})
	if len(call.puts) > 2*keepPuts {
		call.puts = append([]Put(nil), call.puts[len(call.puts)-keepPuts:]...)
	}
	call.bridge.cluster.touch()
}
