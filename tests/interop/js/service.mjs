// A service with OpenTelemetry for JavaScript: README.md, one folder up.
import http from 'node:http';
import { baggageEntryMetadataFromString, context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { JaegerPropagator } from '@opentelemetry/propagator-jaeger';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const service = process.env.OTEL_SERVICE_NAME;

// The package that reads OTEL_PROPAGATORS brings half of all instrumentations with it.
const propagators = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: () => new B3Propagator({ injectEncoding: B3InjectEncoding.SINGLE_HEADER }),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
  jaeger: () => new JaegerPropagator(),
};

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': service }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register({
  propagator: new CompositePropagator({
    propagators: (process.env.OTEL_PROPAGATORS ?? 'tracecontext,baggage').split(',').map((name) => propagators[name]()),
  }),
});
const tracer = trace.getTracer('interop', '1.0');

function seen(ctx) {
  const of = trace.getSpanContext(ctx);
  const members = propagation.getBaggage(ctx)?.getAllEntries() ?? [];
  return {
    service,
    trace_id: of.traceId,
    span_id: of.spanId,
    sampled: (of.traceFlags & 1) === 1,
    tracestate: of.traceState?.serialize() ?? '',
    baggage: Object.fromEntries(members.map(([name, entry]) => [name, [entry.value, entry.metadata?.toString() ?? '']])),
  };
}

function post(url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers, timeout: 30000, agent: false }, (response) => {
      read(response).then((text) => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))), reject);
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.end(body);
  });
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function call(ctx, urls) {
  const span = tracer.startSpan('call', { kind: SpanKind.CLIENT }, ctx);
  try {
    const headers = { 'Content-Type': 'application/json' };
    propagation.inject(trace.setSpan(ctx, span), headers);
    return await post(urls[0], headers, JSON.stringify({ next: urls.slice(1) }));
  } finally {
    span.end();
  }
}

async function hop(request) {
  const asked = JSON.parse(await read(request));
  let ctx = propagation.extract(ROOT_CONTEXT, request.headers);
  const span = tracer.startSpan('hop', { kind: SpanKind.SERVER }, ctx);
  try {
    ctx = trace.setSpan(ctx, span);
    const answer = [seen(ctx)];
    let baggage = propagation.getBaggage(ctx) ?? propagation.createBaggage();
    for (const [name, value, metadata] of asked.baggage ?? []) {
      baggage = baggage.setEntry(name, { value, metadata: metadata ? baggageEntryMetadataFromString(metadata) : undefined });
    }
    ctx = propagation.setBaggage(ctx, baggage);
    return asked.next.length ? answer.concat(await call(ctx, asked.next)) : answer;
  } finally {
    span.end();
  }
}

const server = http.createServer((request, response) => {
  hop(request).then(
    (answer) => response.end(JSON.stringify(answer)),
    (error) => {
      console.error(error);
      response.writeHead(500).end(String(error));
    },
  );
});
server.listen(0, '127.0.0.1', () => console.log('listening on', server.address().port));
process.on('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await provider.shutdown();
});
