//! Prices: what a product costs, once or again and again.

use crate::sandbox::behaviour::document::{Handler, copy, int, member, merge_metadata, text};
use crate::sandbox::behaviour::pricing;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::engine::private::PricePart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

const INDEX: Index = Index {
    kind: "price",
    noun: "prices",
    fields: &["active", "created", "currency", "lookup_key", "metadata", "product", "type"],
};

/// The behaviour of `/v1/prices`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/prices" => create,
        "GET /v1/prices/{price}" => retrieve,
        "POST /v1/prices/{price}" => update,
        "GET /v1/prices" => list_all,
        "GET /v1/prices/search" => |txn, call| search::page(txn, call, &INDEX),
        _ => return None,
    })
}

/// `tiers` and `currency_options`, which a price shows only when they are expanded.
pub fn include(txn: &Txn<'_>, price: &Value, field: &str) -> Option<Value> {
    let part = txn.record::<PricePart>("price", text(price, "id")).cloned().unwrap_or_default();
    match field {
        "tiers" => Some(tiers(&part)),
        "currency_options" => Some(currency_options(price, &part)),
        _ => None,
    }
}

/// The version that took usage records away.
const METERS_FROM: &str = "2025-03-31";

/// Tiers belong to what recurs, and what is metered has a meter.
fn ensure_sellable(call: &Call) -> Result<(), Failure> {
    let recurring = call.hash("recurring");
    if recurring.is_none() && call.text("billing_scheme") == Some("tiered") {
        let message = "Prices with `type=one_time` are not supported with tiered billing.";
        return Err(Failure::invalid(message).param("interval"));
    }
    let said = |name: &str| recurring.and_then(|recurring| recurring.get(name)?.as_str());
    let is_older = call.version.text.as_str() < METERS_FROM;
    if said("usage_type") == Some("metered") && said("meter").is_none() && !is_older {
        let message = "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.";
        return Err(Failure::invalid(message));
    }
    Ok(())
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    ensure_sellable(call)?;
    let product = match (call.text("product"), call.hash("product_data")) {
        (Some(_), Some(_)) => {
            let text = "You may only specify one of these parameters: product, product_data.";
            return Err(Failure::invalid(text).param("product"));
        }
        (Some(id), None) => {
            txn.find("product", id, "product")?;
            id.to_owned()
        }
        (None, Some(data)) => text(&*pricing::create_product(txn, data)?, "id").to_owned(),
        (None, None) => {
            let text = "You must specify either `product` or `product_data` when creating a price.";
            return Err(Failure::invalid(text));
        }
    };
    pricing::create_price(txn, &product, &call.params, "").map(Body::from)
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("price", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let price = txn.find("price", id, "id")?;
    let old = text(&price, "tax_behavior");
    if call.text("tax_behavior").is_some_and(|new| old != "unspecified" && new != old) {
        let text =
            "You cannot change `tax_behavior` once it has been set to `exclusive` or `inclusive`.";
        return Err(Failure::invalid(text).param("tax_behavior"));
    }
    if call.flag("active") == Some(false) {
        let product = txn.get("product", text(&price, "product"));
        if product.is_some_and(|product| text(&product, "default_price") == id) {
            let text =
                "This price cannot be archived because it is the default price of its product.";
            return Err(Failure::invalid(text).param("active"));
        }
    }
    if let Some(key) = call.text("lookup_key") {
        let transfer = call.flag("transfer_lookup_key") == Some(true);
        pricing::claim_lookup_key(txn, id, key, transfer)?;
    }
    let Some((before, after)) = txn.edit_with("price", id, |doc, part: &mut PricePart| {
        copy(doc, call, &["active", "lookup_key", "nickname", "tax_behavior"]);
        if let Some(options) = call.params.get("currency_options") {
            part.currency_options = Some(options.clone());
        }
        merge_metadata(doc, &call.params);
    }) else {
        return Err(Failure::missing("price", id, "id"));
    };
    txn.emit_change("price.updated", &before, &after);
    Ok(after.into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let keys = call.list("lookup_keys");
    let wanted: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
    let mut filters = list::same(call, &["product", "active", "currency", "type"]);
    match wanted.as_slice() {
        [] => {}
        [one] => filters.push(Filter::Is("lookup_key", (*one).to_owned())),
        some => filters.push(Filter::test(move |price| {
            list::plain(price, "lookup_key", |key| some.contains(&key))
        })),
    }
    for (name, value) in call.hash("recurring").into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        filters.push(Filter::test(move |price| {
            price.member(&["recurring", name], |raw| {
                raw.and_then(|raw| raw.plain().map(|found| found == value)) == Some(true)
            })
        }));
    }
    list::page(txn, call, "price", &filters)
}

fn tiers(part: &PricePart) -> Value {
    let Some(Value::Array(sent)) = &part.tiers else { return Value::Null };
    let decimal =
        |tier: &Value, name: &str| match (tier.get(name), tier.get(format!("{name}_decimal"))) {
            (Some(Value::Number(n)), _) => json!(n.to_string()),
            (_, Some(decimal)) => decimal.clone(),
            _ => Value::Null,
        };
    let shown = sent.iter().map(|tier| {
        let up_to = tier.get("up_to").filter(|up_to| up_to.is_i64()).cloned();
        json!({
            "flat_amount": member(tier, "flat_amount"), "flat_amount_decimal": decimal(tier, "flat_amount"),
            "unit_amount": member(tier, "unit_amount"), "unit_amount_decimal": decimal(tier, "unit_amount"),
            "up_to": up_to,
        })
    });
    Value::Array(shown.collect())
}

fn currency_options(price: &Value, part: &PricePart) -> Value {
    let own = json!({
        "custom_unit_amount": price.get("custom_unit_amount"),
        "tax_behavior": price.get("tax_behavior"), "unit_amount": price.get("unit_amount"),
        "unit_amount_decimal": price.get("unit_amount_decimal"),
    });
    let mut shown = serde_json::Map::new();
    shown.insert(text(price, "currency").to_owned(), own);
    let sent = part.currency_options.as_ref().and_then(Value::as_object);
    for (currency, option) in sent.into_iter().flatten() {
        let amount = int(option, "unit_amount");
        let decimal = option.get("unit_amount_decimal").cloned();
        let behaviour = option.get("tax_behavior").cloned();
        let option = json!({
            "custom_unit_amount": option.get("custom_unit_amount"),
            "tax_behavior": behaviour.unwrap_or_else(|| json!("unspecified")),
            "unit_amount": option.get("unit_amount"),
            "unit_amount_decimal": decimal.unwrap_or_else(|| json!(amount.to_string())),
        });
        shown.insert(currency.clone(), option);
    }
    Value::Object(shown)
}
