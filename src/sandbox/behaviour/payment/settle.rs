//! Payments that take time: konbini and bank debits, from their start to the day they settle.

use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::payment::bank::{self, Speed};
use crate::sandbox::behaviour::payment::charge::{self, Attempt, Ending};
use crate::sandbox::behaviour::payment::confirm::{self, Outcome};
use crate::sandbox::behaviour::payment::intent;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that settles an intent which was confirmed through the API.
pub const SETTLE_JOB: &str = "payment_intent.settle";

const SOON: i64 = 1;
const LATER: i64 = 180;
const DAY: i64 = 86_400;
/// Japan is nine hours ahead of UTC all year.
const JST: i64 = 9 * 3600;

/// What a delayed payment does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Seconds from now.
    pub after_s: i64,
    /// Whether the money arrives.
    pub ok: bool,
}

/// Starts a konbini payment: the customer gets the numbers to show at the till.
///
/// Fails for another currency than yen and outside ¥120 to ¥300,000.
pub fn start_konbini(
    txn: &mut Txn<'_>,
    pi: &Arc<Object>,
    pm: &Arc<Object>,
) -> Result<Outcome, Failure> {
    check_konbini(pi)?;
    let expires_at = konbini_expiry(txn, pi);
    let id = text(pi, "id");
    let digits = |prefix: &str| -> String {
        let random = txn.new_id("", 10);
        prefix.chars().chain(random.bytes().map(|b| char::from(b'0' + b % 10))).collect()
    };
    let given = konbini_option(pi, "confirmation_number");
    let confirmation = given.as_str().map_or_else(|| digits("7"), str::to_owned);
    let store = || json!({"confirmation_number": confirmation, "payment_code": digits("")});
    let action = json!({
        "type": "konbini_display_details",
        "konbini_display_details": {
            "expires_at": expires_at,
            "hosted_voucher_url": format!("{}/konbini/{id}", txn.site().base_url),
            "stores": {
                "familymart": store(), "lawson": store(), "ministop": store(),
                "seicomart": store(),
            },
        },
    });
    let changed = txn.edit("payment_intent", id, |doc| {
        doc.insert("status".to_owned(), json!("requires_action"));
        doc.insert("next_action".to_owned(), action);
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.requires_action", &after);
    }
    let email = pm.get("billing_details").map(|b| text(b, "email").to_owned()).unwrap_or_default();
    let settles = konbini_settlement(&email, expires_at - txn.now().0);
    Ok(Outcome::RequiresAction { settles: Some(settles) })
}

fn check_konbini(pi: &Value) -> Result<(), Failure> {
    let (currency, amount) = (text(pi, "currency"), int(pi, "amount"));
    if currency != "jpy" {
        let message = format!(
            "The currency provided ({currency}) is invalid for one or more payment method types on the PaymentIntent. `konbini` accepts jpy."
        );
        return Err(Failure::invalid(message)
            .code("payment_intent_invalid_parameter")
            .param("currency"));
    }
    if amount < 120 {
        return Err(Failure::invalid("Amount must be at least ¥120 jpy")
            .code("amount_too_small")
            .param("amount"));
    }
    if amount > 300_000 {
        return Err(Failure::invalid("Amount must be no more than ¥300,000")
            .code("amount_too_large")
            .param("amount"));
    }
    check_konbini_options(pi)
}

/// Fails for options that no till could take.
fn check_konbini_options(pi: &Value) -> Result<(), Failure> {
    let param = |name: &str| format!("payment_method_options[konbini][{name}]");
    if let Some(days) = konbini_option(pi, "expires_after_days").as_i64()
        && !(1..=60).contains(&days)
    {
        let message = format!("This value must be between 1 and 60 (it currently is '{days}').");
        return Err(Failure::invalid(message)
            .code("parameter_invalid_integer")
            .param(param("expires_after_days")));
    }
    if let Some(number) = konbini_option(pi, "confirmation_number").as_str() {
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        let zeros = number.bytes().all(|b| b == b'0');
        if !digits || zeros || !(10..=11).contains(&number.len()) {
            let message = "The confirmation number must be 10 or 11 digits and not all zeros.";
            return Err(Failure::invalid(message)
                .code("payment_intent_konbini_rejected_confirmation_number")
                .param(param("confirmation_number")));
        }
    }
    if let Some(words) = konbini_option(pi, "product_description").as_str()
        && words.chars().count() > 22
    {
        let message = "The product description must be at most 22 characters.";
        return Err(Failure::invalid(message).param(param("product_description")));
    }
    Ok(())
}

fn konbini_option(pi: &Value, name: &str) -> Value {
    pi.get("payment_method_options")
        .and_then(|options| options.get("konbini"))
        .and_then(|konbini| konbini.get(name))
        .cloned()
        .unwrap_or(Value::Null)
}

/// The end of the day in Japan on which the payment lapses.
fn konbini_expiry(txn: &Txn<'_>, pi: &Value) -> i64 {
    if let Some(at) = konbini_option(pi, "expires_at").as_i64() {
        return at;
    }
    let days = konbini_option(pi, "expires_after_days").as_i64().unwrap_or(3);
    let today = (txn.now().0 + JST).div_euclid(DAY);
    (today + days + 1) * DAY - JST - 1
}

/// What the e-mail address asks a konbini payment to do.
fn konbini_settlement(email: &str, until_expiry: i64) -> Settlement {
    if email.contains("succeed_immediately") {
        Settlement { after_s: SOON, ok: true }
    } else if email.contains("expire_immediately") {
        Settlement { after_s: SOON, ok: false }
    } else if email.contains("expire_with_delay") {
        Settlement { after_s: LATER, ok: false }
    } else if email.contains("fill_never") {
        Settlement { after_s: until_expiry.max(0), ok: false }
    } else {
        Settlement { after_s: LATER, ok: true }
    }
}

/// Starts a bank debit: the bank answers later.
///
/// Fails for another currency than its type has.
pub fn start_debit(
    txn: &mut Txn<'_>,
    pi: &Arc<Object>,
    pm: &Arc<Object>,
) -> Result<Outcome, Failure> {
    let (currency, kind) = (text(pi, "currency"), text(pm, "type"));
    let taken = bank::debited_in(kind).unwrap_or_default();
    if !taken.contains(&currency) {
        let message = format!(
            "The currency provided ({currency}) is invalid for one or more payment method types on the PaymentIntent. `{kind}` accepts {}.",
            taken.join(", ")
        );
        return Err(Failure::invalid(message)
            .code("payment_intent_invalid_parameter")
            .param("currency"));
    }
    let attempt = Attempt { intent: pi, method: pm, ending: Ending::Pending, secure: None };
    let charge = charge::write(txn, &attempt);
    let changed = txn.edit("payment_intent", text(pi, "id"), |doc| {
        doc.insert("status".to_owned(), json!("processing"));
        doc.insert("latest_charge".to_owned(), json!(text(&charge, "id")));
        doc.insert("next_action".to_owned(), Value::Null);
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.processing", &after);
    }
    txn.emit("charge.pending", &charge);
    Ok(Outcome::Processing { settles: debit_settlement(pm) })
}

/// What the documented account numbers do; `None` where the bank never answers by itself.
fn debit_settlement(pm: &Value) -> Option<Settlement> {
    let (speed, refusal) = bank::debit(pm);
    let after_s = match speed {
        Speed::Soon => SOON,
        Speed::Later => LATER,
        Speed::Never => return None,
    };
    Some(Settlement { after_s, ok: refusal.is_none() })
}

/// Has an intent settle by itself as its outcome says.
pub fn schedule(txn: &mut Txn<'_>, intent_id: &str, outcome: Outcome) {
    let settlement = match outcome {
        Outcome::RequiresAction { settles: Some(settlement) }
        | Outcome::Processing { settles: Some(settlement) } => settlement,
        Outcome::Succeeded
        | Outcome::RequiresCapture
        | Outcome::Processing { settles: None }
        | Outcome::RequiresAction { settles: None } => return,
    };
    let due = txn.now().plus(settlement.after_s);
    let args = json!({"intent": intent_id, "ok": settlement.ok});
    let job = txn.schedule(due, SETTLE_JOB, &args);
    intent::remember_job(txn, intent_id, &job);
}

/// The job behind [`SETTLE_JOB`].
pub fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let ok = args.get("ok") == Some(&json!(true));
    if let Err(failure) = settle(txn, text(args, "intent"), ok) {
        tracing::warn!(message = failure.message, "an intent moved on and left its settlement");
    }
}

/// Settles a delayed payment: the money arrives, or the payment fails.
///
/// Fails where no delayed payment is under way.
pub fn settle(txn: &mut Txn<'_>, intent_id: &str, ok: bool) -> Result<(), Failure> {
    let pi = txn.find("payment_intent", intent_id, "intent")?;
    let pm = txn.get("payment_method", text(&pi, "payment_method"));
    let under_way = |pm: &Arc<Object>| match text(&pi, "status") {
        "requires_action" => text(pm, "type") == "konbini",
        status => status == "processing",
    };
    let Some(pm) = pm.filter(under_way) else {
        let message = format!(
            "This PaymentIntent has no delayed payment under way because it has a status of {}.",
            text(&pi, "status")
        );
        return Err(intent::unexpected_state(&pi, message));
    };
    intent::forget_jobs(txn, &pi);
    match (text(&pm, "type"), ok) {
        ("konbini", true) => {
            let ending = Ending::Succeeded;
            let attempt = Attempt { intent: &pi, method: &pm, ending, secure: None };
            let charge = charge::write(txn, &attempt);
            arrive(txn, &pi, &pm, charge);
        }
        ("konbini", false) => lapse(txn, &pi, &pm),
        (_, true) => {
            if let Some(charge) = clear(txn, &pi) {
                arrive(txn, &pi, &pm, charge);
            }
        }
        (_, false) => bounce(txn, &pi, &pm),
    }
    Ok(())
}

fn arrive(txn: &mut Txn<'_>, pi: &Value, pm: &Arc<Object>, charge: Arc<Object>) {
    txn.emit("charge.succeeded", &charge);
    let charge = charge::dispute(txn, charge);
    confirm::succeed(txn, text(pi, "id"), &charge);
    confirm::keep_method(txn, pi, pm);
}

/// A pending charge becomes one that succeeded.
fn clear(txn: &mut Txn<'_>, pi: &Value) -> Option<Arc<Object>> {
    let (_, charge) = txn.edit("charge", text(pi, "latest_charge"), |doc| {
        let amount = doc.get("amount").cloned().unwrap_or(json!(0));
        doc.insert("status".to_owned(), json!("succeeded"));
        doc.insert("paid".to_owned(), json!(true));
        doc.insert("captured".to_owned(), json!(true));
        doc.insert("amount_captured".to_owned(), amount);
    })?;
    Some(charge::post(txn, pi, charge))
}

/// A pending charge was refused by the bank.
fn bounce(txn: &mut Txn<'_>, pi: &Value, pm: &Value) {
    let reason = Decline::unpaid_debit(bank::debit(pm).1);
    let charge_id = text(pi, "latest_charge").to_owned();
    let changed = txn.edit("charge", &charge_id, |doc| {
        doc.insert("status".to_owned(), json!("failed"));
        doc.insert("failure_code".to_owned(), json!(reason.code));
        doc.insert("failure_message".to_owned(), json!(reason.message()));
        doc.insert("outcome".to_owned(), reason.outcome());
    });
    if let Some((_, charge)) = changed {
        txn.emit("charge.failed", &charge);
    }
    let error = reason.error(Some(&charge_id), pm);
    confirm::fail(txn, text(pi, "id"), error, Some(&charge_id));
}

/// The customer never came to the till: no charge was made, the intent starts over.
fn lapse(txn: &mut Txn<'_>, pi: &Value, pm: &Value) {
    const CODE: &str = "payment_intent_payment_attempt_expired";
    let mut error = Doc::new();
    let page = format!("https://stripe.com/docs/error-codes/{}", CODE.replace('_', "-"));
    let mut set = |name: &str, value: Value| drop(error.insert(name.to_owned(), value));
    set("code", json!(CODE));
    set("doc_url", json!(page));
    set("message", json!("The payment attempt for this PaymentIntent expired before it was paid."));
    set("payment_method", pm.clone());
    set("type", json!("invalid_request_error"));
    confirm::fail(txn, text(pi, "id"), error, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_email_decides_what_a_konbini_payment_does() {
        let of = |email: &str| konbini_settlement(email, 999);
        assert_eq!(of("a@example.com"), Settlement { after_s: 180, ok: true });
        assert_eq!(of("succeed_immediately@example.com"), Settlement { after_s: 1, ok: true });
        assert_eq!(of("expire_immediately@example.com"), Settlement { after_s: 1, ok: false });
        assert_eq!(of("expire_with_delay@example.com"), Settlement { after_s: 180, ok: false });
        assert_eq!(of("fill_never@example.com"), Settlement { after_s: 999, ok: false });
    }
}
