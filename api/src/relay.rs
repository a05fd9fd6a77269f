//! Publishes the outbox to the topic of domain events, in the order it was written.
//!
//! At least once: a batch is marked in the transaction that read it, after the broker has it all, so a stop in between
//! sends it again and the engine drops what it has. A topic that was not told everything from the beginning (a fresh
//! broker, say) is first told the newest event of every row that exists.

use crate::{
    publish::{Message, PublishError},
    service::Shared,
    wake::{Faults, Wake},
};
use dcmms_schemas::wire::DOMAIN_TOPIC;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Events sent at once; the rest waits in the outbox.
const BATCH_EVENTS_MAX: i64 = 500;
/// How often the outbox is looked at though nobody said that there is something.
const POLL: Duration = Duration::from_secs(1);

/// Which broker and topic this is, so that a new one under the old name is not taken for the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub cluster_id: String,
    pub topic_id: String,
}

/// The relay could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("read the outbox")]
    Store(#[from] sqlx::Error),
    #[error("publish domain events: {0}")]
    Publish(#[from] PublishError),
}

/// Relays until the end. Of several processes one relays at a time.
pub async fn run(service: Shared, target: Target, mut shutdown: watch::Receiver<bool>) {
    let mut wake = Wake::new("dcmms_outbox", POLL);
    let mut faults = Faults::new("relay of domain events");
    loop {
        match step(&service, &target, &mut wake).await {
            Ok(sent) => {
                faults.over();
                let more = sent == BATCH_EVENTS_MAX as usize;
                if *shutdown.borrow() || (!more && !wake.next(&mut shutdown).await) {
                    return;
                }
            }
            Err(error) => {
                if !faults.wait(&Cause(&error), &mut shutdown).await {
                    return;
                }
            }
        }
    }
}

/// An error with its source in one line, as the log wants it.
struct Cause<'a>(&'a RelayError);

impl std::fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            RelayError::Store(source) => write!(f, "{}: {source}", self.0),
            RelayError::Publish(_) => write!(f, "{}", self.0),
        }
    }
}

async fn step(service: &Shared, target: &Target, wake: &mut Wake) -> Result<usize, RelayError> {
    wake.listen(&service.pool).await?;
    relay(service, target).await
}

/// Tells a new target everything, or sends the next batch; returns how many events were sent.
pub async fn relay(service: &Shared, target: &Target) -> Result<usize, RelayError> {
    let Some(mut transaction) = begin(&service.pool).await? else { return Ok(0) };
    let known = sqlx::query_scalar::<_, bool>(include_str!("../queries/relay_target_current.sql"));
    let known = known.bind(&target.cluster_id).bind(&target.topic_id).fetch_one(&mut *transaction).await?;
    let sent = if known { batch(service, target, &mut transaction).await? } else { snapshot(service, target, &mut transaction).await? };
    transaction.commit().await?;
    Ok(sent)
}

/// A transaction that sees one state throughout; none while another process relays.
async fn begin(pool: &PgPool) -> Result<Option<Transaction<'static, Postgres>>, sqlx::Error> {
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    let mine = sqlx::query_scalar::<_, bool>(include_str!("../queries/relay_lock.sql")).fetch_one(&mut *transaction).await?;
    Ok(mine.then_some(transaction))
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    entity: String,
    id: Uuid,
    payload: Value,
}

impl Row {
    fn message(&self) -> Message {
        Message { key: format!("{}:{}", self.entity, self.id), payload: self.payload.to_string().into(), format: None }
    }
}

async fn batch(service: &Shared, target: &Target, connection: &mut PgConnection) -> Result<usize, RelayError> {
    let rows =
        sqlx::query_as::<_, Row>(include_str!("../queries/relay_pending.sql")).bind(BATCH_EVENTS_MAX).fetch_all(&mut *connection).await?;
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(0) };
    service.publish.publish(DOMAIN_TOPIC, rows.iter().map(Row::message).collect()).await?;
    let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
    sqlx::query(include_str!("../queries/relay_published.sql")).bind(seqs).execute(&mut *connection).await?;
    let advance = sqlx::query(include_str!("../queries/relay_target_advance.sql"));
    advance.bind(&target.cluster_id).bind(&target.topic_id).bind(last).execute(connection).await?;
    Ok(rows.len())
}

async fn snapshot(service: &Shared, target: &Target, connection: &mut PgConnection) -> Result<usize, RelayError> {
    let (mut sent, mut after) = (0, None::<(i32, i64)>);
    loop {
        let rows = sqlx::query_as::<_, Row>(include_str!("../queries/relay_snapshot.sql"))
            .bind(after.map(|(rank, _)| rank))
            .bind(after.map(|(_, seq)| seq))
            .bind(BATCH_EVENTS_MAX)
            .fetch_all(&mut *connection)
            .await?;
        let Some(last) = rows.last() else { break };
        after = Some((rank(&last.entity), last.seq));
        sent += rows.len();
        service.publish.publish(DOMAIN_TOPIC, rows.iter().map(Row::message).collect()).await?;
    }
    let upto = sqlx::query_scalar::<_, i64>(include_str!("../queries/relay_published_all.sql")).fetch_one(&mut *connection).await?;
    let begin = sqlx::query(include_str!("../queries/relay_target_begin.sql"));
    begin.bind(&target.cluster_id).bind(&target.topic_id).bind(DOMAIN_TOPIC).bind(upto).execute(connection).await?;
    tracing::info!(events = sent, upto, cluster = target.cluster_id, topic = target.topic_id, "told a new topic everything");
    Ok(sent)
}

/// The place of an entity in the snapshot, as `relay_snapshot.sql` orders it.
fn rank(entity: &str) -> i32 {
    const ORDER: [&str; 8] = ["site", "position", "point", "calendar", "policy", "rule", "model", "order"];
    ORDER.iter().position(|known| *known == entity).map_or(i32::MAX, |place| place as i32 + 1)
}
