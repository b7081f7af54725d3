//! The table of changes, newest first: which version changed what of which object.
//!
//! The words are those of somebody who goes back in time: what `member` is today, and what it was before.

use serde_json::{Map, Value, json};

/// What one version changed in one kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The date of the version that brought it.
    pub since: &'static str,
    /// The value of `object`.
    pub object: &'static str,
    /// The member, as a path of names.
    pub member: &'static str,
    /// What it was before.
    pub before: Before,
}

/// What a member was before a version.
#[derive(Clone, Copy, Debug)]
pub enum Before {
    /// It was not there.
    Absent,
    /// It was there, and is gone today.
    Here(Was),
    /// It had this name.
    Named(&'static str),
    /// It said the second word for what is the first today.
    Word(&'static str, &'static str),
}

/// What stood in a member that is gone.
#[derive(Clone, Copy, Debug)]
pub enum Was {
    /// Null.
    Null,
    /// An empty list.
    Empty,
    /// What stands today at the first of these paths that has something; else null. A number is a place in a list.
    At(&'static [&'static str]),
    /// The whole object of that kind whose id stands at that path today; null without an id, and for a price that
    /// is no plan.
    Object(&'static str, &'static str),
    /// What stands today at the first of these paths that has something; it was left out where none does.
    Perhaps(&'static [&'static str]),
    /// What whoever renders tells of the object by that name.
    Told(&'static str),
    /// What data cannot say.
    Made(fn(&Map<String, Value>) -> Value),
}

const MARKETING: &str = "2024-04-10";
const BASIL: &str = "2025-03-31";
const CLOVER: &str = "2025-09-30";
const DAHLIA: &str = "2026-03-25";

const NULL: Before = Before::Here(Was::Null);
const EMPTY: Before = Before::Here(Was::Empty);

const fn at(paths: &'static [&'static str]) -> Before {
    Before::Here(Was::At(paths))
}

const fn object(kind: &'static str, path: &'static str) -> Before {
    Before::Here(Was::Object(kind, path))
}

const fn told(name: &'static str) -> Before {
    Before::Here(Was::Told(name))
}

const fn made(make: fn(&Map<String, Value>) -> Value) -> Before {
    Before::Here(Was::Made(make))
}

const fn it(
    since: &'static str,
    object: &'static str,
    member: &'static str,
    before: Before,
) -> Change {
    Change { since, object, member, before }
}

/// Every change, newest first. Within one version, a member that others are made of goes last.
pub const CHANGES: &[Change] = &[
    it(DAHLIA, "checkout.session", "ui_mode", Before::Word("hosted_page", "hosted")),
    it(DAHLIA, "checkout.session", "ui_mode", Before::Word("embedded_page", "embedded")),
    it(DAHLIA, "checkout.session", "ui_mode", Before::Word("elements", "custom")),
    //
    it(CLOVER, "discount", "coupon", object("coupon", "source.coupon")),
    it(CLOVER, "discount", "source", Before::Absent),
    it(CLOVER, "promotion_code", "coupon", object("coupon", "promotion.coupon")),
    it(CLOVER, "promotion_code", "promotion", Before::Absent),
    //
    it(BASIL, "charge", "invoice", told("charge.invoice")),
    it(BASIL, "payment_intent", "invoice", told("payment_intent.invoice")),
    it(
        BASIL,
        "checkout.session",
        "shipping_details",
        at(&["collected_information.shipping_details"]),
    ),
    it(BASIL, "price", "recurring.aggregate_usage", NULL),
    it(BASIL, "plan", "aggregate_usage", NULL),
    //
    it(BASIL, "subscription", "current_period_start", at(&["items.data.0.current_period_start"])),
    it(BASIL, "subscription", "current_period_end", at(&["items.data.0.current_period_end"])),
    it(BASIL, "subscription", "discount", object("discount", "discounts.0")),
    //
    it(BASIL, "invoice", "application_fee_amount", NULL),
    it(BASIL, "invoice", "charge", told("invoice.charge")),
    it(BASIL, "invoice", "discount", object("discount", "discounts.0")),
    it(BASIL, "invoice", "paid", made(is_paid)),
    it(BASIL, "invoice", "paid_out_of_band", told("invoice.paid_out_of_band")),
    it(BASIL, "invoice", "payment_intent", told("invoice.payment_intent")),
    it(BASIL, "invoice", "quote", at(&["parent.quote_details.quote"])),
    it(BASIL, "invoice", "subscription", at(&["parent.subscription_details.subscription"])),
    it(BASIL, "invoice", "subscription_details", made(subscription_details)),
    it(BASIL, "invoice", "tax", made(tax)),
    it(BASIL, "invoice", "total_tax_amounts", made(total_tax_amounts)),
    it(BASIL, "invoice", "transfer_data", NULL),
    //
    it(BASIL, "line_item", "amount_excluding_tax", at(&["subtotal", "amount"])),
    it(
        BASIL,
        "line_item",
        "invoice_item",
        // A proration is an item of its own, whatever subscription it comes from.
        Before::Here(Was::Perhaps(&[
            "parent.invoice_item_details.invoice_item",
            "parent.subscription_item_details.invoice_item",
        ])),
    ),
    it(BASIL, "line_item", "plan", object("plan", "pricing.price_details.price")),
    it(BASIL, "line_item", "price", object("price", "pricing.price_details.price")),
    it(BASIL, "line_item", "proration", made(proration)),
    it(BASIL, "line_item", "proration_details", made(proration_details)),
    it(
        BASIL,
        "line_item",
        "subscription",
        at(&[
            "parent.subscription_item_details.subscription",
            "parent.invoice_item_details.subscription",
        ]),
    ),
    it(
        BASIL,
        "line_item",
        "subscription_item",
        at(&["parent.subscription_item_details.subscription_item"]),
    ),
    it(BASIL, "line_item", "tax_amounts", made(tax_amounts)),
    it(BASIL, "line_item", "tax_rates", EMPTY),
    it(BASIL, "line_item", "type", made(line_type)),
    it(BASIL, "line_item", "unit_amount_excluding_tax", made(unit_amount_excluding_tax)),
    //
    it(BASIL, "invoiceitem", "plan", object("plan", "pricing.price_details.price")),
    it(BASIL, "invoiceitem", "price", object("price", "pricing.price_details.price")),
    it(BASIL, "invoiceitem", "subscription", at(&["parent.subscription_details.subscription"])),
    it(BASIL, "invoiceitem", "unit_amount", made(unit_amount)),
    it(BASIL, "invoiceitem", "unit_amount_decimal", at(&["pricing.unit_amount_decimal"])),
    //
    it(BASIL, "credit_note", "refund", at(&["refunds.0.refund"])),
    it(BASIL, "credit_note", "tax_amounts", made(total_tax_amounts)),
    //
    it(MARKETING, "invoice", "rendering_options", made(rendering_options)),
    it(MARKETING, "product", "marketing_features", Before::Named("features")),
];

/// What stands at a path within a hash; `None` where the path ends early.
pub fn look<'d>(doc: &'d Map<String, Value>, path: &str) -> Option<&'d Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let member = doc.get(first)?;
    let Some(rest) = rest else { return Some(member) };
    rest.split('.').try_fold(member, |at, name| match at {
        Value::Object(map) => map.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

fn is_paid(invoice: &Map<String, Value>) -> Value {
    json!(look(invoice, "status").is_some_and(|status| status == "paid"))
}

fn subscription_details(invoice: &Map<String, Value>) -> Value {
    let metadata = look(invoice, "parent.subscription_details.metadata");
    json!({ "metadata": metadata })
}

fn taxes_of<'d>(doc: &'d Map<String, Value>, name: &str) -> &'d [Value] {
    look(doc, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn amount(tax: &Value) -> i64 {
    tax.get("amount").and_then(Value::as_i64).unwrap_or(0)
}

fn tax(invoice: &Map<String, Value>) -> Value {
    let all = taxes_of(invoice, "total_taxes");
    if all.is_empty() { Value::Null } else { json!(all.iter().map(amount).sum::<i64>()) }
}

fn total_tax_amounts(doc: &Map<String, Value>) -> Value {
    taxes_of(doc, "total_taxes").iter().map(tax_amount).collect()
}

fn tax_amounts(line: &Map<String, Value>) -> Value {
    taxes_of(line, "taxes").iter().map(tax_amount).collect()
}

fn tax_amount(tax: &Value) -> Value {
    json!({
        "amount": amount(tax),
        "inclusive": tax.get("tax_behavior").is_some_and(|it| it == "inclusive"),
        "tax_rate": tax.get("tax_rate_details").and_then(|it| it.get("tax_rate")),
        "taxability_reason": tax.get("taxability_reason"),
        "taxable_amount": tax.get("taxable_amount"),
    })
}

/// The details of the item that a line comes from.
fn details<'d>(line: &'d Map<String, Value>, name: &str) -> Option<&'d Value> {
    let paths = ["parent.subscription_item_details", "parent.invoice_item_details"];
    paths.iter().find_map(|path| look(line, path)?.get(name))
}

fn proration(line: &Map<String, Value>) -> Value {
    details(line, "proration").cloned().unwrap_or(Value::Bool(false))
}

fn proration_details(line: &Map<String, Value>) -> Value {
    let found = details(line, "proration_details").filter(|found| !found.is_null());
    found.cloned().unwrap_or_else(|| json!({"credited_items": null}))
}

fn line_type(line: &Map<String, Value>) -> Value {
    let of_item = details(line, "invoice_item").is_some_and(Value::is_string);
    json!(if of_item { "invoiceitem" } else { "subscription" })
}

/// What one of a line costs; a proration has no price of its own.
fn unit_amount_excluding_tax(line: &Map<String, Value>) -> Value {
    let priced = look(line, "pricing.unit_amount_decimal").filter(|it| !it.is_null());
    let number = |name: &str| look(line, name).and_then(Value::as_i64);
    priced.cloned().unwrap_or_else(|| {
        let each = number("amount")
            .and_then(|amount| amount.checked_div(number("quantity").unwrap_or(1).max(1)));
        json!(each.map(|each| each.to_string()))
    })
}

fn unit_amount(item: &Map<String, Value>) -> Value {
    let decimal = look(item, "pricing.unit_amount_decimal").and_then(Value::as_str);
    json!(decimal.and_then(|text| text.parse::<i64>().ok()))
}

fn rendering_options(invoice: &Map<String, Value>) -> Value {
    let display = look(invoice, "rendering.amount_tax_display").filter(|it| !it.is_null());
    display.map_or(Value::Null, |it| json!({ "amount_tax_display": it }))
}
