use super::*;
use dcmms_schemas::testing::TestDatabase;
use sqlx::{AssertSqlSafe, PgPool};

async fn send(pool: &PgPool, table: &str, columns: &str, rows: Rows) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
    let mut connection = pool.acquire().await.unwrap();
    let create = format!("create temp table {table} ({columns})");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *connection).await.unwrap();
    let mut copy = connection.copy_in_raw(&format!("copy {table} from stdin (format binary)")).await.unwrap();
    for buffer in rows.finish() {
        copy.send(buffer).await.unwrap();
    }
    copy.finish().await.unwrap();
    connection
}

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let database = TestDatabase::create().await;
    let moments = [0, -1, -86_400_000_000, 946_684_800_000_000, 1_795_219_200_123_456, -62_135_596_800_000_000];
    let floats = [0.0, -0.0, 1.5e300, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1 + 0.2];
    let dates = ["1999-12-31", "2000-01-01", "1969-07-20", "2026-11-21"];
    let texts = ["", "é ☀", "a\0b", "line\nbreak\t\"quoted\""];
    let mut rows = Rows::new(10);
    for index in 0..floats.len() {
        rows.row().int2([i16::MIN, -1, 0, i16::MAX][index % 4]).int4([i32::MIN, -1, 0, i32::MAX][index % 4]);
        rows.int8([i64::MIN, -1, 0, i64::MAX][index % 4]).float8(floats[index]).boolean(index % 2 == 1);
        rows.timestamptz(Moment(moments[index % moments.len()])).date(dates[index % 4].parse().unwrap());
        rows.uuid(Uuid::from_u128(index as u128 * 7)).text(texts[index % 4]);
        rows.json(&serde_json::json!({"key": texts[index % 4], "list": [1, null, 0.5]}));
    }
    rows.row();
    for _ in 0..10 {
        rows.null();
    }
    assert_eq!(rows.rows(), 9);
    let columns = "a int2, b int4, c int8, d float8, e bool, f timestamptz, g date, h uuid, i text, j jsonb";
    let mut connection = send(database.pool(), "types", columns, rows).await;
    type Row = (i16, i32, i64, f64, bool, chrono::DateTime<chrono::Utc>, NaiveDate, Uuid, String, serde_json::Value);
    let sql = "select * from types where a is not null order by h";
    let found: Vec<Row> = sqlx::query_as(sql).fetch_all(&mut *connection).await.unwrap();
    assert_eq!(found.len(), floats.len());
    for (index, (a, b, c, d, e, f, g, h, i, j)) in found.into_iter().enumerate() {
        assert_eq!(a, [i16::MIN, -1, 0, i16::MAX][index % 4]);
        assert_eq!(b, [i32::MIN, -1, 0, i32::MAX][index % 4]);
        assert_eq!(c, [i64::MIN, -1, 0, i64::MAX][index % 4]);
        assert!(d.to_bits() == floats[index].to_bits() || d.is_nan() && floats[index].is_nan());
        assert_eq!(e, index % 2 == 1);
        assert_eq!(Moment::from(f), Moment(moments[index % moments.len()]));
        assert_eq!(g.to_string(), dates[index % 4]);
        assert_eq!(h, Uuid::from_u128(index as u128 * 7));
        let text = texts[index % 4].replace('\0', "\u{fffd}");
        assert_eq!(i, text);
        assert_eq!(j, serde_json::json!({"key": text, "list": [1, null, 0.5]}));
    }
    let sql = "select count(*) from types where coalesce(a, b, c, d) is null and num_nulls(e, f, g, h, i, j) = 6";
    let nulls: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap();
    assert_eq!(nulls, 1);
}

#[tokio::test]
async fn moments_beyond_the_calendar_become_infinities() {
    let database = TestDatabase::create().await;
    let mut rows = Rows::new(1);
    for moment in [Moment::MIN, Moment(i64::MIN + 1), Moment::MAX] {
        rows.row().timestamptz(moment);
    }
    let mut connection = send(database.pool(), "moments", "at timestamptz", rows).await;
    let found: Vec<String> = sqlx::query_scalar("select at::text from moments order by at").fetch_all(&mut *connection).await.unwrap();
    assert_eq!(found, ["-infinity", "-infinity", "infinity"]);
}

#[tokio::test]
async fn many_rows_go_in_several_buffers() {
    let database = TestDatabase::create().await;
    let mut rows = Rows::new(2);
    for number in 0..60_000 {
        rows.row().int4(number).text("twenty characters...");
    }
    assert!(rows.full.len() > 2);
    let mut connection = send(database.pool(), "many", "n int, t text", rows).await;
    let found: (i64, i64) = sqlx::query_as("select count(*), sum(n)::bigint from many").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(found, (60_000, 59_999 * 30_000));
}

#[test]
#[should_panic(expected = "a row lacks columns")]
fn a_row_that_lacks_a_column_is_a_broken_invariant() {
    let mut rows = Rows::new(2);
    rows.row().int4(1);
    rows.finish();
}
