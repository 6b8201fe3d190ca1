//! What the server says of itself: the log and the metrics.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::Config;

/// Not in detail, whatever is asked for: PostgreSQL's driver tells the values of its statements.
const SILENT: &str = "tokio_postgres=info";

/// Begins to log, on standard error.
///
/// # Errors
/// When the filter cannot be read, or something logs already.
pub fn log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).context("failed to read the log filter")?;
    let filter = filter.add_directive(SILENT.parse().context("failed to silence the driver")?);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = if config.log_json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|e| anyhow::anyhow!("failed to start the log: {e}"))
}

/// Begins to count; the handle prints what was counted.
///
/// # Errors
/// When something counts already.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("failed to start the metrics")
}
