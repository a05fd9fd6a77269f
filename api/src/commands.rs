//! Carries out what the engine asks for, each command once and with all guards.
//!
//! A command is taken by inserting its result row, in the transaction that carries it out: two executors, or one that is
//! killed in between, leave it done once or not at all. One that fails is tried again later and finally noted as failed;
//! it holds back only commands about the same cause.

mod carry;

use crate::{
    problem::Problem,
    service::Shared,
    wake::{Faults, Wake},
};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::command::Request;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How often commands are looked for though nobody said that there are any.
const POLL: Duration = Duration::from_secs(5);
/// Commands looked at in one pass.
const BATCH_COMMANDS_MAX: i64 = 100;
/// Seconds until the next try after each failure; after the last a command counts as failed.
const RETRIES_S: [i64; 4] = [2, 10, 60, 300];

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done {
        detail: String,
        order: Option<Uuid>,
    },
    /// There was nothing left to do: the order exists already, say.
    NothingToDo {
        detail: String,
        order: Option<Uuid>,
    },
}

/// Carries out commands until the end.
pub async fn run(service: Shared, mut shutdown: watch::Receiver<bool>) {
    let mut wake = Wake::new("dcmms_commands", POLL);
    let mut faults = Faults::new("commands of the engine");
    loop {
        match step(&service, &mut wake).await {
            Ok(looked_at) => {
                faults.over();
                let more = looked_at == BATCH_COMMANDS_MAX as usize;
                if *shutdown.borrow() || (!more && !wake.next(&mut shutdown).await) {
                    return;
                }
            }
            Err(error) => {
                if !faults.wait(&error, &mut shutdown).await {
                    return;
                }
            }
        }
    }
}

async fn step(service: &Shared, wake: &mut Wake) -> Result<usize, sqlx::Error> {
    wake.listen(&service.pool).await?;
    pass(service).await
}

#[derive(sqlx::FromRow)]
struct Pending {
    id: Uuid,
    at: DateTime<Utc>,
    request: Value,
    attempts: i32,
}

/// Looks once for commands that are due and carries them out; returns how many there were.
pub async fn pass(service: &Shared) -> Result<usize, sqlx::Error> {
    let query = sqlx::query_as::<_, Pending>(include_str!("../queries/commands_pending.sql"));
    let pending = query.bind(service.now()).bind(BATCH_COMMANDS_MAX).fetch_all(&service.pool).await?;
    for command in &pending {
        if let Err(problem) = one(service, command).await {
            // The database is away: that is no fault of the command.
            if problem.status == 503 {
                return Err(sqlx::Error::PoolTimedOut);
            }
            failed(service, command, &problem).await?;
        }
    }
    Ok(pending.len())
}

async fn one(service: &Shared, command: &Pending) -> Result<(), Problem> {
    let request: Request = serde_json::from_value(command.request.clone())
        .map_err(|error| Problem::malformed("bad_command", format!("the command cannot be read: {error}")))?;
    let now = service.now();
    let mut transaction = service.pool.begin().await?;
    let taken = sqlx::query_scalar::<_, Uuid>(include_str!("../queries/command_take.sql")).bind(command.id).bind(now);
    if taken.fetch_optional(&mut *transaction).await?.is_none() {
        return Ok(());
    }
    let outcome = carry::out(&mut transaction, command.id, command.at, request, now).await?;
    let (name, detail, order) = match outcome {
        Outcome::Done { detail, order } => ("done", detail, order),
        Outcome::NothingToDo { detail, order } => ("nothing_to_do", detail, order),
    };
    let done = sqlx::query(include_str!("../queries/command_done.sql"));
    done.bind(command.id).bind(name).bind(&detail).bind(order).execute(&mut *transaction).await?;
    transaction.commit().await?;
    // What changed an order is news to people; that handling followed a moved alarm is not.
    if order.is_some() {
        tracing::info!(command = %command.id, outcome = name, detail, "command carried out");
    } else {
        tracing::debug!(command = %command.id, outcome = name, detail, "command carried out");
    }
    Ok(())
}

/// Notes a failure, to be tried again or, after the last try, for good.
async fn failed(service: &Shared, command: &Pending, problem: &Problem) -> Result<(), sqlx::Error> {
    let reason = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    let attempt = usize::try_from(command.attempts).unwrap_or(0);
    let Some(wait_s) = RETRIES_S.get(attempt) else {
        tracing::error!(command = %command.id, reason, "command failed for good");
        let query = sqlx::query(include_str!("../queries/command_gave_up.sql"));
        query.bind(command.id).bind(reason).bind(service.now()).execute(&service.pool).await?;
        return Ok(());
    };
    tracing::warn!(command = %command.id, reason, again_in_s = wait_s, "command failed");
    let next = service.now() + TimeDelta::seconds(*wait_s);
    let query = sqlx::query(include_str!("../queries/command_failed.sql"));
    query.bind(command.id).bind(reason).bind(next).execute(&service.pool).await?;
    Ok(())
}
