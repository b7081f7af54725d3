//! Payment pages: what the official CLI uses to pay a Checkout Session without a browser.

use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::behaviour::checkout::attempt::{self, Means, Payer};
use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/payment_pages`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/payment_pages/{id}" => retrieve,
        "POST /v1/payment_pages/{id}/confirm" => confirm,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find(SESSION, call.id(0), "id").map(|session| page(&session).into())
}

fn confirm(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let session = txn.find(SESSION, call.id(0), "id")?;
    let due = int(&session, "amount_total");
    if let Some(expected) = call.int("expected_amount").filter(|expected| *expected != due) {
        let text = format!(
            "The amount that you expected to pay ({expected}) is not the amount of the Checkout Session ({due})."
        );
        return Err(Failure::invalid(text).param("expected_amount"));
    }
    let method = call.text("payment_method").unwrap_or_default().to_owned();
    let mut payer = Payer::default();
    if let Some(known) = txn.get("payment_method", &method) {
        payer.billing =
            crate::sandbox::behaviour::cards::Billing::read(known.get("billing_details"));
    }
    attempt::pay(txn, call.id(0), &Means::Method(method), &payer)?;
    txn.find(SESSION, call.id(0), "id").map(|session| page(&session).into())
}

/// What the page knows of its session. Stripe does not document this object.
fn page(session: &Value) -> Value {
    let member = |name: &str| session.get(name).cloned().unwrap_or(Value::Null);
    let email = session.get("customer_details").map(|d| text(d, "email")).filter(|e| !e.is_empty());
    json!({
        "id": member("id"), "object": "payment_page", "session_id": member("id"),
        "amount_total": member("amount_total"), "amount_subtotal": member("amount_subtotal"),
        "cancel_url": member("cancel_url"), "currency": member("currency"),
        "customer_email": email, "livemode": false, "mode": member("mode"),
        "payment_intent": member("payment_intent"), "payment_status": member("payment_status"),
        "payment_method_types": member("payment_method_types"), "state": member("status"),
        "status": member("status"), "success_url": member("success_url"), "url": member("url"),
    })
}
