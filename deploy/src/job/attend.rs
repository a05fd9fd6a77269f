//! Beside a running job: it is asked how far it is, that is told to people and to Prometheus, and what people ask of it is heard.

use super::lag::Lag;
use anyhow::{Context, anyhow};
use dcmms_dataflows::{Ends, Gauge, Kafka};
use dcmms_schemas::{
    binding::Sources,
    job::{Graph, Partition, Report},
    time::Moment,
};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

/// How often it is looked whether somebody asked the job to stop, and while it drains how far it is.
const LOOK: Duration = Duration::from_millis(500);
/// How often the job reports.
const REPORT: Duration = Duration::from_secs(2);
/// How often the broker is asked whether topics have more partitions.
const PARTITIONS: Duration = Duration::from_secs(15);

/// Why the job is to end, other than by a signal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Somebody asked for it.
    Stop { by: String },
    /// A topic has partitions that the job does not read; its next generation does.
    Grown { topic: String },
}

/// What is watched.
pub(super) struct Attendant {
    pub(super) gauge: Gauge,
    pub(super) kafka: Kafka,
    pub(super) pool: PgPool,
    pub(super) job: String,
    pub(super) generation: u64,
    /// The first generation of this process: what was asked of an earlier process is over.
    pub(super) first_generation: u64,
}

#[derive(sqlx::FromRow)]
struct Asked {
    drain: bool,
    requested_by: String,
}

impl Attendant {
    /// Reports until there is a reason to end. A server that is away leaves gaps in the reports and nothing else.
    pub(super) async fn attend(self) -> Wish {
        let started = Instant::now();
        let (mut reported, mut counted) = (None::<Instant>, None::<Instant>);
        let mut ends: Option<Arc<Ends>> = None;
        let mut lags: Vec<Lag> = self.gauge.sources().iter().map(|_| Lag::default()).collect();
        let mut before: Option<(Instant, Graph)> = None;
        let mut durable = (0, Instant::now());
        let mut draining: Option<(String, Vec<i64>)> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some((by, target)) = &draining {
                let reached = self.gauge.newest().is_some_and(|binding| binding.upto.iter().zip(target).all(|(upto, end)| upto >= end));
                if reached {
                    return Wish::Stop { by: by.clone() };
                }
            } else if let Some(asked) = self.asked().await {
                if !asked.drain {
                    return Wish::Stop { by: asked.requested_by };
                }
                if let Some(target) = self.ends(&mut ends).await {
                    tracing::info!(job = self.job, by = asked.requested_by, upto = ?target, "the job drains: it reads on to here and stops");
                    draining = Some((asked.requested_by, target));
                }
            }
            if reported.is_none_or(|at| at.elapsed() >= REPORT) {
                reported = Some(Instant::now());
                let highs = self.ends(&mut ends).await;
                let mut report = self.report(highs.as_deref(), &mut lags, started);
                rate(&mut report.graph, before.take());
                before = Some((Instant::now(), report.graph.clone()));
                if report.durable_tick != durable.0 {
                    durable = (report.durable_tick, Instant::now());
                }
                super::metrics::tell(&self.job, self.generation, durable.1.elapsed(), &report);
                if let Err(error) = dcmms_sinks::report::write(&self.pool, &self.job, self.generation, &report).await {
                    tracing::debug!(error = format!("{:#}", anyhow!(error)), "the job's report could not be written");
                }
            }
            if counted.is_none_or(|at| at.elapsed() >= PARTITIONS) {
                counted = Some(Instant::now());
                if let Some(topic) = self.grown(&mut ends).await {
                    return Wish::Grown { topic };
                }
            }
        }
    }

    async fn asked(&self) -> Option<Asked> {
        let asked = sqlx::query_as(include_str!("../../queries/job_stop_asked.sql"))
            .bind(&self.job)
            .bind(i64::try_from(self.first_generation).unwrap_or(i64::MAX));
        asked.fetch_optional(&self.pool).await.ok().flatten()
    }

    /// Where the partitions end; nothing while the broker does not answer.
    async fn ends(&self, client: &mut Option<Arc<Ends>>) -> Option<Vec<i64>> {
        let sources = self.gauge.sources().clone();
        self.ask(client, move |ends| ends.of(&sources).context("ask for ends")).await
    }

    /// A topic with partitions that this generation does not know.
    async fn grown(&self, client: &mut Option<Arc<Ends>>) -> Option<String> {
        let known = partitions(self.gauge.sources());
        let found = self.ask(client, move |ends| {
            for (topic, known) in known {
                if ends.partitions(&topic).context("count partitions")? > known {
                    return Ok(Some(topic));
                }
            }
            Ok(None)
        });
        found.await.flatten()
    }

    async fn ask<T: Send + 'static>(
        &self,
        client: &mut Option<Arc<Ends>>,
        question: impl FnOnce(&Ends) -> anyhow::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (kafka, known) = (self.kafka.clone(), client.take());
        let asking = spawn_blocking(move || -> anyhow::Result<_> {
            let ends = match known {
                Some(ends) => ends,
                None => Arc::new(Ends::new(&kafka)?),
            };
            let answer = question(&ends)?;
            Ok((ends, answer))
        });
        match asking.await {
            Ok(Ok((ends, answer))) => {
                *client = Some(ends);
                Some(answer)
            }
            Ok(Err(error)) => {
                tracing::debug!(error = format!("{error:#}"), "the broker does not say how far it is");
                None
            }
            Err(_) => None,
        }
    }

    fn report(&self, highs: Option<&[i64]>, lags: &mut [Lag], started: Instant) -> Report {
        let newest = self.gauge.newest();
        let partition = |(index, source): (usize, &dcmms_schemas::binding::SourcePartition)| {
            let upto = newest.as_ref().and_then(|binding| binding.upto.get(index).copied()).unwrap_or(0);
            let watermark = newest.as_ref().and_then(|binding| binding.watermarks.get(index).copied());
            let high = highs.and_then(|highs| highs.get(index).copied());
            Partition {
                topic: source.source.topic.clone(),
                partition: source.partition,
                domain: source.domain,
                upto,
                fetched: self.gauge.fetched(index),
                high,
                lag_s: high.map(|high| lags[index].seconds(Instant::now(), upto, high)),
                watermark: watermark.filter(|at| *at > Moment::MIN),
                idle: newest.as_ref().and_then(|binding| binding.idle.get(index).copied()).unwrap_or(false),
            }
        };
        Report {
            workers: self.gauge.workers(),
            memory_bytes: memory_bytes(),
            uptime_s: started.elapsed().as_secs_f64(),
            bound_tick: newest.as_ref().map_or(0, |binding| binding.tick),
            durable_tick: self.gauge.durable(),
            partitions: self.gauge.sources().iter().enumerate().map(partition).collect(),
            graph: self.gauge.graph(),
        }
    }
}

/// Partitions by topic.
fn partitions(sources: &Sources) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for source in sources {
        *counts.entry(source.source.topic.clone()).or_default() += 1;
    }
    counts
}

/// Fills in how many records came per second since the last report.
fn rate(graph: &mut Graph, before: Option<(Instant, Graph)>) {
    let Some((at, before)) = before else { return };
    let past_s = at.elapsed().as_secs_f64().max(0.001);
    let counts: HashMap<&str, u64> = before.nodes.iter().map(|node| (node.id.as_str(), node.records_in)).collect();
    for node in &mut graph.nodes {
        let more = node.records_in.saturating_sub(counts.get(node.id.as_str()).copied().unwrap_or(0));
        node.records_per_s = more as f64 / past_s;
    }
}

/// What the process holds in memory, where the system says so.
fn memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
