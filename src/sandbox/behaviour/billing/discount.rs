//! Discounts of subscriptions and invoices: what a call names, given or kept.

use crate::sandbox::behaviour::billing::{line, subscription};
use crate::sandbox::behaviour::document::text;
use crate::sandbox::behaviour::offer::{self, Offer, Purchase};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

/// Whose a discount is: the member of the discount, its id, who buys and in which currency.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'h> {
    /// `subscription`, `subscription_item` or `invoice`.
    pub member: &'h str,
    /// Its id.
    pub id: &'h str,
    /// The customer's id.
    pub customer: &'h str,
    /// Lower-case code.
    pub currency: &'h str,
}

/// The discounts that a `discounts` parameter asks for, in place of those that are there. An entry whose coupon is
/// there already keeps its discount; a new one is given, and counted.
pub fn read(
    txn: &mut Txn<'_>,
    sent: &Value,
    holder: Holder<'_>,
    known: &[String],
) -> Result<Vec<String>, Failure> {
    let mut given = Vec::new();
    for (at, entry) in sent.as_array().into_iter().flatten().enumerate() {
        if let Some(id) = entry.get("discount").and_then(Value::as_str) {
            txn.find("discount", id, &format!("discounts[{at}][discount]"))?;
            given.push(id.to_owned());
            continue;
        }
        let (offer, param) = Offer::named(txn, entry, &format!("discounts[{at}]"))?;
        let is_same = |id: &&String| {
            txn.get("discount", id).is_some_and(|it| {
                it.get("source").is_some_and(|it| text(it, "coupon") == text(&offer.coupon, "id"))
            })
        };
        if let Some(kept) = known.iter().find(is_same) {
            given.push(kept.clone());
            continue;
        }
        given.push(give(txn, &offer, holder, &param)?);
    }
    Ok(given)
}

/// Gives what an offer gives, and counts it.
pub fn give(
    txn: &mut Txn<'_>,
    offer: &Offer,
    holder: Holder<'_>,
    param: &str,
) -> Result<String, Failure> {
    let purchase =
        Purchase { customer: Some(holder.customer), currency: holder.currency, subtotal: i64::MAX };
    offer.ensure_usable(txn, &purchase, param)?;
    let made = offer.give(txn, (holder.member, holder.id), Some(holder.customer));
    offer::redeem(txn, &made);
    if holder.member != "invoice" {
        txn.emit("customer.discount.created", &made);
    }
    Ok(text(&made, "id").to_owned())
}

/// The discounts of a subscription or an item of one that still apply at an instant.
pub fn running(txn: &Txn<'_>, subscription: &Value) -> Vec<String> {
    let now = txn.now().0;
    let runs = |id: &String| {
        let found = txn.get("discount", id);
        found.is_some_and(|it| it.get("end").and_then(Value::as_i64).is_none_or(|end| end > now))
    };
    line::names(subscription.get("discounts")).into_iter().filter(runs).collect()
}

/// What is left of the discounts of a subscription or an item of one after an invoice: one that is given once is used by the first that
/// charges anything.
fn left(txn: &Txn<'_>, subscription: &Value, invoice: &Value) -> Vec<String> {
    let used = invoice.get("total_discount_amounts").and_then(Value::as_array);
    let is_used = |id: &str| {
        used.into_iter().flatten().any(|it| {
            text(it, "discount") == id && it.get("amount").and_then(Value::as_i64).unwrap_or(0) > 0
        })
    };
    let is_once = |id: &str| {
        let coupon = txn.get("discount", id).and_then(|it| coupon_of(txn, &it));
        coupon.is_some_and(|it| text(&it, "duration") == "once")
    };
    let known = running(txn, subscription).into_iter();
    known.filter(|id| !(is_used(id) && is_once(id))).collect()
}

/// Takes from a subscription and its items the discounts that an invoice has used up.
pub fn settle(txn: &mut Txn<'_>, id: &str, invoice: &Value) {
    let Some(known) = txn.get(subscription::KIND, id) else { return };
    let own = json!(left(txn, &known, invoice));
    let mut items = subscription::items(&known).to_vec();
    for item in &mut items {
        let left = json!(left(txn, item, invoice));
        if let Some(item) = item.as_object_mut() {
            item.insert("discounts".to_owned(), left);
        }
    }
    if known.get("discounts") == Some(&own) && items == subscription::items(&known) {
        return;
    }
    subscription::edit(txn, id, |doc, _| {
        doc.insert("discounts".to_owned(), own);
        subscription::set_items(doc, &items);
    });
}

fn coupon_of(txn: &Txn<'_>, discount: &Value) -> Option<Arc<Object>> {
    txn.get("coupon", discount.get("source").map(|it| text(it, "coupon"))?)
}

/// Takes a discount of a subscription away: what shows that it is gone.
pub fn remove(txn: &mut Txn<'_>, id: &str) -> Option<Value> {
    let ended = txn.get("discount", id)?;
    txn.emit("customer.discount.deleted", &ended);
    let mut stub = ended.document();
    if let Some(stub) = stub.as_object_mut() {
        stub.insert("deleted".to_owned(), json!(true));
    }
    Some(stub)
}
