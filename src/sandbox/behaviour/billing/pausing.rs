//! Pausing a subscription, and going on with one that is paused.
//!
//! Believed, not proven, as no recording has the endpoint: that periods stay as they are while it is paused, that what
//! was asked of a pending update is given up, that a second resumption takes the place of the first, and the sentences of
//! refusals.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::change::Billing;
use crate::sandbox::behaviour::billing::invoice::{self, Draft};
use crate::sandbox::behaviour::billing::items::Pending;
use crate::sandbox::behaviour::billing::line::{self, How};
use crate::sandbox::behaviour::billing::money::{self, Try};
use crate::sandbox::behaviour::billing::period::{Interval, Period};
use crate::sandbox::behaviour::billing::renew::{EXPIRES_AFTER, interval_of};
use crate::sandbox::behaviour::billing::subscription::{self, KIND};
use crate::sandbox::behaviour::billing::{
    draft, held, items, lifecycle, on_clock_of, prorate, proration, renew, usage,
};
use crate::sandbox::behaviour::document::{int, text};
use crate::sandbox::call::Call;
use crate::sandbox::engine::object::{Doc, Object};
use crate::sandbox::engine::private::{Billed, LinePart};
use crate::sandbox::engine::txn::{Txn, missing};
use crate::wire::failure::{Failure, FailureKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// Pauses a running subscription: what is left of its periods is given back and what was used is billed, as the call
/// asks, and nothing more is billed until it is resumed.
///
/// Fails for one that is not running, and for one that a schedule leads.
pub fn pause(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let status = text(&known, "status");
    if lifecycle::is_over(status) {
        return Err(Failure { status: 404, ..missing(KIND, id, "id") });
    }
    if status == "trialing" {
        let text = "Pausing a trial is not modelled by this sandbox yet.";
        return Err(Failure::of(501, FailureKind::Api, text));
    }
    if !matches!(status, "active" | "past_due" | "unpaid") {
        let text = "You can only pause a subscription if it is `active`, `past_due` or `unpaid`.";
        return Err(Failure::invalid(text));
    }
    if let Some(schedule) = known.get("schedule").and_then(Value::as_str) {
        let text = format!(
            "You cannot pause a subscription with an attached schedule. Release `{schedule}` first."
        );
        return Err(Failure::invalid(text));
    }
    on_clock_of(txn, text(&known, "customer"), |txn| {
        held::give_up(txn, id);
        let known = txn.find(KIND, id, "id")?;
        settle(txn, call, &known);
        let now = txn.now();
        let changed = subscription::edit(txn, id, |doc, _| {
            doc.insert("status".to_owned(), json!("paused"));
            doc.insert("status_details".to_owned(), paused("pause_requested", now));
        });
        if let Some((before, after)) = changed {
            subscription::tell(txn, &before, &after);
            txn.emit("customer.subscription.paused", &after);
        }
        txn.find(KIND, id, "id")
    })
}

/// `status_details` of a subscription that is paused since then.
pub fn paused(why: &str, since: Timestamp) -> Value {
    let paused = json!({
        "subscription": {"type": why}, "transitioned_at": since.0, "type": "subscription",
    });
    json!({ "paused": paused })
}

/// Gives back what is left of the periods and bills what was used, on the next invoice or on one of its own.
fn settle(txn: &mut Txn<'_>, call: &Call, known: &Arc<Object>) {
    let asked = |name: &str| {
        let said = call.hash("bill_for").and_then(|it| it.get(name)?.get("type")?.as_str());
        said.unwrap_or("now").to_owned()
    };
    let from = match asked("unused_time_from").as_str() {
        "none" => None,
        // Each item's share is taken from the start of its own period then.
        "item_current_period_start" => Some(Timestamp(0)),
        _ => Some(txn.now()),
    };
    if let Some(at) = from {
        let billing = Billing { prorates: true, at_once: false, at, anew: false };
        prorate::pend(txn, known, known, &[], true, billing);
    }
    let counts = asked("outstanding_usage_through") == "now";
    let used = if counts { usage::so_far(txn, known) } else { Vec::new() };
    if call.text("invoicing_behavior") == Some("invoice") {
        draft::bill_pending(txn, known, used, "subscription_cycle");
        return;
    }
    for line in used {
        wait(txn, known, &line.doc);
    }
}

/// Has a line wait for the next invoice.
fn wait(txn: &mut Txn<'_>, known: &Object, line: &Value) {
    let Some(customer) = txn.get("customer", text(known, "customer")) else { return };
    let period = line.get("period").cloned().unwrap_or_default();
    let item = line.pointer("/parent/subscription_item_details/subscription_item");
    let details = json!({"subscription": text(known, "id"), "subscription_item": item});
    let mut more = Doc::new();
    let parent = json!({"subscription_details": details, "type": "subscription_details"});
    more.insert("parent".to_owned(), parent);
    let spec = Pending {
        customer: &customer,
        amount: int(line, "amount"),
        currency: text(known, "currency"),
        description: line.get("description").cloned().unwrap_or_default(),
        period: Period {
            start: Timestamp(int(&period, "start")),
            end: Timestamp(int(&period, "end")),
        },
        pricing: line.get("pricing").cloned().unwrap_or_default(),
        quantity: int(line, "quantity"),
        more,
    };
    items::put_pending(txn, spec);
}

/// Asks for the payment with which a paused subscription goes on; where its method works, or nothing is to be paid now,
/// it does so at once.
///
/// Fails for one that is not paused.
pub fn resume(txn: &mut Txn<'_>, call: &Call, id: &str) -> Result<Arc<Object>, Failure> {
    let known = txn.find(KIND, id, "id")?;
    let status = text(&known, "status");
    if lifecycle::is_over(status) {
        return Err(Failure { status: 404, ..missing(KIND, id, "id") });
    }
    if status != "paused" {
        let text = "You can only resume a subscription if it is `paused`.";
        return Err(Failure::invalid(text));
    }
    on_clock_of(txn, text(&known, "customer"), |txn| {
        held::give_up(txn, id);
        let known = txn.find(KIND, id, "id")?;
        let anchor = call.hash("billing_cycle_anchor").and_then(|it| it.get("type")?.as_str());
        let anchor = anchor.or_else(|| call.text("billing_cycle_anchor"));
        if anchor != Some("unchanged") {
            let (lines, now) = (regular(txn, &known), txn.now());
            return ask(txn, &known, lines, now);
        }
        let anchor = Timestamp(int(&known, "billing_cycle_anchor"));
        let lines = match call.text("proration_behavior") {
            Some("none") => Vec::new(),
            _ => rest(txn, call, &known, anchor),
        };
        if call.text("proration_behavior") == Some("always_invoice") {
            return ask(txn, &known, lines, anchor);
        }
        for line in &lines {
            wait(txn, &known, &line.doc);
        }
        subscription::edit(txn, id, |_, part| {
            let billed: Vec<Billed> = lines.into_iter().filter_map(|line| line.billed).collect();
            part.billed.retain(|it| !billed.iter().any(|known| known.item == it.item));
            part.billed.extend(billed);
        });
        renew::restart(txn, id, Some(anchor));
        txn.find(KIND, id, "id")
    })
}

/// The items that are paid ahead, each with its interval and what a whole period costs.
fn paid_ahead<'k>(txn: &Txn<'_>, known: &'k Object) -> Vec<(&'k Value, Interval, i64)> {
    let items = subscription::items(known).iter().filter(|item| !usage::is_metered(item));
    let currency = text(known, "currency");
    items
        .filter_map(|item| Some((item, interval_of(item)?, items::cost(txn, item, currency))))
        .collect()
}

/// The lines of whole periods that begin now.
fn regular(txn: &Txn<'_>, known: &Object) -> Vec<LinePart> {
    let now = txn.now();
    let items = paid_ahead(txn, known).into_iter();
    let whole = |(item, interval, cost): (&Value, Interval, i64)| {
        line::regular(txn, known, item, (interval.around(now, now), cost, How::Whole))
    };
    items.map(whole).collect()
}

/// The lines of what is left of the periods that an anchor sets, from now or from the day that the call names.
fn rest(txn: &Txn<'_>, call: &Call, known: &Object, anchor: Timestamp) -> Vec<LinePart> {
    let now = txn.now();
    let at = call.int("proration_date").map_or(now, Timestamp);
    let items = paid_ahead(txn, known).into_iter();
    let part = |(item, interval, cost): (&Value, Interval, i64)| {
        let whole = interval.around(anchor, now);
        let start = at.max(whole.start).min(whole.end);
        let part = How::Part(proration::share(cost, whole, start));
        line::regular(txn, known, item, (Period { start, end: whole.end }, cost, part))
    };
    items.map(part).collect()
}

/// Drafts the invoice with which a subscription goes on, with what is pending, and asks for its payment.
fn ask(
    txn: &mut Txn<'_>,
    known: &Arc<Object>,
    billed: Vec<LinePart>,
    anchor: Timestamp,
) -> Result<Arc<Object>, Failure> {
    let (id, now) = (text(known, "id").to_owned(), txn.now());
    let customer = txn.find("customer", text(known, "customer"), "customer")?;
    let currency = text(known, "currency").to_owned();
    let mut lines: Vec<LinePart> =
        invoice::pending(txn, text(&customer, "id"), &currency, Some(&id));
    lines.extend(billed);
    let made = invoice::draft(
        txn,
        Draft {
            id: None,
            customer: &customer,
            subscription: Some(known),
            reason: "subscription_cycle",
            period: Period::at(now),
            currency: &currency,
            lines,
            more: Doc::new(),
        },
    );
    subscription::note_billed(txn, &id, &made);
    let invoice = text(&made, "id").to_owned();
    let args = json!({"subscription": id, "invoice": invoice});
    let job = txn.schedule(now.plus(EXPIRES_AFTER), held::EXPIRE_JOB, &args);
    let anchor = (anchor != now).then_some(anchor);
    let changed = subscription::edit(txn, &id, |doc, part| {
        held::wait(part, &invoice, job, anchor);
        doc.insert("latest_invoice".to_owned(), json!(invoice));
        doc.insert(
            "pending_update".to_owned(),
            json!({
                "billing_cycle_anchor": null, "cancel_at_period_end": null, "discount": null,
                "discounts": null, "expires_at": now.0 + EXPIRES_AFTER, "metadata": null,
                "subscription_items": null, "trial_end": null, "trial_from_plan": null,
            }),
        );
    });
    if let Some((before, after)) = changed {
        subscription::tell(txn, &before, &after);
    }
    let finalized = invoice::finalize(txn, &invoice)?;
    if text(&finalized, "status") == "paid" {
        money::follow_paid(txn, &finalized);
    } else if money::method(txn, &finalized).is_some()
        && let Err(failure) = money::attempt(txn, &invoice, &Try::default())
        && !failure.keeps_changes
    {
        return Err(failure);
    }
    txn.find(KIND, &id, "id")
}

#[cfg(test)]
mod tests {
    use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, since};
    use serde_json::{Value, json};

    fn call(shop: &mut Shop, sub: &Value, act: &str, params: Value) -> Value {
        shop.lab.ok(&format!("POST /v1/subscriptions/{}/{act}", id(sub)), params)
    }

    /// The amounts that wait for the next invoice, the newest first.
    fn waiting(shop: &mut Shop) -> Vec<i64> {
        let asked = json!({"customer": shop.customer, "pending": true});
        let found = shop.lab.ok("GET /v1/invoiceitems", asked);
        let all = found["data"].as_array().unwrap().iter();
        all.map(|it| it["amount"].as_i64().unwrap()).collect()
    }

    /// A subscription whose period is half over, and how long a half is.
    fn half_over() -> (Shop, Value, i64) {
        let mut shop = Shop::new("pm_card_visa");
        let made = shop.subscribe(json!({}));
        let end = made["items"]["data"][0]["current_period_end"].as_i64().unwrap();
        let half = (end - shop.lab.now.0) / 2;
        shop.lab.advance(half);
        (shop, made, half)
    }

    #[test]
    fn nothing_is_billed_while_it_is_paused_and_a_new_period_begins_when_it_goes_on() {
        let (mut shop, made, half) = half_over();
        let mark = shop.lab.events().len();
        let now = shop.lab.now.0;
        let paused = call(&mut shop, &made, "pause", json!({}));
        assert_eq!(
            (&paused["status"], &paused["status_details"]["paused"]),
            (
                &json!("paused"),
                &json!({"subscription": {"type": "pause_requested"}, "transitioned_at": now,
                    "type": "subscription"})
            )
        );
        assert_eq!(
            since(&shop.lab, mark),
            [
                "invoiceitem.created",
                "customer.subscription.updated",
                "customer.subscription.paused"
            ]
        );
        assert_eq!(waiting(&mut shop), [-1_000], "half of what was paid");
        // What it is changed to meanwhile is prorated by nobody, and no period comes to its end.
        let items = json!([{"id": made["items"]["data"][0]["id"], "quantity": 2}]);
        shop.change(&made, json!({"items": items}));
        // Events are forgotten after a while: whether one was told of is looked at before.
        shop.lab.advance(half);
        assert!(!shop.lab.events().contains(&"invoice.upcoming".to_owned()));
        shop.lab.advance(2 * half);
        assert_eq!(waiting(&mut shop), [-1_000]);
        assert_eq!(shop.again(&made)["latest_invoice"], made["latest_invoice"]);

        let after = call(&mut shop, &made, "resume", json!({}));
        assert_eq!(after["status"], "active");
        assert_eq!((after.get("status_details"), &after["pending_update"]), (None, &Value::Null));
        assert_eq!(after["items"]["data"][0]["current_period_start"], shop.lab.now.0);
        let invoice = shop.latest(&made);
        assert_eq!((&invoice["total"], &invoice["status"]), (&json!(3_000), &json!("paid")));
        assert!(waiting(&mut shop).is_empty());
        // What was paid for the new period is what a change gives back of it.
        let items = json!([{"id": made["items"]["data"][0]["id"], "quantity": 1}]);
        shop.change(&made, json!({"items": items}));
        assert_eq!(waiting(&mut shop), [-4_000, 2_000]);
    }

    #[test]
    fn it_may_go_on_in_the_periods_that_it_had() {
        for (behaviour, date, waits, paid) in [
            ("create_prorations", false, vec![1_000], 2_000),
            ("create_prorations", true, vec![2_000], 2_000),
            ("always_invoice", false, vec![], 1_000),
            ("none", false, vec![], 2_000),
        ] {
            let (mut shop, made, half) = half_over();
            let start = shop.lab.now.0 - half;
            let keeps = json!({"bill_for": {"unused_time_from": {"type": "none"}}});
            call(&mut shop, &made, "pause", keeps);
            let mut asked = json!({"billing_cycle_anchor": {"type": "unchanged"},
                "proration_behavior": behaviour});
            if date {
                asked["proration_date"] = json!(start);
            }
            let after = call(&mut shop, &made, "resume", asked);
            assert_eq!(after["status"], "active", "{behaviour}");
            assert_eq!(after["billing_cycle_anchor"], start, "{behaviour}");
            let item = &after["items"]["data"][0];
            assert_eq!(item["current_period_start"], start, "{behaviour}");
            assert_eq!(waiting(&mut shop), waits, "{behaviour}");
            assert_eq!(shop.latest(&made)["amount_paid"], paid, "{behaviour}");
            // The next whole period begins where it would have without a pause.
            shop.lab.advance(half + 2 * HOUR);
            let wanted: i64 = 2_000 + waits.iter().sum::<i64>();
            assert_eq!(shop.latest(&made)["total"], wanted, "{behaviour}");
        }
    }

    #[test]
    fn what_is_given_back_and_when_is_what_the_call_asks() {
        for (from, amounts) in
            [("none", vec![]), ("now", vec![-1_000]), ("item_current_period_start", vec![-2_000])]
        {
            let (mut shop, made, _) = half_over();
            let bill_for = json!({"unused_time_from": {"type": from}});
            call(&mut shop, &made, "pause", json!({"bill_for": bill_for}));
            assert_eq!(waiting(&mut shop), amounts, "{from}");
            // It is given back once: not again where the subscription is ended.
            shop.lab
                .ok(&format!("DELETE /v1/subscriptions/{}", id(&made)), json!({"prorate": true}));
            assert_eq!(waiting(&mut shop), amounts, "{from}");
        }
        let (mut shop, made, _) = half_over();
        let paused = call(&mut shop, &made, "pause", json!({"invoicing_behavior": "invoice"}));
        assert_ne!(paused["latest_invoice"], made["latest_invoice"]);
        shop.lab.advance(2 * HOUR);
        let invoice = shop.latest(&made);
        assert_eq!((&invoice["total"], &invoice["status"]), (&json!(-1_000), &json!("paid")));
        assert_eq!(shop.again(&made)["status"], "paused", "only its own invoice ends a pause");
    }

    #[test]
    fn what_was_used_until_then_is_billed_once() {
        for (params, waits) in [
            (json!({}), vec![2_000]),
            (json!({"bill_for": {"outstanding_usage_through": {"type": "none"}}}), vec![]),
        ] {
            let (mut shop, made) = metered();
            call(&mut shop, &made, "pause", params.clone());
            assert_eq!(waiting(&mut shop), waits, "{params}");
            shop.lab.ok(
                &format!("DELETE /v1/subscriptions/{}", id(&made)),
                json!({"invoice_now": true}),
            );
            let billed = shop.latest(&made)["total"].as_i64();
            assert_eq!(billed, Some(waits.iter().sum()), "{params}");
        }
    }

    /// A subscription of which 400 units at 5 were used.
    fn metered() -> (Shop, Value) {
        let mut shop = Shop::new("pm_card_visa");
        shop.price = shop.metered_price();
        let made = shop.subscribe(json!({}));
        let used = json!({"event_name": "calls",
            "payload": {"stripe_customer_id": shop.customer, "value": "400"}});
        shop.lab.ok("POST /v1/billing/meter_events", used);
        shop.lab.advance(DAY);
        (shop, made)
    }

    #[test]
    fn what_does_not_run_is_not_paused() {
        let mut shop = Shop::new("pm_card_visa");
        let made = shop.subscribe(json!({}));
        let pause = format!("POST /v1/subscriptions/{}/pause", id(&made));
        shop.lab.ok(&pause, json!({}));
        let failure = shop.lab.call(&pause, json!({})).unwrap_err();
        assert!(failure.message.contains("`active`, `past_due` or `unpaid`"), "{failure:?}");
        shop.lab.ok(&format!("DELETE /v1/subscriptions/{}", id(&made)), json!({}));
        assert_eq!(shop.lab.call(&pause, json!({})).unwrap_err().status, 404);

        let trial = shop.subscribe(json!({"trial_period_days": 7}));
        let pause = format!("POST /v1/subscriptions/{}/pause", id(&trial));
        assert_eq!(shop.lab.call(&pause, json!({})).unwrap_err().status, 501);

        let made = shop.subscribe(json!({}));
        let from = json!({"from_subscription": made["id"]});
        let schedule = id(&shop.lab.ok("POST /v1/subscription_schedules", from));
        let pause = format!("POST /v1/subscriptions/{}/pause", id(&made));
        let failure = shop.lab.call(&pause, json!({})).unwrap_err();
        assert!(failure.message.contains(&schedule), "{failure:?}");
    }

    #[test]
    fn a_pause_ends_with_its_own_payment_alone_and_goes_on_where_that_does_not_come() {
        let (mut shop, made, half) = half_over();
        shop.pay_with("pm_card_chargeCustomerFail");
        shop.lab.advance(half + 2 * HOUR);
        let owed = shop.latest(&made);
        assert_eq!(shop.again(&made)["status"], "past_due");
        call(
            &mut shop,
            &made,
            "pause",
            json!({"bill_for": {"unused_time_from": {"type": "none"}}}),
        );
        shop.pay_with("pm_card_visa");
        shop.lab.ok(&format!("POST /v1/invoices/{}/pay", id(&owed)), json!({}));
        assert_eq!(shop.again(&made)["status"], "paused");

        shop.pay_with("pm_card_chargeCustomerFail");
        let parked = call(&mut shop, &made, "resume", json!({}));
        assert_eq!(parked["status"], "paused");
        let invoice = id(&shop.latest(&made));
        shop.lab.advance(24 * HOUR);
        let still = shop.again(&made);
        assert_eq!((&still["status"], &still["pending_update"]), (&json!("paused"), &Value::Null));
        assert_eq!(shop.lab.get("invoice", &invoice)["status"], "void");

        // One that was to end does so while it is paused.
        shop.change(&made, json!({"cancel_at_period_end": true}));
        shop.lab.advance(32 * DAY);
        assert_eq!(shop.again(&made)["status"], "canceled");
    }
}
