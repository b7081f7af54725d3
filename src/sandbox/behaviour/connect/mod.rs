//! Money between accounts: transfers and what is taken back of them, application fees and their refunds, and what
//! follows where a payment that names another account is paid and refunded.
//!
//! `part` is the arithmetic; `terms` says what a payment may ask for, `split` does it once the money is there.

pub mod bank;
pub mod fee;
pub mod onboarding;
pub mod part;
pub mod requirements;
pub mod reversal;
pub mod second;
pub mod secret;
pub mod split;
pub mod standing;
pub mod terms;
pub mod transfer;

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;
use serde_json::{Value, json};
use std::sync::Arc;

/// What descriptions call the platform.
pub const APPLICATION_NAME: &str = "stripegym";

/// The currencies of countries that do not pay in euros.
const CURRENCIES: [(&str, &str); 25] = [
    ("AE", "aed"),
    ("AU", "aud"),
    ("BR", "brl"),
    ("CA", "cad"),
    ("CH", "chf"),
    ("CZ", "czk"),
    ("DK", "dkk"),
    ("GB", "gbp"),
    ("HK", "hkd"),
    ("HU", "huf"),
    ("IN", "inr"),
    ("JP", "jpy"),
    ("KR", "krw"),
    ("LI", "chf"),
    ("MX", "mxn"),
    ("MY", "myr"),
    ("NO", "nok"),
    ("NZ", "nzd"),
    ("PH", "php"),
    ("PL", "pln"),
    ("RO", "ron"),
    ("SE", "sek"),
    ("SG", "sgd"),
    ("TH", "thb"),
    ("US", "usd"),
];

/// How many of its reversals or refunds an object shows.
const SHOWN: usize = 10;

/// The behaviour of transfers and application fees.
pub fn handler(key: &str) -> Option<Handler> {
    let money = transfer::handler(key).or_else(|| reversal::handler(key));
    let more = money.or_else(|| fee::handler(key)).or_else(|| onboarding::handler(key));
    more.or_else(|| secret::handler(key))
}

/// The scheduled job of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == standing::VERIFY_JOB).then_some(standing::on_verify)
}

/// The id of the platform's application, as objects of connected accounts name it.
pub fn application(txn: &Txn<'_>) -> String {
    let platform = txn.platform_id();
    let own = platform.trim_start_matches("acct_");
    format!("ca_{own}{own}")
}

/// The application that acts in the account of this change; null in the platform's own.
pub fn acting(txn: &Txn<'_>) -> Value {
    if txn.scope().account.is_empty() { Value::Null } else { json!(application(txn)) }
}

/// The scope of an account that an object names: the platform's is empty.
pub fn scope_of(txn: &Txn<'_>, account: &str) -> String {
    if account == txn.platform_id() { String::new() } else { account.to_owned() }
}

/// The id of the account that this change works in.
pub fn own_id(txn: &Txn<'_>) -> String {
    let own = txn.scope().account.to_string();
    if own.is_empty() { txn.platform_id() } else { own }
}

/// The currency of a country.
pub fn currency_in(country: &str) -> &'static str {
    CURRENCIES.iter().find(|(name, _)| *name == country).map_or("eur", |(_, currency)| currency)
}

fn currency_of(doc: &Value) -> Currency {
    text(doc, "currency").parse().unwrap_or(Currency::JPY)
}

/// The list of what stands within an object, as the object shows it: oldest last.
fn shown_within(found: &[Arc<Object>], url: &str) -> Value {
    let data: Vec<Value> = found.iter().take(SHOWN).map(|it| it.document()).collect();
    json!({
        "object": "list", "data": data, "has_more": found.len() > SHOWN,
        "total_count": found.len(), "url": url,
    })
}

#[cfg(test)]
mod tests;
