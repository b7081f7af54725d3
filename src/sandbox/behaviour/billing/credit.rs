//! Credit notes: what is taken off an invoice after it got its number. Of an open one less is due; of a paid one the
//! money goes back, to the customer's balance, or was given back elsewhere.

use crate::sandbox::behaviour::billing::invoice::{self, KIND as INVOICE};
use crate::sandbox::behaviour::billing::lifecycle::Invoice;
use crate::sandbox::behaviour::billing::{balance, items, money, sums};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::behaviour::payment::refund::{self, RefundSpec};
use crate::sandbox::behaviour::total::{self, Outcome};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::InvoicePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Its kind.
pub const KIND: &str = "credit_note";

/// One line: as it is shown, and its tax rates.
struct Line {
    doc: Value,
    rates: Vec<Value>,
}

/// Makes a credit note as a call asks. Believed: the sentences of its refusals.
///
/// Fails for an invoice that has no number or is closed, for more than there is, and where what becomes of the money
/// does not sum to it.
pub fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let of = call.text("invoice").unwrap_or_default();
    let known = txn.find(INVOICE, of, "invoice")?;
    let status = Invoice::read(text(&known, "status"));
    if !matches!(status, Invoice::Open | Invoice::Paid) {
        let text = "You can only create credit notes for invoices that are open or paid.";
        return Err(Failure::invalid(text).param("invoice"));
    }
    let shipping = shipping(txn, call, &known)?;
    let mut lines = lines(txn, call, &known)?;
    let bases: Vec<total::Line> = lines
        .iter()
        .map(|line| total::Line {
            subtotal: int(&line.doc, "amount"),
            rates: line.rates.iter().filter_map(sums::read).collect(),
        })
        .collect();
    let outcomes = total::lines(&bases, &[]);
    for (line, outcome) in lines.iter_mut().zip(&outcomes) {
        let taxes = outcome.taxes.iter().zip(&line.rates);
        let taxes: Vec<Value> =
            taxes.map(|(tax, rate)| sums::tax_amount(rate, tax.amount, tax.taxable)).collect();
        if let Some(doc) = line.doc.as_object_mut() {
            doc.insert("taxes".to_owned(), json!(taxes));
        }
    }
    let shipped = shipping.as_ref().map_or(0, |it| int(it, "amount_total"));
    let total = outcomes.iter().map(|it| it.total).sum::<i64>() + shipped;
    let back = settle(txn, call, &known, (status, total))?;
    let made = put(txn, call, (&known, status), &back, (&lines, &outcomes, shipping.as_ref()));
    Ok(made)
}

/// What is given back of an invoice's shipping: all of it, once. Believed: the sentences.
fn shipping(txn: &Txn<'_>, call: &Call, invoice: &Object) -> Result<Option<Value>, Failure> {
    let Some(sent) = call.hash("shipping_cost") else { return Ok(None) };
    let own = invoice.get("shipping_cost").filter(|it| it.is_object());
    let named = sent.get("shipping_rate").and_then(Value::as_str);
    let refuse = |text: &str| Err(Failure::invalid(text).param("shipping_cost[shipping_rate]"));
    let Some(own) = own.filter(|it| named.is_none_or(|named| named == text(it, "shipping_rate")))
    else {
        return refuse("The shipping rate of a credit note has to be that of its invoice.");
    };
    if notes(txn, invoice).iter().any(|it| it.get("shipping_cost").is_some_and(Value::is_object)) {
        return refuse("The shipping of this invoice was credited already.");
    }
    Ok(Some(own.clone()))
}

/// The credit notes of an invoice that hold.
fn notes(txn: &Txn<'_>, invoice: &Object) -> Vec<Arc<Object>> {
    let mut all = txn.having(KIND, "invoice", text(invoice, "id"));
    all.retain(|it| text(it, "status") != "void");
    all
}

/// The refunds of an invoice's payment that a call says to belong to its credit note, with how much of each. Believed:
/// the sentences.
fn linked(txn: &Txn<'_>, call: &Call, invoice: &Object) -> Result<Vec<(String, i64)>, Failure> {
    let mut linked: Vec<(String, i64)> = Vec::new();
    let intent = invoice.part::<InvoicePart>().intent.clone().unwrap_or_default();
    for (at, sent) in call.list("refunds").iter().enumerate() {
        let param = |name: &str| format!("refunds[{at}][{name}]");
        if sent.get("payment_record_refund").is_some() {
            let text =
                "`payment_record_refund` of credit notes is not modelled by this sandbox yet.";
            let failure = Failure::of(501, FailureKind::Api, text);
            return Err(failure.param(param("payment_record_refund")));
        }
        let Some(id) = sent.get("refund").and_then(Value::as_str) else {
            return Err(items::required(&param("refund")));
        };
        let refund = txn.find("refund", id, &param("refund"))?;
        if intent.is_empty() || text(&refund, "payment_intent") != intent {
            let text = format!("The refund `{id}` is not of a payment of this invoice.");
            return Err(Failure::invalid(text).param(param("refund")));
        }
        let before = notes(txn, invoice);
        let before = before.iter().filter_map(|it| it.get("refunds")?.as_array());
        let before = before.flatten().filter(|it| text(it, "refund") == id);
        let taken: i64 = before.map(|it| int(it, "amount_refunded")).sum();
        let here: i64 = linked.iter().filter(|(of, _)| of == id).map(|(_, amount)| amount).sum();
        let left = int(&refund, "amount") - taken - here;
        let amount = sent.get("amount_refunded").and_then(Value::as_i64).unwrap_or(left);
        if amount < 1 || amount > left {
            let text = format!("The refund `{id}` has {left} left that no credit note is for.");
            return Err(Failure::invalid(text).param(param("amount_refunded")));
        }
        linked.push((id.to_owned(), amount));
    }
    Ok(linked)
}

fn lines(txn: &Txn<'_>, call: &Call, invoice: &Object) -> Result<Vec<Line>, Failure> {
    let sent = call.list("lines");
    if sent.is_empty() {
        let Some(amount) = call.int("amount") else {
            if call.sent("shipping_cost") {
                return Ok(Vec::new());
            }
            let text = "You must provide either `amount` or `lines` when creating a credit note.";
            return Err(Failure::invalid(text));
        };
        let line = shown(txn, (amount, 1), &json!({"type": "custom_line_item"}));
        return Ok(vec![Line { doc: line, rates: Vec::new() }]);
    }
    let mut lines = Vec::new();
    for (at, sent) in sent.iter().enumerate() {
        let quantity = sent.get("quantity").and_then(Value::as_i64);
        let amount = sent.get("amount").and_then(Value::as_i64);
        if text(sent, "type") == "invoice_line_item" {
            let id = text(sent, "invoice_line_item");
            let part = invoice.part::<InvoicePart>();
            let Some(of) = part.lines.iter().find(|it| text(&it.doc, "id") == id) else {
                let text = format!("No such invoice line item: '{id}'");
                let param = format!("lines[{at}][invoice_line_item]");
                return Err(Failure::invalid(text).code("resource_missing").param(param));
            };
            let whole = (int(&of.doc, "amount"), int(&of.doc, "quantity").max(1));
            let amount = amount.or_else(|| Some(whole.0 / whole.1 * quantity?)).unwrap_or(whole.0);
            let rates = of.doc.get("taxes").and_then(Value::as_array).into_iter().flatten();
            let rates = rates.filter_map(|tax| {
                let rate = tax.get("tax_rate_details").map(|it| text(it, "tax_rate"))?;
                txn.get("tax_rate", rate).map(|it| it.document())
            });
            let rates = rates.collect();
            let mut named = sent.clone();
            if let Some(named) = named.as_object_mut() {
                let said = of.doc.get("description").cloned().unwrap_or_default();
                named.entry("description").or_insert(said);
            }
            lines.push(Line { doc: shown(txn, (amount, quantity.unwrap_or(1)), &named), rates });
            continue;
        }
        let unit = sent.get("unit_amount").and_then(Value::as_i64);
        let quantity = quantity.unwrap_or(1);
        let Some(amount) = amount.or_else(|| Some(unit? * quantity)) else {
            return Err(items::required(&format!("lines[{at}][unit_amount]")));
        };
        let rates =
            items::tax_rates(txn, sent.get("tax_rates"), &format!("lines[{at}][tax_rates]"))?;
        lines.push(Line { doc: shown(txn, (amount, quantity), sent), rates });
    }
    Ok(lines)
}

fn shown(txn: &Txn<'_>, (amount, quantity): (i64, i64), sent: &Value) -> Value {
    let member = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let unit = sent.get("unit_amount").and_then(Value::as_i64);
    let doc = new(
        "credit_note_line_item",
        json!({
            "id": txn.new_id("cnli_1", 23), "amount": amount, "description": member("description"),
            "discount_amount": 0, "discount_amounts": [],
            "invoice_line_item": member("invoice_line_item"), "livemode": false,
            "pretax_credit_amounts": [], "quantity": quantity, "tax_rates": [],
            "type": text(sent, "type"), "unit_amount": unit,
            "unit_amount_decimal": unit.map(|unit| unit.to_string()),
        }),
    );
    Value::Object(doc)
}

/// What became of the money.
#[derive(Debug, Default)]
struct Back {
    refunds: Vec<(String, i64)>,
    balance: Option<String>,
    elsewhere: Option<i64>,
    before_payment: i64,
    after_payment: i64,
}

fn settle(
    txn: &mut Txn<'_>,
    call: &Call,
    known: &Object,
    (status, total): (Invoice, i64),
) -> Result<Back, Failure> {
    let id = text(known, "id").to_owned();
    let given = ["credit_amount", "out_of_band_amount", "refund_amount"];
    let [credit, elsewhere, refunded] = given.map(|name| call.int(name).unwrap_or(0));
    let left = if status == Invoice::Open {
        int(known, "amount_remaining")
    } else {
        int(known, "amount_paid") - int(known, "post_payment_credit_notes_amount")
    };
    if total > left {
        let text = format!(
            "The credit note total ({total}) cannot be greater than what is left of the invoice ({left})."
        );
        return Err(Failure::invalid(text));
    }
    if status == Invoice::Open {
        if call.sent("refunds") {
            let text = "You can only link refunds to credit notes of invoices that are paid.";
            return Err(Failure::invalid(text).param("refunds"));
        }
        take_off(txn, known, total);
        return Ok(Back { before_payment: total, ..Back::default() });
    }
    let linked = linked(txn, call, known)?;
    let given = credit + elsewhere + refunded + linked.iter().map(|it| it.1).sum::<i64>();
    if given != total {
        let text = format!(
            "The sum of credit_amount, refund_amount and out_of_band_amount ({given}) must equal the credit note total ({total})."
        );
        return Err(Failure::invalid(text));
    }
    let mut back = Back { after_payment: total, refunds: linked, ..Back::default() };
    if refunded > 0 {
        let intent = known.part::<InvoicePart>().intent.clone().unwrap_or_default();
        let intent = txn.find("payment_intent", &intent, "refund_amount")?;
        let charge = text(&intent, "latest_charge").to_owned();
        let spec = RefundSpec { charge, amount: Some(refunded), ..RefundSpec::default() };
        let made = refund::create(txn, &spec)?;
        back.refunds.push((text(&made, "id").to_owned(), refunded));
    }
    if credit > 0 {
        let (customer, currency) = (text(known, "customer"), text(known, "currency"));
        let made = balance::change(txn, customer, (-credit, currency), "credit_note", Some(&id));
        back.balance = made.map(|it| text(&it, "id").to_owned());
    }
    back.elsewhere = (elsewhere > 0).then_some(elsewhere);
    let after = int(known, "post_payment_credit_notes_amount") + total;
    change(txn, &id, "post_payment_credit_notes_amount", after);
    Ok(back)
}

fn change(txn: &mut Txn<'_>, id: &str, name: &str, to: i64) {
    let changed = invoice::edit_closed(txn, id, |doc| drop(doc.insert(name.to_owned(), json!(to))));
    if let Some((before, after)) = changed {
        txn.emit_change("invoice.updated", &before, &after);
    }
}

/// Takes so much off what is due of an open invoice; one of which nothing is due any more is paid.
fn take_off(txn: &mut Txn<'_>, known: &Object, total: i64) {
    let id = text(known, "id").to_owned();
    let left = int(known, "amount_remaining") - total;
    let changed = invoice::edit_closed(txn, &id, |doc| {
        let taken = doc.get("pre_payment_credit_notes_amount").and_then(Value::as_i64).unwrap_or(0);
        doc.insert("amount_due".to_owned(), json!(left));
        doc.insert("amount_remaining".to_owned(), json!(left));
        doc.insert("pre_payment_credit_notes_amount".to_owned(), json!(taken + total));
    });
    let Some((before, after)) = changed else { return };
    txn.emit_change("invoice.updated", &before, &after);
    let intent = after.part::<InvoicePart>().intent.clone().unwrap_or_default();
    if left > 0 {
        txn.edit("payment_intent", &intent, |doc| {
            drop(doc.insert("amount".to_owned(), json!(left)));
        });
    } else {
        money::complete(txn, &id, 0, None);
    }
}

fn put(
    txn: &mut Txn<'_>,
    call: &Call,
    (known, status): (&Object, Invoice),
    back: &Back,
    (lines, outcomes, shipping): (&[Line], &[Outcome], Option<&Value>),
) -> Arc<Object> {
    let id = txn.new_id("cn_1", 23);
    let sum = |of: fn(&Outcome) -> i64| -> i64 { outcomes.iter().map(of).sum() };
    let shipped = shipping.map_or(0, |it| int(it, "amount_total"));
    let (subtotal, tax) = (sum(|it| it.subtotal), sum(Outcome::tax));
    let total = sum(|it| it.total) + shipped;
    let taxes: Vec<Value> = lines
        .iter()
        .flat_map(|it| it.doc.get("taxes").and_then(Value::as_array).cloned().unwrap_or_default())
        .collect();
    let count = txn.having(KIND, "invoice", text(known, "id")).len() + 1;
    let number = format!("{}-CN-{count:02}", text(known, "number"));
    let refunds: Vec<Value> = back
        .refunds
        .iter()
        .map(|(refund, amount)| {
            json!({
                "amount_refunded": amount, "payment_record_refund": null, "refund": refund,
                "type": "refund",
            })
        })
        .collect();
    let shown: Vec<&Value> = lines.iter().map(|line| &line.doc).collect();
    let base = &txn.site().base_url;
    let pdf = format!("{base}/credit_notes/{id}/pdf");
    let now = txn.now().0;
    let kind = if status == Invoice::Open { "pre_payment" } else { "post_payment" };
    let mut doc = new(
        KIND,
        json!({
            "id": id, "amount": total, "amount_shipping": shipped, "created": now,
            "currency": known.get("currency"), "customer": known.get("customer"),
            "customer_balance_transaction": back.balance, "discount_amount": 0,
            "discount_amounts": [], "effective_at": call.int("effective_at").unwrap_or(now),
            "invoice": text(known, "id"),
            "lines": {
                "object": "list", "data": shown, "has_more": false, "total_count": shown.len(),
                "url": format!("/v1/credit_notes/{id}/lines"),
            },
            "livemode": false, "memo": call.get("memo"), "number": number,
            "out_of_band_amount": back.elsewhere, "pdf": pdf,
            "post_payment_amount": back.after_payment, "pre_payment_amount": back.before_payment,
            "pretax_credit_amounts": [], "reason": call.get("reason"), "refunds": refunds, "shipping_cost": shipping,
            "status": "issued", "subtotal": subtotal, "subtotal_excluding_tax": subtotal,
            "total": total, "total_excluding_tax": total - tax, "total_taxes": taxes, "type": kind,
        }),
    );
    crate::sandbox::behaviour::document::merge_metadata(&mut doc, &call.params);
    let made = txn.put(doc);
    txn.emit("credit_note.created", &made);
    made
}

/// Takes a credit note back, while its invoice is open. Believed: the sentence.
pub fn void(txn: &mut Txn<'_>, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let of = txn.find(INVOICE, text(&known, "invoice"), "invoice")?;
    if text(&known, "status") == "void" || text(&of, "status") != "open" {
        let text = "You can only void issued credit notes of invoices that are open.";
        return Err(Failure::invalid(text));
    }
    take_off(txn, &of, -int(&known, "total"));
    let now = txn.now().0;
    let changed = txn.edit(KIND, id, |doc| {
        doc.insert("status".to_owned(), json!("void"));
        doc.insert("voided_at".to_owned(), json!(now));
    });
    let Some((_, after)) = changed else { return Ok(known) };
    txn.emit("credit_note.voided", &after);
    Ok(after)
}
