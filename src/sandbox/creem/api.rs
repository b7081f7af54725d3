//! The way of a request to Creem: its key, a fault that was asked for, its endpoint, its fields, the answer, the log.

use crate::domain::secret::is_world_name;
use crate::sandbox::creem::document::{Asked, refuse};
use crate::sandbox::creem::table::{self, Endpoint};
use crate::sandbox::creem::{ACCOUNT, check};
use crate::sandbox::engine::requests::LogRow;
use crate::sandbox::engine::txn::Origin;
use crate::sandbox::engine::worlds::World;
use crate::sandbox::fault;
use crate::sandbox::jobs;
use crate::wire::failure::Failure;
use crate::wire::render;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The header that carries the API key, and tells a request from one to Stripe.
pub const KEY: &str = "x-api-key";

/// What a key of test mode begins with.
const TEST_KEY: &str = "creem_test_";

/// What the paths may begin with, where the header does not say it.
const PREFIX: &str = "/creem";

/// Whether a request is one to Creem.
pub fn is_its(path: &str, headers: &HeaderMap) -> bool {
    path.starts_with("/creem/v1/") || (path.starts_with("/v1/") && headers.contains_key(KEY))
}

/// Answers one request of a world; `is_named` says that its path named it.
pub async fn answer(world: &Arc<World>, is_named: bool, parts: &Parts, sent: &[u8]) -> Response {
    let path = parts.uri.path();
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    // The log and the rules of faults tell it from one to Stripe by its path.
    let told = format!("{PREFIX}{path}");
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    let admitted = admit(world, is_named, key);
    let world = admitted.as_ref().unwrap_or(world);
    let own = world.at(ACCOUNT);
    let method = parts.method.as_str();
    let fault = parts.headers.get(fault::HEADER).and_then(|value| value.to_str().ok());
    let result = match admitted.as_ref().err() {
        Some(failure) => Err(failure.clone()),
        None => match fault::asked(fault) {
            Err(failure) => Err(failure),
            Ok(asked) => {
                let fault =
                    asked.or_else(|| world.engine().faults().take(world.name(), method, &told));
                match fault.and_then(fault::Answer::failure) {
                    Some(failure) => Err(failure),
                    None => work(&own, parts, (path, key), sent).await,
                }
            }
        },
    };
    let (status, body, error) = match result {
        Ok(value) => (200, value, None),
        Err(failure) => (failure.status, refusal(&own, &failure), Some(failure.message)),
    };
    let trace = trace_id(&own);
    world.engine().requests().add(LogRow {
        id: trace,
        world: Arc::clone(world.name()),
        account: Arc::from(ACCOUNT),
        at: own.now().0,
        method: method.to_owned(),
        path: told,
        status,
        error,
        fault: None,
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, kind, render::compact(&body)).into_response()
}

/// The world of a key. Every test key opens the sandbox; `creem_test_w_NAME_…` names a world.
fn admit(world: &Arc<World>, is_named: bool, key: &str) -> Result<Arc<World>, Failure> {
    if key.is_empty() {
        return Err(refuse(401, "API key is missing: send it in the header x-api-key"));
    }
    let Some(rest) = key.strip_prefix(TEST_KEY) else {
        return Err(refuse(
            403,
            "Invalid API key: the sandbox takes keys of test mode only (creem_test_…)",
        ));
    };
    let named = rest.strip_prefix("w_").and_then(|rest| rest.split_once('_'));
    let Some((name, _)) = named.filter(|(name, _)| is_world_name(name)) else {
        return Ok(Arc::clone(world));
    };
    if world.called() == name {
        return Ok(Arc::clone(world));
    }
    if is_named {
        return Err(refuse(400, "The path and the API key lead to different worlds"));
    }
    world.engine().world(name).map_err(|error| refuse(400, format!("No such world: {error}")))
}

async fn work(
    own: &Arc<World>,
    parts: &Parts,
    (path, key): (&str, &str),
    sent: &[u8],
) -> Result<Value, Failure> {
    let rest = path.strip_prefix("/v1/").unwrap_or_default().trim_end_matches('/');
    let method = parts.method.as_str();
    let Some((endpoint, ids)) = table::find(method, rest) else {
        if table::is_unmodelled(rest) {
            return Err(refuse(501, format!("{method} {path} is not modelled by this sandbox")));
        }
        return Err(refuse(404, format!("Cannot {method} {path}")));
    };
    let ids = ids.iter().map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned());
    let idempotency_key = parts.headers.get("idempotency-key").and_then(|it| it.to_str().ok());
    let asked = Asked {
        ids: ids.collect(),
        params: params(endpoint, parts.uri.query().unwrap_or_default(), sent)?,
        key: key.to_owned(),
        idempotency_key: idempotency_key.map(str::to_owned),
    };
    if own.stands() {
        // Where time stands, what follows from a call has happened before the next one looks.
        jobs::run_due(own).await;
    }
    let origin = Origin { request_id: Some(trace_id(own)), ..Origin::default() };
    if method == "GET" {
        return own.look(origin, |txn| (endpoint.run)(txn, &asked));
    }
    own.change(origin, |txn| (endpoint.run)(txn, &asked)).await
}

/// What a request says: in its query, or in its body.
fn params(endpoint: &Endpoint, query: &str, sent: &[u8]) -> Result<Map<String, Value>, Failure> {
    let wrong = |faults: Vec<String>| refuse(400, faults.join("\n"));
    if endpoint.method == "GET" {
        let pairs: Vec<(String, String)> =
            reqwest::Url::parse(&format!("http://localhost/?{query}"))
                .map(|url| url.query_pairs().into_owned().collect())
                .unwrap_or_default();
        return check::query(endpoint.fields, &pairs).map_err(wrong);
    }
    let body: Value = match sent.trim_ascii() {
        [] => json!({}),
        sent => serde_json::from_slice(sent)
            .map_err(|error| refuse(400, format!("The body is no JSON: {error}")))?,
    };
    let Value::Object(body) = body else {
        return Err(refuse(400, "The body must be a JSON object"));
    };
    check::body(endpoint.fields, &body).map_err(wrong)
}

/// A refusal as Creem's API words it.
fn refusal(own: &World, failure: &Failure) -> Value {
    let name = StatusCode::from_u16(failure.status).ok().and_then(|it| it.canonical_reason());
    let messages: Vec<&str> = failure.message.lines().collect();
    json!({
        "trace_id": trace_id(own),
        "status": failure.status,
        "error": name.unwrap_or("Error"),
        "message": messages,
        "timestamp": own.now().0.saturating_mul(1_000),
    })
}

/// A fresh id of a request, written as a UUID.
fn trace_id(own: &World) -> String {
    let mut numbers = own.entropy().numbers("creem trace");
    let (high, low) = (numbers.next(), numbers.next());
    let parts = [
        format!("{:08x}", high >> 32),
        format!("{:04x}", high >> 16 & 0xFFFF),
        format!("4{:03x}", high & 0xFFF),
        format!("{:04x}", (low >> 48 & 0x3FFF) | 0x8000),
        format!("{:012x}", low & 0xFFFF_FFFF_FFFF),
    ];
    parts.join("-")
}
