//! `If-Match`: nobody overwrites what they have not seen.

use crate::problem::Problem;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};

/// The version a change is made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl IfMatch {
    /// Reads the header: 428 when it is missing, 400 when it is not one strong tag of ours.
    pub fn of(headers: &HeaderMap) -> Result<IfMatch, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "if_match_missing",
                "If-Match is missing",
            )
            .detail("send If-Match with the ETag of what you read, such as \"v17\""));
        };
        value
            .to_str()
            .ok()
            .and_then(version_of)
            .map(IfMatch)
            .ok_or_else(|| Problem::malformed("bad_if_match", format!("If-Match is {value:?}; one strong tag such as \"v17\" is expected")))
    }

    /// Refuses unless `current` is the version that was seen.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        if self.0 == current { Ok(()) } else { Err(Problem::stale(current)) }
    }
}

fn version_of(tag: &str) -> Option<i64> {
    tag.trim().strip_prefix("\"v")?.strip_suffix('"')?.parse().ok().filter(|version| *version >= 0)
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        IfMatch::of(&parts.headers)
    }
}
