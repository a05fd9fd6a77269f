//! Every statement is one that the migrated database understands.

use dcmms_schemas::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

#[tokio::test]
async fn every_query_can_be_prepared() {
    let database = TestDatabase::create().await;
    let mut connection = database.pool().acquire().await.unwrap();
    sqlx::raw_sql(include_str!("../queries/session.sql")).execute(&mut *connection).await.unwrap();
    let mut prepared = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/queries")).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("session.sql") {
            continue;
        }
        let sql = std::fs::read_to_string(&path).unwrap();
        let statement = (&mut *connection).prepare(AssertSqlSafe(sql).into_sql_str()).await;
        assert!(statement.is_ok(), "{}: {}", path.display(), statement.err().unwrap());
        prepared += 1;
    }
    assert!(prepared > 30, "{prepared}");
}
