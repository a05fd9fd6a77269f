//! JSON bodies: which field is wrong, and where.

use crate::problem::{FieldError, Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{StatusCode, header},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        if !is_json(&media) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "validation", "media_type", "The body is not JSON")
                .detail(format!("Content-Type is {media:?}; application/json is expected")));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(too_large)?;
        Ok(Json(read_json(&bytes)?))
    }
}

fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or("").trim();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

pub(crate) fn too_large(error: BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "validation", "body_too_large", "The body is too large")
            .detail(error.body_text());
    }
    Problem::malformed("bad_body", error.body_text())
}

/// Reads JSON; a refusal names the field by its pointer and the place by line and column.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| unreadable(&error))?;
    reader.end().map_err(|error| Problem::malformed("bad_json", error.to_string()))?;
    Ok(value)
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let pointer = pointer_of(error.path());
    let message = error.inner().to_string();
    if !error.inner().is_data() {
        let at = if pointer.is_empty() { String::new() } else { format!(" (in {pointer})") };
        return Problem::malformed("bad_json", format!("{message}{at}"));
    }
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "validation", "bad_field", "The body has a wrong field");
    problem.errors = vec![FieldError::new(&pointer, "bad_field", &message)];
    problem.detail(if pointer.is_empty() { message } else { format!("{pointer}: {message}") })
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{key}"),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// Applies an RFC 7396 merge patch to what is there and reads the outcome as if it had been sent whole.
pub fn merge<T: Serialize + DeserializeOwned>(current: &T, patch: &Value) -> Result<T, Problem> {
    if !patch.is_object() {
        return Err(Problem::field("", "bad_patch", "a merge patch is a JSON object with the fields to change"));
    }
    let mut whole = serde_json::to_value(current).map_err(|error| {
        tracing::error!(%error, "row does not serialise");
        Problem::internal()
    })?;
    apply(&mut whole, patch);
    serde_path_to_error::deserialize(whole).map_err(|error| {
        let pointer = pointer_of(error.path());
        Problem::field(pointer, "bad_field", error.into_inner().to_string())
    })
}

fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let fields = target.as_object_mut().expect("made an object above");
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            apply(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests;
