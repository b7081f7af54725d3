//! Events: kept for 30 days, listed by type, sent again on request.

use crate::domain::time::Timestamp;
use crate::sandbox::call::Call;
use crate::sandbox::object::{Handler, Job, int, text};
use crate::sandbox::txn::{Txn, missing};
use crate::sandbox::{emit, list};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// How many types `types[]` may name.
const TYPES_MAX: usize = 20;

/// The behaviour of `/v1/events`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/events" => list_all,
        "GET /v1/events/{id}" => retrieve,
        "POST /v1/events/{id}/retry" => retry,
        _ => return None,
    })
}

/// The jobs that events need.
pub fn job(name: &str) -> Option<Job> {
    (name == emit::PRUNE_JOB).then_some(prune as Job)
}

fn find(txn: &Txn<'_>, id: &str) -> Result<Arc<Value>, Failure> {
    let event = txn.find("event", id, "id")?;
    if is_kept(&event, txn.now()) { Ok(event) } else { Err(missing("event", id, "id")) }
}

/// Whether an event is young enough to be shown.
fn is_kept(event: &Value, now: Timestamp) -> bool {
    int(event, "created") > now.plus(-emit::KEPT_S).0
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    find(txn, call.id(0)).map(|event| (*event).clone())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let types = call.list("types");
    if call.get("type").is_some() && !types.is_empty() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(Failure::invalid(message).param("types"));
    }
    if types.len() > TYPES_MAX {
        let message = format!("You may only specify up to {TYPES_MAX} types.");
        return Err(Failure::invalid(message).param("types"));
    }
    let wanted: Vec<&str> =
        call.text("type").into_iter().chain(types.iter().filter_map(Value::as_str)).collect();
    let delivered = call.flag("delivery_success");
    let now = txn.now();
    list::page(txn, call, "event", |event| {
        is_kept(event, now)
            && (wanted.is_empty() || wanted.iter().any(|w| is_of(text(event, "type"), w)))
            && delivered.is_none_or(|all| (int(event, "pending_webhooks") == 0) == all)
    })
}

/// Whether a type is the one wanted, or falls under its trailing wildcard (`charge.*`).
fn is_of(kind: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(kind == wanted, |stem| {
        kind.starts_with(stem) && (stem.is_empty() || stem.ends_with('.'))
    })
}

/// Sends an event again: to the endpoint that is named, or to all that want it.
fn retry(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    let event = find(txn, call.id(0))?;
    let endpoints = match call.text("webhook_endpoint") {
        Some(id) => {
            let endpoint = txn.find("webhook_endpoint", id, "webhook_endpoint")?;
            if text(&endpoint, "status") != "enabled" {
                let message = format!("The webhook endpoint {id} is disabled.");
                return Err(Failure::invalid(message).param("webhook_endpoint"));
            }
            vec![endpoint]
        }
        None => emit::subscribers(txn, text(&event, "type")),
    };
    for endpoint in &endpoints {
        emit::plan(txn, call.id(0), text(endpoint, "id"));
    }
    find(txn, call.id(0)).map(|event| (*event).clone())
}

/// Forgets events that are too old to be shown, with their deliveries, and comes back for the next ones.
fn prune(txn: &mut Txn<'_>, _args: &Value) {
    let now = txn.now();
    let old = txn.all("event", |event| !is_kept(event, now));
    let ids: HashSet<&str> = old.iter().map(|event| text(event, "id")).collect();
    for delivery in txn.all("_delivery", |delivery| ids.contains(text(delivery, "event"))) {
        txn.remove("_delivery", text(&delivery, "id"));
    }
    for id in ids {
        txn.remove("event", id);
    }
    if txn.state().count("event") == 0 {
        txn.remove(emit::PRUNE_MARK.0, emit::PRUNE_MARK.1);
    } else {
        txn.schedule(now.plus(emit::PRUNE_EVERY_S), emit::PRUNE_JOB, &json!({}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::entropy::Entropy;
    use crate::sandbox::call::Version;
    use crate::sandbox::state::State;
    use crate::sandbox::txn::{Origin, Site};

    fn at<R>(state: &mut State, now: i64, change: impl FnOnce(&mut Txn<'_>) -> R) -> R {
        let (entropy, text) = (Entropy::seeded(now.unsigned_abs()), String::new());
        let site = Site { base_url: text, api_version: "2026-10-28.endive".to_owned() };
        change(&mut Txn::begin(state, Timestamp(now), &entropy, &site, Origin::default()))
    }

    fn call(key: &str, ids: &[&str], params: &Value) -> Call {
        Call {
            key: key.to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            params: params.as_object().cloned().unwrap(),
            version: Version { text: String::new(), named: false },
        }
    }

    fn listed(state: &mut State, now: i64, params: &Value) -> Result<Vec<String>, Failure> {
        let call = call("GET /v1/events", &[], params);
        let page = at(state, now, |txn| list_all(txn, &call))?;
        let rows = page["data"].as_array().unwrap();
        Ok(rows.iter().map(|row| row["type"].as_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn a_trailing_wildcard_stands_for_what_follows_a_dot() {
        assert!(
            is_of("charge.succeeded", "charge.*") && is_of("charge.dispute.closed", "charge.*")
        );
        assert!(is_of("charge.succeeded", "charge.succeeded") && is_of("x.y", "*"));
        assert!(!is_of("charges.x", "charge.*") && !is_of("charge.succeeded", "char*"));
        assert!(!is_of("charge.succeeded.x", "charge.succeeded"));
    }

    #[test]
    fn events_are_listed_by_type_and_by_whether_they_were_delivered() {
        let mut state = State::default();
        let doc = json!({"object": "product", "id": "prod_1"});
        at(&mut state, 100, |txn| {
            txn.emit("product.created", &doc);
            txn.put(json!({
                "object": "webhook_endpoint", "id": "we_1", "status": "enabled",
                "enabled_events": ["charge.succeeded"],
            }));
            txn.emit("charge.succeeded", &doc);
            txn.emit("charge.updated", &doc);
        });
        let mut list = |params: Value| listed(&mut state, 101, &params);
        assert_eq!(
            list(json!({"type": "charge.*"})).unwrap(),
            ["charge.updated", "charge.succeeded"]
        );
        assert_eq!(
            list(json!({"types": ["product.created", "charge.updated"]})).unwrap(),
            ["charge.updated", "product.created"]
        );
        assert_eq!(list(json!({"delivery_success": false})).unwrap(), ["charge.succeeded"]);
        assert_eq!(list(json!({"delivery_success": true})).unwrap().len(), 2);
        assert_eq!(list(json!({"type": "x", "types": ["y"]})).unwrap_err().status, 400);
        assert_eq!(list(json!({"types": vec!["y"; 21]})).unwrap_err().status, 400);
    }

    #[test]
    fn events_are_hidden_after_thirty_days_and_forgotten_with_their_deliveries() {
        let mut state = State::default();
        let doc = json!({"object": "product", "id": "prod_1"});
        at(&mut state, 100, |txn| {
            txn.put(json!({
                "object": "webhook_endpoint", "id": "we_1", "status": "enabled",
                "enabled_events": ["*"],
            }));
            txn.emit("product.created", &doc);
        });
        let old = state.newest("event").next().unwrap()["id"].as_str().unwrap().to_owned();
        at(&mut state, 200, |txn| txn.emit("product.updated", &doc));
        assert_eq!(state.count("_job"), 1);
        let late = 100 + emit::KEPT_S;
        assert_eq!(listed(&mut state, late, &json!({})).unwrap(), ["product.updated"]);
        let retrieval = call("GET /v1/events/{id}", &[&old], &json!({}));
        assert_eq!(at(&mut state, late, |txn| retrieve(txn, &retrieval)).unwrap_err().status, 404);
        at(&mut state, late, |txn| prune(txn, &json!({})));
        assert_eq!((state.count("event"), state.count("_delivery")), (1, 1));
        assert_eq!(state.count("_job"), 2, "it comes back for the second");
        at(&mut state, late + 100, |txn| prune(txn, &json!({})));
        assert_eq!(
            (state.count("event"), state.count("_delivery"), state.count("_mark")),
            (0, 0, 0)
        );
    }
}
