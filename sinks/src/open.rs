//! Takes a job over: the next generation, what it was, and how far it is.

use crate::{
    bindings::{self, Inputs},
    checkpoints::{self, Found, Keeping, Store},
    collector::Collector,
    connection::{Connection, Patience, limited},
    error::{SinkError, doing},
    history,
    partitions::Known,
    rejects::Files,
    run::Task,
    sink::{Progress, Sink},
    sources, writer,
};
use dcmms_schemas::{
    binding::{Binding, Sources},
    checkpoint::Checkpoint,
    time::Tick,
};
use serde_json::Value;
use sqlx::{Connection as _, PgPool, types::Json};
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::Arc,
};
use tokio::{
    sync::{mpsc::unbounded_channel, watch},
    task::JoinHandle,
};

/// What a job says of itself when it starts.
#[derive(Debug)]
pub struct Options {
    /// Where the database is. The sink takes two connections of its own beside the pool, so that nobody who holds the pool holds it up.
    pub pool: PgPool,
    /// The data directory; `rejects/` and `history/` are made below it.
    pub root: PathBuf,
    pub job: String,
    /// What the answers depend on beside data: dataflow graph, operators, table schemas.
    pub fingerprint: Value,
    /// The input partitions as the broker knows them now.
    pub sources: Sources,
    /// Go on from the beginning of a source whose identity changed, instead of refusing.
    pub accept_new_source: bool,
    pub workers: usize,
    pub history: history::Limits,
    pub checkpoints: Keeping,
}

/// A job that is ours.
#[derive(Debug)]
pub struct Opened {
    pub sink: Sink,
    pub generation: u64,
    /// The tick up to which the tables are true.
    pub durable: Tick,
    /// The partitions in their fixed order, which is what readings, books and bindings go by.
    pub sources: Sources,
    /// All bindings there are, in order. Empty at the first start, and after a new source was accepted.
    pub bindings: Vec<Binding>,
    /// What was read for them.
    pub inputs: Inputs,
    /// The state to go on from, if there is one.
    pub checkpoint: Option<Checkpoint>,
    /// The sources are others than those of the ticks so far.
    pub fresh: bool,
    /// Ends when the sink has stopped, with the reason if there is one.
    pub task: JoinHandle<Result<(), SinkError>>,
}

/// Opens a job; waits while PostgreSQL is away. Whoever had it before is fenced from here on.
pub async fn open(options: Options) -> Result<Opened, SinkError> {
    check_name(&options.job)?;
    let connect = (*options.pool.connect_options()).clone();
    let mut connection = Connection::new(&connect, &format!("dcmms sink {}", options.job), true);
    let mut patience = Patience::new(format!("job `{}` (PostgreSQL at {})", options.job, connection.server()));
    let job = loop {
        match limited(register(&mut connection, &options)).await {
            Ok(job) => break job,
            Err(error) => {
                connection.break_off();
                patience.wait_after(error).await?;
            }
        }
    };
    patience.over();
    let store = Store::open(&options.checkpoints, &options.root)?;
    let found = go_on_from(&mut connection, &store, &options.job, &job).await?;
    start(options, job, found, store, connection)
}

/// Finds the checkpoint to go on from and removes what is of no use any more.
async fn go_on_from(connection: &mut Connection, store: &Store, job: &str, registered: &Registered) -> Result<Found, SinkError> {
    let complete = registered.checkpoints.iter().filter(|row| row.is_complete()).count();
    let found = checkpoints::find(store, job, registered.checkpoints.clone()).await?;
    let first = registered.bindings.first().map_or(0, |binding| binding.tick);
    if found.checkpoint.is_none() && complete > 0 {
        if first > 0 {
            return Err(SinkError::NoCheckpoint { job: job.to_owned(), checkpoints: complete, first });
        }
        tracing::error!(job, checkpoints = complete, "no checkpoint can be used; reading everything again from the first binding");
    }
    if !found.dropped.is_empty() {
        sqlx::query(include_str!("../queries/checkpoints_delete.sql"))
            .bind(job)
            .bind(found.dropped.iter().map(|row| row.tick).collect::<Vec<_>>())
            .execute(connection.get().await?)
            .await
            .map_err(doing("drop checkpoints that cannot be used"))?;
    }
    let kept: HashSet<&String> = found.kept.iter().flat_map(|row| row.files.iter().map(|file| &file.path)).collect();
    for path in store.list(job).await?.iter().filter(|path| !kept.contains(path)) {
        store.delete(path).await?;
    }
    Ok(found)
}

/// The job's row as the new generation found it.
struct Registered {
    generation: u64,
    durable: Tick,
    history: Tick,
    sources: Sources,
    bindings: Vec<Binding>,
    inputs: Inputs,
    checkpoints: Vec<checkpoints::Row>,
    rejects_file: Option<String>,
    rejects_bytes: u64,
    manifest: HashSet<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    generation: i64,
    durable_tick: i64,
    history_tick: i64,
    fingerprint: Json<Value>,
    sources: Json<Sources>,
    rejects_file: Option<String>,
    rejects_bytes: i64,
}

async fn register(connection: &mut Connection, options: &Options) -> Result<Registered, SinkError> {
    let mut tx = connection.get().await?.begin().await.map_err(doing("begin to open the job"))?;
    let job = &options.job;
    sqlx::query(include_str!("../queries/job_create.sql")).bind(job).execute(&mut *tx).await.map_err(doing("register the job"))?;
    let row: Row = sqlx::query_as(include_str!("../queries/job_lock_to_open.sql"))
        .bind(job)
        .fetch_one(&mut *tx)
        .await
        .map_err(doing("lock the job to open it"))?;
    let differences = differences(&row.fingerprint, &options.fingerprint);
    if row.generation > 0 && !differences.is_empty() {
        return Err(SinkError::Fingerprint { job: job.clone(), differences });
    }
    let resolved = sources::resolve(job, &row.sources, &options.sources, options.accept_new_source)?;
    if resolved.replaced {
        // The old bindings count offsets of messages that are gone.
        sqlx::query(include_str!("../queries/bindings_delete.sql"))
            .bind(job)
            .execute(&mut *tx)
            .await
            .map_err(doing("drop old bindings"))?;
        tracing::warn!(job, "a new source was accepted: it is read from its beginning");
    }
    let mut checkpoints = checkpoints::rows(&mut tx, job).await?;
    if !resolved.in_place {
        // They speak of partitions by their place.
        let ticks: Vec<i64> = checkpoints.drain(..).map(|row| row.tick).collect();
        sqlx::query(include_str!("../queries/checkpoints_delete.sql"))
            .bind(job)
            .bind(ticks)
            .execute(&mut *tx)
            .await
            .map_err(doing("drop checkpoints of other partitions"))?;
    }
    let (bindings, inputs) = bindings::load(&mut tx, job).await?;
    let manifest: Vec<String> = sqlx::query_scalar(include_str!("../queries/history_files_select.sql"))
        .bind(job)
        .fetch_all(&mut *tx)
        .await
        .map_err(doing("read the manifest of the history"))?;
    let generation = row.generation + 1;
    sqlx::query(include_str!("../queries/job_start.sql"))
        .bind(job)
        .bind(generation)
        .bind(Json(&options.fingerprint))
        .bind(Json(&resolved.sources))
        .bind(i32::try_from(options.workers).unwrap_or(i32::MAX))
        .execute(&mut *tx)
        .await
        .map_err(doing("take the next generation"))?;
    tx.commit().await.map_err(doing("commit the opening"))?;
    Ok(Registered {
        generation: generation as u64,
        durable: row.durable_tick as Tick,
        history: row.history_tick as Tick,
        sources: resolved.sources,
        bindings,
        inputs,
        checkpoints,
        rejects_file: row.rejects_file,
        rejects_bytes: row.rejects_bytes as u64,
        manifest: manifest.into_iter().collect(),
    })
}

/// Cleans up the files and starts the tasks.
fn start(options: Options, registered: Registered, found: Found, store: Store, connection: Connection) -> Result<Opened, SinkError> {
    let Options { pool, root, job, workers, history: limits, checkpoints: keeping, .. } = options;
    let Registered { generation, durable, history: history_tick, sources, bindings, inputs, rejects_file, rejects_bytes, manifest, .. } =
        registered;
    let (files, reach) = Files::open(&root, &job, rejects_file.as_deref(), rejects_bytes)?;
    let history_root = root.join("history");
    std::fs::create_dir_all(&history_root).map_err(|source| SinkError::File {
        doing: "make the directory",
        path: history_root.clone(),
        source,
    })?;
    let swept = history::sweep(&history_root, &job, &manifest)?;
    if swept > 0 {
        tracing::info!(job, swept, "removed files of the history that were never committed");
    }
    let Found { checkpoint, kept, .. } = found;
    let checkpointed = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.binding.tick);
    let progress = Arc::new(Progress::new(sources.clone(), &bindings, durable, history_tick, checkpointed));
    let (to_checkpoints, from_checkpoints) = unbounded_channel();
    let (to_bindings, from_bindings) = unbounded_channel();
    let (to_parts, parts) = unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let connect = (*pool.connect_options()).clone();
    let binder = bindings::Writer {
        job: job.clone(),
        generation,
        connection: Connection::new(&connect, &format!("dcmms bindings {job}"), false),
        progress: Arc::clone(&progress),
    };
    let keeper = checkpoints::Task {
        job: job.clone(),
        generation,
        workers,
        store,
        keeping,
        connection: Connection::new(&connect, &format!("dcmms checkpoints {job}"), false),
        progress: Arc::clone(&progress),
        links: kept.iter().map(checkpoints::Link::from).collect(),
        open: BTreeMap::new(),
    };
    let task = Task {
        parts,
        stop: stopped,
        collector: Collector::new(workers, durable, history_tick),
        history: history::start(history::Place { root: history_root, job: job.clone(), shard: 0, generation, limits }),
        writer: writer::Writer { job, generation, connection, durable, history: history_tick, known: Known::default(), files, reach },
        progress: Arc::clone(&progress),
        bindings: tokio::spawn(binder.run(from_bindings)),
        checkpoints: tokio::spawn(keeper.run(from_checkpoints)),
        options: connect,
    };
    let task = tokio::spawn(task.run());
    let sink = Sink { bindings: to_bindings, parts: to_parts, kept: to_checkpoints, progress, stop };
    let fresh = bindings.is_empty() && durable > 0;
    Ok(Opened { sink, generation, durable, sources, bindings, inputs, checkpoint, fresh, task })
}

/// A job's name becomes part of file names.
fn check_name(job: &str) -> Result<(), SinkError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    match (1..=60).contains(&job.len()) && job.bytes().all(allowed) {
        true => Ok(()),
        false => Err(SinkError::JobName(job.to_owned())),
    }
}

/// What differs between two fingerprints, key by key.
fn differences(before: &Value, now: &Value) -> Vec<String> {
    fn compare(path: &str, before: Option<&Value>, now: Option<&Value>, found: &mut Vec<String>) {
        match (before, now) {
            (Some(Value::Object(before)), Some(Value::Object(now))) => {
                let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
                for key in keys {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    compare(&path, before.get(key), now.get(key), found);
                }
            }
            _ if before == now => {}
            _ => {
                let show = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
                found.push(format!("{path} was {} and is {}", show(before), show(now)));
            }
        }
    }
    let mut found = Vec::new();
    compare("", Some(before), Some(now), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fingerprints_differ_key_by_key() {
        let before = json!({"graph": "a", "operators": {"rollups": 1, "alarms": 2}, "tables": 1});
        assert_eq!(differences(&before, &before), Vec::<String>::new());
        let now = json!({"graph": "a", "operators": {"rollups": 2, "scores": 1}, "tables": 1});
        let expected = ["operators.alarms was 2 and is absent", "operators.rollups was 1 and is 2", "operators.scores was absent and is 1"];
        assert_eq!(differences(&before, &now), expected);
    }

    #[test]
    fn a_job_is_named_as_a_file_can_be() {
        assert!(check_name("main-2_b").is_ok());
        for name in ["", "Main", "a/b", "a.b", "é", &"a".repeat(61)] {
            assert!(matches!(check_name(name), Err(SinkError::JobName(_))), "{name}");
        }
    }
}
