//! What every API request passes, each step once and in this order: authenticate, version, route,
//! decode, validate, idempotency, dispatch, expand, log.

use crate::catalog::Catalog;
use crate::catalog::route::{Endpoint, Routed};
use crate::catalog::validate::Strictness;
use crate::sandbox::auth;
use crate::sandbox::call::{Call, Version};
use crate::sandbox::engine::{Decision, Engine};
use crate::sandbox::expand;
use crate::sandbox::idempotency::Keyed;
use crate::sandbox::journal::LogRow;
use crate::sandbox::object;
use crate::sandbox::txn::{Origin, Txn};
use crate::sandbox::version;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::form;
use crate::wire::json::pretty;
use serde_json::{Value, json};
use std::sync::Arc;

/// The version from which on removed parameters are refused rather than let through.
const STRICT_FROM: &str = "2026-09-30";

/// A request as it came from the socket.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// HTTP method.
    pub method: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query, empty where there is none.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Stripe-Version` header.
    pub version: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer, to be written to the socket.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Type` and `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// What a request became: status and body, and whether it was answered before.
struct Outcome {
    status: u16,
    body: Value,
    original_request: Option<String>,
}

/// A request that passed everything but its execution.
struct Ready {
    endpoint: &'static Endpoint,
    call: Call,
    expand: Vec<String>,
    keyed: Option<Keyed>,
}

/// Answers one request.
pub async fn answer(engine: &Arc<Engine>, asked: Asked) -> Answer {
    // Each resource has its own sequence: how often somebody looks must not decide what a change is called.
    let resource = asked.path.split('/').nth(2).unwrap_or_default();
    let mut numbers = engine.entropy().numbers(&format!("req_ {} {resource}", asked.method));
    let request_id = crate::domain::id::mint("req_", 14, || numbers.next());
    let default = engine.site().api_version.as_str();
    let mut headers = vec![("request-id", request_id.clone())];
    if let Some(key) = &asked.idempotency_key {
        headers.push(("idempotency-key", key.clone()));
    }
    let (outcome, version) = match auth::authenticate(asked.authorization.as_deref())
        .and_then(|_| version::read(asked.version.as_deref(), default))
    {
        Err(failure) => {
            let outcome = failed(engine, &request_id, &failure);
            engine.log(log_row(engine, &asked, &request_id, &outcome));
            (outcome, default.to_owned())
        }
        Ok(version) => {
            let text = version.text.clone();
            (run(engine, &asked, version, &request_id, &mut headers).await, text)
        }
    };
    headers.push(("stripe-version", version));
    if let Some(original) = outcome.original_request {
        headers.push(("idempotent-replayed", "true".to_owned()));
        headers.push(("original-request", original));
    }
    match outcome.status {
        401 => headers.push(("www-authenticate", "Basic realm=\"Stripe\"".to_owned())),
        // What is not modelled will not be modelled at the next attempt either.
        501 => headers.push(("stripe-should-retry", "false".to_owned())),
        409 | 429 => headers.push(("stripe-should-retry", "true".to_owned())),
        _ => {}
    }
    Answer { status: outcome.status, headers, body: pretty(&outcome.body) }
}

async fn run(
    engine: &Arc<Engine>,
    asked: &Asked,
    version: Version,
    request_id: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Outcome {
    let ready = match prepare(asked, version, headers) {
        Ok(ready) => ready,
        Err(failure) => {
            let outcome = failed(engine, request_id, &failure);
            engine.log(log_row(engine, asked, request_id, &outcome));
            return outcome;
        }
    };
    let _in_progress = match &ready.keyed {
        None => None,
        Some(keyed) => match engine.begin_idempotent(&keyed.key) {
            Some(in_progress) => Some(in_progress),
            None => return failed(engine, request_id, &keyed.still_running()),
        },
    };
    let origin = Origin {
        request_id: Some(request_id.to_owned()),
        idempotency_key: asked.idempotency_key.clone(),
    };
    let done = engine.transact(origin, |txn| {
        let (outcome, keep) = execute(engine, txn, &ready, request_id);
        let log = Some(log_row(engine, asked, request_id, &outcome));
        Decision { value: outcome, keep, log }
    });
    done.await.unwrap_or_else(|failure| failed(engine, request_id, &failure))
}

/// Everything that can be refused without looking at the state.
fn prepare(
    asked: &Asked,
    version: Version,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<Ready, Failure> {
    let catalog = Catalog::get();
    let Routed::Found(route) = catalog.route(&asked.method, &asked.path) else {
        return Err(unrecognized(asked));
    };
    let post = asked.method == "POST";
    let json =
        asked.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json"));
    if post && json && !asked.body.is_empty() {
        let text = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have questions, we can help at https://support.stripe.com/.";
        return Err(Failure::invalid(text));
    }
    let mut sent = asked.query.clone().into_bytes();
    if !asked.body.is_empty() {
        if !sent.is_empty() {
            sent.push(b'&');
        }
        sent.extend_from_slice(&asked.body);
    }
    let decoded = form::decode(&sent)?;
    if !decoded.duplicates.is_empty() {
        let names = decoded.duplicates.join(", ");
        let text =
            format!("These parameters were sent more than once; the last value was used: {names}");
        headers.push(("stripe-notice", text.escape_default().to_string()));
    }
    let strictness =
        if version.is_held_to(STRICT_FROM) { Strictness::Endive } else { Strictness::Older };
    let mut params = catalog.validate(route.endpoint, &decoded.tree, strictness)?;
    let expand = match params.remove("expand") {
        Some(Value::Array(paths)) => {
            paths.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let keyed = match asked.idempotency_key.as_deref().filter(|key| post && !key.is_empty()) {
        Some(key) => Some(Keyed::new(key, &asked.path, &asked.body)?),
        None => None,
    };
    let call = Call { key: route.endpoint.key().to_owned(), ids: route.ids, params, version };
    Ok(Ready { endpoint: route.endpoint, call, expand, keyed })
}

/// Runs the endpoint. Tells whether what it wrote stays.
fn execute(engine: &Engine, txn: &mut Txn<'_>, ready: &Ready, request_id: &str) -> (Outcome, bool) {
    if let Some(keyed) = &ready.keyed {
        match keyed.replay(txn) {
            Ok(None) => {}
            Ok(Some(replay)) => {
                let original_request = Some(replay.original_request);
                return (
                    Outcome { status: replay.status, body: replay.body, original_request },
                    false,
                );
            }
            Err(failure) => return (failed(engine, request_id, &failure), false),
        }
    }
    let result = match object::handler(ready.endpoint.key()) {
        Some(handler) => handler(txn, &ready.call),
        None => Err(not_modelled(ready.endpoint, &engine.site().base_url)),
    };
    let (outcome, keep) = match result {
        Ok(mut body) => {
            for path in &ready.expand {
                expand::expand(txn, &mut body, path);
            }
            (Outcome { status: 200, body, original_request: None }, true)
        }
        Err(failure) => (failed(engine, request_id, &failure), failure.keeps_changes),
    };
    // A refused parameter is not an execution: the key stays free for the corrected request.
    if let Some(keyed) = ready.keyed.as_ref().filter(|_| keep) {
        keyed.keep(txn, outcome.status, &crate::sandbox::emit::public(&outcome.body), request_id);
    }
    (outcome, keep)
}

fn failed(engine: &Engine, request_id: &str, failure: &Failure) -> Outcome {
    let mut body = failure.body();
    let log_url =
        format!("{}/_stripegym/requests/{request_id}?t={}", engine.site().base_url, engine.now().0);
    if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("request_log_url".to_owned(), json!(log_url));
    }
    Outcome { status: failure.status, body, original_request: None }
}

fn log_row(engine: &Engine, asked: &Asked, request_id: &str, outcome: &Outcome) -> LogRow {
    let error = outcome.body.pointer("/error/message").and_then(Value::as_str);
    LogRow {
        id: request_id.to_owned(),
        at: engine.now().0,
        method: asked.method.clone(),
        path: asked.path.clone(),
        status: outcome.status,
        error: error.map(str::to_owned),
    }
}

fn unrecognized(asked: &Asked) -> Failure {
    let text = format!(
        "Unrecognized request URL ({}: {}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
        asked.method, asked.path
    );
    Failure::of(404, FailureKind::InvalidRequest, text)
}

fn not_modelled(endpoint: &Endpoint, base_url: &str) -> Failure {
    let text = format!(
        "stripegym knows {} but does not model it yet: nothing was created, changed or looked up. GET {base_url}/_stripegym/endpoints lists what is modelled.",
        endpoint.key()
    );
    Failure::of(501, FailureKind::Api, text)
}
