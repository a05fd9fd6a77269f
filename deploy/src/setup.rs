//! Things that have to exist before telemetry is sent, and waiting until the engine can know of them.

use anyhow::{Context, anyhow, bail};
use dcmms_api::{
    problem::Problem,
    setup::{self, Created, Plan},
};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// How long the relay may be silent before we say what to do.
const HINT_AFTER: Duration = Duration::from_secs(5);
/// How long Kafka may take to say how long a topic is, and a job to read it.
const WATERMARK: Duration = Duration::from_secs(10);
const JOB_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// What the API refused, as an error of ours.
pub fn refused(problem: Problem) -> anyhow::Error {
    anyhow!("{}: {}", problem.title, problem.detail.unwrap_or(problem.code))
}

/// Creates what is missing, all or nothing.
pub async fn create(pool: &PgPool, plan: &Plan) -> anyhow::Result<Created> {
    let mut transaction = pool.begin().await.context("reach the database; check database.url and run `dcmms migrate`")?;
    let created = setup::create(&mut transaction, plan).await.map_err(refused).context("create sites, positions, points and rules")?;
    transaction.commit().await.context("create sites, positions, points and rules")?;
    Ok(created)
}

/// Waits until every change up to `outbox_seq` is on the topic of domain events. `dcmms serve` publishes them.
pub async fn published(pool: &PgPool, outbox_seq: i64, stopped: impl Fn() -> bool) -> anyhow::Result<()> {
    let (started, mut said) = (Instant::now(), false);
    while !setup::published(pool, outbox_seq).await.map_err(refused)? {
        if stopped() {
            bail!("stopped while waiting for the relay");
        }
        if !said && started.elapsed() > HINT_AFTER {
            said = true;
            tracing::warn!("waiting for the new points to be published; `dcmms serve` does that: is it running?");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until running jobs have read everything that is on the topic of domain events now, so that no reading of a new
/// point comes before the point. A job that does not move on is not waited for: its readings will wait in Kafka too.
pub async fn heard(pool: &PgPool, settings: &ClientConfig, topic: &str, stopped: impl Fn() -> bool) -> anyhow::Result<()> {
    let (settings, name) = (settings.clone(), topic.to_owned());
    let upto = tokio::task::spawn_blocking(move || -> anyhow::Result<i64> {
        let consumer: BaseConsumer = settings.create().context("make a Kafka client; check [kafka]")?;
        let (_, upto) = consumer.fetch_watermarks(&name, 0, WATERMARK).with_context(|| format!("ask Kafka how long {name} is"))?;
        Ok(upto)
    });
    let upto = upto.await.context("ask Kafka")??;
    let started = Instant::now();
    loop {
        let read: bool = sqlx::query_scalar(include_str!("../queries/domain_read.sql"))
            .bind(topic)
            .bind(upto)
            .fetch_one(pool)
            .await
            .context("look how far jobs have read")?;
        if read || stopped() {
            return Ok(());
        }
        if started.elapsed() > JOB_MAX {
            tracing::warn!("the job does not move on; if it stopped, it will know the new points when it runs again");
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}
