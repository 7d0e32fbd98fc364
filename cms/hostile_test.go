package cms

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"callmark/policy"

	"go.uber.org/goleak"
)

// villain is an API server that writes what it likes onto its connections.
type villain struct {
	listener net.Listener
	requests atomic.Int64
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// newVillain serves every request with answer, on a socket of its own; it keeps
// the connection while that returns true. close ends it.
func newVillain(t *testing.T, answer func(c net.Conn, r *http.Request) (keep bool)) *villain {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &villain{listener: l, conns: map[net.Conn]struct{}{}}
	v.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			v.mu.Lock()
			v.conns[c] = struct{}{}
			v.mu.Unlock()
			v.wg.Go(func() {
				defer func() {
					_ = c.Close()
					v.mu.Lock()
					delete(v.conns, c)
					v.mu.Unlock()
				}()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					v.requests.Add(1)
					if !answer(c, r) {
						return
					}
				}
			})
		}
	})
	return v
}

func (v *villain) url() string { return "http://" + v.listener.Addr().String() }

func (v *villain) close() {
	_ = v.listener.Close()
	v.mu.Lock()
	for c := range v.conns {
		_ = c.Close()
	}
	v.mu.Unlock()
	v.wg.Wait()
}

// raw answers with these bytes, as they are.
func raw(text string) func(net.Conn, *http.Request) bool {
	return func(c net.Conn, _ *http.Request) bool {
		_, err := io.WriteString(c, text)
		return err == nil
	}
}

// whole answers with a header and a body of known length.
func whole(status, body string, headers ...string) func(net.Conn, *http.Request) bool {
	head := "HTTP/1.1 " + status + "\r\n"
	for _, h := range headers {
		head += h + "\r\n"
	}
	return raw(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
}

// forever begins with a text and repeats another until nobody takes it.
func forever(begin, again string) func(net.Conn, *http.Request) bool {
	block := strings.Repeat(again, 1+(32<<10)/len(again))
	return func(c net.Conn, _ *http.Request) bool {
		_, err := io.WriteString(c, begin)
		for err == nil {
			_, err = io.WriteString(c, block)
		}
		return false
	}
}

// drip writes one byte at a time, for ever.
func drip(begin string) func(net.Conn, *http.Request) bool {
	return func(c net.Conn, _ *http.Request) bool {
		_, err := io.WriteString(c, begin)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			<-tick.C
			_, err = io.WriteString(c, " ")
		}
		return false
	}
}

// silent writes a text and then nothing until the other side has gone.
func silent(begin string) func(net.Conn, *http.Request) bool {
	return func(c net.Conn, _ *http.Request) bool {
		_, _ = io.WriteString(c, begin)
		_, _ = io.Copy(io.Discard, c)
		return false
	}
}

func zipped(begin, again string, times int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, begin)
	block := []byte(strings.Repeat(again, 1<<10))
	for range times {
		_, _ = z.Write(block)
	}
	_ = z.Close()
	return b.String()
}

// pages answers every page of a list with what page gives for its offset.
func pages(page func(offset int) string) func(net.Conn, *http.Request) bool {
	return func(c net.Conn, r *http.Request) bool {
		offset := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("offset"), &offset)
		return whole("200 OK", page(offset))(c, r)
	}
}

// TestHostileServer lets API servers do their worst on real sockets. Each gets
// an error that names it and says what to do, no attack takes longer than a
// request may or leaves anything behind, and the gate is as it should be: up
// when an API has answered, down or busy when something else has.
func TestHostileServer(t *testing.T) {
	libraryLog(t, io.Discard) // where net/http says what it got unasked
	elsewhere := newVillain(t, whole("200 OK", `<calls total="0"/>`))
	defer elsewhere.close()
	to := "Location: " + elsewhere.url() + "/api/v1/calls"
	const (
		ok   = "HTTP/1.1 200 OK\r\n"
		long = "Content-Length: 1000000\r\n\r\n"
		open = ok + "Transfer-Encoding: chunked\r\n\r\n"
	)
	up, down, busy, locked := policy.ServerUp, policy.ServerDown, policy.ServerBusy, policy.ServerLocked
	for _, a := range []struct {
		name   string
		answer func(net.Conn, *http.Request) bool
		says   string // part of the error
		state  policy.ServerState
	}{
		// What is not the API's.
		{"web page", whole("200 OK", "<html><body>Welcome</body></html>"), "a web page", down},
		{"real web page", whole("200 OK", "<!DOCTYPE html><html><br><body>Welcome</body></html>"), "DOCTYPE", down},
		{"JSON", whole("200 OK", `{"calls":[]}`, "Content-Type: application/json"), "not XML", down},
		{"binary", whole("200 OK", "\x7fELF\x02\x01\x01\x00\xff\xfe"), "what the API does not", down},
		{"text", whole("200 OK", "It works!"), "not XML", down},
		{"nothing", whole("200 OK", ""), "what the API does not", up},
		{"no content", raw("HTTP/1.1 204 No Content\r\n\r\n"), "what the API does not", up},
		{"another list", whole("200 OK", `<callLegs total="0"/>`), "what the API does not", up},
		{"another root", whole("200 OK", `<rss version="2.0"/>`), "what the API does not", up},
		{"failure that succeeds", whole("200 OK", `<failureDetails><callDoesNotExist/></failureDetails>`), "failureDetails with 200", down},
		// Ill XML.
		{"entity bomb", whole("200 OK", `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><calls total="0">&b;</calls>`), "DOCTYPE", down},
		{"outside entity", whole("200 OK", `<!DOCTYPE a SYSTEM "file:///etc/passwd"><calls total="0"/>`), "DOCTYPE", down},
		{"unknown entity", whole("200 OK", `<calls total="0">&pw;</calls>`), "what the API does not", down},
		{"two roots", whole("200 OK", `<calls total="0"/><calls total="0"/>`), "two roots", down},
		{"deep", whole("200 OK", strings.Repeat("<calls>", 100_000)), "nested deeper", down},
		{"wide", whole("200 OK", "<calls>"+strings.Repeat("<a/>", maxNodes+1)+"</calls>"), "elements", down},
		{"attributes", whole("200 OK", attributes(maxEquals+1)), "attributes", down},
		{"attributes of one", whole("200 OK", attributes(maxAttrs+1)), "attributes", down},
		{"stray end", whole("200 OK", `<calls total="0"/></calls>`), "where it has not begun", down},
		{"cut", whole("200 OK", `<calls total="1"><call id="a">`), "ends within call", down},
		{"attribute twice", whole("200 OK", `<calls total="1"><call id="a" id="b"/></calls>`), "twice", down},
		{"long text", whole("200 OK", `<calls total="1"><call id="a"><name>`+strings.Repeat("x", maxAnswer)+`</name></call></calls>`), "bytes", down},
		{"long attribute", whole("200 OK", `<calls total="`+strings.Repeat("9", maxAnswer)+`"/>`), "bytes", down},
		{"other encoding", whole("200 OK", `<?xml version="1.0" encoding="utf-7"?><calls total="0"/>`), "what the API does not", down},
		// Lists.
		{"no id", whole("200 OK", `<calls total="0"><call/></calls>`), "no server gives", up},
		{"id of a path", whole("200 OK", `<calls total="1"><call id="../system"/></calls>`), "no server gives", up},
		{"long ids", pages(func(o int) string {
			return fmt.Sprintf(`<calls total="999999"><call id="%d%s"/></calls>`, o, strings.Repeat("a", 1<<20))
		}), "no server gives", up},
		{"the same page", whole("200 OK", `<calls total="999999"><call id="a"/></calls>`), "repeats the same pages", up},
		{"total that grows", pages(func(o int) string {
			return fmt.Sprintf(`<calls total="%d"><call id="a"/><call id="b"/></calls>`, o+1000)
		}), "repeats the same pages", up},
		{"fresh ids without end", pages(func(o int) string {
			var b strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&b, `<call id="c%d"/>`, o+i)
			}
			return `<calls>` + b.String() + `</calls>`
		}), "more than 100000 entries", up},
		{"heavy pages", pages(func(o int) string {
			return fmt.Sprintf(`<calls total="999999"><call id="c%d"><name>%s</name></call></calls>`, o, strings.Repeat("n", 3<<20))
		}), "bytes", up},
		{"total beyond all numbers", whole("200 OK", `<calls total="99999999999999999999999999"><call id="a"/></calls>`), "repeats the same pages", up},
		// Redirects.
		{"301", whole("301 Moved Permanently", "", to), "redirects to", down},
		{"302", whole("302 Found", "", to), "redirects to", down},
		{"307", whole("307 Temporary Redirect", "", to), "redirects to", down},
		{"308", whole("308 Permanent Redirect", "", to), "redirects to", down},
		{"300 without a place", whole("300 Multiple Choices", ""), "redirects to", down},
		{"redirect to a script", whole("302 Found", "", "Location: javascript:alert(\u202e1)\u009b"), "redirects to", down},
		// Time.
		{"slow body", drip(ok + long + "<calls>"), "no answer within", down},
		{"slow body of chunks", func(c net.Conn, r *http.Request) bool { return drip(open+"5\r\n<call\r\n2710\r\n")(c, r) }, "no answer within", down},
		{"slow header", drip(ok + "X-Slow: "), "no answer within", down},
		{"silence", silent(""), "no answer within", down},
		{"silence after the header", silent(ok + long), "no answer within", down},
		{"silence after a no", silent("HTTP/1.1 500 No\r\n" + long), "answered 500", up},
		{"101 and silence", silent("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n"), "another protocol", down},
		{"101 and talk", forever("HTTP/1.1 101 Switching Protocols\r\n\r\n", "<calls/>"), "another protocol", down},
		// Without end.
		{"blanks without end", forever(ok+"\r\n", " "), "bytes", down},
		{"a tag without end", forever(ok+"\r\n<calls a='", "x"), "bytes", down},
		{"a comment without end", forever(ok+"\r\n<calls><!-- ", "-x"), "bytes", down},
		{"chunks without end", forever(open, "400\r\n"+strings.Repeat(" ", 1024)+"\r\n"), "bytes", down},
		{"a no without end", forever("HTTP/1.1 400 No\r\n\r\n", "<"), "answered 400", up},
		{"packed bomb", whole("200 OK", zipped("<calls>", " ", 100<<10), "Content-Encoding: gzip"), "bytes", down},
		{"packed garbage", whole("200 OK", strings.Repeat("garbage", 99), "Content-Encoding: gzip"), "what the API does not", down},
		{"packed and cut", whole("200 OK", zipped("<calls total='0'/>", " ", 9)[:40], "Content-Encoding: gzip"), "lost", down},
		{"packed twice", whole("200 OK", zipped(zipped("<calls/>", " ", 1), " ", 1), "Content-Encoding: gzip"), "what the API does not", down},
		{"packed as nobody asked", whole("200 OK", "\x8b\x03\x80<calls/>\x03", "Content-Encoding: br"), "what the API does not", down},
		// The header.
		{"one long header", raw(ok + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), "header has more than 64 KiB", down},
		{"many headers", raw(ok + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n"), "header has more than 64 KiB", down},
		{"headers without end", forever(ok, "Set-Cookie: a=b\r\n"), "header has more than 64 KiB", down},
		{"1xx without end", forever("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "header has more than 64 KiB", down},
		{"100 without end", forever("", "HTTP/1.1 100 Continue\r\n\r\n"), "header has more than 64 KiB", down},
		{"no HTTP", raw("220 mail.example ESMTP\r\n"), "cannot be understood as HTTP", down},
		{"HTTP/0.9", func(c net.Conn, _ *http.Request) bool { _, _ = io.WriteString(c, "<calls total='0'/>\n"); return false }, "cannot be understood as HTTP", down},
		{"another version", raw("HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n"), "what the API does not", up},
		{"status of words", raw("HTTP/1.1 yes OK\r\n\r\n"), "cannot be understood as HTTP", down},
		{"negative length", raw(ok + "Content-Length: -1\r\n\r\n"), "cannot be understood as HTTP", down},
		{"two lengths", raw(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n<a/> "), "cannot be understood as HTTP", down},
		{"folded header", raw(ok + " X: y\r\n\r\n"), "cannot be understood as HTTP", down},
		{"chunk of no length", raw(open + "zz\r\n<calls/>\r\n"), "what the API does not", down},
		{"chunk beyond all numbers", raw(open + strings.Repeat("f", 40) + "\r\n<calls/>"), "what the API does not", down},
		{"status 999", whole("999 Evil", ""), "answered 999", up},
		// Ends.
		{"closed at once", func(net.Conn, *http.Request) bool { return false }, "lost", down},
		{"closed in the status", func(c net.Conn, _ *http.Request) bool { _, _ = io.WriteString(c, "HTTP/1."); return false }, "cannot be understood as HTTP", down},
		{"closed in the header", func(c net.Conn, _ *http.Request) bool { _, _ = io.WriteString(c, ok+"X: "); return false }, "lost", down},
		{"closed in the body", func(c net.Conn, _ *http.Request) bool { _, _ = io.WriteString(c, ok+long+"<calls>"); return false }, "lost", down},
		{"closed in a chunk", func(c net.Conn, _ *http.Request) bool { _, _ = io.WriteString(c, open+"ff\r\n<calls>"); return false }, "lost", down},
		// Words that would have us wait, or ask again.
		{"come back in 30,000 years", whole("503 Busy", "", "Retry-After: 999999999999"), "answered 503", busy},
		{"come back never", whole("429 Too Many Requests", "", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"), "answered 429", busy},
		{"who are you", whole("401 Unauthorized", "", `WWW-Authenticate: Basic realm="x"`, `WWW-Authenticate: Negotiate`), "answered 401", locked},
		{"use a proxy", whole("407 Proxy Authentication Required", "", "Proxy-Authenticate: Basic"), "answered 407", up},
		{"reasons without end", whole("400 Bad Request", "<failureDetails>"+strings.Repeat("<"+strings.Repeat("x", 500)+"/>", 500)+"</failureDetails>"), "answered 400", up},
	} {
		t.Run(a.name, func(t *testing.T) {
			alone := goleak.IgnoreCurrent()
			before := live()
			v := newVillain(t, a.answer)
			timeout := time.Minute
			if strings.HasPrefix(a.name, "slow") || strings.HasPrefix(a.name, "silence") { // nothing else ends these
				timeout = 300 * time.Millisecond
			}
			c, err := NewCluster(Options{
				Servers: []string{v.url()}, Username: "api", Password: policy.NewSecret(testPassword),
				Timeout: timeout, ReadsPerSecond: 10_000,
			}, newFakeBoard())
			if err != nil {
				t.Fatal(err)
			}
			client := c.Clients()[0]
			calls, err := client.Calls(t.Context(), nil)
			g := client.gate.status()
			wait := time.Until(g.next)
			c.Stop()
			v.close()
			grown := live() - before
			t.Logf("%d requests: %v (%s), %s, heap %+d KiB", v.requests.Load(), err, Remedy(err), g.state, grown>>10)
			if err == nil || calls != nil {
				t.Fatalf("%d calls, no error", len(calls))
			}
			if text := err.Error(); !strings.Contains(text, a.says) || !strings.Contains(text, client.Name()) || len(text) > 600 || !harmless(text) {
				t.Errorf("the error says %q", text)
			}
			if Remedy(err) == "" && a.state != up {
				t.Error("it does not say what to do")
			}
			if g.state != a.state || !harmless(g.problem) || g.state != up && (g.problem == "" || g.remedy == "") {
				t.Errorf("state %s: %q: %q", g.state, g.problem, g.remedy)
			}
			if most := lockFirst + time.Second; wait > most || a.state != locked && wait > time.Minute {
				t.Errorf("left alone for %s", wait)
			}
			if grown > 8<<20 {
				t.Errorf("%d bytes are kept", grown)
			}
			goleak.VerifyNone(t, alone)
		})
	}
	if n := elsewhere.requests.Load(); n > 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

// libraryLog has what libraries log go to w until the end of the test.
func libraryLog(t *testing.T, w io.Writer) {
	before := log.Writer()
	log.SetOutput(w)
	t.Cleanup(func() { log.SetOutput(before) })
}

// live is how many bytes are in use.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// harmless reports whether a text may go to a terminal as it is.
func harmless(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// A server that sends two answers for one request has the second taken for
// none: never for the answer to what is asked next.
func TestAnswersNobodyAskedFor(t *testing.T) {
	libraryLog(t, io.Discard)
	v := newVillain(t, func(c net.Conn, r *http.Request) bool {
		whole("200 OK", `<call id="`+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+`"><name>right</name></call>`)(c, r)
		return whole("200 OK", `<call id="evil"><name>wrong</name></call>`)(c, r)
	})
	c := clientOf(t, v.url(), nil)
	defer v.close()
	right := 0
	for i := range 200 {
		call, err := c.Call(t.Context(), fmt.Sprintf("c%d", i))
		switch {
		case err == nil && call.Name == "right":
			right++
		case err == nil:
			t.Fatalf("asked for c%d and got %+v", i, call)
		case !errors.Is(err, errIll) && outcomeOf(err) != outcomeLost && outcomeOf(err) != outcomeGivenUp:
			t.Fatal(err)
		}
		c.gate.reprobe(time.Now())
	}
	if right == 0 {
		t.Error("no answer was right")
	}
}

// attributes is an answer whose one element has so many.
func attributes(n int) string {
	var b strings.Builder
	b.WriteString("<calls")
	for i := range n {
		fmt.Fprintf(&b, " a%x=''", i)
	}
	b.WriteString("/>")
	return b.String()
}

// What a list of garbage leaves behind is bounded and fit to be shown, and no
// address is better for having been cut.
func TestGarbageListIsBounded(t *testing.T) {
	const each = 100
	const unit = "\u202e\u200b&#x9b;&#x85;A\u0301\u0301\u0301\u0301\u0301\u0301\u0301"
	name, id := strings.Repeat(unit, 12), strings.Repeat(unit, 4)
	cutHere := strings.Repeat("a", 1024-len("@secure.example")) + "@secure.example"
	addresses := []string{
		cutHere + ".evil.test", "ann@secure.example" + strings.Repeat(" ", 5000) + ".evil.test",
		strings.Repeat(" ", 5000) + "ann@secure.example", strings.Repeat("b", 5000),
	}
	short := [4]string{addresses[0], "\u202eann@secure.example", "x", ""}
	v := newVillain(t, pages(func(o int) string {
		var b strings.Builder
		b.WriteString(`<callLegs total="20000">`)
		for i := o; i < min(o+each, 20000); i++ {
			fmt.Fprintf(&b, `<callLeg id="l%d"><name>%s</name><remoteParty>%s</remoteParty><call>%s</call></callLeg>`, i, name, short[i%4], id)
		}
		return b.String() + `</callLegs>`
	}))
	c := clientOf(t, v.url(), nil)
	defer v.close()
	before := live()
	legs, err := c.CallLegs(t.Context(), nil)
	if err != nil || len(legs) != 20000 {
		t.Fatalf("%d legs, %v", len(legs), err)
	}
	grown := live() - before
	t.Logf("%d legs of garbage: %d KiB", len(legs), grown>>10)
	if grown > maxList {
		t.Errorf("%d bytes are kept", grown)
	}
	rules, err := policy.NewRules([]string{"secure.example"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range legs {
		if utf8.RuneCountInString(l.Name) > maxText || !harmless(l.Name) || !harmless(l.Call) || len(l.RemoteAddress) > 1025 {
			t.Fatalf("kept %+v", l)
		}
	}
	// One by one with all their length.
	for _, a := range addresses {
		root, err := parse(strings.NewReader("<callLeg><remoteParty>"+a+"</remoteParty></callLeg>"), same)
		if err != nil {
			t.Fatal(err)
		}
		if e := rules.Classify(readListedLeg("x", root).RemoteAddress); e.Level != policy.Level3 {
			t.Errorf("%.40q of %d bytes is level %s", a, len(a), e.Level)
		}
	}
}

func same(s string) string { return s }

// A server whose list is too long for a cluster, or for the four places of a
// Call Bridge, is not believed: every entry would be looked up, or be an alarm.
func TestShortListsStayShort(t *testing.T) {
	list := func(root, item string) string {
		var b strings.Builder
		for i := range 1001 {
			fmt.Fprintf(&b, `<%s id="i%d"/>`, item, i)
		}
		return fmt.Sprintf(`<%s total="5000">%s</%[1]s>`, root, b.String())
	}
	v := newVillain(t, func(c net.Conn, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/callBridges"):
			return whole("200 OK", list("callBridges", "callBridge"))(c, r)
		case strings.HasSuffix(r.URL.Path, "/alarms"):
			return whole("200 OK", list("alarms", "alarm"))(c, r)
		}
		return whole("200 OK", list("cdrReceivers", "cdrReceiver"))(c, r)
	})
	c := clientOf(t, v.url(), nil)
	defer v.close()
	_, err1 := c.CallBridges(t.Context())
	_, _, err2 := c.Receivers(t.Context())
	_, err3 := c.Alarms(t.Context())
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, errIll) || !strings.Contains(err.Error(), "entries") {
			t.Error(err)
		}
	}
	if n := v.requests.Load(); n != 3 {
		t.Errorf("%d requests", n)
	}
}

// Questions that a server answers wrongly, for ever new ids, do not pile up.
func TestWrongAnswersDoNotPileUp(t *testing.T) {
	r := &reader{failures: map[string]int{}}
	for i := range 5 * maxFailures {
		if n := r.failed(policy.Question{ID: fmt.Sprint(i)}, true); n != 1 {
			t.Fatalf("%d failures of a new one", n)
		}
	}
	if len(r.failures) > maxFailures {
		t.Errorf("%d are kept", len(r.failures))
	}
}

// What asks whether a receiver is there gives up on a server that changes the
// protocol and falls silent.
func TestReachOfAVillain(t *testing.T) {
	v := newVillain(t, silent("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
	defer v.close()
	if err := Reach(t.Context(), v.url()+"/cdr"); err == nil || !strings.Contains(err.Error(), "101") {
		t.Error(err)
	}
}
