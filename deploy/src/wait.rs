//! Waiting for servers that are away, and saying so: once at the beginning, then each half minute.

use std::time::{Duration, Instant};

const SAY_AGAIN: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Tries until it works or until `stop`; `None` when it was stopped. Only for faults that pass by themselves.
pub async fn until_it_works<T, E, Attempt>(what: &str, stop: &crate::shutdown::Stop, mut attempt: impl FnMut() -> Attempt) -> Option<T>
where
    E: std::fmt::Display,
    Attempt: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    let mut said: Option<Instant> = None;
    loop {
        match attempt().await {
            Ok(done) => {
                if said.is_some() {
                    tracing::info!(what, waited_s = started.elapsed().as_secs(), "it answers now");
                }
                return Some(done);
            }
            Err(error) if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) => {
                tracing::warn!(what, %error, "not there yet; waiting for it");
                said = Some(Instant::now());
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(TRY_AGAIN) => {}
            () = stop.requested() => return None,
        }
    }
}
