package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Counts spans and drops them.
type exporter struct{ seen atomic.Int64 }

func (e *exporter) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	e.seen.Add(int64(len(spans)))
	return nil
}

func (e *exporter) Shutdown(context.Context) error { return nil }

func missing(e *exporter, expected int64) string {
	if seen := e.seen.Swap(0); seen != expected {
		return fmt.Sprintf("%d spans of %d were exported", seen, expected)
	}
	return ""
}

const (
	queue      = 65536
	spanSample = 4000 // no span finds the queue full
)

// The values of a request that has been parsed: not known to the compiler.
var request = struct {
	method, path, server, agent string
	status                      int
}{"GET", "/api/v1/orders/12345", "orders.internal.example", "curl/7.88.1", 200}

func spans(tracer trace.Tracer, parent context.Context, attributes bool) func(n int) {
	return func(n int) {
		for range n {
			_, span := tracer.Start(parent, "GET", trace.WithSpanKind(trace.SpanKindClient))
			if attributes {
				span.SetAttributes(
					attribute.String("http.request.method", request.method),
					attribute.String("url.path", request.path),
					attribute.Int("http.response.status_code", request.status),
					attribute.String("server.address", request.server),
					attribute.String("user_agent.original", request.agent))
			}
			span.End()
		}
	}
}

func unsampledParent(tracer trace.Tracer) context.Context {
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, Remote: true})
	ctx, _ := tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), remote), "GET /orders/{id}")
	return ctx
}

func spanRows() []row {
	counting := &exporter{}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(counting, sdk.WithMaxQueueSize(queue)))
	tracer := provider.Tracer("bench")
	parent, _ := tracer.Start(context.Background(), "GET /orders/{id}")
	allThere := func() string {
		provider.ForceFlush(context.Background())
		return missing(counting, spanSample)
	}
	untilExported := timed(func(n int) {
		spans(tracer, parent, true)(n)
		provider.ForceFlush(context.Background())
	})
	return []row{
		{name: "opentelemetry-go, 0 attributes", against: "sampled, 0 attributes", run: timed(spans(tracer, parent, false)), n: spanSample, check: allThere},
		{name: "opentelemetry-go, 5 attributes", against: "sampled, 5 attributes", run: timed(spans(tracer, parent, true)), n: spanSample, check: allThere},
		{name: "opentelemetry-go, 5 attributes, until exported", against: "record to OTLP bytes, end to end", run: untilExported, n: spanSample, check: allThere},
		{name: "opentelemetry-go, unsampled, 5 attributes", against: "unsampled, 5 setters", run: timed(spans(tracer, unsampledParent(tracer), true))},
	}
}
