//! The order beside a payment form: its lines, what can be added to it, and what it comes to. Pure.

use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::page::entry::{Asks, FieldError};
use crate::sandbox::page::field::{Line, lines, shown};
use crate::words::page::Words;
use serde_json::Value;

/// What the page shows of an order.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What is bought.
    pub lines: Vec<Line>,
    /// What may be added.
    pub extras: Vec<Line>,
    /// Whether the quantity of any line may be changed.
    pub is_adjustable: bool,
    /// Before discounts, shipping and tax.
    pub subtotal: String,
    /// What the discount is called, and what it takes off.
    pub discount: Option<(String, String)>,
    /// What shipping costs.
    pub shipping: Option<String>,
    /// What the tax is called, and what it comes to.
    pub tax: Option<(&'static str, String)>,
    /// What is paid.
    pub total: String,
    /// Whether a code can be typed.
    pub takes_code: bool,
    /// What was wrong with the code that was typed.
    pub code_error: Option<String>,
}

impl Order {
    /// The order of a session.
    pub fn of(session: &Object, asks: &Asks, faults: &[FieldError], w: &'static Words) -> Self {
        let part = session.part::<SessionPart>();
        let currency = text(session, "currency");
        let amount = |minor: i64| shown(minor, currency);
        let extras: Vec<Value> = part.optional.iter().map(|(item, _)| item.clone()).collect();
        let extra_looks: Vec<_> = part.optional.iter().map(|(_, look)| look.clone()).collect();
        let lines_shown = lines(&part.line_items, &part.line_looks, w);
        let discount = part.discount.as_ref().map(|(_, coupon)| {
            let off = session.pointer("/total_details/amount_discount").and_then(Value::as_i64);
            let name = match text(coupon, "name") {
                "" => w.discount.to_owned(),
                own => own.to_owned(),
            };
            (name, format!("−{}", amount(off.unwrap_or(0))))
        });
        let shipping = session.get("shipping_cost").filter(|cost| cost.is_object());
        Self {
            is_adjustable: lines_shown.iter().any(|line| line.range.is_some()),
            lines: lines_shown,
            extras: lines(&extras, &extra_looks, w),
            subtotal: amount(int(session, "amount_subtotal")),
            takes_code: asks.code && discount.is_none(),
            discount,
            shipping: shipping.map(|cost| amount(int(cost, "amount_subtotal"))),
            tax: tax(session, &amount, w),
            total: amount(int(session, "amount_total")),
            code_error: faults.iter().find(|it| it.field == "code").map(|it| it.text.clone()),
        }
    }
}

/// The tax's line: there is one where taxes are worked out, and where there is any.
fn tax(
    session: &Value,
    amount: &dyn Fn(i64) -> String,
    w: &'static Words,
) -> Option<(&'static str, String)> {
    if session.pointer("/automatic_tax/status").is_some_and(|it| it == "requires_location_inputs") {
        return Some((w.tax, w.tax_later.to_owned()));
    }
    let details = session.get("total_details")?;
    let tax = int(details, "amount_tax");
    if tax == 0 {
        return None;
    }
    let parts = int(session, "amount_subtotal") - int(details, "amount_discount")
        + int(details, "amount_shipping");
    let on_top = int(session, "amount_total") - parts;
    Some((if on_top == 0 { w.tax_included } else { w.tax }, amount(tax)))
}

/// The name of a way to ship, with how long it takes where that is known.
pub fn shipped_by(name: &str, estimate: &Value, w: &Words) -> String {
    let end = |which: &str| estimate.get(which).filter(|it| it.is_object());
    let count = |end: &Value| int(end, "value").to_string();
    let (from, to) = (end("minimum"), end("maximum"));
    let Some(last) = to.or(from) else { return name.to_owned() };
    let spoken = match (from, to) {
        (Some(from), Some(to)) if int(from, "value") != int(to, "value") => {
            format!("{}–{}", count(from), count(to))
        }
        (Some(from), None) => format!("{}–", count(from)),
        _ => count(last),
    };
    let takes = match text(last, "unit") {
        "hour" => w.delivery_hour(&spoken),
        "day" => w.delivery_day(&spoken),
        "week" => w.delivery_week(&spoken),
        "month" => w.delivery_month(&spoken),
        _ => w.delivery_business_day(&spoken),
    };
    format!("{name} ({takes})")
}
