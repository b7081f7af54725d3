//! Changing a subscription: other units, other items, another product; and what that costs in the middle of a period.

use crate::domain::time::Timestamp;
use crate::sandbox::creem::check::{Field, Kind, may, need};
use crate::sandbox::creem::document::{Asked, find, int, refuse, text, touch};
use crate::sandbox::creem::money::{self, Sale};
use crate::sandbox::creem::product::{self, same_period};
use crate::sandbox::creem::renewal::{self, per_period};
use crate::sandbox::creem::subscription::{self, KIND, ensure_one_of, item, show_period, tell};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::txn::Txn;
use crate::wire::failure::Failure;
use serde_json::{Value, json};
use std::sync::Arc;

const BEHAVIOUR: Kind = Kind::OneOf(&[CHARGED_NOW, CHARGED_LATER, "proration-none"]);
const CHARGED_NOW: &str = "proration-charge-immediately";
const CHARGED_LATER: &str = "proration-charge";

/// The states in which a subscription can be changed.
const OPEN: [&str; 2] = ["active", "trialing"];

/// What of a subscription can be changed.
pub const UPDATE: &[Field] = &[
    may(
        "items",
        Kind::List(
            &[
                may("id", Kind::Text),
                may("product_id", Kind::Text),
                may("price_id", Kind::Text),
                may("units", Kind::Int(1, 1_000_000)),
            ],
            100,
        ),
    ),
    may("update_behavior", BEHAVIOUR),
];

/// What it can be moved to.
pub const UPGRADE: &[Field] = &[need("product_id", Kind::Text), may("update_behavior", BEHAVIOUR)];

/// `POST /v1/subscriptions/{id}`.
pub fn update(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = ensure_one_of(txn, asked.id(), &OPEN)?;
    let mut items = found.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut prices = found.part::<CreemPart>().prices.clone();
    let sent = asked.params.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    for change in &sent {
        let at = items.iter().position(|it| {
            let named = |name: &str, own: &str| {
                change.get(name).is_some_and(|sent| it.get(own) == Some(sent))
            };
            named("id", "id") || (change.get("id").is_none() && named("price_id", "price_id"))
        });
        let replaced = change.get("product_id").and_then(Value::as_str);
        let sold = replaced.map(|id| fitting(txn, &found, id)).transpose()?;
        match (at, sold) {
            (Some(at), sold) => {
                if let Some(Value::Object(doc)) = items.get_mut(at) {
                    if let Some(units) = change.get("units") {
                        doc.insert("units".to_owned(), units.clone());
                    }
                    if let Some(sold) = &sold {
                        doc.insert("product_id".to_owned(), json!(text(sold, "id")));
                    }
                }
                if let (Some(price), Some(sold)) = (prices.get_mut(at), &sold) {
                    *price = int(sold, "price");
                }
            }
            (None, Some(sold)) if change.get("id").is_none() => {
                items.push(item(txn, text(&sold, "id"), int(change, "units").max(1)));
                prices.push(int(&sold, "price"));
            }
            _ => return Err(refuse(404, "Subscription item not found")),
        }
    }
    let behaviour = asked.text("update_behavior").unwrap_or(CHARGED_LATER);
    apply(txn, &found, (items, prices), behaviour)
}

/// `POST /v1/subscriptions/{id}/upgrade`. Where the new product bills at another rhythm, a period begins now if it is
/// charged now, else with the next payment.
pub fn upgrade(txn: &mut Txn<'_>, asked: &Asked) -> Result<Value, Failure> {
    let found = ensure_one_of(txn, asked.id(), &OPEN)?;
    let sold = fitting(txn, &found, asked.text("product_id").unwrap_or_default())?;
    let old = find(txn, product::KIND, text(&found, "product"))?;
    let units = found.pointer("/items/0/units").and_then(Value::as_i64).unwrap_or(1);
    let items = vec![item(txn, text(&sold, "id"), units)];
    let prices = vec![int(&sold, "price")];
    let behaviour = asked.text("update_behavior").unwrap_or(CHARGED_NOW);
    let id = asked.id();
    let now = txn.now();
    txn.edit(KIND, id, |doc| {
        doc.insert("product".to_owned(), json!(text(&sold, "id")));
    });
    let is_paid = text(&found, "status") == "active";
    if same_period(&old, &sold) || !is_paid {
        return apply(txn, &found, (items, prices), behaviour);
    }
    let part = found.part::<CreemPart>().into_owned();
    let rest = unused(&part, per_period(&found, &part.prices), now);
    let at_once = behaviour == CHARGED_NOW;
    txn.edit_with(KIND, id, |doc, part: &mut CreemPart| {
        doc.insert("items".to_owned(), json!(items));
        part.prices = prices;
        (part.anchor, part.periods) = (if at_once { now.0 } else { part.until }, 0);
        if at_once {
            part.owed -= rest;
        }
        touch(doc, now);
    });
    tell(txn, "update", id);
    if at_once {
        renewal::renew(txn, id);
    }
    subscription::shown(txn, id)
}

/// A product that a subscription can be moved to: recurring, on sale, in its currency.
fn fitting(txn: &Txn<'_>, subscription: &Value, id: &str) -> Result<Arc<Object>, Failure> {
    let sold = find(txn, product::KIND, id)?;
    let old = find(txn, product::KIND, text(subscription, "product"))?;
    let said = if !product::is_recurring(&sold) {
        "Product must be recurring"
    } else if text(&sold, "status") != "active" {
        "Product is archived"
    } else if sold.get("currency") != old.get("currency") {
        "Product must have the currency of the subscription"
    } else {
        return Ok(sold);
    };
    Err(refuse(400, said))
}

/// What is left of a sum for the rest of the period.
fn unused(part: &CreemPart, amount: i64, now: Timestamp) -> i64 {
    money::share(amount, part.until - now.0, part.until - part.from)
}

/// Puts the items in. What they cost more or less for the rest of the period is charged now, with the next payment, or
/// not at all; what they cost less is taken off the next payment.
fn apply(
    txn: &mut Txn<'_>,
    before: &Object,
    (items, prices): (Vec<Value>, Vec<i64>),
    behaviour: &str,
) -> Result<Value, Failure> {
    let (now, id) = (txn.now(), text(before, "id").to_owned());
    let part = before.part::<CreemPart>().into_owned();
    let after = per_period(&json!({"items": items}), &prices);
    let more = unused(&part, after - per_period(before, &part.prices), now);
    // A trial has not been paid for: there is nothing to share out.
    let is_shared = text(before, "status") == "active" && behaviour != "proration-none";
    let charged = is_shared && behaviour == CHARGED_NOW && more > 0;
    if charged {
        charge(txn, before, more)?;
    }
    txn.edit_with(KIND, &id, |doc, part: &mut CreemPart| {
        doc.insert("items".to_owned(), json!(items));
        part.prices = prices;
        if is_shared && !charged {
            part.owed += more;
        }
        show_period(doc, part, Some(Timestamp(part.until)));
        touch(doc, now);
    });
    tell(txn, "update", &id);
    subscription::shown(txn, &id)
}

/// Charges a difference at once. Nothing changes where the card is refused.
fn charge(txn: &mut Txn<'_>, subscription: &Object, amount: i64) -> Result<(), Failure> {
    let part = subscription.part::<CreemPart>().into_owned();
    if part.fails || !renewal::pays(&part.card) {
        return Err(refuse(402, "Payment failed: the card was declined"));
    }
    let product = find(txn, product::KIND, text(subscription, "product"))?;
    let sale = Sale {
        amount,
        discount: 0,
        currency: money::named(&product, "currency"),
        order: part.order.clone(),
        customer: money::named(subscription, "customer"),
        subscription: Some(money::named(subscription, "id")),
        period: Some((txn.now(), Timestamp(part.until))),
    };
    let paid = money::transact(txn, &sale, true);
    subscription::paid_by(txn, text(subscription, "id"), &paid);
    Ok(())
}
