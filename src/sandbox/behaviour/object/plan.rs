//! Plans: prices that recur, as older clients make and read them.

use crate::sandbox::behaviour::billing::plan;
use crate::sandbox::behaviour::document::{Handler, copy, int, merge_metadata, text};
use crate::sandbox::behaviour::pricing;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The behaviour of `/v1/plans`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/plans" => create,
        "GET /v1/plans" => list_all,
        "GET /v1/plans/{plan}" => |txn, call| found(txn, call).map(|it| shown(&it)),
        "POST /v1/plans/{plan}" => update,
        "DELETE /v1/plans/{plan}" => delete,
        _ => return None,
    })
}

fn shown(price: &Value) -> Body {
    plan::of(price).map_or_else(|| json!({}), Value::Object).into()
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    let id = call.id(0);
    let price = txn.get("price", id).filter(|price| plan::of(price).is_some());
    price.ok_or_else(|| Failure { status: 404, ..missing("plan", id, "plan") })
}

/// Emits an event about a plan and about the price that it is.
fn tell(txn: &mut Txn<'_>, what: &str, price: &Object) {
    if let Some(doc) = plan::of(price) {
        txn.emit_about(&format!("plan.{what}"), &Value::Object(doc));
    }
    txn.emit(&format!("price.{what}"), price);
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.owned("id");
    if id.as_deref().is_some_and(|id| txn.get("price", id).is_some()) {
        return Err(Failure::invalid("Plan already exists.").code("resource_already_exists"));
    }
    let product = match (call.text("product"), call.hash("product")) {
        (Some(id), _) => {
            txn.find("product", id, "product")?;
            id.to_owned()
        }
        (None, Some(data)) => text(&*pricing::create_product(txn, data)?, "id").to_owned(),
        (None, None) => {
            let text = "Missing required param: product.";
            return Err(Failure::invalid(text).code("parameter_missing").param("product"));
        }
    };
    let made = pricing::put_price_as(txn, id, &product, &as_price(call), "")?;
    tell(txn, "created", &made);
    Ok(shown(&made))
}

/// The parameters of a price that say what those of a plan say.
fn as_price(call: &Call) -> Map<String, Value> {
    let mut params = Map::new();
    let names = [
        ("active", "active"),
        ("amount", "unit_amount"),
        ("amount_decimal", "unit_amount_decimal"),
        ("billing_scheme", "billing_scheme"),
        ("currency", "currency"),
        ("metadata", "metadata"),
        ("nickname", "nickname"),
        ("tiers", "tiers"),
        ("tiers_mode", "tiers_mode"),
        ("transform_usage", "transform_quantity"),
    ];
    for (plan, price) in names {
        if let Some(value) = call.get(plan) {
            params.insert(price.to_owned(), value.clone());
        }
    }
    let mut recurring = Map::new();
    for name in ["interval", "interval_count", "meter", "trial_period_days", "usage_type"] {
        if let Some(value) = call.get(name) {
            recurring.insert(name.to_owned(), value.clone());
        }
    }
    params.insert("recurring".to_owned(), Value::Object(recurring));
    params
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    if let Some(product) = call.text("product") {
        txn.find("product", product, "product")?;
    }
    let Some((before, after)) = txn.edit("price", text(&known, "id"), |doc| {
        copy(doc, call, &["active", "nickname", "product"]);
        if let (Some(days), Some(Value::Object(recurring))) =
            (call.params.get("trial_period_days"), doc.get_mut("recurring"))
        {
            recurring.insert("trial_period_days".to_owned(), days.clone());
        }
        merge_metadata(doc, &call.params);
    }) else {
        return Ok(shown(&known));
    };
    if let Some(doc) = plan::of(&after) {
        txn.emit_about("plan.updated", &Value::Object(doc));
    }
    txn.emit_change("price.updated", &before, &after);
    Ok(shown(&after))
}

fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let id = text(&known, "id").to_owned();
    tell(txn, "deleted", &known);
    // Subscriptions keep their plan: nobody else can find it any more.
    txn.put(json!({"id": id, "object": "price", "deleted": true}));
    Ok(json!({"id": id, "object": "plan", "deleted": true}).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let (active, product) = (call.flag("active"), call.text("product"));
    if let Some(product) = product {
        txn.find("product", product, "product")?;
    }
    let created = |price: &Object| list::is_created(call, int(price, "created"));
    let wanted = |price: &Arc<Object>| {
        active.is_none_or(|active| price.get("active") == Some(&json!(active)))
            && product.is_none_or(|product| text(price, "product") == product)
            && created(price)
    };
    let all: Vec<Value> = txn
        .newest("price")
        .filter(wanted)
        .filter_map(|price| plan::of(&price).map(Value::Object))
        .collect();
    list::page_of(call, "plan", &all)
}
