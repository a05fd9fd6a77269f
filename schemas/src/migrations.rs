//! The database's shape, forward only. SQL lives in `schemas/migrations`; nobody else writes DDL, but for the
//! time partitions that the sink adds below `derived.rollups_*`.

/// Applies what is missing, in order.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
