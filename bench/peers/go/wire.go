package main

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Counts the spans that the collector has accepted.
type sender struct {
	exporter
	to sdk.SpanExporter
}

func (s *sender) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := s.to.ExportSpans(ctx, spans); err != nil {
		return err
	}
	return s.exporter.ExportSpans(ctx, spans)
}

func (s *sender) Shutdown(ctx context.Context) error { return s.to.Shutdown(ctx) }

// As many as wait there for the row of Whence's.
const sent = 16384

func wireRows(collector string) []row {
	to, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(collector+"/v1/traces"))
	if err != nil {
		return nil
	}
	sending := &sender{to: to}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(sending, sdk.WithMaxQueueSize(queue)))
	tracer := provider.Tracer("bench")
	parent, _ := tracer.Start(context.Background(), "GET /orders/{id}")
	return []row{{
		name:    "opentelemetry-go, 5 attributes, OTLP over HTTP",
		against: "record to OTLP over HTTP, end to end",
		run: timed(func(n int) {
			spans(tracer, parent, true)(n)
			provider.ForceFlush(context.Background())
		}),
		n:     sent,
		check: func() string { return missing(&sending.exporter, sent) },
	}}
}
