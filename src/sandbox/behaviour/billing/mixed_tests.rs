//! Items with different intervals on one subscription: together on an invoice where their periods end together.

use crate::domain::time::Timestamp;
use crate::sandbox::behaviour::billing::period::Period;
use crate::sandbox::behaviour::billing::proration;
use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, price};
use serde_json::{Value, json};

fn every(shop: &mut Shop, amount: i64, (unit, count): (&str, i64)) -> String {
    let price = json!({"currency": "usd", "unit_amount": amount,
        "recurring": {"interval": unit, "interval_count": count}, "product_data": {"name": "Fee"}});
    id(&shop.lab.ok("POST /v1/prices", price))
}

/// What an invoice bills: the price of each line, and its amount.
fn billed(invoice: &Value) -> Vec<(String, i64)> {
    let lines = invoice["lines"]["data"].as_array().unwrap().iter();
    let price = |line: &Value| line["pricing"]["price_details"]["price"].as_str().unwrap().into();
    lines.map(|line| (price(line), line["amount"].as_i64().unwrap())).collect()
}

fn ends(subscription: &Value) -> Vec<i64> {
    let all = subscription["items"]["data"].as_array().unwrap().iter();
    all.map(|item| item["current_period_end"].as_i64().unwrap()).collect()
}

#[test]
fn each_item_renews_by_its_own_interval_and_together_where_they_meet() {
    let mut shop = Shop::new("pm_card_visa");
    let (monthly, quarterly) = (shop.price.clone(), every(&mut shop, 10_000, ("month", 3)));
    let start = shop.lab.now;
    let made = shop.subscribe(json!({"items": [{"price": quarterly}, {"price": monthly}]}));
    let month = |n: i64| start.plus_months(n);
    assert_eq!(ends(&made), [month(3).0, month(1).0]);
    let both = [(quarterly, 10_000), (monthly.clone(), 2_000)];
    let first = shop.latest(&made);
    assert_eq!((billed(&first), &first["status"]), (both.to_vec(), &json!("paid")));
    assert_eq!(first["lines"]["data"][0]["period"]["end"], month(3).0);

    for n in 1..=2 {
        shop.lab.advance(month(n).since(shop.lab.now) + 2 * HOUR);
        let invoice = shop.latest(&made);
        assert_eq!(billed(&invoice), [(monthly.clone(), 2_000)], "month {n}");
        assert_eq!(ends(&shop.again(&made)), [month(3).0, month(n + 1).0]);
        assert_eq!(invoice["period_start"], month(n - 1).0);
    }
    shop.lab.advance(month(3).since(shop.lab.now) + 2 * HOUR);
    let third = shop.latest(&made);
    assert_eq!((billed(&third), &third["total"]), (both.to_vec(), &json!(12_000)));
    assert_eq!(ends(&shop.again(&made)), [month(6).0, month(4).0]);
}

#[test]
fn intervals_that_do_not_go_together_are_refused_wherever_they_are_sold() {
    let mut shop = Shop::new("pm_card_visa");
    let (monthly, yearly) = (shop.price.clone(), price(&mut shop.lab, 20_000, "year"));
    let weekly = price(&mut shop.lab, 500, "week");
    let items = |other: &str| json!([{"price": monthly}, {"price": other}]);
    let same = "All prices on a subscription must have the same `recurring.interval`";
    let whole = "must be a multiple of those of the shortest one";
    let classic = json!({"type": "classic"});
    for (other, mode, said) in
        [(&yearly, Some(&classic), same), (&weekly, Some(&classic), same), (&weekly, None, whole)]
    {
        let mut asked = json!({"items": items(other)});
        let mut planned = json!({"customer": shop.customer, "start_date": "now",
            "phases": [{"items": items(other)}]});
        for asked in [&mut asked, &mut planned] {
            if let Some(mode) = mode {
                asked["billing_mode"] = mode.clone();
            }
        }
        let refused = shop.try_subscribe(asked).unwrap_err();
        assert!(refused.message.contains(said), "{}", refused.message);
        let refused = shop.lab.call("POST /v1/subscription_schedules", planned).unwrap_err();
        assert!(refused.message.contains(said), "{}", refused.message);
    }
    assert_eq!(shop.lab.view().count("subscription"), 0);
    assert_eq!(shop.lab.view().count("subscription_schedule"), 0);

    // By the older rules an item cannot be added or moved; alone, it can.
    let old = shop.subscribe(json!({"billing_mode": {"type": "classic"}}));
    let path = format!("POST /v1/subscriptions/{}", id(&old));
    let refused = shop.lab.call(&path, json!({"items": [{"price": yearly}]})).unwrap_err();
    assert!(refused.message.starts_with(same), "{}", refused.message);
    let only = &old["items"]["data"][0]["id"];
    let moved = shop.change(&old, json!({"items": [{"id": only, "price": yearly}]}));
    assert_eq!(moved["items"]["data"][0]["price"]["id"], yearly.as_str());

    let lines = json!([{"price": monthly, "quantity": 1}, {"price": yearly, "quantity": 1}]);
    let session = json!({"mode": "subscription", "success_url": "https://shop.example/ok",
        "line_items": lines});
    let link = json!({"line_items": lines});
    for (endpoint, asked) in
        [("POST /v1/checkout/sessions", session), ("POST /v1/payment_links", link)]
    {
        let refused = shop.lab.call(endpoint, asked).unwrap_err();
        let said = "Checkout does not support multiple prices with different billing intervals.";
        assert_eq!(refused.message, said, "{endpoint}");
    }
}

#[test]
fn an_item_that_is_added_counts_from_the_same_anchor_and_is_charged_for_its_part() {
    let mut shop = Shop::new("pm_card_visa");
    let yearly = price(&mut shop.lab, 36_500, "year");
    let start = shop.lab.now;
    let made = shop.subscribe(json!({}));
    shop.lab.advance(10 * DAY);
    let now = shop.lab.now;
    let after = shop.change(
        &made,
        json!({"items": [{"price": yearly}], "proration_behavior": "always_invoice"}),
    );
    let year = Period { start, end: start.plus_months(12) };
    assert_eq!(ends(&after), [start.plus_months(1).0, year.end.0]);
    assert_eq!(after["items"]["data"][1]["current_period_start"], now.0);
    let invoice = shop.latest(&made);
    assert_eq!(billed(&invoice), [(yearly, proration::share(36_500, year, now))]);
    shop.lab.advance(start.plus_months(1).since(now) + 2 * HOUR);
    let renewal = shop.latest(&made);
    assert_eq!(billed(&renewal), [(shop.price.clone(), 2_000)]);
    // A year after the beginning both are due.
    for _ in 0..11 {
        shop.lab.advance(31 * DAY);
    }
    let again = shop.again(&made);
    assert_eq!(Timestamp(ends(&again)[1]), start.plus_months(24));
    let found = shop.lab.ok("GET /v1/invoices", json!({"subscription": id(&made), "limit": 100}));
    let both = found["data"].as_array().unwrap().iter().filter(|it| it["total"] == 38_500);
    assert_eq!(both.count(), 1);
}

#[test]
fn a_trial_ends_for_all_items_and_an_end_is_that_of_the_first_or_of_the_last() {
    let mut shop = Shop::new("pm_card_visa");
    let (monthly, yearly) = (shop.price.clone(), price(&mut shop.lab, 20_000, "year"));
    let items = json!([{"price": monthly}, {"price": yearly}]);
    let trial = shop.lab.now.plus(5 * DAY);
    let made = shop.subscribe(json!({"items": items, "trial_period_days": 5}));
    assert_eq!(ends(&made), [trial.0, trial.0]);
    shop.lab.advance(5 * DAY + 2 * HOUR);
    let after = shop.again(&made);
    assert_eq!(ends(&after), [trial.plus_months(1).0, trial.plus_months(12).0]);
    assert_eq!(billed(&shop.latest(&made)), [(monthly, 2_000), (yearly, 20_000)]);
    let first = shop.change(&made, json!({"cancel_at_period_end": true}));
    assert_eq!(first["cancel_at"], trial.plus_months(1).0);
    let last = shop.change(&made, json!({"cancel_at": "max_period_end"}));
    assert_eq!(last["cancel_at"], trial.plus_months(12).0);
}
