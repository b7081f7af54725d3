//! Events: the record of what happened, and the plan of who is to be told.

use crate::sandbox::txn::Txn;
use serde_json::{Map, Value, json};

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
    let endpoints = txn.all("webhook_endpoint", |endpoint| wants(endpoint, kind));
    let mut data = Map::new();
    data.insert("object".to_owned(), public(doc));
    if let Some(previous) = previous {
        data.insert("previous_attributes".to_owned(), Value::Object(previous));
    }
    let origin = txn.origin().clone();
    txn.put(json!({
        "object": "event",
        "id": id,
        "api_version": txn.site().api_version,
        "created": txn.now().0,
        "data": data,
        "livemode": false,
        "pending_webhooks": endpoints.len(),
        "request": {"id": origin.request_id, "idempotency_key": origin.idempotency_key},
        "type": kind,
    }));
    // Oldest endpoint first, as they were registered.
    for endpoint in endpoints.iter().rev() {
        if let Some(endpoint_id) = endpoint.get("id").and_then(Value::as_str) {
            plan(txn, &id, endpoint_id);
        }
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
    id
}

/// Whether an endpoint is enabled and subscribed to a type; `*` stands for all.
fn wants(endpoint: &Value, kind: &str) -> bool {
    endpoint.get("status").and_then(Value::as_str) == Some("enabled")
        && endpoint
            .get("enabled_events")
            .and_then(Value::as_array)
            .is_some_and(|wanted| wanted.iter().any(|w| w == kind || w == "*"))
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
