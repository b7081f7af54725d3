//! Proof that a bank account is its owner's: small sums are sent to it, and repeated here.

use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::{confirm, settle};
use crate::sandbox::behaviour::saved::wallet::AMOUNTS;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{PaymentIntentPart, PaymentMethodPart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// `next_action.type` while it is waited for.
pub const ACTION: &str = "verify_with_microdeposits";

/// The text of the one sum that is sent instead.
const DESCRIPTOR_CODE: &str = "SM11AA";

/// How often they may be said wrongly.
const TRIES_MAX: u32 = 10;

/// Seconds until they have arrived.
const DAY: i64 = 86_400;

/// The next action of an intent that waits for proof.
pub fn action(txn: &Txn<'_>, id: &str) -> Value {
    json!({
        "type": ACTION,
        ACTION: {
            "arrival_date": txn.now().plus(DAY).0, "microdeposit_type": "descriptor_code",
            "hosted_verification_url": format!("{}/microdeposits/{id}", txn.site().base_url),
        },
    })
}

/// Whether an intent waits for proof.
pub fn is_awaited(intent: &Value) -> bool {
    let action = intent.get("next_action").map(|action| text(action, "type"));
    action == Some(ACTION) && text(intent, "status") == "requires_action"
}

/// What was said about what was sent to an account.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The two sums.
    pub amounts: Vec<i64>,
    /// The text of the one.
    pub code: Option<String>,
}

impl Said {
    /// Out of the parameters of an endpoint.
    pub fn read(params: &Doc) -> Self {
        let amounts = params.get("amounts").and_then(Value::as_array);
        let amounts = amounts.into_iter().flatten().filter_map(Value::as_i64).collect();
        let code = params.get("descriptor_code").and_then(Value::as_str).map(str::to_owned);
        Self { amounts, code }
    }

    fn fits(&self) -> bool {
        let mut amounts = self.amounts.clone();
        amounts.sort_unstable();
        amounts == AMOUNTS || self.code.as_deref() == Some(DESCRIPTOR_CODE)
    }

    /// What is wrong with it after so many tries; `None` where it fits. The codes are Stripe's, the sentences believed.
    pub fn fault(&self, tries: u32) -> Option<(&'static str, &'static str)> {
        if self.fits() {
            return None;
        }
        Some(if tries >= TRIES_MAX {
            (
                "payment_method_microdeposit_verification_attempts_exceeded",
                "You have exceeded the number of allowed verification attempts.",
            )
        } else if self.amounts.is_empty() {
            (
                "payment_method_microdeposit_verification_descriptor_code_mismatch",
                "The descriptor code provided does not match the one that was sent to the bank account.",
            )
        } else {
            (
                "payment_method_microdeposit_verification_amounts_mismatch",
                "The amounts provided do not match the amounts that were sent to the bank account.",
            )
        })
    }
}

/// Whether a fault ends the try.
pub fn is_last(code: &str) -> bool {
    code.ends_with("_exceeded")
}

/// Marks an account as its owner's.
pub fn mark(txn: &mut Txn<'_>, method: &Arc<Object>) -> Arc<Object> {
    let id = text(method, "id");
    let marked = txn.edit_with("payment_method", id, |_, part: &mut PaymentMethodPart| {
        part.verified = true;
    });
    marked.map_or_else(|| Arc::clone(method), |(_, after)| after)
}

/// Verifies the account of a payment intent; then the bank is asked for the money.
pub fn verify_payment(txn: &mut Txn<'_>, id: &str, said: &Said) -> Result<Arc<Object>, Failure> {
    let pi = txn.find("payment_intent", id, "intent")?;
    let pm = txn.get("payment_method", text(&pi, "payment_method")).filter(|_| is_awaited(&pi));
    let Some(pm) = pm else {
        return Err(not_awaited("PaymentIntent", &pi));
    };
    let tries = pi.part::<PaymentIntentPart>().tries + 1;
    let Some((code, message)) = said.fault(tries) else {
        let pm = mark(txn, &pm);
        let outcome = settle::start_debit(txn, &pi, &pm)?;
        settle::schedule(txn, id, outcome);
        return txn.find("payment_intent", id, "intent");
    };
    txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| part.tries = tries);
    let failure = Failure::invalid(message).code(code).keeping_changes();
    if !is_last(code) {
        return Err(failure);
    }
    let after = confirm::fail(txn, id, error(code, message), None);
    Err(failure.with("payment_intent", after))
}

/// The refusal of an intent that does not wait for proof.
pub fn not_awaited(noun: &str, intent: &Value) -> Failure {
    let message = format!(
        "This {noun} cannot be actioned on because it has a status of {}. Only a {noun} with one of the following statuses may be actioned on: [\"requires_action\"].",
        text(intent, "status")
    );
    Failure::invalid(message).code("intent_invalid_state")
}

/// The members of the error that an intent keeps.
pub fn error(code: &str, message: &str) -> Doc {
    let page = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
    let error = json!({
        "code": code, "doc_url": page, "message": message, "type": "invalid_request_error",
    });
    error.as_object().cloned().unwrap_or_default()
}
