package receiver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callmark/policy"
)

// watchedBoard is a real board that counts the documents of each session.
type watchedBoard struct {
	*policy.Board
	mu       sync.Mutex
	sessions map[string]int
	order    []int64 // indexes, as they came
}

func newWatchedBoard() *watchedBoard {
	return &watchedBoard{Board: policy.NewBoard(policy.Options{}), sessions: map[string]int{}}
}

func (b *watchedBoard) Apply(now time.Time, src policy.Source, events []policy.Event) policy.Applied {
	b.mu.Lock()
	b.sessions[src.Session]++
	for _, e := range events {
		b.order = append(b.order, e.Index)
	}
	b.mu.Unlock()
	return b.Board.Apply(now, src, events)
}

// documents is how many have come in all, and how many of one session.
func (b *watchedBoard) documents(session string) (all, its int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.sessions {
		all += n
	}
	return all, b.sessions[session]
}

// hiding is the session of documents that are hidden in other requests.
const hiding = "5e55105e-0000-4000-8000-000000000001"

// smuggled is a request that must never be read as one.
var smuggled = posting(callStart(hiding, 0))

func callStart(session string, index int) string {
	return fmt.Sprintf(`<records session="%s"><record type="callStart" correlatorIndex="%d"><call id="%08d-0000-4000-8000-000000000000"><name>n</name></call></record></records>`, session, index, index)
}

// marker is a request behind an attack, by whose answer an open connection is
// known.
const marker = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Marker: 1\r\n\r\n"

// outcome reads the answers to all that was sent: their statuses, and whether
// the connection was closed after them. One that is open has answered marker.
func (w *wire) outcome(answers int) (statuses []int, closed bool) {
	w.t.Helper()
	for len(statuses) < answers || answers < 0 {
		resp, err := http.ReadResponse(w.r, nil)
		if err != nil {
			if os.IsTimeout(err) {
				w.t.Errorf("neither an answer nor an end after %v", statuses)
			}
			return statuses, true
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			w.t.Errorf("an answer that is cut off: %v", err)
		}
		if resp.StatusCode != http.StatusContinue && resp.ContentLength < 0 {
			w.t.Errorf("an answer without a length: %v", resp.Header)
		}
		statuses = append(statuses, resp.StatusCode)
	}
	return statuses, false
}

// attack is something sent, and what must come back.
type attack struct {
	name    string
	send    string
	answers []int // statuses; the last may be that of marker
	closed  bool  // the connection, after them
	applied int   // documents that the board gets
}

// opened and closed are attacks that get one answer, by what becomes of the
// connection.
func opened(name, send string, status int) attack {
	a := attack{name: name, send: send + marker, answers: []int{status, 200}}
	if status == 200 {
		a.applied = 1
	}
	return a
}

func closed(name, send string, status int) attack {
	return attack{name: name, send: send, answers: []int{status}, closed: true}
}

// head is a post with these header lines, each with its end.
func head(lines string) string { return "POST /cdr HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" }

// framings are requests that two readers could cut in different places. Each
// hides another request.
func framings() []attack {
	n := len(smuggled)
	te, cl := "Transfer-Encoding: chunked\r\n", "Content-Length: %d\r\n"
	inChunks := "0\r\n\r\n" + smuggled
	var all []attack
	for name, lines := range map[string]string{
		"CL.TE":                       fmt.Sprintf(cl, len(inChunks)) + te,
		"TE.CL":                       te + fmt.Sprintf(cl, 5),
		"TE.CL, zero":                 te + fmt.Sprintf(cl, 0),
		"TE.TE":                       te + te,
		"TE.TE, other":                te + "Transfer-Encoding: x\r\n",
		"TE.TE, identity first":       "Transfer-Encoding: identity\r\n" + te,
		"TE, unknown":                 "Transfer-Encoding: xchunked\r\n",
		"TE, list":                    "Transfer-Encoding: gzip, chunked\r\n",
		"TE, twice in one":            "Transfer-Encoding: chunked, chunked\r\n",
		"TE, quoted":                  "Transfer-Encoding: \"chunked\"\r\n",
		"TE, vertical tab":            "Transfer-Encoding: \vchunked\r\n",
		"TE, identity":                "Transfer-Encoding: identity\r\n",
		"TE, identity, CL":            "Transfer-Encoding: identity\r\n" + fmt.Sprintf(cl, n),
		"TE, empty":                   "Transfer-Encoding:\r\n",
		"TE, space before the colon":  "Transfer-Encoding : chunked\r\n",
		"TE, tab before the colon":    "Transfer-Encoding\t: chunked\r\n",
		"TE, space in the name":       "Transfer Encoding: chunked\r\n",
		"TE, folded":                  "Transfer-Encoding:\r\n chunked\r\n",
		"TE, in another's fold":       "X: y\r\n Transfer-Encoding: chunked\r\n",
		"TE, bare LF":                 "X: y\nTransfer-Encoding: chunked\r\n",
		"TE, bare CR":                 "X: y\rTransfer-Encoding: chunked\r\n",
		"TE, NUL in the name":         "Transfer-Encoding\x00: chunked\r\n",
		"TE, NUL in the value":        "Transfer-Encoding: chunked\x00\r\n",
		"TE, letters beyond ASCII":    "Transfer-Encod\u0131ng: chunked\r\n",
		"CL twice":                    fmt.Sprintf(cl, 0) + fmt.Sprintf(cl, n),
		"CL twice, alike":             fmt.Sprintf(cl, n) + fmt.Sprintf(cl, n),
		"CL, list":                    "Content-Length: 0, 0\r\n",
		"CL, plus":                    "Content-Length: +0\r\n",
		"CL, negative":                "Content-Length: -1\r\n",
		"CL, hexadecimal":             "Content-Length: 0x10\r\n",
		"CL, fraction":                "Content-Length: 0.0\r\n",
		"CL, exponent":                "Content-Length: 1e1\r\n",
		"CL, underscore":              "Content-Length: 1_0\r\n",
		"CL, empty":                   "Content-Length:\r\n",
		"CL, spaces inside":           "Content-Length: 0 0\r\n",
		"CL, beyond int64":            "Content-Length: 99999999999999999999\r\n",
		"CL, wraps to 0":              "Content-Length: 18446744073709551616\r\n",
		"CL, space before the colon":  "Content-Length : 0\r\n",
		"CL, folded":                  "Content-Length:\r\n 0\r\n",
		"CL, bare LF before":          "X: y\nContent-Length: 0\r\n",
		"CL, NUL":                     "Content-Length: 0\x00\r\n",
		"header that begins folded":   " X: y\r\nContent-Length: 0\r\n",
		"header folded by a tab":      "X: y\r\n\tz\r\nContent-Length: 0\r\n",
		"header without a colon":      "X\r\nContent-Length: 0\r\n",
		"header without a name":       ": y\r\nContent-Length: 0\r\n",
		"header with a control":       "X: \x01\r\nContent-Length: 0\r\n",
		"header with a NUL":           "X: a\x00b\r\nContent-Length: 0\r\n",
		"two hosts":                   "Host: y\r\nContent-Length: 0\r\n",
		"two hosts, alike":            "Host: x\r\nContent-Length: 0\r\n",
		"CL, all lines by LF":         "X: y\nContent-Length: 0\n",
		"end of the header by LF, CL": "Content-Length: 0\r\n\n",
	} {
		body := smuggled
		if strings.Contains(lines, "hunked") {
			body = inChunks
		}
		all = append(all, closed(name, head(lines)+body, 400))
	}
	chunks := head(te)
	return append(all,
		closed("TE in HTTP/1.0", strings.Replace(chunks, "1.1", "1.0", 1)+inChunks, 400),
		closed("chunk, negative", chunks+"-1\r\n"+smuggled, 400),
		closed("chunk, 0x", chunks+"0x0\r\n\r\n"+smuggled, 400),
		closed("chunk, plus", chunks+"+0\r\n\r\n"+smuggled, 400),
		closed("chunk, empty size", chunks+"\r\n\r\n"+smuggled, 400),
		closed("chunk, beyond 64 bits", chunks+"10000000000000000\r\n"+smuggled, 400),
		closed("chunk, all ones", chunks+"ffffffffffffffff\r\n"+smuggled, 400),
		closed("chunk, LF after its size", chunks+"0\n\r\n"+smuggled, 400),
		closed("chunk, LF in an extension", chunks+"0;x\n\r\n\r\n"+smuggled, 400),
		closed("chunk, CR alone", chunks+"0\r\r\n"+smuggled, 400),
		closed("chunk, longer than its size", chunks+"1\r\n<re\r\n0\r\n\r\n"+smuggled, 400),
		closed("chunk, space before its size", chunks+" 0\r\n\r\n"+smuggled, 400),
		closed("trailer, length", chunks+"0\r\nContent-Length: 5\r\n\r\n"+smuggled, 400),
		closed("trailer, encoding", chunks+"0\r\nTransfer-Encoding: chunked\r\n\r\n"+smuggled, 400),
		closed("trailer, host", chunks+"0\r\nHost: x\r\n\r\n"+smuggled, 400),
		closed("trailer, folded from the start", chunks+"0\r\n X: y\r\n\r\n"+smuggled, 400),
		closed("trailer, endless", chunks+"0\r\n"+strings.Repeat("X: y\r\n", 4000), 400),
		// Hidden in a body: that is read to its end, whatever becomes of it.
		opened("in the body of a get", strings.Replace(head(fmt.Sprintf(cl, n)), "POST", "GET", 1)+smuggled, 405),
		opened("in a body for another path", strings.Replace(head(fmt.Sprintf(cl, n)), "/cdr", "/x", 1)+smuggled, 404),
		attack{"in the chunks of another get", strings.Replace(strings.Replace(chunked(smuggled, 50), "POST", "GET", 1), "/cdr", "/healthz", 1) + marker, []int{200, 200}, false, 0},
		opened("in a body", posting(smuggled), 400),
		opened("in a chunk's extension", chunks+"16;"+strings.Repeat("x", 100)+"\r\n<records session=\"s\"/>\r\n0\r\n\r\n", 200),
		attack{"CL too short", head(fmt.Sprintf(cl, 10)) + callStart(hiding, 0), []int{400, 400}, true, 0},
		attack{"CL too short, then a request", head(fmt.Sprintf(cl, 10)) + "<records/>x" + smuggled + marker, []int{400, 405, 200}, false, 0},
	)
}

// requests are attacks by what is before the body.
func requests() []attack {
	empty := `<records session="s"/>`
	request := func(line, lines string) string {
		return line + "\r\nHost: x\r\n" + lines + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(empty), empty)
	}
	all := []attack{
		closed("a long header", head("X: "+strings.Repeat("x", 9000)+"\r\n"), 431),
		closed("a header without an end", "POST /cdr HTTP/1.1\r\nX: "+strings.Repeat("x", 500_000), 431),
		closed("a thousand headers", head(strings.Repeat("x:\r\n", 1000)), 431),
		closed("more than a buffer of headers", head(strings.Repeat("x:\r\n", 100_000)), 431),
		{"lines without an end", strings.Repeat("\r\n", 100_000), nil, true, 0},
		closed("a long path", request("POST /"+strings.Repeat("x", 9000)+" HTTP/1.1", ""), 431),
		closed("a long method", strings.Repeat("X", 9000), 431),
		opened("a line before it", "\r\n"+request("POST /cdr HTTP/1.1", ""), 200),

		closed("HTTP/0.9", "GET /healthz\r\n\r\n", 400),
		closed("HTTP/0.9, post", "POST /cdr\r\n\r\n"+empty, 400),
		closed("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
		closed("HTTP/2 in words", request("POST /cdr HTTP/2.0", ""), 505),
		closed("HTTP/1.2", request("POST /cdr HTTP/1.2", ""), 505),
		closed("HTTP/9.9", request("POST /cdr HTTP/9.9", ""), 505),
		closed("HTTP/1.10", request("POST /cdr HTTP/1.10", ""), 400),
		closed("http/1.1", request("POST /cdr http/1.1", ""), 400),
		closed("no version", request("POST /cdr ", ""), 400),
		closed("two spaces", request("POST  /cdr HTTP/1.1", ""), 400),
		closed("a tab", request("POST\t/cdr HTTP/1.1", ""), 400),
		closed("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
		closed("SSH", "SSH-2.0-OpenSSH_9.6\r\n", 400),
		closed("no host", "POST /cdr HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
		closed("a host that is none", "POST /cdr HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n", 400),
		{"HTTP/1.0", strings.Replace(posting(empty), "1.1", "1.0", 1), []int{200}, true, 1},
		{"HTTP/1.0 without a host", fmt.Sprintf("POST /cdr HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(empty), empty), []int{200}, true, 1},
		opened("HTTP/1.0, kept alive", request("POST /cdr HTTP/1.0", "Connection: keep-alive\r\n"), 200),
		{"close", request("POST /cdr HTTP/1.1", "Connection: close\r\n") + smuggled, []int{200}, true, 1},
		opened("upgrade", request("POST /cdr HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), 200),
		opened("addresses of others", request("POST /cdr HTTP/1.1", "X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n"), 200),
		opened("another method on top", request("POST /cdr HTTP/1.1", "X-HTTP-Method-Override: DELETE\r\n"), 200),

		{"expect", request("POST /cdr HTTP/1.1", "Expect: 100-continue\r\n") + marker, []int{100, 200, 200}, false, 1},
		{"expect, too large", head("Expect: 100-continue\r\nContent-Length: 200001\r\n") + strings.Repeat("x", 200_001) + marker, []int{100, 413, 200}, false, 0},
		opened("expect something else", request("POST /cdr HTTP/1.1", "Expect: 200-ok\r\n"), 200),

		closed("CONNECT", "CONNECT cms1.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		opened("OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		closed("a bare word", request("POST cdr HTTP/1.1", ""), 400),
		closed("an asterisk", request("POST * HTTP/1.1", ""), 400),
		opened("an URI in full", request("POST http://callmark.example/cdr HTTP/1.1", ""), 200),
		opened("an URI of elsewhere", request("POST http://user:x@192.0.2.1:80/cdr?x HTTP/1.1", ""), 200),
		opened("an URI of another scheme", request("POST file:///cdr HTTP/1.1", ""), 200),
		closed("a bad scheme", request("POST 1http://x/cdr HTTP/1.1", ""), 400),
		closed("a fragment", request("POST /cdr#x HTTP/1.1", ""), 400),
		closed("a fragment behind a query", request("POST /cdr?x#y HTTP/1.1", ""), 400),
		closed("a NUL in the path", request("POST /cdr\x00 HTTP/1.1", ""), 400),
		closed("a backslash", request(`POST \cdr HTTP/1.1`, ""), 400),
		opened("a query", request("POST /cdr?a=b&a=%00&%zz HTTP/1.1", ""), 200),
		opened("a query with a path", request("POST /cdr?/../x HTTP/1.1", ""), 200),
	}
	for _, path := range []string{
		"//cdr", "/cdr/", "/cdr//", "/./cdr", "/x/../cdr", "/../cdr", "/..//cdr", "/%2e/cdr", "/x/%2e%2e/cdr", "/%2fcdr", "/%63dr", "/cd%72",
		"/cdr%00", "/cdr%20", "/cdr;x", "/cdr/.", "/cdr/x/..", "/cdr%3fx", "/CDR", "/healthz/../cdr", "/cdr/../healthz/x", "/%", "/%zz", "//x/cdr", "/\xff",
	} {
		all = append(all, opened("path "+path, request("POST "+path+" HTTP/1.1", ""), 404))
	}
	for _, method := range []string{"post", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "QUERY", "PROPFIND", "POSTPOST", "P", "A!#$%&'*+-.^_`|~9", strings.Repeat("M", 4000)} {
		all = append(all, opened("method "+method[:min(len(method), 20)], request(method+" /cdr HTTP/1.1", ""), 405))
	}
	for _, method := range []string{"PO\x00ST", "PO(ST", "P\xc3\x96ST", ":", ""} {
		all = append(all, closed(fmt.Sprintf("method %q", method), request(method+" /cdr HTTP/1.1", ""), 400))
	}
	return all
}

// bodies are attacks by the document itself. The receiver takes 200,000 bytes.
func bodies() []attack {
	in := func(s string) string { return `<records session="s">` + s + `</records>` }
	encoded := func(as, body string) string {
		return head(fmt.Sprintf("Content-Encoding: %s\r\nContent-Length: %d\r\n", as, len(body))) + body
	}
	gzipped := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + strings.Repeat("\x00", 100)
	var all []attack
	for name, body := range map[string]string{
		"entities that multiply": `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + in("&b;"),
		"an entity of a file":    `<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + in("<record>&f;</record>"),
		"an external DTD":        `<!DOCTYPE records SYSTEM "http://192.0.2.1/x.dtd">` + in(""),
		"an unknown entity":      in("&nbsp;"),
		"a million references":   in(strings.Repeat("&#65;", 30_000) + "&#0;"),
		"deep":                   in(strings.Repeat("<x>", 16) + strings.Repeat("</x>", 16)),
		"deep without an end":    `<records session="s">` + strings.Repeat("<x>", 60_000),
		"many records":           in(strings.Repeat("<record/>", 10_001)),
		"many attributes":        in("<record " + attributes(65) + "/>"),
		"an attribute twice":     in(`<record type="a" type="b"/>`),
		"bad UTF-8":              in("<record>\xc0\xaf</record>"),
		"half a character":       in("\xe2\x82"),
		"surrogates":             in("\xed\xa0\x80"),
		"a NUL":                  in("\x00"),
		"UTF-16":                 "\xff\xfe<\x00r\x00/\x00>\x00",
		"another encoding":       `<?xml version="1.0" encoding="UTF-7"?>` + in(""),
		"XML 1.1":                `<?xml version="1.1"?>` + in(""),
		"two documents":          in("") + in(""),
		"text behind it":         in("") + "x",
		"without an end":         strings.TrimSuffix(in(""), ">"),
		"a comment without end":  in("<!--" + strings.Repeat("-x", 50_000)),
		"CDATA without end":      in("<![CDATA[" + strings.Repeat("]", 50_000)),
		"a tag without end":      in("<" + strings.Repeat("x", 100_000)),
		"not records":            "<html><body>hello</body></html>",
		"JSON":                   `{"records": []}`,
		"nothing":                "",
		"spaces":                 strings.Repeat(" ", 100_000),
		"gzip, not said":         gzipped,
	} {
		all = append(all, opened(name, posting(body), 400))
	}
	for name, body := range map[string]string{
		"as deep as may be":       in(strings.Repeat("<x>", 15) + strings.Repeat("</x>", 15)),
		"as many records":         in(strings.Repeat("<record/>", 10_000)),
		"as many attributes":      in("<record " + attributes(64) + "/>"),
		"as large":                in(strings.Repeat(" ", 200_000-len(in("")))),
		"an attribute of 150 KB":  in(`<record type="` + strings.Repeat("x", 150_000) + `"/>`),
		"a name of 150 KB":        in("<" + strings.Repeat("x", 150_000) + "/>"),
		"fields without end":      in(`<record type="callEnd"><call id="c">` + strings.Repeat("<name/>", 20_000) + `</call></record>`),
		"a comment of 150 KB":     in("<!--" + strings.Repeat("x", 150_000) + "-->"),
		"a session of 150 KB":     `<records session="` + strings.Repeat("s", 150_000) + `"/>`,
		"indexes out of all sort": in(`<record correlatorIndex="-1"/><record correlatorIndex="9223372036854775808"/><record recordIndex="1e9"/>`),
	} {
		all = append(all, opened(name, posting(body), 200))
	}
	return append(all,
		opened("one byte too many", posting(in(strings.Repeat(" ", 200_001-len(in(""))))), 413),
		opened("chunks, too many", chunked(strings.Repeat("x", 300_000), 4096), 413),
		opened("a chunk, too large", chunked(strings.Repeat("y", 300_000), 300_000), 413),
		opened("a thousand chunks", chunked(in(strings.Repeat(" ", 1000)), 1), 200),
		opened("gzip", encoded("gzip", gzipped+"1"), 415),
		opened("deflate", encoded("deflate", "\x78\x9c\x03\x00\x00\x00\x00\x01"), 415),
		opened("br", encoded("br", "\x3b"), 415),
		opened("twice gzip", encoded("gzip, gzip", gzipped+"2"), 415),
		opened("identity", encoded("identity", in("")), 200),
	)
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `a%d="" `, i)
	}
	return b.String()
}

// flat fails the test when more is reachable, or more runs, after f than before
// it. Four MiB are for what is remembered of senders on purpose: their refused
// documents, causes and addresses, the board's journal, and ended goroutines that
// the runtime keeps for the next.
func flat(t *testing.T, s *Server, f func()) {
	t.Helper()
	const margin = 4 << 20
	heap, routines := reachable(), runtime.NumGoroutine()
	f()
	until(t, "no connection is left", func() bool { return s.Stats().Connections == 0 })
	var after int
	until(t, "no goroutine is left", func() bool { after = runtime.NumGoroutine(); return after <= routines })
	grown := reachable() - heap
	t.Logf("goroutines %d before, %d after; heap %+d KiB", routines, after, grown>>10)
	if grown > margin {
		t.Errorf("%d KiB more are reachable than before", grown>>10)
	}
}

// reachable is the memory that is in use, in bytes. What pools hold goes with
// the second collection.
func reachable() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestHostile sends every attack there is, each on a connection of its own, to
// one receiver: the answers are those that are due, nothing that was hidden is
// taken, and nothing stays behind.
func TestHostile(t *testing.T) {
	b := newWatchedBoard()
	s := start(t, b, Options{MaxBody: 200_000, MaxRecords: 10_000, RefusedDir: t.TempDir()})
	good := func() {
		t.Helper()
		if status, text := post(t, s, callStart("good", 0)); status != 200 {
			t.Fatalf("a good document: %d %s", status, text)
		}
	}
	good()
	records := b.Since(0).Totals
	flat(t, s, func() {
		for kind, attacks := range map[string][]attack{"framing": framings(), "request": requests(), "body": bodies()} {
			t.Run(kind, func(t *testing.T) {
				for _, a := range attacks {
					before, _ := b.documents("")
					w := dial(t, s)
					sent := make(chan struct{})
					go func() { // it may be cut off before all is sent
						defer close(sent)
						_, _ = io.WriteString(w, a.send)
						if a.closed {
							_ = w.Conn.(*net.TCPConn).CloseWrite()
						}
					}()
					want := len(a.answers)
					if a.closed {
						want = -1
					}
					statuses, closed := w.outcome(want)
					<-sent
					w.Close()
					if !slices.Equal(statuses, a.answers) || closed != a.closed {
						t.Errorf("%s: got %v, closed %v; want %v, closed %v", a.name, statuses, closed, a.answers, a.closed)
					}
					if after, hidden := b.documents(hiding); hidden != 0 || after-before != a.applied {
						t.Errorf("%s: %d documents taken, %d of them hidden ones; want %d", a.name, after-before, hidden, a.applied)
						b.mu.Lock()
						delete(b.sessions, hiding)
						b.mu.Unlock()
					}
				}
			})
		}
		good()
	})
	if got := b.Since(0).Totals; got.Calls != records.Calls || got.Meetings != records.Meetings || got.Legs != records.Legs {
		t.Errorf("the board has %+v, had %+v", got, records)
	}
	if got := s.Stats(); got.Panics != 0 {
		t.Errorf("stats %+v", got)
	}
}

// TestPipeline posts hundreds of documents at once, good ones and others: all
// are answered, in their order, and applied in it.
func TestPipeline(t *testing.T) {
	b := newWatchedBoard()
	s := start(t, b, Options{})
	flat(t, s, func() {
		w := dial(t, s)
		var all strings.Builder
		var want []int
		var order []int64
		for i := range 600 {
			switch i % 4 {
			case 0, 1:
				all.WriteString(posting(callStart("s", i)))
				order = append(order, int64(i))
				want = append(want, 200)
			case 2:
				all.WriteString(chunked(fmt.Sprintf("<x%d>", i), 2))
				want = append(want, 400)
			case 3:
				all.WriteString("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
				want = append(want, 404)
			}
		}
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(w, all.String())
			_ = w.Conn.(*net.TCPConn).CloseWrite()
			sent <- err
		}()
		got, closed := w.outcome(-1)
		if err := <-sent; err != nil || !closed || !slices.Equal(got, want) {
			t.Errorf("sent %v, closed %v, %d answers %v", err, closed, len(got), got)
		}
		if !slices.Equal(b.order, order) {
			t.Errorf("applied in the order %v", b.order)
		}
		b.order = nil
	})
	if got := b.Since(0).Totals; got.Records != 300 {
		t.Errorf("%+v", got)
	}
}

// TestHalfClosed has senders that say that they are done and wait: they are
// answered.
func TestHalfClosed(t *testing.T) {
	b := newWatchedBoard()
	s := start(t, b, Options{})
	flat(t, s, func() {
		for name, request := range map[string]string{"length": posting(callStart("s", 0)), "chunks": chunked(callStart("s", 1), 10)} {
			w := dial(t, s)
			w.send(request)
			_ = w.Conn.(*net.TCPConn).CloseWrite()
			if got, closed := w.outcome(-1); !slices.Equal(got, []int{200}) || !closed {
				t.Errorf("%s: %v, closed %v", name, got, closed)
			}
			w.Close()
		}
	})
}

// TestDripping has senders that never stop, a little at a time: when a
// request's time is over it is over.
func TestDripping(t *testing.T) {
	b := newWatchedBoard()
	s := start(t, b, Options{ReadTimeout: 100 * time.Millisecond, WriteTimeout: 100 * time.Millisecond, MaxBody: 200_000})
	flat(t, s, func() {
		document := posting(`<records session="` + hiding + `">` + strings.Repeat(" ", 5000) + `</records>`)
		body := strings.Index(document, "<records")
		for _, test := range []struct {
			name   string
			first  string
			drip   string        // again and again
			pause  time.Duration // between two
			status int
		}{
			{"header, byte by byte", "", document[:body-4], 5 * time.Millisecond, 408},
			{"headers, one by one", "POST /cdr HTTP/1.1\r\nHost: x\r\n", "X: y\r\n", 5 * time.Millisecond, 408},
			{"lines before a request", "", "\r\n", 5 * time.Millisecond, 0},
			{"body, byte by byte", document[:body], document[body:], 5 * time.Millisecond, 408},
			{"chunks, byte by byte", head("Transfer-Encoding: chunked\r\n"), "1\r\n \r\n", 5 * time.Millisecond, 408},
			{"a chunk's size without end", head("Transfer-Encoding: chunked\r\n") + "5;", "x", 5 * time.Millisecond, 408},
			{"trailers without end", head("Transfer-Encoding: chunked\r\n") + "0\r\n", "X: y\r\n", 5 * time.Millisecond, 408},
			{"chunks without end", head("Transfer-Encoding: chunked\r\n"), "1000\r\n" + strings.Repeat("x", 4096) + "\r\n", 0, 413},
			{"the largest chunk there is", head("Transfer-Encoding: chunked\r\n") + "7fffffffffffff\r\n", strings.Repeat("y", 4096), 0, 413},
			{"the largest length there is", head("Content-Length: 9223372036854775807\r\n"), strings.Repeat("x", 4096), 0, 413},
		} {
			w := dial(t, s)
			status := dripping(w, test.first, test.drip, test.pause)
			if status != test.status {
				t.Errorf("%s: got %d, want %d", test.name, status, test.status)
			}
			if !w.ended() {
				t.Errorf("%s: the connection goes on", test.name)
			}
			w.Close()
		}
		// Who reads no answers is not waited for.
		w := dial(t, s)
		request := strings.Repeat("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 1000)
		var err error
		for n := 0; err == nil; n++ {
			if n > 10_000 {
				t.Fatal("it takes requests without end, and no answer is read")
			}
			_, err = io.WriteString(w, request)
		}
		if os.IsTimeout(err) {
			t.Error("the connection of one that reads no answers goes on")
		}
		w.Close()
	})
	if all, _ := b.documents(""); all != 0 {
		t.Errorf("%d documents taken", all)
	}
}

// dripping sends until an answer comes, and returns its status, 0 for an end
// without one.
func dripping(w *wire, first, drip string, pause time.Duration) int {
	w.t.Helper()
	w.send(first)
	stop := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		var tick <-chan time.Time
		pieces := []string{drip}
		if pause > 0 {
			t := time.NewTicker(pause)
			defer t.Stop()
			tick = t.C
			pieces = strings.SplitAfter(drip, "")
		}
		for i := 0; ; i++ {
			if tick != nil {
				select {
				case <-tick:
				case <-stop:
					return
				}
			}
			if _, err := io.WriteString(w, pieces[i%len(pieces)]); err != nil {
				return
			}
		}
	}()
	resp, err := http.ReadResponse(w.r, nil)
	close(stop)
	if err != nil {
		w.Close()
		<-over
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	<-over
	return resp.StatusCode
}

// crowd opens n more connections, 200 from each of many addresses of the
// loopback.
func crowd(t *testing.T, s *Server, conns []net.Conn, n int) []net.Conn {
	t.Helper()
	for range n {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(len(conns)/200+1))}}
		c, err := d.Dial("tcp", s.Addr())
		if err != nil {
			t.Skipf("connection %d: %v", len(conns), err)
		}
		conns = append(conns, c)
	}
	return conns
}

// TestIdleCrowd opens 10,000 connections that say nothing: the bound holds, and
// a Call Bridge is answered all the while.
func TestIdleCrowd(t *testing.T) {
	const n, step = 10_000, 500
	needFiles(t, n+1500)
	s := start(t, newWatchedBoard(), Options{MaxConnsPerSource: 256})
	flat(t, s, func() {
		var conns []net.Conn
		defer func() {
			for _, c := range conns {
				c.Close()
			}
		}()
		for len(conns) < n {
			conns = crowd(t, s, conns, step)
			if status, _ := post(t, s, callStart("s", 0)); status != 200 {
				t.Fatalf("a Call Bridge beside %d idle connections: %d", len(conns), status)
			}
			if got := s.Stats(); got.Connections > 1024 || got.Refused != 0 {
				t.Fatalf("stats %+v", got)
			}
		}
	})
}
