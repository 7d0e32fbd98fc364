package receiver

import (
	"errors"
	"io"

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
)

var (
	errTooLarge = errors.New("the document is too large")
	errBusy     = errors.New("too many large documents at once")
)

// work is what the body of one document needs, kept for the next.
type work struct {
	s    *Server
	body []byte
	held int64 // of s.large
}

// release gives the work back, without memory that only a large document needs.
func (w *work) release() {
	w.body = w.body[:0]
	if cap(w.body) > keptBody {
		w.body = nil
	}
	w.s.large.Add(-w.held)
	w.held = 0
	w.s.works.Put(w)
}

// read reads the body of a request. Of one that is too large it reads the
// beginning.
func (w *work) read(ctx *fasthttp.RequestCtx) error {
	w.body = w.body[:0]
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
		more := int64(n) - w.held
		if w.s.large.Add(more) > largeBodies*int64(w.s.o.MaxBody+keptBody) {
			w.s.large.Add(-more)
			return errBusy
		}
		w.held += more
	}
	body := make([]byte, len(w.body), n)
	copy(body, w.body)
	w.body = body
	return nil
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
