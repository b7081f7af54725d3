//! What is added to invoices by hand: items, with their prices.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::discount::{self, Holder};
use crate::sandbox::behaviour::billing::items::{self, INVOICE_ITEM as KIND, Pending};
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::{invoice, line, plan};
use crate::sandbox::behaviour::document::{copy, int, merge_metadata, text};
use crate::sandbox::behaviour::pricing;
use crate::sandbox::call::Call;
use crate::sandbox::call::step::known_currency;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::LinePart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// What an item costs, and of which price it is.
#[derive(Debug)]
pub struct Priced {
    /// Minor units, negative for a credit.
    pub amount: i64,
    /// Lower-case code.
    pub currency: String,
    /// `pricing`.
    pub pricing: Value,
    /// How many.
    pub quantity: i64,
    /// What it is called where nothing else is said.
    pub description: Option<String>,
}

/// Reads what an item costs, from its price or its amount.
pub fn priced(txn: &mut Txn<'_>, call: &Call) -> Result<Priced, Failure> {
    let quantity = call.int("quantity").unwrap_or(1);
    let pricing = call.hash("pricing").and_then(|it| it.get("price")?.as_str());
    let named = pricing.or_else(|| call.text("price"));
    let price = match (named, call.hash("price_data")) {
        (Some(id), _) => Some(txn.find("price", id, "pricing[price]")?),
        (None, Some(_)) => items::price(txn, &call.params, "")?,
        (None, None) => None,
    };
    if let Some(price) = price {
        let currency = text(&price, "currency").to_owned();
        let unit = price.get("unit_amount_decimal").cloned().unwrap_or_default();
        return Ok(Priced {
            amount: plan::cost(txn, &price, &currency, quantity),
            pricing: line::pricing(&price, &unit),
            description: Some(line::product(txn, &price).0),
            currency,
            quantity,
        });
    }
    let unit = call.int("unit_amount").or_else(|| call.text("unit_amount_decimal")?.parse().ok());
    let Some(amount) = call.int("amount").or_else(|| unit.map(|unit| unit * quantity)) else {
        let text = "You must specify either `amount`, `unit_amount_decimal`, `price_data` or `pricing` when creating an invoice item.";
        return Err(Failure::invalid(text).code("parameter_missing").param("amount"));
    };
    let usual = Settings::of(txn).get("currency").to_owned();
    let currency = known_currency(call.text("currency").unwrap_or(&usual))?.code().to_owned();
    let price = minted(txn, amount / quantity.max(1), &currency, call.text("description"))?;
    let unit = json!((amount / quantity.max(1)).to_string());
    Ok(Priced {
        amount,
        pricing: line::pricing(&price, &unit),
        description: None,
        currency,
        quantity,
    })
}

/// The price of an amount that was sent by itself: it is nobody else's, and of a product of its own.
fn minted(
    txn: &mut Txn<'_>,
    amount: i64,
    currency: &str,
    name: Option<&str>,
) -> Result<Arc<Object>, Failure> {
    let product = json!({"name": name.unwrap_or("Invoice item"), "active": false});
    let product = pricing::put_product(txn, product.as_object().unwrap_or(&Doc::new()))?;
    let price = json!({"currency": currency, "unit_amount": amount.max(0), "active": false});
    let price = price.as_object().cloned().unwrap_or_default();
    let made = pricing::put_price(txn, text(&product, "id"), &price, "")?;
    if amount < 0 {
        let negative = txn.edit("price", text(&made, "id"), |doc| {
            doc.insert("unit_amount".to_owned(), json!(amount));
            doc.insert("unit_amount_decimal".to_owned(), json!(amount.to_string()));
        });
        return Ok(negative.map_or(made, |(_, after)| after));
    }
    Ok(made)
}

/// Makes the item that a call asks for.
pub fn make(txn: &mut Txn<'_>, call: &Call, customer: &Value) -> Result<Arc<Object>, Failure> {
    let priced = priced(txn, call)?;
    let now = txn.now();
    let sent = call.hash("period");
    let at = |name: &str| sent.and_then(|it| it.get(name)?.as_i64()).map_or(now, Timestamp);
    let mut more = Doc::new();
    let discountable = call.flag("discountable").unwrap_or(priced.amount >= 0);
    more.insert("discountable".to_owned(), json!(discountable));
    let rates = items::tax_rates(txn, call.get("tax_rates"), "tax_rates")?;
    more.insert("tax_rates".to_owned(), json!(rates));
    if let Some(id) = call.text("subscription") {
        txn.find("subscription", id, "subscription")?;
        let parent = json!({
            "subscription_details": {"subscription": id, "subscription_item": null},
            "type": "subscription_details",
        });
        more.insert("parent".to_owned(), parent);
    }
    merge_metadata(&mut more, &call.params);
    let description = call.text("description").map(str::to_owned).or(priced.description);
    let spec = Pending {
        customer,
        amount: priced.amount,
        currency: &priced.currency,
        description: json!(description),
        period: Period { start: at("start"), end: at("end") },
        pricing: priced.pricing,
        quantity: priced.quantity,
        more,
    };
    let made = items::put_pending(txn, spec);
    match call.params.get("discounts") {
        Some(_) => discounted(txn, call, &made),
        None => Ok(made),
    }
}

/// Gives an item the discounts that a call sends. Believed: whose they are is the item's alone.
fn discounted(txn: &mut Txn<'_>, call: &Call, item: &Object) -> Result<Arc<Object>, Failure> {
    let Some(sent) = call.params.get("discounts") else {
        return txn.find(KIND, text(item, "id"), "id");
    };
    let id = text(item, "id").to_owned();
    let holder = Holder {
        member: "invoice_item",
        id: &id,
        customer: text(item, "customer"),
        currency: text(item, "currency"),
    };
    let given = discount::read(txn, sent, holder, &line::names(item.get("discounts")))?;
    txn.edit(KIND, &id, |doc| drop(doc.insert("discounts".to_owned(), json!(given))));
    txn.find(KIND, &id, "id")
}

/// Changes an item as a call asks, and the line of a draft that it stands on.
pub fn change(txn: &mut Txn<'_>, call: &Call, known: &Object) -> Result<Arc<Object>, Failure> {
    let reprices = ["amount", "price_data", "pricing", "quantity", "unit_amount_decimal"]
        .iter()
        .any(|it| call.sent(it));
    let mut asked = call.clone();
    if reprices && call.sent("quantity") && !call.sent("amount") && !call.sent("pricing") {
        let unit = int(known, "amount") / int(known, "quantity").max(1);
        let amount = unit * call.int("quantity").unwrap_or(1);
        asked.params.insert("amount".to_owned(), json!(amount));
    }
    asked.params.insert("currency".to_owned(), json!(text(known, "currency")));
    let priced = if reprices { Some(priced(txn, &asked)?) } else { None };
    let rates = items::tax_rates(txn, call.get("tax_rates"), "tax_rates")?;
    let id = text(known, "id").to_owned();
    txn.edit(KIND, &id, |doc| {
        copy(doc, call, &["description", "discountable", "period"]);
        if let Some(priced) = priced {
            doc.insert("amount".to_owned(), json!(priced.amount));
            doc.insert("pricing".to_owned(), priced.pricing);
            doc.insert("quantity".to_owned(), json!(priced.quantity));
            doc.insert("quantity_decimal".to_owned(), json!(priced.quantity.to_string()));
        }
        if call.sent("tax_rates") {
            doc.insert("tax_rates".to_owned(), json!(rates));
        }
        merge_metadata(doc, &call.params);
    });
    let after = discounted(txn, call, &*txn.find(KIND, &id, "id")?)?;
    let invoice = text(&after, "invoice").to_owned();
    if !invoice.is_empty() {
        let fresh = line::of_invoice_item(txn, &after);
        invoice::edit(txn, &invoice, |_, part| {
            let of = |it: &&mut LinePart| line::invoice_item(&it.doc) == Some(&*id);
            if let Some(slot) = part.lines.iter_mut().find(of) {
                let kept = slot.doc.get("id").cloned().unwrap_or_default();
                *slot = fresh;
                line::set(slot, "id", kept);
            }
        });
    }
    Ok(after)
}

/// Puts an item on a draft.
pub fn add_to(txn: &mut Txn<'_>, invoice: &str, item: &Object) {
    let line = line::of_invoice_item(txn, item);
    txn.edit(KIND, text(item, "id"), |doc| {
        doc.insert("invoice".to_owned(), json!(invoice));
    });
    let changed = invoice::edit(txn, invoice, |_, part| part.lines.push(line));
    if let Some((before, after)) = changed {
        txn.emit_change("invoice.updated", &before, &after);
    }
}
