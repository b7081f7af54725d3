//! Tokens: details that are named once and used once.

use crate::domain::card;
use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::cards::stored::ready_made_expiry;
use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::behaviour::saved::card::{Details, OWNER};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::{Failure, echo};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a token stands for.
#[derive(Clone, Debug)]
pub enum Held {
    /// A card.
    Card(Box<Details>),
    /// A bank account.
    Bank(Doc),
}

/// Makes a token of the details of a card.
///
/// Fails where they are none of a test card, and for numbers that a server sends (see [`cards::ensure_may_type`]).
pub fn of_card(txn: &mut Txn<'_>, sent: &Map<String, Value>) -> Result<Arc<Object>, Failure> {
    cards::ensure_may_type(txn, "card[number]")?;
    let entry = cards::typed(&Value::Object(sent.clone()), cards::Billing::default());
    let found = cards::check(&entry, txn.now())?;
    let mut said = Doc::new();
    for name in OWNER.iter().chain(&["currency"]) {
        if let Some(value) = sent.get(*name).filter(|value| value.is_string()) {
            said.insert((*name).to_owned(), value.clone());
        }
    }
    let details = Details {
        id: txn.new_id("card_1", 23),
        card: found,
        expiry: (entry.exp_month, cards::full_year(entry.exp_year)),
        cvc: entry.cvc.is_some(),
        said,
    };
    Ok(put(txn, "tok_1", "card", Some(details.shown())))
}

/// Makes a token of the card that a ready-made one (`tok_visa`) stands for; `None` where it stands for none.
pub fn of_ready_made(txn: &mut Txn<'_>, token: &str) -> Option<Arc<Object>> {
    let details = ready_made(txn, token)?;
    Some(put(txn, "tok_1", "card", Some(details.shown())))
}

fn ready_made(txn: &Txn<'_>, token: &str) -> Option<Details> {
    let card = token.starts_with("tok_").then(|| card::by_token(token)).flatten()?;
    let (id, expiry) = (txn.new_id("card_1", 23), ready_made_expiry(txn));
    Some(Details { id, card, expiry, cvc: true, said: Doc::new() })
}

/// Makes a token of a card that a customer has saved: a copy, which may be used in another account.
pub fn of_saved_card(txn: &mut Txn<'_>, saved: &Value) -> Result<Arc<Object>, Failure> {
    let details = Details::read(saved).ok_or_else(|| missing("card", text(saved, "id"), "card"))?;
    let copy = Details { id: txn.new_id("card_1", 23), ..details };
    let mut shown = copy.shown();
    // Its bank was asked when it was saved.
    shown.insert("cvc_check".to_owned(), saved.get("cvc_check").cloned().unwrap_or_default());
    Ok(put(txn, "tok_1", "card", Some(shown)))
}

/// Makes a token of a bank account.
pub fn of_bank_account(txn: &mut Txn<'_>, sent: &Map<String, Value>) -> Arc<Object> {
    let account = bank_account(txn, &Value::Object(sent.clone()));
    put(txn, "btok_1", "bank_account", Some(account))
}

/// Makes a token that stands for nothing that is shown: a security code, a personal number.
pub fn of_secret(txn: &mut Txn<'_>, kind: &'static str) -> Arc<Object> {
    let prefix = if kind == "pii" { "pii_1" } else { "cvctok_1" };
    put(txn, prefix, kind, None)
}

fn put(txn: &mut Txn<'_>, prefix: &str, kind: &str, held: Option<Doc>) -> Arc<Object> {
    let mut doc = new(
        "token",
        json!({
            "id": txn.new_id(prefix, 23), "client_ip": "127.0.0.1", "created": txn.now().0,
            "type": kind, "used": false,
        }),
    );
    if let Some(held) = held {
        doc.insert(kind.to_owned(), Value::Object(held));
    }
    txn.put(doc)
}

/// A bank account of nobody out of what was sent.
fn bank_account(txn: &Txn<'_>, sent: &Value) -> Doc {
    let number = text(sent, "account_number");
    let last4 = number.get(number.len().saturating_sub(4)..).unwrap_or(number);
    let country = text(sent, "country").to_ascii_uppercase();
    let routing = sent.get("routing_number").cloned().unwrap_or(Value::Null);
    new(
        "bank_account",
        json!({
            "id": txn.new_id("ba_1", 23), "account_holder_name": sent.get("account_holder_name"),
            "account_holder_type": sent.get("account_holder_type"),
            "account_type": sent.get("account_type"), "bank_name": "STRIPE TEST BANK",
            "country": country, "currency": text(sent, "currency").to_ascii_lowercase(),
            "fingerprint": cards::fingerprint(number), "last4": last4, "routing_number": routing,
            "status": "new",
        }),
    )
}

/// Ready-made tokens of bank accounts, with their numbers.
const BANKS: &[(&str, &str)] = &[
    ("btok_us", "000123456789"),
    ("btok_us_verified", "000123456789"),
    ("btok_us_verified_noAccount", "000111111116"),
    ("btok_us_verified_accountClosed", "000111111113"),
    ("btok_us_verified_insufficientFunds", "000222222227"),
    ("btok_us_verified_debitNotAuthorized", "000333333335"),
];

/// Uses a token up, a ready-made one (`tok_visa`) or one that was made, and says what it stood for; `param` named it.
///
/// Fails where there is none, and for one that was used.
pub fn spend(txn: &mut Txn<'_>, token: &str, param: &str) -> Result<Held, Failure> {
    if let Some((name, number)) = BANKS.iter().find(|known| known.0 == token) {
        let sent = json!({
            "account_number": number, "country": "US", "currency": "usd",
            "routing_number": "110000000",
        });
        let mut account = bank_account(txn, &sent);
        if name.contains("verified") {
            account.insert("status".to_owned(), json!("verified"));
        }
        return Ok(Held::Bank(account));
    }
    if let Some(found) = txn.get("token", token) {
        return spend_made(txn, &found, param);
    }
    cards::refuse_unmodelled(token)?;
    let details = ready_made(txn, token).ok_or_else(|| missing("token", token, param))?;
    Ok(Held::Card(Box::new(details)))
}

fn spend_made(txn: &mut Txn<'_>, token: &Object, param: &str) -> Result<Held, Failure> {
    let id = text(token, "id");
    if token.get("used") == Some(&json!(true)) {
        let message = format!("You cannot use a Stripe token more than once: {}.", echo(id));
        return Err(Failure::invalid(message).code("token_already_used"));
    }
    let held = match text(token, "type") {
        "card" => token.get("card").and_then(Details::read).map(Box::new).map(Held::Card),
        "bank_account" => {
            token.get("bank_account").and_then(Value::as_object).cloned().map(Held::Bank)
        }
        _ => None,
    };
    let held = held.ok_or_else(|| missing("token", id, param))?;
    txn.edit("token", id, |doc| {
        doc.insert("used".to_owned(), json!(true));
    });
    Ok(held)
}
