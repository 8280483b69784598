"""A service with OpenTelemetry for Python: README.md, one folder up."""

import http.server
import json
import os
import signal
import threading
import urllib.request

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("interop", "1.0")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def seen(span, members):
    of = span.get_span_context()
    return {"service": os.environ["OTEL_SERVICE_NAME"], "trace_id": f"{of.trace_id:032x}", "span_id": f"{of.span_id:016x}",
            "sampled": of.trace_flags.sampled, "tracestate": of.trace_state.to_header(),
            "baggage": {name: [str(value), ""] for name, value in members.items()}}


def call(urls):
    with tracer.start_as_current_span("call", kind=trace.SpanKind.CLIENT):
        headers = {"Content-Type": "application/json"}
        propagate.inject(headers)
        body = json.dumps({"next": urls[1:]}).encode()
        with opener.open(urllib.request.Request(urls[0], data=body, headers=headers), timeout=30) as response:
            return json.load(response)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = context.attach(propagate.extract({name.lower(): value for name, value in self.headers.items()}))
        with tracer.start_as_current_span("hop", kind=trace.SpanKind.SERVER) as span:
            answer = [seen(span, baggage.get_all())]
            here = context.get_current()
            for name, value, _ in asked.get("baggage", []):
                here = baggage.set_baggage(name, value, here)
            inner = context.attach(here)
            if asked["next"]:
                answer += call(asked["next"])
            context.detach(inner)
        context.detach(token)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("listening on", server.server_port, flush=True)
signal.sigwait({signal.SIGTERM})
server.shutdown()
provider.shutdown()
