//! What a change costs or gives back for the rest of a period, as pending invoice items.

use crate::sandbox::behaviour::billing::change::Billing;
use crate::sandbox::behaviour::billing::items::{self, Pending};
use crate::sandbox::behaviour::billing::line;
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::proration;
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::usage;
use crate::sandbox::behaviour::billing::wording::{self, Sold};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{Billed, SubscriptionPart};
use crate::sandbox::engine::txn::Txn;
use serde_json::{Value, json};

/// An item before and after a change; `None` where there is none.
#[derive(Clone, Debug)]
pub struct Delta {
    /// Before.
    pub old: Option<Value>,
    /// After.
    pub new: Option<Value>,
}

impl Delta {
    /// The same without what is metered: that is billed by what was used, and never in part.
    fn paid_ahead(&self) -> Self {
        let ahead = |item: &Option<Value>| item.clone().filter(|item| !usage::is_metered(item));
        Self { old: ahead(&self.old), new: ahead(&self.new) }
    }

    /// Whether it changes nothing that is paid for.
    fn is_idle(&self) -> bool {
        let what = |item: &Option<Value>| {
            item.as_ref().map(|it| (text(&it["price"], "id").to_owned(), int(it, "quantity")))
        };
        what(&self.old) == what(&self.new)
    }
}

/// Writes down what the changed items give back and cost from now on; how many items that makes. The debit is
/// written first, so that what lists the newest first has the credit before it. `cuts` says that the period is cut
/// short for all items, and what follows it is billed by itself.
pub fn pend(
    txn: &mut Txn<'_>,
    before: &Object,
    after: &Object,
    deltas: &[Delta],
    cuts: bool,
    billing: Billing,
) -> usize {
    let all: Vec<Delta> = if cuts {
        // Everything that was billed for the period that is cut short.
        let olds = subscription::items(before).iter();
        olds.map(|old| Delta { old: Some(old.clone()), new: None }.paid_ahead()).collect()
    } else {
        deltas.iter().filter(|delta| !delta.is_idle()).map(Delta::paid_ahead).collect()
    };
    let mut made = 0;
    for delta in &all {
        let credit = delta.old.as_ref().map(|old| credited(txn, before, old));
        let new = delta.new.as_ref().map(|new| {
            let id = text(new, "id");
            subscription::items(after).iter().find(|it| text(it, "id") == id).unwrap_or(new).clone()
        });
        if let Some(new) = &new {
            made += debit(txn, after, new, billing);
        }
        if let (Some(old), Some(credit)) = (&delta.old, credit) {
            made += give_back(txn, before, (old, credit), billing);
        }
    }
    made
}

/// What is given back for an item: what was billed for it; by the older rules, what it costs now.
fn credited(txn: &Txn<'_>, before: &Object, old: &Value) -> Billed {
    let part = before.part::<SubscriptionPart>();
    let known = part.billed.iter().find(|it| it.item == text(old, "id")).cloned();
    let is_flexible = before.get("billing_mode").is_some_and(|it| text(it, "type") == "flexible");
    match known {
        Some(known) if is_flexible => known,
        known => Billed {
            item: text(old, "id").to_owned(),
            price: text(&old["price"], "id").to_owned(),
            quantity: int(old, "quantity"),
            amount: items::cost(txn, old, text(before, "currency")),
            line: known.and_then(|it| it.line),
        },
    }
}

fn debit(txn: &mut Txn<'_>, after: &Object, new: &Value, billing: Billing) -> usize {
    let period = subscription::period_of(new);
    let cost = items::cost(txn, new, text(after, "currency"));
    let at = billing.at.max(period.start).min(period.end);
    // What is added in the middle of a period is charged for its part of a whole one.
    let whole = whole(after, new, period);
    let amount = proration::share(cost, whole, at);
    let price = new.get("price").cloned().unwrap_or_default();
    let (name, label) = line::product(txn, &price);
    let quantity = int(new, "quantity");
    let sold = Sold { product: &name, unit_label: label.as_deref(), quantity };
    let said = wording::remaining(sold, at);
    let part = (amount, said, Period { start: at, end: period.end });
    put(txn, after, new, part, (&price, quantity, &Value::Null));
    let id = text(after, "id").to_owned();
    let billed = Billed {
        item: text(new, "id").to_owned(),
        price: text(&price, "id").to_owned(),
        quantity,
        amount: cost,
        line: None,
    };
    txn.edit_part(KIND, &id, |part: &mut SubscriptionPart| {
        part.billed.retain(|known| known.item != billed.item);
        part.billed.push(billed);
    });
    1
}

/// The whole period that a part of one is measured by.
fn whole(after: &Object, item: &Value, period: Period) -> Period {
    use crate::domain::time::Timestamp;
    use crate::sandbox::behaviour::billing::renew::interval_of;
    let anchor = Timestamp(int(after, "billing_cycle_anchor"));
    let found = interval_of(item).map(|interval| interval.around(anchor, period.start));
    found.filter(|whole| whole.end == period.end).unwrap_or(period)
}

fn give_back(
    txn: &mut Txn<'_>,
    before: &Object,
    (old, credit): (&Value, Billed),
    billing: Billing,
) -> usize {
    if credit.amount == 0 && credit.line.is_none() {
        return 0;
    }
    let period = subscription::period_of(old);
    let at = billing.at.max(period.start).min(period.end);
    let amount = proration::share(-credit.amount, whole(before, old, period), at);
    let price = txn.get("price", &credit.price).map(|it| it.document());
    let price = price.unwrap_or_else(|| old.get("price").cloned().unwrap_or_default());
    let (name, label) = line::product(txn, &price);
    let sold = Sold { product: &name, unit_label: label.as_deref(), quantity: credit.quantity };
    let said = wording::unused(sold, at);
    let credited = credit.line.as_ref().map_or(Value::Null, |(invoice, line)| {
        json!({
            "invoice_line_item_details": {"invoice": invoice, "invoice_line_items": [line]},
            "type": "invoice_line_items",
        })
    });
    let part = (amount, said, Period { start: at, end: period.end });
    put(txn, before, old, part, (&price, credit.quantity, &credited));
    1
}

fn put(
    txn: &mut Txn<'_>,
    subscription: &Value,
    item: &Value,
    (amount, description, period): (i64, String, Period),
    (price, quantity, credited): (&Value, i64, &Value),
) {
    let Some(customer) = txn.get("customer", text(subscription, "customer")) else { return };
    let members = json!({
        "discountable": false, "frozen_fields": ["pricing", "quantity", "discounts"],
        "net_amount": amount,
        "parent": {
            "subscription_details": {
                "subscription": text(subscription, "id"), "subscription_item": text(item, "id"),
            },
            "type": "subscription_details",
        },
        "proration": true,
        "proration_details": {"credited_items": credited, "discount_amounts": []},
        "tax_rates": item.get("tax_rates").cloned().unwrap_or_else(|| json!([])),
    });
    let more: Doc = members.as_object().cloned().unwrap_or_default();
    let currency = text(subscription, "currency");
    let pricing = line::pricing(price, &Value::Null);
    let description = json!(description);
    let spec = Pending {
        customer: &customer,
        amount,
        currency,
        description,
        period,
        pricing,
        quantity,
        more,
    };
    items::put_pending(txn, spec);
}
