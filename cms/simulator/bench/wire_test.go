package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The wire keeps its connection, reads past a body, and tells the status.
func TestWire(t *testing.T) {
	conns := map[string]bool{}
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns[r.RemoteAddr] = true
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.RequestURI+" "+string(body))
		if len(got) == 2 {
			http.Error(w, "not now", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	w := newWire()
	defer w.Close()
	for i, want := range []int{200, 503, 200} {
		status, err := w.Post(t.Context(), server.URL+"/cdr?token=x", []byte("doc"))
		if err != nil || status != want {
			t.Errorf("post %d: %d, %v", i, status, err)
		}
	}
	if len(conns) != 1 || strings.Join(got, ",") != "POST /cdr?token=x doc,POST /cdr?token=x doc,POST /cdr?token=x doc" {
		t.Errorf("%d connections, %q", len(conns), got)
	}
}

// An answer that cannot be read is an error, and the next post has a connection
// of its own.
func TestWireBadAnswers(t *testing.T) {
	for _, answer := range []string{
		"", "HTTP/1.1\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
	} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, answer)
		}()
		w := &wire{}
		if status, err := w.Post(context.Background(), "http://"+ln.Addr().String()+"/cdr", nil); err == nil || w.conn != nil {
			t.Errorf("%q: status %d, connection kept %t", answer, status, w.conn != nil)
		}
		<-done
		_ = ln.Close()
	}
}
