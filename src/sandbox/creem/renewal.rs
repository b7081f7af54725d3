//! What time does to a subscription: it is paid anew, or its card fails and is tried again, or it ends.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::cards::by_fingerprint;
use crate::sandbox::behaviour::cards::decline::Decline;
use crate::sandbox::creem::discount;
use crate::sandbox::creem::document::{int, set, text, touch};
use crate::sandbox::creem::money::{self, Sale};
use crate::sandbox::creem::product::{self, after_periods};
use crate::sandbox::creem::subscription::{self, KIND, show_period, tell};
use crate::sandbox::engine::object::Object;
use crate::sandbox::engine::private::CreemPart;
use crate::sandbox::engine::settings::Settings;
use crate::sandbox::engine::txn::Txn;
use crate::sandbox::engine::txn::follow::Job;
use serde_json::{Value, json};

const RENEW: &str = "creem.renew";
const DAY_S: i64 = 86_400;

/// Creem's planned work of that name.
pub fn job(name: &str) -> Option<Job> {
    (name == RENEW).then_some(on_due)
}

/// Has the next step of a subscription happen at an instant: the id of the job.
pub fn plan(txn: &mut Txn<'_>, id: &str, at: Timestamp) -> String {
    txn.schedule(at, RENEW, &json!({"subscription": id}))
}

fn on_due(txn: &mut Txn<'_>, args: &Value) {
    let id = text(args, "subscription").to_owned();
    renew(txn, &id);
}

/// Does what is due: the payment of the next period, its next attempt, or the end.
pub fn renew(txn: &mut Txn<'_>, id: &str) {
    let Some(found) = txn.get(KIND, id) else { return };
    let part = found.part::<CreemPart>().into_owned();
    if let Some(job) = &part.job {
        txn.unschedule(job);
    }
    match (text(&found, "status"), part.at_end.as_deref()) {
        ("canceled" | "paused", _) => {}
        // It was not paid for a whole period after the last attempt.
        ("unpaid", _) => subscription::end(txn, id),
        (_, Some("pause")) => subscription::stop(txn, id, "paused"),
        (_, Some(_)) => subscription::end(txn, id),
        _ => {
            let sale = sale(txn, &found, &part);
            let pays = !part.fails && pays(&part.card);
            if pays { succeed(txn, &found, &sale) } else { fail(txn, &found, &sale) }
        }
    }
}

/// Whether a card lets itself be charged without its owner.
pub fn pays(card: &str) -> bool {
    by_fingerprint(card).is_none_or(|card| Decline::on_charging(card).is_none())
}

/// What the next period costs.
fn sale(txn: &Txn<'_>, subscription: &Value, part: &CreemPart) -> Sale {
    let product = txn.get(product::KIND, text(subscription, "product"));
    let amount = per_period(subscription, &part.prices);
    let off = part.discount.as_deref().and_then(|id| txn.get(discount::KIND, id));
    // What is taken off once is taken off the first payment, also where that comes after a trial.
    let is_first = text(subscription, "status") == "trialing"
        || subscription.get("last_transaction_id").is_none();
    let off = off.filter(|off| {
        (text(off, "duration") == "once" && is_first)
            || discount::holds(off, Timestamp(part.began), txn.now())
    });
    let discount = off.map_or(0, |off| discount::taken_off(&off, amount));
    let anchor = Timestamp(part.anchor);
    let period = product.as_deref().map(|product| {
        let at = |periods| after_periods(product, anchor, periods);
        (at(part.periods), at(part.periods + 1))
    });
    Sale {
        // What is credited beyond this payment waits for the next one.
        amount: (amount + part.owed).max(discount),
        discount,
        currency: product.map_or_else(String::new, |it| money::named(&it, "currency")),
        order: part.order.clone(),
        customer: money::named(subscription, "customer"),
        subscription: Some(money::named(subscription, "id")),
        period,
    }
}

/// What the items of a subscription cost in each period.
pub fn per_period(subscription: &Value, prices: &[i64]) -> i64 {
    let items = subscription.get("items").and_then(Value::as_array);
    let costs = items.into_iter().flatten().zip(prices);
    costs.fold(0_i64, |sum, (item, price)| {
        sum.saturating_add(price.saturating_mul(int(item, "units").max(1)))
    })
}

fn succeed(txn: &mut Txn<'_>, subscription: &Object, sale: &Sale) {
    let (now, id) = (txn.now(), text(subscription, "id").to_owned());
    let was = text(subscription, "status").to_owned();
    let part = subscription.part::<CreemPart>().into_owned();
    let wanted = per_period(subscription, &part.prices) + part.owed;
    let (from, until) = sale.period.unwrap_or((now, now));
    if sale.due() > 0 {
        let paid = money::transact(txn, sale, true);
        subscription::paid_by(txn, &id, &paid);
    }
    let job = plan(txn, &id, until);
    txn.edit_with(KIND, &id, |doc, part: &mut CreemPart| {
        (part.from, part.until, part.periods) = (from.0, until.0, part.periods + 1);
        (part.failures, part.job) = (0, Some(job));
        part.owed = (wanted - sale.amount).min(0);
        doc.insert("status".to_owned(), json!("active"));
        show_period(doc, part, Some(until));
        touch(doc, now);
    });
    if was == "trialing" {
        tell(txn, "active", &id);
    }
    tell(txn, "paid", &id);
}

/// A payment that failed is tried again after as many days as the world's `dunning_retries` say. After the last one the
/// subscription is unpaid, and ends where it stays so for a period.
fn fail(txn: &mut Txn<'_>, subscription: &Object, sale: &Sale) {
    let (now, id) = (txn.now(), text(subscription, "id").to_owned());
    let failures = subscription.part::<CreemPart>().failures;
    money::transact(txn, sale, false);
    let retry = Settings::of(txn).dunning_retries().get(failures).copied();
    let retry = retry.map(|days| now.plus(days.saturating_mul(DAY_S)));
    let (_, until) = sale.period.unwrap_or((now, now));
    let end = if until > now { until } else { now.plus(DAY_S) };
    let job = plan(txn, &id, retry.unwrap_or(end));
    txn.edit_with(KIND, &id, |doc, part: &mut CreemPart| {
        (part.failures, part.job) = (failures + 1, Some(job));
        let status = if retry.is_some() { "past_due" } else { "unpaid" };
        doc.insert("status".to_owned(), json!(status));
        set(doc, "next_transaction_date", retry.map(super::document::iso));
        touch(doc, now);
    });
    if failures == 0 {
        tell(txn, "past_due", &id);
        // The period has ended without another payment, whatever comes of the next attempts.
        tell(txn, "expired", &id);
    }
    if retry.is_none() {
        tell(txn, "unpaid", &id);
    }
}
