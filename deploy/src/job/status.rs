//! How jobs do, for a person or as JSON.

use crate::{config::Config, print, server, setup, table::table};
use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use dcmms_api::operations::JobDetail;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde::Serialize;
use std::{fmt::Write, time::Duration};

/// How long the broker may take to say how far it is; without an answer the lag is left out.
const BROKER_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Job {
    job: String,
    state: String,
    generation: i64,
    durable_tick: i64,
    durable_clock: Option<DateTime<Utc>>,
    watermark: Option<DateTime<Utc>>,
    history_tick: i64,
    workers: Option<i32>,
    started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    failure: Option<String>,
    /// Who asked this generation to stop.
    stop_requested_by: Option<String>,
    stop_drains: Option<bool>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Source {
    index: i32,
    topic: String,
    partition: i32,
    upto: Option<i64>,
    messages: i64,
    readings: i64,
    accepted: i64,
    duplicates: i64,
    superseded: i64,
    late: i64,
    rejected: i64,
    unreadable: i64,
    /// Messages that the broker has and no tick covers; unknown when the broker does not answer.
    #[sqlx(skip)]
    lag: Option<i64>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Rejects {
    reason: String,
    n: i64,
    example: String,
}

#[derive(Debug, Serialize)]
struct Status {
    #[serde(flatten)]
    job: Job,
    sources: Vec<Source>,
    rejects: Vec<Rejects>,
    /// What the job says of itself.
    report: JobDetail,
}

/// Prints every job.
pub(super) async fn list(config: &Config, json: bool) -> anyhow::Result<()> {
    let jobs = jobs(config, None).await?;
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&jobs)?));
    }
    if jobs.is_empty() {
        return print("no job has run on this database yet; start one with `dcmms job run`\n");
    }
    let rows = jobs.iter().map(|job| {
        let workers = job.workers.map_or("-".into(), |workers| workers.to_string());
        vec![job.job.clone(), state(job), job.generation.to_string(), workers, job.durable_tick.to_string(), time(job.durable_clock)]
    });
    print(&table(&["JOB", "STATE", "GENERATION", "WORKERS", "DURABLE TICK", "AS OF"], rows))
}

/// Prints one job in full.
pub(super) async fn status(config: &Config, job: Option<&str>, json: bool) -> anyhow::Result<()> {
    let name = job.unwrap_or(&config.engine.job);
    let Some(job) = jobs(config, Some(name)).await?.pop() else {
        bail!("there is no job `{name}` on this database; `dcmms job list` shows those that have run");
    };
    let pool = server::pool(config)?;
    let mut sources: Vec<Source> = sqlx::query_as(include_str!("../../queries/job_books.sql"))
        .bind(name)
        .fetch_all(&pool)
        .await
        .context("read the books of the job")?;
    let rejects = sqlx::query_as(include_str!("../../queries/job_rejects.sql")).bind(name);
    let rejects: Vec<Rejects> = rejects.fetch_all(&pool).await.context("read what the job refused")?;
    if let Ok(brokers) = server::brokers(config) {
        let mut kafka = config.kafka.clone();
        kafka.brokers = brokers;
        sources = tokio::task::spawn_blocking(move || with_lag(sources, &kafka)).await.context("ask the broker")?;
    }
    let report = dcmms_api::operations::detail(&pool, name).await.map_err(setup::refused).context("read what the job says of itself")?;
    let status = Status { job, sources, rejects, report };
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&status)?));
    }
    print(&told(&status))
}

async fn jobs(config: &Config, name: Option<&str>) -> anyhow::Result<Vec<Job>> {
    let pool = server::reached(config).await?;
    let jobs = sqlx::query_as(include_str!("../../queries/jobs_list.sql")).bind(name).fetch_all(&pool).await;
    jobs.with_context(|| format!("read the jobs from PostgreSQL at {}; was `dcmms migrate` run?", server::place(&pool)))
}

fn with_lag(mut sources: Vec<Source>, kafka: &crate::config::Kafka) -> Vec<Source> {
    let Ok(consumer) = kafka.client().create::<BaseConsumer>() else { return sources };
    for source in &mut sources {
        let Ok((_, high)) = consumer.fetch_watermarks(&source.topic, source.partition, BROKER_TIMEOUT) else { return sources };
        source.lag = Some((high - source.upto.unwrap_or(0)).max(0));
    }
    sources
}

fn told(status: &Status) -> String {
    let job = &status.job;
    let mut text = format!("job {}: {}, generation {}\n", job.job, state(job), job.generation);
    let _ = writeln!(text, "tables are true up to tick {}, {}", job.durable_tick, time(job.durable_clock));
    let _ = writeln!(text, "readings are complete up to {} (watermark)", time(job.watermark));
    let _ = writeln!(text, "history is sealed up to tick {}", job.history_tick);
    if let Some(failure) = &job.failure {
        let _ = writeln!(text, "last failure: {failure}");
    }
    let rows = status.sources.iter().map(|source| {
        let lag = source.lag.map_or("?".into(), |lag| lag.to_string());
        let mut row = vec![format!("{}/{}", source.topic, source.partition), source.upto.unwrap_or(0).to_string(), lag];
        let counts =
            [source.readings, source.accepted, source.duplicates, source.superseded, source.late, source.rejected, source.unreadable];
        row.extend(counts.iter().map(i64::to_string));
        row
    });
    let head = ["SOURCE", "READ UPTO", "LAG", "READINGS", "ACCEPTED", "DUPLICATES", "SUPERSEDED", "LATE", "REJECTED", "UNREADABLE"];
    let _ = write!(text, "\n{}", table(&head, rows));
    for partition in &status.report.partitions {
        let behind = partition.lag_s.map_or("?".into(), |seconds| format!("{seconds:.1}"));
        let idle = if partition.idle { ", idle" } else { "" };
        let place = format!("{}/{}", partition.topic, partition.partition);
        let _ = writeln!(text, "{place}: watermark {}, {behind} s behind, {} queued{idle}", time(partition.watermark), partition.queued);
    }
    if let Some(bytes) = status.report.memory_bytes {
        let _ = writeln!(text, "memory {} MiB, up {:.0} s", bytes >> 20, status.report.uptime_s.unwrap_or(0.0));
    }
    if job.state == "running" && status.report.silent {
        let _ = writeln!(text, "it should report every two seconds and has not for fifteen: killed, or cut off");
    }
    let operators = status.report.operators.iter().filter(|operator| operator.records_in > 0).map(|operator| {
        let counts = [operator.records_in, operator.records_out, operator.rows_held.max(0).unsigned_abs()];
        let mut row = vec![operator.id.clone(), operator.name.clone()];
        row.extend(counts.iter().map(u64::to_string));
        row.extend([format!("{:.1}", operator.records_per_s), format!("{:.3}", operator.busy_s)]);
        row
    });
    let head = ["ID", "OPERATOR", "RECORDS IN", "RECORDS OUT", "ROWS HELD", "IN PER S", "BUSY S"];
    let _ = write!(text, "\n{}", table(&head, operators));
    for reject in &status.rejects {
        let _ = writeln!(text, "refused {} times for {}: {}", reject.n, reject.reason, reject.example);
    }
    text
}

/// What state it is in, and whether that was asked for.
fn state(job: &Job) -> String {
    match (job.state.as_str(), &job.stop_requested_by, job.stop_drains) {
        ("running", Some(by), Some(true)) => format!("draining (asked by {by})"),
        ("running", Some(by), _) => format!("stopping (asked by {by})"),
        ("stopped", Some(by), Some(true)) => format!("stopped, drained (asked by {by})"),
        ("stopped", Some(by), _) => format!("stopped (asked by {by})"),
        (state, ..) => state.to_owned(),
    }
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or("-".into(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
