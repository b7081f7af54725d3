//! Requests read within their limits, and answers built with the headers that each of them needs.

use crate::net::connection::{ArrivalError, Arriving};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The most bytes that a body may have.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How much of a body that is too long is still read away, so that its sender gets to read the answer.
const DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a body may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(15);

/// An answer of the listener.
pub type Answer = Response<Full<Bytes>>;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// More than [`BODY_BYTES_MAX`].
    TooLong,
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Reads a body within its limits; the server sees to its time.
pub async fn read_body(body: Arriving) -> Result<Vec<u8>, BodyError> {
    read_within(body, BODY_BYTES_MAX).await
}

/// The same, with a limit of its own.
pub async fn read_within(mut body: Arriving, most: usize) -> Result<Vec<u8>, BodyError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut kept = Vec::with_capacity(expected.min(most));
    let mut read = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error {
            ArrivalError::Slow => BodyError::TooSlow,
            ArrivalError::Broken(_) => BodyError::Broken,
        })?;
        let Some(data) = frame.data_ref() else { continue };
        read = read.saturating_add(data.len());
        if read <= most {
            kept.extend_from_slice(data);
        } else if read > DISCARD_BYTES_MAX {
            break;
        }
    }
    if read > most { Err(BodyError::TooLong) } else { Ok(kept) }
}

/// A body of `kind` that is not to be kept by caches or read as anything else.
fn answer(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// A JSON answer.
pub fn json(status: StatusCode, value: &Value) -> Answer {
    answer(status, "application/json; charset=utf-8", value.to_string())
}

/// Text for a program that watches.
pub fn plain(status: u16, body: String) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, "text/plain; version=0.0.4; charset=utf-8", body)
}

/// `{"received": true}`: the event is durable.
pub fn received() -> Answer {
    json(StatusCode::OK, &json!({"received": true}))
}

/// A JSON error that names its cause.
pub fn error(status: u16, cause: &str, message: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = json(status, &json!({"error": {"cause": cause, "message": message}}));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// The answer to a body that was not read.
pub fn body_fault(fault: BodyError) -> Answer {
    let (status, cause, message) = match fault {
        BodyError::TooLong => (413, "body_too_long", "The body is longer than 1 MiB."),
        BodyError::TooSlow => (408, "body_too_slow", "The body did not arrive in time."),
        BodyError::Broken => (400, "body_broken", "The body could not be read."),
    };
    let mut answer = error(status, cause, message);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// 405, with the methods that would do.
pub fn method_not_allowed(allow: &'static str) -> Answer {
    let mut answer = error(405, "method_not_allowed", &format!("Use {allow}."));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// A page that may load nothing, run nothing and be framed by nobody. Its referrer policy keeps the `Origin`
/// of its own form, which `no-referrer` would blank.
pub fn html(status: StatusCode, page: String) -> Answer {
    let mut answer = answer(status, "text/html; charset=utf-8", page);
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("vary"),
        HeaderValue::from_static("Accept, Accept-Language"),
    );
    answer
}

/// A script of ours for a page of ours.
pub fn script(text: &'static str) -> Answer {
    answer(StatusCode::OK, "text/javascript; charset=utf-8", text.to_owned())
}

/// 303 to `url`; `None` where it cannot stand in a header.
pub fn see_other(url: &str) -> Option<Answer> {
    let location = HeaderValue::try_from(url).ok()?;
    let mut answer = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    answer.headers_mut().insert(LOCATION, location);
    Some(answer)
}
