//! Payment intents: opened, cancelled and captured; what their states allow.

use crate::domain::money::Money;
use crate::sandbox::behaviour::connect;
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::{cash, charge};
use crate::sandbox::call::step;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PaymentIntentPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that cancels an intent whose hold has run out.
pub const HOLD_JOB: &str = "payment_intent.hold_expires";

/// What an intent is to be. Empty members take Stripe's defaults.
#[derive(Clone, Debug, Default)]
pub struct IntentSpec {
    /// Minor units; see [`check_amount`].
    pub amount: i64,
    /// Lower-case code.
    pub currency: String,
    /// `automatic_async` where `None`.
    pub capture_method: Option<String>,
    /// The customer who pays.
    pub customer: Option<String>,
    /// `metadata`.
    pub metadata: Doc,
    /// `description`.
    pub description: Option<String>,
    /// `receipt_email`.
    pub receipt_email: Option<String>,
    /// `on_session` or `off_session`.
    pub setup_future_usage: Option<String>,
    /// Types of payment methods that are accepted.
    pub types: Vec<String>,
    /// The Checkout Session that owns the intent; the API may then not confirm or cancel it.
    pub session: Option<String>,
    /// What is kept beside it.
    pub part: PaymentIntentPart,
    /// Further members of the object, as they are shown (`shipping`, `statement_descriptor`, …).
    pub more: Doc,
}

/// What an intent answers to an amount of nothing.
const NOTHING: &str = "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).  If you want to save a Payment Method for future use without an immediate payment, use a Setup Intent instead: https://docs.stripe.com/payments/setup-intents";

/// Fails where the amount of an intent is none that can be charged.
pub fn check_intent_amount(amount: i64, currency: &str) -> Result<(), Failure> {
    check_amount(amount, currency).map_err(|failure| {
        if amount == 0 { Failure { message: NOTHING.to_owned(), ..failure } } else { failure }
    })
}

/// Fails where an amount is below the currency's minimum or above its maximum.
pub fn check_amount(amount: i64, currency: &str) -> Result<(), Failure> {
    let currency = step::known_currency(currency)?;
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    if amount < currency.minimum_charge() {
        let least = Money::new(currency.minimum_charge(), currency);
        return Err(Failure::invalid(format!("Amount must be at least {least} {currency}"))
            .code("amount_too_small")
            .param("amount"));
    }
    if amount > currency.maximum_charge() {
        let most = Money::new(currency.maximum_charge(), currency);
        return Err(Failure::invalid(format!("Amount must be no more than {most}"))
            .code("amount_too_large")
            .param("amount"));
    }
    Ok(())
}

/// Opens an intent without a payment method, tells of it and returns its id.
pub fn open_intent(txn: &mut Txn<'_>, spec: IntentSpec) -> String {
    let id = txn.new_id("pi_3", 23);
    let secret = txn.secret("payment_intent", &id, 25);
    let members = json!({
        "id": id, "amount": spec.amount, "amount_capturable": 0, "amount_details": {"tip": {}},
        "amount_received": 0, "application": connect::acting(txn),
        "capture_method": spec.capture_method.as_deref().unwrap_or("automatic_async"),
        "client_secret": secret, "confirmation_method": "automatic", "created": txn.now().0,
        "currency": spec.currency, "customer": spec.customer, "description": spec.description,
        "managed_payments": {"enabled": false}, "metadata": spec.metadata, "payment_method_options": method_options(&spec.types),
        "payment_method_types": spec.types, "receipt_email": spec.receipt_email,
        "setup_future_usage": spec.setup_future_usage, "status": "requires_payment_method",
    });
    let mut doc = new("payment_intent", members);
    doc.extend(spec.more);
    let part = PaymentIntentPart { session: spec.session, ..spec.part };
    let doc = txn.put_with(doc, part);
    txn.emit("payment_intent.created", &doc);
    id
}

/// What an intent shows of each type where nothing was said of it; the others show an empty hash.
const METHOD_OPTIONS: [(&str, &str); 8] = [
    (
        "acss_debit",
        r#"{"mandate_options": {"interval_description": null, "payment_schedule": null, "transaction_type": null}, "verification_method": "automatic"}"#,
    ),
    ("afterpay_clearpay", r#"{"reference": null}"#),
    (
        "card",
        r#"{"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"}"#,
    ),
    ("klarna", r#"{"preferred_locale": null}"#),
    (
        "konbini",
        r#"{"confirmation_number": null, "expires_after_days": null, "expires_at": null, "product_description": null}"#,
    ),
    ("link", r#"{"persistent_token": null}"#),
    (
        "us_bank_account",
        r#"{"mandate_options": {}, "transaction_purpose": "unspecified", "verification_method": "automatic"}"#,
    ),
    ("wechat_pay", r#"{"app_id": null, "client": null}"#),
];

/// `payment_method_options` for the accepted types.
pub fn method_options(types: &[String]) -> Value {
    let shown = |kind: &String| {
        let known = METHOD_OPTIONS.iter().find(|(name, _)| name == kind);
        let shown = known.and_then(|(_, json)| serde_json::from_str(json).ok());
        (kind.clone(), shown.unwrap_or_else(|| json!({})))
    };
    Value::Object(types.iter().map(shown).collect())
}

/// A failure about the intent's state, with the intent in it.
pub fn unexpected_state(intent: &Value, message: impl Into<String>) -> Failure {
    Failure::invalid(message)
        .code("payment_intent_unexpected_state")
        .with("payment_intent", intent.clone())
}

/// Cancels an intent; money that was held is released.
///
/// Fails where it has succeeded or was cancelled.
pub fn cancel(txn: &mut Txn<'_>, id: &str, reason: Option<&str>) -> Result<Arc<Object>, Failure> {
    let intent = txn.find("payment_intent", id, "id")?;
    let status = text(&intent, "status");
    if matches!(status, "succeeded" | "canceled") {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing."
        );
        return Err(unexpected_state(&intent, message));
    }
    forget_jobs(txn, &intent);
    if intent.part::<PaymentIntentPart>().captured > 0 {
        // Believed: what was captured stays paid, the rest is released.
        return Ok(finish(txn, &intent, 0));
    }
    cash::unapply(txn, &intent);
    let charge = text(&intent, "latest_charge").to_owned();
    if status == "requires_capture" {
        release(txn, &charge, reason == Some("automatic"));
    }
    if status == "processing" {
        stop(txn, &charge);
    }
    let now = txn.now().0;
    let Some((_, after)) = txn.edit("payment_intent", id, |doc| {
        doc.insert("status".to_owned(), json!("canceled"));
        doc.insert("canceled_at".to_owned(), json!(now));
        doc.insert("cancellation_reason".to_owned(), json!(reason));
        doc.insert("next_action".to_owned(), Value::Null);
        doc.insert("amount_capturable".to_owned(), json!(0));
    }) else {
        return Ok(intent);
    };
    txn.emit("payment_intent.canceled", &after);
    Ok(after)
}

/// Releases a held charge: it shows as refunded in full, though no money moved.
pub fn release(txn: &mut Txn<'_>, charge_id: &str, expired: bool) {
    let changed = txn.edit("charge", charge_id, |doc| {
        let amount = doc.get("amount").cloned().unwrap_or(json!(0));
        doc.insert("amount_refunded".to_owned(), amount);
        doc.insert("refunded".to_owned(), json!(true));
    });
    let Some((before, after)) = changed else { return };
    if expired {
        txn.emit("charge.expired", &after);
    } else {
        txn.emit_change("charge.refunded", &before, &after);
    }
}

/// A bank debit that is called off before the bank answered.
fn stop(txn: &mut Txn<'_>, charge_id: &str) {
    let changed = txn.edit("charge", charge_id, |doc| {
        doc.insert("status".to_owned(), json!("failed"));
        doc.insert("failure_code".to_owned(), json!("payment_intent_payment_attempt_failed"));
        doc.insert("failure_message".to_owned(), json!("The payment was canceled."));
    });
    if let Some((_, after)) = changed {
        txn.emit("charge.failed", &after);
    }
}

/// Takes an intent whose customer was to act back to where it can be confirmed again.
pub fn start_over(txn: &mut Txn<'_>, intent: &Object) {
    if text(intent, "status") != "requires_action" {
        return;
    }
    forget_jobs(txn, intent);
    txn.edit("payment_intent", text(intent, "id"), |doc| {
        doc.insert("status".to_owned(), json!("requires_confirmation"));
        doc.insert("next_action".to_owned(), Value::Null);
    });
}

/// Takes the held money of an intent, all of it or `amount` in minor units; the rest is released, unless more
/// captures follow (`last` is false).
///
/// Fails where nothing is held or the amount is more than what is.
pub fn capture(
    txn: &mut Txn<'_>,
    id: &str,
    amount: Option<i64>,
    last: bool,
) -> Result<Arc<Object>, Failure> {
    let intent = txn.find("payment_intent", id, "id")?;
    let status = text(&intent, "status");
    if status != "requires_capture" {
        let message = format!(
            "This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
        );
        return Err(unexpected_state(&intent, message));
    }
    let held = int(&intent, "amount_capturable");
    let amount = capturable(amount, held, "amount_to_capture")
        .map_err(|failure| failure.with("payment_intent", intent.document()))?;
    if last || amount == held {
        forget_jobs(txn, &intent);
        return Ok(finish(txn, &intent, amount));
    }
    Ok(capture_part(txn, &intent, amount))
}

/// Takes a part of what is held; more captures follow. The money is posted when the last one is done.
fn capture_part(txn: &mut Txn<'_>, intent: &Arc<Object>, amount: i64) -> Arc<Object> {
    let id = text(intent, "id");
    let captured = intent.part::<PaymentIntentPart>().captured.saturating_add(amount);
    txn.edit("charge", text(intent, "latest_charge"), |doc| {
        doc.insert("amount_captured".to_owned(), json!(captured));
    });
    let left = int(intent, "amount_capturable").saturating_sub(amount);
    let changed = txn.edit_with("payment_intent", id, |doc, part: &mut PaymentIntentPart| {
        doc.insert("amount_capturable".to_owned(), json!(left));
        doc.insert("amount_received".to_owned(), json!(captured));
        part.captured = captured;
    });
    let Some((_, after)) = changed else { return Arc::clone(intent) };
    txn.emit("payment_intent.amount_capturable_updated", &after);
    after
}

/// The last capture of an intent: with what was captured before it, it is paid.
fn finish(txn: &mut Txn<'_>, intent: &Arc<Object>, amount: i64) -> Arc<Object> {
    let amount = intent.part::<PaymentIntentPart>().captured.saturating_add(amount);
    let charge_id = text(intent, "latest_charge").to_owned();
    txn.edit("charge", &charge_id, |doc| {
        doc.insert("captured".to_owned(), json!(true));
        doc.insert("amount_captured".to_owned(), json!(amount));
    });
    if let Some(charge) = txn.get("charge", &charge_id) {
        let charge = charge::post(txn, intent, charge);
        txn.emit("charge.captured", &charge);
        charge::dispute(txn, charge);
    }
    let Some((_, after)) = txn.edit("payment_intent", text(intent, "id"), |doc| {
        doc.insert("status".to_owned(), json!("succeeded"));
        doc.insert("amount_capturable".to_owned(), json!(0));
        doc.insert("amount_received".to_owned(), json!(amount));
    }) else {
        return Arc::clone(intent);
    };
    txn.emit("payment_intent.succeeded", &after);
    after
}

/// How often a hold may be raised.
const INCREMENTS_MAX: u32 = 10;

/// What a charge allows beyond a plain capture (`multicapture`, `incremental_authorization`).
pub fn allows(txn: &Txn<'_>, intent: &Value, what: &str) -> bool {
    let charge = txn.get("charge", text(intent, "latest_charge"));
    let details = charge.as_ref().and_then(|charge| charge.get("payment_method_details"));
    let details = details.and_then(|details| details.get("card")).and_then(|card| card.get(what));
    details.is_some_and(|it| text(it, "status") == "available")
}

/// Raises the hold of an intent to `amount` minor units.
///
/// Fails where its charge does not allow it, for no more than is held, and once too often. Believed: the sentences.
pub fn increment(txn: &mut Txn<'_>, id: &str, amount: i64) -> Result<Arc<Object>, Failure> {
    let intent = txn.find("payment_intent", id, "intent")?;
    let status = text(&intent, "status");
    if status != "requires_capture" {
        let message = format!(
            "This PaymentIntent's authorization could not be incremented because it has a status of {status}. Only a PaymentIntent with one of the following statuses may be incremented: requires_capture."
        );
        return Err(unexpected_state(&intent, message));
    }
    let known = int(&intent, "amount");
    let part = intent.part::<PaymentIntentPart>();
    if !allows(txn, &intent, "incremental_authorization") || part.captured > 0 {
        let text =
            "The payment method of this PaymentIntent does not support incremental authorization.";
        return Err(unexpected_state(&intent, text));
    }
    if part.increments >= INCREMENTS_MAX {
        let text = "You have reached the number of incremental authorizations allowed for this PaymentIntent.";
        return Err(unexpected_state(&intent, text));
    }
    if amount <= known {
        let text = format!(
            "The amount must be greater than the amount already authorized, which is {known}."
        );
        return Err(Failure::invalid(text).param("amount"));
    }
    check_intent_amount(amount, text(&intent, "currency"))?;
    txn.edit("charge", text(&intent, "latest_charge"), |doc| {
        doc.insert("amount".to_owned(), json!(amount));
        let details = doc.get_mut("payment_method_details").and_then(|it| it.get_mut("card"));
        if let Some(Value::Object(card)) = details {
            card.insert("amount_authorized".to_owned(), json!(amount));
            if let Some(Value::Object(over)) = card.get_mut("overcapture") {
                over.insert("maximum_amount_capturable".to_owned(), json!(amount));
            }
        }
    });
    let changed = txn.edit_with("payment_intent", id, |doc, part: &mut PaymentIntentPart| {
        doc.insert("amount".to_owned(), json!(amount));
        doc.insert("amount_capturable".to_owned(), json!(amount));
        part.increments += 1;
    });
    let Some((_, after)) = changed else { return Ok(intent) };
    txn.emit("payment_intent.amount_capturable_updated", &after);
    Ok(after)
}

/// What is taken of `held` minor units: all of it, or what was asked for; `param` names that.
///
/// Fails for more than is held and for less than one unit.
pub fn capturable(asked: Option<i64>, held: i64, param: &str) -> Result<i64, Failure> {
    const TOO_MUCH: &str = "The payment could not be captured because the requested capture amount is greater than the amount you can capture for this charge. Contact us via https://support.stripe.com/contact/ for help.";
    match asked.unwrap_or(held) {
        ..0 => Err(Failure::invalid("Invalid non-negative integer").param(param)),
        0 => Err(Failure::below_one("amount")),
        amount if amount > held => Err(Failure::invalid(TOO_MUCH).code("amount_too_large")),
        amount => Ok(amount),
    }
}

/// The job behind [`HOLD_JOB`].
pub fn on_hold_expired(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "intent");
    let found = txn.get("payment_intent", id);
    let held = found.is_some_and(|intent| text(&intent, "status") == "requires_capture");
    if held && let Err(failure) = cancel(txn, id, Some("automatic")) {
        tracing::warn!(message = failure.message, "a hold ran out and could not be released");
    }
}

/// Takes back what was scheduled for an intent: its settlement, the end of its hold.
pub fn forget_jobs(txn: &mut Txn<'_>, intent: &Object) {
    if let Some(job) = intent.part::<PaymentIntentPart>().job.clone() {
        txn.unschedule(&job);
        let id = text(intent, "id");
        txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| part.job = None);
    }
}

/// Remembers the job that is scheduled for an intent, so that it can be taken back.
pub fn remember_job(txn: &mut Txn<'_>, id: &str, job: &str) {
    let job = Some(job.to_owned());
    txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| part.job = job);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;

    #[test]
    fn every_currency_takes_its_least_and_its_most_and_nothing_beside() {
        for currency in Currency::all() {
            let code = currency.code();
            let refusal =
                |amount| check_amount(amount, code).err().and_then(|failure| failure.code);
            let (least, most) = (currency.minimum_charge(), currency.maximum_charge());
            assert_eq!((refusal(least), refusal(most)), (None, None), "{code}");
            assert_eq!(refusal(most + 1).as_deref(), Some("amount_too_large"));
            for amount in [0, -1, i64::MIN] {
                assert_eq!(refusal(amount).as_deref(), Some("parameter_invalid_integer"), "{code}");
            }
            if least > 1 {
                assert_eq!(refusal(1).as_deref(), Some("amount_too_small"), "{code}");
            }
        }
    }

    #[test]
    fn what_a_type_shows_unasked_is_a_hash_of_members_that_the_catalog_knows() {
        use crate::catalog::Catalog;
        use crate::catalog::grammar::{Kind, field};
        let shape = Catalog::get().object("payment_intent").unwrap();
        let options = field(&shape.fields, "payment_method_options").unwrap();
        let Kind::Hash(types) = &options.of.kind else { panic!() };
        for (kind, json) in METHOD_OPTIONS {
            let shown: Doc = serde_json::from_str(json).expect(kind);
            let Kind::Hash(members) = &field(types, kind).expect(kind).of.kind else { panic!() };
            for (name, value) in shown {
                let of = &field(members, &name).unwrap_or_else(|| panic!("{kind} {name}")).of;
                assert!(!value.is_null() || of.nullable, "{kind} {name} is never null");
            }
        }
        let shown = method_options(&["alipay".to_owned(), "link".to_owned()]);
        assert_eq!(shown, json!({"alipay": {}, "link": {"persistent_token": null}}));
    }

    #[test]
    fn an_intent_over_nothing_is_told_of_setup_intents() {
        let failure = check_intent_amount(0, "usd").unwrap_err();
        assert!(failure.message.contains("Setup Intent"), "{}", failure.message);
        assert!(!check_intent_amount(-5, "usd").unwrap_err().message.contains("Setup Intent"));
    }
}
