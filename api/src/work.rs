//! The unit of work: one request, one transaction.

use crate::{gate::Principal, problem::Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use sqlx::{PgConnection, Postgres, Transaction};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The request's transaction on its way to the handler.
#[derive(Clone)]
pub(crate) struct Slot(pub(crate) Arc<Mutex<Transaction<'static, Postgres>>>);

/// The transaction in which a changing handler does all it does. The gate opens it, and commits it together with the
/// answer kept for the request's Idempotency-Key when the handler succeeds; otherwise nothing has happened.
pub struct Work {
    transaction: OwnedMutexGuard<Transaction<'static, Postgres>>,
    pub who: Principal,
}

impl<S: Send + Sync> FromRequestParts<S> for Work {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (slot, who) = (parts.extensions.get::<Slot>().cloned(), parts.extensions.get::<Principal>().cloned());
        let (Some(slot), Some(who)) = (slot, who) else {
            tracing::error!(uri = %parts.uri, "handler wants a transaction but its gate opens none");
            return Err(Problem::internal());
        };
        Ok(Work { transaction: slot.0.lock_owned().await, who })
    }
}

impl Deref for Work {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.transaction
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").field("who", &self.who).finish_non_exhaustive()
    }
}
