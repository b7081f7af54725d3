//! Discounts that customers have: given by a coupon, and taken away.

use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::behaviour::offer::{self, Offer, Purchase};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};

/// The behaviour of `/v1/customers/{customer}/discount`.
pub fn handler(key: &str) -> Option<Handler> {
    (key == "DELETE /v1/customers/{customer}/discount").then_some(remove as Handler)
}

/// Gives a customer the discount that the `coupon` or `promotion_code` of a call names, which only older versions
/// can say; a cleared coupon takes it away.
pub fn set(txn: &mut Txn<'_>, call: &Call, customer: &str) -> Result<(), Failure> {
    if call.sent("coupon") && call.get("coupon").is_none() {
        drop(take(txn, customer));
        return Ok(());
    }
    if call.get("coupon").is_none() && call.get("promotion_code").is_none() {
        return Ok(());
    }
    let named = json!({
        "coupon": call.get("coupon"), "promotion_code": call.get("promotion_code"),
    });
    let (offer, param) = Offer::named(txn, &named, "")?;
    let currency = Settings::of(txn).get("currency").to_owned();
    let currency = match text(&offer.coupon, "currency") {
        "" => currency,
        own => own.to_owned(),
    };
    let purchase = Purchase { customer: Some(customer), currency: &currency, subtotal: i64::MAX };
    offer.ensure_usable(txn, &purchase, &param)?;
    let known = txn.get("customer", customer).and_then(|it| it.get("discount").cloned());
    let given = offer.give(txn, ("customer", customer), Some(customer));
    offer::redeem(txn, &given);
    txn.edit("customer", customer, |doc| drop(doc.insert("discount".to_owned(), given.document())));
    let first = known.is_none_or(|known| known.is_null());
    txn.emit(if first { "customer.discount.created" } else { "customer.discount.updated" }, &given);
    Ok(())
}

/// Takes a customer's discount away, and tells of it.
fn take(txn: &mut Txn<'_>, customer: &str) -> Option<Value> {
    let held = txn.get("customer", customer)?;
    let id =
        held.get("discount").map(|it| text(it, "id").to_owned()).filter(|id| !id.is_empty())?;
    txn.edit("customer", customer, |doc| drop(doc.insert("discount".to_owned(), Value::Null)));
    let ended = txn.get("discount", &id)?;
    txn.remove("discount", &id);
    txn.emit("customer.discount.deleted", &ended);
    let mut stub = ended.document();
    if let Some(stub) = stub.as_object_mut() {
        stub.insert("deleted".to_owned(), json!(true));
    }
    Some(stub)
}

fn remove(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = call.id(0);
    txn.find("customer", customer, "id")?;
    take(txn, customer).map(Body::from).ok_or_else(|| {
        // Believed: no recording has it.
        let text = format!("No active discount for customer: {customer}");
        Failure { status: 404, ..Failure::invalid(text).code("resource_missing") }
    })
}
