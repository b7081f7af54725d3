//! Shipping rates: what it costs to be sent something, and how long it takes.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, text};
use crate::sandbox::behaviour::shipping;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/shipping_rates`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/shipping_rates" => {
            |txn, call| shipping::put(txn, &call.params, "").map(Body::from)
        }
        "GET /v1/shipping_rates/{shipping_rate_token}" => {
            |txn, call| txn.find("shipping_rate", call.id(0), "id").map(Body::from)
        }
        "POST /v1/shipping_rates/{shipping_rate_token}" => update,
        "GET /v1/shipping_rates" => list_all,
        _ => return None,
    })
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let rate = txn.find("shipping_rate", id, "id")?;
    let old = text(&rate, "tax_behavior");
    if call.text("tax_behavior").is_some_and(|new| old != "unspecified" && new != old) {
        let text =
            "You cannot change `tax_behavior` once it has been set to `exclusive` or `inclusive`.";
        return Err(Failure::invalid(text).param("tax_behavior"));
    }
    let options = call.hash("fixed_amount").and_then(|it| it.get("currency_options")?.as_object());
    let changed = txn.edit("shipping_rate", id, |doc| {
        copy(doc, call, &["active", "tax_behavior"]);
        merge_metadata(doc, &call.params);
        if let (Some(sent), Some(Value::Object(fixed))) = (options, doc.get_mut("fixed_amount")) {
            let mut all = fixed.remove("currency_options").unwrap_or_else(|| json!({}));
            if let Some(all) = all.as_object_mut() {
                all.extend(shipping::with_behaviour(sent));
            }
            fixed.insert("currency_options".to_owned(), all);
        }
    });
    Ok(changed.map_or(rate, |(_, after)| after).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["active"]);
    if let Some(currency) = call.text("currency") {
        filters.push(Filter::IsLike("fixed_amount.currency", currency.to_owned()));
    }
    list::page(txn, call, "shipping_rate", &filters)
}
