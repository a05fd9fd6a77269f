//! Asks a running job for a checkpoint and waits until it is complete.

use crate::{config::Config, print, server};
use anyhow::{Context, bail};
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(200);
/// A job that takes longer is stalled, or gone without a word.
const WAIT: Duration = Duration::from_secs(120);

#[derive(sqlx::FromRow)]
struct Made {
    tick: i64,
    bytes: i64,
    files_of: i32,
    seconds: f64,
}

/// Answers when a start could go on from it.
pub(super) async fn take(config: &Config, job: Option<&str>) -> anyhow::Result<()> {
    let name = job.unwrap_or(&config.engine.job);
    let pool = server::pool(config)?;
    let asked: Option<i64> = sqlx::query_scalar(include_str!("../../queries/checkpoint_ask.sql"))
        .bind(name)
        .fetch_optional(&pool)
        .await
        .context("ask for a checkpoint")?;
    let Some(durable) = asked else {
        bail!("no job `{name}` is running on this database; `dcmms job list` shows those that have run");
    };
    let started = Instant::now();
    loop {
        let made: Option<Made> = sqlx::query_as(include_str!("../../queries/checkpoint_after.sql"))
            .bind(name)
            .bind(durable)
            .fetch_optional(&pool)
            .await
            .context("look for the checkpoint")?;
        if let Some(Made { tick, bytes, files_of, seconds }) = made {
            return print(&format!(
                "job {name}: checkpoint at tick {tick}, {bytes} bytes, complete {seconds:.1} s after it was stored, read from {files_of} in a row\n"
            ));
        }
        if started.elapsed() > WAIT {
            bail!("job `{name}` has not completed a checkpoint within {} s; `dcmms job status {name}` says how it does", WAIT.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
