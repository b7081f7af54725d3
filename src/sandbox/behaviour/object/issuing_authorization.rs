//! Issuing authorizations: a merchant asks an issued card for money, as the helper for tests makes it ask.
//!
//! Believed, not proven: that it is decided at once, by the state of the card and its holder alone. Neither a webhook
//! that decides nor spending controls are modelled.

use crate::sandbox::behaviour::document::{Handler, int, new, text};
use crate::sandbox::behaviour::issuing::{self, Taken, in_path};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

const KIND: &str = "issuing.authorization";

/// Why a card that is asked says no: the member of whom, its word, the reason. What is in no row is approved.
const REFUSALS: [(&str, &str, &str); 4] = [
    ("card", "inactive", "card_inactive"),
    ("card", "canceled", "card_canceled"),
    ("cardholder", "inactive", "cardholder_inactive"),
    ("cardholder", "blocked", "cardholder_blocked"),
];

const NOT_MODELLED: &[&str] = &[
    "amount_details",
    "fleet",
    "fraud_disputability_likelihood",
    "fuel",
    "is_amount_controllable",
    "network_data",
    "risk_assessment",
    "verification_data",
];

/// The behaviour of what makes and moves issuing authorizations.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/test_helpers/issuing/authorizations" => create,
        // Where the official CLI asks for one.
        "POST /v1/issuing/cards/{card}/test/authorizations" => create_at_card,
        "POST /v1/test_helpers/issuing/authorizations/{authorization}/capture" => capture,
        "POST /v1/test_helpers/issuing/authorizations/{authorization}/increment" => increment,
        "POST /v1/test_helpers/issuing/authorizations/{authorization}/reverse" => reverse,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of authorizations", NOT_MODELLED)?;
    let card = txn.find("issuing.card", call.text("card").unwrap_or_default(), "card")?;
    issuing::ensure_currency(call, "currency", &card)?;
    let amount = match call.int("amount").or_else(|| call.int("merchant_amount")) {
        Some(amount) if amount >= 0 => amount,
        _ => issuing::positive(call, "amount")?,
    };
    ask(txn, call, &card, amount)
}

fn create_at_card(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let card = in_path(txn.find("issuing.card", call.id(0), "card"))?;
    issuing::ensure_currency(call, "held_currency", &card)?;
    let amount = issuing::positive(call, "held_amount")?;
    ask(txn, call, &card, amount)
}

/// Asks a card: the request is told of, where anything is left to decide, and then what came of it.
fn ask(txn: &mut Txn<'_>, call: &Call, card: &Object, amount: i64) -> Result<Body, Failure> {
    let merchant = issuing::merchant(call)?;
    let holder = &card["cardholder"];
    let status = |whose: &str| text(if whose == "card" { card } else { holder }, "status");
    let refusal = REFUSALS.iter().find(|(whose, word, _)| status(whose) == *word);
    let (currency, now) = (text(card, "currency").to_owned(), txn.now().0);
    let asked = json!({
        "amount": amount, "amount_details": null, "currency": currency,
        "merchant_amount": call.int("merchant_amount").unwrap_or(amount),
        "merchant_currency": call.text("merchant_currency").unwrap_or(&currency),
        "network_risk_score": null,
    });
    let waiting = waiting(txn, call, card, &asked, &merchant);
    if refusal.is_none() {
        let mut pending = waiting.clone();
        let mut request = asked.as_object().cloned().unwrap_or_default();
        request.insert("is_amount_controllable".to_owned(), json!(false));
        pending.insert("pending_request".to_owned(), Value::Object(request));
        txn.emit_about("issuing_authorization.request", &Value::Object(pending));
    }
    let mut doc = waiting;
    let mut history = asked.as_object().cloned().unwrap_or_default();
    let reason = refusal.map_or("card_active", |(_, _, reason)| *reason);
    history.extend(decision(refusal.is_none(), reason, now));
    doc.insert("approved".to_owned(), json!(refusal.is_none()));
    doc.insert("request_history".to_owned(), json!([history]));
    doc.insert("status".to_owned(), json!(if refusal.is_none() { "pending" } else { "closed" }));
    let made = txn.put(doc);
    txn.emit("issuing_authorization.created", &made);
    Ok(made.into())
}

fn decision(approved: bool, reason: &str, now: i64) -> Doc {
    json!({
        "approved": approved, "authorization_code": null, "created": now, "reason": reason,
        "reason_message": null, "requested_at": now,
    })
    .as_object()
    .cloned()
    .unwrap_or_default()
}

/// An authorization that nobody has decided about.
fn waiting(txn: &Txn<'_>, call: &Call, card: &Object, asked: &Value, merchant: &Value) -> Doc {
    let id = txn.new_id("iauth_1", 23);
    let check = "not_provided";
    let method = call.text("authorization_method").unwrap_or("online");
    let present = if method == "online" { "not_present" } else { "present" };
    new(
        KIND,
        json!({
            "id": id, "amount": asked["amount"], "approved": false,
            "authorization_method": method, "balance_transactions": [], "card": **card,
            "card_presence": present, "cardholder": card.get("cardholder").map(|it| text(it, "id")),
            "created": txn.now().0, "currency": asked["currency"], "livemode": false,
            "merchant_amount": asked["merchant_amount"],
            "merchant_currency": asked["merchant_currency"], "merchant_data": merchant,
            "metadata": {}, "request_history": [], "status": "pending", "transactions": [],
            "verification_data": {
                "address_line1_check": check, "address_postal_code_check": check,
                "authentication_exemption": null, "cvc_check": check, "expiry_check": check,
                "postal_code": null, "three_d_secure": null,
            },
            "wallet": call.text("wallet"),
        }),
    )
}

/// An authorization from which money can still be taken.
fn open(txn: &Txn<'_>, call: &Call, verb: &str) -> Result<Arc<Object>, Failure> {
    let known = in_path(txn.find(KIND, call.id(0), "authorization"))?;
    let status = text(&known, "status");
    if status == "pending" {
        return Ok(known);
    }
    let message = format!(
        "You can only {verb} an authorization whose status is `pending`; this one is `{status}`."
    );
    Err(Failure::invalid(message))
}

fn capture(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = open(txn, call, "capture")?;
    let held = int(&known, "amount");
    let amount = call.int("capture_amount").unwrap_or(held);
    let card =
        txn.find("issuing.card", known.get("card").map_or("", |card| text(card, "id")), "card")?;
    let id = text(&known, "id").to_owned();
    let taken = Taken {
        card: &card,
        amount,
        kind: "capture",
        authorization: Some(&id),
        merchant: known.get("merchant_data").cloned().unwrap_or_default(),
        details: issuing::details(call),
    };
    if amount < 1 {
        return Err(Failure::below_one("capture_amount"));
    }
    let transaction = issuing::make(txn, &taken)?;
    let closes = call.flag("close_authorization") != Some(false);
    change(txn, &known, |doc| {
        let left = if closes { 0 } else { (held - amount).max(0) };
        hold(doc, left);
        doc.insert("status".to_owned(), json!(if left == 0 { "closed" } else { "pending" }));
        if let Some(Value::Array(all)) = doc.get_mut("transactions") {
            all.push((**transaction).clone());
        }
    })
}

fn increment(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    call.ensure_modelled(" of authorizations", &["is_amount_controllable"])?;
    let known = open(txn, call, "increment")?;
    let more = issuing::positive(call, "increment_amount")?;
    let whole = int(&known, "amount").saturating_add(more);
    change(txn, &known, |doc| hold(doc, whole))
}

fn reverse(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = open(txn, call, "reverse")?;
    let held = int(&known, "amount");
    let back = call.int("reverse_amount").unwrap_or(held);
    if !(0..=held).contains(&back) {
        let message = format!("You can reverse at most {held} of this authorization.");
        return Err(Failure::invalid(message).param("reverse_amount"));
    }
    change(txn, &known, |doc| {
        hold(doc, held - back);
        if held == back {
            doc.insert("status".to_owned(), json!("reversed"));
        }
    })
}

/// Sets how much of the card's money is held.
fn hold(doc: &mut Doc, amount: i64) {
    for name in ["amount", "merchant_amount"] {
        doc.insert(name.to_owned(), json!(amount));
    }
}

fn change(
    txn: &mut Txn<'_>,
    known: &Object,
    write: impl FnOnce(&mut Doc),
) -> Result<Body, Failure> {
    let id = text(known, "id");
    let Some((before, after)) = txn.edit(KIND, id, write) else {
        return Err(Failure::missing("authorization", id, "authorization"));
    };
    txn.emit_change("issuing_authorization.updated", &before, &after);
    Ok(after.into())
}
