//! Where payouts go: the bank accounts of an account, and what the test numbers among them do.

use crate::sandbox::behaviour::document::{new, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, echo};
use serde_json::{Value, json};
use std::sync::Arc;

/// The last four digits of the test numbers that refuse, the code, and what the bank says. The numbers differ by
/// country in their length alone. Believed, not proven: the documentation names the numbers, the sentences are ours
/// where it has none.
const REFUSING: &[(&str, &str, &str)] = &[
    ("1113", "account_closed", "The bank account has been closed."),
    (
        "1116",
        "no_account",
        "The bank account details on file are probably incorrect. No bank account could be located with those details.",
    ),
    (
        "2227",
        "insufficient_funds",
        "Your Stripe account has insufficient funds to cover the payout.",
    ),
    (
        "3335",
        "debit_not_authorized",
        "Debit transactions are not approved on your bank account. (Stripe requires bank accounts to be set up for both credit and debit payouts.)",
    ),
    (
        "4440",
        "invalid_currency",
        "The bank was unable to process this payout because of its currency. This is probably because the bank account cannot accept payments in that currency.",
    ),
];

/// Why a bank account refuses what is paid out to it: code and sentence.
pub fn refusal(bank: &Value) -> Option<(&'static str, &'static str)> {
    let last4 = text(bank, "last4");
    REFUSING.iter().find(|row| row.0 == last4).map(|(_, code, message)| (*code, *message))
}

/// The bank account that a payout in a currency goes to: the one that is named, else the default of the currency.
///
/// Fails where there is none.
pub fn destination(
    txn: &mut Txn<'_>,
    currency: &str,
    named: Option<&str>,
) -> Result<Arc<Object>, Failure> {
    if let Some(id) = named {
        return txn.find("bank_account", id, "destination").map_err(|_| {
            Failure::invalid(format!("No such external account: '{}'", echo(id)))
                .code("resource_missing")
                .param("destination")
        });
    }
    usual(txn, currency).ok_or_else(|| {
        Failure::invalid(format!(
            "Sorry, you don't have any external accounts in that currency ({currency})."
        ))
    })
}

/// The default bank account of a currency. The platform's own is made when it is first asked for, as every
/// account in a sandbox begins with one.
pub fn usual(txn: &mut Txn<'_>, currency: &str) -> Option<Arc<Object>> {
    let all = txn.having("bank_account", "currency", currency);
    let is_default = |it: &&Arc<Object>| it.get("default_for_currency") == Some(&json!(true));
    let found = all.iter().find(is_default).or_else(|| all.first()).cloned();
    if found.is_some() || !txn.scope().account.is_empty() {
        return found;
    }
    Some(open(txn, currency))
}

fn open(txn: &mut Txn<'_>, currency: &str) -> Arc<Object> {
    let country = Settings::of(txn).get("country").to_owned();
    let due =
        json!({"currently_due": [], "errors": [], "past_due": [], "pending_verification": []});
    let doc = new(
        "bank_account",
        json!({
            "id": txn.new_id("ba_1", 23), "account": txn.platform_id(),
            "available_payout_methods": ["standard"], "bank_name": "STRIPE TEST BANK",
            "country": country, "currency": currency, "default_for_currency": true,
            "fingerprint": txn.new_id("", 16), "future_requirements": due, "last4": "6789",
            "metadata": {}, "requirements": due, "routing_number": "110000000", "status": "new",
        }),
    );
    txn.put(doc)
}
