//! Thin events, as v2 retrieves and lists them.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::Filter;
use crate::sandbox::call::neighbours;
use crate::sandbox::engine::emit;
use crate::sandbox::engine::object::Stored;
use crate::sandbox::engine::private::Envelope;
use crate::sandbox::engine::thin;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use crate::wire::peek::{self, Raw};
use std::sync::Arc;

/// How many types `types[]` may name.
const TYPES_MAX: usize = 20;

/// The behaviour of `/v2/core/events`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v2/core/events" => list_all,
        "GET /v2/core/events/{id}" => retrieve,
        _ => return None,
    })
}

/// A stored event as its retrieval shows it.
pub fn shown(stored: &Stored) -> Arc<str> {
    let envelope = stored.part::<Envelope>();
    envelope.map_or_else(
        || stored.shown(),
        |envelope| thin::text(&stored.id, envelope, &stored.text, true).into(),
    )
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let oldest = txn.now().plus(-emit::KEPT_S).0;
    let found = thin::find(txn, call.id(0)).filter(|stored| stored.created() > oldest);
    let found = found.ok_or_else(|| missing(thin::KIND, call.id(0), "id"))?;
    Ok(Body::Text(shown(found)))
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let types = call.list("types");
    if types.len() > TYPES_MAX {
        let message = format!("You may only specify up to {TYPES_MAX} types.");
        return Err(Failure::invalid(message).param("types"));
    }
    let bounds = bounds(call)?;
    let oldest = txn.now().plus(-emit::KEPT_S).0;
    let of_object = call.text("object_id");
    let filter = Filter::test(move |stored| {
        let Some(envelope) = stored.part::<Envelope>() else { return false };
        let Some(name) = thin::name(&envelope.kind) else { return false };
        let about = || peek::member(&stored.text, &["id"]).and_then(Raw::string);
        envelope.created > oldest
            && (types.is_empty() || types.iter().any(|it| *it == *name))
            && of_object.is_none_or(|id| about().is_some_and(|found| found == id))
            && bounds.iter().all(|(name, bound)| match *name {
                "gt" => envelope.created > *bound,
                "gte" => envelope.created >= *bound,
                "lt" => envelope.created < *bound,
                _ => envelope.created <= *bound,
            })
    });
    neighbours::page(txn, call, "event", &[filter], |stored| shown(stored))
}

/// The bounds of `created`, in seconds. Fails for what is no instant.
fn bounds(call: &Call) -> Result<Vec<(&str, i64)>, Failure> {
    let sent = call.hash("created").into_iter().flatten();
    sent.map(|(name, value)| {
        let read = value.as_str().and_then(Timestamp::read);
        let at = read.ok_or_else(|| {
            let text = "Invalid timestamp: must be written as RFC 3339 has it, such as 2026-11-21T05:04:05Z.";
            Failure::invalid(text).param(format!("created[{name}]"))
        })?;
        Ok((name.as_str(), at.0))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;
    use serde_json::{Value, json};

    #[test]
    fn events_of_v1_are_there_once_more_without_their_objects() {
        let mut lab = Lab::new();
        let customer = lab.ok("POST /v1/customers", json!({"name": "Aki"}));
        lab.advance(60);
        lab.ok("POST /v1/products", json!({"name": "Tea"}));
        let all = lab.ok("GET /v2/core/events", json!({}));
        let types: Vec<_> = all["data"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
        assert_eq!(types, ["v1.product.created", "v1.customer.created"]);
        let event = &all["data"][1];
        let id = customer["id"].as_str().unwrap();
        let url = format!("/v1/customers/{id}");
        assert_eq!(event["related_object"], json!({"id": id, "type": "customer", "url": url}));
        let whole = lab.get("event", event["snapshot_event"].as_str().unwrap());
        assert_eq!((&whole["type"], event.get("data")), (&json!("customer.created"), None));
        let one = format!("GET /v2/core/events/{}", event["id"].as_str().unwrap());
        assert_eq!(lab.ok(&one, json!({})), *event);
        // Under the id of the other form there is none.
        let other = format!("GET /v2/core/events/{}", event["snapshot_event"].as_str().unwrap());
        assert_eq!(lab.call(&other, json!({})).unwrap_err().status, 404);

        let count = |lab: &mut Lab, params: Value| {
            lab.ok("GET /v2/core/events", params)["data"].as_array().unwrap().len()
        };
        assert_eq!(count(&mut lab, json!({"object_id": id})), 1);
        assert_eq!(count(&mut lab, json!({"types": ["v1.product.created"]})), 1);
        let since = Timestamp(1_795_000_030).rfc3339();
        assert_eq!(count(&mut lab, json!({"created": {"gte": since}})), 1);
        assert_eq!(count(&mut lab, json!({"created": {"lt": since}})), 1);
        let failure =
            lab.call("GET /v2/core/events", json!({"created": {"gt": "now"}})).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("created[gt]"));
    }
}
