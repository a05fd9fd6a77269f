//! Waiting for work that others put into the database: told by a notification, and looking now and then in case none came.

use sqlx::{PgPool, postgres::PgListener};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a fault goes on before it is said again.
const SAY_AGAIN: Duration = Duration::from_secs(60);
/// Waits after the first fault in a row, and at most.
const DELAY_FIRST: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(5);

/// A loop's alarm clock.
#[derive(Debug)]
pub(crate) struct Wake {
    channel: &'static str,
    poll: Duration,
    listener: Option<PgListener>,
}

impl Wake {
    pub(crate) fn new(channel: &'static str, poll: Duration) -> Wake {
        Wake { channel, poll, listener: None }
    }

    /// Listens from now on, if it does not yet: before the loop looks, so that nothing falls between.
    pub(crate) async fn listen(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        if self.listener.is_none() {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(self.channel).await?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    /// Waits for a notification, the next poll or the end; false at the end.
    pub(crate) async fn next(&mut self, shutdown: &mut watch::Receiver<bool>) -> bool {
        let told = async {
            match &mut self.listener {
                Some(listener) => listener.try_recv().await.is_ok_and(|notification| notification.is_some()),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = told => {
                // The connection is gone, and maybe notifications with it: listen anew, and look.
                if !heard {
                    self.listener = None;
                }
                true
            }
            () = tokio::time::sleep(self.poll) => true,
            () = ended(shutdown) => false,
        }
    }
}

/// Resolves once the process is asked to end, or nobody is left to ask.
pub(crate) async fn ended(shutdown: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone, which is an end too.
    let _ = shutdown.wait_for(|ends| *ends).await;
}

/// A loop's faults in a row: how long to wait, and whether to say so.
#[derive(Debug)]
pub(crate) struct Faults {
    what: &'static str,
    delay: Duration,
    said: Option<Instant>,
}

impl Faults {
    pub(crate) fn new(what: &'static str) -> Faults {
        Faults { what, delay: DELAY_FIRST, said: None }
    }

    /// It works again.
    pub(crate) fn over(&mut self) {
        if self.said.take().is_some() {
            tracing::info!(what = self.what, "works again");
        }
        self.delay = DELAY_FIRST;
    }

    /// Says why once a minute, and how long to wait before the next try.
    pub(crate) fn note(&mut self, error: &(dyn std::fmt::Display + Sync)) -> Duration {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            tracing::warn!(what = self.what, %error, "cannot go on; trying again");
            self.said = Some(Instant::now());
        }
        let delay = self.delay;
        self.delay = (delay * 2).min(DELAY_MAX);
        delay
    }

    /// [`Faults::note`], and waits. False at the end.
    pub(crate) async fn wait(&mut self, error: &(dyn std::fmt::Display + Sync), shutdown: &mut watch::Receiver<bool>) -> bool {
        let delay = self.note(error);
        tokio::select! {
            () = tokio::time::sleep(delay) => true,
            () = ended(shutdown) => false,
        }
    }
}
