use dcmms_schemas::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

/// Every statement means something to the migrated database, also those that no test runs.
#[tokio::test]
async fn every_query_can_be_prepared() {
    let database = TestDatabase::create().await;
    let mut connection = database.pool().acquire().await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = (&mut *connection).prepare(AssertSqlSafe(text).into_sql_str()).await {
            panic!("{}: {error}", path.display());
        }
        count += 1;
    }
    assert!(count > 0);
    for text in dcmms_api::queries() {
        if let Err(error) = (&mut *connection).prepare(AssertSqlSafe(text.clone()).into_sql_str()).await {
            panic!("{text}: {error}");
        }
    }
}
