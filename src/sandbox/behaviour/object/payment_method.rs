//! Payment methods, as the API makes, saves and shows them.

use crate::sandbox::behaviour::cards;
use crate::sandbox::behaviour::document::{Handler, copy, merge_hash, merge_metadata, text};
use crate::sandbox::behaviour::payment::method;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};

/// The behaviour of `/v1/payment_methods` and of a customer's payment methods.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/payment_methods" => create,
        "GET /v1/payment_methods/{payment_method}" => retrieve,
        "POST /v1/payment_methods/{payment_method}" => update,
        "POST /v1/payment_methods/{payment_method}/attach" => attach,
        "POST /v1/payment_methods/{payment_method}/detach" => detach,
        "GET /v1/payment_methods" => list_all,
        "GET /v1/customers/{customer}/payment_methods" => list_of_customer,
        "GET /v1/customers/{customer}/payment_methods/{payment_method}" => retrieve_of_customer,
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if let Some(id) = call.text("payment_method") {
        return clone(txn, call, id);
    }
    if call.sent("customer") {
        let text = "You cannot attach a PaymentMethod to a Customer during PaymentMethod creation. Please instead create the PaymentMethod and then attach it using the attachment method of the PaymentMethods API.";
        return Err(Failure::invalid(text));
    }
    let id = method::create_from_params(txn, &call.params, "")?;
    txn.edit("payment_method", &id, |doc| {
        copy(doc, call, &["allow_redisplay", "radar_options"]);
        merge_metadata(doc, &call.params);
    });
    txn.find("payment_method", &id, "id").map(Body::from)
}

/// Copies a payment method of the platform into the connected account that the call works in, as recordings have
/// it: of nobody, without metadata. The texts of the refusals are our own.
fn clone(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Body, Failure> {
    const PARAM: &str = "payment_method";
    if txn.scope().account.is_empty() {
        let text = "A PaymentMethod is cloned into a connected account: name the account in the `Stripe-Account` header.";
        return Err(Failure::invalid(text).param(PARAM));
    }
    let found = txn.in_account("", |txn| method::instantiate_test_method(txn, id, PARAM))?;
    let owner = text(&found, "customer");
    if !owner.is_empty() && call.text("customer") != Some(owner) {
        let text = format!(
            "The PaymentMethod '{id}' is attached to a customer: name that customer of the platform in `customer` to clone it."
        );
        return Err(Failure::invalid(text).param("customer"));
    }
    let part = found.part::<PaymentMethodPart>().into_owned();
    let mut doc = found.as_object().cloned().unwrap_or_default();
    doc.insert("id".to_owned(), json!(txn.new_id("pm_1", 23)));
    doc.insert("created".to_owned(), json!(txn.now().0));
    doc.insert("customer".to_owned(), Value::Null);
    doc.insert("metadata".to_owned(), json!({}));
    merge_metadata(&mut doc, &call.params);
    copy(&mut doc, call, &["allow_redisplay"]);
    Ok(txn.put_with(doc, PaymentMethodPart { spent: false, ..part }).into())
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    method::instantiate_test_method(txn, call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("payment_method", call.id(0), "id")?;
    if text(&found, "customer").is_empty() {
        let text = "You must save this PaymentMethod to a customer before you can update it.";
        return Err(Failure::invalid(text).code("payment_method_unexpected_state"));
    }
    let Some((before, after)) = txn.edit("payment_method", call.id(0), |doc| {
        copy(doc, call, &["allow_redisplay"]);
        merge_hash(doc.get_mut("billing_details"), call.hash("billing_details"));
        if let Some(address) = doc.get_mut("billing_details").and_then(|b| b.get_mut("address")) {
            *address = cards::address(Some(&*address));
        }
        merge_hash(doc.get_mut("card"), call.hash("card"));
        merge_metadata(doc, &call.params);
    }) else {
        return Err(Failure::missing("PaymentMethod", call.id(0), "id"));
    };
    txn.emit_change("payment_method.updated", &before, &after);
    Ok(after.into())
}

fn attach(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let Some(customer) = call.text("customer") else {
        let text = "Must provide customer or customer_account.";
        return Err(Failure::invalid(text).code("parameter_missing"));
    };
    let found = method::instantiate_test_method(txn, call.id(0), "id")?;
    method::attach(txn, text(&found, "id"), customer).map(Body::from)
}

fn detach(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    method::detach(txn, call.id(0)).map(Body::from)
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
    }
    // Payment methods of nobody are in no list.
    let wanted = call.text("customer").or_else(|| call.text("customer_account"));
    list_where(txn, call, wanted.unwrap_or_default())
}

fn list_of_customer(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    list_where(txn, call, call.id(0))
}

fn list_where(txn: &Txn<'_>, call: &Call, customer: &str) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["type", "allow_redisplay"]);
    filters.push(Filter::Is("customer", customer.to_owned()));
    list::page(txn, call, "payment_method", &filters)
}

fn retrieve_of_customer(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("payment_method", call.id(1), "id")?;
    if text(&found, "customer") != call.id(0) {
        let failure = Failure::of(404, FailureKind::InvalidRequest, "Invalid request");
        return Err(failure.param("customer"));
    }
    Ok(found.into())
}
