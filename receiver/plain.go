package receiver

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// maxHeaderLines is how many header lines a request may have: those of Call
// Bridges have about five, and each costs many times its length in memory.
const maxHeaderLines = 64

// plain reports whether a request can be read in one way only, and answers it
// if not. fasthttp takes some that a proxy before us could read in another way,
// by which a document could be smuggled past it.
func (s *Server) plain(ctx *fasthttp.RequestCtx) bool {
	status, reason := oddity(&ctx.Request.Header)
	if reason == "" {
		return true
	}
	s.deny(ctx, status, causeRequest, reason)
	ctx.SetConnectionClose() // where the next request begins is not certain
	return false
}

// oddity is what is not plain about a request, with the status to refuse it by.
func oddity(h *fasthttp.RequestHeader) (status int, reason string) {
	if p := h.Protocol(); string(p) != "HTTP/1.1" && string(p) != "HTTP/1.0" {
		return fasthttp.StatusHTTPVersionNotSupported, "send HTTP/1.1"
	}
	if bytes.IndexByte(h.RequestURI(), '#') >= 0 {
		return fasthttp.StatusBadRequest, "the URI has a fragment: send what is before the #"
	}
	lines, length, encoded := 0, false, false
	for raw := h.RawHeaders(); len(raw) > 0; lines++ {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return fasthttp.StatusBadRequest, "a header line does not end in CR and LF"
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return fasthttp.StatusBadRequest, "a header is folded: send each in one line"
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.IndexByte(name, ' ') >= 0 {
			return fasthttp.StatusBadRequest, "the name of a header has a space in it"
		}
		switch {
		case len(name) == len(fasthttp.HeaderContentLength) && bytes.EqualFold(name, []byte(fasthttp.HeaderContentLength)):
			length = true
		case len(name) == len(fasthttp.HeaderTransferEncoding) && bytes.EqualFold(name, []byte(fasthttp.HeaderTransferEncoding)):
			encoded = true
			if !bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked")) {
				return fasthttp.StatusBadRequest, "Transfer-Encoding is to be chunked, or left out"
			}
		}
	}
	if lines > maxHeaderLines {
		return fasthttp.StatusRequestHeaderFieldsTooLarge, "there are too many header lines"
	}
	if length && encoded {
		return fasthttp.StatusBadRequest, "both Content-Length and Transfer-Encoding: send one of them"
	}
	return 0, ""
}

// pathOf is the path of a request as it was sent. One that only becomes ours
// when it is decoded or tidied up is another: what stands before us may have
// let it through as that.
func (s *Server) pathOf(ctx *fasthttp.RequestCtx) string {
	path := ctx.URI().PathOriginal()
	if string(path) == s.path {
		return s.o.Path
	}
	return string(path)
}
