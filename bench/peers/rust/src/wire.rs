//! The same until a collector on the loopback has it, over OTLP.

use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use fastrace::collector::{Reporter, SpanRecord};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};

use crate::spans::{Arrivals, PER_ROOT, children, five_owned, request, under_roots};
use crate::{Row, timed};

const SPANS: usize = 16384; // as many as in the row of Whence's
const QUEUE: usize = 65536;
const AGAINST: &str = "record to OTLP over HTTP, end to end";

/// Counts the spans that the collector has accepted.
#[derive(Debug)]
struct Sender {
    to: OtlpExporter,
    arrivals: Arrivals,
}

impl SpanExporter for Sender {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.to.export(batch).await?;
        self.arrivals.0.fetch_add(count, SeqCst);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.to.set_resource(resource);
    }
}

fn sender(collector: &str, arrivals: &Arrivals) -> Sender {
    let endpoint = format!("{collector}/v1/traces");
    let to = OtlpExporter::builder().with_http().with_endpoint(endpoint).build().expect("no OTLP exporter");
    Sender { to, arrivals: arrivals.clone() }
}

// ---- fastrace has one reporter: it sends only while the row of this file is measured ----

static SENDS: AtomicBool = AtomicBool::new(false);
static REPORTER: Mutex<Option<OpenTelemetryReporter>> = Mutex::new(None);

/// Whether it has taken them.
pub fn report(spans: &mut Vec<SpanRecord>) -> bool {
    let mut reporter = REPORTER.lock().unwrap();
    let Some(reporter) = reporter.as_mut().filter(|_| SENDS.load(SeqCst)) else { return false };
    reporter.report(std::mem::take(spans));
    true
}

fn fastrace_row(collector: &str) -> Row {
    let arrivals = Arrivals::default();
    let scope = InstrumentationScope::builder("bench").build();
    let reporter =
        OpenTelemetryReporter::new(sender(collector, &arrivals), Cow::Owned(Resource::builder().build()), scope);
    *REPORTER.lock().unwrap() = Some(reporter);
    let run = timed(|n| {
        SENDS.store(true, SeqCst);
        under_roots(n, five_owned(request()));
        fastrace::flush();
        SENDS.store(false, SeqCst);
    });
    let expected = SPANS / PER_ROOT * PER_ROOT + SPANS / PER_ROOT;
    Row::new("fastrace, 5 owned attributes, OTLP over HTTP", AGAINST, run)
        .fixed(SPANS)
        .checked(move || arrivals.wrong(expected))
}

fn opentelemetry_row(collector: &str) -> Row {
    let arrivals = Arrivals::default();
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(sender(collector, &arrivals)).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer = provider.tracer("bench");
    let parent = Context::new().with_span(tracer.start_with_context("GET /orders/{id}", &Context::new()));
    let mut produce = children(tracer, parent, true);
    let run = timed(move |n| {
        produce(n);
        let _ = provider.force_flush();
    });
    Row::new("opentelemetry-rust, 5 attributes, OTLP over HTTP", AGAINST, run)
        .fixed(SPANS)
        .checked(move || arrivals.wrong(SPANS))
}

pub fn rows() -> Vec<Row> {
    let Ok(collector) = std::env::var("BENCH_COLLECTOR") else { return Vec::new() };
    vec![fastrace_row(&collector), opentelemetry_row(&collector)]
}
