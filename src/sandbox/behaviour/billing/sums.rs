//! What an invoice comes to: its lines with discounts and taxes, and the sums over them.

use crate::sandbox::behaviour::billing::line;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::offer;
use crate::sandbox::behaviour::tax;
use crate::sandbox::behaviour::total::discount::{Discount, Off};
use crate::sandbox::behaviour::total::percent::Percent;
use crate::sandbox::behaviour::total::tax::Rate;
use crate::sandbox::behaviour::total::{self, Outcome};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{InvoicePart, LinePart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};
use std::sync::Arc;

/// A discount of an invoice or of one of its lines: its id, and what it does to the lines.
struct Applied {
    id: String,
    is_of_line: bool,
    /// It is no discount, but a billing credit that pays for the line before tax.
    is_credit: bool,
    discount: Discount,
}

impl Applied {
    /// What it comes to, as invoices and their lines show it.
    fn shown(&self, amount: i64, with_type: bool) -> Option<Value> {
        match (self.is_credit, with_type) {
            (true, true) => Some(json!({
                "amount": amount, "credit_balance_transaction": self.id,
                "type": "credit_balance_transaction",
            })),
            (true, false) => None,
            (false, true) => {
                Some(json!({"amount": amount, "discount": self.id, "type": "discount"}))
            }
            (false, false) => Some(json!({"amount": amount, "discount": self.id})),
        }
    }
}

/// Works out every sum of a draft anew.
pub fn settle(txn: &mut Txn<'_>, doc: &mut Doc, part: &mut InvoicePart) {
    let applied = discounts(txn, doc, &part.lines);
    let rates = rates(txn, doc, &part.lines);
    let lines: Vec<total::Line> = part
        .lines
        .iter()
        .zip(&rates)
        .map(|(line, rates)| total::Line {
            subtotal: int(&line.doc, "amount"),
            rates: rates.iter().filter_map(read).collect(),
        })
        .collect();
    let all: Vec<Discount> = applied.iter().map(|it| it.discount.clone()).collect();
    let outcomes = total::lines(&lines, &all);
    for ((line, outcome), rates) in part.lines.iter_mut().zip(&outcomes).zip(&rates) {
        write_line(line, outcome, rates, &applied);
    }
    write_sums(doc, &outcomes, &rates, &applied);
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    for line in &mut part.lines {
        line::set(line, "invoice", json!(id));
    }
    doc.insert("lines".to_owned(), line::shown(&id, &part.lines));
}

/// The rate that a tax rate is.
pub fn read(rate: &Value) -> Option<Rate> {
    Some(Rate {
        percent: Percent::read(rate.get("percentage")?)?,
        inclusive: rate.get("inclusive") == Some(&json!(true)),
    })
}

fn discounts(txn: &Txn<'_>, doc: &Doc, lines: &[LinePart]) -> Vec<Applied> {
    let currency = doc.get("currency").and_then(Value::as_str).unwrap_or_default();
    let products: Vec<&str> = lines
        .iter()
        .map(|line| {
            let details = line.doc.get("pricing").and_then(|it| it.get("price_details"));
            details.map_or("", |it| text(it, "product"))
        })
        .collect();
    let is_open = |at: usize| {
        lines.get(at).is_some_and(|it| it.doc.get("discountable") == Some(&json!(true)))
    };
    let found = |id: &str, of_line: Option<usize>| {
        let discount = txn.get("discount", id)?;
        let coupon = discount.get("source").map(|it| text(it, "coupon").to_owned())?;
        let coupon: Arc<Object> = txn.get("coupon", &coupon)?;
        let mut discount = offer::over(&offer::snapshot(txn, &coupon), currency, &products)?;
        for (at, on) in discount.on.iter_mut().enumerate() {
            *on = *on && is_open(at) && of_line.is_none_or(|of| of == at);
        }
        Some(Applied {
            id: id.to_owned(),
            is_of_line: of_line.is_some(),
            is_credit: false,
            discount,
        })
    };
    let of_lines = lines
        .iter()
        .enumerate()
        .flat_map(|(at, line)| line.discounts.iter().map(move |id| (id.clone(), Some(at))));
    let own = line::names(doc.get("discounts")).into_iter().map(|id| (id, None));
    let credits = lines.iter().enumerate().flat_map(|(at, line)| {
        let on: Vec<bool> = (0..lines.len()).map(|of| of == at).collect();
        line.credits.iter().map(move |(id, amount)| Applied {
            id: id.clone(),
            is_of_line: true,
            is_credit: true,
            discount: Discount { off: Off::Amount(*amount), on: on.clone() },
        })
    });
    of_lines.chain(own).filter_map(|(id, at)| found(&id, at)).chain(credits).collect()
}

/// The tax rates of each line: its own, else the invoice's, else what applies at the customer's address.
fn rates(txn: &mut Txn<'_>, doc: &mut Doc, lines: &[LinePart]) -> Vec<Vec<Value>> {
    let member = |name: &str| doc.get(name).cloned().unwrap_or_default();
    if matches!(member("customer_tax_exempt").as_str(), Some("exempt" | "reverse")) {
        return vec![Vec::new(); lines.len()];
    }
    let default = member("default_tax_rates").as_array().cloned().unwrap_or_default();
    let mut automatic = member("automatic_tax");
    let is_automatic = automatic.get("enabled") == Some(&json!(true));
    let address = member("customer_address");
    let currency = member("currency").as_str().unwrap_or_default().to_owned();
    let found = lines.iter().map(|line| {
        if is_automatic {
            let price = line.doc.get("pricing").and_then(|it| it.get("price_details"));
            let price = price.and_then(|it| txn.get("price", text(it, "price")));
            let behaviour = price.as_ref().map_or("", |it| text(it, "tax_behavior"));
            let inclusive = tax::is_inclusive(behaviour, &currency);
            let rate = tax::is_location(&address).then(|| tax::rate_at(txn, &address, inclusive));
            return rate.flatten().map(|it| it.document()).into_iter().collect();
        }
        let own: Vec<Value> = line
            .rates
            .iter()
            .filter_map(|id| txn.get("tax_rate", id).map(|it| it.document()))
            .collect();
        if own.is_empty() { default.clone() } else { own }
    });
    let found: Vec<Vec<Value>> = found.collect();
    if let (true, Value::Object(members)) = (is_automatic, &mut automatic) {
        let status =
            if tax::is_location(&address) { "complete" } else { "requires_location_inputs" };
        members.insert("status".to_owned(), json!(status));
        members.insert("provider".to_owned(), json!("stripe"));
        doc.insert("automatic_tax".to_owned(), automatic);
    }
    found
}

fn write_line(line: &mut LinePart, outcome: &Outcome, rates: &[Value], applied: &[Applied]) {
    let amounts = |with_type: bool| -> Value {
        let each = applied.iter().zip(&outcome.discounts);
        let own = each.filter(|(it, amount)| {
            !it.is_of_line || **amount != 0 || line.discounts.contains(&it.id)
        });
        own.filter_map(|(it, amount)| it.shown(*amount, with_type)).collect()
    };
    let (shown, credits) = (amounts(false), amounts(true));
    let taxes: Vec<Value> = outcome
        .taxes
        .iter()
        .zip(rates)
        .map(|(tax, rate)| tax_amount(rate, tax.amount, tax.taxable))
        .collect();
    let own = line.discounts.clone();
    line::set(line, "discount_amounts", shown);
    line::set(line, "pretax_credit_amounts", credits);
    line::set(line, "discounts", json!(own));
    line::set(line, "subtotal", json!(outcome.subtotal));
    line::set(line, "taxes", json!(taxes));
}

/// What a rate comes to, as invoices show it.
pub fn tax_amount(rate: &Value, amount: i64, taxable: i64) -> Value {
    let inclusive = rate.get("inclusive") == Some(&json!(true));
    json!({
        "amount": amount, "tax_behavior": if inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": {"tax_rate": rate.get("id")}, "taxability_reason": "not_available",
        "taxable_amount": taxable, "type": "tax_rate_details",
    })
}

/// The sums of taxes by rate, in the order in which the rates come up.
fn total_taxes(outcomes: &[Outcome], rates: &[Vec<Value>]) -> Vec<Value> {
    let mut sums: Vec<(&Value, i64, i64)> = Vec::new();
    for (outcome, rates) in outcomes.iter().zip(rates) {
        for (tax, rate) in outcome.taxes.iter().zip(rates) {
            match sums.iter_mut().find(|(known, ..)| known.get("id") == rate.get("id")) {
                Some((_, amount, taxable)) => {
                    *amount += tax.amount;
                    *taxable += tax.taxable;
                }
                None => sums.push((rate, tax.amount, tax.taxable)),
            }
        }
    }
    sums.into_iter().map(|(rate, amount, taxable)| tax_amount(rate, amount, taxable)).collect()
}

fn write_sums(doc: &mut Doc, outcomes: &[Outcome], rates: &[Vec<Value>], applied: &[Applied]) {
    let subtotal: i64 = outcomes.iter().map(|it| it.subtotal).sum();
    let lines: i64 = outcomes.iter().map(|it| it.total).sum();
    let tax: i64 = outcomes.iter().map(Outcome::tax).sum();
    let off: i64 = outcomes.iter().map(Outcome::discount).sum();
    // What is within the prices is what the lines have less than their parts.
    let within = subtotal - off + tax - lines;
    // Believed: shipping bears no tax here, and no discount takes from it.
    let shipping = doc.get("shipping_cost").map_or(0, |it| int(it, "amount_total"));
    let total = lines + shipping;
    let discounts = |with_type: bool| -> Value {
        let each = applied.iter().enumerate().filter_map(|(at, it)| {
            let of = |outcome: &Outcome| outcome.discounts.get(at).copied().unwrap_or(0);
            it.shown(outcomes.iter().map(of).sum(), with_type)
        });
        each.collect()
    };
    let due = total.max(0);
    let members = json!({
        "amount_due": due, "amount_overpaid": 0, "amount_paid": 0, "amount_remaining": due,
        "amount_shipping": shipping, "subtotal": subtotal, "subtotal_excluding_tax": subtotal - within,
        "total": total, "total_discount_amounts": discounts(false),
        "total_excluding_tax": total - tax, "total_pretax_credit_amounts": discounts(true),
        "total_taxes": total_taxes(outcomes, rates),
    });
    if let Value::Object(members) = members {
        doc.extend(members);
    }
}
