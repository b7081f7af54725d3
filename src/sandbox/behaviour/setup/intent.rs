//! Setup intents: opened and cancelled; what their states allow.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::setup::attempt;
use crate::sandbox::behaviour::setup::state::{self, Act};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SetupIntentPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Types of payment methods that can be set up for later.
pub const SAVED: [&str; 24] = [
    "acss_debit",
    "amazon_pay",
    "au_becs_debit",
    "bacs_debit",
    "bancontact",
    "blik",
    "boleto",
    "card",
    "card_present",
    "cashapp",
    "ideal",
    "kakao_pay",
    "klarna",
    "kr_card",
    "link",
    "naver_pay",
    "nz_bank_account",
    "paypal",
    "payto",
    "pix",
    "revolut_pay",
    "sepa_debit",
    "us_bank_account",
    "upi",
];

/// Opens an intent and tells of it. `members` has what was sent; a payment method among them waits to be confirmed.
pub fn open(txn: &mut Txn<'_>, members: Doc, part: SetupIntentPart) -> Arc<Object> {
    let id = txn.new_id("seti_1", 23);
    let secret = txn.secret("setup_intent", &id, 31);
    let has_method = members.get("payment_method").is_some_and(Value::is_string);
    let chosen = has_method.then(|| state::after("requires_payment_method", Act::Choose)).flatten();
    let status = chosen.unwrap_or("requires_payment_method");
    let mut doc = new(
        "setup_intent",
        json!({
            "id": id, "client_secret": secret, "created": txn.now().0,
            "managed_payments": {"enabled": false}, "status": status, "usage": "off_session",
        }),
    );
    doc.extend(members);
    let made = txn.put_with(doc, part);
    txn.emit("setup_intent.created", &made);
    made
}

/// `payment_method_options` for the accepted types.
pub fn method_options(types: &[String]) -> Value {
    let mut options = Doc::new();
    for kind in types {
        let shown = match kind.as_str() {
            "card" => {
                json!({"mandate_options": null, "network": null, "request_three_d_secure": "automatic"})
            }
            "us_bank_account" => {
                json!({"mandate_options": {}, "verification_method": "automatic"})
            }
            "acss_debit" => json!({
                "currency": "cad", "verification_method": "automatic",
                "mandate_options": {
                    "interval_description": null, "payment_schedule": "sporadic", "transaction_type": "personal",
                },
            }),
            _ => continue,
        };
        options.insert(kind.clone(), shown);
    }
    Value::Object(options)
}

/// A failure about the intent's state, with the intent in it.
pub fn unexpected_state(intent: &Value, message: impl Into<String>) -> Failure {
    Failure::invalid(message)
        .code("setup_intent_unexpected_state")
        .with("setup_intent", intent.clone())
}

/// Cancels an intent; its payment method stays named.
///
/// Fails where it has succeeded or was cancelled.
pub fn cancel(txn: &mut Txn<'_>, id: &str, reason: Option<&str>) -> Result<Arc<Object>, Failure> {
    let intent = txn.find("setup_intent", id, "intent")?;
    let status = text(&intent, "status");
    let Some(next) = state::after(status, Act::Cancel) else {
        let message = if status == "canceled" {
            // Stripe's own slip.
            "You cannot cancel this SetupIntent because it it already canceled.".to_owned()
        } else {
            format!(
                "You cannot cancel this SetupIntent because it has a status of {status}. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."
            )
        };
        return Err(unexpected_state(&intent, message));
    };
    if status == "requires_action"
        && let Some(method) = txn.get("payment_method", text(&intent, "payment_method"))
    {
        attempt::end(txn, text(&intent, "latest_attempt"), &method, ("abandoned", None), None);
    }
    let changed = txn.edit("setup_intent", id, |doc| {
        doc.insert("status".to_owned(), json!(next));
        doc.insert("cancellation_reason".to_owned(), json!(reason));
        doc.insert("next_action".to_owned(), Value::Null);
    });
    let Some((_, after)) = changed else { return Ok(intent) };
    txn.emit("setup_intent.canceled", &after);
    Ok(after)
}

/// Fails where a payment method belongs to someone other than the intent's customer.
pub fn ensure_owned(method: &Value, customer: &str) -> Result<(), Failure> {
    let (owner, id) = (text(method, "customer"), text(method, "id"));
    if owner.is_empty() || owner == customer {
        return Ok(());
    }
    let message = if customer.is_empty() {
        format!(
            "The payment method supplied ({id}) belongs to the Customer {owner}. Please include the Customer in the `customer` parameter on the SetupIntent."
        )
    } else {
        format!(
            "The PaymentMethod {id} does not belong to the Customer you supplied {customer}. Please use this PaymentMethod with the Customer that it belongs to instead."
        )
    };
    Err(Failure::invalid(message).param("payment_method"))
}

/// A refusal of what the sandbox does not model.
pub fn not_modelled(what: &str) -> Failure {
    Failure::of(501, FailureKind::Api, format!("{what} is not modelled by this sandbox yet."))
}
