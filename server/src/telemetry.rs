//! Logs and metrics.

use std::{
    io::IsTerminal as _,
    sync::{Mutex, PoisonError},
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    Error, Result,
    config::{LogFormat, LogSection},
};

/// From a cached answer to a whole verdict behind a queue, in seconds.
const BUCKETS: &[f64] = &[
    0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0,
];

/// Sends logs to standard error, and of a panic nothing but its place: its message may quote what
/// it was about.
pub fn start_logs(section: &LogSection) -> Result<()> {
    let filter = EnvFilter::try_new(&section.filter)
        .map_err(|error| Error::Setup(format!("log.filter: {error}")))?;
    let pretty = match section.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if pretty {
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        registry.with(layer).try_init()
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_writer(std::io::stderr);
        registry.with(layer).try_init()
    };
    started.map_err(|error| Error::Setup(format!("logs: {error}")))?;
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(
            place = panic.location().map(tracing::field::display),
            "panic"
        );
    }));
    Ok(())
}

/// Collects metrics. There is one collector in a process, whoever asks first makes it.
pub fn start_metrics() -> Result<PrometheusHandle> {
    static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    // Held until the recorder is set: of two that are made at the same moment, one would count and the
    // other be read.
    let mut known = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*known {
        return Ok(handle.clone());
    }
    let failed = |error: metrics_exporter_prometheus::BuildError| {
        Error::broken("starting metrics")(error.into())
    };
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
        .map_err(failed)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)
        .map_err(|error| Error::broken("starting metrics")(error.to_string().into()))?;
    describe();
    *known = Some(handle.clone());
    Ok(handle)
}

fn describe() {
    use metrics::{describe_counter, describe_histogram};
    describe_counter!(
        "blindprint_http_requests_total",
        "Requests, by method, route and status"
    );
    describe_histogram!(
        "blindprint_http_seconds",
        "Time to answer, by method and route"
    );
    describe_counter!(
        "blindprint_rate_limited_total",
        "Requests over a limit, by kind of limit"
    );
    describe_counter!(
        "blindprint_overload_total",
        "Requests turned away for lack of room"
    );
    describe_counter!("blindprint_verdicts_total", "Verdicts, by outcome");
    describe_counter!(
        "blindprint_presentations_total",
        "Answers of wallets to presentation requests, by outcome"
    );
    describe_histogram!("blindprint_matcher_seconds", "Time in a matcher, by stage");
    describe_counter!(
        "blindprint_process_starts_total",
        "Starts of child processes, by name"
    );
}
