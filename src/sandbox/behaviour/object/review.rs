//! Reviews, as the API shows and approves them.

use crate::sandbox::behaviour::dispute::review;
use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::Call;
use crate::sandbox::call::body::Body;
use crate::sandbox::call::list::{self, Filter};
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::json;

/// The behaviour of `/v1/reviews`.
pub fn handler(key: &str) -> Option<Handler> {
    Some(match key {
        "GET /v1/reviews/{review}" => retrieve,
        "POST /v1/reviews/{review}/approve" => approve,
        "GET /v1/reviews" => list_all,
        _ => return None,
    })
}

fn retrieve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    txn.find("review", call.id(0), "id").map(Body::from)
}

fn approve(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    let found = txn.find("review", call.id(0), "id")?;
    let is_open = found.get("open") == Some(&json!(true));
    let ended = is_open.then(|| review::end(txn, call.id(0), "approved")).flatten();
    ended.map(Body::from).ok_or_else(|| {
        let message = format!("The review {} is closed and cannot be approved.", call.id(0));
        Failure::invalid(message)
    })
}

/// Only those that are open, as documented.
fn list_all(txn: &mut Txn<'_>, call: &Call) -> Result<Body, Failure> {
    list::page(txn, call, "review", &[Filter::Is("open", "true".to_owned())])
}
