//! Items of subscriptions, as endpoints of their own.

use crate::sandbox::behaviour::billing::change;
use crate::sandbox::behaviour::billing::lifecycle;
use crate::sandbox::behaviour::billing::subscription::{self, ITEM, KIND};
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Parameters that are about the subscription around an item.
const AROUND: [&str; 4] =
    ["off_session", "payment_behavior", "proration_behavior", "proration_date"];

/// The behaviour of `/v1/subscription_items`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/subscription_items" => list_all,
        "POST /v1/subscription_items" => create,
        "GET /v1/subscription_items/{item}" => |txn, call| found(txn, call).map(Body::from),
        "POST /v1/subscription_items/{item}" => update,
        "DELETE /v1/subscription_items/{item}" => delete,
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.get(ITEM, call.id(0)).ok_or_else(|| {
        let text = format!("Invalid subscription_item id: {}", call.id(0));
        Failure { status: 404, ..Failure::invalid(text) }
    })
}

/// The call that changes the subscription around an item.
fn around(call: &Call, item: &Map<String, Value>) -> Call {
    let mut params = Map::new();
    for name in AROUND {
        if let Some(value) = call.params.get(name) {
            params.insert(name.to_owned(), value.clone());
        }
    }
    params.insert("items".to_owned(), json!([item]));
    Call { params, ..call.clone() }
}

/// What was sent about the item itself.
fn own(call: &Call) -> Map<String, Value> {
    let is_own = |name: &str| !AROUND.contains(&name) && name != "subscription";
    let sent = call.params.iter().filter(|(name, _)| is_own(name));
    sent.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.text("subscription").unwrap_or_default();
    let known = txn.get(KIND, id).filter(|it| !lifecycle::is_over(text(it, "status")));
    let Some(known) = known else {
        return Err(Failure { status: 404, ..missing(KIND, id, "subscription") });
    };
    let before: Vec<String> =
        subscription::items(&known).iter().map(|it| text(it, "id").to_owned()).collect();
    let after = change::update(txn, &around(call, &own(call)), id)?;
    let is_new = |item: &&Value| !before.iter().any(|id| id == text(item, "id"));
    let made = subscription::items(&after).iter().find(is_new).cloned();
    Ok(made.unwrap_or_default().into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let item = found(txn, call)?;
    let mut sent = own(call);
    sent.insert("id".to_owned(), json!(text(&item, "id")));
    change::update(txn, &around(call, &sent), text(&item, "subscription"))?;
    found(txn, call).map(Body::from)
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let item = found(txn, call)?;
    let id = text(&item, "id").to_owned();
    let known = txn.find(KIND, text(&item, "subscription"), "subscription")?;
    if subscription::items(&known).len() == 1 {
        // Believed: the sentence.
        let text = "A subscription must have at least one active plan. Cancel the subscription instead of deleting its last item.";
        return Err(Failure::invalid(text));
    }
    let mut sent = Map::new();
    sent.insert("id".to_owned(), json!(id));
    sent.insert("deleted".to_owned(), json!(true));
    change::update(txn, &around(call, &sent), text(&item, "subscription"))?;
    Ok(json!({"id": id, "object": ITEM, "deleted": true}).into())
}

/// Items are listed oldest first, other than everything else.
fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.text("subscription").unwrap_or_default();
    let known = txn.find(KIND, id, "subscription")?;
    list::page_of(call, "subscription item", subscription::items(&known))
}
