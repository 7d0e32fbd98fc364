package receiver

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

const (
	// firstBody is room for nearly every document; keptBody is the most that a
	// work keeps for the next.
	firstBody = 8 << 10
	keptBody  = 64 << 10

	// largeBodies is how many documents of full size may be held at once.
	// Without it every connection could have one.
	largeBodies = 16

	// largeOfSource is how many of these are for one source, so that none keeps
	// all others out by sending halves.
	largeOfSource = largeBodies / 4
)

var (
	errTooLarge = errors.New("the document is too large")
	errBusy     = errors.New("too many large documents at once")
	errBusyFrom = errors.New("too many large documents at once from this address")
)

// work is what the body of one document needs, kept for the next.
type work struct {
	s    *Server
	body []byte
	held int64         // of s.large
	from *atomic.Int64 // where its source's part of that is counted
}

// release gives the work back, without memory that only a large document needs.
func (w *work) release() {
	w.body = w.body[:0]
	if cap(w.body) > keptBody {
		w.body = nil
	}
	w.give(w.held)
	w.from = nil
	w.s.works.Put(w)
}

// read reads the body of a request. Of one that is too large it reads the
// beginning.
func (w *work) read(ctx *fasthttp.RequestCtx) error {
	w.body = w.body[:0]
	w.from = &w.s.unknown
	if c := connOf(ctx); c != nil && c.held != nil {
		w.from = c.held
	}
	r := ctx.RequestBodyStream()
	if r == nil {
		return nil // neither a length nor chunks: no body
	}
	length := ctx.Request.Header.ContentLength() // -1: chunked
	limit := w.s.o.MaxBody
	tooLarge := length > limit
	if tooLarge {
		limit = min(limit, keptBody)
	}
	for {
		if len(w.body) == cap(w.body) {
			if err := w.grow(limit + 1); err != nil {
				return err
			}
		}
		n, err := r.Read(w.body[len(w.body):cap(w.body)])
		w.body = w.body[:len(w.body)+n]
		switch {
		case len(w.body) > limit:
			return errTooLarge
		case err == nil:
		case err != io.EOF:
			return err
		case length >= 0 && len(w.body) < length:
			return io.ErrUnexpectedEOF
		default:
			return nil
		}
	}
}

// grow makes more room, up to limit bytes. It follows what has come, not what
// was announced.
func (w *work) grow(limit int) error {
	n := max(firstBody, 2*cap(w.body))
	n = min(n, max(limit, firstBody))
	if n > keptBody {
		if err := w.hold(int64(n) - w.held); err != nil {
			return err
		}
	}
	body := make([]byte, len(w.body), n)
	copy(body, w.body)
	w.body = body
	return nil
}

// hold counts memory that a large document needs, if its source and all together
// may have it.
func (w *work) hold(more int64) error {
	one := int64(w.s.o.MaxBody + keptBody)
	// Its own part comes first: who is refused for that is not seen by others.
	if w.from.Add(more) > largeOfSource*one {
		w.from.Add(-more)
		return errBusyFrom
	}
	w.held += more
	if w.s.large.Add(more) > largeBodies*one {
		w.give(more)
		return errBusy
	}
	return nil
}

// give gives held memory back.
func (w *work) give(n int64) {
	if n != 0 {
		w.from.Add(-n)
		w.s.large.Add(-n)
		w.held -= n
	}
}

// drain reads the rest of a body that is not wanted, until its end or the
// request's deadline, and reports whether the connection can go on. A sender
// may read no answer before it has sent all.
func drain(ctx *fasthttp.RequestCtx) bool {
	r := ctx.RequestBodyStream()
	if r == nil {
		return true
	}
	_, err := io.Copy(io.Discard, r)
	return err == nil
}
