//! A customer who is removed: what it has ends.

use crate::sandbox::behaviour::billing::{on_clock_of, subscription};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::saved::wallet;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::PaymentMethodPart;
use crate::sandbox::engine::txn::Txn;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Removes a customer; its subscriptions end, and only a stub stays.
pub fn remove(txn: &mut Txn<'_>, customer: &Object) -> Arc<Object> {
    let id = text(customer, "id");
    for held in txn.having(subscription::KIND, "customer", id) {
        let ended = text(&held, "id").to_owned();
        on_clock_of(txn, id, |txn| subscription::end(txn, &ended, "cancellation_requested"));
    }
    for saved in txn.having("payment_method", "customer", id) {
        txn.edit_with("payment_method", text(&saved, "id"), |doc, part: &mut PaymentMethodPart| {
            doc.insert("customer".to_owned(), Value::Null);
            part.spent = true;
        });
    }
    wallet::clear(txn, id);
    let mut stub = Map::new();
    stub.insert("object".to_owned(), json!("customer"));
    stub.insert("id".to_owned(), json!(id));
    stub.insert("deleted".to_owned(), json!(true));
    let stub = txn.put(stub);
    txn.emit("customer.deleted", customer);
    stub
}
