//! Coupons: how much comes off, how often and for how long.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, new, text};
use crate::sandbox::behaviour::offer;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::private::CouponPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// Members of a coupon that are parameters of the same name.
const FIELDS: &[&str] = &[
    "amount_off",
    "currency",
    "duration",
    "duration_in_months",
    "max_redemptions",
    "name",
    "percent_off",
    "redeem_by",
];

/// Before this version, `duration` had to be said. That it was this one is believed: recordings of 2016 refuse.
const DURATION_SUPPOSED_FROM: &str = "2017-01-01";

/// The behaviour of `/v1/coupons`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/coupons" => create,
        "GET /v1/coupons/{coupon}" => {
            |txn, call| txn.find("coupon", call.id(0), "id").map(Body::from)
        }
        "POST /v1/coupons/{coupon}" => update,
        "DELETE /v1/coupons/{coupon}" => delete,
        "GET /v1/coupons" => |txn, call| list::page(txn, call, "coupon", &[]),
        _ => return None,
    })
}

/// What a coupon shows only when it is expanded.
pub fn include(txn: &Txn<'_>, coupon: &Value, field: &str) -> Option<Value> {
    let part = txn.record::<CouponPart>("coupon", text(coupon, "id")).cloned().unwrap_or_default();
    match field {
        "applies_to" => part.applies_to,
        "currency_options" => Some(options(coupon, &part)),
        _ => None,
    }
}

/// Every amount of a coupon by its currency, its own among them; null for one in percent.
fn options(coupon: &Value, part: &CouponPart) -> Value {
    let Some(own) = coupon.get("amount_off").filter(|amount| !amount.is_null()) else {
        return Value::Null;
    };
    let mut all = part.currency_options.as_ref().and_then(Value::as_object).cloned();
    let all = all.get_or_insert_default();
    all.insert(text(coupon, "currency").to_owned(), json!({"amount_off": own}));
    Value::Object(std::mem::take(all))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    check(txn, call)?;
    let id = call.text("id").map_or_else(|| txn.new_id("", 8), str::to_owned);
    if txn.get("coupon", &id).is_some() {
        return Err(Failure::invalid("Coupon already exists.").code("resource_already_exists"));
    }
    let mut doc = new(
        "coupon",
        json!({
            "id": id, "created": txn.now().0, "duration": "once", "livemode": false,
            "times_redeemed": 0, "valid": true,
        }),
    );
    copy(&mut doc, call, FIELDS);
    if let Some(currency) = call.text("currency") {
        doc.insert("currency".to_owned(), json!(currency.to_ascii_lowercase()));
    }
    merge_metadata(&mut doc, &call.params);
    let part = CouponPart {
        applies_to: call.get("applies_to").cloned(),
        currency_options: call.get("currency_options").cloned(),
    };
    let coupon = txn.put_with(doc, part);
    if let Some(at) = call.int("redeem_by") {
        offer::lapse_at(txn, "coupon", &id, at);
    }
    txn.emit("coupon.created", &coupon);
    Ok(coupon.into())
}

/// Refuses what a coupon cannot be.
fn check(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    let refuse = |text: String, param: &str| Err(Failure::invalid(text).param(param));
    let percent = call.get("percent_off").and_then(Value::as_f64);
    if call.version.text.as_str() < DURATION_SUPPOSED_FROM && !call.sent("duration") {
        return refuse("Missing required param: duration.".to_owned(), "duration");
    }
    match (percent, call.int("amount_off")) {
        (None, None) => {
            let text = "Must provide percent_off or amount_off.";
            return Err(Failure::invalid(text).code("parameter_missing"));
        }
        (Some(_), Some(_)) => {
            let text =
                "Received both percent_off and amount_off parameters. Please pass in only one.";
            return Err(Failure::invalid(text));
        }
        (None, Some(_)) if !call.sent("currency") => {
            let text = "You must pass currency when passing amount_off";
            return refuse(text.to_owned(), "currency");
        }
        (None, Some(amount)) if amount < 1 => return too_small("amount_off"),
        (Some(percent), None) if percent < 0.01 => {
            let text = format!(
                "This value must be greater than or equal to 0.01 (it currently is '{percent:?}')."
            );
            return refuse(text, "percent_off");
        }
        // Believed: the text follows the one for the other end.
        (Some(percent), None) if percent > 100.0 => {
            let text = format!(
                "This value must be less than or equal to 100 (it currently is '{percent:?}')."
            );
            return refuse(text, "percent_off");
        }
        (Some(_), None) if call.sent("currency_options") => {
            let text =
                "You may only specify one of these parameters: currency_options, percent_off.";
            return refuse(text.to_owned(), "currency_options");
        }
        _ => {}
    }
    if call.text("duration") == Some("repeating") && !call.sent("duration_in_months") {
        let text = "The duration_in_months param must be set when creating a coupon with a repeating duration";
        return refuse(text.to_owned(), "duration");
    }
    for name in ["duration_in_months", "max_redemptions"] {
        if call.int(name).is_some_and(|count| count < 1) {
            return too_small(name);
        }
    }
    products(txn, call)?;
    offer::ensure_future(txn, call, "redeem_by")
}

fn too_small(param: &str) -> Result<(), Failure> {
    Err(Failure::below_one(param))
}

/// The products that a coupon is for are there.
fn products(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    let named = call.hash("applies_to").and_then(|to| to.get("products")?.as_array());
    for (at, id) in named.into_iter().flatten().enumerate() {
        let param = format!("applies_to[products][{at}]");
        txn.find("product", id.as_str().unwrap_or_default(), &param)?;
    }
    Ok(())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let coupon = txn.find("coupon", id, "id")?;
    if call.sent("currency_options") && coupon.get("amount_off").is_none_or(Value::is_null) {
        let text = "You may only specify one of these parameters: currency_options, percent_off.";
        return Err(Failure::invalid(text).param("currency_options"));
    }
    let Some((before, after)) = txn.edit_with("coupon", id, |doc, part: &mut CouponPart| {
        copy(doc, call, &["name"]);
        merge_metadata(doc, &call.params);
        if let Some(sent) = call.hash("currency_options") {
            offer::merge_options(&mut part.currency_options, sent);
        }
    }) else {
        return Err(Failure::missing("coupon", id, "id"));
    };
    txn.emit_change("coupon.updated", &before, &after);
    Ok(after.into())
}

/// Takes a coupon away; discounts that it gave go on.
fn delete(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let coupon = txn.find("coupon", id, "id")?;
    let invalid = txn.edit("coupon", id, |doc| drop(doc.insert("valid".to_owned(), json!(false))));
    let coupon = invalid.map_or(coupon, |(_, after)| after);
    txn.remove("coupon", id);
    txn.emit("coupon.deleted", &coupon);
    Ok(json!({"id": id, "object": "coupon", "deleted": true}).into())
}
