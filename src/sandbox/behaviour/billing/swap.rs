//! Which items a change puts in place of which, and the periods that they are in afterwards.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::change::Billing;
use crate::sandbox::behaviour::billing::items::{self, Spec};
use crate::sandbox::behaviour::billing::period::{Interval, Period};
use crate::sandbox::behaviour::billing::prorate::Delta;
use crate::sandbox::behaviour::billing::renew::interval_of;
use crate::sandbox::behaviour::billing::subscription;
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::Failure;
use serde_json::{Map, Value, json};

/// The items after a change.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All of them.
    pub items: Vec<Value>,
    /// Whether the billing period begins anew now.
    pub anew: bool,
}

/// What the sent items change.
///
/// Fails for items and prices that are not there or do not fit.
pub fn deltas(txn: &mut Txn<'_>, known: &Object, sent: &[Value]) -> Result<Vec<Delta>, Failure> {
    let mut deltas = Vec::new();
    for (at, sent) in sent.iter().enumerate() {
        let path = format!("items[{at}]");
        let sent = sent.as_object().cloned().unwrap_or_default();
        let delta = match sent.get("id").and_then(Value::as_str) {
            Some(id) => {
                let own = subscription::items(known).iter().find(|item| text(item, "id") == id);
                let Some(own) = own.cloned() else {
                    return Err(missing("subscription item", id, &format!("{path}[id]")));
                };
                changed(txn, known, own, sent, &path)?
            }
            None => added(txn, known, sent, &path)?,
        };
        deltas.push(delta);
    }
    if !deltas.is_empty() {
        let after = replaced(known, &deltas);
        let prices = after.iter().filter_map(|item| item.get("price"));
        items::ensure_aligned(prices, items::is_flexible(known))?;
    }
    Ok(deltas)
}

/// An item as it was and as it is to be.
fn changed(
    txn: &mut Txn<'_>,
    known: &Value,
    old: Value,
    mut sent: Map<String, Value>,
    path: &str,
) -> Result<Delta, Failure> {
    if sent.get("deleted") == Some(&json!(true)) {
        return Ok(Delta { old: Some(old), new: None });
    }
    let price = match items::price(txn, &sent, path)? {
        Some(price) => price,
        None => txn.find(
            "price",
            old.get("price").map_or("", |it| text(it, "id")),
            &format!("{path}[price]"),
        )?,
    };
    items::ensure_recurring(&price, &format!("{path}[price]"))?;
    ensure_currency(known, &price)?;
    if !sent.contains_key("quantity")
        && let Some(quantity) = old.get("quantity").filter(|it| !it.is_null())
    {
        sent.insert("quantity".to_owned(), quantity.clone());
    }
    let mut new = old.as_object().cloned().unwrap_or_default();
    let metadata = merged(new.get("metadata"), sent.remove("metadata").as_ref());
    let discounts = sent.remove("discounts");
    items::write(txn, &mut new, &Spec { price, sent })?;
    new.insert("metadata".to_owned(), metadata);
    let mut new = Value::Object(new);
    let of = (text(known, "customer"), text(known, "currency"));
    items::give_discounts(txn, &mut new, discounts.as_ref(), of, path)?;
    Ok(Delta { old: Some(old), new: Some(new) })
}

fn merged(known: Option<&Value>, sent: Option<&Value>) -> Value {
    let mut all = known.and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in sent.and_then(Value::as_object).into_iter().flatten() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Value::Object(all)
}

fn ensure_currency(known: &Value, price: &Value) -> Result<(), Failure> {
    let (own, currency) = (text(price, "currency"), text(known, "currency"));
    if own == currency {
        return Ok(());
    }
    let message = format!(
        "The price specified only supports `{own}`. This doesn't match the expected currency: `{currency}`."
    );
    Err(Failure::invalid(message).param("price"))
}

/// A new item beside those that there are.
fn added(
    txn: &mut Txn<'_>,
    known: &Value,
    sent: Map<String, Value>,
    path: &str,
) -> Result<Delta, Failure> {
    let Some(price) = items::price(txn, &sent, path)? else {
        return Err(items::required(&format!("{path}[price]")));
    };
    items::ensure_recurring(&price, &format!("{path}[price]"))?;
    ensure_currency(known, &price)?;
    let same = |item: &&Value| text(&item["price"], "id") == text(&price, "id");
    if let Some(same) = subscription::items(known).iter().find(same) {
        let message = format!(
            "A new item with Price {} can't be added to this Subscription because an existing Subscription Item {} is already using that Price. If you want to update the existing item (e.g., to adjust the quantity), pass the existing Subscription Item's `id` in your update request: https://stripe.com/docs/api/subscriptions/update#update_subscription-items-id",
            text(&price, "id"),
            text(same, "id")
        );
        return Err(Failure::invalid(message).param("plan"));
    }
    let period = Period { start: txn.now(), end: end_of_added(known, &price, txn.now()) };
    let spec = Spec { price, sent };
    let mut new = items::item(txn, text(known, "id"), &spec, period)?;
    let of = (text(known, "customer"), text(known, "currency"));
    items::give_discounts(txn, &mut new, spec.sent.get("discounts"), of, path)?;
    Ok(Delta { old: None, new: Some(new) })
}

/// When the first period of an item ends that is added to others: with theirs, where they have the same interval or a
/// trial; else its own one counts from the same anchor.
fn end_of_added(known: &Value, price: &Value, now: Timestamp) -> Timestamp {
    let all = subscription::items(known);
    let own = price.get("recurring").and_then(Interval::read);
    let alike = all.iter().find(|item| interval_of(item) == own);
    if let (None, Some(own), "active" | "past_due") = (alike, own, text(known, "status")) {
        return own.around(Timestamp(int(known, "billing_cycle_anchor")), now).end;
    }
    let end = alike.map(|item| subscription::period_of(item).end);
    end.or_else(|| subscription::period_end(known).map(Timestamp)).unwrap_or(now)
}

/// Whether a change takes an item to another interval.
fn moves(delta: &Delta) -> Option<(Interval, Interval)> {
    let (old, new) = (interval_of(delta.old.as_ref()?)?, interval_of(delta.new.as_ref()?)?);
    (old != new).then_some((old, new))
}

/// The items with the changed ones in place of what they were.
pub fn replaced(known: &Value, deltas: &[Delta]) -> Vec<Value> {
    let mut all = subscription::items(known).to_vec();
    for delta in deltas {
        let old = delta.old.as_ref().map(|old| text(old, "id"));
        let at = old.and_then(|old| all.iter().position(|item| text(item, "id") == old));
        match (at, &delta.new) {
            (Some(at), Some(new)) => {
                if let Some(slot) = all.get_mut(at) {
                    *slot = new.clone();
                }
            }
            (Some(at), None) => drop(all.remove(at)),
            (None, Some(new)) if delta.old.is_none() => all.push(new.clone()),
            (None, _) => {}
        }
    }
    all
}

/// The items after a change, each in its period: the billing period begins anew where that is asked for, and where the
/// interval changes of what is billed by the older rules.
pub fn plan(
    txn: &Txn<'_>,
    known: &Object,
    deltas: &[Delta],
    billing: Billing,
    trial: bool,
) -> Plan {
    let is_flexible = known.get("billing_mode").is_some_and(|it| text(it, "type") == "flexible");
    let is_trial = trial || text(known, "status") == "trialing";
    let moves_any = deltas.iter().any(|delta| moves(delta).is_some());
    let anew = !is_trial && (billing.anew || (moves_any && !is_flexible));
    let now = txn.now();
    let mut all = replaced(known, deltas);
    for item in &mut all {
        let period = subscription::period_of(item);
        let moved = deltas.iter().any(|delta| {
            moves(delta).is_some()
                && delta.new.as_ref().is_some_and(|new| text(new, "id") == text(item, "id"))
        });
        let Some(interval) = interval_of(item) else { continue };
        let period = if anew {
            interval.around(now, now)
        } else if moved && !is_trial {
            // The old start counts on: one new interval from it.
            let longer = Period { start: period.start, end: interval.boundary(period.start, 1) };
            if longer.end > now { longer } else { interval.around(period.start, now) }
        } else {
            period
        };
        if let Some(item) = item.as_object_mut() {
            item.insert("current_period_start".to_owned(), json!(period.start.0));
            item.insert("current_period_end".to_owned(), json!(period.end.0));
        }
    }
    Plan { items: all, anew }
}
