//! The migrations apply to a real server, and tests do not see each other's rows.
#![cfg(feature = "testing")]

use dcmms_schemas::testing::TestDatabase;

#[tokio::test]
async fn every_test_has_a_migrated_database_of_its_own() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    sqlx::query("insert into derived.jobs (job) values ('main')").execute(one.pool()).await.unwrap();
    for (database, rows) in [(&one, 1), (&other, 0)] {
        let found: i64 = sqlx::query_scalar("select count(*) from derived.jobs").fetch_one(database.pool()).await.unwrap();
        assert_eq!(found, rows);
    }
    let pool = sqlx::PgPool::connect(&one.url()).await.unwrap();
    let found: i64 = sqlx::query_scalar("select count(*) from derived.jobs").fetch_one(&pool).await.unwrap();
    assert_eq!(found, 1);
}
