//! Which refused readings were ever sent through again, whoever asked for it.

use super::Origin;
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

/// Offsets of one row.
const BLOCK: i64 = 1024;

/// Source, partition, place in the message, block.
type Key = (String, i32, i32, i64);

/// The part of `app.resent` that a batch looks at: a bit per reading.
#[derive(Debug, Default)]
pub(super) struct Sent {
    blocks: BTreeMap<Key, Vec<u8>>,
}

fn key(origin: &Origin) -> Key {
    let place = origin.index.map_or(-1, |index| i32::try_from(index).unwrap_or(i32::MAX));
    (origin.source.clone(), origin.partition, place, origin.offset.div_euclid(BLOCK))
}

#[derive(sqlx::FromRow)]
struct Row {
    source: String,
    partition: i32,
    place: i32,
    block: i64,
    offsets: Vec<u8>,
}

impl Sent {
    /// What is known of these.
    pub(super) async fn of(pool: &PgPool, origins: impl Iterator<Item = &Origin>) -> Result<Sent, sqlx::Error> {
        let empty = || vec![0; BLOCK as usize / 8];
        let mut blocks: BTreeMap<Key, Vec<u8>> = origins.map(|origin| (key(origin), empty())).collect();
        let columns = Columns::of(blocks.keys());
        let rows: Vec<Row> = sqlx::query_as(include_str!("../../queries/resent_read.sql"))
            .bind(columns.sources)
            .bind(columns.partitions)
            .bind(columns.places)
            .bind(columns.blocks)
            .fetch_all(pool)
            .await?;
        blocks.extend(rows.into_iter().map(|row| ((row.source, row.partition, row.place, row.block), row.offsets)));
        Ok(Sent { blocks })
    }

    /// Notes it; false when it was sent before.
    pub(super) fn add(&mut self, origin: &Origin) -> bool {
        let bit = origin.offset.rem_euclid(BLOCK) as usize;
        let block = self.blocks.entry(key(origin)).or_insert_with(|| vec![0; BLOCK as usize / 8]);
        let fresh = block[bit / 8] & (1 << (bit % 8)) == 0;
        block[bit / 8] |= 1 << (bit % 8);
        fresh
    }

    pub(super) async fn write(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let columns = Columns::of(self.blocks.keys());
        sqlx::query(include_str!("../../queries/resent_write.sql"))
            .bind(columns.sources)
            .bind(columns.partitions)
            .bind(columns.places)
            .bind(columns.blocks)
            .bind(self.blocks.values().map(Vec::as_slice).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Keys as PostgreSQL takes them.
#[derive(Default)]
struct Columns<'a> {
    sources: Vec<&'a str>,
    partitions: Vec<i32>,
    places: Vec<i32>,
    blocks: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(keys: impl Iterator<Item = &'a Key>) -> Columns<'a> {
        let mut columns = Columns::default();
        for (source, partition, place, block) in keys {
            columns.sources.push(source);
            columns.partitions.push(*partition);
            columns.places.push(*place);
            columns.blocks.push(*block);
        }
        columns
    }
}
