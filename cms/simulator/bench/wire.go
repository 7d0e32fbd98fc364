package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"callmark/cms/simulator"
)

// wire posts documents over one kept connection with as little work as that
// takes, so that two shared cores measure who answers and not who asks. It knows
// of HTTP what the receivers here answer: a status line, headers with a
// Content-Length, a body.
type wire struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
	stop func() bool // of the watch on the context
}

func newWire() simulator.Poster { return &wire{} }

// Post implements simulator.Poster. An error closes the connection; the next
// Post opens another.
func (w *wire) Post(ctx context.Context, uri string, body []byte) (status int, err error) {
	u, err := url.Parse(uri)
	if err != nil {
		return 0, err
	}
	if w.conn == nil {
		if err := w.dial(ctx, u.Host); err != nil {
			return 0, err
		}
	}
	w.out = append(w.out[:0], "POST "...)
	w.out = append(w.out, u.RequestURI()...)
	w.out = append(w.out, " HTTP/1.1\r\nHost: "...)
	w.out = append(w.out, u.Host...)
	w.out = append(w.out, "\r\nContent-Type: text/xml\r\nContent-Length: "...)
	w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
	w.out = append(w.out, "\r\n\r\n"...)
	w.out = append(w.out, body...)
	if _, err = w.conn.Write(w.out); err == nil {
		status, err = w.answer()
	}
	if err != nil {
		w.Close()
		return 0, fmt.Errorf("post to %s: %w", uri, err)
	}
	return status, nil
}

func (w *wire) dial(ctx context.Context, host string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	w.conn, w.r = conn, bufio.NewReader(conn)
	w.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return nil
}

// answer reads one answer and returns its status.
func (w *wire) answer() (status int, err error) {
	line, err := w.line()
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	if len(rest) < 3 {
		return 0, fmt.Errorf("answered %q", line)
	}
	if status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return 0, fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		if line, err = w.line(); err != nil {
			return 0, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(name), "Content-Length") {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("answered without a length")
	}
	_, err = w.r.Discard(length)
	return status, err
}

// line is the next line without its end, until the next is read.
func (w *wire) line() ([]byte, error) {
	line, err := w.r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// Close implements simulator.Poster.
func (w *wire) Close() {
	if w.conn == nil {
		return
	}
	w.stop()
	_ = w.conn.Close()
	w.conn = nil
}
