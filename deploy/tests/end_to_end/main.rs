//! The whole way, on a real Apache Kafka and a real PostgreSQL: the binary's own commands, readings from the simulator, a job
//! that is killed in the middle and started again, and two judges: the arithmetic of `judge.rs` over the same readings, and a
//! second installation that nobody disturbed.

mod judge;
mod machine;
mod operate;

use judge::Expected;
use machine::{Installation, Servers, eventually};

/// Two stretches of the simulated plant; the job is killed while the second arrives.
const FROM: &str = "2026-11-03T06:00:00Z";
const MIDDLE: &str = "2026-11-03T06:30:00Z";
const TO: &str = "2026-11-03T07:00:00Z";

const DURABLE: &str = "select coalesce(max(durable_tick), 0) from derived.jobs";
/// Checkpoints that a start can go on from.
const CHECKPOINTS: &str = "select count(*) from derived.checkpoints where state = 'complete'";
const READINGS: &str = "select coalesce(sum(readings), 0)::bigint from derived.books";
/// Readings in the windows of every level: the coarser ones are written less often, so they arrive later.
const IN_WINDOWS: &str = "select (select coalesce(sum(n), 0) from derived.rollups_1m)::bigint
    + (select coalesce(sum(n), 0) from derived.rollups_15m)::bigint
    + (select coalesce(sum(n), 0) from derived.rollups_1h)::bigint
    + (select coalesce(sum(n), 0) from derived.rollups_1d)::bigint";
const UNBALANCED: &str = "select count(*) from derived.books where messages <> decoded + unreadable
    or readings <> accepted + duplicates + superseded + late + rejected or accepted <> readings";
const MINUTES: &str = "select points.key, points.resolution, (extract(epoch from start) * 1000)::bigint as start_ms,
    n, min, max, mean, stddev, first, last from derived.rollups_1m join app.points on points.number = rollups_1m.point";

/// Everything that names no tick, in a fixed order.
const TABLES: [&str; 7] = [
    "select point, at, value, quality from derived.latest order by 1",
    "select point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at from derived.rollups_1m order by 1, 2",
    "select point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at from derived.rollups_15m order by 1, 2",
    "select point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at from derived.rollups_1h order by 1, 2",
    "select point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at from derived.rollups_1d order by 1, 2",
    "select source, messages, decoded, unreadable, readings, accepted, duplicates, superseded, late, rejected from derived.books order by 1",
    "select point, at, score, value, expected from derived.anomalies order by 1, 2",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_killed_says_the_same_as_one_that_is_not() {
    let servers = Servers::start();
    let torn = Installation::new(&servers, "torn").await;
    torn.run(&["migrate"]);
    // The relay tells the engine of the points that the simulator creates.
    let serving = torn.start(&["serve", "--listen", "127.0.0.1:0"]);
    stretch(&torn, FROM, MIDDLE, &["--create"]);
    // What people set up is on its topic now. A copy is the second installation; its job reads the same topics.
    let calm = torn.copy("calm", serving).await;

    let job = torn.start(&["job", "run"]);
    eventually("the first readings are durable", async || torn.number(READINGS).await > 0).await;
    eventually("a checkpoint is complete", async || torn.number(CHECKPOINTS).await > 1).await;
    // The first binding goes, so that a start can only go on from a checkpoint.
    torn.execute_here("delete from derived.bindings where tick = 0").await;
    stretch(&torn, MIDDLE, TO, &[]);
    job.kill();
    let job = torn.start(&["job", "run", "--workers", "2"]);
    let files = [file(&torn, FROM, MIDDLE, "first.ndjson"), file(&torn, MIDDLE, TO, "second.ndjson")];
    let total = files.iter().map(|file| std::fs::read_to_string(file).expect("the simulator wrote it").lines().count() as i64).sum();
    settled(&torn, total).await;
    job.kill();
    let said = torn.number(DURABLE).await;
    let job = torn.start(&["job", "run"]);
    // The tables are complete already, so only a later tick shows that this life has caught up.
    eventually("the third life goes on where the second ended", async || torn.number(DURABLE).await > said).await;
    settled(&torn, total).await;
    job.stop();

    let job = calm.start(&["job", "run"]);
    settled(&calm, total).await;
    job.stop();

    assert_eq!(torn.number(UNBALANCED).await, 0, "the books balance and every reading was accepted");
    Expected::of(&[&files[0], &files[1]]).check(&torn.fetch(MINUTES).await);
    for table in TABLES {
        let (torn, calm) = (torn.rows(table).await, calm.rows(table).await);
        assert!(!table.contains("rollups") || !torn.is_empty(), "{table} is empty");
        assert_eq!(torn.len(), calm.len(), "{table}");
        for (torn, calm) in torn.iter().zip(&calm) {
            assert_eq!(torn, calm, "{table}");
        }
    }
}

/// A stretch of the plant, a reading of each point per minute, the same at every call.
fn arguments<'a>(from: &'a str, to: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["simulate", "--seed", "7", "--period", "1m", "--fault", "none", "--from", from, "--to", to];
    arguments.extend(further);
    arguments
}

/// Lets the plant speak into Kafka.
fn stretch(installation: &Installation<'_>, from: &str, to: &str, further: &[&str]) {
    installation.run(&arguments(from, to, further));
}

/// Lets it speak into a file.
fn file(installation: &Installation<'_>, from: &str, to: &str, name: &str) -> std::path::PathBuf {
    let path = installation.path(name);
    installation.run(&arguments(from, to, &["--out", path.to_str().expect("a temporary path is UTF-8")]));
    path
}

/// Every reading is in the tables, also in rows that are written with a delay.
async fn settled(installation: &Installation<'_>, total: i64) {
    let everything = async || installation.number(READINGS).await == total && installation.number(IN_WINDOWS).await == 4 * total;
    eventually("every reading is in the tables", everything).await;
}
