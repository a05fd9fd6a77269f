//! Every reading, in Parquet, sealed now and then. The layout of the files is in `docs/history.md`.

mod file;
mod sweep;
mod values;
mod writer;

pub use file::SealedFile;
pub(crate) use sweep::sweep;
pub(crate) use writer::{History, Place, start};

use crate::{
    error::{SinkError, doing},
    staged::tick8,
};
use dcmms_schemas::time::{Moment, SECOND, Tick};
use sqlx::PgConnection;

/// When a file is sealed: whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Microseconds of the bindings' clock.
    pub age_micros: i64,
    /// Bytes that the buffered readings take in memory.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { age_micros: 60 * SECOND, bytes: 64 * 1024 * 1024 }
    }
}

/// The readings of the ticks up to `upto` are in sealed files; these are the newest of them (none when nothing was read).
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    pub(crate) upto: Tick,
    pub(crate) files: Vec<SealedFile>,
}

impl Seal {
    /// Adds the files to the manifest, in the transaction that has reached `upto`.
    pub(crate) async fn insert(&self, tx: &mut PgConnection, job: &str) -> Result<(), SinkError> {
        for file in &self.files {
            sqlx::query(include_str!("../queries/history_files_insert.sql"))
                .bind(&file.path)
                .bind(job)
                .bind(file.shard)
                .bind(file.day)
                .bind(tick8(file.from))
                .bind(tick8(file.upto))
                .bind(file.rows as i64)
                .bind(file.bytes as i64)
                .bind(Moment::utc(file.first_at))
                .bind(Moment::utc(file.last_at))
                .bind(tick8(self.upto))
                .execute(&mut *tx)
                .await
                .map_err(doing("add to the manifest of the history"))?;
        }
        Ok(())
    }
}
