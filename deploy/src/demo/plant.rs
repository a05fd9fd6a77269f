//! The demo's plant: its past first, then as time passes.

use crate::{
    config::Config,
    kafka::Pace,
    seed,
    shutdown::Stop,
    simulate::{self, SimulateArgs},
    speak,
    telemetry::Producer,
};
use anyhow::Context;
use chrono::Utc;
use clap::{Args, FromArgMatches};
use dcmms_schemas::time::Moment;
use sqlx::PgPool;
use tokio::task::spawn_blocking;

/// How often each point of the live plant says something.
const PERIOD: &str = "5s";

/// Seeds what is missing, then lets the plant speak until it is asked to stop.
pub(super) async fn live(config: Config, pool: PgPool, pace: Option<Pace>, stop: Stop) -> anyhow::Result<()> {
    let seeded = speak::sow(&config, &pool, producer(&config, pace.clone(), &stop)?, seed::SEED, &stop).await;
    let anchor = match seeded {
        Err(_) if stop.is_requested() => return Ok(()),
        seeded => seeded.context("seed the demo plant")?,
    };
    let args = arguments(anchor)?;
    let mut producer = producer(&config, pace, &stop)?;
    tracing::info!(period = PERIOD, "the plant speaks");
    let sending = spawn_blocking(move || {
        let now = Moment::from(Utc::now());
        simulate::to_kafka(&args, now, &mut producer, &|| stop.is_requested())
    });
    match sending.await.context("simulate the plant")? {
        Ok(readings) => tracing::info!(readings, "the plant is silent"),
        Err(error) => return Err(error).context("simulate the plant"),
    }
    Ok(())
}

/// A producer that keeps the in-process broker from being overrun, where that is the broker.
fn producer(config: &Config, pace: Option<Pace>, stop: &Stop) -> anyhow::Result<Producer> {
    let producer = Producer::new(&config.kafka.client(), &config.kafka.telemetry_topics[0])?;
    let Some(pace) = pace else { return Ok(producer) };
    let stop = stop.clone();
    // At a stop nobody reads any more, so nobody may wait for the reader.
    Ok(producer.gated(Box::new(move |bytes| pace.try_pass(bytes) || stop.is_requested())))
}

/// The simulator's own defaults, live from the anchor on.
fn arguments(anchor: Moment) -> anyhow::Result<SimulateArgs> {
    let command = SimulateArgs::augment_args(clap::Command::new("simulate"));
    let anchor = anchor.to_string();
    let matches = command.try_get_matches_from(["simulate", "--live", "--period", PERIOD, "--anchor", &anchor]);
    SimulateArgs::from_arg_matches(&matches.context("say how the plant is simulated")?).context("say how the plant is simulated")
}
