//! Early fraud warnings, as the API shows them.

use crate::sandbox::behaviour::document::Handler;
use crate::sandbox::call::list;

/// The behaviour of `/v1/radar/early_fraud_warnings`.
pub fn handler(key: &str) -> Option<Handler> {
    const KIND: &str = "radar.early_fraud_warning";
    Some(match key {
        "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}" => {
            |txn, call| txn.find(KIND, call.id(0), "id").map(Into::into)
        }
        "GET /v1/radar/early_fraud_warnings" => |txn, call| {
            let filters = list::same(call, &["charge", "payment_intent"]);
            list::page(txn, call, KIND, &filters)
        },
        _ => return None,
    })
}
