//! Everything the API can refuse, as RFC 9457 `application/problem+json`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use utoipa::ToSchema;

/// One thing that is wrong with a body or a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, or the name of a parameter.
    #[schema(example = "/openings/0/weekday")]
    pub pointer: String,
    #[schema(example = "out_of_range")]
    pub code: String,
    #[schema(example = "weekday is 1 (Monday) to 7 (Sunday), not 8")]
    pub message: String,
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), code: code.into(), message: message.into() }
    }
}

/// A refusal. `instance` and `correlation_id` are filled in on the way out, where both are known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:problem:` and the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:problem:validation")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Finer than the type: which check it was.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The guard that refused a transition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
    /// What would satisfy it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds after which it may work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, kind: &str, code: impl Into<String>, title: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:problem:{kind}"),
            title: title.into(),
            status: status.as_u16(),
            code: code.into(),
            detail: None,
            instance: None,
            correlation_id: None,
            guard: None,
            explain: Vec::new(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Problem {
        self.detail = Some(detail.into());
        self
    }

    pub fn explain(mut self, explain: Vec<Value>) -> Problem {
        self.explain = explain;
        self
    }

    /// 422: understood, and wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = errors.iter().map(|error| format!("{}: {}", error.pointer, error.message)).collect::<Vec<_>>().join("; ");
        let mut problem =
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", "validation", "The request says something impossible");
        problem.errors = errors;
        problem.detail(detail)
    }

    /// 422 for one field.
    pub fn field(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem::invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// 400: could not be read.
    pub fn malformed(code: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "validation", code, "The request cannot be read").detail(detail)
    }

    pub fn unauthenticated(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "unauthenticated", "Who is asking?").detail(detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden-scope", "forbidden", "Not allowed").detail(detail)
    }

    pub fn not_found(what: &str, id: impl Display) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "not_found", format!("No such {what}"))
            .detail(format!("{what} {id} does not exist"))
    }

    /// 409: clashes with what is there.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, "conflict", code, "It clashes with what is there").detail(detail)
    }

    /// 409: a guard refused. `explain` says what would satisfy it.
    pub fn guard(code: impl Into<String>, guard: impl Into<String>, title: impl Into<String>, detail: impl Into<String>) -> Problem {
        let mut problem = Problem::new(StatusCode::CONFLICT, "guard-failed", code, title);
        problem.guard = Some(guard.into());
        problem.detail(detail)
    }

    /// 412: someone changed it since.
    pub fn stale(current: i64) -> Problem {
        Problem::new(StatusCode::PRECONDITION_FAILED, "version-conflict", "stale_version", "It was changed since you read it")
            .detail(format!("its version is \"v{current}\" now; read it again and repeat the change with that in If-Match"))
    }

    /// 503: something we need is not there.
    pub fn unavailable(what: &str) -> Problem {
        let mut problem =
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "dependency-unavailable", "dependency_unavailable", "Try again in a moment");
        problem.retry_after = Some(2);
        problem.detail(format!("{what} cannot be reached; nothing was changed"))
    }

    /// 500: ours. The cause stays in the log.
    pub fn internal() -> Problem {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal", "We made a mistake")
            .detail("the log has the cause under the correlation id")
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Problem {
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                tracing::warn!(%error, "database cannot be reached");
                Problem::unavailable("the database")
            }
            // Shutting down, starting up, or cut off: classes 57P0x and 08.
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| code.starts_with("57P0") || code.starts_with("08")) => {
                tracing::warn!(%error, "database is not ready");
                Problem::unavailable("the database")
            }
            sqlx::Error::Database(cause) if cause.code().as_deref() == Some("57014") => {
                tracing::warn!(%error, "statement timed out");
                Problem::unavailable("the database")
            }
            sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                Problem::conflict("exists", format!("there is already one like it ({})", cause.constraint().unwrap_or("unique")))
            }
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => Problem::conflict(
                "reference",
                format!("it names something that does not exist or is in use ({})", cause.constraint().unwrap_or("reference")),
            ),
            sqlx::Error::Database(cause) if cause.is_check_violation() => {
                Problem::field("", "check", format!("the database refuses it ({})", cause.constraint().unwrap_or("check")))
            }
            _ => {
                tracing::error!(%error, "database refused a statement");
                Problem::internal()
            }
        }
    }
}

impl From<crate::publish::PublishError> for Problem {
    fn from(error: crate::publish::PublishError) -> Problem {
        tracing::warn!(%error, "broker cannot be reached");
        Problem::unavailable("the broker")
    }
}

impl IntoResponse for Problem {
    /// The body is written by [`mod@crate::router`], which knows the request's id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}
