package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"callmark/cms"
	"callmark/policy"
	"callmark/policy/config"
)

// Both look different in a URL, in XML and in base64, and in nothing that is no
// secret.
const (
	hushUser  = "api"
	hush      = "Zw4nzig+Drei/&-vier"
	hushToken = "t0ken_that-nobody.may~see"
)

// forms are the looks of the secrets that must be nowhere.
func forms() []string {
	var xmlForm strings.Builder
	_ = xml.EscapeText(&xmlForm, []byte(hush))
	jsonForm, _ := json.Marshal(hush)
	return []string{
		hush, hushToken, url.QueryEscape(hush), url.PathEscape(hush), xmlForm.String(), string(jsonForm[1 : len(jsonForm)-1]),
		base64.StdEncoding.EncodeToString([]byte(hushUser + ":" + hush)), base64.URLEncoding.EncodeToString([]byte(hushUser + ":" + hush)),
		fmt.Sprintf("%x", hush), fmt.Sprintf("%x", hushToken), fmt.Sprintf("%v", []byte(hush)),
	}
}

// discreet fails if one of the secrets is in a text.
func discreet(t *testing.T, where, text string) {
	t.Helper()
	for _, form := range forms() {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("%s: the secret is in %q", where, text[max(0, i-80):min(len(text), i+len(form)+20)])
		}
	}
}

// gossip is an API server that repeats the account it was given, in one way.
func gossip(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, repeat string)) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		user, password, _ := r.BasicAuth()
		answer(w, r, fmt.Sprintf("%s %s:%s %s %s", r.Header.Get("Authorization"), user, password, url.QueryEscape(password), password))
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// gossips is every way of repeating that a server has.
var gossips = map[string]func(w http.ResponseWriter, r *http.Request, repeat string){
	"401": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+repeat+`"`)
		w.WriteHeader(401)
		fmt.Fprint(w, repeat)
	},
	"reasons": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		w.WriteHeader(400)
		fmt.Fprint(w, `<failureDetails><`+base64.RawURLEncoding.EncodeToString([]byte(repeat))+`/><parameterError parameter="`+escaped(repeat)+`"/></failureDetails>`)
	},
	"redirect": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		w.Header().Set("Location", "https://api.example/?"+repeat)
		w.WriteHeader(302)
	},
	"500": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		w.Header().Set("X-Problem", repeat)
		w.WriteHeader(500)
		fmt.Fprint(w, "<p>"+repeat)
	},
	"503": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		w.Header().Set("Retry-After", repeat)
		w.WriteHeader(503)
	},
	"not XML": func(w http.ResponseWriter, _ *http.Request, repeat string) { fmt.Fprint(w, repeat) },
	"ill XML": func(w http.ResponseWriter, _ *http.Request, repeat string) { fmt.Fprint(w, "<calls>&"+repeat+";") },
	"no tag": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		fmt.Fprint(w, `<calls></`+repeat+`>`)
	},
	"no HTTP": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		bare(w, "HTTP/1.1 "+repeat+"\r\n\r\n")
	},
	"no header": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		bare(w, "HTTP/1.1 200 OK\r\n"+repeat+"\r\n\r\n")
	},
	"unasked": func(w http.ResponseWriter, _ *http.Request, repeat string) {
		bare(w, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 "+repeat+"\r\nContent-Length: 0\r\n\r\n")
	},
	"ids": func(w http.ResponseWriter, r *http.Request, _ string) {
		_, password, _ := r.BasicAuth()
		path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
		root, item := path, strings.TrimSuffix(path, "s")
		fmt.Fprintf(w, `<%s total="1"><%s id="%s"/></%[1]s>`, root, item, escaped(password))
	},
	// All that is right but for the texts.
	"API": func(w http.ResponseWriter, r *http.Request, repeat string) {
		text := escaped(repeat)
		switch path := strings.TrimPrefix(r.URL.Path, "/api/v1"); path {
		case "/system/status":
			fmt.Fprintf(w, `<status><softwareVersion>%s</softwareVersion><uptimeSeconds>100000</uptimeSeconds><cdrTime>%[1]s</cdrTime><clusterEnabled>true</clusterEnabled><cdrCorrelatorIndex>7</cdrCorrelatorIndex></status>`, text)
		case "/system/configuration/cluster":
			fmt.Fprintf(w, `<cluster><uniqueName>%s</uniqueName></cluster>`, text)
		case "/callBridges":
			fmt.Fprintf(w, `<callBridges total="2"><callBridge id="b1"><name>%s</name></callBridge><callBridge id="b2"><name>other %[1]s</name></callBridge></callBridges>`, text)
		case "/callBridges/b1", "/callBridges/b2":
			fmt.Fprintf(w, `<callBridge id="%s"><name>%s</name><address>https://%[2]s/</address></callBridge>`, path[len(path)-2:], text)
		case "/calls":
			fmt.Fprintf(w, `<calls total="1"><call id="c1"><name>%s</name><callCorrelator>%[1]s</callCorrelator></call></calls>`, text)
		case "/calls/c1":
			if r.Method != http.MethodGet {
				return
			}
			fmt.Fprintf(w, `<call id="c1"><name>%s</name><callCorrelator>%[1]s</callCorrelator><numCallLegs>1</numCallLegs><numParticipantsRemote>1</numParticipantsRemote><messageText>%[1]s</messageText><messagePosition>bottom</messagePosition><messageDuration>permanent</messageDuration></call>`, text)
		case "/callLegs", "/calls/c1/callLegs":
			fmt.Fprintf(w, `<callLegs total="1"><callLeg id="l1"><name>%s</name><remoteParty>%[1]s@corp.example</remoteParty><call>c1</call></callLeg></callLegs>`, text)
		case "/callLegs/l1":
			fmt.Fprintf(w, `<callLeg id="l1"><name>%s</name><remoteParty>%[1]s@corp.example</remoteParty><originalRemoteParty>%[1]s@corp.example</originalRemoteParty><call>c1</call><type>sip</type><subType>%[1]s</subType><status><state>connected</state><groupId>%[1]s</groupId></status></callLeg>`, text)
		case "/calls/c1/participants":
			fmt.Fprintf(w, `<participants total="1"><participant id="p1"><name>%s</name><uri>%[1]s@corp.example</uri><callBridge>%[1]s</callBridge></participant></participants>`, text)
		case "/participants/p1":
			fmt.Fprintf(w, `<participant id="p1"><name>%s</name></participant>`, text)
		case "/system/cdrReceivers":
			fmt.Fprintf(w, `<cdrReceivers total="1" maximum="4"><cdrReceiver id="r1"><uri>http://%s.example/%[1]s?token=%s</uri></cdrReceiver></cdrReceivers>`, text, hushToken)
		case "/system/alarms":
			fmt.Fprintf(w, `<alarms total="1"><alarm id="a1"><type>%s</type></alarm></alarms>`, text)
		default:
			w.WriteHeader(404)
			fmt.Fprintf(w, `<failureDetails><%sDoesNotExist/></failureDetails>`, "call")
		}
	},
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// bare writes an answer past net/http.
func bare(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

// TestSecretsStayInside runs callmark against a server of every kind that
// repeats the password, and looks for it in all that callmark says.
func TestSecretsStayInside(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var servers []string
			var asked []*atomic.Int64
			for _, answer := range gossips {
				address, requests := gossip(t, answer)
				servers, asked = append(servers, address), append(asked, requests)
			}
			tls := httptest.NewTLSServer(http.NotFoundHandler()) // an authority that nobody knows
			tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			t.Cleanup(tls.Close)
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			servers = append(servers, tls.URL, gone.URL)
			var used config.Config
			p := start(t, func(c *config.Config) {
				c.CMS.Servers, c.CMS.Username, c.CMS.Password = servers, hushUser, policy.NewSecret(hush)
				c.Receiver.Token, c.Receiver.URI = policy.NewSecret(hushToken), "http://callmark.example/cdr?token="+hushToken
				c.CMS.StatusEvery, c.CMS.Resync = 200*time.Millisecond, time.Second
				c.Policy.InternalDomains = []string{"corp.example"}
				c.Log.Format = format
				used = *c
			})
			p.eventually(t, "every server was asked, and the picture is there", func() bool {
				for _, n := range asked {
					if n.Load() == 0 {
						return false
					}
				}
				u := p.board.Since(0)
				up := 0
				for _, b := range u.Bridges {
					if b.Bound.State != policy.ServerUnknown {
						up++
					}
				}
				return up == len(servers) && len(u.Meetings) > 0 && len(u.Alarms) > 3
			})
			base := "http://" + p.receiver.Addr()
			for _, path := range []string{"/healthz", "/readyz", "/metrics", "/", "/cdr", "/cdr?token=wrong", "/cdr?token=" + hushToken, "/" + url.PathEscape(hush)} {
				for _, method := range []string{"GET", "POST"} {
					discreet(t, method+" "+path, ask(t, method, base+path, `<records session="s"><record type="callStart"><call id="x"><name>n</name></call></record>`))
				}
			}
			u := p.board.Since(0)
			discreet(t, "board", printed(t, u))
			for _, m := range u.Meetings {
				v, _ := p.board.Meeting(m.ID)
				discreet(t, "meeting", printed(t, v))
				if err := p.board.Override(time.Now(), m.ID, policy.Override{Kind: policy.ForceLevel, Level: policy.Level3, Who: "op"}); err != nil {
					t.Error(err)
				}
			}
			entries, _ := p.board.Journal(0, 10_000)
			if len(entries) == 0 {
				t.Error("the journal is empty")
			}
			discreet(t, "journal", printed(t, entries))
			discreet(t, "reasons", printed(t, p.board.Unready()))
			p.end(t)
			// All parts have stopped, so that they may be printed.
			o := cmsOptions(used, p.app)
			for _, v := range []any{
				used, &used, o, &o, receiverOptions(used, p.app), uiOptions(used, commandLine{}, p.app, policy.Options{}), own(used),
				p.app, p.app.cluster, p.app.cluster.Clients(), *p.app.cluster.Clients()[0], p.app.notifier, p.app.sync, p.app.receiver, p.app.board, p.app.state,
			} {
				for _, verb := range []string{"%v", "%+v", "%#v"} {
					discreet(t, fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
				}
			}
			discreet(t, "standard error", p.stderr.String())
			for _, file := range []string{p.logFile, used.State.File} {
				data, err := os.ReadFile(file)
				if err != nil || len(data) == 0 {
					t.Errorf("%s: %v", file, err)
				}
				discreet(t, file, string(data))
			}
			if !strings.Contains(p.stderr.String(), "server is INSECURE") {
				t.Error("nobody shouts that the servers are reached by http://")
			}
			for _, server := range []string{tls.URL, servers[0]} {
				name := strings.SplitN(server, "//", 2)[1]
				shouted := false
				for line := range strings.Lines(p.stderr.String()) {
					shouted = shouted || strings.Contains(line, "INSECURE") && strings.Contains(line, name)
				}
				if shouted != strings.HasPrefix(server, "http:") {
					t.Errorf("%s INSECURE: %t", server, shouted)
				}
			}
		})
	}
}

// printed is a value in every look that a program could give it.
func printed(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v\n%+v\n%#v\n%s", v, v, v, data)
}

// ask returns all of an answer: status, header and body.
func ask(t *testing.T, method, address, body string) string {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(hushUser, hush)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\n%v\n%s", res.Status, res.Header, data)
}

// What the parts log below the level of the log file is as discreet.
func TestSecretsAtTheLevelOfDebug(t *testing.T) {
	var out output
	var servers []string
	for _, answer := range gossips {
		address, _ := gossip(t, answer)
		servers = append(servers, address)
	}
	rules, err := policy.NewRules(nil, []string{"corp.example"})
	if err != nil {
		t.Fatal(err)
	}
	board := policy.NewBoard(policy.Options{Rules: rules})
	cluster, err := cms.NewCluster(cms.Options{
		Servers: servers, Username: hushUser, Password: policy.NewSecret(hush), StatusEvery: 50 * time.Millisecond, Resync: time.Second,
		Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 100})),
	}, board)
	if err != nil {
		t.Fatal(err)
	}
	defer takeLibraryLog(slog.New(slog.NewTextHandler(&out, nil)))()
	y := cms.NewSynchroniser(cluster, board)
	cluster.Start(t.Context())
	y.Start(t.Context())
	changed, cancel := board.Watch()
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for until := time.After(10 * time.Second); strings.Count(out.String(), "level=DEBUG") < 20; {
		select {
		case <-changed:
		case <-tick.C:
		case <-until:
			t.Fatalf("too little is logged:\n%s", &out)
		}
	}
	y.Stop()
	cluster.Stop()
	discreet(t, "debug", out.String())
	for _, c := range cluster.Clients() { // every request that there is, with its error
		_, e1 := c.Calls(t.Context(), nil)
		_, e2 := c.Call(t.Context(), "c1")
		e3 := c.SetMessage(t.Context(), "c1", policy.Marking{Kind: policy.MarkClear})
		e4 := c.AddReceiver(t.Context(), "http://callmark.example/cdr?token="+hushToken)
		e5 := c.RemoveReceiver(t.Context(), "r1")
		receivers, _, e6 := c.Receivers(t.Context())
		for _, err := range []error{e1, e2, e3, e4, e5, e6, errors.Join(e1, e2, e3)} {
			discreet(t, c.Name(), fmt.Sprintf("%v %+v %#v %s", err, err, err, cms.Remedy(err)))
		}
		discreet(t, c.Name(), fmt.Sprintf("%v %+v %#v", receivers, receivers, receivers))
	}
}

// A goroutine that panics with a value that holds the secrets tells the value
// and not the secrets.
func TestPanicKeepsTheSecret(t *testing.T) {
	var stderr, logged output
	codes := make(chan int, 1)
	a := &app{log: slog.New(slog.NewTextHandler(&logged, nil)), lines: &lines{w: &logged}, stderr: &stderr, exit: func(code int) { codes <- code }}
	c := config.Default()
	c.CMS.Password, c.Receiver.Token = policy.NewSecret(hush), policy.NewSecret(hushToken)
	c.Receiver.URI = "http://callmark.example/cdr?token=" + hushToken
	for _, value := range []any{c, &c, cmsOptions(c, a), fmt.Errorf("with %+v", c.CMS), receiverOptions(c, a)} {
		a.spawn("unlucky", func() { panic(value) })
		if code := <-codes; code != 1 {
			t.Errorf("code %d", code)
		}
	}
	if !strings.Contains(stderr.String(), "unlucky failed") || !strings.Contains(logged.String(), policy.Redacted) {
		t.Errorf("not told:\n%s%s", &stderr, &logged)
	}
	discreet(t, "panic", stderr.String()+logged.String())
}

// Commands say what is wrong with a configuration, and with servers, without
// what is secret in them.
func TestCommandsKeepTheSecret(t *testing.T) {
	var servers []string
	for _, answer := range gossips {
		address, _ := gossip(t, answer)
		servers = append(servers, strconv.Quote(address))
	}
	list := strings.Join(servers, ", ")
	quoted := strconv.Quote(hush)
	good := fmt.Sprintf("[receiver]\ntoken = %q\nuri = \"http://callmark.example/cdr?token=%s\"\n[cms]\nusername = %q\npassword = %s\nservers = [%s]\n[policy]\ninternal_domains = [\"corp.example\"]\n",
		hushToken, hushToken, hushUser, quoted, list)
	for name, text := range map[string]string{
		"good":               good,
		"after the value":    strings.Replace(good, quoted, quoted+" x", 1),
		"not closed":         strings.Replace(good, quoted, quoted[:len(quoted)-1], 1),
		"no quotes":          strings.Replace(good, quoted, hush, 1),
		"a list":             strings.Replace(good, quoted, "["+quoted+"]", 1),
		"a table":            strings.Replace(good, quoted, "{a = "+quoted+"}", 1),
		"twice":              strings.Replace(good, "password =", "password = "+quoted+"\npassword =", 1),
		"mistyped":           strings.Replace(good, "password =", "passwort =", 1),
		"a bad escape":       strings.Replace(good, quoted, `"`+hush+`\q"`, 1),
		"control characters": strings.Replace(good, quoted, `"`+hush+`\u0007"`, 1),
		"in the server":      strings.Replace(good, "servers = [", `servers = ["https://api:`+url.PathEscape(hush)+`@cms1", `, 1),
		"in a bad server":    strings.Replace(good, "servers = [", `servers = ["ftp://api:`+hush+`@cms1/x", `, 1),
		"a bad token":        strings.Replace(good, strconv.Quote(hushToken), strconv.Quote(hushToken+" &"), 1),
		"a token list":       strings.Replace(good, strconv.Quote(hushToken), "["+strconv.Quote(hushToken)+"]", 1),
		"a bad URI":          strings.Replace(good, `"http://callmark`, `"ftp://callmark`, 1),
		"both":               strings.Replace(good, "password =", "password_file = \"x\"\npassword =", 1),
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, 0o644, text)
			commands := [][]string{{"check"}, {"classify", "ann@corp.example"}, {"receivers"}}
			if name == "good" {
				commands = append(commands, []string{"receivers", "add", "http://callmark.example/cdr?token=" + hushToken},
					[]string{"receivers", "remove", "http://callmark.example/cdr?token=" + hushToken})
			} else {
				commands = append(commands, []string{"--no-tui"}) // which does not start
			}
			for _, args := range commands {
				code, stdout, stderr := command(t, append(args, "--config", file)...)
				if name == "good" && args[0] == "check" && code != 0 {
					t.Errorf("code %d: %s", code, stderr)
				}
				if args[0] == "--no-tui" && code == 0 {
					t.Error("it started")
				}
				discreet(t, strings.Join(args, " "), stdout+stderr)
			}
		})
	}
}

// TestSecretsOfTheProcess looks at callmark as the rest of the machine sees it:
// its command line, its children, and, where the password did not come by the
// environment, that.
func TestSecretsOfTheProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("there is no /proc")
	}
	text := fmt.Sprintf("[receiver]\nlisten = \"127.0.0.1:0\"\n[cms]\nusername = %q\nservers = [\"127.0.0.1:1\"]\n[policy]\ninternal_domains = [\"corp.example\"]\n", hushUser)
	for _, from := range []string{"environment", "credential", "password_file", "document"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			secret := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(os.Args[0], "--no-tui")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "CALLMARK_BE_MAIN=1")
			conf := text
			switch from {
			case "environment":
				cmd.Env = append(cmd.Env, "CALLMARK_CMS_PASSWORD="+hush, "CALLMARK_RECEIVER_TOKEN="+hushToken)
			case "credential":
				secret("cms_password", hush)
				cmd.Env = append(cmd.Env, "CREDENTIALS_DIRECTORY="+dir)
			case "password_file":
				secret("pw", hush)
				conf = strings.Replace(conf, "[cms]\n", "[cms]\npassword_file = \"pw\"\n", 1)
			case "document":
				conf = strings.Replace(conf, "[cms]\n", "[cms]\npassword = "+strconv.Quote(hush)+"\n", 1)
			}
			secret("config.toml", conf)
			out := &watched{want: "callmark starts", seen: make(chan struct{})}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-out.seen:
			case <-time.After(20 * time.Second):
				t.Errorf("it did not start:\n%s", out)
			}
			proc := fmt.Sprintf("/proc/%d/", cmd.Process.Pid)
			line, err := os.ReadFile(proc + "cmdline")
			if err != nil {
				t.Error(err)
			}
			discreet(t, "command line", string(line))
			if from != "environment" {
				env, err := os.ReadFile(proc + "environ")
				if err != nil {
					t.Error(err)
				}
				discreet(t, "environment", string(env))
			}
			tasks, _ := filepath.Glob(proc + "task/*/children")
			for _, task := range tasks {
				if children, _ := os.ReadFile(task); len(strings.TrimSpace(string(children))) > 0 {
					t.Errorf("it has children: %s", children)
				}
			}
			if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil { // Go tells all its goroutines then
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Error("SIGQUIT did not end it")
			}
			if !strings.Contains(out.String(), "goroutine ") {
				t.Errorf("no stacks:\n%s", out)
			}
			discreet(t, "output", out.String())
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, file := range files {
				switch filepath.Base(file) {
				case "config.toml", "pw", "cms_password":
					continue
				}
				if data, err := os.ReadFile(file); err == nil {
					discreet(t, file, string(data))
				}
				if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s: %v, %v", file, info.Mode(), err)
				}
			}
		})
	}
}

// What answers a stranger says nothing about what answers him.
func TestAnswersNameNoSoftware(t *testing.T) {
	p := start(t, func(c *config.Config) {
		c.CMS.Servers, c.CMS.Username, c.CMS.Password = []string{"127.0.0.1:1"}, hushUser, policy.NewSecret(hush)
	})
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /cdr HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /cdr HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\ngarbage", "POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
		"POST /cdr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "nonsense\r\n\r\n",
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<17) + "\r\n\r\n", "\x16\x03\x01\x00\x05hello\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", p.receiver.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, request)
		_ = conn.(*net.TCPConn).CloseWrite()
		data, _ := io.ReadAll(bufio.NewReader(io.LimitReader(conn, 1<<20))) // it may be cut off
		_ = conn.Close()
		said := strings.Replace(strings.ToLower(string(data)), "http version not supported", "", 1) // what 505 is called
		for _, word := range []string{"server:", "fasthttp", "golang", "go1.", "go/", "x-powered-by", "callmark/", "version", "via:"} {
			if strings.Contains(said, word) {
				t.Errorf("%.60q is answered with %q, which has %q", request, data, word)
			}
		}
	}
}

// Every file that callmark writes is its owner's alone.
func TestFilesAreTheirOwners(t *testing.T) {
	owners := func(t *testing.T, pattern string, atLeast int) {
		t.Helper()
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < atLeast {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[info.IsDir()]; info.Mode().Perm() != want {
				t.Errorf("%s has the mode %04o", file, info.Mode().Perm())
			}
		}
	}
	t.Run("log", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.log")
		logger, _, closeLog := openLog(config.Log{File: file, Format: "text", MaxSizeMB: 1, Keep: 3}, false, io.Discard)
		for range 40 {
			logger.Info("long", "text", strings.Repeat("x", 100_000))
		}
		closeLog()
		owners(t, filepath.Join(filepath.Dir(file), "*"), 3)
	})
	t.Run("log that was there", func(t *testing.T) {
		for before, after := range map[os.FileMode]os.FileMode{0o644: 0o640, 0o666: 0o660, 0o600: 0o600, 0o640: 0o640} {
			file := write(t, before, "")
			logger, _, closeLog := openLog(config.Log{File: file, Format: "text", MaxSizeMB: 1, Keep: 3}, false, io.Discard)
			logger.Info("x")
			closeLog()
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != after {
				t.Errorf("%04o became %v, %v", before, info.Mode(), err)
			}
		}
	})
	t.Run("state and refused documents", func(t *testing.T) {
		dir := t.TempDir()
		p := start(t, func(c *config.Config) {
			c.CMS.Servers, c.CMS.Username, c.CMS.Password = []string{"127.0.0.1:1"}, hushUser, policy.NewSecret(hush)
			c.State.File, c.Receiver.RefusedDir = filepath.Join(dir, "overrides.json"), filepath.Join(dir, "refused")
		})
		body := `<records session="s"><record type="callStart" recordIndex="1" correlatorIndex="0"><call id="c"><name>Crisis room</name></call></record></records>`
		ask(t, "POST", "http://"+p.receiver.Addr()+"/cdr", body)
		for range 3 {
			ask(t, "POST", "http://"+p.receiver.Addr()+"/cdr", "garbage")
		}
		for _, m := range p.board.Since(0).Meetings {
			if err := p.board.Override(time.Now(), m.ID, policy.Override{Kind: policy.ForceLevel, Level: policy.Level3, Who: "op"}); err != nil {
				t.Error(err)
			}
		}
		p.end(t)
		owners(t, filepath.Join(dir, "overrides.json"), 1)
		owners(t, filepath.Join(dir, "refused"), 1)
		owners(t, filepath.Join(dir, "refused", "*"), 1)
	})
}

// What a library says reaches the log once, cut before what somebody sent.
func TestLibraryLog(t *testing.T) {
	var out output
	now := time.Unix(1000, 0)
	l := &libraryLog{logger: slog.New(slog.NewTextHandler(&out, nil)), now: func() time.Time { return now }, said: map[string]*repeated{}}
	for i := range 100 {
		fmt.Fprintf(l, "Unsolicited response received on idle HTTP channel starting with %q; err=<nil>\n", "HTTP/1.1 200 "+hush+strconv.Itoa(i))
	}
	now = now.Add(libraryEvery)
	fmt.Fprintf(l, "Unsolicited response received on idle HTTP channel starting with %q", hush)
	discreet(t, "log", out.String())
	if n := strings.Count(out.String(), "\n"); n != 2 || !strings.Contains(out.String(), "repeated=99") {
		t.Errorf("%d lines:\n%s", n, &out)
	}
	for i := range 1000 {
		fmt.Fprintf(l, "text %d\x1b", i)
	}
	if n := strings.Count(out.String(), "\n"); n > libraryTexts+3 || len(l.said) > libraryTexts+1 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%d lines, %d texts", n, len(l.said))
	}
}
