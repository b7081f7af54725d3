//! What a session comes to: its lines, the discount, the taxes and the shipping, worked out anew whenever one of
//! them changes.

use crate::sandbox::behaviour::checkout::SESSION;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::behaviour::total::tax::Rate;
use crate::sandbox::behaviour::total::{self, Line, Outcome};
use crate::sandbox::behaviour::{offer, tax};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of what a line shows only when it is expanded; the session's own id stands for its shipping.
const MORE: &str = "_line";

/// The tax rates of one line, as they are stored.
type Rates = Vec<Arc<Object>>;

/// Works a stored session out anew.
pub fn refresh(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let session = txn.find(SESSION, id, "session")?;
    let mut part = session.part::<SessionPart>().into_owned();
    let mut doc = session.as_object().cloned().unwrap_or_default();
    work_out(txn, &mut doc, &mut part);
    Ok(txn.put_with(doc, part))
}

/// How taxes of a session are found.
struct Taxing {
    /// They are worked out, by the rates of this address; null while it is not known.
    automatic: Option<Value>,
    /// The buyer pays none.
    exempt: bool,
    /// The session's currency.
    currency: String,
}

impl Taxing {
    fn of(doc: &Doc, part: &SessionPart) -> Self {
        let is_on = doc.get("automatic_tax").and_then(|it| it.get("enabled")) == Some(&json!(true));
        let exempt = doc.get("customer_details").map(|it| text(it, "tax_exempt"));
        let address = part.tax_address.clone().filter(tax::is_location);
        Self {
            automatic: is_on.then(|| address.unwrap_or_default()),
            exempt: matches!(exempt, Some("exempt" | "reverse")),
            currency: word(doc, "currency").to_owned(),
        }
    }

    /// The rates of something that is sold with a tax behaviour, and with rates of its own.
    fn rates(&self, txn: &mut Txn<'_>, behaviour: &str, own: &[String]) -> Rates {
        match &self.automatic {
            _ if self.exempt => Vec::new(),
            Some(address) => {
                let inclusive = tax::is_inclusive(behaviour, &self.currency);
                tax::rate_at(txn, address, inclusive).into_iter().collect()
            }
            None => own.iter().filter_map(|id| txn.get("tax_rate", id)).collect(),
        }
    }

    /// Why a rate applies; nobody says so of one that the merchant named.
    fn reason(&self) -> Value {
        json!(self.automatic.is_some().then_some("standard_rated"))
    }

    fn status(&self) -> Value {
        let known = self.automatic.as_ref().map(|address| !address.is_null());
        json!(known.map(|known| if known { "complete" } else { "requires_location_inputs" }))
    }
}

/// Works a session out that is being written.
pub fn work_out(txn: &mut Txn<'_>, doc: &mut Doc, part: &mut SessionPart) {
    if word(doc, "mode") == "setup" {
        return;
    }
    let taxing = Taxing::of(doc, part);
    let looks = &part.line_looks;
    let rates: Vec<Rates> = part
        .line_items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let own = looks.get(at).map_or(&[][..], |look| &look.tax_rates);
            let price = item.get("price");
            taxing.rates(txn, price.map_or("", |price| text(price, "tax_behavior")), own)
        })
        .collect();
    let outcomes = outcomes(part, &taxing.currency, &rates);
    for ((item, outcome), rates) in part.line_items.iter_mut().zip(&outcomes).zip(&rates) {
        if let Some(item) = item.as_object_mut() {
            item.insert("amount_discount".to_owned(), json!(outcome.discount()));
            item.insert("amount_tax".to_owned(), json!(outcome.tax()));
            item.insert("amount_total".to_owned(), json!(outcome.total));
        }
        let discounts = part.discount.iter().map(|(id, _)| id.as_str());
        let discounts: Vec<Value> = discounts
            .zip(&outcome.discounts)
            .map(|(id, amount)| json!({"amount": amount, "discount": id}))
            .collect();
        let taxes = shown(outcome, rates, &taxing.reason());
        keep(txn, text(item, "id"), &discounts, &taxes);
    }
    let shipping = ship(txn, doc, &taxing);
    let sum = |of: fn(&Outcome) -> i64| outcomes.iter().map(of).sum::<i64>();
    let details = json!({
        "amount_discount": sum(Outcome::discount), "amount_shipping": shipping.subtotal,
        "amount_tax": sum(Outcome::tax) + shipping.tax(),
    });
    let due = sum(|line| line.total) + shipping.total;
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("amount_subtotal", json!(sum(|line| line.subtotal)));
    set("amount_total", json!(due));
    set("total_details", details);
    set("payment_status", json!(if due == 0 { "no_payment_required" } else { "unpaid" }));
    if let Some(Value::Object(automatic)) = doc.get_mut("automatic_tax") {
        automatic.insert("status".to_owned(), taxing.status());
    }
}

/// What each line comes to.
fn outcomes(part: &SessionPart, currency: &str, rates: &[Rates]) -> Vec<Outcome> {
    let lines: Vec<Line> = part
        .line_items
        .iter()
        .zip(rates)
        .map(|(item, rates)| Line { subtotal: int(item, "amount_subtotal"), rates: read(rates) })
        .collect();
    let products: Vec<&str> = part
        .line_items
        .iter()
        .map(|item| item.get("price").map_or("", |price| text(price, "product")))
        .collect();
    let discount =
        part.discount.as_ref().and_then(|(_, coupon)| offer::over(coupon, currency, &products));
    total::lines(&lines, discount.as_slice())
}

fn read(rates: &Rates) -> Vec<Rate> {
    rates.iter().map(|rate| Rate::read(rate)).collect()
}

/// The taxes of a line as `taxes` shows them, with the ids of their rates.
fn shown(outcome: &Outcome, rates: &Rates, reason: &Value) -> Vec<Value> {
    let taxes = outcome.taxes.iter().zip(rates);
    let tax = taxes.map(|(tax, rate)| {
        json!({
            "amount": tax.amount, "rate": text(rate, "id"), "taxability_reason": reason,
            "taxable_amount": tax.taxable,
        })
    });
    tax.collect()
}

/// What the chosen shipping comes to, written into the session. Discounts are not for it.
fn ship(txn: &mut Txn<'_>, doc: &mut Doc, taxing: &Taxing) -> Outcome {
    let Some(cost) = doc.get("shipping_cost").filter(|cost| cost.is_object()) else {
        return Outcome::default();
    };
    let (subtotal, rate) = (int(cost, "amount_subtotal"), text(cost, "shipping_rate").to_owned());
    let behaviour = txn.get("shipping_rate", &rate);
    let behaviour = behaviour.as_ref().map_or("", |rate| text(rate, "tax_behavior")).to_owned();
    let rates = taxing.rates(txn, &behaviour, &[]);
    let line = Line { subtotal, rates: read(&rates) };
    let outcome = total::lines(&[line], &[]).pop().unwrap_or_default();
    let cost = json!({
        "amount_subtotal": subtotal, "amount_tax": outcome.tax(), "amount_total": outcome.total,
        "shipping_rate": rate,
    });
    let id = word(doc, "id").to_owned();
    keep(txn, &id, &[], &shown(&outcome, &rates, &taxing.reason()));
    doc.insert("shipping_cost".to_owned(), cost);
    outcome
}

/// Keeps what is shown when expanded; of most lines there is nothing.
fn keep(txn: &mut Txn<'_>, id: &str, discounts: &[Value], taxes: &[Value]) {
    if !discounts.is_empty() || !taxes.is_empty() {
        txn.put(json!({"object": MORE, "id": id, "discounts": discounts, "taxes": taxes}));
    } else if txn.stored(MORE, id).is_some() {
        txn.remove(MORE, id);
    }
}

/// `discounts` or `taxes` of a line, of a session's shipping where the id is the session's, with what they name.
pub fn more(txn: &Txn<'_>, id: &str, field: &str) -> Vec<Value> {
    let kept = txn.get(MORE, id).and_then(|it| it.get(field)?.as_array().cloned());
    let (name, kind) =
        if field == "taxes" { ("rate", "tax_rate") } else { ("discount", "discount") };
    let whole = |mut it: Value| {
        let found = txn.get(kind, text(&it, name)).map(|found| found.document())?;
        it.as_object_mut()?.insert(name.to_owned(), found);
        Some(it)
    };
    kept.into_iter().flatten().filter_map(whole).collect()
}

/// `total_details.breakdown`: each discount and each rate once, over all lines and the shipping.
pub fn breakdown(txn: &Txn<'_>, session: &Value) -> Value {
    let id = text(session, "id");
    let items = txn.record::<SessionPart>(SESSION, id).map(|part| part.line_items.as_slice());
    let ids = items.into_iter().flatten().map(|item| text(item, "id")).chain([id]);
    let ids: Vec<&str> = ids.collect();
    let together = |field: &str, name: &str| {
        let mut all: Vec<Value> = Vec::new();
        for one in ids.iter().flat_map(|id| more(txn, id, field)) {
            let same = |it: &&mut Value| {
                it.pointer(&format!("/{name}/id")) == one.pointer(&format!("/{name}/id"))
            };
            match all.iter_mut().find(same).and_then(Value::as_object_mut) {
                None => all.push(one),
                Some(known) => {
                    for member in ["amount", "taxable_amount"] {
                        if let Some(sum) = known.get(member).and_then(Value::as_i64) {
                            known.insert(member.to_owned(), json!(sum + int(&one, member)));
                        }
                    }
                }
            }
        }
        all
    };
    json!({"discounts": together("discounts", "discount"), "taxes": together("taxes", "rate")})
}

/// A text member of a session; empty where it has none.
pub(super) fn word<'d>(doc: &'d Doc, name: &str) -> &'d str {
    doc.get(name).and_then(Value::as_str).unwrap_or_default()
}
