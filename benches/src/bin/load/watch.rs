//! Looks at the tables after every commit and measures how old what became visible is.

use crate::{
    arguments::Arguments,
    plant::Plant,
    produce::{SAMPLE_EVERY, Sent},
};
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Ages in milliseconds from intended send to visible in a committed row.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) latest_ms: Vec<i64>,
    pub(crate) minutes_ms: Vec<i64>,
    pub(crate) alarms_ms: Vec<i64>,
    pub(crate) alarms_missing: usize,
    pub(crate) missing: i64,
    pub(crate) drained_s: f64,
    pub(crate) commits: u64,
}

pub(crate) struct Watching {
    task: tokio::task::JoinHandle<Result<Watched, sqlx::Error>>,
    done: Arc<AtomicBool>,
    pool: PgPool,
    before: i64,
    sent: Arc<Mutex<Sent>>,
}

pub(crate) async fn start(arguments: &Arguments, plant: &Plant, sent: &Arc<Mutex<Sent>>) -> Result<Watching, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(3).connect(&arguments.database).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen("dcmms_durable").await?;
    let points: Vec<i32> = plant.points.iter().step_by(SAMPLE_EVERY).map(|point| point.number.0 as i32).collect();
    let done = Arc::new(AtomicBool::new(false));
    let before = accounted(&pool, &arguments.job).await?;
    let task = tokio::spawn(follow(listener, pool.clone(), points, Arc::clone(sent), Arc::clone(&done)));
    Ok(Watching { task, done, pool, before, sent: Arc::clone(sent) })
}

/// Waits until the job has taken in the domain topic: its newest binding covers some of it.
pub(crate) async fn known(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPoolOptions::new().max_connections(1).connect(&arguments.database).await?;
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        let tick: Option<i64> = sqlx::query_scalar("select durable_tick from derived.jobs where job = $1 and state = 'running'")
            .bind(&arguments.job)
            .fetch_optional(&pool)
            .await?;
        if tick.is_some_and(|tick| tick > 3) {
            // A few more heartbeats, so that what was announced before is certainly in.
            tokio::time::sleep(Duration::from_secs(5)).await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("job {} does not run at this database; start it with `dcmms job run`", arguments.job).into())
}

async fn follow(
    mut listener: PgListener,
    pool: PgPool,
    points: Vec<i32>,
    sent: Arc<Mutex<Sent>>,
    done: Arc<AtomicBool>,
) -> Result<Watched, sqlx::Error> {
    let mut watched = Watched::default();
    let mut last_tick = 0_i64;
    while !done.load(Ordering::Acquire) {
        let Ok(notified) = tokio::time::timeout(Duration::from_millis(200), listener.recv()).await else { continue };
        let payload: serde_json::Value = serde_json::from_str(notified?.payload()).unwrap_or_default();
        let now_ms = wall_ms();
        let tick = payload["tick"].as_i64().unwrap_or(0);
        watched.commits += 1;
        let latest: Vec<(i32, i64)> =
            sqlx::query_as("select point, (extract(epoch from at) * 1000)::bigint from derived.latest where point = any($1) and tick > $2")
                .bind(&points)
                .bind(last_tick)
                .fetch_all(&pool)
                .await?;
        let minutes: Vec<(i32, i64, i64)> = sqlx::query_as(
            "select point, (extract(epoch from start) / 60)::bigint, n from derived.rollups_1m \
             where point = any($1) and start >= now() - interval '3 minutes' and tick > $2",
        )
        .bind(&points)
        .bind(last_tick)
        .fetch_all(&pool)
        .await?;
        let alarms: Vec<(i32, i64)> = sqlx::query_as(
            "select point, (extract(epoch from onset) * 1000)::bigint from derived.alarms where from_tick > $1 and from_tick <= $2",
        )
        .bind(last_tick)
        .bind(tick)
        .fetch_all(&pool)
        .await?;
        last_tick = tick;
        note(&mut watched, &mut sent.lock().expect("no holder of this lock panics"), now_ms, &latest, &minutes, &alarms);
    }
    Ok(watched)
}

fn note(watched: &mut Watched, sent: &mut Sent, now_ms: i64, latest: &[(i32, i64)], minutes: &[(i32, i64, i64)], alarms: &[(i32, i64)]) {
    for (point, at_ms) in latest {
        let Some(waiting) = sent.latest.get_mut(&(*point as u32)) else { continue };
        while waiting.front().is_some_and(|sent_ms| sent_ms <= at_ms) {
            watched.latest_ms.extend(waiting.pop_front().map(|sent_ms| now_ms - sent_ms));
        }
    }
    for (point, minute, n) in minutes {
        let Some(waiting) = sent.minutes.get_mut(&(*point as u32, *minute)) else { continue };
        // The queue keeps what is not counted yet; what was counted is remembered by its length.
        let counted = usize::try_from(*n).unwrap_or(0);
        let seen = waiting.iter().take_while(|sent_ms| **sent_ms == i64::MIN).count();
        for slot in waiting.iter_mut().take(counted).skip(seen) {
            watched.minutes_ms.push(now_ms - *slot);
            *slot = i64::MIN;
        }
    }
    for (point, onset_ms) in alarms {
        watched.alarms_ms.extend(sent.alarms.remove(&(*point as u32, *onset_ms)).map(|sent_ms| now_ms - sent_ms));
    }
}

impl Watching {
    /// Waits until the books account for every message, then ends.
    pub(crate) async fn finish(self, arguments: &Arguments, messages: u64) -> Result<Watched, Box<dyn std::error::Error>> {
        let start = Instant::now();
        let mut missing = i64::MAX;
        while start.elapsed() < Duration::from_secs(180) && missing != 0 {
            missing = self.before + messages as i64 - accounted(&self.pool, &arguments.job).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let drained_s = start.elapsed().as_secs_f64();
        self.done.store(true, Ordering::Release);
        let mut watched = self.task.await??;
        watched.missing = missing;
        watched.drained_s = drained_s;
        watched.alarms_missing = self.sent.lock().expect("no holder of this lock panics").alarms.len();
        Ok(watched)
    }
}

/// Messages that the books know of.
async fn accounted(pool: &PgPool, job: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(sum(accepted + duplicates + superseded + late), 0)::bigint from derived.books where job = $1")
        .bind(job)
        .fetch_one(pool)
        .await
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
