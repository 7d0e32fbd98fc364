package simulator

import "callmark/receiver/cdr"

// Media is a recording or a stream of a call.
type Media struct {
	call  *Call
	media cdr.Media
	end   cdr.Type
	over  bool // guarded by cluster.mu
}

// Record starts a recording and emits recordingStart.
func (call *Call) Record(path string) *Media {
	return call.startMedia(path, cdr.RecordingStart, cdr.RecordingEnd)
}

// Stream starts a stream and emits streamingStart.
func (call *Call) Stream(url string) *Media {
	return call.startMedia(url, cdr.StreamingStart, cdr.StreamingEnd)
}

func (call *Call) startMedia(url string, start, end cdr.Type) *Media {
	defer call.bridge.lock()()
	m := &Media{call: call, end: end, media: cdr.Media{ID: call.bridge.cluster.guid(), URL: url, Call: call.id}}
	*m.running()++
	call.bridge.emit(cdr.Record{Type: start, Media: m.media})
	return m
}

// Stop ends the recording or the stream and emits its end.
func (m *Media) Stop() {
	defer m.call.bridge.lock()()
	if m.over || m.call.over {
		return
	}
	m.over = true
	*m.running()--
	m.call.bridge.emit(cdr.Record{Type: m.end, Media: m.media})
}

// running is the call's count of what runs of this kind.
func (m *Media) running() *int {
	if m.end == cdr.RecordingEnd {
		return &m.call.recordings
	}
	return &m.call.streams
}
