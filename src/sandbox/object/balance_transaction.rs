//! Balance transactions: what moved money, with its fee.

use crate::sandbox::call::Call;
use crate::sandbox::list;
use crate::sandbox::object::{Handler, text};
use crate::sandbox::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::Value;

/// The behaviour of `/v1/balance_transactions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/balance_transactions/{id}" => retrieve,
        "GET /v1/balance_transactions" => list_all,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    txn.find("balance_transaction", call.id(0), "id").map(|doc| (*doc).clone())
}

/// No payouts are made yet, so a `payout` filter finds nothing.
fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Value, Failure> {
    if let Some(payout) = call.text("payout") {
        txn.find("payout", payout, "payout")?;
    }
    let same = |doc: &Value, name: &str| call.text(name).is_none_or(|v| text(doc, name) == v);
    list::page(txn, call, "balance_transaction", |doc| {
        ["currency", "source", "type"].iter().all(|name| same(doc, name))
    })
}
