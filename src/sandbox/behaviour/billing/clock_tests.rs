//! What lists show of test clocks, and what is told before a time comes.

use crate::sandbox::behaviour::billing::tests::Shop;
use crate::sandbox::testing::Lab;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// A customer with a card and a monthly subscription.
fn subscribed(lab: &mut Lab, of_customer: Value, of_subscription: &Value) -> (Value, Value) {
    let price = json!({"currency": "usd", "unit_amount": 2_000, "recurring": {"interval": "month"},
        "product_data": {"name": "Plan"}});
    let price = lab.ok("POST /v1/prices", price);
    let customer = lab.ok("POST /v1/customers", of_customer);
    let attach = "POST /v1/payment_methods/pm_card_visa/attach";
    let card = lab.ok(attach, json!({"customer": customer["id"]}));
    let mut asked = json!({"customer": customer["id"], "items": [{"price": price["id"]}],
        "default_payment_method": card["id"]});
    asked.as_object_mut().unwrap().extend(of_subscription.as_object().unwrap().clone());
    let subscription = lab.ok("POST /v1/subscriptions", asked);
    (customer, subscription)
}

#[test]
fn what_is_on_a_clock_is_listed_where_the_clock_is_named() {
    let mut lab = Lab::new();
    let clock = lab.ok("POST /v1/test_helpers/test_clocks", json!({"frozen_time": lab.now.0}));
    let on = json!({"test_clock": clock["id"]});
    let (timed, timed_subscription) = subscribed(&mut lab, on.clone(), &json!({}));
    let (plain, plain_subscription) = subscribed(&mut lab, json!({}), &json!({}));
    let mut ids = |path: &str, asked: &Value| -> Vec<Value> {
        let listed = lab.ok(path, asked.clone());
        listed["data"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect()
    };
    assert_eq!(ids("GET /v1/customers", &json!({})), [plain["id"].clone()]);
    assert_eq!(ids("GET /v1/customers", &on), [timed["id"].clone()]);
    assert_eq!(ids("GET /v1/subscriptions", &json!({})), [plain_subscription["id"].clone()]);
    assert_eq!(ids("GET /v1/subscriptions", &on), [timed_subscription["id"].clone()]);
    let whose = json!({"customer": timed["id"]});
    assert_eq!(ids("GET /v1/subscriptions", &whose), [timed_subscription["id"].clone()]);
    let path = format!("GET /v1/customers/{}/subscriptions", id(&timed));
    assert_eq!(ids(&path, &json!({})), [timed_subscription["id"].clone()]);
}

/// The instants at which an invoice was said to come, and what it was to be.
fn upcoming(lab: &Lab) -> Vec<(i64, Value)> {
    let view = lab.view();
    let told = view.newest("event").filter(|it| it["type"] == "invoice.upcoming");
    told.map(|it| (it["created"].as_i64().unwrap(), it["data"]["object"].clone())).collect()
}

#[test]
fn a_renewal_is_told_of_a_week_before_with_what_it_will_cost() {
    let mut lab = Lab::new();
    let (_, subscription) = subscribed(&mut lab, json!({}), &json!({}));
    let end = subscription["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    lab.advance(end - 7 * DAY - 1 - lab.now.0);
    assert_eq!(upcoming(&lab), []);
    lab.advance(1);
    let told = upcoming(&lab);
    let (at, invoice) = &told[0];
    assert_eq!((told.len(), *at), (1, end - 7 * DAY));
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(2_000), &json!("draft")));
    assert!(id(invoice).starts_with("upcoming_in_"));
    assert_eq!(lab.view().count("invoice"), 1, "nothing came of it");
    lab.events();
    lab.advance(7 * DAY);
    assert_eq!(lab.view().count("invoice"), 2);
    assert_eq!(upcoming(&lab).len(), 1);
}

/// What the official CLI makes for `subscription_schedule.completed` and `.expiring`: schedules of 2020, on clocks.
#[test]
fn what_happens_on_a_clock_of_years_ago_is_told_of_today() {
    let of_2020 = 1_577_836_800;
    for (phase, end, until, kind, status) in [
        (
            json!({"iterations": 1}),
            "release",
            1_580_515_200,
            "subscription_schedule.completed",
            "completed",
        ),
        (
            json!({"end_date": 1_580_256_000}),
            "cancel",
            1_579_478_400,
            "subscription_schedule.expiring",
            "active",
        ),
    ] {
        let mut lab = Lab::new();
        let clock = lab.ok("POST /v1/test_helpers/test_clocks", json!({"frozen_time": of_2020}));
        let customer = lab.ok("POST /v1/customers", json!({"test_clock": clock["id"]}));
        let price = json!({"currency": "usd", "unit_amount": 1_500,
            "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}});
        let price = lab.ok("POST /v1/prices", price);
        let mut phase = phase;
        phase["items"] = json!([{"price": price["id"], "quantity": 1}]);
        let asked = json!({"customer": customer["id"], "start_date": of_2020, "phases": [phase],
            "end_behavior": end});
        lab.ok("POST /v1/subscription_schedules", asked);
        let advance = format!("POST /v1/test_helpers/test_clocks/{}/advance", id(&clock));
        lab.ok(&advance, json!({"frozen_time": until}));
        lab.advance(1);
        let listed = lab.ok("GET /v1/events", json!({"type": kind}));
        let all = listed["data"].as_array().unwrap();
        assert_eq!(all.len(), 1, "{kind}: {:?}", lab.events());
        let event = &all[0];
        assert_eq!(event["data"]["object"]["status"], status);
        assert_eq!(event["created"], lab.now.0 - 1, "when the world heard of it");
        assert_eq!(event["data"]["object"]["created"], of_2020);
        lab.advance(31 * DAY);
        assert_eq!(lab.ok("GET /v1/events", json!({"type": kind}))["data"], json!([]));
    }
}

#[test]
fn what_ends_is_not_told_of() {
    let mut lab = Lab::new();
    let ends = json!({"cancel_at_period_end": true});
    let (_, subscription) = subscribed(&mut lab, json!({}), &ends);
    lab.advance(40 * DAY);
    assert_eq!(lab.get("subscription", id(&subscription))["status"], "canceled");
    let (_, subscription) = subscribed(&mut lab, json!({}), &json!({}));
    lab.ok(&format!("DELETE /v1/subscriptions/{}", id(&subscription)), json!({}));
    lab.advance(40 * DAY);
    assert_eq!(upcoming(&lab), []);
}

#[test]
fn a_trial_that_is_ended_by_hand_pauses_or_ends_where_nobody_can_be_charged() {
    for (behaviour, status, told) in [
        ("pause", "paused", Some("customer.subscription.paused")),
        ("cancel", "canceled", Some("customer.subscription.deleted")),
        ("create_invoice", "trialing", None),
    ] {
        let mut lab = Lab::new();
        let price = json!({"currency": "usd", "unit_amount": 2_000,
            "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}});
        let price = lab.ok("POST /v1/prices", price);
        let customer = lab.ok("POST /v1/customers", json!({}));
        let asked = json!({"customer": customer["id"], "items": [{"price": price["id"]}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": behaviour}}});
        let made = lab.ok("POST /v1/subscriptions", asked);
        let path = format!("POST /v1/subscriptions/{}", id(&made));
        let ended = lab.call(&path, json!({"trial_end": "now"}));
        assert_eq!(ended.is_ok(), told.is_some(), "{behaviour}");
        assert_eq!(lab.get("subscription", id(&made))["status"], status, "{behaviour}");
        let events = lab.events();
        assert!(told.is_none_or(|kind| events.iter().any(|it| it == kind)), "{behaviour}");
    }
}

#[test]
fn a_customer_that_there_is_comes_to_live_by_a_new_clock() {
    let mut shop = Shop::new("pm_card_visa");
    let frozen = shop.lab.now.0 - 100 * DAY;
    let asked = json!({"frozen_time": frozen, "customer": shop.customer});
    let clock = shop.lab.ok("POST /v1/test_helpers/test_clocks", asked.clone());
    let customer = shop.customer.clone();
    assert_eq!(shop.lab.get("customer", &customer)["test_clock"], clock["id"]);
    let sub = shop.subscribe(json!({}));
    assert_eq!((&sub["test_clock"], &sub["start_date"]), (&clock["id"], &json!(frozen)));
    let again = shop.lab.call("POST /v1/test_helpers/test_clocks", asked).unwrap_err();
    assert_eq!((again.status, again.param.as_deref()), (400, Some("customer")), "it has one");
    let mut other = Shop::new("pm_card_visa");
    other.subscribe(json!({}));
    let asked = json!({"frozen_time": frozen, "customer": other.customer});
    let failure = other.lab.call("POST /v1/test_helpers/test_clocks", asked).unwrap_err();
    assert_eq!(failure.status, 400, "it is billed by the world's clock");
    assert_eq!(other.lab.view().count("test_helpers.test_clock"), 0);
}
