//! Payment methods: made from card entry, tokens, konbini details and bank accounts; attached and detached.

use crate::domain::card::{self, Card};
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::behaviour::cards::stored::{
    card_of, checks, put_as, put_card, ready_made_expiry,
};
use crate::sandbox::behaviour::cards::{
    self, Billing, CardEntry, ensure_may_type, refuse_unmodelled, typed,
};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::payment::bank;
use crate::sandbox::behaviour::saved::token::{self, Held};
use crate::sandbox::behaviour::saved::wallet;
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::{Failure, echo};
use serde_json::{Value, json};
use std::sync::Arc;

const SPENT: &str = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.";

/// Makes a payment method from the parameters of its endpoint, or from `payment_method_data` which stands at
/// `at`. Returns its id.
///
/// Fails for raw card numbers: only pages take those, hosted ones and those with a publishable key.
pub fn create_from_params(txn: &mut Txn<'_>, params: &Doc, at: &str) -> Result<String, Failure> {
    let path = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            let (head, tail) = name.split_once('[').unwrap_or((name, ""));
            let tail = if tail.is_empty() { String::new() } else { format!("[{tail}") };
            format!("{at}[{head}]{tail}")
        }
    };
    let required = |name: &str| {
        let name = path(name);
        Failure::invalid(format!("Missing required param: {name}."))
            .code("parameter_missing")
            .param(name)
    };
    let Some(kind) = params.get("type").and_then(Value::as_str) else {
        return Err(required("type"));
    };
    let billing = Billing::read(params.get("billing_details"));
    let details = params.get(kind).cloned().unwrap_or(Value::Null);
    match kind {
        "card" => match details.get("token").and_then(Value::as_str) {
            Some(token) => create_from_token(txn, token, &billing),
            None if details.get("number").is_some() => {
                ensure_may_type(txn, &path("card[number]"))?;
                create_card(txn, &typed(&details, billing))
            }
            None => Err(required("card[token]")),
        },
        "konbini" => Ok(create_konbini(txn, &billing)),
        "sepa_debit" => match details.get("iban").and_then(Value::as_str) {
            Some(iban) => create_sepa_debit(txn, iban, &billing),
            None => Err(required("sepa_debit[iban]")),
        },
        other => {
            let details = if details.is_object() { details } else { json!({}) };
            Ok(create_plain(txn, other, &details, &billing))
        }
    }
}

/// The payment method that a call names or describes, as its own copy.
pub fn chosen(txn: &mut Txn<'_>, call: &Call) -> Result<Option<String>, Failure> {
    if let Some(data) = call.hash("payment_method_data") {
        return create_from_params(txn, data, "payment_method_data").map(Some);
    }
    let Some(asked) = call.text("payment_method") else { return Ok(None) };
    let found = instantiate_test_method(txn, asked, "payment_method")?;
    Ok(Some(text(&found, "id").to_owned()))
}

/// Fails where a call both names and describes a payment method.
pub fn ensure_one(call: &Call) -> Result<(), Failure> {
    if !call.sent("payment_method") || !call.sent("payment_method_data") {
        return Ok(());
    }
    let text = "You may only specify one of these parameters: payment_method, payment_method_data.";
    Err(Failure::invalid(text).param("payment_method"))
}

/// Makes a card payment method from what was typed in. Returns its id.
///
/// Fails as Stripe does for a bad number, date or security code, and for cards that are not test cards.
pub fn create_card(txn: &mut Txn<'_>, entry: &CardEntry) -> Result<String, Failure> {
    let card = cards::check(entry, txn.now())?;
    let expiry = (entry.exp_month, cards::full_year(entry.exp_year));
    let id = txn.new_id("pm_1", 23);
    put_card(txn, &id, card, expiry, &entry.billing, entry.cvc.is_some());
    Ok(id)
}

/// Makes a konbini payment method. Returns its id.
pub fn create_konbini(txn: &mut Txn<'_>, billing: &Billing) -> String {
    put(txn, "konbini", &json!({}), billing)
}

/// Makes a SEPA direct debit payment method from an IBAN. Returns its id.
///
/// Fails where the IBAN's check digits are wrong.
pub fn create_sepa_debit(
    txn: &mut Txn<'_>,
    iban: &str,
    billing: &Billing,
) -> Result<String, Failure> {
    let details = bank::of_iban(&checked_iban(iban)?);
    Ok(put(txn, "sepa_debit", &details, billing))
}

/// An IBAN in capitals and without blanks.
///
/// Fails where its check digits are wrong.
pub fn checked_iban(iban: &str) -> Result<String, Failure> {
    let iban: String = iban.chars().filter(|c| !c.is_whitespace()).collect();
    let iban = iban.to_ascii_uppercase();
    if iban_holds(&iban) {
        return Ok(iban);
    }
    Err(Failure::invalid("The IBAN you provided is invalid.")
        .code("payment_method_invalid_parameter")
        .param("sepa_debit[iban]"))
}

/// Makes a card payment method from a token: a ready-made one (`tok_visa`), or one that was made. Returns its id.
pub fn create_from_token(
    txn: &mut Txn<'_>,
    token: &str,
    billing: &Billing,
) -> Result<String, Failure> {
    refuse_unmodelled(token)?;
    if token.starts_with("tok_card_") {
        return Err(Failure::invalid("There is a part of the token that is not valid: 'card'."));
    }
    if txn.get("token", token).is_some() {
        let Held::Card(details) = token::spend(txn, token, "token")? else {
            return Err(invalid_token(token));
        };
        let id = txn.new_id("pm_1", 23);
        let said = details.billing(billing);
        put_card(txn, &id, details.card, details.expiry, &said, details.cvc);
        return Ok(id);
    }
    let card = token.starts_with("tok_").then(|| card::by_token(token)).flatten();
    let card = card.ok_or_else(|| invalid_token(token))?;
    Ok(put_ready_made(txn, card, billing))
}

fn invalid_token(token: &str) -> Failure {
    Failure::invalid(format!("Invalid token id: {}", echo(token))).param("token")
}

/// Makes a payment method of another type from its parameters: only what needs no further detail.
pub fn create_plain(txn: &mut Txn<'_>, kind: &str, details: &Value, billing: &Billing) -> String {
    put(txn, kind, &bank::shown(kind, details), billing)
}

/// The payment method of that id; a ready-made one (`pm_card_visa`, `tok_visa`) becomes a fresh copy.
///
/// Fails with `resource_missing` naming `param`.
pub fn instantiate_test_method(
    txn: &mut Txn<'_>,
    id: &str,
    param: &str,
) -> Result<Arc<Object>, Failure> {
    if let Some(found) = txn.get("payment_method", id) {
        return Ok(found);
    }
    let none = Billing::default();
    refuse_unmodelled(id)?;
    let copy = if let Some(card) = card::by_token(id) {
        put_ready_made(txn, card, &none)
    } else if let Some(iban) = ready_made_iban(id) {
        create_sepa_debit(txn, iban, &none)?
    } else if let Some((_, number)) = AMERICAN.iter().find(|known| known.0 == id) {
        let account = json!({"account_number": number, "routing_number": "110000000"});
        let copy = create_plain(txn, "us_bank_account", &account, &none);
        // A ready-made account needs no more verifying.
        txn.edit_part("payment_method", &copy, |part: &mut PaymentMethodPart| part.verified = true);
        copy
    } else {
        return txn.find("payment_method", id, param);
    };
    txn.find("payment_method", &copy, param)
}

/// Attaches a payment method to a customer after verifying it.
///
/// Fails where it belongs to another customer, was used up, or its bank refuses it.
pub fn attach(txn: &mut Txn<'_>, id: &str, customer: &str) -> Result<Arc<Object>, Failure> {
    let method = txn.find("payment_method", id, "payment_method")?;
    let owner = text(&method, "customer");
    if owner == customer {
        return Ok(method);
    }
    if !owner.is_empty() {
        let text = "The payment method you provided has already been attached to a customer.";
        return Err(Failure::invalid(text));
    }
    ensure_unspent(&method)?;
    txn.find("customer", customer, "customer")?;
    let verified = card_of(&method).and_then(Decline::on_verifying);
    if let Some(decline) = verified.or_else(|| Decline::on_checks(txn, &method)) {
        let param = decline.param().unwrap_or_default();
        return Err(Failure { keeps_changes: false, ..decline.failure().param(param) });
    }
    Ok(adopt(txn, &method, customer))
}

/// Attaches a payment method that has just been paid with, without verifying it again.
pub fn adopt(txn: &mut Txn<'_>, method: &Arc<Object>, customer: &str) -> Arc<Object> {
    let found = checks(method);
    let changed = txn.edit("payment_method", text(method, "id"), |doc| {
        doc.insert("customer".to_owned(), json!(customer));
        if let Some(Value::Object(card)) = doc.get_mut("card") {
            card.insert("checks".to_owned(), found);
        }
    });
    let Some((_, after)) = changed else { return Arc::clone(method) };
    txn.emit("payment_method.attached", &after);
    after
}

/// Detaches a payment method from its customer, for good.
///
/// Fails where it is not attached.
pub fn detach(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let method = txn.find("payment_method", id, "id")?;
    let customer = text(&method, "customer").to_owned();
    if customer.is_empty() {
        let text = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(Failure::invalid(text));
    }
    let Some((before, after)) =
        txn.edit_with("payment_method", id, |doc, part: &mut PaymentMethodPart| {
            doc.insert("customer".to_owned(), Value::Null);
            part.spent = true;
        })
    else {
        return Err(missing("payment_method", id, "id"));
    };
    txn.emit_change("payment_method.detached", &before, &after);
    forget_default(txn, &customer, id);
    wallet::forget_twin(txn, &customer, id);
    Ok(after)
}

/// Fails where a payment method was used up or detached.
pub fn ensure_unspent(method: &Object) -> Result<(), Failure> {
    if method.part::<PaymentMethodPart>().spent {
        return Err(Failure::invalid(SPENT));
    }
    Ok(())
}

/// A customer whose default payment method has gone has none.
fn forget_default(txn: &mut Txn<'_>, customer: &str, method: &str) {
    let changed = txn.edit("customer", customer, |doc| {
        if let Some(Value::Object(settings)) = doc.get_mut("invoice_settings")
            && settings.get("default_payment_method") == Some(&json!(method))
        {
            settings.insert("default_payment_method".to_owned(), Value::Null);
        }
    });
    if let Some((before, after)) = changed {
        txn.emit_change("customer.updated", &before, &after);
    }
}

fn put_ready_made(txn: &mut Txn<'_>, card: &Card, billing: &Billing) -> String {
    let (id, expiry) = (txn.new_id("pm_1", 23), ready_made_expiry(txn));
    put_card(txn, &id, card, expiry, billing, true);
    id
}

fn put(txn: &mut Txn<'_>, kind: &str, details: &Value, billing: &Billing) -> String {
    let id = txn.new_id("pm_1", 23);
    put_as(txn, &id, (kind, details), billing, PaymentMethodPart::default());
    id
}

/// Ready-made American bank accounts, with their numbers.
const AMERICAN: &[(&str, &str)] = &[
    ("pm_usBankAccount_success", "000123456789"),
    ("pm_usBankAccount_accountClosed", "000111111113"),
    ("pm_usBankAccount_noAccount", "000111111116"),
    ("pm_usBankAccount_insufficientFunds", "000222222227"),
    ("pm_usBankAccount_debitNotAuthorized", "000333333335"),
    ("pm_usBankAccount_processing", "000000000009"),
];

fn ready_made_iban(id: &str) -> Option<&'static str> {
    Some(match id.strip_prefix("pm_sepaDebit_")? {
        "success_at" => "AT611904300234573201",
        "successDelayed_at" => "AT321904300235473204",
        "failed_at" => "AT861904300235473202",
        "failedDelayed_at" => "AT051904300235473205",
        "success_de" => "DE89370400440532013000",
        "successDelayed_de" => "DE08370400440532013003",
        "failed_de" => "DE62370400440532013001",
        "failedDelayed_de" => "DE78370400440532013004",
        "disputed_at" => "AT591904300235473203",
        "disputed_de" => "DE35370400440532013002",
        _ => return None,
    })
}

/// Whether the check digits of an IBAN hold: the rearranged digits leave 1 when divided by 97.
fn iban_holds(iban: &str) -> bool {
    if iban.len() < 15 || iban.len() > 34 || !iban.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let (head, tail) = iban.split_at(4);
    let remainder = tail.chars().chain(head.chars()).filter_map(|c| c.to_digit(36)).fold(
        0_u32,
        |rest, value| {
            let shift = if value > 9 { 100 } else { 10 };
            (rest * shift + value) % 97
        },
    );
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_ibans_hold_and_a_changed_digit_does_not() {
        for iban in ["AT611904300234573201", "DE89370400440532013000"] {
            assert!(iban_holds(iban), "{iban}");
        }
        assert!(!iban_holds("AT611904300234573202"));
        assert!(!iban_holds("XX"));
    }
}
