//! Reviews: a payment whose risk is raised waits for somebody to look at it.
//!
//! Believed, not proven: that a raised risk is all it takes, as with the rule that Radar begins with.

use crate::domain::card::Behaviour;
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// Opens the review of a payment that was just taken, where its risk is raised. Gives the charge as it is then.
pub fn open(txn: &mut Txn<'_>, charge: Arc<Object>) -> Arc<Object> {
    let pm = txn.get("payment_method", text(&charge, "payment_method"));
    let card = pm.as_deref().and_then(|pm| card_of(pm));
    let raised = card.is_some_and(|it| it.behaviour == Behaviour::Flagged("riskLevelElevated"));
    if !raised || charge.get("paid") != Some(&json!(true)) {
        return charge;
    }
    let id = txn.new_id("prv_1", 23);
    let address = charge.get("billing_details").and_then(|it| it.get("address"));
    let zip = address.and_then(|it| it.get("postal_code")).cloned().unwrap_or_default();
    let review = txn.put(new(
        "review",
        json!({
            "id": id, "billing_zip": zip, "charge": charge.get("id"), "created": txn.now().0,
            "open": true, "opened_reason": "rule", "payment_intent": charge.get("payment_intent"),
            "reason": "rule",
        }),
    ));
    for (kind, member) in [("payment_intent", "payment_intent"), ("charge", "id")] {
        let of = text(&charge, member).to_owned();
        txn.edit(kind, &of, |doc| {
            doc.insert("review".to_owned(), json!(id));
        });
    }
    txn.emit("review.opened", &review);
    txn.get("charge", text(&charge, "id")).unwrap_or(charge)
}

/// Closes the open review of a charge, where there is one.
pub fn close(txn: &mut Txn<'_>, charge: &str, reason: &str) {
    let Some(charge) = txn.get("charge", charge) else { return };
    let id = text(&charge, "review");
    if txn.get("review", id).is_some_and(|review| review.get("open") == Some(&json!(true))) {
        end(txn, id, reason);
    }
}

/// Closes a review for a reason; the payment then has none.
pub fn end(txn: &mut Txn<'_>, id: &str, reason: &str) -> Option<Arc<Object>> {
    let (_, review) = txn.edit("review", id, |doc| {
        doc.insert("open".to_owned(), json!(false));
        doc.insert("closed_reason".to_owned(), json!(reason));
        doc.insert("reason".to_owned(), json!(reason));
    })?;
    for kind in ["charge", "payment_intent"] {
        txn.edit(kind, text(&review, kind), |doc| {
            doc.insert("review".to_owned(), Value::Null);
        });
    }
    txn.emit("review.closed", &review);
    Some(review)
}
