//! External accounts: the bank accounts that an account is paid out to.

use crate::sandbox::behaviour::connect::currency_in;
use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind, echo};
use serde_json::{Value, json};
use std::sync::Arc;

const PARAM: &str = "external_account";

/// A bank account out of what was sent: its details, or a token that stands for them. `param` names it in refusals.
pub fn drafted(
    txn: &mut Txn<'_>,
    account: &str,
    sent: &Value,
    param: &str,
) -> Result<Doc, Failure> {
    // A token may have been made in the account itself.
    let held = sent
        .as_str()
        .and_then(|token| txn.get("token", token).or_else(|| txn.at(account).get("token", token)));
    let details = match sent {
        Value::String(token) if token.starts_with("btok_") && held.is_none() => {
            ready_made(token, param)?
        }
        Value::String(token) => held
            .ok_or_else(|| Failure::missing("token", token, param))?
            .get("bank_account")
            .filter(|it| it.is_object())
            .cloned()
            .ok_or_else(|| not_yet(param))?,
        // Cards that are paid out to are not modelled.
        hash if hash.get("account_number").is_some() => hash.clone(),
        _ => return Err(not_yet(param)),
    };
    let country = text(&details, "country").to_ascii_uppercase();
    let number = text(&details, "account_number");
    let is_test = number.len() == 12 && number.starts_with("000");
    if country == "US" && !number.is_empty() && !is_test {
        let text = "You must use a test bank account number in test mode. Try 000123456789 or see more options at https://stripe.com/docs/connect/testing#account-numbers.";
        return Err(Failure::invalid(text)
            .code("account_number_invalid")
            .param(format!("{param}[account_number]")));
    }
    let last4 = if number.is_empty() { text(&details, "last4") } else { last(number) };
    let currency = match text(&details, "currency") {
        "" => currency_in(&country),
        currency => currency,
    };
    // As recorded: of the test banks, this one alone takes instant payouts.
    let is_instant = country == "US" && text(&details, "routing_number") == "110000000";
    let methods: &[&str] = if is_instant { &["standard", "instant"] } else { &["standard"] };
    let due =
        json!({"currently_due": [], "errors": [], "past_due": [], "pending_verification": []});
    let mut doc = new(
        "bank_account",
        json!({
            "id": txn.new_id("ba_1", 23), "account": account, "bank_name": "STRIPE TEST BANK",
            "account_holder_name": details.get("account_holder_name"),
            "account_holder_type": details.get("account_holder_type"),
            "account_type": details.get("account_type"),
            "available_payout_methods": methods, "country": country, "currency": currency,
            "fingerprint": txn.new_id("", 16), "future_requirements": due, "last4": last4,
            "metadata": {}, "requirements": due, "routing_number": details.get("routing_number"),
            "status": "new",
        }),
    );
    // It belongs to an account, and shows no customer.
    doc.remove("customer");
    Ok(doc)
}

/// The bank account behind a documented token: `btok_us_verified`, `btok_jp`.
fn ready_made(token: &str, param: &str) -> Result<Value, Failure> {
    let country = token.trim_start_matches("btok_").get(..2).unwrap_or_default();
    let country = country.to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Failure::missing("token", &echo(token), param));
    }
    let routing = if country == "US" { json!("110000000") } else { Value::Null };
    Ok(json!({"account_number": "000123456789", "country": country, "routing_number": routing}))
}

fn last(number: &str) -> &str {
    number.get(number.len().saturating_sub(4)..).unwrap_or(number)
}

fn not_yet(param: &str) -> Failure {
    let text = format!("`{param}` of this kind is not modelled by this sandbox yet.");
    Failure::of(501, FailureKind::Api, text).param(param)
}

/// Stores an external account: the first of its currency is the one that is paid out to, and any that says so.
pub fn add(txn: &mut Txn<'_>, account: &str, mut doc: Doc, wish: Option<bool>) -> Arc<Object> {
    let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_first = !txn
        .having("bank_account", "account", account)
        .iter()
        .any(|known| text(known, "currency") == currency);
    let is_default = is_first || wish == Some(true);
    doc.insert("default_for_currency".to_owned(), json!(is_default));
    let made = txn.put(doc);
    settle(txn, &made);
    made
}

/// Stores an external account that came with its account's own parameters: it replaces the one of its currency
/// that was paid out to. In which order that is told is believed.
pub fn replace(txn: &mut Txn<'_>, account: &str, doc: Doc) {
    let currency = doc.get("currency").cloned().unwrap_or_default();
    let mut before = txn.having("bank_account", "account", account);
    before.retain(|known| {
        known.get("default_for_currency") == Some(&json!(true))
            && known.get("currency") == Some(&currency)
    });
    let made = add(txn, account, doc, Some(true));
    txn.emit("account.external_account.created", &made);
    for gone in before {
        txn.remove("bank_account", text(&gone, "id"));
        txn.emit("account.external_account.deleted", &gone);
    }
}

/// Has one external account a currency be the one that is paid out to.
pub fn settle(txn: &mut Txn<'_>, chosen: &Value) {
    if chosen.get("default_for_currency") != Some(&json!(true)) {
        return;
    }
    let (account, id) = (text(chosen, "account"), text(chosen, "id"));
    for kind in ["bank_account", "card"] {
        for other in txn.having(kind, "account", account) {
            let same = text(&other, "currency") == text(chosen, "currency");
            let is_default = other.get("default_for_currency") == Some(&json!(true));
            if same && is_default && text(&other, "id") != id {
                txn.edit(kind, text(&other, "id"), |doc| {
                    doc.insert("default_for_currency".to_owned(), json!(false));
                });
            }
        }
    }
}

/// Fails where an external account cannot go: the last of the account's own currency. From memory of Stripe's own
/// words; no recording has them.
pub fn ensure_removable(txn: &Txn<'_>, account: &Value, bank: &Value) -> Result<(), Failure> {
    let is_default = bank.get("default_for_currency") == Some(&json!(true));
    let others = txn.having("bank_account", "account", text(account, "id"));
    let alone = others.len() < 2;
    if is_default && !alone && text(bank, "currency") == text(account, "default_currency") {
        let text = "You cannot delete the default external account for your default currency. Please make another external account the default using the `default_for_currency` param, and then delete this one.";
        return Err(Failure::invalid(text).param(PARAM));
    }
    Ok(())
}
