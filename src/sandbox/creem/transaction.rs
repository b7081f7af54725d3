//! Transactions, and what takes them back: refunds and disputes.

use crate::sandbox::creem::check::{Field, Kind, may, need};
use crate::sandbox::creem::document::{
    Asked, all, find, int, millis, new, page, refuse, set, text,
};
use crate::sandbox::creem::webhook;
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of transactions.
pub const KIND: &str = "transaction";

/// How one is asked for.
pub const GET: &[Field] = &[need("transaction_id", Kind::Text)];

/// What they are searched by.
pub const SEARCH: &[Field] = &[
    may("customer_id", Kind::Text),
    may("order_id", Kind::Text),
    may("product_id", Kind::Text),
    may("page_number", Kind::Int(1, i64::MAX)),
    may("page_size", Kind::Int(1, 100)),
];

/// `GET /v1/transactions`.
pub fn get(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    Ok(find(txn, KIND, asked.text("transaction_id").unwrap_or_default())?.document())
}

/// `GET /v1/transactions/search`.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table, whose others can fail")]
pub fn search(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let fits = |name: &str, found: &str| asked.text(name).is_none_or(|wanted| wanted == found);
    let product = |it: &Object| {
        let order = txn.get("order", text(it, "order"));
        order.is_some_and(|order| fits("product_id", text(&order, "product")))
    };
    let wanted = |it: &Object| {
        fits("customer_id", text(it, "customer"))
            && fits("order_id", text(it, "order"))
            && (asked.text("product_id").is_none() || product(it))
    };
    Ok(page(asked, &all(txn, KIND, wanted), Object::document))
}

/// `POST /v1/refunds`: all of it that is left.
pub fn refund(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let id = asked.text("transaction_id").unwrap_or_default();
    let found = paid(txn, id, &["paid", "partialRefund"])?;
    let left = int(&found, "amount_paid") - int(&found, "refunded_amount");
    let whole = int(&found, "amount_paid");
    settle(txn, id, "refunded", Some(whole));
    let members = json!({
        "status": "succeeded", "refund_amount": left, "refund_currency": text(&found, "currency"),
        "reason": "requested_by_customer",
    });
    tell(txn, ("refund", "ref_"), members, id)?;
    Ok(json!({"status": "succeeded"}))
}

/// Has the buyer's bank take a transaction back.
pub fn dispute(txn: &mut Txn<'_>, id: &str) -> Result<Value, Failure> {
    let found = paid(txn, id, &["paid", "partialRefund"])?;
    settle(txn, id, "chargedBack", None);
    let left = int(&found, "amount_paid") - int(&found, "refunded_amount");
    let members = json!({"amount": left, "currency": text(&found, "currency")});
    tell(txn, ("dispute", "disp_"), members, id)
}

fn paid(txn: &Txn<'_>, id: &str, wanted: &[&str]) -> Result<Arc<Object>, Failure> {
    let found = find(txn, KIND, id)?;
    let status = text(&found, "status").to_owned();
    if wanted.contains(&status.as_str()) {
        return Ok(found);
    }
    Err(refuse(400, format!("Transaction is {status}")))
}

fn settle(txn: &mut Txn<'_>, id: &str, status: &str, refunded: Option<i64>) {
    txn.edit(KIND, id, |doc| {
        doc.insert("status".to_owned(), json!(status));
        if let Some(refunded) = refunded {
            doc.insert("refunded_amount".to_owned(), json!(refunded));
        }
    });
}

/// Stores what was done to a transaction and tells of it, with all that it is about.
fn tell(txn: &mut Txn<'_>, kind: (&str, &str), members: Value, id: &str) -> Result<Value, Failure> {
    let transaction = find(txn, KIND, id)?;
    let mut doc = new(txn, kind, members);
    doc.remove("updated_at");
    doc.insert("created_at".to_owned(), millis(txn.now()));
    let about = |kind: &str| txn.get(kind, text(&transaction, kind));
    let order = about("order");
    let checkout = order
        .as_ref()
        .and_then(|order| txn.get(super::checkout::KIND, &order.part::<CreemPart>().checkout));
    let shown = |it: Option<Arc<Object>>| it.map(|it| it.document());
    let (subscription, customer) = (shown(about("subscription")), shown(about("customer")));
    set(&mut doc, "transaction", Some(transaction.document()));
    set(&mut doc, "checkout", shown(checkout).map(without_parts));
    set(&mut doc, "order", shown(order));
    set(&mut doc, "subscription", subscription);
    set(&mut doc, "customer", customer);
    let stored = txn.put(doc).document();
    webhook::tell(txn, &format!("{}.created", kind.0), &stored);
    Ok(stored)
}

/// A checkout beside what it is about, which it names only: an order is never named, it is shown or absent.
fn without_parts(mut checkout: Value) -> Value {
    if let Value::Object(doc) = &mut checkout {
        doc.remove("order");
    }
    checkout
}
