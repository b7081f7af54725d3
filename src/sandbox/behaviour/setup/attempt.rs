//! Setup attempts: the record of one try to set a payment method up.

use crate::sandbox::behaviour::cards::stored::checks;
use crate::sandbox::behaviour::document::{member, new, text};
use crate::sandbox::behaviour::payment::charge;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// Members that an attempt takes over from its intent.
const INHERITED: &[&str] = &[
    "application",
    "attach_to_self",
    "customer",
    "customer_account",
    "flow_directions",
    "on_behalf_of",
    "usage",
];

/// Writes an attempt down. Returns its id.
pub fn write(txn: &mut Txn<'_>, intent: &Value, method: &Object, status: &str) -> String {
    let id = txn.new_id("setatt_1", 23);
    let kind = text(method, "type");
    let mut doc = new(
        "setup_attempt",
        json!({
            "id": id, "created": txn.now().0, "payment_method": text(method, "id"),
            "payment_method_details": {"type": kind, kind: details(method, None)},
            "setup_intent": text(intent, "id"), "status": status,
        }),
    );
    for name in INHERITED {
        if let Some(value) = intent.get(*name) {
            doc.insert((*name).to_owned(), value.clone());
        }
    }
    txn.put(doc);
    id
}

/// Writes down how an attempt ended; `secure` is how its card's owner was authenticated.
pub fn end(
    txn: &mut Txn<'_>,
    id: &str,
    method: &Object,
    (status, secure): (&str, Option<&str>),
    error: Option<&Doc>,
) {
    let kind = text(method, "type").to_owned();
    let shown = details(method, secure);
    txn.edit("setup_attempt", id, |doc| {
        doc.insert("status".to_owned(), json!(status));
        doc.insert("payment_method_details".to_owned(), json!({"type": kind, kind: shown}));
        if let Some(error) = error {
            doc.insert("setup_error".to_owned(), Value::Object(error.clone()));
        }
    });
}

fn details(method: &Object, secure: Option<&str>) -> Value {
    if text(method, "type") != "card" {
        return json!({});
    }
    let card = method.get("card");
    json!({
        "brand": member(card, "brand"), "checks": checks(method), "country": member(card, "country"),
        "exp_month": member(card, "exp_month"), "exp_year": member(card, "exp_year"), "fingerprint": member(card, "fingerprint"),
        "funding": member(card, "funding"), "last4": member(card, "last4"), "network": member(card, "brand"),
        "three_d_secure": charge::secured(secure), "wallet": null,
    })
}
