//! What a start finds: the newest checkpoint that is complete and whose files are what was written.

use super::{
    File, Store,
    file::{self, Damage},
};
use crate::error::{SinkError, doing};
use dcmms_schemas::{
    binding::Binding,
    checkpoint::{Block, Checkpoint, Shards},
    time::Tick,
};
use sqlx::{PgConnection, types::Json};
use std::collections::{BTreeMap, HashSet};

/// A row of `derived.checkpoints`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) tick: i64,
    turn: i64,
    state: String,
    binding: Json<Binding>,
    pub(crate) chain: Vec<i64>,
    pub(crate) files: Json<Vec<File>>,
}

impl Row {
    pub(crate) fn is_complete(&self) -> bool {
        self.state == "complete"
    }
}

/// The checkpoint to go on from, if there is one, and the rows that stay.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) kept: Vec<Row>,
    /// Newer ones that are not complete or cannot be read.
    pub(crate) dropped: Vec<Row>,
}

/// All checkpoints of a job, oldest first.
pub(crate) async fn rows(connection: &mut PgConnection, job: &str) -> Result<Vec<Row>, SinkError> {
    let rows = sqlx::query_as(include_str!("../../queries/checkpoints_select.sql")).bind(job);
    rows.fetch_all(connection).await.map_err(doing("read what checkpoints there are"))
}

/// Reads the newest complete checkpoint; where a file is damaged, the one before, and says so.
pub(crate) async fn find(store: &Store, job: &str, mut rows: Vec<Row>) -> Result<Found, SinkError> {
    let mut dropped = Vec::new();
    while let Some(row) = rows.pop() {
        if !row.is_complete() {
            dropped.push(row);
            continue;
        }
        match read(store, &row, &rows).await? {
            Ok(shards) => {
                let checkpoint = Checkpoint { binding: row.binding.0.clone(), turn: row.turn as u64, shards };
                rows.push(row);
                return Ok(Found { checkpoint: Some(checkpoint), kept: rows, dropped });
            }
            Err((path, damage)) => {
                tracing::error!(job, tick = row.tick, path, %damage, "a checkpoint cannot be used; trying the one before");
                dropped.push(row);
            }
        }
    }
    Ok(Found { checkpoint: None, kept: Vec::new(), dropped })
}

/// Puts together the chain that ends with `row`. Newest first, because what a newer one has whole need not be looked at before.
async fn read(store: &Store, row: &Row, earlier: &[Row]) -> Result<Result<Shards, (String, Damage)>, SinkError> {
    let known: BTreeMap<Tick, &Row> = earlier.iter().chain([row]).map(|row| (row.tick as Tick, row)).collect();
    let (mut layers, mut done): (Vec<Vec<Block>>, HashSet<(String, u8)>) = (Vec::new(), HashSet::new());
    for tick in row.chain.iter().rev() {
        let Some(link) = known.get(&(*tick as Tick)) else {
            return Ok(Err((format!("of tick {tick}"), Damage::Gone)));
        };
        let mut layer = Vec::new();
        for stored in &link.files.0 {
            let packed = match store.get(&stored.path).await? {
                Ok(packed) => packed,
                Err(damage) => return Ok(Err((stored.path.clone(), damage))),
            };
            match file::unpack(stored, &packed, |operator, shard| !done.contains(&(operator.to_owned(), shard))) {
                Ok(blocks) => layer.extend(blocks),
                Err(damage) => return Ok(Err((stored.path.clone(), damage))),
            }
        }
        done.extend(layer.iter().filter(|block| block.whole).map(|block| (block.operator.clone(), block.shard)));
        layers.push(layer);
    }
    let mut shards = Shards::default();
    layers.into_iter().rev().for_each(|layer| shards.layer(layer));
    Ok(Ok(shards))
}
