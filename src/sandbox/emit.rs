//! Events: the record of what happened, and the plan of who is to be told.

use crate::sandbox::object::text;
use crate::sandbox::txn::Txn;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How long events are shown, in seconds: 30 days.
pub const KEPT_S: i64 = 30 * 86_400;
/// How often events that are too old to be shown are forgotten, in seconds.
pub const PRUNE_EVERY_S: i64 = 86_400;
/// The job that forgets them.
pub const PRUNE_JOB: &str = "event.prune";
/// The record that says that the job is scheduled: its kind and id.
pub const PRUNE_MARK: (&str, &str) = ("_mark", PRUNE_JOB);
/// The event's private member that tells for each endpoint whether it has accepted the event.
const TOLD: &str = "_told";

/// Records an event about `doc` and plans one delivery for every enabled endpoint that wants `kind`.
pub fn emit(txn: &mut Txn<'_>, kind: &str, doc: &Value, previous: Option<Map<String, Value>>) {
    let id = txn.mint(
        if kind.starts_with("payment_intent.") || kind.starts_with("charge.") {
            "evt_3"
        } else {
            "evt_1"
        },
        23,
    );
    let mut data = Map::new();
    data.insert("object".to_owned(), public(doc));
    if let Some(previous) = previous {
        data.insert("previous_attributes".to_owned(), Value::Object(previous));
    }
    let origin = txn.origin().clone();
    let endpoints = subscribers(txn, kind);
    let told: Map<String, Value> =
        endpoints.iter().map(|endpoint| (text(endpoint, "id").to_owned(), json!(false))).collect();
    txn.put(json!({
        "object": "event",
        "id": id,
        "api_version": txn.site().api_version,
        "created": txn.now().0,
        "data": data,
        "livemode": false,
        "pending_webhooks": told.len(),
        "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
        "type": kind,
        TOLD: told,
    }));
    for endpoint in endpoints {
        plan(txn, &id, text(&endpoint, "id"));
    }
    if txn.get(PRUNE_MARK.0, PRUNE_MARK.1).is_none() {
        txn.put(json!({"object": PRUNE_MARK.0, "id": PRUNE_MARK.1}));
        txn.schedule(txn.now().plus(KEPT_S), PRUNE_JOB, &json!({}));
    }
}

/// Plans the delivery of an event to an endpoint, due at once. The record is the delivery's whole story:
/// `attempts` is filled in by whoever sends it, `due` is null once nothing is left to do.
pub fn plan(txn: &mut Txn<'_>, event_id: &str, endpoint_id: &str) -> String {
    let id = txn.mint("wd_", 24);
    txn.put(json!({
        "object": "_delivery",
        "id": id,
        "event": event_id,
        "endpoint": endpoint_id,
        "created": txn.now().0,
        "due": txn.now().0,
        "status": "pending",
        "attempts": [],
    }));
    let known = txn
        .get("event", event_id)
        .is_some_and(|event| event.get(TOLD).is_some_and(|told| told.get(endpoint_id).is_some()));
    if !known {
        note(txn, event_id, endpoint_id, false);
    }
    id
}

/// Notes whether an endpoint has accepted an event: `pending_webhooks` counts those that have not yet, each
/// endpoint once, however often the event is sent to it.
pub fn note(txn: &mut Txn<'_>, event_id: &str, endpoint_id: &str, accepted: bool) {
    txn.edit("event", event_id, |event| {
        let mut told = match event.remove(TOLD) {
            Some(Value::Object(told)) => told,
            _ => Map::new(),
        };
        told.insert(endpoint_id.to_owned(), json!(accepted));
        let pending = told.values().filter(|accepted| **accepted == json!(false)).count();
        event.insert("pending_webhooks".to_owned(), json!(pending));
        event.insert(TOLD.to_owned(), Value::Object(told));
    });
}

/// The enabled endpoints that are subscribed to a type, oldest first; `*` stands for all types.
pub fn subscribers(txn: &Txn<'_>, kind: &str) -> Vec<Arc<Value>> {
    let mut endpoints = txn.all("webhook_endpoint", |endpoint| {
        text(endpoint, "status") == "enabled"
            && endpoint
                .get("enabled_events")
                .and_then(Value::as_array)
                .is_some_and(|wanted| wanted.iter().any(|w| w == kind || w == "*"))
    });
    endpoints.reverse();
    endpoints
}

/// The object as the API shows it: without the sandbox's own members.
pub fn public(doc: &Value) -> Value {
    match doc {
        Value::Object(map) => {
            let own = map.get("object").is_some_and(Value::is_string);
            let shown = map.iter().filter(|(name, _)| !(own && name.starts_with('_')));
            Value::Object(shown.map(|(name, value)| (name.clone(), public(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(public).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => doc.clone(),
    }
}
