package cms

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callmark/cms/simulator"
	"callmark/policy"

	"github.com/google/go-cmp/cmp"
)

// simulated starts one Call Bridge and returns a client of it.
func simulated(t *testing.T, o simulator.Options) (*simulator.Cluster, *Client) {
	t.Helper()
	o.Bridges = 1
	cluster, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	if err := cluster.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return cluster, clientOf(t, cluster.URLs()[0], func(o *Options) {
		o.Username, o.Password = cluster.Username(), policy.NewSecret(cluster.Password())
	})
}

func uris(receivers []Receiver) []string {
	var all []string
	for _, r := range receivers {
		all = append(all, r.URI)
	}
	return all
}

func TestReceivers(t *testing.T) {
	_, c := simulated(t, simulator.Options{PageCap: 2})
	receivers, places, err := c.Receivers(t.Context())
	if err != nil || len(receivers) != 0 || places != 4 {
		t.Fatalf("%v, %d places, %v", receivers, places, err)
	}
	var want []string
	for i := range 4 {
		want = append(want, fmt.Sprintf("http://127.0.0.1:1/%d?token=a%%20b&x=1", i))
		if err := c.AddReceiver(t.Context(), want[i]); err != nil {
			t.Fatal(err)
		}
	}
	receivers, places, err = c.Receivers(t.Context())
	if diff := cmp.Diff(want, uris(receivers)); diff != "" || places != 4 || err != nil {
		t.Errorf("%d places, %v\n%s", places, err, diff)
	}
	err = c.AddReceiver(t.Context(), "http://127.0.0.1:1/cdr?token=hush")
	if !IsFull(err) || IsUncertain(err) || !strings.Contains(Remedy(err), "callmark receivers remove") {
		t.Errorf("a fifth: %v: %s", err, Remedy(err))
	}
	if text := fmt.Sprint(err); strings.Contains(text, "hush") || !strings.Contains(text, c.Name()) {
		t.Errorf("the error says %q", text)
	}

	if err := c.RemoveReceiver(t.Context(), receivers[1].ID); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveReceiver(t.Context(), receivers[1].ID); !IsNotExist(err) || IsFull(err) {
		t.Errorf("removed twice: %v", err)
	}
	if err := c.RemoveReceiver(t.Context(), "../calls"); !errors.Is(err, errBadID) {
		t.Errorf("no id: %v", err)
	}
	if err := c.AddReceiver(t.Context(), "nonsense"); err == nil || IsFull(err) || !strings.Contains(err.Error(), "parameter uri") {
		t.Errorf("no URI: %v", err)
	}
	receivers, _, _ = c.Receivers(t.Context())
	if diff := cmp.Diff([]string{want[0], want[2], want[3]}, uris(receivers)); diff != "" {
		t.Error(diff)
	}
}

func TestAlarms(t *testing.T) {
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	t.Cleanup(failing.Close)
	cluster, c := simulated(t, simulator.Options{Receivers: []string{failing.URL}})
	if alarms, err := c.Alarms(t.Context()); err != nil || len(alarms) != 0 {
		t.Fatalf("%v, %v", alarms, err)
	}
	b := cluster.Bridge(0)
	b.StartCall(simulator.CallSpec{})
	if err := cluster.Wait(t.Context(), func() bool { return b.Deliveries().Failed > 0 }); err != nil {
		t.Fatal(err)
	}
	alarms, err := c.Alarms(t.Context())
	if err != nil || len(alarms) != 1 || alarms[0].Type != AlarmCDR || alarms[0].ID == "" {
		t.Errorf("%+v, %v", alarms, err)
	}

	c = answer(t, 200, `<alarms total="1"><alarm id="a"><type>cdrConnectionFailure</type><activeTimeSeconds>90</activeTimeSeconds></alarm></alarms>`)
	alarms, err = c.Alarms(t.Context())
	if diff := cmp.Diff([]Alarm{{"a", AlarmCDR, 90 * time.Second}}, alarms); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// An answer that tells of no receivers must not prove that there are none.
func TestReceiversOfStrangeServers(t *testing.T) {
	for _, body := range []string{``, `<calls total="0"/>`, `<html/>`, `no`} {
		if receivers, _, err := answer(t, 200, body).Receivers(t.Context()); err == nil || receivers != nil {
			t.Errorf("%q gives %v", body, receivers)
		}
	}
	receivers, places, err := answer(t, 200, `<cdrReceivers total="1"><cdrReceiver id="a"><uri> http://h/cdr
	</uri></cdrReceiver></cdrReceivers>`).Receivers(t.Context())
	if diff := cmp.Diff([]Receiver{{"a", "http://h/cdr"}}, receivers); diff != "" || places != -1 || err != nil {
		t.Errorf("%d places, %v\n%s", places, err, diff)
	}
}

// A kept-alive connection that turns out closed has a PUT or a DELETE sent
// again, but not a POST, which may have worked.
func TestOnlyWhatSetsAStateIsSentAgain(t *testing.T) {
	for _, tt := range []struct {
		method string
		again  bool
	}{{http.MethodPut, true}, {http.MethodDelete, true}, {http.MethodPost, false}} {
		var got atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				return // leaves a connection that is kept alive
			}
			if got.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
		})
		c := clientOf(t, s.URL, nil)
		if _, err := c.enter(t.Context(), writes, http.MethodGet, "/system/status", nil); err != nil {
			t.Fatal(err)
		}
		err := c.write(t.Context(), tt.method, "/system/cdrReceivers", url.Values{"uri": {"http://h/"}})
		if (got.Load() == 2) != tt.again || (err == nil) != tt.again {
			t.Errorf("%s was sent %d times: %v", tt.method, got.Load(), err)
		}
		if err != nil && !IsUncertain(err) {
			t.Errorf("%s may have worked: %v", tt.method, err)
		}
	}
}

// A server that refused the account is not asked to add either.
func TestAddRespectsTheGate(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { requests.Add(1); w.WriteHeader(401) })
	c := clientOf(t, s.URL, nil)
	if _, _, err := c.Receivers(t.Context()); !IsUnauthorized(err) {
		t.Error(err)
	}
	var gate *GateError
	if err := c.AddReceiver(t.Context(), "http://h/cdr"); !errors.As(err, &gate) {
		t.Error(err)
	}
	if err := c.RemoveReceiver(t.Context(), "a"); !errors.As(err, &gate) {
		t.Error(err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestReceiverPrintsNoSecret(t *testing.T) {
	r := Receiver{ID: "a", URI: "https://cmm.example/cdr?token=hush\x1b[2J"}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "receiver", r)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "receiver", r)
	fmt.Fprintf(&b, "%v %+v %s", r, &r, r)
	_, _ = io.WriteString(&b, fmt.Sprint([]Receiver{r}))
	if text := b.String(); strings.Contains(text, "hush") || strings.Contains(text, "\x1b") || strings.Count(text, "https://cmm.example/cdr?token=[redacted]") != 6 {
		t.Error(text)
	}
}

// TestTokenStaysSecret has a server repeat the token of our receiver where it can;
// among the receivers it must stand, to be compared, and is not shown.
func TestTokenStaysSecret(t *testing.T) {
	const token, inURI = "t0ken-of-ours-0123456789", "an%20other-t0ken"
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `<failureDetails><%s/><parameterError parameter="%s"/></failureDetails>`, token, inURI)
		case strings.HasSuffix(r.URL.Path, "/cdrReceivers"):
			_, _ = fmt.Fprintf(w, `<cdrReceivers total="1"><cdrReceiver id="r"><uri>http://a.test/cdr?token=%s</uri></cdrReceiver></cdrReceivers>`, token)
		default:
			_, _ = fmt.Fprintf(w, `<alarms total="1"><alarm id="a"><type>%s an other-t0ken</type></alarm></alarms>`, token)
		}
	})
	c := clientOf(t, echo.URL, func(o *Options) {
		o.Own = Own{URI: "http://b.test/cdr?token=" + inURI, Token: policy.NewSecret(token)}
	})
	receivers, _, err := c.Receivers(t.Context())
	if err != nil || len(receivers) != 1 || receivers[0].URI != "http://a.test/cdr?token="+token {
		t.Errorf("%q, %v", uris(receivers), err)
	}
	alarms, err := c.Alarms(t.Context())
	if err != nil || len(alarms) != 1 || alarms[0].Type != policy.Redacted+" "+policy.Redacted {
		t.Errorf("%+v, %v", alarms, err)
	}
	err = c.AddReceiver(t.Context(), "http://b.test/cdr?token="+inURI)
	if text := fmt.Sprintf("%v %+v %+v", err, receivers, c); err == nil || strings.Contains(text, "t0ken") {
		t.Errorf("the token is in %q", text)
	}
}
