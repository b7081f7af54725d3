//! Test clocks, as the API makes, moves and removes them.

use crate::sandbox::behaviour::billing::clock::{self, KIND};
use crate::sandbox::behaviour::document::{Handler, text};
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;

/// The behaviour of `/v1/test_helpers/test_clocks`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/test_helpers/test_clocks" => |txn, call| list::page(txn, call, KIND, &[]),
        "POST /v1/test_helpers/test_clocks" => create,
        "GET /v1/test_helpers/test_clocks/{test_clock}" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Body::from)
        }
        "POST /v1/test_helpers/test_clocks/{test_clock}/advance" => advance,
        "DELETE /v1/test_helpers/test_clocks/{test_clock}" => {
            |txn, call| clock::delete(txn, call.id(0)).map(Body::from)
        }
        _ => return None,
    })
}

fn create(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let frozen = call.int("frozen_time").unwrap_or_default();
    let made = clock::create(txn, frozen, call.text("name"));
    if let Some(customer) = call.text("customer") {
        clock::take_in(txn, text(&made, "id"), customer)?;
    }
    Ok(made.into())
}

fn advance(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let to = call.int("frozen_time").unwrap_or_default();
    clock::advance(txn, call.id(0), to).map(Body::from)
}
