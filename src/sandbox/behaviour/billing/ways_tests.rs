//! Ways in which a subscription is billed otherwise than at once, by a card and for whole periods from now on.

use crate::sandbox::behaviour::billing::tests::{DAY, HOUR, Shop, id, price};
use serde_json::{Value, json};

fn amounts(invoice: &Value) -> Vec<i64> {
    let lines = invoice["lines"]["data"].as_array().unwrap().iter();
    lines.map(|it| it["amount"].as_i64().unwrap()).collect()
}

/// The moment at which a subscription's first item was billed to.
fn billed_to(subscription: &Value) -> i64 {
    subscription["items"]["data"][0]["current_period_end"].as_i64().unwrap()
}

#[test]
fn a_start_in_the_past_is_billed_from_then_on() {
    let now = Shop::without_card().lab.now.0;
    let at = |days: i64| json!(now + days * DAY);
    // It is 18 November; the anchor is the 28th, so that 30 of 31 days from 28 October on are billed, and before that
    // 29 of 30 days.
    for (params, wanted) in [
        (json!({"backdate_start_date": at(-70)}), vec![2_000, 2_000, 2_000]),
        (json!({"backdate_start_date": at(-70), "proration_behavior": "none"}), vec![2_000]),
        (json!({"backdate_start_date": at(-20), "billing_cycle_anchor": at(10)}), vec![1_935]),
        (
            json!({"backdate_start_date": at(-50), "billing_cycle_anchor": at(10)}),
            vec![1_933, 2_000],
        ),
        (
            json!({"backdate_start_date": at(-50), "billing_cycle_anchor": at(10),
                "proration_behavior": "none"}),
            vec![0],
        ),
        (json!({"billing_cycle_anchor": at(10)}), vec![645]),
        (json!({"billing_cycle_anchor": at(10), "proration_behavior": "none"}), vec![0]),
    ] {
        let mut shop = Shop::new("pm_card_visa");
        let made = shop.subscribe(params.clone());
        assert_eq!(made["status"], "active", "{params}");
        let start = params.get("backdate_start_date").cloned().unwrap_or_else(|| json!(now));
        assert_eq!((&made["start_date"], &made["created"]), (&start, &json!(now)), "{params}");
        let anchor = params.get("billing_cycle_anchor").unwrap_or(&start);
        assert_eq!(&made["billing_cycle_anchor"], anchor, "{params}");
        let invoice = shop.latest(&made);
        let mut billed = amounts(&invoice);
        billed.sort_unstable();
        assert_eq!(billed, wanted, "{params}");
        assert_eq!(invoice["amount_paid"], wanted.iter().sum::<i64>(), "{params}");
        // From there on it is billed as ever.
        let end = billed_to(&made);
        shop.lab.advance(end - now + 2 * HOUR);
        assert_eq!(shop.latest(&made)["total"], 2_000, "{params}");
    }
}

#[test]
fn an_end_may_be_that_of_the_period_that_runs() {
    for word in ["min_period_end", "max_period_end"] {
        let mut shop = Shop::new("pm_card_visa");
        let made = shop.subscribe(json!({}));
        let after = shop.change(&made, json!({"cancel_at": word}));
        let ends = billed_to(&made);
        assert_eq!(after["cancel_at"], ends, "{word}");
        shop.lab.advance(29 * DAY);
        assert_eq!(shop.again(&made)["status"], "active", "{word}");
        shop.lab.advance(2 * DAY);
        let ended = shop.again(&made);
        assert_eq!(
            (&ended["status"], &ended["ended_at"]),
            (&json!("canceled"), &json!(ends)),
            "{word}"
        );
    }
}

#[test]
fn parts_are_worked_out_as_of_the_day_that_is_named() {
    let mut shop = Shop::new("pm_card_visa");
    let dear = price(&mut shop.lab, 6_000, "month");
    let made = shop.subscribe(json!({}));
    let start = shop.lab.now.0;
    let length = billed_to(&made) - start;
    shop.lab.advance(length / 2);
    let items = json!([{"id": made["items"]["data"][0]["id"], "price": dear}]);
    let asked =
        json!({"items": items, "proration_date": start, "proration_behavior": "always_invoice"});
    shop.change(&made, asked);
    let invoice = shop.latest(&made);
    assert_eq!(amounts(&invoice), [-2_000, 6_000], "as if it had been so from the start");
    assert_eq!(invoice["lines"]["data"][0]["period"]["start"], start);
}

#[test]
fn old_clients_find_subscriptions_under_their_customer() {
    let mut shop = Shop::new("pm_card_visa");
    let path = format!("/v1/customers/{}/subscriptions", shop.customer);
    let items = json!([{"price": shop.price}]);
    let made = shop.lab.ok(&format!("POST {path}"), json!({"items": items}));
    assert_eq!((&made["customer"], &made["status"]), (&json!(shop.customer), &json!("active")));
    let own = format!("{path}/{}", id(&made));
    let changed = shop.lab.ok(&format!("POST {own}"), json!({"metadata": {"a": "1"}}));
    assert_eq!(changed["metadata"]["a"], "1");
    assert_eq!(shop.lab.ok(&format!("GET {own}"), json!({}))["id"], made["id"]);
    let listed = shop.lab.ok(&format!("GET {path}"), json!({}));
    assert_eq!(listed["data"][0]["id"], made["id"]);
    let ending = shop.lab.ok(&format!("DELETE {own}"), json!({"at_period_end": true}));
    assert_eq!(
        (&ending["status"], &ending["cancel_at_period_end"], &ending["cancel_at"]),
        (&json!("active"), &json!(true), &json!(billed_to(&made)))
    );
    // Nobody finds it under somebody else.
    let other = shop.lab.ok("POST /v1/customers", json!({}));
    let foreign = format!("/v1/customers/{}/subscriptions/{}", id(&other), id(&made));
    for method in ["GET", "POST", "DELETE"] {
        let failure = shop.lab.call(&format!("{method} {foreign}"), json!({})).unwrap_err();
        assert_eq!(
            (failure.status, failure.param.as_deref()),
            (404, Some("subscription")),
            "{method}"
        );
        assert!(failure.message.contains("does not have a subscription with ID"), "{failure:?}");
    }
    assert_eq!(shop.lab.ok(&format!("DELETE {own}"), json!({}))["status"], "canceled");
}

#[test]
fn what_is_sent_is_due_later_and_open_until_it_is_paid() {
    let mut shop = Shop::without_card();
    let refused = shop.try_subscribe(json!({"collection_method": "send_invoice"})).unwrap_err();
    assert!(refused.message.contains("you must specify 'days_until_due'"), "{refused:?}");
    let refused = shop.try_subscribe(json!({"days_until_due": 3})).unwrap_err();
    assert!(refused.message.contains("You can only specify 'days_until_due'"), "{refused:?}");
    let asked = json!({"collection_method": "send_invoice", "days_until_due": 3});
    let made = shop.subscribe(asked);
    assert_eq!(made["status"], "active", "nobody waits for the payment");
    let draft = shop.latest(&made);
    assert_eq!((&draft["status"], &draft["auto_advance"]), (&json!("draft"), &json!(true)));
    shop.lab.advance(2 * HOUR);
    let sent = shop.latest(&made);
    assert_eq!((&sent["status"], &sent["attempted"]), (&json!("open"), &json!(false)));
    let due = sent["due_date"].as_i64().unwrap();
    assert!((due - shop.lab.now.0 - 3 * DAY).abs() <= 2 * HOUR, "{due}");
    let told = |shop: &Shop, kind: &str| shop.lab.events().iter().any(|it| it == kind);
    assert!(told(&shop, "invoice.sent") && !told(&shop, "invoice.overdue"));
    shop.lab.advance(3 * DAY);
    assert!(told(&shop, "invoice.overdue"));
    assert_eq!(shop.again(&made)["status"], "past_due");
    let pay = format!("POST /v1/invoices/{}/pay", id(&sent));
    let paid = shop.lab.ok(&pay, json!({"paid_out_of_band": true}));
    assert_eq!((&paid["status"], &shop.again(&made)["status"]), (&json!("paid"), &json!("active")));
}

#[test]
fn a_card_that_is_refused_is_charged_again_and_the_next_one_in_its_place() {
    let mut shop = Shop::new("pm_card_visa");
    let made = shop.subscribe(json!({}));
    shop.pay_with("pm_card_chargeCustomerFail");
    shop.lab.advance(billed_to(&made) - shop.lab.now.0 + 2 * HOUR);
    assert_eq!(shop.again(&made)["status"], "past_due");
    let charges = |shop: &Shop| shop.lab.view().count("charge");
    let before = charges(&shop);
    shop.lab.advance(3 * DAY);
    assert_eq!(
        (shop.latest(&made)["attempt_count"].clone(), charges(&shop)),
        (json!(2), before + 1)
    );
    shop.pay_with("pm_card_visa");
    shop.lab.advance(5 * DAY + HOUR);
    assert_eq!(shop.latest(&made)["status"], "paid");
    assert_eq!(shop.again(&made)["status"], "active");
}

#[test]
fn what_is_pending_is_billed_at_an_interval_of_its_own_where_one_is_asked_for() {
    let mut shop = Shop::new("pm_card_visa");
    let weekly = json!({"interval": "week", "interval_count": 1});
    let asked = json!({"pending_invoice_item_interval": {"interval": "week"}});
    let made = shop.subscribe(asked);
    let start = shop.lab.now.0;
    assert_eq!(made["pending_invoice_item_interval"], weekly);
    assert_eq!(made["next_pending_invoice_item_invoice"], start + 7 * DAY);
    let item = json!({"customer": shop.customer, "subscription": made["id"], "amount": 900,
        "currency": "usd", "description": "Extra"});
    shop.lab.ok("POST /v1/invoiceitems", item);
    shop.lab.advance(7 * DAY + 2 * HOUR);
    let invoice = shop.latest(&made);
    assert_eq!(
        (&invoice["total"], &invoice["billing_reason"], &invoice["status"]),
        (&json!(900), &json!("manual"), &json!("paid"))
    );
    let now = shop.again(&made);
    assert_eq!(now["next_pending_invoice_item_invoice"], start + 14 * DAY);
    // Where nothing is pending, nothing is billed.
    shop.lab.advance(14 * DAY);
    assert_eq!(shop.lab.view().count("invoice"), 2);
    assert_eq!(shop.again(&made)["next_pending_invoice_item_invoice"], start + 28 * DAY);
    let none = shop.change(&made, json!({"pending_invoice_item_interval": null}));
    assert_eq!(
        (&none["pending_invoice_item_interval"], &none["next_pending_invoice_item_invoice"]),
        (&Value::Null, &Value::Null)
    );
    let long = json!({"pending_invoice_item_interval": {"interval": "year", "interval_count": 2}});
    let refused = shop.try_subscribe(long).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("pending_invoice_item_interval"));
}

#[test]
fn a_clock_goes_two_intervals_of_its_shortest_subscription_or_two_years() {
    let mut shop = Shop::without_card();
    let start = shop.lab.now.0;
    let clock = shop.lab.ok("POST /v1/test_helpers/test_clocks", json!({"frozen_time": start}));
    assert_eq!(clock["deletes_after"].as_i64().unwrap() - start, 30 * DAY);
    let advance = format!("POST /v1/test_helpers/test_clocks/{}/advance", id(&clock));
    let to = |shop: &mut Shop, at: i64| {
        let moved = shop.lab.call(&advance, json!({"frozen_time": at}));
        shop.lab.advance(1);
        moved.map(|_| ()).map_err(|failure| failure.param)
    };
    let refused = Err(Some("frozen_time".into()));
    assert_eq!(to(&mut shop, start), refused, "only forward");
    // 2026-11-18 to 2028-11-18: a leap year lies between.
    assert_eq!(to(&mut shop, start + 731 * DAY + 1), refused);
    assert_eq!(to(&mut shop, start + 731 * DAY), Ok(()));
    let start = start + 731 * DAY;
    let customer = json!({"email": "a@example.com", "test_clock": clock["id"]});
    shop.customer = id(&shop.lab.ok("POST /v1/customers", customer));
    shop.pay_with("pm_card_visa");
    let yearly = price(&mut shop.lab, 9_000, "year");
    let weekly = price(&mut shop.lab, 100, "week");
    shop.subscribe(json!({"items": [{"price": yearly}]}));
    let made = shop.subscribe(json!({"items": [{"price": weekly}]}));
    assert_eq!(to(&mut shop, start + 14 * DAY + 1), refused);
    assert_eq!(to(&mut shop, start + 14 * DAY), Ok(()));
    shop.lab.ok(&format!("DELETE /v1/subscriptions/{}", id(&made)), json!({}));
    assert_eq!(to(&mut shop, start + 200 * DAY), Ok(()), "the yearly one alone counts now");
}

#[test]
fn an_item_has_discounts_of_its_own_until_they_are_used_up_or_taken_away() {
    let mut shop = Shop::new("pm_card_visa");
    let once = id(&shop.lab.ok("POST /v1/coupons", json!({"percent_off": 50, "duration": "once"})));
    let ever =
        id(&shop.lab.ok("POST /v1/coupons", json!({"percent_off": 10, "duration": "forever"})));
    let second = price(&mut shop.lab, 3_000, "month");
    let third = price(&mut shop.lab, 1_000, "month");
    let items = json!([
        {"price": shop.price, "discounts": [{"coupon": once}]},
        {"price": second, "discounts": [{"coupon": ever}]},
    ]);
    let made = shop.subscribe(json!({"items": items}));
    assert_eq!(shop.latest(&made)["total"], 1_000 + 2_700);
    let of = |known: &Value, at: usize| known["items"]["data"][at]["discounts"].clone();
    assert_eq!(
        (of(&made, 0), made["discounts"].clone()),
        (json!([]), json!([])),
        "it was for once"
    );
    let given = of(&made, 1)[0].as_str().unwrap().to_owned();
    assert_eq!(
        shop.lab.get("discount", &given)["subscription_item"],
        made["items"]["data"][1]["id"]
    );
    let next = |shop: &mut Shop, made: &Value| {
        let end = billed_to(&shop.again(made));
        shop.lab.advance(end - shop.lab.now.0 + 2 * HOUR);
        shop.latest(made)["total"].clone()
    };
    assert_eq!(next(&mut shop, &made), 2_000 + 2_700);
    // It is taken away of one and given to another, whose first bill it is on.
    let items = json!([
        {"id": made["items"]["data"][1]["id"], "discounts": null},
        {"price": third, "discounts": [{"coupon": ever}]},
    ]);
    let after = shop.change(&made, json!({"items": items, "proration_behavior": "none"}));
    assert_eq!((of(&after, 1), of(&after, 2).as_array().unwrap().len()), (json!([]), 1));
    assert_eq!(next(&mut shop, &made), 2_000 + 3_000 + 900);
    let items = json!([{"price": third, "discounts": [{"coupon": "NOPE"}]}]);
    let failure = shop.try_subscribe(json!({"items": items})).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("items[0][discounts][0][coupon]"));
}
