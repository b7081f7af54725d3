//! The cash balance of a customer, its transactions, and where money is sent to, as the API shows them.

use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::behaviour::payment::cash;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;

const TRANSACTION: &str = "customer_cash_balance_transaction";

/// The behaviour of a customer's cash.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/customers/{customer}/cash_balance" => retrieve,
        "POST /v1/customers/{customer}/cash_balance" => update,
        "GET /v1/customers/{customer}/cash_balance_transactions" => transactions,
        "GET /v1/customers/{customer}/cash_balance_transactions/{transaction}" => transaction,
        "POST /v1/customers/{customer}/funding_instructions" => instructions,
        "POST /v1/test_helpers/customers/{customer}/fund_cash_balance" => fund,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    Ok(cash::shown(txn, call.id(0)).into())
}

fn update(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    cash::set_mode(txn, call.id(0), &call.params);
    retrieve(txn, call)
}

fn transactions(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    list::page(txn, call, TRANSACTION, &[Filter::Is("customer", call.id(0).to_owned())])
}

fn transaction(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let found = txn.find(TRANSACTION, call.id(1), "id")?;
    if text(&found, "customer") != call.id(0) {
        return Err(missing(TRANSACTION, call.id(1), "id"));
    }
    Ok(found.into())
}

fn instructions(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("customer", call.id(0), "id")?;
    let way = call.get("bank_transfer").map(|sent| text(sent, "type")).unwrap_or_default();
    let currency = call.text("currency").unwrap_or_default();
    cash::instructions(call.id(0), currency, way).map(Body::from)
}

fn fund(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let sent = (call.text("currency").unwrap_or_default(), call.int("amount").unwrap_or(0));
    cash::fund(txn, call.id(0), sent, call.text("reference")).map(Body::from)
}
