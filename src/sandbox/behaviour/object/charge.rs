//! Charges, as the API shows and annotates them.

use crate::sandbox::behaviour::connect::terms;
use crate::sandbox::behaviour::document::{Handler, copy, fill, merge_metadata, text};
use crate::sandbox::behaviour::payment::{direct, intent};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::call::search::{self, Index};
use crate::sandbox::call::step;
use crate::sandbox::engine::object::Doc;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};

const INDEX: Index = Index {
    kind: "charge",
    noun: "charges",
    fields: &[
        "amount",
        "billing_details.address.postal_code",
        "created",
        "currency",
        "customer",
        "disputed",
        "metadata",
        "payment_method_details.card.brand",
        "payment_method_details.card.exp_month",
        "payment_method_details.card.exp_year",
        "payment_method_details.card.fingerprint",
        "payment_method_details.card.last4",
        "refunded",
        "status",
    ],
};

/// The behaviour of `/v1/charges`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "POST /v1/charges" => create,
        "GET /v1/charges/{charge}" => retrieve,
        "POST /v1/charges/{charge}" => update,
        "POST /v1/charges/{charge}/capture" => capture,
        "POST /v1/charges/{charge}/refunds" => |txn, call| refunds(txn, call, "POST"),
        "GET /v1/charges/{charge}/refunds" => |txn, call| refunds(txn, call, "GET"),
        "GET /v1/charges" => list_all,
        "GET /v1/charges/search" => |txn, call| search::page(txn, call, &INDEX),
        _ => return None,
    })
}

/// `refunds`, which a charge shows only when they are expanded.
pub fn include(txn: &Txn<'_>, charge: &Value, field: &str) -> Option<Value> {
    if field != "refunds" {
        return None;
    }
    let id = text(charge, "id");
    let refunds = txn.having("refund", "charge", id);
    let shown: Vec<Value> = refunds.iter().take(10).map(|refund| refund.document()).collect();
    Some(json!({
        "object": "list", "data": shown, "has_more": refunds.len() > 10, "total_count": refunds.len(),
        "url": format!("/v1/charges/{id}/refunds"),
    }))
}

/// Members of a charge that are parameters of the same name.
const FIELDS: &[&str] = &[
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut call = call.clone();
    terms::modernise(&mut call.params);
    let call = &call;
    let required = |name: &str| {
        call.get(name).ok_or_else(|| {
            Failure::invalid(format!("Missing required param: {name}."))
                .code("parameter_missing")
                .param(name)
        })
    };
    let amount = required("amount")?.as_i64().unwrap_or(0);
    let currency = required("currency")?.as_str().unwrap_or_default();
    let currency = step::known_currency(currency)?.code();
    intent::check_amount(amount, currency)?;
    terms::check(txn, &call.params, amount, &Value::Null)?;
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
    }
    let payer = direct::payer(txn, call.text("customer"), call.text("source"))?;
    let mut terms = Doc::new();
    copy(&mut terms, call, FIELDS);
    fill(&mut terms, "charge", &["shipping"]);
    merge_metadata(&mut terms, &call.params);
    terms::write(&mut terms, call);
    terms.insert("amount".to_owned(), json!(amount));
    terms.insert("currency".to_owned(), json!(currency));
    if let Some(radar) = call.get("radar_options") {
        terms.insert("radar_options".to_owned(), radar.clone());
    }
    let captures = call.flag("capture") != Some(false);
    direct::create(txn, payer, terms, captures).map(Body::from)
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("charge", call.id(0), "id").map(Body::from)
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let charge = txn.find("charge", call.id(0), "id")?;
    if let Some(customer) = call.text("customer") {
        txn.find("customer", customer, "customer")?;
        let owner = text(&charge, "customer");
        if !owner.is_empty() && owner != customer {
            let text = "You cannot change the customer of a charge that has one.";
            return Err(Failure::invalid(text).param("customer"));
        }
    }
    let owner = text(&charge, "payment_intent");
    if !owner.is_empty() && call.sent("transfer_group") {
        return Err(Failure::invalid(format!(
            "This Charge was created by a PaymentIntent ({owner}). You must update the `transfer_group` on the PaymentIntent instead of updating the Charge directly. See https://stripe.com/docs/api#update_payment_intent"
        )));
    }
    let Some((before, after)) = txn.edit("charge", call.id(0), |doc| {
        let plain = ["customer", "description", "receipt_email", "shipping", "transfer_group"];
        copy(doc, call, &plain);
        copy(doc, call, &["fraud_details"]);
        fill(doc, "charge", &["shipping"]);
        merge_metadata(doc, &call.params);
    }) else {
        return Err(Failure::missing("charge", call.id(0), "id"));
    };
    txn.emit_change("charge.updated", &before, &after);
    Ok(after.into())
}

fn capture(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let charge = txn.find("charge", call.id(0), "id")?;
    if charge.get("captured") == Some(&json!(true)) {
        let message = format!("Charge {} has already been captured.", call.id(0));
        return Err(Failure::invalid(message).code("charge_already_captured"));
    }
    let owner = text(&charge, "payment_intent");
    if !owner.is_empty() {
        return Err(Failure::invalid(format!(
            "This uncaptured Charge was created by a PaymentIntent ({owner}). You must capture the PaymentIntent instead. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
        )));
    }
    direct::capture(txn, call.id(0), call.int("amount")).map(Body::from)
}

/// The refunds of a charge at the address that old clients use: as at their own, with the charge of the path.
fn refunds(txn: &mut Txn<'_>, call: &Call, method: &str) -> Result<Body, Failure> {
    txn.find("charge", call.id(0), "id")?;
    let key = format!("{method} /v1/refunds");
    let Some(own) = super::handler(&key) else {
        return Err(Failure::of(501, FailureKind::Api, "Refunds are not modelled."));
    };
    let mut params = call.params.clone();
    params.insert("charge".to_owned(), json!(call.id(0)));
    own(txn, &Call { params, ..call.clone() })
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let filters = list::same(call, &["payment_intent", "customer", "transfer_group"]);
    list::page(txn, call, "charge", &filters)
}
