//! Makes a session.

use crate::catalog::Catalog;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::checkout::lines::Lines;
use crate::sandbox::behaviour::checkout::{
    SESSION, defaults, discount, expire, inline, lines, not_modelled, setup, subscribe, sums,
    validate,
};
use crate::sandbox::behaviour::document::member;
use crate::sandbox::behaviour::payment::offer;
use crate::sandbox::behaviour::setup::intent;
use crate::sandbox::behaviour::shipping;
use crate::sandbox::behaviour::tax;
use crate::sandbox::behaviour::total::amount;
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
    open(txn, call, Seller::Api)
}

/// Who makes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seller<'s> {
    /// A call of the API.
    Api,
    /// A payment link. What it sells was checked when it was made.
    Link(&'s str),
}

/// Makes the session that a call asks for, for a seller.
pub fn open(txn: &mut Txn<'_>, call: &Call, seller: Seller<'_>) -> Result<Arc<Object>, Failure> {
    validate::parameters(call, txn.now())?;
    offer::ensure_known(call)?;
    let customer = match call.text("customer") {
        Some(id) => Some(txn.find("customer", id, "customer")?),
        None => None,
    };
    let mode = validate::mode(call)?;
    let mut doc = Catalog::get().blank(SESSION);
    defaults::fill(&mut doc, call);
    doc.remove("line_items");
    let mut set = |name: &str, value: Value| drop(doc.insert(name.to_owned(), value));
    set("object", json!(SESSION));
    set("id", json!(txn.new_id(id_start(call, mode), 56)));
    set("created", json!(txn.now().0));
    set("livemode", json!(false));
    set("status", json!("open"));
    set("payment_status", json!("no_payment_required"));
    let details = details_of(customer.as_ref().map(|customer| &***customer), call, mode);
    set("collected_information", collected(&details));
    set("customer_details", details);
    let mut part = SessionPart {
        payment_intent_data: call.hash("payment_intent_data").cloned().unwrap_or_default(),
        subscription_data: call.hash("subscription_data").cloned().unwrap_or_default(),
        customer_update: call.get("customer_update").cloned(),
        tax_address: customer.as_ref().and_then(|customer| location_of(customer)),
        ..SessionPart::default()
    };
    if mode == "setup" {
        save_only(txn, call, &mut doc)?;
    } else {
        sell(txn, call, (&mut doc, &mut part), seller)?;
    }
    let configured = offer::details(txn, call)?;
    doc.insert("payment_method_configuration_details".to_owned(), configured);
    address_it(txn, call, &mut doc);
    if let Seller::Link(link) = seller {
        doc.insert("payment_link".to_owned(), json!(link));
    }
    part.expire_job = Some(expire_later(txn, call, &mut doc));
    Ok(txn.put_with(doc, part))
}

/// What a session sells, and what it comes to.
fn sell(
    txn: &mut Txn<'_>,
    call: &Call,
    (doc, part): (&mut Doc, &mut SessionPart),
    seller: Seller<'_>,
) -> Result<(), Failure> {
    let mode = validate::mode(call)?;
    let list = lines::Sent { lines: call.list("line_items"), mode, seller };
    let Lines { items, looks, total: goods } = lines::resolve(txn, &list, call.text("currency"))?;
    let offered = shipping::resolve(txn, call.list("shipping_options"), goods.currency)?;
    reference::check(txn, call)?;
    part.optional = lines::optional(txn, call.list("optional_items"), goods.currency)?;
    (part.line_items, part.line_looks) = (items, looks);
    subscribe::free_at_first(part);
    doc.insert("currency".to_owned(), json!(goods.currency.code()));
    discount::from_call(txn, call, doc, part, goods.minor)?;
    doc.insert("shipping_cost".to_owned(), offered.first().map_or(Value::Null, shipping::cost));
    doc.insert("shipping_options".to_owned(), json!(offered));
    sums::work_out(txn, doc, part);
    let due = doc.get("amount_total").and_then(Value::as_i64).unwrap_or(0);
    amount::chargeable(Money::new(due, goods.currency))?;
    let switched_on = on_offer(txn, call, mode)?;
    let types = defaults::payment_method_types(call, goods.currency, due, &switched_on)?;
    offer_types(call, doc, &types, PAYABLE, "paying")
}

/// The types that are offered where a call lists none: by the configuration that it names, else by the settings. What
/// comes again is paid by what can be charged again.
fn on_offer(txn: &Txn<'_>, call: &Call, mode: &str) -> Result<Vec<String>, Failure> {
    if call.text(offer::CONFIGURATION).is_some() {
        let mut on = offer::offered(txn, call)?;
        on.retain(|kind| mode == "payment" || intent::SAVED.contains(&kind.as_str()));
        return Ok(on);
    }
    let settings = Settings::of(txn);
    Ok(match mode {
        // What is only saved is a card, whatever else there is to pay with.
        "setup" => vec!["card".to_owned()],
        "subscription" => settings.payment_methods(&["card"]),
        _ => settings.payment_methods(&["card", "konbini"]),
    })
}

/// What a session that only saves a method has.
fn save_only(txn: &mut Txn<'_>, call: &Call, doc: &mut Doc) -> Result<(), Failure> {
    let asked = [call.list("payment_method_types"), call.list("allowed_payment_method_types")];
    let asked = asked.into_iter().find(|list| !list.is_empty());
    if asked.is_none() && call.text("currency").is_none() {
        return Err(inline::missing("currency"));
    }
    reference::check(txn, call)?;
    let types: Vec<String> = match asked {
        Some(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => on_offer(txn, call, "setup")?,
    };
    for name in ["amount_subtotal", "amount_total", "total_details"] {
        doc.insert(name.to_owned(), Value::Null);
    }
    let currency = call.text("currency").map(str::to_ascii_lowercase);
    doc.insert("currency".to_owned(), json!(currency));
    let id = doc.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    doc.insert("setup_intent".to_owned(), json!(setup::open(txn, call, &types, &id)));
    offer_types(call, doc, &types, setup::SAVED, "saving")
}

/// Writes the payment methods that the page offers.
///
/// Fails where it could offer none.
fn offer_types(
    call: &Call,
    doc: &mut Doc,
    types: &[String],
    known: &[&str],
    what: &str,
) -> Result<(), Failure> {
    if !types.iter().any(|kind| known.contains(&kind.as_str())) {
        if types.is_empty() {
            let text = "No payment method is left that fits this currency and amount.";
            return Err(Failure::invalid(text).param("allowed_payment_method_types"));
        }
        return Err(not_modelled(&format!("{what} by {} on its page", types.join(", "))));
    }
    let options = defaults::payment_method_options(call, types);
    doc.insert("payment_method_options".to_owned(), options);
    doc.insert("payment_method_types".to_owned(), json!(types));
    Ok(())
}

/// Where a customer is taxed, as far as their record says.
fn location_of(customer: &Value) -> Option<Value> {
    let shipping = customer.get("shipping").and_then(|it| it.get("address"));
    [shipping, customer.get("address")]
        .into_iter()
        .flatten()
        .find(|it| tax::is_location(it))
        .cloned()
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
fn details_of(customer: Option<&Value>, call: &Call, mode: &str) -> Value {
    let email = call.text("customer_email");
    if customer.is_none() && email.is_none() {
        return Value::Null;
    }
    let email = email.map_or_else(|| member(customer, "email"), |email| json!(email));
    let exempt = match member(customer, "tax_exempt") {
        _ if mode == "setup" => Value::Null,
        Value::Null => json!("none"),
        own => own,
    };
    json!({
        "address": null, "business_name": null, "email": email, "individual_name": null,
        "name": null, "phone": null, "tax_exempt": exempt, "tax_ids": null,
    })
}
