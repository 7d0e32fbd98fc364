package receiver

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"callmark/policy"
)

// handle answers one request. A panic costs that request and nothing else.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	defer func() {
		if p := recover(); p != nil {
			source := sender(ctx)
			s.panicked(source, "answering a request", p)
			answer(ctx, fasthttp.StatusInternalServerError, "internal error")
			ctx.SetConnectionClose()
			s.refused(source, causePanic, "internal error")
		}
	}()
	switch path := s.pathOf(ctx); {
	case !s.inTime(ctx), !s.plain(ctx), !s.admitted(ctx): // answered
	case path == s.o.Path && ctx.IsPost():
		s.take(ctx)
	case path == s.o.Path:
		s.deny(ctx, fasthttp.StatusMethodNotAllowed, causeMethod, "records come by POST")
		ctx.Response.Header.Set(fasthttp.HeaderAllow, "POST")
	case path == healthPath && (ctx.IsGet() || ctx.IsHead()):
		answer(ctx, fasthttp.StatusOK, "ok")
	case path == readyPath && s.o.Unready != nil && (ctx.IsGet() || ctx.IsHead()):
		if reasons := s.o.Unready(); len(reasons) > 0 {
			answer(ctx, fasthttp.StatusServiceUnavailable, strings.Join(reasons, "\n"))
		} else {
			answer(ctx, fasthttp.StatusOK, "ready")
		}
	case path == metricsPath && s.o.Metrics != nil && (ctx.IsGet() || ctx.IsHead()):
		s.tell(ctx)
	case path == healthPath, path == readyPath && s.o.Unready != nil, path == metricsPath && s.o.Metrics != nil:
		s.deny(ctx, fasthttp.StatusMethodNotAllowed, causeMethod, path+" is asked by GET")
		ctx.Response.Header.Set(fasthttp.HeaderAllow, "GET, HEAD")
	default:
		s.deny(ctx, fasthttp.StatusNotFound, causePath, "there is nothing here, records go to "+s.o.Path)
	}
	if s.conns.stopping.Load() {
		ctx.SetConnectionClose()
	}
}

// take takes one document of records.
func (s *Server) take(ctx *fasthttp.RequestCtx) {
	if why, reason := s.token.refuses(ctx.QueryArgs()); why != "" {
		s.deny(ctx, fasthttp.StatusUnauthorized, why, reason)
		return
	}
	w := s.works.Get().(*work)
	defer w.release() // a panic too must not keep what it holds of s.large
	source := sender(ctx)
	if err := w.read(ctx); err != nil {
		s.unread(ctx, w, source, err)
		return
	}
	switch f, ok := s.apply(ctx, w, source); {
	case ok:
	case f.cause == causeSender: // it could be read: it is not set aside, however often it comes
		s.deny(ctx, f.status, f.cause, f.reason)
	default:
		f.id = sha256.Sum256(w.body)
		f.head, f.body = headOf(w.body), w.body
		s.refuse(ctx, source, f)
	}
}

// apply hands a document to the board, as a whole or not at all, and says why
// not.
func (s *Server) apply(ctx *fasthttp.RequestCtx, w *work, source string) (f refusal, ok bool) {
	a := <-s.appliers
	var src policy.Source // of what the board was given
	defer func() {
		if p := recover(); p != nil {
			s.panicked(source, "applying a document", p)
			// The board may have taken records as known and not applied them, and
			// would skip them when they come again: what they are about is read anew.
			if src.Address != "" {
				s.guard("setting a document aside", func() {
					s.board.SetAside(s.o.Now(), src, "internal error while it was applied, which may be in part")
				})
			}
			f = refusal{status: fasthttp.StatusInternalServerError, cause: causePanic, reason: "internal error while it was applied"}
			ok = false
			a = newApplier(s.o) // what panicked is not used again
		}
		a.forget()
		s.appliers <- a
	}()
	if e := ctx.Request.Header.ContentEncoding(); len(e) > 0 && string(e) != "identity" {
		return refusal{status: fasthttp.StatusUnsupportedMediaType, cause: causeEncoded,
			reason: "the document is encoded as " + quote(e) + ", send it as it is"}, false
	}
	if err := a.decoder.Decode(w.body, &a.doc); err != nil {
		s.counts.undecodable(err)
		return refusal{status: fasthttp.StatusBadRequest, cause: causeMalformed, reason: err.Error()}, false
	}
	a.events = appendEvents(slices.Grow(a.events[:0], len(a.doc.Records)), &a.doc)
	src = policy.Source{Session: a.doc.Session, CallBridge: a.doc.CallBridge, Address: source}
	done := s.board.Apply(s.o.Now(), src, a.events)
	if done.Refused != "" {
		return refusal{status: fasthttp.StatusForbidden, cause: causeSender, reason: done.Refused}, false
	}
	s.stats.documents.Add(1)
	s.stats.records.Add(uint64(len(a.events)))
	return refusal{}, true
}

// unread answers a document whose body could not be had.
func (s *Server) unread(ctx *fasthttp.RequestCtx, w *work, source string, err error) {
	if c := connOf(ctx); c != nil && c.failed != nil && err != errTooLarge && err != errBusy && err != errBusyFrom {
		err = c.failed // fasthttp wraps what befalls it within a chunk, and does not unwrap it
	}
	var timeout net.Error
	switch {
	case err == errTooLarge:
		// The rest is not kept, so its beginning and its length tell it from
		// others.
		beginning := w.body[:min(len(w.body), keptBody, s.o.MaxBody)]
		h := sha256.New()
		h.Write(beginning)
		_, _ = io.WriteString(h, strconv.Itoa(ctx.Request.Header.ContentLength()))
		f := refusal{
			status: fasthttp.StatusRequestEntityTooLarge, cause: causeTooLarge,
			reason: fmt.Sprintf("the document is larger than %d bytes", s.o.MaxBody),
			head:   headOf(beginning),
		}
		h.Sum(f.id[:0])
		whole := drain(ctx)
		s.refuse(ctx, source, f)
		if !whole {
			ctx.SetConnectionClose()
		}
		return
	case err == errBusy, err == errBusyFrom:
		s.deny(ctx, fasthttp.StatusServiceUnavailable, causeBusy, err.Error())
	case errors.As(err, &timeout) && timeout.Timeout():
		s.deny(ctx, fasthttp.StatusRequestTimeout, causeSlow, "the request did not come in time")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		s.deny(ctx, fasthttp.StatusBadRequest, causeCut, "the document ended before its length was reached")
	default:
		s.deny(ctx, fasthttp.StatusBadRequest, causeRequest, "the body cannot be read: "+policy.Clean(err.Error(), maxReason))
	}
	ctx.SetConnectionClose()
}

// handleError answers what fasthttp could not read as a request. It closes the
// connection afterwards.
func (s *Server) handleError(ctx *fasthttp.RequestCtx, err error) {
	if c := connOf(ctx); c != nil && c.idle.Load() > 0 {
		// Nothing was asked: a probe of the port, or a connection held ready.
		answer(ctx, fasthttp.StatusRequestTimeout, "no request came")
		return
	}
	var timeout net.Error
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &small):
		s.deny(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, causeRequest, fmt.Sprintf("the header is larger than %d bytes", s.o.MaxHeader))
	case errors.As(err, &timeout) && timeout.Timeout():
		s.deny(ctx, fasthttp.StatusRequestTimeout, causeSlow, "the request did not come in time")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		s.deny(ctx, fasthttp.StatusBadRequest, causeCut, "the request ended too early")
	default:
		s.deny(ctx, fasthttp.StatusBadRequest, causeRequest, "this is no HTTP request; a Call Bridge is to post to http://, not https://")
	}
}

// deny answers a request that was not a document, or not all of one.
func (s *Server) deny(ctx *fasthttp.RequestCtx, status int, why cause, reason string) {
	answer(ctx, status, reason)
	s.refused(sender(ctx), why, reason)
}

// answer sets a status and one line of text. It does not reset the response
// first: that would bring back the headers that the server leaves out.
func answer(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text + "\n")
}

// sender is the address that a request came from.
func sender(ctx *fasthttp.RequestCtx) string {
	if c := connOf(ctx); c != nil {
		return c.source
	}
	return sourceOf(ctx.RemoteAddr())
}

// quote makes a piece of a request fit for one line of a log.
func quote(b []byte) string {
	return strconv.QuoteToASCII(string(b[:min(len(b), 40)]))
}
