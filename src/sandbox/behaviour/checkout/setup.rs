//! Setup mode: a session that saves a payment method and takes no money. Its setup intent is there from the start.

use crate::sandbox::behaviour::object::{merge_metadata, new, text};
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::call::Call;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Methods that the page can save.
pub const SAVED: &[&str] = &["card", "sepa_debit"];

/// Makes the setup intent of a session, as its `setup_intent_data` says; its id.
pub fn open(txn: &mut Txn<'_>, call: &Call, types: &[String]) -> String {
    let data = call.hash("setup_intent_data").cloned().unwrap_or_default();
    let id = txn.new_id("seti_1", 23);
    let secret = txn.secret("setup_intent", &id, 31);
    let options = json!({"card": {
        "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
    }});
    let mut doc = new(
        "setup_intent",
        json!({
            "id": id, "client_secret": secret, "created": txn.now().0,
            "customer": call.get("customer"), "description": data.get("description"),
            "livemode": false, "managed_payments": {"enabled": false},
            "on_behalf_of": data.get("on_behalf_of"), "payment_method_options": options,
            "payment_method_types": types, "status": "requires_payment_method",
            "usage": "off_session",
        }),
    );
    merge_metadata(&mut doc, &data);
    let made = txn.put(doc);
    txn.emit("setup_intent.created", &made);
    id
}

/// Saves a method through a setup intent, with its customer where it has one. Says whether its owner has to be
/// authenticated first.
pub fn save(txn: &mut Txn<'_>, intent: &str, method: &str) -> Result<bool, Failure> {
    let found = txn.find("setup_intent", intent, "intent")?;
    let customer = text(&found, "customer");
    if !customer.is_empty() {
        method::attach(txn, method, customer)?;
    }
    let changed = txn.edit("setup_intent", intent, |doc| {
        doc.insert("payment_method".to_owned(), json!(method));
        doc.insert("status".to_owned(), json!("succeeded"));
    });
    if let Some((_, after)) = changed {
        txn.emit("setup_intent.succeeded", &after);
    }
    Ok(false)
}

/// Gives the intent the customer that was made for its session.
pub fn adopt(txn: &mut Txn<'_>, intent: &str, customer: &str) {
    txn.edit("setup_intent", intent, |doc| {
        if doc.get("customer").is_none_or(Value::is_null) {
            doc.insert("customer".to_owned(), json!(customer));
        }
    });
}

/// Ends the intent of a session that expired.
pub fn abandon(txn: &mut Txn<'_>, intent: &str) {
    let is_over = |it: &Value| matches!(text(it, "status"), "succeeded" | "canceled");
    if txn.get("setup_intent", intent).is_none_or(|it| is_over(&it)) {
        return;
    }
    let changed = txn.edit("setup_intent", intent, |doc| {
        doc.insert("status".to_owned(), json!("canceled"));
        doc.insert("next_action".to_owned(), Value::Null);
    });
    if let Some((_, after)) = changed {
        txn.emit("setup_intent.canceled", &after);
    }
}
