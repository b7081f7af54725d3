//! The cards, bank accounts and sources of a customer: added, shown, changed, removed; one of them is the default.

use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::checks;
use crate::sandbox::behaviour::document::{merge_hash, merge_metadata, text};
use crate::sandbox::behaviour::saved::card::{self, Details, OWNER};
use crate::sandbox::behaviour::saved::token::{self, Held};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::{Txn, View, missing};
use crate::wire::failure::{Failure, FailureKind, echo};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What stands in a customer's `sources`.
pub const KINDS: [&str; 3] = ["card", "bank_account", "source"];

/// The sums that are sent to every test account, as proof that it is its owner's.
pub const AMOUNTS: [i64; 2] = [32, 45];

/// How many the list within a customer shows.
const SHOWN: usize = 10;

/// Everything that a customer has saved the old way, newest first.
pub fn of_customer(view: &View, customer: &str) -> Vec<Arc<Object>> {
    let mut found: Vec<Arc<Object>> = Vec::new();
    for kind in KINDS {
        found.extend(view.having(kind, "customer", customer));
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.stored().seq));
    found
}

/// `sources` of a customer, where they are expanded.
pub fn list(view: &View, customer: &str) -> Value {
    let found = of_customer(view, customer);
    let data: Vec<Value> = found.iter().take(SHOWN).map(|it| it.document()).collect();
    json!({
        "object": "list", "data": data, "has_more": found.len() > SHOWN, "total_count": found.len(),
        "url": format!("/v1/customers/{customer}/sources"),
    })
}

/// The card, bank account or source of a customer. Fails with a 404 where it has none of that id.
pub fn find(txn: &Txn<'_>, customer: &str, id: &str) -> Result<Arc<Object>, Failure> {
    let found = KINDS.iter().find_map(|kind| txn.get(kind, id));
    found.filter(|it| text(it, "customer") == customer).ok_or_else(|| missing("source", id, "id"))
}

/// Saves what a token or a source stands for with a customer; the customer's default is the caller's to set.
///
/// Fails where there is no such token, where it was used, and where a card's bank refuses it: then nothing stays.
pub fn add(
    txn: &mut Txn<'_>,
    customer: &str,
    sent: &str,
    param: &str,
) -> Result<Arc<Object>, Failure> {
    if txn.get("source", sent).is_some() {
        return adopt(txn, customer, sent);
    }
    match token::spend(txn, sent, param)? {
        Held::Card(details) => save_card(txn, customer, &details),
        Held::Bank(mut account) => {
            account.insert("customer".to_owned(), json!(customer));
            account.insert("metadata".to_owned(), json!({}));
            Ok(txn.put(account))
        }
    }
}

fn save_card(txn: &mut Txn<'_>, customer: &str, details: &Details) -> Result<Arc<Object>, Failure> {
    if let Some(decline) = Decline::on_verifying(details.card) {
        let param = decline.param().unwrap_or_default();
        return Err(Failure { keeps_changes: false, ..decline.failure().param(param) });
    }
    let twin = details.put_twin(txn).ok_or_else(|| missing("card", &details.id, "source"))?;
    let card = txn.put(details.checked(&twin, Some(customer)));
    note_owner(txn, &details.id, json!(customer), &checks(&twin));
    Ok(card)
}

/// Writes into the twin of a card whose it is and what its bank found.
fn note_owner(txn: &mut Txn<'_>, id: &str, customer: Value, checks: &Value) {
    txn.edit("payment_method", id, |doc| {
        doc.insert("customer".to_owned(), customer);
        if let Some(Value::Object(card)) = doc.get_mut("card") {
            card.insert("checks".to_owned(), checks.clone());
        }
    });
}

/// A source becomes a customer's own.
fn adopt(txn: &mut Txn<'_>, customer: &str, id: &str) -> Result<Arc<Object>, Failure> {
    let source = txn.find("source", id, "source")?;
    if text(&source, "status") == "consumed" || !text(&source, "customer").is_empty() {
        // Believed: the words of a source that is taken.
        let text = "The source you provided is not in a chargeable state or was attached already.";
        return Err(Failure::invalid(text).param("source"));
    }
    txn.edit("source", id, |doc| {
        doc.insert("customer".to_owned(), json!(customer));
    });
    txn.edit("payment_method", id, |doc| {
        doc.insert("customer".to_owned(), json!(customer));
    });
    txn.find("source", id, "source")
}

/// Takes something out of a customer's wallet. Returns what the API answers; the next one becomes the default.
pub fn remove(txn: &mut Txn<'_>, customer: &str, id: &str) -> Result<Value, Failure> {
    let found = find(txn, customer, id)?;
    let kind = text(&found, "object").to_owned();
    let answer = take_out(txn, &found, &kind);
    txn.emit("customer.source.deleted", &found);
    replace_default(txn, customer, id);
    Ok(answer)
}

fn take_out(txn: &mut Txn<'_>, found: &Object, kind: &str) -> Value {
    let id = text(found, "id");
    txn.edit_with("payment_method", id, |doc, part: &mut PaymentMethodPart| {
        doc.insert("customer".to_owned(), Value::Null);
        part.spent = true;
    });
    if kind != "source" {
        txn.remove(kind, id);
        return json!({"id": id, "object": kind, "deleted": true});
    }
    let changed = txn.edit("source", id, |doc| {
        doc.insert("status".to_owned(), json!("consumed"));
        doc.remove("customer");
    });
    changed.map_or(Value::Null, |(_, after)| after.document())
}

/// Takes out what another source replaces as the default.
pub fn discard(txn: &mut Txn<'_>, customer: &str, id: &str) {
    if let Ok(found) = find(txn, customer, id) {
        let kind = text(&found, "object").to_owned();
        take_out(txn, &found, &kind);
        txn.emit("customer.source.deleted", &found);
    }
}

/// Forgets what a payment method that was detached is the twin of.
pub fn forget_twin(txn: &mut Txn<'_>, customer: &str, id: &str) {
    let Some(found) = KINDS.iter().find_map(|kind| txn.get(kind, id)) else { return };
    let kind = text(&found, "object").to_owned();
    take_out(txn, &found, &kind);
    txn.emit("customer.source.deleted", &found);
    replace_default(txn, customer, id);
}

/// Where the default has gone, the newest of the others takes its place (believed: Stripe says which not).
fn replace_default(txn: &mut Txn<'_>, customer: &str, gone: &str) {
    let owner = txn.get("customer", customer);
    if owner.is_none_or(|owner| text(&owner, "default_source") != gone) {
        return;
    }
    let next = of_customer(txn, customer).first().map(|it| text(it, "id").to_owned());
    let changed = txn.edit("customer", customer, |doc| {
        doc.insert("default_source".to_owned(), json!(next));
    });
    if let Some((before, after)) = changed {
        txn.emit_change("customer.updated", &before, &after);
    }
}

/// Removes everything that a customer who is deleted had.
pub fn clear(txn: &mut Txn<'_>, customer: &str) {
    for found in of_customer(txn, customer) {
        let kind = text(&found, "object").to_owned();
        take_out(txn, &found, &kind);
    }
}

/// Fails where a default is none of the customer's own.
pub fn ensure_own(txn: &Txn<'_>, customer: &str, id: &str) -> Result<(), Failure> {
    if find(txn, customer, id).is_ok() {
        return Ok(());
    }
    let message = format!("No such source: '{}'", echo(id));
    Err(Failure::invalid(message).code("resource_missing").param("default_source"))
}

/// What a customer is charged with where a charge names nothing, or names one of the customer's own.
pub fn chosen(txn: &Txn<'_>, customer: &str, asked: Option<&str>) -> Option<Arc<Object>> {
    let owner = txn.get("customer", customer)?;
    let id = asked.unwrap_or_else(|| text(&owner, "default_source"));
    find(txn, customer, id).ok()
}

/// The refusal of a charge of a card that is none of the customer's.
pub fn not_own(customer: &str, asked: &str) -> Failure {
    let message = format!("Customer {customer} does not have card with ID {}", echo(asked));
    Failure::of(404, FailureKind::InvalidRequest, message).code("resource_missing").param("card")
}

/// Changes what is said of a card's or bank account's owner, and a card's expiry; its twin follows.
pub fn update(
    txn: &mut Txn<'_>,
    customer: &str,
    id: &str,
    params: &Map<String, Value>,
) -> Result<Arc<Object>, Failure> {
    let found = find(txn, customer, id)?;
    let kind = text(&found, "object").to_owned();
    let names: Vec<&str> = match kind.as_str() {
        "card" => OWNER.to_vec(),
        "bank_account" => vec!["account_holder_name", "account_holder_type"],
        _ => Vec::new(),
    };
    let number = |name: &str| {
        let sent = params.get(name)?;
        sent.as_i64().or_else(|| sent.as_str()?.trim().parse().ok())
    };
    let changed = txn.edit(&kind, id, |doc| {
        for name in names {
            if let Some(sent) = params.get(name) {
                doc.insert(name.to_owned(), sent.clone());
            }
        }
        for name in ["exp_month", "exp_year"] {
            if let (true, Some(sent)) = (kind == "card", number(name)) {
                doc.insert(name.to_owned(), json!(sent));
            }
        }
        merge_hash(doc.get_mut("owner"), params.get("owner").and_then(Value::as_object));
        merge_metadata(doc, params);
    });
    let Some((before, after)) = changed else { return Ok(found) };
    let billing = card::billing(&after).shown();
    txn.edit("payment_method", id, |doc| {
        if kind == "card" {
            doc.insert("billing_details".to_owned(), billing);
        }
        if let Some(Value::Object(card)) = doc.get_mut("card") {
            for name in ["exp_month", "exp_year"] {
                card.insert(name.to_owned(), after.get(name).cloned().unwrap_or_default());
            }
        }
    });
    txn.emit_change("customer.source.updated", &before, &after);
    Ok(after)
}

/// Verifies a bank account by the two sums that were sent to it.
pub fn verify(
    txn: &mut Txn<'_>,
    customer: &str,
    id: &str,
    amounts: &[i64],
) -> Result<Arc<Object>, Failure> {
    let found = find(txn, customer, id)?;
    if text(&found, "object") != "bank_account" {
        return Err(missing("bank_account", id, "id"));
    }
    if text(&found, "status") == "verified" {
        let text = "This bank account has already been verified.";
        return Err(Failure::invalid(text));
    }
    let mut said = amounts.to_vec();
    said.sort_unstable();
    if said != AMOUNTS {
        // Believed: the words of sums that do not fit.
        let text =
            "The amounts provided do not match the amounts that were sent to the bank account.";
        return Err(Failure::of(402, FailureKind::InvalidRequest, text)
            .code("bank_account_verification_failed"));
    }
    let changed = txn.edit("bank_account", id, |doc| {
        doc.insert("status".to_owned(), json!("verified"));
    });
    let Some((before, after)) = changed else { return Ok(found) };
    txn.emit_change("customer.source.updated", &before, &after);
    Ok(after)
}
