//! The cash of a customer: what came by bank transfer, and what it was applied to.
//!
//! Every movement is a transaction, and the balance is their sum.

use crate::domain::currency::Currency;
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::bank;
use crate::sandbox::behaviour::payment::charge::{self, Attempt, Ending};
use crate::sandbox::behaviour::payment::confirm::{self, Outcome};
use crate::sandbox::call::step;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{CustomerPart, PaymentIntentPart};
use crate::sandbox::engine::txn::{Txn, View};
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The type of payment method that is paid from the cash of a customer.
pub const KIND: &str = "customer_balance";

const TRANSACTION: &str = "customer_cash_balance_transaction";

/// The cash balance of a customer, as the API shows it.
pub fn shown(view: &View, customer: &str) -> Value {
    let part = view.record::<CustomerPart>("customer", customer).cloned().unwrap_or_default();
    let sums: Doc = part.cash.iter().map(|(code, sum)| (code.clone(), json!(sum))).collect();
    let available = if sums.is_empty() { Value::Null } else { Value::Object(sums) };
    let mode = part.cash_mode.as_deref().unwrap_or("automatic");
    json!({
        "object": "cash_balance", "available": available, "customer": customer,
        "customer_account": null, "livemode": false,
        "settings": {"reconciliation_mode": mode, "using_merchant_default": part.cash_mode.is_none()},
    })
}

/// Writes `settings` of a cash balance as they were sent.
pub fn set_mode(txn: &mut Txn<'_>, customer: &str, sent: &Doc) {
    let mode = sent.get("settings").map(|settings| text(settings, "reconciliation_mode"));
    let Some(mode) = mode.filter(|mode| !mode.is_empty()) else { return };
    let own = (mode != "merchant_default").then(|| mode.to_owned());
    txn.edit_part("customer", customer, |part: &mut CustomerPart| part.cash_mode = own);
}

fn is_automatic(txn: &Txn<'_>, customer: &str) -> bool {
    let part = txn.record::<CustomerPart>("customer", customer);
    part.and_then(|part| part.cash_mode.as_deref()) != Some("manual")
}

fn held(txn: &Txn<'_>, customer: &str, currency: &str) -> i64 {
    let part = txn.record::<CustomerPart>("customer", customer);
    let sums = part.map(|part| part.cash.as_slice()).unwrap_or_default();
    sums.iter().find(|(code, _)| code == currency).map_or(0, |(_, sum)| *sum)
}

/// Moves money in or out of a customer's cash, and writes down why.
fn book(
    txn: &mut Txn<'_>,
    customer: &str,
    (currency, net): (&str, i64),
    (kind, details): (&str, Value),
) -> Arc<Object> {
    let ending = held(txn, customer, currency).saturating_add(net);
    txn.edit_part("customer", customer, |part: &mut CustomerPart| {
        match part.cash.iter_mut().find(|(code, _)| code == currency) {
            Some((_, sum)) => *sum = ending,
            None => part.cash.push((currency.to_owned(), ending)),
        }
    });
    let mut doc = new(
        TRANSACTION,
        json!({
            "id": txn.new_id("ccsbtxn_1", 23), "created": txn.now().0, "currency": currency,
            "customer": customer, "ending_balance": ending, "net_amount": net, "type": kind,
        }),
    );
    doc.insert(kind.to_owned(), details);
    let made = txn.put(doc);
    txn.emit("customer_cash_balance_transaction.created", &made);
    made
}

/// A bank transfer of a customer arrives: open intents are paid with it, the oldest first, and the rest is kept.
///
/// Fails for less than one unit and for a currency that nothing is transferred in.
pub fn fund(
    txn: &mut Txn<'_>,
    customer: &str,
    (currency, amount): (&str, i64),
    reference: Option<&str>,
) -> Result<Arc<Object>, Failure> {
    txn.find("customer", customer, "id")?;
    let currency = step::known_currency(currency)?.code();
    if amount < 1 {
        return Err(Failure::below_one("amount"));
    }
    let Some(way) = bank::transfer_of(currency) else {
        let text = format!("Cash balances do not support the currency {currency}.");
        return Err(Failure::invalid(text).param("currency"));
    };
    let by = json!({"bank_transfer": bank::received(way, reference)});
    let made = book(txn, customer, (currency, amount), ("funded", by));
    if is_automatic(txn, customer) {
        for id in awaiting(txn, customer, currency) {
            apply(txn, &id, None);
        }
    }
    if held(txn, customer, currency) > 0 {
        txn.emit_about("cash_balance.funds_available", &shown(txn, customer));
    }
    Ok(made)
}

/// The intents of a customer that wait for a bank transfer, oldest first.
fn awaiting(txn: &Txn<'_>, customer: &str, currency: &str) -> Vec<String> {
    let mut found = txn.having("payment_intent", "customer", customer);
    found.reverse();
    let waits = |pi: &&Arc<Object>| is_awaiting(txn, pi) && text(pi, "currency") == currency;
    found.iter().filter(waits).map(|pi| text(pi, "id").to_owned()).collect()
}

/// Whether an intent waits for a bank transfer.
pub fn is_awaiting(txn: &Txn<'_>, pi: &Value) -> bool {
    let pm = txn.get("payment_method", text(pi, "payment_method"));
    text(pi, "status") == "requires_action" && pm.is_some_and(|pm| text(&pm, "type") == KIND)
}

/// Pays an intent from its customer's cash, as far as that goes and at most `most`. Returns what was applied.
pub fn apply(txn: &mut Txn<'_>, id: &str, most: Option<i64>) -> i64 {
    let Some(pi) = txn.get("payment_intent", id) else { return 0 };
    let (customer, currency) = (text(&pi, "customer").to_owned(), text(&pi, "currency").to_owned());
    let funded = pi.part::<PaymentIntentPart>().funded;
    let missing = int(&pi, "amount").saturating_sub(funded);
    let amount = missing.min(held(txn, &customer, &currency)).min(most.unwrap_or(missing));
    if amount <= 0 {
        return 0;
    }
    let why = json!({"payment_intent": id});
    book(txn, &customer, (&currency, amount.saturating_neg()), ("applied_to_payment", why));
    txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| {
        part.funded = funded.saturating_add(amount);
    });
    let rest = missing.saturating_sub(amount);
    if rest == 0 {
        pay(txn, id);
        return amount;
    }
    let changed = txn.edit("payment_intent", id, |doc| {
        let action = doc.get_mut("next_action").and_then(|it| it.get_mut(INSTRUCTIONS));
        if let Some(Value::Object(action)) = action {
            action.insert("amount_remaining".to_owned(), json!(rest));
        }
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.partially_funded", &after);
    }
    amount
}

fn pay(txn: &mut Txn<'_>, id: &str) {
    let Some(pi) = txn.get("payment_intent", id) else { return };
    let Some(pm) = txn.get("payment_method", text(&pi, "payment_method")) else { return };
    let attempt = Attempt { intent: &pi, method: &pm, ending: Ending::Succeeded, secure: None };
    let charge = charge::write(txn, &attempt);
    txn.emit("charge.succeeded", &charge);
    confirm::succeed(txn, id, &charge);
    confirm::keep_method(txn, &pi, &pm);
}

const INSTRUCTIONS: &str = "display_bank_transfer_instructions";

/// Starts a payment by bank transfer: cash that is there already is used, and the customer is told where to send the
/// rest.
///
/// Fails without a customer, and for a currency that nothing is transferred in.
pub fn start(txn: &mut Txn<'_>, pi: &Arc<Object>) -> Result<Outcome, Failure> {
    let (id, customer) = (text(pi, "id").to_owned(), text(pi, "customer").to_owned());
    if customer.is_empty() {
        // Believed: the words of a missing customer.
        let text = "You must provide a `customer` to confirm a PaymentIntent with the payment method type `customer_balance`.";
        return Err(Failure::invalid(text).code("parameter_missing").param("customer"));
    }
    let currency = text(pi, "currency").to_owned();
    let Some(way) = bank::transfer_of(&currency) else {
        let message = format!(
            "The currency provided ({currency}) is invalid for one or more payment method types on the PaymentIntent."
        );
        return Err(Failure::invalid(message)
            .code("payment_intent_invalid_parameter")
            .param("currency"));
    };
    let action = json!({
        "type": INSTRUCTIONS,
        INSTRUCTIONS: {
            "amount_remaining": int(pi, "amount"), "currency": currency,
            "financial_addresses": bank::addresses(way, &customer), "hosted_instructions_url": null,
            "reference": bank::digits(&id, 10), "type": way,
        },
    });
    let changed = txn.edit("payment_intent", &id, |doc| {
        doc.insert("status".to_owned(), json!("requires_action"));
        doc.insert("next_action".to_owned(), action);
    });
    if let Some((_, after)) = changed {
        txn.emit("payment_intent.requires_action", &after);
    }
    if is_automatic(txn, &customer) {
        apply(txn, &id, None);
    }
    let paid = txn.get("payment_intent", &id).is_some_and(|pi| text(&pi, "status") == "succeeded");
    Ok(if paid { Outcome::Succeeded } else { Outcome::RequiresAction { settles: None } })
}

/// Gives back what was applied to an intent that is given up.
pub fn unapply(txn: &mut Txn<'_>, pi: &Object) {
    let funded = pi.part::<PaymentIntentPart>().funded;
    if funded <= 0 || text(pi, "status") == "succeeded" {
        return;
    }
    let id = text(pi, "id");
    let why = json!({"payment_intent": id});
    let (customer, currency) = (text(pi, "customer"), text(pi, "currency"));
    book(txn, customer, (currency, funded), ("unapplied_from_payment", why));
    txn.edit_part("payment_intent", id, |part: &mut PaymentIntentPart| part.funded = 0);
}

/// Where a customer sends money to, whatever it is for.
///
/// Fails for another way of transfer than the currency has.
pub fn instructions(customer: &str, currency: &str, asked: &str) -> Result<Value, Failure> {
    let currency: Currency = step::known_currency(currency)?;
    let way = bank::transfer_of(currency.code()).filter(|way| *way == asked);
    let Some(way) = way else {
        let text = format!("The currency {} cannot be sent by {asked}.", currency.code());
        return Err(Failure::invalid(text).param("bank_transfer[type]"));
    };
    Ok(json!({
        "object": "funding_instructions", "currency": currency.code(), "funding_type": "bank_transfer",
        "livemode": false,
        "bank_transfer": {
            "country": bank::country_of(way), "financial_addresses": bank::addresses(way, customer), "type": way,
        },
    }))
}
