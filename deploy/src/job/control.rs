//! `dcmms job stop` and `dcmms job graph`: asked over the database, so the job may run anywhere.

use crate::{
    cli::{GraphArgs, StopArgs},
    config::Config,
    print, server, setup,
};
use anyhow::{Context, bail};
use dcmms_api::operations::JobView;
use sqlx::PgPool;
use std::time::Duration;

/// Who is noted as the one who asked.
const BY: &str = "dcmms job stop";
/// How often a job that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Asks the job to stop, and waits until it has when told to.
pub(super) async fn stop(config: &Config, args: StopArgs) -> anyhow::Result<()> {
    let job = args.job.as_deref().unwrap_or(&config.engine.job);
    let pool = server::reached(config).await?;
    let mut transaction = pool.begin().await.context("reach the database; check database.url and run `dcmms migrate`")?;
    let asked = dcmms_api::operations::stop(&mut transaction, job, args.drain, BY).await;
    let asked = asked.map_err(setup::refused).with_context(|| format!("ask job {job} to stop"))?;
    transaction.commit().await.context("ask the job to stop")?;
    print(&format!("job {job} was asked to {}\n", if args.drain { "drain and stop" } else { "stop" }))?;
    if args.wait { until_stopped(&pool, &asked).await } else { Ok(()) }
}

async fn until_stopped(pool: &PgPool, asked: &JobView) -> anyhow::Result<()> {
    let job = &asked.job;
    loop {
        let now = dcmms_api::operations::detail(pool, job).await.map_err(setup::refused).context("look at the job")?.job;
        if now.state == "failed" {
            bail!("job {job} failed: {}", now.failure.unwrap_or_default());
        }
        if now.state != "running" {
            return print(&format!("job {job} stopped; its tables are true up to tick {}\n", now.durable_tick));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Prints the job's dataflow.
pub(super) async fn graph(config: &Config, args: GraphArgs) -> anyhow::Result<()> {
    let job = args.job.as_deref().unwrap_or(&config.engine.job);
    let pool = server::reached(config).await?;
    let graph = dcmms_api::operations::graph(&pool, job).await.map_err(setup::refused);
    let graph = graph.with_context(|| format!("read the graph of job {job}"))?;
    print(&if args.json { format!("{}\n", serde_json::to_string_pretty(&graph)?) } else { graph.dot() })
}
