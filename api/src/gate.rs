//! What a request passes before its handler: who is asking, may they, and under which conditions.
//!
//! A route's [`Gate`] is data. It names the feature, so that a test can list any route that does not, and it says what
//! the route demands of a request: `If-Match` where something is changed, `Idempotency-Key` where something is made
//! or done. Changing routes get a transaction ([`crate::work::Work`]) that this module opens and commits.

mod idempotency;

use crate::{accounts, extract::IfMatch, problem::Problem, service::Shared, work::Slot};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request},
    http::{Method, request::Parts},
    middleware::Next,
    response::Response,
};
use dcmms_schemas::access::{Feature, Letter, Need, Role};
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// Whom a route is open to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Anyone; for signing in, and for machines that watch this process.
    Open,
    /// Anyone who is signed in; for what is theirs.
    SignedIn,
    /// Those whose role allows it.
    Feature(Feature, Need),
}

/// What a route does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing, or what needs no transaction of ours.
    None,
    /// Changes rows in one transaction; repeating it is harmless, because `If-Match` then fails.
    Changes,
    /// Makes or does something once per `Idempotency-Key`, in one transaction with the answer kept for it.
    Once,
}

/// What a route demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    pub door: Door,
    pub effect: Effect,
    /// `If-Match` is required.
    pub conditional: bool,
}

impl Gate {
    /// A GET.
    pub const fn read(feature: Feature) -> Gate {
        Gate { door: Door::Feature(feature, Need::Read), effect: Effect::None, conditional: false }
    }

    /// A POST that makes something.
    pub const fn create(feature: Feature) -> Gate {
        Gate { door: Door::Feature(feature, Need::Write), effect: Effect::Once, conditional: false }
    }

    /// A PATCH, PUT or DELETE.
    pub const fn change(feature: Feature) -> Gate {
        Gate { door: Door::Feature(feature, Need::Write), effect: Effect::Changes, conditional: true }
    }

    /// A POST that does something to a row which the caller has seen.
    pub const fn act(feature: Feature) -> Gate {
        Gate { door: Door::Feature(feature, Need::Write), effect: Effect::Once, conditional: true }
    }

    /// Readings on their way to the broker: no transaction, and no key, because the engine drops exact repeats.
    pub const fn ingest(feature: Feature) -> Gate {
        Gate { door: Door::Feature(feature, Need::Write), effect: Effect::None, conditional: false }
    }

    /// For everybody.
    pub const fn open() -> Gate {
        Gate { door: Door::Open, effect: Effect::None, conditional: false }
    }

    /// For whoever is signed in.
    pub const fn signed_in() -> Gate {
        Gate { door: Door::SignedIn, effect: Effect::None, conditional: false }
    }

    /// Part access (L, A, S) is not enough.
    pub const fn full(mut self) -> Gate {
        if let Door::Feature(feature, _) = self.door {
            self.door = Door::Feature(feature, Need::Full);
        }
        self
    }

    /// Where there is no version to match: a comment, say.
    pub const fn unconditional(mut self) -> Gate {
        self.conditional = false;
        self
    }
}

/// A person with a session, or a machine with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    User,
    Key,
}

/// Who is asking. Handlers take it as an argument.
#[derive(Clone, Debug)]
pub struct Principal {
    pub tenant: Uuid,
    pub bearer: Bearer,
    pub id: Uuid,
    /// E-mail address of a user, name of a key.
    pub name: String,
    pub role: Role,
    /// What the role is to the route's feature: where it is not `Full`, the handler looks at the row too.
    pub letter: Letter,
}

impl Principal {
    /// How rows name it: `user:<id>` or `key:<id>`.
    pub fn label(&self) -> String {
        match self.bearer {
            Bearer::User => format!("user:{}", self.id),
            Bearer::Key => format!("key:{}", self.id),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Principal>().cloned().ok_or_else(|| {
            tracing::error!(uri = %parts.uri, "handler wants a principal but its gate is open");
            Problem::internal()
        })
    }
}

/// Lets a request through, or refuses it.
pub(crate) async fn pass(gate: Gate, mut request: Request, next: Next) -> Result<Response, Problem> {
    let service = request.extensions().get::<Shared>().cloned().ok_or_else(Problem::internal)?;
    if gate.door == Door::Open {
        return Ok(next.run(request).await);
    }
    let mut who = accounts::authenticate(&service, request.headers()).await?;
    if let Door::Feature(feature, need) = gate.door {
        who.letter = allow(feature, need, who.role)?;
    }
    if gate.conditional {
        IfMatch::of(request.headers())?;
    }
    request.extensions_mut().insert(who.clone());
    match gate.effect {
        Effect::None => Ok(next.run(request).await),
        Effect::Changes => change(&service, request, next).await,
        Effect::Once => idempotency::once(&service, &who, request, next).await,
    }
}

fn allow(feature: Feature, need: Need, role: Role) -> Result<Letter, Problem> {
    let letter = feature.letter(role);
    if letter.allows(need) {
        return Ok(letter);
    }
    let allowed: Vec<_> = Role::ALL.into_iter().filter(|role| feature.letter(*role).allows(need)).map(|role| role.name().into()).collect();
    Err(Problem::forbidden(format!("role {role} may not do this: {} {}", feature.code(), feature.name())).explain(allowed))
}

/// Runs the handler in a transaction and commits it when the handler succeeds.
async fn change(service: &Shared, mut request: Request, next: Next) -> Result<Response, Problem> {
    let slot = Slot(Arc::new(Mutex::new(service.pool.begin().await?)));
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    finish(slot, response).await
}

async fn finish(slot: Slot, response: Response) -> Result<Response, Problem> {
    let transaction = Arc::try_unwrap(slot.0).map_err(|_| left_open())?.into_inner();
    if response.status().is_success() {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(response)
}

/// A handler moved its transaction into something that outlives it.
fn left_open() -> Problem {
    tracing::error!("handler kept its transaction");
    Problem::internal()
}

/// The whole body, within the limit.
async fn whole(service: &Shared, body: Body) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, service.limits.body_bytes_max).await.map_err(|_| {
        Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "validation", "body_too_large", "The body is too large")
            .detail(format!("at most {} bytes", service.limits.body_bytes_max))
    })
}

/// True for methods that change something.
pub(crate) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
