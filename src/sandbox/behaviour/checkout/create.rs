//! Makes a session.

use crate::catalog::Catalog;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::checkout::lines::Lines;
use crate::sandbox::behaviour::checkout::{
    SESSION, amount, defaults, expire, lines, not_modelled, shipping, validate,
};
use crate::sandbox::call::Call;
use crate::sandbox::call::reference;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::SessionPart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Methods that the page can take a payment with.
pub const PAYABLE: &[&str] = &["card", "konbini", "sepa_debit"];

/// Makes the session that a call asks for.
///
/// Fails as Stripe does for what the parameters lack or contradict; with a 501 for what is not modelled.
pub fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    validate::parameters(call, txn.now())?;
    let customer = match call.text("customer") {
        Some(id) => Some(txn.find("customer", id, "customer")?),
        None => None,
    };
    let mode = validate::mode(call)?;
    if mode == "setup" {
        validate::modelled(call)?;
    }
    let Lines { items, looks, total: goods } =
        lines::resolve(txn, call.list("line_items"), mode, call.text("currency"))?;
    let offered = shipping::resolve(txn, call.list("shipping_options"), goods.currency)?;
    let shipping = offered.first().map_or(0, amount_of);
    let total = Money::new(goods.minor.saturating_add(shipping), goods.currency);
    reference::check(txn, call)?;
    amount::chargeable(total)?;
    validate::modelled(call)?;
    let switched_on = Settings::of(txn).payment_methods(&["card", "konbini"]);
    let types = defaults::payment_method_types(call, total.currency, total.minor, &switched_on)?;
    if !types.iter().any(|kind| PAYABLE.contains(&kind.as_str())) {
        if types.is_empty() {
            let text = "No payment method is left that fits this currency and amount.";
            return Err(Failure::invalid(text).param("allowed_payment_method_types"));
        }
        return Err(not_modelled(&format!("paying by {} on its page", types.join(", "))));
    }

    let mut doc = Catalog::get().blank(SESSION);
    defaults::fill(&mut doc, call);
    doc.remove("line_items");
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("object", json!(SESSION));
    set("id", json!(txn.new_id(id_start(call, mode), 56)));
    set("amount_subtotal", json!(goods.minor));
    set("amount_total", json!(total.minor));
    set("created", json!(txn.now().0));
    set("currency", json!(total.currency.code()));
    set("livemode", json!(false));
    set("payment_method_options", defaults::payment_method_options(call, &types));
    set("payment_method_types", json!(types));
    set("payment_status", json!(if total.minor == 0 { "no_payment_required" } else { "unpaid" }));
    set("shipping_cost", offered.first().map_or(Value::Null, shipping::cost));
    set("shipping_options", json!(offered));
    set("status", json!("open"));
    set(
        "total_details",
        json!({"amount_discount": 0, "amount_shipping": shipping, "amount_tax": 0}),
    );
    let details =
        details_of(customer.as_ref().map(|customer| &***customer), call.text("customer_email"));
    set("collected_information", collected(&details));
    set("customer_details", details);
    address_it(txn, call, &mut doc);
    let expire_job = expire_later(txn, call, &mut doc);
    let part = SessionPart {
        line_items: items,
        line_looks: looks,
        payment_intent_data: call.hash("payment_intent_data").cloned().unwrap_or_default(),
        customer_update: call.get("customer_update").cloned(),
        expire_job: Some(expire_job),
        ..SessionPart::default()
    };
    Ok(txn.put_with(doc, part))
}

/// How a session's id starts, by what it does.
fn id_start(call: &Call, mode: &str) -> &'static str {
    match mode {
        "setup" => "cs_test_c1",
        _ if call.flag("allow_promotion_codes") == Some(true) => "cs_test_b1",
        _ => "cs_test_a1",
    }
}

/// What was collected so far: nothing, of somebody who is known.
fn collected(details: &Value) -> Value {
    if details.is_null() {
        return Value::Null;
    }
    json!({"business_name": null, "individual_name": null, "shipping_details": null})
}

/// Where the session is paid: its own page, or its secret for a page of the merchant's.
fn address_it(txn: &Txn<'_>, call: &Call, doc: &mut Doc) {
    let ui_mode = validate::ui_mode(call);
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let hosted = ui_mode == "hosted_page";
    let secret = txn.secret("checkout.session", &id, 48);
    let url = format!("{}/c/pay/{id}", txn.site().base_url);
    let redirect = call.text("redirect_on_completion").unwrap_or("always");
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("ui_mode", json!(ui_mode));
    set("url", json!(hosted.then_some(url)));
    set("client_secret", json!((!hosted).then_some(secret)));
    if ui_mode == "embedded_page" {
        set("redirect_on_completion", json!(redirect));
    }
}

fn expire_later(txn: &mut Txn<'_>, call: &Call, doc: &mut Doc) -> String {
    let expires_at = call.int("expires_at").map_or(txn.now().plus(validate::LIFE_S.1), Timestamp);
    let session = doc.get("id").cloned().unwrap_or(Value::Null);
    let job = txn.schedule(expires_at, expire::JOB, &json!({"session": session}));
    doc.insert("expires_at".to_owned(), json!(expires_at.0));
    job
}

/// `customer_details` before anything was typed: what the customer's record or the parameter says.
fn details_of(customer: Option<&Value>, email: Option<&str>) -> Value {
    let known = |name: &str| customer.and_then(|c| c.get(name)).cloned().unwrap_or(Value::Null);
    if customer.is_none() && email.is_none() {
        return Value::Null;
    }
    let email = email.map_or_else(|| known("email"), |email| json!(email));
    json!({
        "address": null, "business_name": null, "email": email, "individual_name": null,
        "name": null, "phone": null, "tax_exempt": "none", "tax_ids": null,
    })
}

fn amount_of(option: &Value) -> i64 {
    option.get("shipping_amount").and_then(Value::as_i64).unwrap_or(0)
}
