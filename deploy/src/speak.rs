//! The commands that speak in place of machines: `simulate`, `replay` and `seed`. Each sends on a thread of its own, for
//! its calls block, and stops cleanly at Ctrl-C.

use crate::{
    config::Config,
    kafka, print,
    replay::{self, ReplayArgs},
    seed::{self, SeedArgs},
    server, setup,
    shutdown::Stop,
    simulate::{self, SimulateArgs},
    telemetry::Producer,
    train,
};
use anyhow::Context;
use chrono::Utc;
use dcmms_api::setup::{Created, Plan};
use dcmms_schemas::time::Moment;
use indicatif::HumanCount;
use sqlx::PgPool;
use std::time::Instant;
use tokio::task::spawn_blocking;

/// `dcmms simulate`.
pub async fn simulate(config: Config, mut args: SimulateArgs) -> anyhow::Result<()> {
    let now = Moment::from(Utc::now());
    if args.out.is_some() {
        let count = spawn_blocking(move || simulate::to_file(&args, now)).await.context("simulate")??;
        // Not on the standard output, where the readings may have gone.
        tracing::info!(readings = count, "written");
        return Ok(());
    }
    let stop = Stop::on_signals()?;
    let config = reached(config).await?;
    let pool = server::reached(&config).await?;
    if args.create {
        create(&config, &pool, &simulate::plan(&args), &stop).await?;
    }
    // Where a demo plant was seeded, its present goes on from its past.
    if args.live && args.points.is_none() && args.anchor.is_none() {
        args.anchor = seed::anchor(&pool).await?.map(Moment::utc);
    }
    let mut producer = producer(&config)?;
    let sending = spawn_blocking(move || simulate::to_kafka(&args, now, &mut producer, &|| stop.is_requested()));
    let count = sending.await.context("simulate")??;
    print(&format!("{} readings sent\n", HumanCount(count)))
}

/// `dcmms replay`.
pub async fn replay(config: Config, args: ReplayArgs) -> anyhow::Result<()> {
    let surveying = args.clone();
    let mut surveyed = spawn_blocking(move || replay::surveyed(&surveying)).await.context("read the files")??;
    print(&surveyed.report())?;
    replay::check_not_empty(&surveyed.summary)?;
    if args.dry_run {
        return print("nothing was sent: --dry-run\n");
    }
    let stop = Stop::on_signals()?;
    let config = reached(config).await?;
    create(&config, &server::reached(&config).await?, &replay::plan::plan(&surveyed), &stop).await?;
    let mut producer = producer(&config)?;
    let (shift_us, refused, started) = (surveyed.shift_us(&args, replay::now()), surveyed.summary.refused, Instant::now());
    let sending = spawn_blocking(move || surveyed.send(&args, shift_us, &mut producer, &|| stop.is_requested()));
    let (rows, readings) = sending.await.context("replay")??;
    let seconds = started.elapsed().as_secs_f64();
    print(&format!(
        "{} rows, {} readings sent in {seconds:.1} s ({} per second); {} refused\n",
        HumanCount(rows),
        HumanCount(readings),
        HumanCount((readings as f64 / seconds.max(0.001)) as u64),
        HumanCount(refused),
    ))
}

/// `dcmms seed`.
pub async fn seed(config: Config, args: SeedArgs) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let config = reached(config).await?;
    let pool = server::reached(&config).await?;
    let producer = producer(&config)?;
    let anchor = sow(&config, &pool, producer, args.seed, &stop).await?;
    print(&format!("the demo plant, its year of work, and its past are there; its present begins at {anchor}: dcmms simulate --live\n"))
}

/// Seeds what is missing: plant and people, then the past until it is in the tables, then a model
/// trained on it. Answers from where the plant's present goes on.
pub async fn sow(config: &Config, pool: &PgPool, mut producer: Producer, seed: u64, stop: &Stop) -> anyhow::Result<Moment> {
    let seeded = seed::domain(pool).await?;
    let anchor = seeded.anchor;
    if seeded.created {
        tracing::info!(%anchor, "made the demo plant, its crew and a year of orders");
    } else {
        tracing::info!(%anchor, "the demo plant is there already");
    }
    if seed::has_past(pool, anchor).await? {
        if !train::exists(pool, train::FAN).await? {
            train::demo(pool, anchor, anchor).await?;
        }
        return Ok(anchor);
    }
    known(config, pool, seeded.outbox_seq, stop).await?;
    // A model speaks of the hours that arrive once the engine knows it, so the last of the past waits for the model.
    let mut past = seed::Past::new(seed, anchor);
    for upto in [train::demo_from(anchor), anchor] {
        let (before, started, asked) = (seed::durable_readings(pool).await?, Instant::now(), stop.clone());
        let sending = spawn_blocking(move || {
            let sent = past.send(upto, &mut producer, &|| asked.is_requested())?;
            anyhow::Ok((past, producer, sent))
        });
        let sent;
        (past, producer, sent) = sending.await.context("send the plant's past")??;
        seed::settled(pool, before + sent, || stop.is_requested()).await?;
        tracing::info!(%upto, readings = %HumanCount(sent), seconds = started.elapsed().as_secs(), "the past is in the tables");
        if !train::exists(pool, train::FAN).await? {
            let outbox_seq = train::demo(pool, anchor, upto).await?;
            known(config, pool, outbox_seq, stop).await?;
        }
    }
    Ok(anchor)
}

/// Creates what is missing and waits until the engine knows it.
async fn create(config: &Config, pool: &PgPool, plan: &Plan, stop: &Stop) -> anyhow::Result<()> {
    let Created { sites, positions, points, rules, outbox_seq } = setup::create(pool, plan).await?;
    tracing::info!(sites, positions, points, rules, "created what was missing");
    known(config, pool, outbox_seq, stop).await
}

async fn known(config: &Config, pool: &PgPool, outbox_seq: i64, stop: &Stop) -> anyhow::Result<()> {
    setup::published(pool, outbox_seq, || stop.is_requested()).await?;
    setup::heard(pool, &config.kafka.client(), &config.kafka.domain_topic, || stop.is_requested()).await
}

/// The configuration with the brokers that are really there, and their topics made.
async fn reached(mut config: Config) -> anyhow::Result<Config> {
    config.kafka.brokers = server::brokers(&config)?;
    kafka::ensure_topics(&config.kafka).await?;
    Ok(config)
}

/// A producer to the first topic of readings.
fn producer(config: &Config) -> anyhow::Result<Producer> {
    Producer::new(&config.kafka.client(), &config.kafka.telemetry_topics[0])
}
