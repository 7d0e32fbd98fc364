package receiver

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCertificatesAtTheStart(t *testing.T) {
	i, other := newIssuer(t, "site"), newIssuer(t, "other")
	cert, key := i.issue("server", soon())
	_, otherKey := other.issue("server", soon())
	for _, tt := range []struct {
		cert, key, cas string
		want           string
	}{
		{cert, key, i.pem + other.pem, ""},
		{cert + i.pem, key, "", ""}, // with what leads to the authority
		{cert + i.pem[:len(i.pem)/2], key, "", "ends in the middle"},
		{"", key, "", "receiver.tls_cert: "},
		{cert, otherKey, "", "receiver.tls_cert: "},
		{cert, key, "rubbish", "receiver.client_ca: "},
		{cert, key, i.pem + other.pem[:len(other.pem)/2], "ends in the middle"},
	} {
		d := newDisk(t)
		d.pair(tt.cert, tt.key)
		o := Options{TLSCert: d.cert, TLSKey: d.key}
		if tt.cas != "" {
			d.put(d.cas, tt.cas)
			o.ClientCA = d.cas
		}
		_, err := New(&fakeBoard{}, o)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	for want, o := range map[string]Options{
		"receiver.tls_cert: ":                {TLSKey: "k"},
		"go together":                        {TLSCert: "c"},
		"receiver.client_ca: ":               {ClientCA: "a"},
		"receiver.tls_cert: open /nowhere/c": {TLSCert: "/nowhere/c", TLSKey: "/nowhere/k"},
	} {
		if _, err := New(&fakeBoard{}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestBrokenFiles changes the files, well and badly: what was good is kept, and
// alarms come and go.
func TestBrokenFiles(t *testing.T) {
	i, b, d, now := newIssuer(t, "site"), &fakeBoard{}, newDisk(t), time.Now()
	cert, key := i.issue("server", soon())
	cert2, key2 := i.issue("server", soon())
	past, _ := i.issue("past", now.Add(-time.Hour))
	d.pair(cert, key)
	d.put(d.cas, i.pem)
	cs, err := newCertificates(Options{TLSCert: d.cert, TLSKey: d.key, ClientCA: d.cas}.withDefaults(), b)
	if err != nil {
		t.Fatal(err)
	}
	first := cs.config.Load()
	for _, step := range []struct {
		name  string
		do    func()
		alarm string // and its key; empty: there is none
		fresh bool   // others are used than before
	}{
		{"nothing", func() {}, "", false},
		{"half of a pair", func() { d.put(d.cert, cert2) }, pairAlarm, false},
		{"and still", func() {}, pairAlarm, false},
		{"the other half", func() { d.put(d.key, key2) }, "", true},
		{"written again", func() { d.pair(cert2, key2) }, "", false},
		{"half of a file", func() { d.put(d.key, key[:50]) }, pairAlarm, false},
		{"as it was", func() { d.put(d.key, key2) }, "", false},
		{"half of a chain", func() { d.put(d.cert, cert2+i.pem[:len(i.pem)/2]) }, pairAlarm, false},
		{"all of it", func() { d.put(d.cert, cert2+i.pem) }, "", true},
		{"back to the first", func() { d.pair(cert, key) }, "", true},
		{"one that has run out", func() { d.pair(i.issue("server", time.Now().Add(-time.Hour))) }, pairAlarm, false},
		{"the first again", func() { d.pair(cert, key) }, "", false},
		{"no authority", func() { d.put(d.cas, "") }, clientsAlarm, false},
		{"half of one", func() { d.put(d.cas, i.pem+i.pem[:100]) }, clientsAlarm, false},
		{"one that has run out", func() { d.put(d.cas, past) }, clientsAlarm, false},
		{"another", func() { d.put(d.cas, newIssuer(t, "new").pem) }, "", true},
		{"one that has run out and one that has not", func() { d.put(d.cas, past+i.pem) }, "", true},
	} {
		step.do()
		before := cs.config.Load()
		cs.look(now)
		if fresh := cs.config.Load() != before; fresh != step.fresh {
			t.Errorf("%s: fresh %v", step.name, fresh)
		}
		for _, key := range []string{pairAlarm, clientsAlarm} {
			if b.alarm(key) != (key == step.alarm) {
				t.Errorf("%s: alarms %v", step.name, b.alarms)
			}
		}
		if a := b.alarms[step.alarm]; step.alarm != "" && (!strings.Contains(a.Text, "cannot be used: ") || !strings.Contains(a.Remedy, "put ")) {
			t.Errorf("%s: %+v", step.name, a)
		}
	}
	if cs.config.Load() == first {
		t.Error("it never changed")
	}
}

func TestCertificateEnds(t *testing.T) {
	i, b, d := newIssuer(t, "site"), &fakeBoard{}, newDisk(t)
	ends := time.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)
	d.pair(i.issue("server", ends))
	later, _ := i.issue("later", ends.Add(1000*24*time.Hour))
	d.put(d.cas, i.pem+later) // the first after 1,000 hours: the alarm does not wait for the last
	cs, err := newCertificates(Options{TLSCert: d.cert, TLSKey: d.key, ClientCA: d.cas}.withDefaults(), b)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, tt := range []struct {
		at        time.Time
		says      string
		authority bool
	}{
		{ends.Add(-15 * day), "", false},
		{ends.Add(-14*day + time.Second), "the receiver's certificate runs out soon: " + ends.UTC().Format("2006-01-02"), false},
		{ends.Add(-time.Second), "runs out soon", true},
		{ends, "has run out", true},
	} {
		cs.look(tt.at)
		if got := b.alarms[pairEndsAlarm].Text; (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
			t.Errorf("%v before: %q", ends.Sub(tt.at), got)
		}
		if b.alarm(clientsEndsAlarm) != tt.authority {
			t.Errorf("%v before: %v", ends.Sub(tt.at), b.alarms)
		}
	}
	d.pair(i.issue("server", ends.Add(100*day)))
	cs.look(ends)
	if b.alarm(pairEndsAlarm) {
		t.Error("the alarm is still there")
	}
	// What an operator has dismissed comes back with another text alone.
	cs.look(ends.Add(95 * day))
	b.Lower(ends, pairEndsAlarm)
	cs.look(ends.Add(96 * day))
	if b.alarm(pairEndsAlarm) {
		t.Error("it is back though nothing has changed")
	}
	cs.look(ends.Add(100 * day))
	if !b.alarm(pairEndsAlarm) {
		t.Error("it has run out, and nobody is told")
	}
}

// TestRotationUnderLoad swaps the certificate while eight senders post as fast
// as they can, over connections that they keep for a while: every document is
// answered with 200 and is with the board, once.
func TestRotationUnderLoad(t *testing.T) {
	const senders, rotations = 8, 6
	i, b := newIssuer(t, "site"), &fakeBoard{}
	s, d := secureStart(t, b, i, Options{ClientCA: i.pem})
	over := make(chan struct{})
	var mu sync.Mutex
	seen, sent := map[string]int{}, map[string]bool{} // serials that were shown, documents
	var wg sync.WaitGroup
	for n := range senders {
		showing := i.shows(i, soon())
		wg.Go(func() {
			var w *wire
			for k := 0; ; k++ {
				select {
				case <-over:
					return
				default:
				}
				if k%20 == 0 { // a new connection
					w = dial(t, s).over(showing)
					if err := w.Conn.(*tls.Conn).Handshake(); err != nil {
						t.Errorf("handshake: %v", err)
						return
					}
					mu.Lock()
					seen[w.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()]++
					mu.Unlock()
				}
				session := fmt.Sprintf("sender-%d-%d", n, k)
				w.send(posting(`<records session="` + session + `"/>`))
				if status, body, _ := w.answer(); status != 200 {
					t.Errorf("%s: %d %q", session, status, body)
				}
				mu.Lock()
				sent[session] = true
				mu.Unlock()
			}
		})
	}
	kinds := func() int { mu.Lock(); defer mu.Unlock(); return len(seen) }
	for r := range rotations {
		until(t, "senders have seen this one", func() bool { return kinds() == r+1 })
		cert, key := i.issue("server", soon())
		d.put(d.cert, cert)
		until(t, "half of the pair was noticed", func() bool { return b.alarm(pairAlarm) })
		d.put(d.key, key)
		until(t, "the pair was taken", func() bool { return !b.alarm(pairAlarm) })
	}
	until(t, "senders have seen the last", func() bool { return kinds() == rotations+1 })
	close(over)
	wg.Wait()
	if len(b.sources) != len(sent) {
		t.Errorf("%d answered, the board has %d", len(sent), len(b.sources))
	}
	for _, src := range b.sources {
		if !sent[src.Session] {
			t.Errorf("%s was not sent, or came twice", src.Session)
		}
		delete(sent, src.Session)
	}
	if got := s.Stats(); got.Refused != 0 {
		t.Errorf("refused %v", got.Refusals)
	}
	t.Logf("%d documents, %d handshakes by certificate: %v", len(b.sources), len(seen), seen)
}
