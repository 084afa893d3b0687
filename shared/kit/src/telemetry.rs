//! Log lines and traces.
//!
//! Logs go to standard error, so that standard output stays free for answers. Traces go to an OTLP
//! receiver when settings name one; trace context is the W3C's `traceparent`.

use crate::settings::Telemetry;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanData},
};
use std::{io::IsTerminal, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Crates that tell more than an operator wants at `info`; settings may say otherwise.
const QUIET: &str = "hickory_server=warn,hickory_proto=warn,hyper=warn,hyper_util=warn,h2=warn,\
    rustls=warn,actix_server=warn,actix_http=warn,mio=warn,object_store=warn,redis=warn,\
    opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry-otlp=warn,quick_xml=warn";

/// One delivery of spans may take this long.
const EXPORT_WITHIN: Duration = Duration::from_secs(5);

/// Telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("telemetry.log: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be made.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// It runs already.
    #[error("telemetry was started twice: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Telemetry that runs; call [`Started::finish`] before the process ends.
#[derive(Debug)]
pub struct Started {
    traces: Option<SdkTracerProvider>,
}

impl Started {
    /// Sends what has not been sent yet, for some seconds at most.
    pub async fn finish(self) {
        let Some(traces) = self.traces else { return };
        let shut = tokio::task::spawn_blocking(move || traces.shutdown_with_timeout(EXPORT_WITHIN));
        if let Ok(Err(why)) = shut.await {
            tracing::warn!(%why, "the last spans could not be sent");
        }
    }
}

/// Starts logs, traces and the report of panics. `service` is shown in traces: `edge`.
/// Must be called within a Tokio runtime of several threads, which delivers the traces.
///
/// # Errors
/// When the filter or the endpoint is not good, or this was called before.
pub fn start(settings: &Telemetry, service: &str) -> Result<Started, TelemetryError> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log))?;
    let traces = provider(settings, service)?;
    let exported = traces.as_ref().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("nearfront"))
            .with_filter(Targets::new().with_target("nearfront", Level::DEBUG))
    });
    tracing_subscriber::registry()
        .with(lines::<Registry>(&settings.format).with_filter(filter))
        .with(exported)
        .try_init()?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    report_panics();
    Ok(Started { traces })
}

fn lines<S>(format: &str) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(std::io::stderr);
    if format == "json" {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).boxed()
    }
}

fn provider(
    settings: &Telemetry,
    service: &str,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(None);
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_WITHIN)
        .build()?;
    let name = format!("nearfront-{service}");
    let root = Sampler::TraceIdRatioBased(settings.sample);
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(name).build())
        .with_sampler(Sampler::ParentBased(Box::new(root)))
        .with_batch_exporter(OnRuntime { exporter: Arc::new(exporter), runtime: Handle::current() })
        .build();
    Ok(Some(provider))
}

/// The SDK exports from a thread of its own, where hyper finds no runtime; this lends it ours.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<SpanExporter>,
    runtime: Handle,
}

impl opentelemetry_sdk::trace::SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = Arc::clone(&self.exporter);
        let sending = async move { exporter.export(batch).await };
        match self.runtime.spawn(sending).await {
            Ok(sent) => sent,
            Err(why) => Err(OTelSdkError::InternalFailure(why.to_string())),
        }
    }

    fn shutdown_with_timeout(&self, within: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(within)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

/// A panic is a log line like any other, so that whoever collects lines sees it.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let what = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, what, "a task panicked: this is a fault in Nearfront");
    }));
}
