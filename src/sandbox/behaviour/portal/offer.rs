//! What a customer may change a subscription to.

use crate::sandbox::behaviour::billing::period::Interval;
use crate::sandbox::behaviour::billing::{plan, subscription};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::View;
use serde_json::{Value, json};
use std::sync::Arc;

/// A price that can be chosen.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The price.
    pub price: Arc<Object>,
    /// What its product is called.
    pub product: String,
    /// How many can be chosen at least and at most; `None` where the number stays.
    pub range: Option<(i64, i64)>,
}

/// The most that can be chosen of one price where nothing else is said.
const MOST: i64 = 999_999;

/// Why a subscription cannot be changed in a portal; `None` where it can.
pub fn refusal(view: &View, known: &Object) -> Option<&'static str> {
    let [item] = subscription::items(known) else { return Some("it has more than one item") };
    let price = view.get("price", item.get("price").map_or("", |it| text(it, "id")))?;
    let metered = price.pointer("/recurring/usage_type") == Some(&json!("metered"));
    if metered {
        return Some("it is billed by usage");
    }
    match text(known, "status") {
        "active" | "past_due" | "trialing" => None,
        _ => Some("of its status"),
    }
}

/// Whether customers may change a member of their subscriptions.
pub fn allows(configuration: &Value, what: &str) -> bool {
    let allowed = configuration.pointer("/features/subscription_update/default_allowed_updates");
    allowed.and_then(Value::as_array).into_iter().flatten().any(|it| it == what)
}

/// The prices that a subscription can be changed to, as the configuration lists them, in its own currency. Where the
/// price stays, only its own.
pub fn prices(view: &View, configuration: &Value, known: &Object) -> Vec<Offered> {
    let current = subscription::items(known).first().and_then(|it| it.get("price"));
    let current = current.map_or("", |it| text(it, "id"));
    let switches = allows(configuration, "price");
    let counts = allows(configuration, "quantity");
    let products = configuration.pointer("/features/subscription_update/products");
    let mut found = Vec::new();
    for listed in products.and_then(Value::as_array).into_iter().flatten() {
        let product = view.get("product", text(listed, "product"));
        let product = product.map(|it| text(&it, "name").to_owned()).unwrap_or_default();
        let adjusts = listed.get("adjustable_quantity").cloned().unwrap_or_default();
        let bound =
            |name: &str, none: i64| adjusts.get(name).and_then(Value::as_i64).unwrap_or(none);
        let range = (counts && adjusts.get("enabled") == Some(&Value::Bool(true)))
            .then(|| (bound("minimum", 1), bound("maximum", MOST)));
        for price in listed.get("prices").and_then(Value::as_array).into_iter().flatten() {
            let id = price.as_str().unwrap_or_default();
            let Some(price) = view.get("price", id) else { continue };
            let fits = text(&price, "currency") == text(known, "currency")
                && (id == current || (switches && price.get("active") == Some(&Value::Bool(true))));
            if fits {
                found.push(Offered { price, product: product.clone(), range });
            }
        }
    }
    found
}

/// When a change begins that a configuration has wait for the end of the period, because it costs less or is billed
/// more often; `None` for one that begins at once.
pub fn waits_until(
    view: &View,
    configuration: &Value,
    known: &Value,
    (price, quantity): (&str, i64),
) -> Option<i64> {
    let feature = configuration.pointer("/features/subscription_update/schedule_at_period_end")?;
    let conditions = feature.get("conditions").and_then(Value::as_array)?;
    let item = subscription::items(known).first()?;
    let before = view.get("price", item.get("price").map_or("", |it| text(it, "id")))?;
    let after = view.get("price", price)?;
    let length = |price: &Value| Interval::read(price.get("recurring")?).map(Interval::least);
    let meets = |condition: &Value| match text(condition, "type") {
        "decreasing_item_amount" => {
            cost(view, &after, quantity) < cost(view, &before, self::quantity(known))
        }
        "shortening_interval" => length(&after) < length(&before),
        _ => false,
    };
    let waits = text(known, "status") != "trialing" && conditions.iter().any(meets);
    subscription::period_end(known).filter(|_| waits)
}

/// What a price costs in a period, for so many.
pub fn cost(view: &View, price: &Object, quantity: i64) -> i64 {
    plan::cost(view, price, text(price, "currency"), quantity)
}

/// How many a subscription has of its one item.
pub fn quantity(known: &Value) -> i64 {
    subscription::items(known).first().map_or(1, |item| int(item, "quantity"))
}
