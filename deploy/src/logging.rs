//! The log: one line per event on the standard error, for people or for collectors.

mod repeats;

use crate::config::Log;
use anyhow::Context;
use repeats::Repeats;
use tracing_subscriber::{EnvFilter, Layer, filter::FilterExt, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging, in colours where somebody looks. Libraries are kept quiet unless the filter names them.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .parse(format!("sqlx=error,hyper=warn,{}", log.filter))
        .with_context(|| format!("log.filter = `{}`: write a level or target=level pairs, such as info,dcmms_sinks=debug", log.filter))?;
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let lines = match log.format.as_str() {
        "json" => lines.json().flatten_event(true).boxed(),
        _ => lines.with_target(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter.and(Repeats::default()))).init();
    Ok(())
}
