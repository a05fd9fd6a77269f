//! Answers that carry their version.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A row whose version is its strong ETag.
pub trait Versioned {
    fn version(&self) -> i64;
}

/// The tag of a version: `"v17"`.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"v{version}\"")).expect("digits and quotes are header text")
}

/// 200 with an ETag.
#[derive(Clone, Debug)]
pub struct Tagged<T>(pub T);

impl<T: Serialize + Versioned> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag(self.0.version()))], Json(self.0)).into_response()
    }
}

/// 201 with an ETag and where the new thing is.
#[derive(Clone, Debug)]
pub struct Created<T> {
    pub location: String,
    pub row: T,
}

impl<T: Serialize + Versioned> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, [(header::ETAG, etag(self.row.version()))], Json(self.row)).into_response();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// What to remember of an answer in place of its body, where that holds a secret that is shown once.
#[derive(Clone, Debug)]
pub struct Remembered(pub serde_json::Value);
