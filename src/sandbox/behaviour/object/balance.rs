//! The balance.

use crate::sandbox::behaviour::object::Handler;
use crate::sandbox::behaviour::payment::balance;

/// The behaviour of `/v1/balance`.
pub fn handler(key: &str) -> Option<Handler> {
    (key == "GET /v1/balance").then_some(|txn, _| Ok(balance::balance(txn).into()))
}
