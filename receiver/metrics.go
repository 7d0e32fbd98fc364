package receiver

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"callmark/policy"
)

// metricsType is that of the text format in which Prometheus reads.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// tell answers /metrics. What cannot be told as a whole is not told.
func (s *Server) tell(ctx *fasthttp.RequestCtx) {
	var body bytes.Buffer
	if err := s.o.Metrics(&body); err != nil {
		if source := sender(ctx); s.report.due(s.o.Now(), source, "metrics") {
			s.o.Log.Error("metrics could not be told", "source", source, "problem", policy.Clean(err.Error(), maxReason))
		}
		answer(ctx, fasthttp.StatusInternalServerError, "the metrics could not be gathered, the log says why")
		return
	}
	ctx.SetContentType(metricsType)
	ctx.SetBody(body.Bytes())
}
