//! Refunds: money back, at once or later, whole or in parts; and refunds that fail.

use crate::domain::card::Behaviour;
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{self, Movement};
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::connect::split::{self, Back};
use crate::sandbox::behaviour::dispute::{course, review, warning};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::charge;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::RefundPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that ends a refund whose bank answers later.
pub const END_JOB: &str = "refund.end";

/// The job that gives a refund the reference by which a bank finds it.
pub const REFERENCE_JOB: &str = "refund.reference";

/// Seconds until the bank answers about the refund of a test card that says it does so later.
const BANK_DELAY: i64 = 60;
/// Seconds in which a customer can say where a konbini refund goes: 45 days.
const CLAIM_PERIOD: i64 = 45 * 86_400;

/// What is to be refunded.
#[derive(Clone, Debug, Default)]
pub struct RefundSpec {
    /// The charge.
    pub charge: String,
    /// Minor units; everything that is left where `None`.
    pub amount: Option<i64>,
    /// `duplicate`, `fraudulent` or `requested_by_customer`.
    pub reason: Option<String>,
    /// Where the customer is asked for a bank account.
    pub instructions_email: Option<String>,
    /// `metadata`.
    pub metadata: Doc,
    /// What goes back of other accounts' parts of the charge.
    pub back: Back,
}

/// How a refund goes on after it was made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    Succeeds,
    Pends,
    FailsLater,
    AsksCustomer,
}

/// Refunds a charge and tells of it.
///
/// Fails where the charge was not taken, is refunded already, or less is left than asked for.
pub fn create(txn: &mut Txn<'_>, spec: &RefundSpec) -> Result<Arc<Object>, Failure> {
    let charge = txn.find("charge", &spec.charge, "charge")?;
    ensure_taken(&charge)?;
    course::ensure_refundable(txn, &charge)?;
    let amount = refundable(&charge, spec.amount)?;
    let method = txn.get("payment_method", text(&charge, "payment_method"));
    let kind = method.as_deref().map_or("card", |pm| text(pm, "type"));
    if kind == "konbini" && spec.instructions_email.is_none() {
        return Err(Failure::invalid("Missing required param: instructions_email.")
            .code("parameter_missing")
            .param("instructions_email"));
    }
    charge::catch_up(txn, &spec.charge);
    let charge = txn.get("charge", &spec.charge).unwrap_or(charge);
    split::ensure_back(txn, &charge, spec.back)?;
    let course =
        match method.as_deref().and_then(|method| card_of(method)).map(|card| card.behaviour) {
            _ if kind == "konbini" => Course::AsksCustomer,
            // A debit is sent back as it came, by a bank that takes its time.
            _ if kind.ends_with("_debit") || kind == "us_bank_account" => Course::Pends,
            Some(Behaviour::RefundPends) => Course::Pends,
            Some(Behaviour::RefundFails) => Course::FailsLater,
            _ => Course::Succeeds,
        };
    let id = txn.new_id(if kind == "card" { "re_3" } else { "pyr_1" }, 23);
    let gross = Money::new(-amount, currency_of(&charge));
    let booked =
        book(txn, &charge, &id, gross, if kind == "card" { "refund" } else { "payment_refund" });
    let reversal = split::refunded(txn, &charge, (&id, amount), spec.back);
    let mut doc = new(
        "refund",
        json!({
            "id": id, "amount": amount, "balance_transaction": booked, "charge": spec.charge,
            "created": txn.now().0, "currency": charge.get("currency"),
            "customer": charge.get("customer"), "destination_details": destination(kind),
            "metadata": spec.metadata, "payment_intent": charge.get("payment_intent"),
            "payment_method": charge.get("payment_method"), "reason": spec.reason,
            "status": "succeeded", "transfer_reversal": reversal,
        }),
    );
    let job = go_on(txn, &mut doc, course, spec.instructions_email.as_deref());
    let refund = txn.put_with(doc, RefundPart { job });
    if kind == "card" && course == Course::Succeeds {
        txn.schedule(txn.now(), REFERENCE_JOB, &json!({"refund": id}));
    }
    txn.emit("refund.created", &refund);
    move_refunded(txn, &spec.charge, amount, "charge.refunded");
    if txn.get("charge", &spec.charge).is_some_and(|it| it.get("refunded") == Some(&json!(true))) {
        let is_fraud = spec.reason.as_deref() == Some("fraudulent");
        let reason = if is_fraud { "refunded_as_fraud" } else { "refunded" };
        review::close(txn, &spec.charge, reason);
        warning::settle(txn, &spec.charge);
        course::refunded(txn, &spec.charge);
    }
    Ok(refund)
}

/// Fails for a charge whose money was not taken, before its disputes and refunds are looked at.
fn ensure_taken(charge: &Value) -> Result<(), Failure> {
    let captured = int(charge, "amount_captured");
    let owner = text(charge, "payment_intent");
    if text(charge, "status") == "failed" && !owner.is_empty() {
        return Err(no_charge(owner));
    }
    if charge.get("refunded") == Some(&json!(true)) {
        return Ok(());
    }
    if captured == 0 && text(charge, "status") == "succeeded" && !owner.is_empty() {
        return Err(Failure::invalid(format!(
            "This uncaptured Charge was created by a PaymentIntent ({owner}). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
        )));
    }
    if captured == 0 {
        let id = text(charge, "id");
        let message = format!(
            "The charge {id} cannot be refunded because its money was not taken (status {}).",
            text(charge, "status")
        );
        return Err(Failure::invalid(message).code("charge_not_refundable"));
    }
    Ok(())
}

/// What is left to refund, or the amount asked for.
fn refundable(charge: &Value, asked: Option<i64>) -> Result<i64, Failure> {
    let id = text(charge, "id");
    let (captured, refunded) = (int(charge, "amount_captured"), int(charge, "amount_refunded"));
    let money = |minor| Money::new(minor, currency_of(charge));
    if charge.get("refunded") == Some(&json!(true)) {
        return Err(Failure::invalid(format!("Charge {id} has already been refunded."))
            .code("charge_already_refunded"));
    }
    let left = captured - refunded;
    let amount = asked.unwrap_or(left);
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    if amount > left {
        let message = if refunded == 0 {
            format!(
                "Refund amount ({}) is greater than charge amount ({})",
                money(amount),
                money(left)
            )
        } else {
            format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money(amount),
                money(left)
            )
        };
        return Err(Failure::invalid(message).param("amount"));
    }
    Ok(amount)
}

fn currency_of(doc: &Value) -> Currency {
    text(doc, "currency").parse().unwrap_or(Currency::JPY)
}

/// Books a refund: it leaves the same funds that the charge brought, pending ones while they pend.
fn book(
    txn: &mut Txn<'_>,
    charge: &Value,
    refund: &str,
    gross: Money,
    kind: &'static str,
) -> String {
    let own = txn.get("charge", text(charge, "id"));
    let available_on = own.map_or(txn.now(), |own| balance::available_with(txn, &own));
    let fails = kind.ends_with("failure");
    let what = if text(charge, "id").starts_with("py_") { "PAYMENT" } else { "CHARGE" };
    let said = charge.get("description").and_then(Value::as_str);
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    let words = format!("REFUND {}FOR {what}{said}", if fails { "FAILURE " } else { "" });
    let movement = Movement {
        kind,
        category: if fails { "refund_failure" } else { "refund" },
        source: refund,
        gross,
        fee: 0,
        available_on,
        description: Some(&words),
    };
    balance::post(txn, &movement)
}

/// The job behind [`REFERENCE_JOB`].
pub fn on_reference(txn: &mut Txn<'_>, args: &Value) {
    let random = txn.new_id("", 17);
    let reference: String = random.bytes().map(|b| char::from(b'0' + b % 10)).collect();
    txn.edit("refund", text(args, "refund"), |doc| {
        let details = doc.get_mut("destination_details").and_then(|of| of.get_mut("card"));
        if let Some(Value::Object(card)) = details {
            card.insert("reference".to_owned(), json!(reference));
            card.insert("reference_status".to_owned(), json!("available"));
        }
    });
}

/// What an intent without a charge that was paid answers to a refund.
pub fn no_charge(intent: &str) -> Failure {
    Failure::invalid(format!(
        "This PaymentIntent ({intent}) does not have a successful charge to refund."
    ))
}

fn destination(kind: &str) -> Value {
    if kind != "card" {
        return json!({"type": if kind == "konbini" { "jp_bank_transfer" } else { kind }});
    }
    json!({
        "type": "card",
        "card": {
            "reference_status": "pending", "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
    })
}

/// Writes how a refund goes on. Returns the job that ends it.
fn go_on(txn: &mut Txn<'_>, doc: &mut Doc, course: Course, email: Option<&str>) -> Option<String> {
    let id = doc.get("id").cloned().unwrap_or(Value::Null);
    let now = txn.now();
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    if let Some(email) = email {
        set("instructions_email", json!(email));
    }
    let (due, ends) = match course {
        Course::Succeeds => return None,
        Course::Pends => {
            set("status", json!("pending"));
            set("pending_reason", json!("processing"));
            (now.plus(BANK_DELAY), "succeeded")
        }
        Course::FailsLater => (now.plus(BANK_DELAY), "failed"),
        Course::AsksCustomer => {
            let expires_at = now.plus(CLAIM_PERIOD);
            set("status", json!("requires_action"));
            let sent = json!({"email_sent_at": now.0, "email_sent_to": email});
            let details = json!({"email_sent": sent, "expires_at": expires_at.0});
            set("next_action", json!({"type": "display_details", "display_details": details}));
            (expires_at, "failed")
        }
    };
    Some(txn.schedule(due, END_JOB, &json!({"refund": id, "status": ends})))
}

/// Fails where a refund has ended already.
pub fn ensure_open(refund: &Value) -> Result<(), Failure> {
    let status = text(refund, "status");
    if matches!(status, "pending" | "requires_action") {
        return Ok(());
    }
    Err(Failure::invalid(format!("This refund has ended already: it has a status of {status}.")))
}

/// The job behind [`END_JOB`].
pub fn on_end(txn: &mut Txn<'_>, args: &Value) {
    end(txn, text(args, "refund"), text(args, "status"));
}

/// Ends a refund as `succeeded`, `failed` or `canceled` and tells so; one that ended so is left alone.
pub fn end(txn: &mut Txn<'_>, id: &str, status: &str) -> Option<Arc<Object>> {
    let refund = txn.get("refund", id)?;
    if let Some(job) = &refund.part::<RefundPart>().job {
        txn.unschedule(job);
    }
    let returned = matches!(status, "failed" | "canceled");
    let booked = if returned { give_back(txn, &refund) } else { None };
    let (before, after) = txn.edit_with("refund", id, |doc, part: &mut RefundPart| {
        part.job = None;
        doc.remove("pending_reason");
        doc.remove("next_action");
        doc.insert("status".to_owned(), json!(status));
        if let Some(booked) = &booked {
            doc.insert("failure_balance_transaction".to_owned(), json!(booked));
        }
        if returned {
            doc.insert("failure_reason".to_owned(), json!(failure_reason(&refund, status)));
        }
    })?;
    txn.emit_change("refund.updated", &before, &after);
    txn.emit_change("charge.refund.updated", &before, &after);
    if status == "failed" {
        txn.emit("refund.failed", &after);
    }
    Some(after)
}

/// Why a refund did not arrive. Believed, not proven, but for that of a card.
fn failure_reason(refund: &Value, status: &str) -> &'static str {
    match refund.get("destination_details").map_or("", |it| text(it, "type")) {
        _ if status == "canceled" => "merchant_request",
        "card" => "expired_or_canceled_card",
        _ => "unknown",
    }
}

/// The money of a refund that did not arrive comes back.
fn give_back(txn: &mut Txn<'_>, refund: &Value) -> Option<String> {
    let charge = txn.get("charge", text(refund, "charge"))?;
    let amount = int(refund, "amount");
    let gross = Money::new(amount, currency_of(refund));
    let booked = book(txn, &charge, text(refund, "id"), gross, "refund_failure");
    move_refunded(txn, text(refund, "charge"), -amount, "charge.updated");
    Some(booked)
}

/// Adds to what is refunded of a charge.
fn move_refunded(txn: &mut Txn<'_>, charge: &str, amount: i64, event: &str) {
    let changed = txn.edit("charge", charge, |doc| {
        let of = |doc: &Doc, name: &str| doc.get(name).and_then(Value::as_i64).unwrap_or(0);
        let refunded = of(doc, "amount_refunded") + amount;
        doc.insert("refunded".to_owned(), json!(refunded >= of(doc, "amount_captured")));
        doc.insert("amount_refunded".to_owned(), json!(refunded));
    });
    if let Some((before, after)) = changed {
        txn.emit_change(event, &before, &after);
    }
}
