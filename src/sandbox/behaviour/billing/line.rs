//! Lines of invoices: for a period of an item, for a part of one, and for what was added.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::wording::{self, Sold};
use crate::sandbox::behaviour::document::{int, new, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{Billed, LinePart};
use crate::sandbox::engine::txn::{Txn, View};
use serde_json::{Value, json};

/// What a line says beyond its place.
#[derive(Clone, Debug)]
pub struct Line<'l> {
    /// Minor units, negative for a credit.
    pub amount: i64,
    /// Lower-case code.
    pub currency: &'l str,
    /// What it is for.
    pub description: String,
    /// Which time it is for.
    pub period: Period,
    /// `pricing`.
    pub pricing: Value,
    /// How many.
    pub quantity: i64,
    /// Whether discounts take from it.
    pub discountable: bool,
    /// `parent`.
    pub parent: Value,
    /// `metadata`.
    pub metadata: Value,
}

/// The line as invoices show it.
pub fn doc(txn: &Txn<'_>, line: &Line<'_>) -> Value {
    let mut doc = new(
        "line_item",
        json!({
            "id": txn.new_id("il_1", 23), "amount": line.amount, "currency": line.currency,
            "description": line.description, "discount_amounts": [],
            "discountable": line.discountable, "discounts": [], "livemode": false,
            "metadata": line.metadata, "parent": line.parent,
            "period": {"end": line.period.end.0, "start": line.period.start.0},
            "pretax_credit_amounts": [], "pricing": line.pricing, "quantity": line.quantity,
            "quantity_decimal": line.quantity.to_string(), "subtotal": line.amount, "taxes": [],
        }),
    );
    // A type of before, which no answer shows.
    doc.remove("subscription");
    Value::Object(doc)
}

/// `pricing` by a price, with the amount of one unless that says nothing.
pub fn pricing(price: &Value, unit: &Value) -> Value {
    json!({
        "price_details": {"price": price.get("id"), "product": price.get("product")},
        "type": "price_details", "unit_amount_decimal": unit,
    })
}

/// `parent` of a line that bills an item of a subscription.
fn of_item(subscription: &str, item: &str, invoice_item: &Value, credited: &Value) -> Value {
    json!({
        "invoice_item_details": null,
        "subscription_item_details": {
            "invoice_item": invoice_item, "proration": !invoice_item.is_null(),
            "proration_details": {"credited_items": credited}, "subscription": subscription,
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    })
}

/// What is known of a product for a line's sentence.
pub fn product(view: &View, price: &Value) -> (String, Option<String>) {
    let found = view.get("product", text(price, "product"));
    let member =
        |name: &str| found.as_ref().and_then(|it| it.get(name)?.as_str().map(str::to_owned));
    (member("name").unwrap_or_default(), member("unit_label"))
}

/// How an item of a subscription is billed for a period.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// As its price says.
    Whole,
    /// So much, for a shorter period than its price is for.
    Part(i64),
    /// Not at all yet.
    Trial,
}

/// The line that bills an item for a period; `cost` is what a whole period costs.
pub fn regular(
    txn: &Txn<'_>,
    subscription: &Value,
    item: &Value,
    (period, cost, how): (Period, i64, How),
) -> LinePart {
    let price = item.get("price").cloned().unwrap_or_default();
    let currency = text(subscription, "currency");
    let quantity = item.get("quantity").and_then(Value::as_i64).unwrap_or(0);
    let (name, label) = product(txn, &price);
    let sold = Sold { product: &name, unit_label: label.as_deref(), quantity };
    let unit = price.get("unit_amount_decimal").cloned().unwrap_or_default();
    let (amount, description, unit) = match how {
        How::Whole => (cost, wording::regular(sold, &price, currency), unit),
        How::Part(part) => (part, wording::regular(sold, &price, currency), unit),
        How::Trial => (0, wording::trial(sold), json!("0")),
    };
    let parent = of_item(text(subscription, "id"), text(item, "id"), &Value::Null, &Value::Null);
    let line = Line {
        amount,
        currency,
        description,
        period,
        pricing: pricing(&price, &unit),
        quantity,
        discountable: true,
        parent,
        metadata: item.get("metadata").cloned().unwrap_or_else(|| json!({})),
    };
    let whole = if matches!(how, How::Trial) { 0 } else { cost };
    LinePart {
        doc: doc(txn, &line),
        rates: rates(item),
        discounts: names(item.get("discounts")),
        billed: Some(Billed {
            item: text(item, "id").to_owned(),
            price: text(&price, "id").to_owned(),
            quantity,
            amount: whole,
            line: None,
        }),
        credits: Vec::new(),
    }
}

/// The ids of the tax rates of an item.
pub fn rates(item: &Value) -> Vec<String> {
    let all = item.get("tax_rates").and_then(Value::as_array);
    all.into_iter().flatten().map(|rate| text(rate, "id").to_owned()).collect()
}

/// A list of ids.
pub fn names(list: Option<&Value>) -> Vec<String> {
    let all = list.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// The line that an invoice item becomes on an invoice.
pub fn of_invoice_item(txn: &Txn<'_>, item: &Object) -> LinePart {
    let parent = item.get("parent").and_then(|it| it.get("subscription_details"));
    let subscription = parent.map(|it| text(it, "subscription")).filter(|it| !it.is_empty());
    let of = parent.map(|it| text(it, "subscription_item")).filter(|it| !it.is_empty());
    let is_proration = item.get("proration") == Some(&json!(true));
    let credited = item
        .get("proration_details")
        .and_then(|it| it.get("credited_items")?.get("invoice_line_item_details"))
        .cloned()
        .unwrap_or_default();
    let parent = match (subscription, of) {
        (Some(subscription), Some(of)) if is_proration => {
            of_item(subscription, of, &json!(text(item, "id")), &credited)
        }
        _ => json!({
            "invoice_item_details": {
                "invoice_item": text(item, "id"), "proration": is_proration,
                "proration_details": {"credited_items": null}, "subscription": subscription,
            },
            "subscription_item_details": null, "type": "invoice_item_details",
        }),
    };
    let period = item.get("period").cloned().unwrap_or_default();
    let mut line = doc(
        txn,
        &Line {
            amount: int(item, "amount"),
            currency: text(item, "currency"),
            description: text(item, "description").to_owned(),
            period: Period {
                start: Timestamp(int(&period, "start")),
                end: Timestamp(int(&period, "end")),
            },
            pricing: item.get("pricing").cloned().unwrap_or_default(),
            quantity: int(item, "quantity"),
            discountable: item.get("discountable") != Some(&json!(false)),
            parent,
            metadata: item.get("metadata").cloned().unwrap_or_else(|| json!({})),
        },
    );
    if item.get("description").is_none_or(Value::is_null)
        && let Some(line) = line.as_object_mut()
    {
        line.insert("description".to_owned(), Value::Null);
    }
    LinePart {
        doc: line,
        rates: rates(item),
        discounts: names(item.get("discounts")),
        ..LinePart::default()
    }
}

/// The id of the invoice item that a line comes from.
pub fn invoice_item(line: &Value) -> Option<&str> {
    let parent = line.get("parent")?;
    let of = |name: &str| parent.get(name)?.get("invoice_item")?.as_str();
    of("invoice_item_details").or_else(|| of("subscription_item_details"))
}

/// The lines as an invoice shows them: the first ten, and how many there are.
pub fn shown(invoice: &str, lines: &[LinePart]) -> Value {
    let data: Vec<&Value> = lines.iter().map(|line| &line.doc).take(10).collect();
    json!({
        "object": "list", "data": data, "has_more": lines.len() > 10, "total_count": lines.len(),
        "url": format!("/v1/invoices/{invoice}/lines"),
    })
}

/// Sets a member of a line.
pub fn set(line: &mut LinePart, name: &str, value: Value) {
    if let Value::Object(doc) = &mut line.doc {
        let doc: &mut Doc = doc;
        doc.insert(name.to_owned(), value);
    }
}
