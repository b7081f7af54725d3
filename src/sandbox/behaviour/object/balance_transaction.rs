//! Balance transactions: what moved money, with its fee.

use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::private::TransactionPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/balance_transactions`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/balance_transactions/{id}" => retrieve,
        "GET /v1/balance_transactions" => list_all,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("balance_transaction", call.id(0), "id").map(Body::from)
}

/// `payout` finds what an automatic payout paid out, and the transaction of the payout itself.
fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let mut filters = list::same(call, &["source", "currency", "type"]);
    if let Some(payout) = call.text("payout") {
        txn.find("payout", payout, "payout")?;
        let wanted = payout.to_owned();
        filters.push(Filter::test(move |stored| {
            let part = stored.part::<TransactionPart>();
            part.and_then(|part| part.payout.as_deref()) == Some(&*wanted)
        }));
    }
    list::page(txn, call, "balance_transaction", &filters)
}
