//! Charges without an intent, as integrations from before 2019 make them: a token, an amount, an answer at once.

use crate::domain::card::{Behaviour, Challenge};
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::card_of;
use crate::sandbox::behaviour::dispute::review;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::charge::{self, Attempt, Ending};
use crate::sandbox::behaviour::payment::intent;
use crate::sandbox::behaviour::saved::token::{self, Held};
use crate::sandbox::behaviour::saved::wallet;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that releases a held charge whose time is over.
pub const HOLD_JOB: &str = "charge.hold_expires";

/// Who is charged: what pays, and the card or source that the charge shows.
#[derive(Debug)]
pub struct Payer {
    method: Arc<Object>,
    source: Value,
}

/// Who is charged where a customer is named, a source, or both.
///
/// Fails where there is nothing to charge.
pub fn payer(
    txn: &mut Txn<'_>,
    customer: Option<&str>,
    source: Option<&str>,
) -> Result<Payer, Failure> {
    if let Some(customer) = customer {
        let Some(chosen) = wallet::chosen(txn, customer, source) else {
            return Err(match source {
                Some(asked) => wallet::not_own(customer, asked),
                None => nothing_to_charge(txn, customer),
            });
        };
        return twin_of(txn, &chosen);
    }
    let Some(source) = source else {
        let text = "Must provide source or customer.";
        return Err(Failure::invalid(text).code("parameter_missing"));
    };
    if let Some(found) = txn.get("source", source) {
        return twin_of(txn, &found);
    }
    match token::spend(txn, source, "source")? {
        Held::Card(details) => {
            let method = details.put_twin(txn).ok_or_else(|| missing("token", source, "source"))?;
            let source = Value::Object(details.checked(&method, None));
            Ok(Payer { method, source })
        }
        Held::Bank(_) => Err(unpaid_bank()),
    }
}

fn twin_of(txn: &Txn<'_>, saved: &Object) -> Result<Payer, Failure> {
    let id = text(saved, "id");
    let method = txn.get("payment_method", id).ok_or_else(unpaid_bank)?;
    Ok(Payer { method, source: saved.document() })
}

fn unpaid_bank() -> Failure {
    let text =
        "Charges of bank accounts without a payment method are not modelled by this sandbox yet.";
    Failure::of(501, FailureKind::Api, text).param("source")
}

/// Charges a payer. `terms` has what an intent would have: `amount`, `currency`, `description`, …
///
/// Fails with a 402 that keeps its changes where the charge is declined.
pub fn create(
    txn: &mut Txn<'_>,
    payer: Payer,
    mut terms: Doc,
    capture: bool,
) -> Result<Arc<Object>, Failure> {
    let pm = payer.method;
    let mode = if capture { "automatic" } else { "manual" };
    terms.insert("capture_method".to_owned(), json!(mode));
    terms.insert("source".to_owned(), payer.source);
    let terms = Value::Object(terms);
    let reason = refusal(&pm).or_else(|| Decline::on_checks(txn, &pm));
    let ending = reason.as_ref().map_or(Ending::Succeeded, Ending::Failed);
    let attempt = Attempt { intent: &terms, method: &pm, ending, secure: None };
    let charge = charge::write(txn, &attempt);
    if text(&pm, "customer").is_empty() {
        txn.edit_part("payment_method", text(&pm, "id"), |part: &mut PaymentMethodPart| {
            part.spent = true;
        });
    }
    if let Some(reason) = reason {
        txn.emit("charge.failed", &charge);
        return Err(reason.failure().with("charge", text(&charge, "id")));
    }
    let charge = review::open(txn, charge);
    txn.emit("charge.succeeded", &charge);
    let charge = charge::dispute(txn, charge);
    if !capture {
        let due = txn.now().plus(charge::HOLD);
        txn.schedule(due, HOLD_JOB, &json!({"charge": text(&charge, "id")}));
    }
    Ok(charge)
}

/// Nobody can authenticate here, so a card that always asks for it is refused.
fn refusal(pm: &Value) -> Option<Decline> {
    let card = card_of(pm)?;
    if let Behaviour::Authenticates { when: Challenge::Always, .. } = card.behaviour {
        return Some(Decline::authentication_required());
    }
    Decline::on_charging(card)
}

/// Takes a held charge, all of it or `amount` in minor units; the rest is released.
///
/// Fails where more is asked for than is held, and where the hold is over.
pub fn capture(txn: &mut Txn<'_>, id: &str, amount: Option<i64>) -> Result<Arc<Object>, Failure> {
    let charge = txn.find("charge", id, "id")?;
    if charge.get("refunded") == Some(&json!(true)) || text(&charge, "status") != "succeeded" {
        let message = format!("Charge {id} cannot be captured: its hold is over.");
        return Err(Failure::invalid(message).code("charge_expired_for_capture"));
    }
    let amount = intent::capturable(amount, int(&charge, "amount"), "amount")?;
    txn.edit("charge", id, |doc| {
        doc.insert("captured".to_owned(), json!(true));
        doc.insert("amount_captured".to_owned(), json!(amount));
    });
    charge::book(txn, id);
    let charge = txn.find("charge", id, "id")?;
    txn.emit("charge.captured", &charge);
    Ok(charge::dispute(txn, charge))
}

/// The job behind [`HOLD_JOB`].
pub fn on_hold_expired(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "charge");
    let charge = txn.get("charge", id);
    if charge.is_some_and(|charge| charge.get("captured") == Some(&json!(false))) {
        intent::release(txn, id, true);
    }
}

/// What a customer without a card of the old kind answers to a charge.
fn nothing_to_charge(txn: &Txn<'_>, customer: &str) -> Failure {
    let text = if txn.having("payment_method", "customer", customer).is_empty() {
        "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source to this Customer and then try this request again, or use Payment Intents and Payment Methods instead."
    } else {
        "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached. Use a Payment Intent instead of creating a Charge: https://stripe.com/docs/payments/payment-intents/migration"
    };
    Failure::of(402, FailureKind::Card, text).code("missing").param("card")
}
