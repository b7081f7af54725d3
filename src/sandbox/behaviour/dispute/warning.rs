//! Early fraud warnings: an issuer thinks that a payment was fraud, before anybody disputes it.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

const KIND: &str = "radar.early_fraud_warning";

/// Warns of a payment.
pub fn open(txn: &mut Txn<'_>, charge: &Value) {
    let id = txn.new_id("issfr_1", 23);
    let warning = txn.put(new(
        KIND,
        json!({
            "id": id, "actionable": true, "charge": charge.get("id"), "created": txn.now().0,
            "fraud_type": "made_with_stolen_card", "payment_intent": charge.get("payment_intent"),
        }),
    ));
    txn.emit("radar.early_fraud_warning.created", &warning);
}

/// Nothing is left to do about a payment that was refunded in full or disputed: recorded for refunds.
pub fn settle(txn: &mut Txn<'_>, charge: &str) {
    for warning in txn.having(KIND, "charge", charge) {
        let changed = txn.edit(KIND, text(&warning, "id"), |doc| {
            doc.insert("actionable".to_owned(), json!(false));
        });
        if let Some((before, after)) = changed {
            txn.emit_change("radar.early_fraud_warning.updated", &before, &after);
        }
    }
}
