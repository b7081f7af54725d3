//! Promotion codes: what a customer types to get a coupon, and who may.

use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, new, text};
use crate::sandbox::behaviour::offer;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// The seconds of five years.
const FIVE_YEARS_S: i64 = 5 * 366 * 86_400;

/// The behaviour of `/v1/promotion_codes`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/promotion_codes" => create,
        "GET /v1/promotion_codes/{promotion_code}" => {
            |txn, call| txn.find("promotion_code", call.id(0), "id").map(Body::from)
        }
        "POST /v1/promotion_codes/{promotion_code}" => update,
        "GET /v1/promotion_codes" => list_all,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let (coupon, param) = coupon(call)?;
    let coupon = txn.find("coupon", coupon, param)?;
    offer::ensure_redeemable(txn, &coupon, param)?;
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
    }
    check(txn, call)?;
    let id = txn.new_id("promo_1", 23);
    let code =
        call.text("code").map_or_else(|| txn.new_id("", 8).to_ascii_uppercase(), str::to_owned);
    let mut doc = new(
        "promotion_code",
        json!({
            "id": id, "active": true, "code": code, "created": txn.now().0, "livemode": false,
            "promotion": {"type": "coupon", "coupon": text(&coupon, "id")},
            "restrictions": restrictions(call.hash("restrictions")), "times_redeemed": 0,
        }),
    );
    copy(
        &mut doc,
        call,
        &["active", "customer", "customer_account", "expires_at", "max_redemptions"],
    );
    merge_metadata(&mut doc, &call.params);
    let made = txn.put(doc);
    if let Some(at) = call.int("expires_at") {
        offer::lapse_at(txn, "promotion_code", &id, at);
    }
    txn.emit("promotion_code.created", &made);
    Ok(made.into())
}

/// The coupon that is named, and the parameter that names it: older versions did so at the top.
fn coupon(call: &Call) -> Result<(&str, &'static str), Failure> {
    let named = call.hash("promotion").and_then(|it| it.get("coupon")?.as_str());
    named
        .map(|id| (id, "promotion[coupon]"))
        .or(call.text("coupon").map(|id| (id, "coupon")))
        .ok_or_else(|| {
            let text = "You must pass promotion.coupon when passing promotion";
            Failure::invalid(text).param("promotion.coupon")
        })
}

fn check(txn: &Txn<'_>, call: &Call) -> Result<(), Failure> {
    offer::ensure_future(txn, call, "expires_at")?;
    if call.int("expires_at").is_some_and(|at| at > txn.now().0 + FIVE_YEARS_S) {
        let text = "Invalid timestamp: can be no more than five years in the future.";
        return Err(Failure::invalid(text).param("expires_at"));
    }
    if call.int("max_redemptions").is_some_and(|count| count < 1) {
        return Err(Failure::below_one("max_redemptions"));
    }
    if let Some(sent) = call.hash("restrictions") {
        // Believed: neither text is in a recording.
        let (amount, currency) = (sent.get("minimum_amount"), sent.get("minimum_amount_currency"));
        let lacking = match (amount, currency) {
            (Some(_), None) => Some("restrictions[minimum_amount_currency]"),
            (None, Some(_)) => Some("restrictions[minimum_amount]"),
            _ => None,
        };
        if let Some(param) = lacking {
            let text = format!("Missing required param: {param}.");
            return Err(Failure::invalid(text).code("parameter_missing").param(param));
        }
    }
    let Some(code) = call.text("code") else { return Ok(()) };
    if code.is_empty()
        || !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        let text = format!(
            "This value must match the regex pattern. (/\\A[a-zA-Z0-9\\-_]+\\z/ does not match for the value {code})."
        );
        return Err(Failure::invalid(text).param("code"));
    }
    if call.flag("active") == Some(false) { Ok(()) } else { ensure_free(txn, code, None) }
}

/// No two active codes are the same, whatever the case of their letters.
fn ensure_free(txn: &Txn<'_>, code: &str, own: Option<&str>) -> Result<(), Failure> {
    let taken = offer::with_code(txn, code).is_some_and(|it| Some(text(&it, "id")) != own);
    if taken {
        let text = format!("An active promotion code with `code: {code}` already exists.");
        return Err(Failure::invalid(text));
    }
    Ok(())
}

/// `restrictions`, with what was not said.
fn restrictions(sent: Option<&Map<String, Value>>) -> Value {
    let member = |name: &str| sent.and_then(|sent| sent.get(name)).cloned();
    let currency = member("minimum_amount_currency");
    let currency = currency.as_ref().and_then(Value::as_str).map(str::to_ascii_lowercase);
    let mut all = json!({
        "first_time_transaction": member("first_time_transaction").unwrap_or(json!(false)),
        "minimum_amount": member("minimum_amount"), "minimum_amount_currency": currency,
    });
    if let (Some(options), Some(all)) = (member("currency_options"), all.as_object_mut()) {
        all.insert("currency_options".to_owned(), options);
    }
    all
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let id = call.id(0);
    let known = txn.find("promotion_code", id, "id")?;
    if call.flag("active") == Some(true) && known.get("active") == Some(&json!(false)) {
        offer::ensure_revivable(txn, &known)?;
        ensure_free(txn, text(&known, "code"), Some(id))?;
    }
    let Some((before, after)) = txn.edit("promotion_code", id, |doc| {
        copy(doc, call, &["active"]);
        merge_metadata(doc, &call.params);
        let sent = call.hash("restrictions").and_then(|it| it.get("currency_options")?.as_object());
        if let (Some(sent), Some(Value::Object(known))) = (sent, doc.get_mut("restrictions")) {
            let mut options = known.remove("currency_options");
            offer::merge_options(&mut options, sent);
            known.insert("currency_options".to_owned(), options.unwrap_or_default());
        }
    }) else {
        return Err(Failure::missing("promotion code", id, "id"));
    };
    txn.emit_change("promotion_code.updated", &before, &after);
    Ok(after.into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["active", "customer", "customer_account"]);
    if let Some(code) = call.text("code") {
        filters.push(Filter::IsLike("code", code.to_owned()));
    }
    if let Some(coupon) = call.text("coupon") {
        filters.push(Filter::Is("promotion.coupon", coupon.to_owned()));
    }
    list::page(txn, call, "promotion_code", &filters)
}
