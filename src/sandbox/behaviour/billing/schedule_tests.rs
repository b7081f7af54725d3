//! Subscription schedules from end to end, and changes that wait for their payment.

use crate::sandbox::behaviour::billing::scheduled;
use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, price, since};
use serde_json::{Value, json};

fn schedule(shop: &mut Shop, more: Value) -> Value {
    let mut params = json!({"customer": shop.customer, "start_date": "now"});
    if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
        params.extend(more);
    }
    shop.lab.ok("POST /v1/subscription_schedules", params)
}

fn phase(price: &str, quantity: i64) -> Value {
    json!({"items": [{"price": price, "quantity": quantity}]})
}

fn subscription(shop: &mut Shop, schedule: &Value) -> Value {
    let known = shop.lab.get("subscription_schedule", &id(schedule));
    let own = known["subscription"].as_str().or(known["released_subscription"].as_str()).unwrap();
    shop.lab.get("subscription", own)
}

fn again(shop: &Shop, schedule: &Value) -> Value {
    shop.lab.get("subscription_schedule", &id(schedule))
}

#[test]
fn phases_follow_one_another_at_the_ends_of_periods_and_bill_without_parts() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, yearly) = (shop.price.clone(), price(&mut shop.lab, 20_000, "year"));
    let phases = json!([phase(&small, 1), phase(&small, 3), phase(&yearly, 1)]);
    let made = schedule(&mut shop, json!({"phases": phases, "end_behavior": "cancel"}));
    assert_eq!(made["status"], "active");
    let ends: Vec<i64> = (0..3).map(|n| made["phases"][n]["end_date"].as_i64().unwrap()).collect();
    assert_eq!(made["current_phase"]["end_date"], ends[0]);
    assert_eq!(made["phases"][1]["start_date"], ends[0]);
    let sub = subscription(&mut shop, &made);
    assert_eq!((&sub["status"], &sub["schedule"]), (&json!("active"), &made["id"]));
    assert_eq!(sub["cancel_at"], ends[2], "it ends with its schedule");
    // Its first invoice waits for an hour, as no client waits for it.
    assert_eq!(shop.latest(&sub)["status"], "draft");
    shop.lab.advance(HOUR + 2);
    assert_eq!(
        (&shop.latest(&sub)["status"], &shop.latest(&sub)["total"]),
        (&json!("paid"), &json!(2_000))
    );

    shop.lab.advance(ends[0] - shop.lab.now.0 + 2 * HOUR);
    let invoice = shop.latest(&sub);
    assert_eq!((&invoice["total"], &invoice["lines"]["total_count"]), (&json!(6_000), &json!(1)));
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_cycle"))
    );
    assert_eq!(again(&shop, &made)["current_phase"]["start_date"], ends[0]);
    assert_eq!(shop.again(&sub)["quantity"], 3);

    shop.lab.advance(ends[1] - shop.lab.now.0 + 2 * HOUR);
    let invoice = shop.latest(&sub);
    assert_eq!(invoice["total"], 20_000, "{}", invoice["lines"]["data"]);
    let now = shop.again(&sub);
    assert_eq!(
        (&now["billing_cycle_anchor"], &now["items"]["data"][0]["current_period_end"]),
        (&json!(ends[1]), &json!(ends[2]))
    );
    shop.lab.advance(ends[2] - shop.lab.now.0 + DAY);
    // Older events are forgotten by now.
    let told = [
        "subscription_schedule.expiring",
        "subscription_schedule.completed",
        "customer.subscription.deleted",
    ];
    assert_eq!(since(&shop.lab, 0), told);
    let (done, sub) = (again(&shop, &made), shop.again(&sub));
    assert_eq!((&done["status"], &done["completed_at"]), (&json!("completed"), &json!(ends[2])));
    assert_eq!((&done["current_phase"], &sub["status"]), (&Value::Null, &json!("canceled")));
    assert_eq!(sub["ended_at"], ends[2]);
}

#[test]
fn a_phase_that_begins_within_a_period_gives_back_and_charges_parts() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, now) = (shop.price.clone(), shop.lab.now.0);
    let mut first = phase(&small, 1);
    first["end_date"] = json!(now + 10 * DAY);
    let mut second = phase(&small, 2);
    second["proration_behavior"] = json!("always_invoice");
    let made = schedule(&mut shop, json!({"phases": [first, second]}));
    let sub = subscription(&mut shop, &made);
    shop.lab.advance(11 * DAY);
    let invoice = shop.latest(&sub);
    assert_eq!(invoice["billing_reason"], "subscription_update");
    let amounts: Vec<i64> = invoice["lines"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["amount"].as_i64().unwrap())
        .collect();
    assert!(amounts.len() == 2 && amounts[0] < 0 && amounts[1] > 0, "{amounts:?}");
    assert_eq!(invoice["status"], "paid");
}

#[test]
fn a_schedule_that_ends_lets_its_subscription_go_on() {
    let mut shop = Shop::new("pm_card_visa");
    let small = shop.price.clone();
    // As older versions say how long a phase lasts.
    let mut once = phase(&small, 1);
    once["iterations"] = json!(1);
    let made = schedule(&mut shop, json!({"phases": [once]}));
    let sub = subscription(&mut shop, &made);
    shop.lab.advance(40 * DAY);
    assert_eq!(again(&shop, &made)["status"], "completed");
    let sub = shop.again(&sub);
    assert_eq!((&sub["schedule"], &sub["status"]), (&Value::Null, &json!("active")));
    assert_eq!(sub["cancel_at"], Value::Null);
    assert_eq!(shop.latest(&sub)["billing_reason"], "subscription_cycle");
}

#[test]
fn what_has_not_begun_waits_and_can_be_given_up() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, now) = (shop.price.clone(), shop.lab.now.0);
    let later = json!({"start_date": now + 5 * DAY, "phases": [phase(&small, 1)]});
    let made = schedule(&mut shop, later);
    assert_eq!((&made["status"], &made["subscription"]), (&json!("not_started"), &Value::Null));
    let list = shop.lab.ok(
        "GET /v1/subscription_schedules",
        json!({"scheduled": true, "customer": shop.customer}),
    );
    assert_eq!(list["data"], json!([made]));
    shop.lab.advance(6 * DAY);
    let begun = again(&shop, &made);
    assert_eq!(begun["status"], "active");
    assert_eq!(subscription(&mut shop, &made)["start_date"], now + 5 * DAY);
    let other =
        schedule(&mut shop, json!({"start_date": now + 50 * DAY, "phases": [phase(&small, 1)]}));
    let mark = shop.lab.events().len();
    let path = format!("POST /v1/subscription_schedules/{}/cancel", id(&other));
    assert_eq!(shop.lab.ok(&path, json!({}))["status"], "canceled");
    assert_eq!(
        since(&shop.lab, mark),
        ["subscription_schedule.canceled", "subscription_schedule.aborted"]
    );
    let refused = shop.lab.call(&path, json!({})).unwrap_err();
    assert!(refused.message.contains("`canceled` status"), "{}", refused.message);
}

#[test]
fn a_running_subscription_is_put_under_a_schedule_changed_by_it_and_released() {
    let mut shop = Shop::new("pm_card_visa");
    let small = shop.price.clone();
    let sub = shop.subscribe(json!({}));
    let adopt = json!({"from_subscription": sub["id"]});
    let made = shop.lab.ok("POST /v1/subscription_schedules", adopt.clone());
    let item = &sub["items"]["data"][0];
    assert_eq!(made["phases"][0]["end_date"], item["current_period_end"]);
    assert_eq!(made["phases"][0]["items"][0]["price"], small.as_str());
    assert_eq!(shop.again(&sub)["schedule"], made["id"]);
    let refused = shop.lab.call("POST /v1/subscription_schedules", adopt).unwrap_err();
    assert!(
        refused.message.starts_with("You cannot migrate a subscription"),
        "{}",
        refused.message
    );
    let path = format!("POST /v1/subscriptions/{}", id(&sub));
    let refused = shop.lab.call(&path, json!({"cancel_at_period_end": true})).unwrap_err();
    assert!(refused.message.contains("updating any cancelation behavior directly is not allowed"));

    let path = format!("POST /v1/subscription_schedules/{}", id(&made));
    let start = made["phases"][0]["start_date"].clone();
    let mut now = phase(&small, 4);
    now["start_date"] = start;
    let mark = shop.lab.events().len();
    let changed =
        shop.lab.ok(&path, json!({"phases": [now, phase(&small, 5)], "metadata": {"a": "b"}}));
    assert_eq!(
        (&changed["phases"][1]["items"][0]["quantity"], &changed["metadata"]["a"]),
        (&json!(5), &json!("b"))
    );
    assert_eq!(
        shop.again(&sub)["quantity"],
        4,
        "what changes of the running phase changes at once"
    );
    let told = since(&shop.lab, mark);
    assert!(told.contains(&"subscription_schedule.updated".to_owned()), "{told:?}");
    assert_eq!(told.iter().filter(|it| *it == "invoiceitem.created").count(), 2);
    let refused = shop.lab.call(
        &path,
        json!({"phases": [{"start_date": shop.lab.now.0 + 90 * DAY, "items": [{"price": small}]}]}),
    );
    assert!(refused.unwrap_err().message.contains("must include its current phase"));

    let released = shop.lab.ok(&format!("{path}/release"), json!({}));
    assert_eq!(
        (&released["status"], &released["subscription"]),
        (&json!("released"), &Value::Null)
    );
    assert_eq!(released["released_subscription"], sub["id"]);
    assert_eq!(shop.again(&sub)["schedule"], Value::Null);
}

#[test]
fn a_canceled_schedule_ends_its_subscription_and_the_other_way_round() {
    let mut shop = Shop::new("pm_card_visa");
    let small = shop.price.clone();
    let made = schedule(&mut shop, json!({"phases": [phase(&small, 1)]}));
    let sub = subscription(&mut shop, &made);
    let path = format!("POST /v1/subscription_schedules/{}/cancel", id(&made));
    shop.lab.ok(&path, json!({"prorate": false, "invoice_now": false}));
    assert_eq!(shop.again(&sub)["status"], "canceled");
    let made = schedule(&mut shop, json!({"phases": [phase(&small, 1)]}));
    let sub = subscription(&mut shop, &made);
    shop.lab.ok(&format!("DELETE /v1/subscriptions/{}", id(&sub)), json!({}));
    let known = again(&shop, &made);
    assert_eq!(
        (&known["status"], &known["canceled_at"]),
        (&json!("canceled"), &json!(shop.lab.now.0))
    );
}

#[test]
fn phases_that_cannot_be_are_refused_and_leave_nothing() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, before) = (shop.price.clone(), shop.lab.events().len());
    let ends = json!({"items": [{"price": small}], "end_date": 5});
    let twice = json!({"items": [{"price": small}], "end_date": shop.lab.now.0 + DAY,
        "duration": {"interval": "day"}});
    for (phases, param) in [
        (json!([{"items": [{"price": "price_none"}]}]), "phases[0][items][0][price]"),
        (json!([{"items": []}]), "phases[0][items]"),
        (json!([ends]), "phases[0][end_date]"),
        (json!([twice]), "phases[0]"),
        (json!([]), "phases"),
    ] {
        let params = json!({"customer": shop.customer, "start_date": "now", "phases": phases});
        let refused = shop.lab.call("POST /v1/subscription_schedules", params).unwrap_err();
        assert_eq!(refused.param.as_deref(), Some(param), "{}", refused.message);
    }
    assert_eq!(shop.lab.events().len(), before);
    assert_eq!(shop.lab.view().count("subscription_schedule"), 0);
}

#[test]
fn a_trial_phase_is_free_and_what_follows_is_billed() {
    let mut shop = Shop::new("pm_card_visa");
    let small = shop.price.clone();
    let mut free = phase(&small, 1);
    free["trial"] = json!(true);
    free["duration"] = json!({"interval": "week", "interval_count": 2});
    let made = schedule(&mut shop, json!({"phases": [free, phase(&small, 2)]}));
    let sub = subscription(&mut shop, &made);
    assert_eq!(
        (&sub["status"], &sub["trial_end"]),
        (&json!("trialing"), &made["phases"][0]["end_date"])
    );
    shop.lab.advance(14 * DAY + 2 * HOUR);
    let now = shop.again(&sub);
    assert_eq!((&now["status"], &now["quantity"]), (&json!("active"), &json!(2)));
    assert_eq!(shop.latest(&sub)["total"], 4_000);
}

/// Has a card that always needs its payer be the default one.
fn needing_payer(shop: &mut Shop) {
    shop.pay_with("pm_card_authenticationRequired");
}

fn pend(shop: &mut Shop, sub: &Value, quantity: i64) -> Value {
    let item = sub["items"]["data"][0]["id"].clone();
    let params = json!({"items": [{"id": item, "quantity": quantity}],
        "proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"});
    shop.change(sub, params)
}

#[test]
fn a_change_that_is_paid_at_once_does_not_wait() {
    let mut shop = Shop::new("pm_card_visa");
    let sub = shop.subscribe(json!({}));
    let after = pend(&mut shop, &sub, 3);
    assert_eq!((&after["quantity"], &after["pending_update"]), (&json!(3), &Value::Null));
    assert_eq!(shop.latest(&sub)["status"], "paid");
    assert_eq!(after["status"], "active");
}

#[test]
fn a_change_waits_for_its_payment_and_is_made_by_it() {
    let mut shop = Shop::new("pm_card_visa");
    let sub = shop.subscribe(json!({}));
    needing_payer(&mut shop);
    let mark = shop.lab.events().len();
    let held = pend(&mut shop, &sub, 3);
    assert_eq!((&held["quantity"], &held["status"]), (&json!(1), &json!("active")));
    let waiting = &held["pending_update"];
    assert_eq!(waiting["expires_at"], shop.lab.now.0 + 23 * HOUR);
    assert_eq!(waiting["subscription_items"][0]["quantity"], 3);
    let invoice = shop.latest(&sub);
    assert_eq!(invoice["status"], "open");
    let told = since(&shop.lab, mark);
    assert_eq!(
        told.iter().filter(|it| *it == "customer.subscription.updated").count(),
        1,
        "{told:?}"
    );
    shop.pay_with("pm_card_visa");
    let mark = shop.lab.events().len();
    shop.lab.ok(&format!("POST /v1/invoices/{}/pay", id(&invoice)), json!({}));
    let after = shop.again(&sub);
    assert_eq!((&after["quantity"], &after["pending_update"]), (&json!(3), &Value::Null));
    let told = since(&shop.lab, mark);
    assert!(told.contains(&"customer.subscription.pending_update_applied".to_owned()), "{told:?}");
    shop.lab.advance(2 * DAY);
    assert_eq!(shop.again(&sub)["quantity"], 3);
}

#[test]
fn a_change_that_nobody_pays_is_given_up_with_its_invoice() {
    for by_hand in [false, true] {
        let mut shop = Shop::new("pm_card_visa");
        let sub = shop.subscribe(json!({}));
        needing_payer(&mut shop);
        pend(&mut shop, &sub, 3);
        let invoice = shop.latest(&sub);
        let mark = shop.lab.events().len();
        if by_hand {
            shop.lab.ok(&format!("POST /v1/invoices/{}/void", id(&invoice)), json!({}));
        } else {
            shop.lab.advance(23 * HOUR);
        }
        let after = shop.again(&sub);
        assert_eq!((&after["quantity"], &after["pending_update"]), (&json!(1), &Value::Null));
        assert_eq!(
            (&after["status"], &shop.latest(&sub)["status"]),
            (&json!("active"), &json!("void"))
        );
        let told = since(&shop.lab, mark);
        let word = "customer.subscription.pending_update_expired";
        assert_eq!(told.iter().filter(|it| *it == word).count(), 1, "{told:?}");
        let other = json!({"description": "x", "payment_behavior": "pending_if_incomplete"});
        let refused = shop.lab.call(&format!("POST /v1/subscriptions/{}", id(&sub)), other);
        assert_eq!(refused.unwrap_err().param.as_deref(), Some("description"));
    }
}

#[test]
fn items_that_are_added_to_a_change_ride_on_its_invoice() {
    let mut shop = Shop::new("pm_card_visa");
    let once = id(&shop.lab.ok(
        "POST /v1/prices",
        json!({"currency": "usd", "unit_amount": 700,
        "product_data": {"name": "Setup"}}),
    ));
    let sub = shop.subscribe(json!({}));
    let item = sub["items"]["data"][0]["id"].clone();
    shop.change(
        &sub,
        json!({"items": [{"id": item, "quantity": 2}],
        "add_invoice_items": [{"price": once}], "proration_behavior": "always_invoice"}),
    );
    let invoice = shop.latest(&sub);
    assert_eq!((&invoice["total"], &invoice["lines"]["total_count"]), (&json!(2_700), &json!(3)));
}

#[test]
fn a_preview_of_a_schedule_shows_what_its_next_phase_bills() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, now) = (shop.price.clone(), shop.lab.now.0);
    let running = schedule(&mut shop, json!({"phases": [phase(&small, 1), phase(&small, 4)]}));
    let starts = json!({"start_date": now + 5 * DAY, "phases": [phase(&small, 2)]});
    let later = schedule(&mut shop, starts);
    let before = shop.lab.events().len();
    for (schedule, total) in [(&running, 8_000), (&later, 4_000)] {
        let ask = json!({"schedule": schedule["id"]});
        let shown = shop.lab.ok("POST /v1/invoices/create_preview", ask);
        assert_eq!((&shown["total"], &shown["status"]), (&json!(total), &json!("draft")));
    }
    assert_eq!(shop.lab.events().len(), before, "nothing is kept");
    assert_eq!(again(&shop, &later)["status"], "not_started");
}

#[test]
fn a_preview_is_worked_out_with_other_phases_and_with_items_that_are_added() {
    let mut shop = Shop::new("pm_card_visa");
    let (small, large) = (shop.price.clone(), price(&mut shop.lab, 9_000, "month"));
    let running = schedule(&mut shop, json!({"phases": [phase(&small, 1), phase(&small, 1)]}));
    let start = running["phases"][0]["start_date"].clone();
    let mut first = phase(&small, 1);
    first["start_date"] = start;
    first["end_date"] = running["phases"][0]["end_date"].clone();
    let before = (shop.lab.events().len(), shop.lab.view().count("subscription_schedule"));
    let other = json!({"schedule": running["id"],
        "schedule_details": {"phases": [first, phase(&large, 2)]}});
    let new = json!({"customer": shop.customer,
        "schedule_details": {"phases": [phase(&large, 1)]}});
    let later = json!({"customer": shop.customer, "schedule_details":
        {"phases": [{"start_date": shop.lab.now.0 + 9 * DAY, "items": [{"price": large}]}]}});
    let added = json!({"schedule": running["id"], "invoice_items": [
        {"amount": 700, "description": "Setup"}, {"amount": -200}]});
    for (ask, total) in [(other, 18_000), (new, 9_000), (later, 9_000), (added, 2_500)] {
        let shown = shop.lab.ok("POST /v1/invoices/create_preview", ask.clone());
        assert_eq!((&shown["total"], &shown["status"]), (&json!(total), &json!("draft")), "{ask}");
    }
    let after = (shop.lab.events().len(), shop.lab.view().count("subscription_schedule"));
    assert_eq!(after, before, "nothing is kept");
    assert_eq!(shop.lab.view().count("invoiceitem"), 0);
    assert_eq!(again(&shop, &running)["phases"], running["phases"]);
}

#[test]
fn a_change_that_waits_comes_with_the_next_period_and_its_schedule_lets_go_after_it() {
    let mut shop = Shop::new("pm_card_visa");
    let small = shop.price.clone();
    let item = json!([{"price": small, "quantity": 3}]);
    let sub = shop.subscribe(json!({"items": item, "metadata": {"kept": "1"}}));
    let change = phase(&small, 1);
    let own = id(&sub);
    let made = shop.lab.change(|txn| scheduled::change_later(txn, &own, &change)).unwrap();
    assert_eq!(made["phases"].as_array().unwrap().len(), 2);
    assert_eq!(shop.again(&sub)["quantity"], 3);
    // Another wish takes the place of the first.
    let again = phase(&small, 2);
    let made = shop.lab.change(|txn| scheduled::change_later(txn, &own, &again)).unwrap();
    assert_eq!(made["phases"].as_array().unwrap().len(), 2);
    assert_eq!(shop.again(&sub)["schedule"], made["id"]);
    let end = sub["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    shop.lab.advance(end - shop.lab.now.0 + 2 * HOUR);
    let invoice = shop.latest(&sub);
    assert_eq!(
        (&invoice["total"], &invoice["billing_reason"]),
        (&json!(4_000), &json!("subscription_cycle"))
    );
    let now = shop.again(&sub);
    assert_eq!((&now["quantity"], &now["metadata"]["kept"]), (&json!(2), &json!("1")));
    shop.lab.advance(32 * DAY);
    let now = shop.again(&sub);
    assert_eq!((&now["schedule"], &now["status"]), (&Value::Null, &json!("active")));
    assert_eq!((&now["quantity"], &shop.latest(&sub)["total"]), (&json!(2), &json!(4_000)));
}

#[test]
fn an_anchor_by_the_calendar_cuts_the_first_period_and_lists_find_it() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({"billing_cycle_anchor_config": {"day_of_month": 1, "hour": 0,
        "minute": 0, "second": 0}}));
    let end = made["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    assert_eq!((&made["billing_cycle_anchor"], end % DAY), (&json!(end), 0));
    assert!(shop.latest(&made)["total"].as_i64().unwrap() < 2_000);
    for (range, count) in [(json!({"lte": end}), 1), (json!({"gt": end}), 0), (json!(end), 1)] {
        let ask = json!({"current_period_end": range});
        let found = shop.lab.ok("GET /v1/subscriptions", ask);
        assert_eq!(found["data"].as_array().unwrap().len(), count);
    }
    let ask = json!({"automatic_tax": {"enabled": true}});
    assert_eq!(shop.lab.ok("GET /v1/subscriptions", ask)["data"], json!([]));
}

#[test]
fn a_plan_that_is_not_there_is_named_without_its_place() {
    let mut shop = Shop::new("pm_card_visa");
    let alone = json!({"customer": shop.customer, "plan": "none"});
    let listed = json!({"customer": shop.customer, "items": [{"plan": "none"}]});
    let second =
        json!({"customer": shop.customer, "items": [{"price": shop.price}, {"plan": "none"}]});
    for params in [alone, listed, second] {
        let refused = shop.lab.call("POST /v1/subscriptions", params).unwrap_err();
        assert_eq!(
            (refused.param.as_deref(), &*refused.message),
            (Some("plan"), "No such plan: 'none'")
        );
    }
}
