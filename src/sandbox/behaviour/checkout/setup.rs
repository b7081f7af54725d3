//! Setup mode: a session that saves a payment method and takes no money. Its setup intent is there from the start.

use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::setup::{confirm, intent};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::SetupIntentPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Methods that the page can save.
pub const SAVED: &[&str] = &["card", "sepa_debit"];

/// Makes the setup intent of a session, as its `setup_intent_data` says; its id.
pub fn open(txn: &mut Txn<'_>, call: &Call, types: &[String], session: &str) -> String {
    let data = call.hash("setup_intent_data").cloned().unwrap_or_default();
    let metadata = data.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut members = Doc::new();
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    set("customer", json!(call.get("customer")));
    set("description", json!(data.get("description")));
    set("metadata", json!(metadata));
    set("on_behalf_of", json!(data.get("on_behalf_of")));
    set("payment_method_options", intent::method_options(types));
    set("payment_method_types", json!(types));
    // Who saves a bank account on the page agrees to its mandate there.
    let accepted = json!({"customer_acceptance": {
        "accepted_at": txn.now().0, "type": "online",
        "online": {"ip_address": "127.0.0.1", "user_agent": "stripegym"},
    }});
    let part = SetupIntentPart {
        session: Some(session.to_owned()),
        mandate_data: Some(accepted),
        ..SetupIntentPart::default()
    };
    text(&intent::open(txn, members, part), "id").to_owned()
}

/// Saves a method through a setup intent, with its customer where it has one. Says whether its owner has to be
/// authenticated first.
///
/// Fails with a 402 where the card is refused.
pub fn save(txn: &mut Txn<'_>, id: &str, method: &str) -> Result<bool, Failure> {
    let tried = confirm::confirm(txn, id, method, &confirm::Options::default())?;
    Ok(text(&tried, "status") == "requires_action")
}

/// Gives the intent the customer that was made for its session.
pub fn adopt(txn: &mut Txn<'_>, id: &str, customer: &str) {
    txn.edit("setup_intent", id, |doc| {
        if doc.get("customer").is_none_or(Value::is_null) {
            doc.insert("customer".to_owned(), json!(customer));
        }
    });
}

/// Ends the intent of a session that expired.
pub fn abandon(txn: &mut Txn<'_>, id: &str) {
    if txn.get("setup_intent", id).is_some()
        && let Err(failure) = intent::cancel(txn, id, None)
    {
        tracing::debug!(failure.message, "the intent of an expired session was over already");
    }
}
