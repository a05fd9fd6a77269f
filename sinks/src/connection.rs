//! One connection that comes back, and the patience to wait for it.

use crate::error::{SinkError, chain, doing};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use std::time::{Duration, Instant};

/// The pause between two tries doubles up to this; it is also what a recovery costs at most.
const PAUSE_MAX: Duration = Duration::from_secs(2);
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// While waiting, the log says so once in this time.
const REMINDER: Duration = Duration::from_secs(60);
/// A server that is cut off without a word is given up after this long; the largest transaction takes seconds.
pub(crate) const ATTEMPT_MAX: Duration = Duration::from_secs(120);

/// A connection of the sink's own, apart from any pool: its staging tables and settings live as long as it does.
#[derive(Debug)]
pub(crate) struct Connection {
    options: PgConnectOptions,
    /// Whether it needs the staging tables.
    stages: bool,
    open: Option<PgConnection>,
}

impl Connection {
    pub(crate) fn new(options: &PgConnectOptions, name: &str, stages: bool) -> Connection {
        let options = options.clone().application_name(name).disable_statement_logging();
        Connection { options, stages, open: None }
    }

    /// Where the server is, for a person.
    pub(crate) fn server(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    pub(crate) async fn get(&mut self) -> Result<&mut PgConnection, SinkError> {
        if self.open.is_none() {
            let server = self.server();
            let mut connection = self.options.connect().await.map_err(|source| SinkError::Connect { server, source })?;
            if self.stages {
                let session = include_str!("../queries/session.sql");
                sqlx::raw_sql(session).execute(&mut connection).await.map_err(doing("prepare the session"))?;
            }
            self.open = Some(connection);
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }

    /// Drops it: after an error nobody knows what state it is in.
    pub(crate) fn break_off(&mut self) {
        self.open = None;
    }
}

/// Waits out what passes by itself, for ever, saying so.
#[derive(Debug)]
pub(crate) struct Patience {
    what: String,
    since: Option<Instant>,
    said: Option<Instant>,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(what: String) -> Patience {
        Patience { what, since: None, said: None, pause: PAUSE_MIN }
    }

    /// Returns after a pause when trying again may help, else gives the error back.
    pub(crate) async fn wait_after(&mut self, error: SinkError) -> Result<(), SinkError> {
        if !error.is_transient() {
            return Err(error);
        }
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        if self.said.is_none_or(|said| now - said >= REMINDER) {
            self.said = Some(now);
            let waited_s = (now - since).as_secs();
            tracing::warn!(waited_s, error = chain(&error), "{} cannot be written now; nothing is lost: intake is held back", self.what);
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }

    /// It worked.
    pub(crate) fn over(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(waited_s = since.elapsed().as_secs(), "{} can be written again", self.what);
        }
        (self.said, self.pause) = (None, PAUSE_MIN);
    }
}

/// Gives up on an attempt that takes too long.
pub(crate) async fn limited<T>(attempt: impl Future<Output = Result<T, SinkError>>) -> Result<T, SinkError> {
    match tokio::time::timeout(ATTEMPT_MAX, attempt).await {
        Ok(result) => result,
        Err(_) => {
            let source = sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in 120 s"));
            Err(SinkError::Statement { doing: "wait for the server's answer", source })
        }
    }
}
