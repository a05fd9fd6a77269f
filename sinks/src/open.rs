//! Takes a job over: the next generation, what it was, and how far it is.

use crate::{
    bindings,
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
    time::Tick,
};
use serde_json::Value;
use sqlx::{Connection as _, PgPool, types::Json};
use std::{collections::HashSet, path::PathBuf, sync::Arc};
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
    /// All bindings there are, in order. Empty after a new source was accepted.
    pub bindings: Vec<Binding>,
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
    start(options, job, connection)
}

/// The job's row as the new generation found it.
struct Registered {
    generation: u64,
    durable: Tick,
    history: Tick,
    sources: Sources,
    bindings: Vec<Binding>,
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
        tracing::warn!(job, lost_ticks = row.durable_tick - row.history_tick, "a new source was accepted: it is read from its beginning");
    }
    let bindings = bindings::load(&mut tx, job).await?;
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
        rejects_file: row.rejects_file,
        rejects_bytes: row.rejects_bytes as u64,
        manifest: manifest.into_iter().collect(),
    })
}

/// Cleans up the files and starts the tasks.
fn start(options: Options, registered: Registered, connection: Connection) -> Result<Opened, SinkError> {
    let Options { pool, root, job, workers, history: limits, .. } = options;
    let Registered { generation, durable, history: history_tick, sources, bindings, rejects_file, rejects_bytes, manifest } = registered;
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
    let progress = Arc::new(Progress::new(sources.clone(), &bindings, durable));
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
    let task = Task {
        parts,
        stop: stopped,
        collector: Collector::new(workers, durable, history_tick),
        history: history::start(history::Place { root: history_root, job: job.clone(), shard: 0, generation, limits }),
        writer: writer::Writer { job, generation, connection, durable, history: history_tick, known: Known::default(), files, reach },
        progress: Arc::clone(&progress),
        bindings: tokio::spawn(binder.run(from_bindings)),
        options: connect,
    };
    let task = tokio::spawn(task.run());
    let sink = Sink { bindings: to_bindings, parts: to_parts, progress, stop };
    Ok(Opened { sink, generation, durable, sources, bindings, task })
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
