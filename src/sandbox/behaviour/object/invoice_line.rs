//! Lines of invoices: shown, and those of a draft added, changed and taken off.

use crate::sandbox::behaviour::billing::invoice::{self, KIND};
use crate::sandbox::behaviour::billing::items::{self, INVOICE_ITEM};
use crate::sandbox::behaviour::billing::lifecycle::{Act, Invoice};
use crate::sandbox::behaviour::billing::{added, line, on_clock_of, plan};
use crate::sandbox::behaviour::document::{Handler, int, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::{InvoicePart, LinePart};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The behaviour of what is under `/v1/invoices/{invoice}` and about its lines.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/invoices/{invoice}/lines" => list_all,
        "POST /v1/invoices/{invoice}/lines/{line_item_id}" => update_one,
        "POST /v1/invoices/{invoice}/add_lines" => add,
        "POST /v1/invoices/{invoice}/update_lines" => update,
        "POST /v1/invoices/{invoice}/remove_lines" => remove,
        _ => return None,
    })
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = txn.find(KIND, call.id(0), "id")?;
    let own: Vec<Value> =
        known.part::<InvoicePart>().lines.iter().map(|it| it.doc.clone()).collect();
    if own.is_empty() {
        let shown = known.get("lines").and_then(|it| it.get("data")?.as_array().cloned());
        return list::page_of(call, "line_item", &shown.unwrap_or_default());
    }
    list::page_of(call, "line_item", &own)
}

/// The draft whose lines a call changes.
fn draft(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, call.id(0), "id")?;
    Invoice::read(text(&known, "status")).allows(Act::EditLines)?;
    Ok(known)
}

fn tell(txn: &mut Txn<'_>, before: &Object) -> Result<Body, Failure> {
    let after = txn.find(KIND, text(before, "id"), "invoice")?;
    txn.emit_change("invoice.updated", before, &after);
    Ok(after.into())
}

fn add(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = draft(txn, call)?;
    for (at, sent) in call.list("lines").iter().enumerate() {
        let mut params = sent.as_object().cloned().unwrap_or_default();
        if let Some(id) = params.get("invoice_item").and_then(Value::as_str) {
            let item = txn.find(INVOICE_ITEM, id, &format!("lines[{at}][invoice_item]"))?;
            added::add_to(txn, text(&known, "id"), &item);
            continue;
        }
        ensure_one(&params, at)?;
        params.insert("customer".to_owned(), json!(text(&known, "customer")));
        params.insert("currency".to_owned(), json!(text(&known, "currency")));
        let asked = Call { params, ..call.clone() };
        let customer = txn.find("customer", text(&known, "customer"), "customer")?;
        let item =
            on_clock_of(txn, text(&known, "customer"), |txn| added::make(txn, &asked, &customer))?;
        added::add_to(txn, text(&known, "id"), &item);
    }
    txn.find(KIND, text(&known, "id"), "invoice").map(Body::from)
}

/// A line is so much, or so many.
fn ensure_one(sent: &Map<String, Value>, at: usize) -> Result<(), Failure> {
    if sent.contains_key("amount") && sent.contains_key("quantity") {
        let text = "You may only specify one of these parameters: amount, quantity.";
        return Err(Failure::invalid(text).param(format!("lines[{at}][amount]")));
    }
    Ok(())
}

fn no_line(id: &str) -> Failure {
    let text = format!("No such invoice line item: '{id}'");
    Failure { status: 404, ..Failure::invalid(text).param("line_item_id") }
}

/// Writes what was sent into a line, which keeps its id.
fn write(
    txn: &Txn<'_>,
    line: &mut LinePart,
    sent: &Map<String, Value>,
    currency: &str,
) -> Result<(), Failure> {
    for name in ["description", "discountable", "period"] {
        if let Some(value) = sent.get(name) {
            line::set(line, name, value.clone());
        }
    }
    if let Some(Value::Object(sent)) = sent.get("metadata") {
        let mut all =
            line.doc.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
        all.extend(sent.iter().map(|(name, value)| (name.clone(), value.clone())));
        all.retain(|_, value| !value.is_null());
        line::set(line, "metadata", Value::Object(all));
    }
    if let Some(amount) = sent.get("amount") {
        line::set(line, "amount", amount.clone());
    }
    let price = sent.get("pricing").and_then(|it| it.get("price")?.as_str());
    let named = line.doc.get("pricing").and_then(|it| it.get("price_details"));
    let named = named.map(|it| text(it, "price").to_owned()).unwrap_or_default();
    if price.is_some() || sent.contains_key("quantity") {
        let price = txn.find("price", price.unwrap_or(&named), "pricing[price]")?;
        let known = int(&line.doc, "quantity");
        let quantity = sent.get("quantity").and_then(Value::as_i64).unwrap_or(known);
        let unit = price.get("unit_amount_decimal").cloned().unwrap_or_default();
        line::set(line, "amount", json!(plan::cost(txn, &price, currency, quantity)));
        line::set(line, "pricing", line::pricing(&price, &unit));
        line::set(line, "quantity", json!(quantity));
        line::set(line, "quantity_decimal", json!(quantity.to_string()));
    }
    if let Some(rates) = sent.get("tax_rates") {
        let found = items::tax_rates(txn, Some(rates), "tax_rates")?;
        line.rates = found.iter().map(|it| text(it, "id").to_owned()).collect();
    }
    Ok(())
}

fn rewrite(
    txn: &mut Txn<'_>,
    known: &Object,
    id: &str,
    sent: &Map<String, Value>,
) -> Result<(), Failure> {
    let part = known.part::<InvoicePart>();
    let found = part.lines.iter().find(|it| text(&it.doc, "id") == id);
    let Some(mut line) = found.cloned() else { return Err(no_line(id)) };
    write(txn, &mut line, sent, text(known, "currency"))?;
    invoice::edit(txn, text(known, "id"), |_, part| {
        if let Some(slot) = part.lines.iter_mut().find(|it| text(&it.doc, "id") == id) {
            *slot = line;
        }
    });
    Ok(())
}

fn update_one(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = draft(txn, call)?;
    let id = call.id(1).to_owned();
    rewrite(txn, &known, &id, &call.params)?;
    tell(txn, &known)?;
    let after = txn.find(KIND, text(&known, "id"), "invoice")?;
    let part = after.part::<InvoicePart>();
    let found = part.lines.iter().find(|it| text(&it.doc, "id") == id);
    found.map(|it| it.doc.clone().into()).ok_or_else(|| no_line(&id))
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = draft(txn, call)?;
    for (at, sent) in call.list("lines").iter().enumerate() {
        let sent = sent.as_object().cloned().unwrap_or_default();
        ensure_one(&sent, at)?;
        let id = sent.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        rewrite(txn, &known, &id, &sent)?;
    }
    tell(txn, &known)
}

fn remove(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = draft(txn, call)?;
    for sent in call.list("lines") {
        let id = text(sent, "id");
        let part = known.part::<InvoicePart>();
        let Some(line) = part.lines.iter().find(|it| text(&it.doc, "id") == id) else {
            return Err(no_line(id));
        };
        let item = line::invoice_item(&line.doc).map(str::to_owned);
        if let Some(item) = item {
            if text(sent, "behavior") == "unassign" {
                txn.edit(INVOICE_ITEM, &item, |doc| {
                    drop(doc.insert("invoice".to_owned(), Value::Null));
                });
            } else {
                txn.put(json!({"id": item, "object": INVOICE_ITEM, "deleted": true}));
            }
        }
        invoice::edit(txn, text(&known, "id"), |_, part| {
            part.lines.retain(|it| text(&it.doc, "id") != id);
        });
    }
    tell(txn, &known)
}
