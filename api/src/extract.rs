//! What a handler is given: bodies, ids, queries, each with a precise refusal.

mod body;
mod condition;
mod page;

pub(crate) use body::too_large;
pub use body::{Json, merge, read_json};
pub use condition::IfMatch;
pub use page::{LIMIT_DEFAULT, LIMIT_MAX, Page, PageInfo, commas, cursor, limit};

use crate::problem::Problem;
use axum::{
    extract::{FromRequestParts, Path, Query as AxumQuery, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

/// The path's parameters.
#[derive(Clone, Copy, Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(At(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(Problem::malformed("bad_path", error.body_text())),
            Err(error) => Err(Problem::malformed("bad_path", error.body_text())),
        }
    }
}

/// The query's parameters; unknown ones are refused where the type says so.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match AxumQuery::try_from_uri(&parts.uri) {
            Ok(AxumQuery(value)) => Ok(Query(value)),
            Err(error) => Err(Problem::malformed("bad_query", error.body_text())),
        }
    }
}
