//! Readings over HTTP, on their way to the broker.

mod line;

use crate::{
    gate::Gate,
    problem::{FieldError, Problem},
    publish::Message,
    routes::Routes,
    service::Shared,
};
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, header},
};
use dcmms_schemas::{access::Feature::F19, wire};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::UtoipaMethodRouterExt, routes};

/// Refused lines that are shown; all are counted.
const ERRORS_SHOWN_MAX: usize = 100;
/// Readings of one message at most.
const MESSAGE_READINGS_MAX: usize = 500;

pub(crate) fn routes(telemetry_bytes_max: usize) -> Routes {
    Routes::new().on(Gate::ingest(F19), routes!(send).layer(DefaultBodyLimit::max(telemetry_bytes_max)))
}

/// What became of the lines.
#[derive(Debug, Serialize, ToSchema)]
struct Receipt {
    /// Handed to the broker and acknowledged by it. Whether a point is known, and a moment neither too late nor in the
    /// future, is the engine's to say: see `/rejects` and `/unknown-points`.
    accepted: usize,
    refused: usize,
    /// The first hundred refused lines.
    errors: Vec<Refused>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    /// From 1; the place in the list when the body is a JSON array.
    line: usize,
    #[schema(example = "bad_field")]
    code: &'static str,
    #[schema(example = "value is missing")]
    message: String,
}

/// Takes readings, as lines of JSON (`application/x-ndjson`) or as one JSON array. Lines that can be read are sent on,
/// keyed by point; the others are listed. Sending a body again does no harm: exact repeats are dropped by the engine.
#[utoipa::path(post, path = "/telemetry", tag = "readings",
    request_body(content = String, content_type = "application/x-ndjson",
        example = "{\"point\":\"RJ01/B03/INV07:ac.power\",\"ts\":1732096800123,\"value\":12.345,\"quality\":\"good\",\"seq\":17}\n"),
    responses((status = 200, body = Receipt), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
async fn send(
    State(service): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Receipt>, Problem> {
    let body = body.map_err(crate::extract::too_large)?;
    let (readings, refused) = sort(&headers, &body)?;
    let accepted = readings.values().map(Vec::len).sum();
    if accepted == 0 {
        return Err(nothing(&refused));
    }
    service.publish.publish(wire::TELEMETRY_TOPIC, messages(&readings)).await?;
    metrics::counter!("dcmms_intake_readings_total").increment(accepted as u64);
    let count = refused.len();
    Ok(Json(Receipt { accepted, refused: count, errors: refused.into_iter().take(ERRORS_SHOWN_MAX).collect() }))
}

type Sorted<'a> = (BTreeMap<String, Vec<&'a str>>, Vec<Refused>);

/// Readings by point, in the order they came, and what cannot be read.
fn sort<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Sorted<'a>, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Problem::malformed("not_utf8", format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
    let media =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").split(';').next().unwrap_or("").trim();
    let lines: Vec<(usize, &str)> = match media {
        "application/x-ndjson" | "application/jsonl" => {
            text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()).collect()
        }
        "application/json" if text.trim_start().starts_with('[') => array(text)?,
        "application/json" => vec![(0, text.trim())],
        other => {
            return Err(Problem::new(
                axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "validation",
                "media_type",
                "Not a form of telemetry",
            )
            .detail(format!("Content-Type is {other:?}; application/x-ndjson or application/json is expected")));
        }
    };
    let (mut readings, mut refused) = (BTreeMap::<String, Vec<&str>>::new(), Vec::new());
    for (index, line) in lines {
        match line::point_of(line) {
            Ok(point) => readings.entry(point).or_default().push(line),
            Err(fault) => refused.push(Refused { line: index + 1, code: fault.reason.name(), message: fault.message }),
        }
    }
    Ok((readings, refused))
}

fn array(text: &str) -> Result<Vec<(usize, &str)>, Problem> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| Problem::malformed("bad_json", error.to_string()))?;
    Ok(items.into_iter().map(RawValue::get).enumerate().collect())
}

fn nothing(refused: &[Refused]) -> Problem {
    if refused.is_empty() {
        return Problem::malformed("empty", "there is no reading in the body");
    }
    let shown = refused.iter().take(ERRORS_SHOWN_MAX);
    Problem::invalid(shown.map(|line| FieldError::new(format!("/{}", line.line), line.code, line.message.clone())).collect())
}

/// A reading alone, or an array of one point's.
fn messages(readings: &BTreeMap<String, Vec<&str>>) -> Vec<Message> {
    let chunks = readings.iter().flat_map(|(point, lines)| lines.chunks(MESSAGE_READINGS_MAX).map(move |chunk| (point, chunk)));
    chunks
        .map(|(point, lines)| {
            let payload = if let [line] = lines { (*line).to_owned() } else { format!("[{}]", lines.join(",")) };
            Message { key: point.clone(), payload: payload.into(), format: None }
        })
        .collect()
}
