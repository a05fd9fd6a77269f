//! argon2id, off the threads that serve requests.

use crate::problem::{FieldError, Problem};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::OnceLock;

/// Characters of a password at least.
pub(super) const LENGTH_MIN: usize = 12;
/// Bytes of a password at most, so that nobody makes us hash a book.
pub(super) const LENGTH_MAX: usize = 1_024;

pub(super) fn check(password: &str, pointer: &str) -> Result<(), FieldError> {
    if password.chars().count() < LENGTH_MIN {
        return Err(FieldError::new(pointer, "too_short", format!("a password has at least {LENGTH_MIN} characters")));
    }
    if password.len() > LENGTH_MAX {
        return Err(FieldError::new(pointer, "too_long", format!("a password has at most {LENGTH_MAX} bytes")));
    }
    Ok(())
}

pub(super) async fn hash(password: String) -> Result<String, Problem> {
    run(move || hash_now(&password)).await?.ok_or_else(Problem::internal)
}

/// Takes as long for an unknown user (`None`) as for a known one.
pub(super) async fn matches(password: String, kept: Option<String>) -> Result<bool, Problem> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    run(move || {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODY.get_or_init(|| hash_now("nobody has this password").unwrap_or_default()).clone());
        let Ok(parsed) = PasswordHash::new(&kept) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known
    })
    .await
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).ok()
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "hashing did not end");
        Problem::internal()
    })
}
