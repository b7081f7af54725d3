//! Payments of invoices.

use crate::sandbox::behaviour::billing::money::PAYMENT;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;

/// The behaviour of `/v1/invoice_payments`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/invoice_payments" => list_all,
        "GET /v1/invoice_payments/{invoice_payment}" => {
            |txn, call| txn.find(PAYMENT, call.id(0), "id").map(Body::from)
        }
        _ => return None,
    })
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["invoice", "status"]);
    let by = call.hash("payment").and_then(|it| it.get("payment_intent").and_then(Value::as_str));
    if let Some(intent) = by {
        filters.push(Filter::Is("payment.payment_intent", intent.to_owned()));
    }
    list::page(txn, call, PAYMENT, &filters)
}
