//! What a quote comes to: its lines with discounts and taxes, what is paid at once, and what comes again.

use crate::sandbox::behaviour::billing::line::names as line_names;
use crate::sandbox::behaviour::billing::sums;
use crate::sandbox::behaviour::billing::{plan, quote};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::offer::{self, Offer};
use crate::sandbox::behaviour::tax;
use crate::sandbox::behaviour::total::discount::Discount;
use crate::sandbox::behaviour::total::{self, Outcome};
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::private::{LinePart, QuotePart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

fn recurring(item: &Value) -> Option<&Value> {
    item.get("price")?.get("recurring").filter(|it| it.is_object())
}

/// Whether what a line sells comes again.
pub fn recurs(item: &Value) -> bool {
    recurring(item).is_some()
}

/// Whether a line is billed by what will be used.
pub fn is_metered(item: &Value) -> bool {
    recurring(item).is_some_and(|it| text(it, "usage_type") == "metered")
}

/// Whether what recurs is free at first.
pub fn has_trial(quote: &Value) -> bool {
    let data = quote.get("subscription_data");
    let days = data.and_then(|it| it.get("trial_period_days")?.as_i64());
    days.is_some_and(|days| days > 0)
}

/// Works every sum of a quote out anew.
pub fn settle(txn: &mut Txn<'_>, doc: &mut Doc, part: &mut QuotePart) {
    let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default().to_owned();
    for line in &mut part.lines {
        let price = line.doc.get("price").cloned().unwrap_or_default();
        let metered = is_metered(&line.doc);
        let cost = plan::cost(txn, &price, &currency, int(&line.doc, "quantity"));
        let cost = if metered { 0 } else { cost };
        set(line, "amount_subtotal", json!(cost));
    }
    let outcomes = outcomes(txn, doc, part);
    for (line, outcome) in part.lines.iter_mut().zip(&outcomes) {
        set(line, "amount_discount", json!(outcome.discount()));
        set(line, "amount_tax", json!(outcome.tax()));
        set(line, "amount_total", json!(outcome.total));
    }
    let whole = Value::Object(doc.clone());
    let upfront = quote::upfront(&whole, part);
    let again: Vec<&LinePart> = part.lines.iter().filter(|line| recurs(&line.doc)).collect();
    let once: Vec<&LinePart> = upfront.iter().collect();
    let recurring = again.first().and_then(|first| {
        let of = recurring(&first.doc)?;
        let mut sums = sums_of(&again);
        if let Some(sums) = sums.as_object_mut() {
            for name in ["interval", "interval_count"] {
                sums.insert(name.to_owned(), of.get(name).cloned().unwrap_or_default());
            }
        }
        Some(sums)
    });
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    let sums = sums_of(&once);
    for name in ["amount_subtotal", "amount_total", "total_details"] {
        set(name, sums.get(name).cloned().unwrap_or_default());
    }
    set("computed", json!({"recurring": recurring, "upfront": sums}));
}

fn set(line: &mut LinePart, name: &str, value: Value) {
    if let Some(doc) = line.doc.as_object_mut() {
        doc.insert(name.to_owned(), value);
    }
}

fn sums_of(lines: &[&LinePart]) -> Value {
    let sum = |name: &str| lines.iter().map(|line| int(&line.doc, name)).sum::<i64>();
    json!({
        "amount_subtotal": sum("amount_subtotal"), "amount_total": sum("amount_total"),
        "total_details": {
            "amount_discount": sum("amount_discount"), "amount_shipping": 0,
            "amount_tax": sum("amount_tax"),
        },
    })
}

/// What each line comes to.
fn outcomes(txn: &mut Txn<'_>, doc: &Doc, part: &QuotePart) -> Vec<Outcome> {
    let rates: Vec<Vec<Value>> = part.lines.iter().map(|line| rates(txn, doc, line)).collect();
    let lines: Vec<total::Line> = part
        .lines
        .iter()
        .zip(&rates)
        .map(|(line, rates)| total::Line {
            subtotal: int(&line.doc, "amount_subtotal"),
            rates: rates.iter().filter_map(sums::read).collect(),
        })
        .collect();
    total::lines(&lines, &discounts(txn, doc, part))
}

/// The tax rates of a line: its own, else the quote's, else what applies at the customer's address.
fn rates(txn: &mut Txn<'_>, doc: &Doc, line: &LinePart) -> Vec<Value> {
    let automatic = doc.get("automatic_tax").and_then(|it| it.get("enabled"));
    if automatic == Some(&json!(true)) {
        let customer = doc.get("customer").and_then(Value::as_str).unwrap_or_default();
        let address = txn.get("customer", customer).and_then(|it| it.get("address").cloned());
        let address = address.unwrap_or_default();
        let behaviour = line.doc.get("price").map_or("", |it| text(it, "tax_behavior")).to_owned();
        let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default();
        let inclusive = tax::is_inclusive(&behaviour, currency);
        let rate = tax::is_location(&address).then(|| tax::rate_at(txn, &address, inclusive));
        return rate.flatten().map(|it| it.document()).into_iter().collect();
    }
    let own = if line.rates.is_empty() {
        line_names(doc.get("default_tax_rates"))
    } else {
        line.rates.clone()
    };
    own.iter().filter_map(|id| txn.get("tax_rate", id).map(|it| it.document())).collect()
}

fn discounts(txn: &Txn<'_>, doc: &Doc, part: &QuotePart) -> Vec<Discount> {
    let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default();
    let products: Vec<&str> = part
        .lines
        .iter()
        .map(|line| line.doc.get("price").map_or("", |price| text(price, "product")))
        .collect();
    let coupon = |sent: &Value| match sent.get("discount").and_then(Value::as_str) {
        Some(id) => {
            let discount = txn.get("discount", id)?;
            txn.get("coupon", discount.get("source").map(|it| text(it, "coupon"))?)
        }
        None => Offer::named(txn, sent, "discounts").ok().map(|(offer, _)| offer.coupon),
    };
    let given = part.discounts.iter().filter_map(coupon);
    given.filter_map(|it| offer::over(&offer::snapshot(txn, &it), currency, &products)).collect()
}
