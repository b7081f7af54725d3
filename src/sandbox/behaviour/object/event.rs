//! Events: kept for 30 days, listed by type, sent again on request.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::emit;
use crate::sandbox::engine::index;
use crate::sandbox::engine::object::{Object, Stored};
use crate::sandbox::engine::private::{Delivery, Envelope};
use crate::sandbox::engine::state::Table;
use crate::sandbox::engine::thin;
use crate::sandbox::engine::txn::follow::Job;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
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

fn find(txn: &Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let event = txn.find("event", id, "id")?;
    let is_thin = thin::is_own(&event.part::<Envelope>().kind);
    if is_kept(&event, txn.now()) && !is_thin { Ok(event) } else { Err(missing("event", id, "id")) }
}

/// Whether an event is young enough to be shown.
fn is_kept(event: &Value, now: Timestamp) -> bool {
    int(event, "created") > now.plus(-emit::KEPT_S).0
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    find(txn, call.id(0)).map(Body::from)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
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
    let mut filters = Vec::new();
    match wanted.as_slice() {
        [one] if !one.ends_with('*') => filters.push(Filter::Is("type", (*one).to_owned())),
        _ => {}
    }
    filters.push(Filter::test(|event| {
        let Some(event) = event.part::<Envelope>() else { return false };
        event.created > now.plus(-emit::KEPT_S).0
            && !thin::is_own(&event.kind)
            && (wanted.is_empty() || wanted.iter().any(|w| is_of(&event.kind, w)))
            && delivered.is_none_or(|all| (event.pending_webhooks() == 0) == all)
    }));
    list::page(txn, call, "event", &filters)
}

/// Whether a type is the one wanted, or falls under its trailing wildcard (`charge.*`).
fn is_of(kind: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(kind == wanted, |stem| {
        kind.starts_with(stem) && (stem.is_empty() || stem.ends_with('.'))
    })
}

/// Sends an event again: to the endpoint that is named, or to all that want it.
fn retry(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let event = find(txn, call.id(0))?;
    let endpoints = match call.text("webhook_endpoint") {
        Some(id) => {
            let endpoint = emit::endpoint(txn, id)
                .ok_or_else(|| missing("webhook_endpoint", id, "webhook_endpoint"))?;
            if text(&endpoint, "status") != "enabled" {
                let message = format!("The webhook endpoint {id} is disabled.");
                return Err(Failure::invalid(message).param("webhook_endpoint"));
            }
            vec![emit::Subscriber::own(txn, text(&endpoint, "id"))]
        }
        None => emit::subscribers(txn, text(&event, "type")),
    };
    for endpoint in &endpoints {
        emit::plan_at(txn, call.id(0), endpoint);
    }
    find(txn, call.id(0)).map(Body::from)
}

/// Forgets events that are too old to be shown, with their deliveries, and comes back for the next ones.
fn prune(txn: &mut Txn<'_>, _args: &Value) {
    let now = txn.now();
    let oldest = now.plus(-emit::KEPT_S).0;
    let events = txn.table("event").into_iter().flat_map(Table::all);
    let old: Vec<Arc<Stored>> = events.filter(|event| event.created() <= oldest).cloned().collect();
    for event in old {
        let key = index::key("event", &event.id);
        let deliveries = txn.table("_delivery").into_iter();
        let about: Vec<_> = deliveries
            .flat_map(|table| table.indexed_before(key, u64::MAX))
            .filter(|stored| stored.part::<Delivery>().is_some_and(|d| *d.event == *event.id))
            .map(|stored| Arc::clone(&stored.id))
            .collect();
        for delivery in about {
            txn.remove("_delivery", &delivery);
        }
        txn.remove("event", &event.id);
    }
    if txn.count("event") == 0 {
        txn.remove(emit::PRUNE_MARK.0, emit::PRUNE_MARK.1);
    } else {
        txn.schedule(now.plus(emit::PRUNE_EVERY_S), emit::PRUNE_JOB, &json!({}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::Version;
    use crate::sandbox::testing::Lab;

    fn call(key: &str, ids: &[&str], params: &Value) -> Call {
        Call {
            key: key.to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            params: params.as_object().cloned().unwrap(),
            version: Version { text: String::new(), named: false },
        }
    }

    fn listed(lab: &mut Lab, now: i64, params: &Value) -> Result<Vec<String>, Failure> {
        let call = call("GET /v1/events", &[], params);
        let page = lab.at(now, |txn| list_all(txn, &call))?.into_document();
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
        let mut lab = Lab::new();
        let doc = json!({"object": "product", "id": "prod_1"});
        lab.at(100, |txn| {
            txn.emit_about("product.created", &doc);
            txn.put(json!({
                "object": "webhook_endpoint", "id": "we_1", "status": "enabled",
                "enabled_events": ["charge.succeeded"],
            }));
            txn.emit_about("charge.succeeded", &doc);
            txn.emit_about("charge.updated", &doc);
        });
        let mut list = |params: Value| listed(&mut lab, 101, &params);
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
        let mut lab = Lab::new();
        let doc = json!({"object": "product", "id": "prod_1"});
        lab.at(100, |txn| {
            txn.put(json!({
                "object": "webhook_endpoint", "id": "we_1", "status": "enabled",
                "enabled_events": ["*"],
            }));
            txn.emit_about("product.created", &doc);
        });
        let old = lab.view().newest("event").next().unwrap()["id"].as_str().unwrap().to_owned();
        lab.at(200, |txn| txn.emit_about("product.updated", &doc));
        assert_eq!(lab.view().count("_job"), 1);
        let late = 100 + emit::KEPT_S;
        assert_eq!(listed(&mut lab, late, &json!({})).unwrap(), ["product.updated"]);
        let retrieval = call("GET /v1/events/{id}", &[&old], &json!({}));
        assert_eq!(lab.at(late, |txn| retrieve(txn, &retrieval)).unwrap_err().status, 404);
        lab.at(late, |txn| prune(txn, &json!({})));
        assert_eq!((lab.view().count("event"), lab.view().count("_delivery")), (1, 1));
        assert_eq!(lab.view().count("_job"), 2, "it comes back for the second");
        lab.at(late + 100, |txn| prune(txn, &json!({})));
        assert_eq!(
            (lab.view().count("event"), lab.view().count("_delivery"), lab.view().count("_mark")),
            (0, 0, 0)
        );
    }
}
