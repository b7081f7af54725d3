//! Payment pages: what the official CLI uses to pay a Checkout Session without a browser.

use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::behaviour::checkout::attempt::{self, Means, Payer};
use crate::sandbox::behaviour::document::{Handler, int, member, text};
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
    let email = session.get("customer_details").map(|d| text(d, "email")).filter(|e| !e.is_empty());
    json!({
        "id": member(session, "id"), "object": "payment_page", "session_id": member(session, "id"),
        "amount_total": member(session, "amount_total"), "amount_subtotal": member(session, "amount_subtotal"),
        "cancel_url": member(session, "cancel_url"), "currency": member(session, "currency"),
        "customer_email": email, "livemode": false, "mode": member(session, "mode"),
        "payment_intent": member(session, "payment_intent"), "payment_status": member(session, "payment_status"),
        "payment_method_types": member(session, "payment_method_types"), "state": member(session, "status"),
        "status": member(session, "status"), "success_url": member(session, "success_url"), "url": member(session, "url"),
    })
}
