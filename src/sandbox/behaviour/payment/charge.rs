//! Charges: the record of one attempt to take money.

use crate::domain::card::Behaviour;
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::sandbox::behaviour::balance::{self, Movement};
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::{card_of, checks};
use crate::sandbox::behaviour::connect::{self, split};
use crate::sandbox::behaviour::dispute::open;
use crate::sandbox::behaviour::document::{fit, int, new, text};
use crate::sandbox::behaviour::fees;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{ChargePart, PaymentIntentPart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// The job that writes a charge's transaction down, a moment after the charge.
pub const POST_JOB: &str = "charge.post";

/// Seconds for which an uncaptured card payment is held.
pub const HOLD: i64 = 7 * 86_400;

/// Members that a charge takes over from its intent.
const INHERITED: &[&str] = &[
    "application_fee_amount",
    "currency",
    "customer",
    "description",
    "metadata",
    "on_behalf_of",
    "receipt_email",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    /// The money is taken, or held where the intent captures by hand.
    Succeeded,
    /// The bank has not answered yet.
    Pending,
    /// It was refused.
    Failed(&'a Decline),
}

/// One attempt to take the amount of an intent with a payment method.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The `PaymentIntent`.
    pub intent: &'a Value,
    /// The `PaymentMethod`.
    pub method: &'a Object,
    /// How it ended.
    pub ending: Ending<'a>,
    /// `three_d_secure.authentication_flow`, where the cardholder was authenticated.
    pub secure: Option<&'static str>,
}

/// Writes the charge of an attempt down; the caller tells of it.
pub fn write(txn: &mut Txn<'_>, attempt: &Attempt<'_>) -> Arc<Object> {
    let (intent, method) = (attempt.intent, attempt.method);
    let kind = text(method, "type");
    let id = txn.new_id(if kind == "card" { "ch_3" } else { "py_3" }, 23);
    let amount = int(intent, "amount");
    let manual = kind == "card" && text(intent, "capture_method") == "manual";
    let paid = matches!(attempt.ending, Ending::Succeeded);
    let captured = paid && !manual;
    let mut doc = new("charge", shown(intent));
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("id", json!(id));
    set("amount", json!(amount));
    set("amount_captured", json!(if captured { amount } else { 0 }));
    set("application", connect::acting(txn));
    set("billing_details", method.get("billing_details").cloned().unwrap_or(Value::Null));
    set("captured", json!(captured));
    set("created", json!(txn.now().0));
    let goes_to = intent.get("transfer_data").and_then(|data| data.get("destination"));
    set("destination", goes_to.cloned().unwrap_or_default());
    set("transfer_data", connect::terms::charged(intent));
    set("outcome", outcome(method));
    set("paid", json!(paid));
    set("payment_intent", intent.get("id").cloned().unwrap_or(Value::Null));
    set("payment_method", json!(text(method, "id")));
    set("payment_method_details", details(txn, attempt, manual));
    if let Some(radar) = radar_options(txn, intent) {
        set("radar_options", radar);
    }
    set("receipt_url", json!(format!("{}/receipts/{id}", txn.site().base_url)));
    match attempt.ending {
        Ending::Succeeded => {}
        Ending::Pending => set("status", json!("pending")),
        Ending::Failed(decline) => {
            set("status", json!("failed"));
            set("failure_code", json!(decline.code));
            set("failure_message", json!(decline.message()));
            set("outcome", decline.outcome());
            set("receipt_url", Value::Null);
        }
    }
    connect::terms::group(&mut doc);
    let behaviour = card_of(method).map(|card| card.behaviour);
    let available_at_once = behaviour == Some(Behaviour::AvailableAtOnce);
    let charge = txn.put_with(doc, ChargePart { available_at_once });
    note_checks(txn, method);
    if captured {
        return post(txn, intent, charge);
    }
    charge
}

/// A card that its bank was asked about shows what the bank found.
fn note_checks(txn: &mut Txn<'_>, method: &Object) {
    let found = checks(method);
    if method.get("card").is_some_and(|card| card.get("checks") != Some(&found)) {
        txn.edit("payment_method", text(method, "id"), |doc| {
            if let Some(Value::Object(card)) = doc.get_mut("card") {
                card.insert("checks".to_owned(), found);
            }
        });
    }
}

/// What was sent with the payment for Radar: kept beside an intent, among the terms of a direct charge, which shows
/// nothing where nothing was sent.
fn radar_options(txn: &Txn<'_>, intent: &Value) -> Option<Value> {
    let part = txn.record::<PaymentIntentPart>("payment_intent", text(intent, "id"));
    let sent = part.and_then(|part| part.radar_options.as_ref());
    let sent = sent.or_else(|| intent.get("radar_options"));
    if sent.is_none() && intent.get("id").is_none() {
        return None;
    }
    let session = sent.and_then(|radar| radar.get("session"));
    Some(session.map_or_else(|| json!({}), |session| json!({"session": session})))
}

/// What a charge takes over from its intent, and what every new charge starts with.
fn shown(intent: &Value) -> Value {
    let mut doc = json!({
        "amount_refunded": 0, "calculated_statement_descriptor": "STRIPEGYM", "disputed": false,
        "fraud_details": {}, "refunded": false, "status": "succeeded",
    });
    if let Value::Object(doc) = &mut doc {
        for name in INHERITED {
            doc.insert((*name).to_owned(), intent.get(*name).cloned().unwrap_or(Value::Null));
        }
    }
    doc
}

/// Has the balance transaction written: at once, or a moment later where the intent captures asynchronously.
pub fn post(txn: &mut Txn<'_>, intent: &Value, charge: Arc<Object>) -> Arc<Object> {
    let id = text(&charge, "id").to_owned();
    if text(intent, "capture_method") == "automatic_async" {
        txn.schedule(txn.now(), POST_JOB, &json!({"charge": id}));
        return charge;
    }
    book(txn, &id).map_or(charge, |(_, after)| after)
}

fn outcome(method: &Value) -> Value {
    let elevated = matches!(
        card_of(method).map(|card| card.behaviour),
        Some(Behaviour::Flagged(
            "riskLevelElevated" | "cvcCheckFailElevatedRisk" | "avsZipFailElevatedRisk"
        ))
    );
    let is_card = text(method, "type") == "card";
    json!({
        "advice_code": null, "network_advice_code": null, "network_decline_code": null,
        "network_status": "approved_by_network", "reason": if elevated { json!("elevated_risk_level") } else { Value::Null },
        "risk_level": if elevated { "elevated" } else if is_card { "normal" } else { "not_assessed" },
        "risk_score": if elevated { 66 } else { 20 },
        "seller_message": "Payment complete.", "type": "authorized",
    })
}

fn details(txn: &Txn<'_>, attempt: &Attempt<'_>, manual: bool) -> Value {
    let method = attempt.method;
    let kind = text(method, "type");
    let of_kind = match kind {
        "card" => card_details(txn, attempt, manual),
        "konbini" => json!({"store": {"chain": "familymart"}}),
        "sepa_debit" => {
            let part = |name: &str| {
                method.get("sepa_debit").and_then(|d| d.get(name)).cloned().unwrap_or(Value::Null)
            };
            json!({
                "bank_code": part("bank_code"), "branch_code": part("branch_code"),
                "country": part("country"), "expected_debit_date": null,
                "fingerprint": part("fingerprint"), "last4": part("last4"), "mandate": null,
            })
        }
        _ => fit(method.get(kind), "charge", &["payment_method_details", kind]),
    };
    json!({"type": kind, kind: of_kind})
}

fn card_details(txn: &Txn<'_>, attempt: &Attempt<'_>, manual: bool) -> Value {
    let method = attempt.method;
    let part = |name: &str| {
        method.get("card").and_then(|card| card.get(name)).cloned().unwrap_or(Value::Null)
    };
    let failed = matches!(attempt.ending, Ending::Failed(_));
    let mut secure = secured(attempt.secure);
    if let Value::Object(secure) = &mut secure {
        secure.insert("exemption_indicator".to_owned(), Value::Null);
    }
    let options = attempt.intent.get("payment_method_options").and_then(|it| it.get("card"));
    let asked = |name: &str| options.is_some_and(|card| text(card, name) == "if_available");
    let offered = |name| if manual && !failed && asked(name) { "available" } else { "unavailable" };
    let brand = part("brand");
    let amount = int(attempt.intent, "amount");
    let mut doc = json!({
        "amount_authorized": if failed { Value::Null } else { json!(amount) },
        "authorization_code": if failed { Value::Null } else { json!("123456") },
        "brand": brand, "checks": checks(method),
        "country": part("country"),
        "electronic_commerce_indicator": if failed { Value::Null } else { json!(if attempt.secure.is_some() { "05" } else { "07" }) },
        "exp_month": part("exp_month"), "exp_year": part("exp_year"),
        "extended_authorization": {"status": "disabled"}, "fingerprint": part("fingerprint"),
        "funding": part("funding"), "incremental_authorization": {"status": offered("request_incremental_authorization")},
        "installments": null, "last4": part("last4"), "mandate": null,
        "multicapture": {"status": offered("request_multicapture")}, "network": brand,
        "network_token": {"used": false}, "network_transaction_id": txn.new_id("", 15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated", "three_d_secure": secure, "transaction_link_id": null,
        "wallet": null,
    });
    if let (true, Some(doc)) = (manual && !failed, doc.as_object_mut()) {
        doc.insert("capture_before".to_owned(), json!(txn.now().plus(HOLD).0));
    }
    doc
}

/// `three_d_secure` of an attempt: how its card's owner was authenticated, where they were.
pub fn secured(flow: Option<&str>) -> Value {
    flow.map_or(Value::Null, |flow| {
        json!({
            "authentication_flow": flow, "electronic_commerce_indicator": "05",
            "result": "authenticated", "result_reason": null, "transaction_id": null, "version": "2.2.0",
        })
    })
}

/// Writes down the transaction of a captured charge, with its fee. Returns the charge before and after,
/// or `None` where it has one already or moved nothing.
pub fn book(txn: &mut Txn<'_>, charge_id: &str) -> Option<(Arc<Object>, Arc<Object>)> {
    let charge = txn.get("charge", charge_id)?;
    let captured = int(&charge, "amount_captured");
    if captured == 0 || !text(&charge, "balance_transaction").is_empty() {
        return None;
    }
    let currency: Currency = text(&charge, "currency").parse().ok()?;
    let gross = Money::new(captured, currency);
    let method = charge
        .get("payment_method_details")
        .and_then(|d| d.get("type"))
        .and_then(Value::as_str)
        .unwrap_or("card");
    let available_on = balance::expected(txn, &charge);
    let more = split::fees(txn, &charge);
    let id = balance::post_with(
        txn,
        &Movement {
            kind: if method == "card" { "charge" } else { "payment" },
            category: "charge",
            source: charge_id,
            gross,
            fee: fees::processing_fee(gross, method).minor,
            available_on,
            description: charge.get("description").and_then(Value::as_str),
        },
        &more,
    );
    txn.edit("charge", charge_id, |doc| {
        doc.insert("balance_transaction".to_owned(), json!(id));
    });
    split::paid(txn, charge_id);
    txn.get("charge", charge_id).map(|after| (charge, after))
}

/// Writes a charge's transaction down where that has not happened, and tells so.
pub fn catch_up(txn: &mut Txn<'_>, charge_id: &str) {
    if let Some((before, after)) = book(txn, charge_id) {
        txn.emit_change("charge.updated", &before, &after);
    }
}

/// The job behind [`POST_JOB`].
pub fn on_post(txn: &mut Txn<'_>, args: &Value) {
    catch_up(txn, text(args, "charge"));
}

/// Disputes a payment that was just taken, where its card or account is one that does. Gives the charge as it
/// is then.
pub fn dispute(txn: &mut Txn<'_>, charge: Arc<Object>) -> Arc<Object> {
    open::follow(txn, charge, catch_up)
}
