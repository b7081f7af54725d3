//! Changes of customers' balances, by hand and by what their invoices took up.

use crate::sandbox::behaviour::billing::balance::{self, KIND};
use crate::sandbox::behaviour::billing::on_clock_of;
use crate::sandbox::behaviour::document::{Handler, copy, merge_metadata, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::call::step::known_currency;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use std::sync::Arc;

/// The behaviour of `/v1/customers/{customer}/balance_transactions`.
pub fn handler(key: &str) -> Option<Handler> {
    const ONE: &str = "GET /v1/customers/{customer}/balance_transactions/{transaction}";
    const CHANGE: &str = "POST /v1/customers/{customer}/balance_transactions/{transaction}";
    Some(match key {
        "GET /v1/customers/{customer}/balance_transactions" => list_all,
        "POST /v1/customers/{customer}/balance_transactions" => create,
        ONE => |txn, call| found(txn, call).map(Body::from),
        CHANGE => update,
        _ => return None,
    })
}

fn found(txn: &Txn<'_>, call: &Call) -> Result<Arc<Object>, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let found = txn.find(KIND, call.id(1), "id")?;
    if text(&found, "customer") == call.id(0) {
        return Ok(found);
    }
    Err(crate::sandbox::engine::txn::missing(KIND, call.id(1), "id"))
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = call.id(0).to_owned();
    txn.find("customer", &customer, "id")?;
    let currency = known_currency(call.text("currency").unwrap_or_default())?.code();
    let amount = call.int("amount").unwrap_or_default();
    let made = on_clock_of(txn, &customer, |txn| {
        balance::change(txn, &customer, (amount, currency), "adjustment", None)
    });
    let Some(made) = made else { return Err(Failure::missing("customer", &customer, "id")) };
    let written = txn.edit(KIND, text(&made, "id"), |doc| {
        copy(doc, call, &["description"]);
        merge_metadata(doc, &call.params);
    });
    Ok(written.map_or(made, |(_, after)| after).into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let known = found(txn, call)?;
    let changed = txn.edit(KIND, call.id(1), |doc| {
        copy(doc, call, &["description"]);
        merge_metadata(doc, &call.params);
    });
    Ok(changed.map_or(known, |(_, after)| after).into())
}

fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let customer = call.id(0).to_owned();
    txn.find("customer", &customer, "id")?;
    let mut filters = list::same(call, &["invoice"]);
    filters.push(Filter::Is("customer", customer));
    list::page(txn, call, KIND, &filters)
}
