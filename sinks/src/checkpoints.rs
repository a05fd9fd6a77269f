//! The engine's state in files, and what Postgres says of them.
//!
//! A checkpoint is written when all workers have handed in their shares, and complete when what was said up to its tick is durable,
//! in the tables and in the sealed files of the history: then nothing before it has to be told again. Only a complete one counts.

mod file;
mod found;
mod store;
mod task;

pub(crate) use found::{Found, Row, find, rows};
pub(crate) use store::Store;
pub(crate) use task::{Link, Task};

use serde::{Deserialize, Serialize};

/// Where checkpoints go and how many are kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// `s3://bucket/prefix`, credentials by the usual `AWS_*` of the environment; empty: `checkpoints/` in the data directory.
    pub url: String,
    /// How many complete ones are kept with all they need; one that shares no file with the newest is kept besides.
    pub keep: usize,
}

/// A stored file: one per worker and checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    /// In the store.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// Of the index at its end; the index has the hash of each block.
    pub(crate) hash: String,
}
