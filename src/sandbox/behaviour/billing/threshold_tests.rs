//! Thresholds: what is used is billed before its period ends.

use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id};
use serde_json::{Value, json};

/// A shop whose only price is metered: 5 a unit, or as `more` of it says.
fn metered(more: Value) -> Shop {
    let mut shop = Shop::new("pm_card_visa");
    let meter = json!({"display_name": "Calls", "event_name": "calls",
        "default_aggregation": {"formula": "sum"}});
    let meter = id(&shop.lab.ok("POST /v1/billing/meters", meter));
    let recurring = json!({"interval": "month", "usage_type": "metered", "meter": meter});
    let mut price = json!({"currency": "usd", "recurring": recurring,
        "product_data": {"name": "Calls"}});
    let more = if more.is_null() { json!({"unit_amount": 5}) } else { more };
    price.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.price = id(&shop.lab.ok("POST /v1/prices", price));
    shop
}

fn uses(shop: &mut Shop, value: i64) {
    let event = json!({"event_name": "calls",
        "payload": {"stripe_customer_id": shop.customer, "value": value.to_string()}});
    shop.lab.ok("POST /v1/billing/meter_events", event);
}

/// What the invoices of a subscription with usage come to, oldest first, with why each is.
fn billed(shop: &Shop, sub: &Value) -> Vec<(String, i64)> {
    let view = shop.lab.view();
    let mut all: Vec<(String, i64)> = view
        .newest("invoice")
        .filter(|it| it.pointer("/parent/subscription_details/subscription") == sub.get("id"))
        .map(|it| {
            (it["billing_reason"].as_str().unwrap().to_owned(), it["total"].as_i64().unwrap())
        })
        .collect();
    all.reverse();
    all
}

fn of(reason: &str, total: i64) -> (String, i64) {
    (format!("subscription_{reason}"), total)
}

#[test]
fn an_amount_that_is_reached_is_billed_at_once_and_the_rest_with_its_period() {
    let mut shop = metered(Value::Null);
    let sub = shop.subscribe(json!({"billing_thresholds": {"amount_gte": 1_000}}));
    assert_eq!(
        sub["billing_thresholds"],
        json!({"amount_gte": 1_000, "reset_billing_cycle_anchor": false})
    );
    shop.lab.advance(DAY);
    uses(&mut shop, 199);
    assert_eq!(billed(&shop, &sub), [of("create", 0)], "995 is less than 1,000");
    uses(&mut shop, 11);
    assert_eq!(billed(&shop, &sub), [of("create", 0), of("threshold", 1_050)]);
    let invoice = shop.latest(&sub);
    assert_eq!(invoice["threshold_reason"], json!({"amount_gte": 1_000, "item_reasons": []}));
    assert_eq!((&invoice["status"], &invoice["auto_advance"]), (&json!("draft"), &json!(true)));
    let item = &sub["items"]["data"][0];
    assert_eq!(
        (&invoice["period_start"], &invoice["period_end"]),
        (&item["current_period_start"], &json!(shop.lab.now.0))
    );
    assert_eq!(invoice["lines"]["data"][0]["quantity"], 210);
    shop.lab.advance(2 * HOUR);
    assert_eq!(shop.latest(&sub)["status"], "paid");
    assert_eq!(shop.again(&sub)["billing_cycle_anchor"], sub["billing_cycle_anchor"]);
    // Another one, and then what is left at the end of the period.
    uses(&mut shop, 250);
    uses(&mut shop, 7);
    shop.lab.advance(31 * DAY);
    assert_eq!(
        billed(&shop, &sub),
        [of("create", 0), of("threshold", 1_050), of("threshold", 1_250), of("cycle", 35)]
    );
    // The next period counts from nothing.
    uses(&mut shop, 100);
    shop.lab.advance(31 * DAY);
    assert_eq!(billed(&shop, &sub).pop(), Some(of("cycle", 500)));
}

#[test]
fn an_item_that_is_used_so_often_has_its_subscription_billed() {
    let mut shop = metered(Value::Null);
    let items = json!([{"price": shop.price, "billing_thresholds": {"usage_gte": 100}}]);
    let sub = shop.subscribe(json!({ "items": items }));
    let item = sub["items"]["data"][0].clone();
    assert_eq!(item["billing_thresholds"], json!({"usage_gte": 100}));
    uses(&mut shop, 99);
    assert_eq!(billed(&shop, &sub).len(), 1);
    uses(&mut shop, 1);
    let invoice = shop.latest(&sub);
    let line = &invoice["lines"]["data"][0];
    assert_eq!(
        invoice["threshold_reason"],
        json!({"amount_gte": null, "item_reasons": [{"line_item_ids": [line["id"]], "usage_gte": 100}]})
    );
    assert_eq!((&invoice["total"], &line["quantity"]), (&json!(500), &json!(100)));
    // Cleared, it does nothing any more.
    let path = format!("POST /v1/subscription_items/{}", id(&item));
    shop.lab.ok(&path, json!({"billing_thresholds": null}));
    uses(&mut shop, 500);
    assert_eq!(billed(&shop, &sub).len(), 2);
    // Set anew, what is used by then counts.
    shop.change(&sub, json!({"billing_thresholds": {"amount_gte": 2_500}}));
    assert_eq!(billed(&shop, &sub).pop(), Some(of("threshold", 2_500)));
}

#[test]
fn an_anchor_that_is_reset_ends_the_period_and_nothing_is_billed_twice() {
    let mut shop = metered(Value::Null);
    let flat = crate::sandbox::behaviour::billing::tests::price(&mut shop.lab, 3_000, "month");
    let sub = shop.subscribe(json!({
        "items": [{"price": shop.price}, {"price": flat}],
        "billing_thresholds": {"amount_gte": 5_000, "reset_billing_cycle_anchor": true},
    }));
    let item = sub["items"]["data"][0].clone();
    let (start, end) = (item["current_period_start"].as_i64(), item["current_period_end"].as_i64());
    let half = (end.unwrap() - start.unwrap()) / 2;
    shop.lab.advance(half);
    uses(&mut shop, 1_000);
    // The usage, the next period of what is paid ahead, and half of the last one back.
    let all = billed(&shop, &sub);
    assert_eq!(all, [of("create", 3_000), of("threshold", 5_000 + 3_000 - 1_500)]);
    let after = shop.again(&sub);
    assert_eq!(after["billing_cycle_anchor"], shop.lab.now.0);
    for item in after["items"]["data"].as_array().unwrap() {
        assert_eq!(item["current_period_start"], shop.lab.now.0);
    }
    // What came in the second in which it passed is not billed again.
    shop.lab.advance(32 * DAY);
    assert_eq!(billed(&shop, &sub).pop(), Some(of("cycle", 3_000)));
}

#[test]
fn tiers_go_on_through_the_invoices_of_a_period() {
    let tiers = json!({"billing_scheme": "tiered", "tiers_mode": "graduated",
        "tiers": [{"up_to": 100, "unit_amount": 10}, {"up_to": "inf", "unit_amount": 4}]});
    let mut shop = metered(tiers);
    let items = json!([{"price": shop.price, "billing_thresholds": {"usage_gte": 80}}]);
    let sub = shop.subscribe(json!({ "items": items }));
    uses(&mut shop, 80);
    uses(&mut shop, 120);
    let all = billed(&shop, &sub);
    assert_eq!(all[1..], [of("threshold", 800), of("threshold", 200 + 400)]);
}

#[test]
fn thresholds_rest_in_a_trial_in_the_last_day_and_after_the_end() {
    let mut shop = metered(Value::Null);
    let asked = json!({"billing_thresholds": {"amount_gte": 100}, "trial_period_days": 5});
    let sub = shop.subscribe(asked);
    uses(&mut shop, 1_000);
    assert_eq!(billed(&shop, &sub), [of("create", 0)]);
    shop.lab.advance(6 * DAY);
    let end = shop.again(&sub)["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    shop.lab.advance(end - shop.lab.now.0 - DAY);
    uses(&mut shop, 1_000);
    assert_eq!(billed(&shop, &sub).pop(), Some(of("cycle", 0)), "the last day");
    shop.lab.advance(DAY + 2 * HOUR);
    assert_eq!(billed(&shop, &sub).pop(), Some(of("cycle", 5_000)));
    shop.lab.ok(&format!("DELETE /v1/subscriptions/{}", id(&sub)), json!({}));
    let count = billed(&shop, &sub).len();
    uses(&mut shop, 1_000);
    assert_eq!(billed(&shop, &sub).len(), count);
}

#[test]
fn what_ends_after_a_threshold_bills_only_the_rest() {
    let mut shop = metered(Value::Null);
    let sub = shop.subscribe(json!({"billing_thresholds": {"amount_gte": 500}}));
    uses(&mut shop, 100);
    uses(&mut shop, 3);
    shop.lab.advance(DAY);
    let path = format!("DELETE /v1/subscriptions/{}", id(&sub));
    shop.lab.ok(&path, json!({"invoice_now": true}));
    assert_eq!(billed(&shop, &sub)[1..], [of("threshold", 500), of("cycle", 15)]);
}

#[test]
fn a_schedule_sets_thresholds_by_its_phases_and_takes_them_back() {
    let mut shop = metered(Value::Null);
    let items = json!([{"price": shop.price, "billing_thresholds": {"usage_gte": 50}}]);
    let plan = shop.lab.ok(
        "POST /v1/subscription_schedules",
        json!({"customer": shop.customer, "start_date": "now", "phases": [
            {"items": items, "iterations": 1, "billing_thresholds": {"amount_gte": 900}},
            {"items": [{"price": shop.price}], "iterations": 1},
        ]}),
    );
    let own = plan["subscription"].as_str().unwrap().to_owned();
    let now = shop.lab.get("subscription", &own);
    assert_eq!(now["billing_thresholds"]["amount_gte"], 900);
    assert_eq!(now["items"]["data"][0]["billing_thresholds"]["usage_gte"], 50);
    uses(&mut shop, 50);
    assert_eq!(billed(&shop, &now).pop(), Some(of("threshold", 250)));
    shop.lab.advance(32 * DAY);
    let later = shop.lab.get("subscription", &own);
    assert_eq!(later["billing_thresholds"], Value::Null);
    assert_eq!(later["items"]["data"][0]["billing_thresholds"], Value::Null);
}

#[test]
fn thresholds_that_cannot_be_are_refused() {
    let mut shop = metered(Value::Null);
    let flat = crate::sandbox::behaviour::billing::tests::price(&mut shop.lab, 3_000, "month");
    let metered = shop.price.clone();
    for (params, param) in [
        (json!({"billing_thresholds": {"amount_gte": 49}}), "billing_thresholds[amount_gte]"),
        (
            json!({"items": [{"price": metered}, {"price": flat}],
                "billing_thresholds": {"amount_gte": 3_000}}),
            "billing_thresholds[amount_gte]",
        ),
        (
            json!({"items": [{"price": flat, "billing_thresholds": {"usage_gte": 5}}]}),
            "billing_thresholds",
        ),
        (
            json!({"items": [{"price": metered, "billing_thresholds": {"usage_gte": 0}}]}),
            "billing_thresholds[usage_gte]",
        ),
    ] {
        let failure = shop.try_subscribe(params.clone()).unwrap_err();
        assert_eq!((failure.status, failure.param.as_deref()), (400, Some(param)), "{params}");
    }
}
