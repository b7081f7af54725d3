//! Objects that a world is filled with from outside: each gets what its kind needs beyond its document, and
//! one that waits for something which only a call plans is refused.

use crate::catalog::{Catalog, grammar};
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::balance;
use crate::sandbox::behaviour::checkout::{SESSION, expire};
use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::payment::{charge, intent};
use crate::sandbox::control::Sent;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::{
    PaymentIntentPart, PricePart, SessionPart, WebhookEndpointPart,
};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// Objects that wait for what a call has planned, and would wait for ever: kind, member and its values.
const WAITING: [(&str, &str, &[&str]); 4] = [
    ("payment_intent", "status", &["processing", "requires_action"]),
    ("charge", "status", &["pending"]),
    ("refund", "status", &["pending", "requires_action"]),
    ("setup_intent", "status", &["processing", "requires_action"]),
];

/// The documents that a world is to be filled with.
pub(super) fn documents(sent: &Sent) -> Result<Vec<Map<String, Value>>, Failure> {
    let wrong = |what: String| Failure::invalid(what).param("objects");
    let given = match sent.0.get("objects") {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|error| wrong(format!("`objects` is no JSON: {error}.")))?,
        Some(other) => other.clone(),
    };
    let Value::Array(items) = given else {
        return Err(wrong("`objects` is an array of documents.".to_owned()));
    };
    let mut docs = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let (kind, id) = (text(&item, "object"), text(&item, "id"));
        if !stands_by_itself(kind) || id.is_empty() {
            return Err(wrong(format!(
                "Document {at} of `objects` needs an `object` that the API has (not event) and an `id`: '{kind}' '{id}'."
            )));
        }
        if let Some((name, value)) = waits(&item) {
            return Err(wrong(format!(
                "Document {at} of `objects`, {kind} '{id}', waits: its {name} is '{value}', and what ends that is planned by the call that makes it. Give it another {name}, or make it by its call."
            )));
        }
        let Value::Object(doc) = item else { continue };
        docs.push(doc);
    }
    Ok(docs)
}

/// Whether objects of a kind are stored under an id of their own. Events and their deliveries follow from what
/// happens.
fn stands_by_itself(kind: &str) -> bool {
    let shape = Catalog::get().object(kind).filter(|_| kind != "event");
    shape.is_some_and(|shape| grammar::field(&shape.fields, "id").is_some())
}

fn waits(doc: &Value) -> Option<(&'static str, &str)> {
    let kind = text(doc, "object");
    if kind == SESSION {
        let unsettled =
            text(doc, "status") == "complete" && text(doc, "payment_status") == "unpaid";
        return unsettled.then_some(("payment_status", "unpaid"));
    }
    let of_kind = WAITING.iter().filter(|(waiting, ..)| *waiting == kind);
    of_kind
        .map(|(_, name, values)| (*name, values, text(doc, name)))
        .find_map(|(name, values, value)| values.contains(&value).then_some((name, value)))
}

/// Stores a document under its own kind and id, with every member that the API shows, and what its kind needs
/// beside it.
pub(super) fn put(txn: &mut Txn<'_>, mut doc: Map<String, Value>) {
    let kind = doc.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut hidden = |name: &str| doc.remove(name);
    match kind.as_str() {
        "webhook_endpoint" => {
            let given = hidden("secret").and_then(|secret| secret.as_str().map(str::to_owned));
            let secret = given.unwrap_or_else(|| txn.new_id("whsec_", 32));
            let full = whole(txn, &kind, doc);
            txn.put_with(full, WebhookEndpointPart { secret, ..WebhookEndpointPart::default() });
        }
        "price" => {
            let part =
                PricePart { tiers: hidden("tiers"), currency_options: hidden("currency_options") };
            let full = whole(txn, &kind, doc);
            txn.put_with(full, part);
        }
        SESSION => {
            let lines = hidden("line_items").unwrap_or_default();
            let lines = lines.get("data").unwrap_or(&lines).as_array().cloned();
            let full = whole(txn, &kind, doc);
            session(txn, full, lines.unwrap_or_default());
        }
        "payment_intent" => {
            let full = whole(txn, &kind, doc);
            let held = full.get("status").is_some_and(|status| status == "requires_capture");
            let job = held.then(|| {
                let (due, id) = (txn.now().plus(charge::HOLD), full.get("id"));
                txn.schedule(due, intent::HOLD_JOB, &json!({"intent": id}))
            });
            let session = owner(txn, &full);
            txn.put_with(full, PaymentIntentPart { session, job, ..PaymentIntentPart::default() });
        }
        "balance_transaction" => {
            let full = whole(txn, &kind, doc);
            let transaction = txn.put(full);
            balance::count(txn, &transaction);
        }
        _ => {
            let full = whole(txn, &kind, doc);
            txn.put(full);
        }
    }
}

/// A document with every member that the API shows of its kind.
fn whole(txn: &Txn<'_>, kind: &str, doc: Map<String, Value>) -> Doc {
    let mut full = new(kind, Value::Object(doc));
    let shape = Catalog::get().object(kind);
    for (name, value) in [("created", json!(txn.now().0)), ("livemode", json!(false))] {
        let shows = shape.is_some_and(|shape| grammar::field(&shape.fields, name).is_some());
        if shows && full.get(name).is_none_or(Value::is_null) {
            full.insert(name.to_owned(), value);
        }
    }
    full
}

/// A session with its line items; an open one expires in time, and knows its intent.
fn session(txn: &mut Txn<'_>, full: Doc, line_items: Vec<Value>) {
    let named = |name: &str| full.get(name).and_then(Value::as_str).map(str::to_owned);
    let (id, status, intent) = (named("id"), named("status"), named("payment_intent"));
    let expires_at = full.get("expires_at").and_then(Value::as_i64).unwrap_or(0);
    let expire_job = (status.as_deref() == Some("open")).then(|| {
        txn.schedule(Timestamp(expires_at).max(txn.now()), expire::JOB, &json!({"session": id}))
    });
    txn.put_with(full, SessionPart { line_items, expire_job, ..SessionPart::default() });
    if let Some(intent) = intent {
        txn.edit_part("payment_intent", &intent, |part: &mut PaymentIntentPart| part.session = id);
    }
}

/// The session that an intent belongs to, where it was filled in before.
fn owner(txn: &Txn<'_>, intent: &Doc) -> Option<String> {
    let id = intent.get("id").and_then(Value::as_str)?;
    let session = txn.having(SESSION, "payment_intent", id).into_iter().next()?;
    Some(text(&session, "id").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::testing::Lab;

    fn filled(lab: &mut Lab, objects: &Value) -> Result<(), Failure> {
        let sent = Sent(Map::from_iter([("objects".to_owned(), objects.clone())]));
        let docs = documents(&sent)?;
        lab.change(|txn| {
            for doc in docs {
                put(txn, doc);
            }
            Ok(())
        })
    }

    #[test]
    fn what_is_filled_in_goes_on_as_if_it_had_been_made() {
        let mut lab = Lab::new();
        let now = lab.now.0;
        let transaction = |id: &str, net: i64, status: &str| {
            json!({"object": "balance_transaction", "id": id, "amount": net, "net": net, "fee": 0,
                "currency": "jpy", "status": status, "available_on": now + 86_400, "type": "charge"})
        };
        let line = json!({"object": "item", "id": "li_1", "quantity": 2});
        let objects = json!([
            transaction("txn_1", 500, "available"),
            transaction("txn_2", 300, "pending"),
            {"object": "payment_intent", "id": "pi_1", "status": "requires_capture",
                "amount": 500, "currency": "jpy"},
            {"object": SESSION, "id": "cs_1", "status": "open", "expires_at": now + 60,
                "payment_intent": "pi_2", "line_items": {"object": "list", "data": [line]}},
            {"object": "payment_intent", "id": "pi_2", "status": "requires_payment_method",
                "amount": 500, "currency": "jpy"},
            {"object": "price", "id": "price_1", "tiers": [{"up_to": "inf", "unit_amount": 5}]},
        ]);
        filled(&mut lab, &objects).unwrap();
        let sums = |lab: &mut Lab| {
            let balance = lab.ok("GET /v1/balance", json!({}));
            ["available", "pending"].map(|part| balance[part][0]["amount"].as_i64().unwrap())
        };
        assert_eq!(sums(&mut lab), [500, 300]);
        let view = lab.view();
        let part = view.record::<SessionPart>(SESSION, "cs_1").unwrap();
        assert_eq!(part.line_items, [line]);
        let intent = view.record::<PaymentIntentPart>("payment_intent", "pi_2").unwrap();
        assert_eq!(intent.session.as_deref(), Some("cs_1"));
        assert!(view.record::<PricePart>("price", "price_1").unwrap().tiers.is_some());
        lab.advance(10 * 86_400);
        assert_eq!(sums(&mut lab), [800, 0]);
        assert_eq!(lab.get(SESSION, "cs_1")["status"], "expired");
        assert_eq!(lab.get("payment_intent", "pi_1")["status"], "canceled", "its hold has ended");
    }

    #[test]
    fn what_would_wait_for_ever_is_refused_by_name() {
        let mut lab = Lab::new();
        for (kind, member, values) in WAITING {
            for value in values {
                let mut doc = Map::from_iter([("object".to_owned(), json!(kind))]);
                doc.insert("id".to_owned(), json!("x_1"));
                doc.insert(member.to_owned(), json!(value));
                let refused = filled(&mut lab, &json!([doc])).unwrap_err();
                assert!(refused.message.contains(value), "{}", refused.message);
            }
        }
        let paid = json!({"object": SESSION, "id": "cs_1", "status": "complete",
            "payment_status": "unpaid"});
        assert!(filled(&mut lab, &json!([paid])).is_err());
        for kind in ["event", "balance", "list", "nothing"] {
            assert!(filled(&mut lab, &json!([{"object": kind, "id": "x_1"}])).is_err(), "{kind}");
        }
    }
}
