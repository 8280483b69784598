// A service with OpenTelemetry for Go: README.md, one folder up.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type asked struct {
	Next    []string    `json:"next"`
	Baggage [][3]string `json:"baggage,omitempty"`
}

type seen struct {
	Service    string               `json:"service"`
	TraceID    string               `json:"trace_id"`
	SpanID     string               `json:"span_id"`
	Sampled    bool                 `json:"sampled"`
	TraceState string               `json:"tracestate"`
	Baggage    map[string][2]string `json:"baggage"`
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}

func look(ctx context.Context) seen {
	of := trace.SpanContextFromContext(ctx)
	s := seen{os.Getenv("OTEL_SERVICE_NAME"), of.TraceID().String(), of.SpanID().String(), of.IsSampled(),
		of.TraceState().String(), map[string][2]string{}}
	for _, m := range baggage.FromContext(ctx).Members() {
		metadata := ""
		for i, p := range m.Properties() {
			if i > 0 {
				metadata += ";"
			}
			metadata += p.String()
		}
		s.Baggage[m.Key()] = [2]string{m.Value(), metadata}
	}
	return s
}

func with(ctx context.Context, members [][3]string) (context.Context, error) {
	bag := baggage.FromContext(ctx)
	for _, m := range members {
		member, err := baggage.NewMemberRaw(m[0], m[1])
		if err != nil {
			return nil, err
		}
		if m[2] != "" {
			property, err := baggage.NewKeyProperty(m[2])
			if err != nil {
				return nil, err
			}
			if member, err = baggage.NewMemberRaw(m[0], m[1], property); err != nil {
				return nil, err
			}
		}
		if bag, err = bag.SetMember(member); err != nil {
			return nil, err
		}
	}
	return baggage.ContextWithBaggage(ctx, bag), nil
}

func call(ctx context.Context, tracer trace.Tracer, urls []string) ([]seen, error) {
	ctx, span := tracer.Start(ctx, "call", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	body, err := json.Marshal(asked{Next: urls[1:]})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, "POST", urls[0], bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(request.Header))
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var others []seen
	return others, json.NewDecoder(response.Body).Decode(&others)
}

func hop(tracer trace.Tracer, w http.ResponseWriter, r *http.Request) error {
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		return err
	}
	ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := tracer.Start(ctx, "hop", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	answer := []seen{look(ctx)}
	ctx, err := with(ctx, a.Baggage)
	if err != nil {
		return err
	}
	if len(a.Next) > 0 {
		others, err := call(ctx, tracer, a.Next)
		if err != nil {
			return err
		}
		answer = append(answer, others...)
	}
	return json.NewEncoder(w).Encode(answer)
}

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	tracer := otel.Tracer("interop", trace.WithInstrumentationVersion("1.0"))
	http.HandleFunc("/hop", func(w http.ResponseWriter, r *http.Request) {
		if err := hop(tracer, w, r); err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	server := &http.Server{}
	go server.Serve(listener)
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	<-stop
	server.Shutdown(ctx)
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
