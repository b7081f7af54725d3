//! The balance.

use crate::sandbox::behaviour::balance;
use crate::sandbox::behaviour::document::Handler;

/// The behaviour of `/v1/balance`.
pub fn handler(key: &str) -> Option<Handler> {
    (key == "GET /v1/balance").then_some(|txn, _| Ok(balance::balance(txn).into()))
}
