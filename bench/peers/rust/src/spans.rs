use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use fastrace::collector::{Config, Reporter, SpanContext as LocalContext, SpanRecord};
use fastrace::local::LocalSpan;
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::{Row, timed};

pub const PER_ROOT: usize = 100;
const SPANS: usize = 4000; // in a sample: no span finds the queue full
const QUEUE: usize = 65536;

/// The values of a request that has been parsed: not known to the compiler, and not there for ever.
pub struct Request {
    method: String,
    path: String,
    status: i64,
    server: String,
    agent: String,
}

pub fn request() -> Request {
    black_box(Request {
        method: "GET".into(),
        path: "/api/v1/orders/12345".into(),
        status: 200,
        server: "orders.internal.example".into(),
        agent: "curl/7.88.1".into(),
    })
}

/// Spans that have arrived since the last look, beside those that should have.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(pub Arc<AtomicUsize>);

impl Arrivals {
    pub fn wrong(&self, expected: usize) -> Option<String> {
        let seen = self.0.swap(0, SeqCst);
        (seen != expected).then(|| format!("{seen} spans of {expected} were exported"))
    }
}

// ---- fastrace: spans of one thread below a root, reported when the root has ended ----

impl Reporter for Arrivals {
    fn report(&mut self, mut spans: Vec<SpanRecord>) {
        if crate::wire::report(&mut spans) {
            return;
        }
        self.0.fetch_add(spans.len(), SeqCst);
    }
}

pub fn under_roots(n: usize, mut child: impl FnMut()) {
    for _ in 0..n / PER_ROOT {
        let root = fastrace::Span::root("GET /orders/{id}", LocalContext::random());
        let _guard = root.set_local_parent();
        for _ in 0..PER_ROOT {
            child();
        }
    }
}

pub fn five_owned(given: Request) -> impl FnMut() {
    move || {
        let _span = LocalSpan::enter_with_local_parent("GET").with_properties(|| {
            [
                ("http.request.method", given.method.clone()),
                ("url.path", given.path.clone()),
                ("http.response.status_code", given.status.to_string()),
                ("server.address", given.server.clone()),
                ("user_agent.original", given.agent.clone()),
            ]
        });
    }
}

fn fastrace_rows() -> Vec<Row> {
    let arrivals = Arrivals::default();
    fastrace::set_reporter(arrivals.clone(), Config::default());
    let check = move || {
        fastrace::flush();
        arrivals.wrong(SPANS + SPANS / PER_ROOT)
    };
    let none = timed(|n| {
        under_roots(n, || {
            let _span = LocalSpan::enter_with_local_parent("GET");
        })
    });
    let until_exported = timed(|n| {
        under_roots(n, five_owned(request()));
        fastrace::flush();
    });
    let five = timed(|n| under_roots(n, five_owned(request())));
    vec![
        Row::new("fastrace, 0 attributes", "sampled, 0 attributes, exporter asleep", none)
            .fixed(SPANS)
            .checked(check.clone()),
        Row::new("fastrace, 5 owned attributes", "sampled, 5 attributes, exporter asleep", five)
            .fixed(SPANS)
            .checked(check.clone()),
        Row::new("fastrace, 5 owned attributes, until exported", "record to OTLP bytes, end to end", until_exported)
            .fixed(SPANS)
            .checked(check),
    ]
}

// ---- opentelemetry-rust: a batch processor, and an exporter that drops ----

impl SpanExporter for Arrivals {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len(), SeqCst);
        Ok(())
    }
}

fn unsampled_parent(tracer: &SdkTracer) -> Context {
    let remote =
        SpanContext::new(TraceId::from(1u128), SpanId::from(1u64), TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
    let caller = Context::new().with_remote_span_context(remote);
    caller.with_span(tracer.start_with_context("GET /orders/{id}", &caller))
}

pub fn children(tracer: SdkTracer, parent: Context, attributes: bool) -> impl FnMut(usize) {
    let given = request();
    move |n| {
        for _ in 0..n {
            let mut span = tracer.span_builder("GET").with_kind(SpanKind::Client).start_with_context(&tracer, &parent);
            if attributes {
                span.set_attribute(KeyValue::new("http.request.method", given.method.clone()));
                span.set_attribute(KeyValue::new("url.path", given.path.clone()));
                span.set_attribute(KeyValue::new("http.response.status_code", given.status));
                span.set_attribute(KeyValue::new("server.address", given.server.clone()));
                span.set_attribute(KeyValue::new("user_agent.original", given.agent.clone()));
            }
            span.end();
        }
    }
}

fn opentelemetry_rows() -> Vec<Row> {
    let arrivals = Arrivals::default();
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(arrivals.clone()).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer = provider.tracer("bench");
    let parent = Context::new().with_span(tracer.start_with_context("GET /orders/{id}", &Context::new()));
    let unsampled = unsampled_parent(&tracer);
    let (flushed, mut produce) = (provider.clone(), children(tracer.clone(), parent.clone(), true));
    let until_exported = timed(move |n| {
        produce(n);
        let _ = flushed.force_flush();
    });
    let check = move || {
        let _ = provider.force_flush();
        arrivals.wrong(SPANS)
    };
    vec![
        Row::new(
            "opentelemetry-rust, 0 attributes",
            "sampled, 0 attributes",
            timed(children(tracer.clone(), parent.clone(), false)),
        )
        .fixed(SPANS)
        .checked(check.clone()),
        Row::new(
            "opentelemetry-rust, 5 attributes",
            "sampled, 5 attributes",
            timed(children(tracer.clone(), parent, true)),
        )
        .fixed(SPANS)
        .checked(check.clone()),
        Row::new(
            "opentelemetry-rust, 5 attributes, until exported",
            "record to OTLP bytes, end to end",
            until_exported,
        )
        .fixed(SPANS)
        .checked(check),
        Row::new(
            "opentelemetry-rust, unsampled, 5 attributes",
            "unsampled, 5 setters",
            timed(children(tracer, unsampled, true)),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = fastrace_rows();
    rows.extend(opentelemetry_rows());
    rows
}
