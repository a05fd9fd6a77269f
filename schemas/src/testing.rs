//! A real PostgreSQL for tests: each test has a database of its own, copied from a migrated template.
//!
//! `DATABASE_URL` names a server to use (its user may create databases); without it one private cluster per test process is
//! made in the temporary directory and goes when the process goes, however it ends. Faults here panic: this is for tests only.

mod cluster;

pub use cluster::Cluster;

use crate::migrations::MIGRATOR;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Connections of one test's pool; a private cluster allows 200 in all.
const POOL_CONNECTIONS_MAX: u32 = 10;
/// The advisory lock under which templates are made: any number that nobody else uses.
const TEMPLATE_LOCK: i64 = 0x6463_6d6d_735f_7470;

static SHARED: OnceLock<Cluster> = OnceLock::new();

/// One migrated database of one test. Dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
    pool: PgPool,
}

impl TestDatabase {
    /// Makes a database on the server of `DATABASE_URL` or of this process.
    pub async fn create() -> TestDatabase {
        let server = match std::env::var("DATABASE_URL") {
            Ok(url) => PgConnectOptions::from_str(&url).expect("DATABASE_URL is a PostgreSQL URL"),
            Err(_) => SHARED.get_or_init(Cluster::start).options(),
        };
        TestDatabase::create_on(server).await
    }

    /// Makes a database on this server, for tests that stop or restart a [`Cluster`] of their own.
    pub async fn create_on(server: PgConnectOptions) -> TestDatabase {
        let mut connection = connect(&server).await;
        let template = template(&server, &mut connection).await;
        let name = unique_name();
        run(&mut connection, format!("create database {name} template {template}")).await;
        connection.close().await.expect("close the connection to the test server");
        let pool = PgPoolOptions::new()
            .max_connections(POOL_CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(server.clone().database(&name));
        TestDatabase { server, name, pool }
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to connect to this database, for further pools.
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// The same as a URL, for configuration and child processes.
    pub fn url(&self) -> String {
        use sqlx::ConnectOptions;
        self.options().to_url_lossy().to_string()
    }
}

impl Drop for TestDatabase {
    /// Drops the database, also under connections that are still open; a server that is gone is no fault.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        // Its own thread, because drop may run inside a runtime, where waiting for another is forbidden.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("build a runtime");
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect_with(&server).await {
                    let dropped = sqlx::raw_sql(AssertSqlSafe(format!("drop database if exists {name} with (force)")));
                    let _ = dropped.execute(&mut connection).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// Makes the template of the present migrations, once per server, and gives its name.
async fn template(server: &PgConnectOptions, connection: &mut PgConnection) -> String {
    let name = format!("dcmms_template_{}", migrations_hash());
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await.expect("lock the template");
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .expect("look for the template");
    if !exists {
        // Renamed only when whole, so that a killed test leaves no half of a template.
        let draft = unique_name();
        run(connection, format!("create database {draft}")).await;
        let mut inside = connect(&server.clone().database(&draft)).await;
        MIGRATOR.run(&mut inside).await.expect("migrate the template");
        inside.close().await.expect("close the connection to the template");
        run(connection, format!("alter database {draft} rename to {name}")).await;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await.expect("unlock the template");
    name
}

fn migrations_hash() -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for migration in MIGRATOR.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Unique on a server that several processes share.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_nanos();
    format!("dcmms_test_{}_{nanos}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.expect("connect to the test server")
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
